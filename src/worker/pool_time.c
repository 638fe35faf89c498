#include <limits.h>

#include "pool.h"

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t slot_limit(const struct pool *pool, const struct slot *slot)
{
    const struct pool_file *head = TAILQ_FIRST(&slot->files);
    if (!head)
        return POOL_NEVER;
    int64_t limit = pool->config.deadline_ms > 0 ? pool->config.deadline_ms * POOL_MS : POOL_NEVER;
    return head->forgotten ? earlier(limit, POOL_FORGOTTEN_NS) : limit;
}

int64_t slot_deadline(const struct pool *pool, const struct slot *slot)
{
    int64_t limit = slot_limit(pool, slot);
    if (limit == POOL_NEVER)
        return POOL_NEVER;
    int64_t at = slot->since_ns + limit + slot->grace_ns;
    /* Who was asked late, as the pool itself had to wait, is watched for half the time all the
     * same. */
    int64_t watched = slot->asked_ns + limit / 2;
    return slot->asked_ns > 0 && slot->grace_ns == 0 && watched > at ? watched : at;
}

int64_t slot_ask_at(const struct pool *pool, const struct slot *slot)
{
    int64_t limit = slot->state == SLOT_READY ? slot_limit(pool, slot) : POOL_NEVER;
    return limit == POOL_NEVER || slot->asked_ns > 0 ? POOL_NEVER : slot->since_ns + limit / 2;
}

static bool slot_idle(const struct slot *slot)
{
    return slot->state == SLOT_READY && slot->n_files == 0;
}

/* Whether what is urgent would be sooner there. */
static bool slot_has_room(const struct slot *slot)
{
    return slot->state == SLOT_READY && slot_before(slot, POOL_ON_DEMAND) < POOL_DEPTH_PICTURES &&
           slot->n_files < WIRE_HELD_MAX &&
           (slot->n_files == 0 || clock_mono_ns() - slot->since_ns < POOL_STUCK_NS);
}

int64_t slot_relief(const struct pool *pool, const struct slot *slot)
{
    if (slot->state != SLOT_READY || slot->n_files < 2)
        return POOL_NEVER;
    const struct pool_file *head = TAILQ_FIRST(&slot->files), *file = head;
    bool waiting = false, urgent = false;
    while ((file = TAILQ_NEXT(file, link))) {
        waiting = waiting || !file->forgotten;
        urgent = urgent || (!file->forgotten && file->rank == POOL_ON_DEMAND);
    }
    bool idle = false, other = false;
    for (int i = 0; i < pool->config.workers; i++) {
        idle = idle || slot_idle(&pool->slots[i]);
        other = other || (&pool->slots[i] != slot && slot_has_room(&pool->slots[i]));
    }
    bool due = (waiting && idle && pool_queued(pool) == 0) || (urgent && other);
    return due ? slot->since_ns + POOL_STUCK_NS : POOL_NEVER;
}

/* When `slot` wants attention, in ns. */
static int64_t slot_wakeup(const struct pool *pool, const struct slot *slot, int64_t now)
{
    switch (slot->state) {
    case SLOT_EMPTY: /* with too many corpses about, one of them has to go first */
        if (pool->n_corpses >= POOL_CORPSES_PER_WORKER * pool->config.workers)
            return POOL_NEVER;
        return slot->start_at_ns;
    case SLOT_STARTING:
        return slot->since_ns + POOL_START_NS;
    case SLOT_ENDED:
        return slot->process.pidfd < 0 ? now + POOL_RETRY_NS : slot->since_ns + POOL_EXIT_NS;
    case SLOT_READY:
        break;
    }
    int64_t at = earlier(slot_deadline(pool, slot), slot_relief(pool, slot));
    at = earlier(at, slot_ask_at(pool, slot));
    if (pool_queued(pool) > 0 && slot->full_until_ns > 0 && slot->n_files < WIRE_HELD_MAX)
        at = earlier(at, slot->full_until_ns);
    return at;
}

int pool_timeout_ms(const struct pool *pool)
{
    int64_t now = clock_mono_ns(), at = POOL_NEVER;
    for (int i = 0; i < pool->config.workers; i++)
        at = earlier(at, slot_wakeup(pool, &pool->slots[i], now));
    for (int i = 0; i < pool->n_corpses; i++) {
        if (pool->corpses[i].pidfd < 0)
            at = earlier(at, now + POOL_RETRY_NS);
    }
    if (pool_queued(pool) > 0 && pool_hopeless(pool))
        at = now;
    if (at == POOL_NEVER)
        return -1;
    if (at <= now)
        return 0;
    int64_t ms = (at - now + POOL_MS - 1) / POOL_MS; /* up: waking early would spin */
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static int fds_add(struct pollfd *fds, int count, int max, int fd)
{
    if (fd < 0 || count >= max)
        return count;
    fds[count] = (struct pollfd){.fd = fd, .events = POLLIN};
    return count + 1;
}

int pool_pollfds(const struct pool *pool, struct pollfd *fds, int max)
{
    int count = 0;
    for (int i = 0; i < pool->config.workers; i++) {
        const struct slot *slot = &pool->slots[i];
        if (slot->state == SLOT_ENDED)
            count = fds_add(fds, count, max, slot->process.pidfd);
        else
            count = fds_add(fds, count, max, slot->channel);
    }
    for (int i = 0; i < pool->n_corpses; i++)
        count = fds_add(fds, count, max, pool->corpses[i].pidfd);
    return count;
}
