#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_ROOM "worker"
#include "pool.h"

void pool_file_free(struct pool_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file);
}

static int64_t slot_next_backoff(struct slot *slot)
{
    slot->backoff_ns = slot->backoff_ns ? slot->backoff_ns * 2 : POOL_BACKOFF_MIN_NS;
    if (slot->backoff_ns > POOL_BACKOFF_MAX_NS)
        slot->backoff_ns = POOL_BACKOFF_MAX_NS;
    return slot->backoff_ns;
}

void slot_start_failed(struct pool *pool, const char *words)
{
    pool->start_failures++;
    snprintf(pool->status.sandbox_error, sizeof pool->status.sandbox_error, "the worker %.100s",
             words);
    if (pool_ready(pool) == 0)
        pool->status.sandbox = POOL_SANDBOX_FAILED;
    log_warn("the worker %.100s", words);
}

void slot_start(struct pool *pool, struct slot *slot)
{
    const struct pool_config *config = &pool->config;
    slot->greeted = false;
    slot->answered = 0;
    slot->words[0] = '\0';
    slot->since_ns = clock_mono_ns();
    int err = process_start(config->program, config->memory_limit, config->test_mode,
                            &slot->process, &slot->channel);
    if (err) {
        char words[WIRE_WORDS_SIZE];
        snprintf(words, sizeof words, "cannot be started: %s", strerror(err));
        slot->start_at_ns = slot->since_ns + slot_next_backoff(slot);
        slot_start_failed(pool, words);
        return;
    }
    pool->status.started++;
    slot->state = SLOT_STARTING;
}

void slot_turn(struct slot *slot)
{
    slot->since_ns = clock_mono_ns();
    slot->asked_ns = 0;
    slot->grace_ns = 0;
}

int slot_before(const struct slot *slot, enum pool_rank rank)
{
    int count = 0;
    const struct pool_file *file;
    TAILQ_FOREACH(file, &slot->files, link)
    {
        count += file->rank <= rank;
    }
    return count;
}

struct pool_file *slot_take_head(struct slot *slot)
{
    struct pool_file *head = TAILQ_FIRST(&slot->files);
    picture_clear(&slot->arriving);
    slot->arrived = 0;
    if (head) {
        TAILQ_REMOVE(&slot->files, head, link);
        slot->n_files--;
        slot_turn(slot);
    }
    return head;
}

/* Back to the front of the queue, or away when nobody waits for it. */
static void file_return(struct pool *pool, struct pool_file *file)
{
    if (file->forgotten)
        pool_file_free(file);
    else
        pool_queue_first(pool, file);
}

void slot_return_head(struct pool *pool, struct slot *slot)
{
    struct pool_file *head = slot_take_head(slot);
    if (head)
        file_return(pool, head);
}

void slot_clear(struct pool *pool, struct slot *slot, bool backoff)
{
    if (slot->channel >= 0)
        close(slot->channel);
    slot->channel = -1;
    if (slot->process.pid > 0) {
        process_kill(&slot->process);
        pool->corpses[pool->n_corpses++] = slot->process;
    }
    slot->process = (struct process){0, -1};
    picture_clear(&slot->arriving);
    slot->arrived = 0;
    slot->state = SLOT_EMPTY;
    slot->full_until_ns = 0;
    slot->start_at_ns = clock_mono_ns() + (backoff ? slot_next_backoff(slot) : 0);

    struct pool_file *file;
    while ((file = TAILQ_LAST(&slot->files, file_list))) {
        TAILQ_REMOVE(&slot->files, file, link);
        file_return(pool, file);
    }
    slot->n_files = 0;
}

void slot_take_back(struct pool *pool, struct slot *slot)
{
    struct pool_file *head = TAILQ_FIRST(&slot->files);
    struct pool_file *file = TAILQ_LAST(&slot->files, file_list);
    while (file && file != head) {
        struct pool_file *before = TAILQ_PREV(file, file_list, link);
        struct pool_file *ghost = file->forgotten ? NULL : malloc(sizeof *ghost);
        if (ghost) { /* keeps the place of the answer that will come */
            *ghost = *file;
            ghost->fd = -1;
            ghost->forgotten = true;
            TAILQ_INSERT_AFTER(&slot->files, file, ghost, link);
            TAILQ_REMOVE(&slot->files, file, link);
            pool_queue_first(pool, file);
        }
        file = before;
    }
}
