#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "pool.h"

/* ---- queues -------------------------------------------------------------------------------- */

void pool_queue_last(struct pool *pool, struct pool_file *file)
{
    TAILQ_INSERT_TAIL(&pool->queues[file->rank], file, link);
    pool->n_queued[file->rank]++;
}

void pool_queue_first(struct pool *pool, struct pool_file *file)
{
    TAILQ_INSERT_HEAD(&pool->queues[file->rank], file, link);
    pool->n_queued[file->rank]++;
}

uint32_t pool_queued(const struct pool *pool)
{
    uint32_t sum = 0;
    for (int rank = 0; rank < POOL_RANKS; rank++)
        sum += pool->n_queued[rank];
    return sum;
}

struct pool_file *pool_queue_take(struct pool *pool)
{
    for (int rank = 0; rank < POOL_RANKS; rank++) {
        struct pool_file *file = TAILQ_FIRST(&pool->queues[rank]);
        if (file) {
            TAILQ_REMOVE(&pool->queues[rank], file, link);
            pool->n_queued[rank]--;
            return file;
        }
    }
    return NULL;
}

/* ---- questions ----------------------------------------------------------------------------- */

int pool_ready(const struct pool *pool)
{
    int ready = 0;
    for (int i = 0; i < pool->config.workers; i++)
        ready += pool->slots[i].state == SLOT_READY;
    return ready;
}

bool pool_hopeless(const struct pool *pool)
{
    return pool->start_failures >= POOL_HOPELESS_ROUNDS * pool->config.workers &&
           pool_ready(pool) == 0;
}

/* ---- handing out --------------------------------------------------------------------------- */

/* 0, or an errno. */
static int request_send(int channel, const struct pool_file *file)
{
    struct wire_request request = {
        .header = {.version = WIRE_VERSION,
                   .kind = file->wants_picture ? WIRE_PICTURE : WIRE_PROBE,
                   .number = file->number},
        .rank = (uint32_t)file->rank,
        .picture = file->picture,
    };
    memcpy(request.name_hint, file->name_hint, sizeof request.name_hint);

    struct iovec part = {.iov_base = &request, .iov_len = sizeof request};
    union { /* aligned for the header */
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &file->fd, sizeof file->fd);

    ssize_t sent;
    do
        sent = sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : 0;
}

int pool_depth(bool wants_picture)
{
    return wants_picture ? POOL_DEPTH_PICTURES : POOL_DEPTH;
}

/* Files that a file of `rank` would wait for in `slot`: where its worker has been at the head for
 * long, that is as good as many. */
static int slot_wait(const struct slot *slot, enum pool_rank rank, int64_t now)
{
    bool stuck = slot->n_files > 0 && now - slot->since_ns >= POOL_STUCK_NS;
    return 2 * slot_before(slot, rank) + (slot->n_files > 0) + (stuck ? 4 * POOL_DEPTH : 0);
}

/* The ready worker where `file` comes to its turn first, if one has room for it. */
static struct slot *slot_choose(struct pool *pool, const struct pool_file *file, int64_t now)
{
    struct slot *best = NULL;
    for (int i = 0; i < pool->config.workers; i++) {
        struct slot *slot = &pool->slots[i];
        if (slot->state != SLOT_READY || slot->full_until_ns > now ||
            slot->n_files >= WIRE_HELD_MAX ||
            slot_before(slot, file->rank) >= pool_depth(file->wants_picture))
            continue;
        if (!best || slot_wait(slot, file->rank, now) < slot_wait(best, file->rank, now))
            best = slot;
    }
    return best;
}

/* The file whose turn it is; NULL when all queues are empty. */
static struct pool_file *pool_queue_first_of_all(const struct pool *pool)
{
    struct pool_file *file = NULL;
    for (int rank = 0; !file && rank < POOL_RANKS; rank++)
        file = TAILQ_FIRST(&pool->queues[rank]);
    return file;
}

void pool_hand_out(struct pool *pool)
{
    int64_t now = clock_mono_ns();
    struct pool_file *next;
    struct slot *slot;
    while ((next = pool_queue_first_of_all(pool)) && (slot = slot_choose(pool, next, now))) {
        struct pool_file *file = pool_queue_take(pool);
        file->number = ++pool->next_number;
        int err = request_send(slot->channel, file);
        if (err == 0) {
            if (slot->n_files++ == 0)
                slot_turn(slot);
            TAILQ_INSERT_TAIL(&slot->files, file, link);
        } else if (err == EBADF) {
            pool_answer_failure(pool, file, FAILURE_IO_ERROR, "it was closed before it was read");
        } else {
            /* Its buffer is full, too many descriptors are under way, or it is about to be found
             * dead: all of them pass. */
            slot->full_until_ns = now + POOL_RETRY_NS;
            pool_queue_first(pool, file);
        }
    }
}

/* ---- answers ------------------------------------------------------------------------------- */

void pool_answer(struct pool *pool, struct pool_file *file, struct pool_result *result)
{
    bool wanted = !file->forgotten;
    result->tag = file->tag;
    pool_file_free(file);
    if (wanted) {
        pool->config.done(pool->config.ctx, result);
    } else {
        media_info_clear(&result->info);
        picture_clear(&result->picture);
    }
}

void pool_answer_failure(struct pool *pool, struct pool_file *file, enum failure_code code,
                         const char *error)
{
    struct pool_result result = {.code = code};
    snprintf(result.error, sizeof result.error, "%s", error);
    pool_answer(pool, file, &result);
}
