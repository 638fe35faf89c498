#include "turns.h"
#include "room.h"

enum {
    TURN_MS = 2000,  /* what one in line has before a large newcomer goes ahead of it */
    AHEAD_MS = 5000, /* how long newcomers keep the one in line from going on … */
    AHEAD_MAX = 16,  /* … and how many of them */
    PARKED_MAX = 4,  /* each has memory and descriptors */
};

static bool waits(const struct library *library, const struct job_entry *entry)
{
    return !entry->unwritten && !entry->job.paused && !job_status_terminal(entry->job.status) &&
           entry != library->running;
}

/* The oldest of a rank that waits, or NULL. */
static struct job_entry *first(const struct library *library, enum job_rank rank)
{
    for (size_t i = 0; i < library->jobs.count; i++) {
        struct job_entry *entry = library->jobs.entries[i];
        if (entry->rank == rank && waits(library, entry))
            return entry;
    }
    return NULL;
}

bool turns_waiting(const struct library *library)
{
    return first(library, JOB_RANK_AHEAD) || first(library, JOB_RANK_LINE) ||
           first(library, JOB_RANK_LAST);
}

void turns_changed(struct library *library, struct job_entry *entry)
{
    struct job *job = &entry->job;
    job->rank = waits(library, entry) ? entry->rank : JOB_RANK_NONE;
    snapshot_update(&library->snapshot, job);
    library->jobs.look_ms = 0;
}

void turns_ask(struct library *library, struct job_entry *entry)
{
    for (size_t i = 0; i < library->jobs.count && entry->rank == JOB_RANK_LINE; i++) {
        const struct job_entry *other = library->jobs.entries[i];
        if (other != entry && other->rank != JOB_RANK_LAST && !other->unwritten &&
            !other->job.paused)
            entry->rank = JOB_RANK_AHEAD;
    }
    turns_changed(library, entry);
}

void turns_ended(struct library *library, const struct job_entry *entry)
{
    if (entry->rank == JOB_RANK_LINE)
        library->jobs.newcomers = 0;
    library->jobs.look_ms = 0;
}

/* Whether newcomers may still keep those in line waiting. */
static bool credit(const struct job_queue *jobs, int64_t now_ms)
{
    return jobs->newcomers == 0 ||
           (jobs->newcomers < AHEAD_MAX && now_ms < jobs->newcomers_ms + AHEAD_MS);
}

static size_t parked(const struct library *library)
{
    size_t count = 0;
    for (size_t i = 0; i < library->jobs.count; i++) {
        const struct job_entry *entry = library->jobs.entries[i];
        count += entry->work && !entry->job.paused && entry != library->running &&
                 entry->rank != JOB_RANK_LAST;
    }
    return count;
}

static void park(struct library *library, struct job_entry *entry)
{
    if (entry->kind->park(entry->work))
        turns_changed(library, entry);
}

/* A newcomer that did not get done in its time is no small job: from now on it is in line. */
static int64_t end_ahead(struct library *library, struct job_entry *entry, int64_t now_ms)
{
    int64_t end = library->jobs.newcomers_ms + AHEAD_MS;
    if (now_ms < end)
        return end;
    entry->rank = JOB_RANK_LINE;
    if (first(library, JOB_RANK_LINE))
        park(library, entry);
    return now_ms;
}

/* Returns when to look again, if it still runs. */
static int64_t make_way(struct library *library, struct job_entry *entry, int64_t now_ms)
{
    struct job_queue *jobs = &library->jobs;
    const struct job_entry *newcomer = first(library, JOB_RANK_AHEAD);
    /* A large one may have to be parked itself, and must find room then. */
    if (!newcomer || parked(library) + !newcomer->small >= PARKED_MAX)
        return INT64_MAX;
    int64_t whole = jobs->turn_ms + TURN_MS;
    if (now_ms >= whole)
        jobs->newcomers = 0;
    else if (!newcomer->small || !credit(jobs, now_ms))
        return whole;
    park(library, entry);
    return now_ms;
}

/* Whoever is not the last itself goes before it. Returns as make_way. */
static int64_t let_pass(struct library *library, struct job_entry *entry)
{
    if (first(library, JOB_RANK_AHEAD) || first(library, JOB_RANK_LINE))
        park(library, entry);
    return INT64_MAX;
}

void turns_yield(struct library *library)
{
    int64_t now = clock_mono_ms();
    if (now < library->jobs.look_ms)
        return;
    struct job_entry *entry = library->running;
    int64_t look_ms = entry->rank == JOB_RANK_LAST    ? let_pass(library, entry)
                      : entry->rank == JOB_RANK_AHEAD ? end_ahead(library, entry, now)
                                                      : make_way(library, entry, now);
    library->jobs.look_ms = look_ms;
}

void turns_next(struct library *library)
{
    struct job_queue *jobs = &library->jobs;
    int64_t now = clock_mono_ms();
    struct job_entry *newcomer = first(library, JOB_RANK_AHEAD);
    struct job_entry *next = first(library, JOB_RANK_LINE);
    if (newcomer && !next) {
        newcomer->rank = JOB_RANK_LINE; /* there is nobody to go ahead of */
        next = newcomer;
    } else if (newcomer && credit(jobs, now)) {
        if (jobs->newcomers++ == 0)
            jobs->newcomers_ms = now;
        next = newcomer;
    }
    if (!next)
        next = first(library, JOB_RANK_LAST);
    if (!next)
        return;
    jobs->turn_ms = now;
    jobs->look_ms = 0;
    if (next->work)
        next->kind->go_on(next->work);
    else
        next->kind->start(library, next);
}
