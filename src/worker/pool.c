#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_ROOM "worker"
#include "pool.h"

enum { POOL_CLOSE_MS = 2000 }; /* a process that hangs in the kernel longer is left to init */

enum rl_err pool_open(const struct pool_config *config, struct pool **out)
{
    if (config->workers < 1 || config->workers > POOL_WORKERS_MAX || !config->done)
        return RL_EINVAL;
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return RL_ENOMEM;
    pool->message = malloc(WIRE_REPLY_MAX);
    if (!pool->message) {
        free(pool);
        return RL_ENOMEM;
    }
    pool->config = *config;
    for (int rank = 0; rank < POOL_RANKS; rank++)
        TAILQ_INIT(&pool->queues[rank]);
    for (int i = 0; i < config->workers; i++) {
        struct slot *slot = &pool->slots[i];
        slot->channel = -1;
        slot->process.pidfd = -1;
        TAILQ_INIT(&slot->files);
        slot_start(pool, slot);
    }
    *out = pool;
    return RL_OK;
}

/* Waits until the killed are gone, but no longer than a clean stop may take. */
static void corpses_await(struct pool *pool)
{
    int64_t end = clock_mono_ms() + POOL_CLOSE_MS;
    for (int i = 0; i < pool->n_corpses; i++) {
        struct process *corpse = &pool->corpses[i];
        int status;
        while (!process_reap(corpse, &status)) {
            int64_t left = end - clock_mono_ms();
            if (left <= 0) {
                log_warn("worker %ld does not end", (long)corpse->pid);
                if (corpse->pidfd >= 0)
                    close(corpse->pidfd);
                break;
            }
            struct pollfd fd = {.fd = corpse->pidfd, .events = POLLIN};
            poll(&fd, 1, corpse->pidfd >= 0 ? (int)left : 1);
        }
    }
}

void pool_close(struct pool *pool)
{
    if (!pool)
        return;
    for (int i = 0; i < pool->config.workers; i++)
        slot_clear(pool, &pool->slots[i], false);
    corpses_await(pool);
    struct pool_file *file;
    while ((file = pool_queue_take(pool)))
        pool_file_free(file);
    free(pool->message);
    free(pool);
}

/* What goes before it counts; what it overtakes does not. */
static bool has_room(const struct pool *pool, enum pool_rank rank, bool picture)
{
    int room = 0, taken = 0, depth = pool_depth(picture);
    for (int before = 0; before <= (int)rank; before++)
        taken += (int)pool->n_queued[before];
    for (int i = 0; i < pool->config.workers; i++) {
        const struct slot *slot = &pool->slots[i];
        if (slot->state == SLOT_READY) {
            room += depth;
            taken += slot_before(slot, rank);
        }
    }
    if (pool_hopeless(pool)) /* they will not wait: each is answered by the next pool_service */
        room = pool->config.workers * depth;
    return taken < room;
}

bool pool_has_room(const struct pool *pool)
{
    return has_room(pool, POOL_PROBE, false);
}

bool pool_has_room_for_picture(const struct pool *pool, enum pool_rank rank)
{
    return has_room(pool, rank, true);
}

/* Takes the descriptor of `wanted`. */
static enum rl_err file_submit(struct pool *pool, const struct pool_file *wanted,
                               const char *name_hint)
{
    struct pool_file *file = malloc(sizeof *file);
    if (!file) {
        close(wanted->fd);
        return RL_ENOMEM;
    }
    *file = *wanted;
    size_t len = strlen(name_hint);
    if (len < sizeof file->name_hint) /* no demuxer has a longer one: half a hint is a wrong one */
        memcpy(file->name_hint, name_hint, len);
    pool_queue_last(pool, file);
    if (!pool->serving)
        pool_hand_out(pool);
    return RL_OK;
}

enum rl_err pool_submit(struct pool *pool, int fd, const char *name_hint, enum pool_rank rank,
                        uint64_t owner, void *tag)
{
    struct pool_file file = {.tag = tag, .owner = owner, .fd = fd, .rank = rank};
    return file_submit(pool, &file, name_hint);
}

enum rl_err pool_submit_picture(struct pool *pool, int fd, const char *name_hint,
                                const struct picture_request *request, enum pool_rank rank,
                                uint64_t owner, void *tag)
{
    if (request->kind < 0 || request->kind >= PICTURE_KINDS || request->width < PICTURE_WIDTH_MIN ||
        request->width > PICTURE_WIDTH_MAX) {
        close(fd);
        return RL_EINVAL;
    }
    struct pool_file file = {.tag = tag,
                             .owner = owner,
                             .fd = fd,
                             .rank = rank,
                             .wants_picture = true,
                             .picture = *request};
    return file_submit(pool, &file, name_hint);
}

void pool_cancel(struct pool *pool, uint64_t owner, void (*drop)(void *ctx, void *tag), void *ctx)
{
    struct pool_file *file, *next;
    for (int rank = 0; rank < POOL_RANKS; rank++) {
        for (file = TAILQ_FIRST(&pool->queues[rank]); file; file = next) {
            next = TAILQ_NEXT(file, link);
            if (file->owner != owner)
                continue;
            TAILQ_REMOVE(&pool->queues[rank], file, link);
            pool->n_queued[rank]--;
            drop(ctx, file->tag);
            pool_file_free(file);
        }
    }
    for (int i = 0; i < pool->config.workers; i++) {
        struct slot *slot = &pool->slots[i];
        TAILQ_FOREACH(file, &slot->files, link)
        {
            if (file->owner != owner || file->forgotten)
                continue;
            /* Its answer, when it comes, is dropped; a worker that is stuck on it is replaced at
             * its shortened deadline. */
            file->forgotten = true;
            close(file->fd);
            file->fd = -1;
            drop(ctx, file->tag);
        }
    }
}

void pool_status(const struct pool *pool, struct pool_status *out)
{
    *out = pool->status;
    out->workers = pool->config.workers;
    out->alive = pool_ready(pool);
    out->queued = pool_queued(pool);
    for (int i = 0; i < pool->config.workers; i++) {
        const struct slot *slot = &pool->slots[i];
        const struct pool_file *file;
        out->busy += slot->state == SLOT_READY && slot->n_files > 0;
        TAILQ_FOREACH(file, &slot->files, link)
        {
            out->in_flight += !file->forgotten;
        }
    }
}
