#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reeld/events.h"

#include "room.h"
#include "snapshot.h"

void snapshot_init(struct snapshot *snapshot)
{
    pthread_mutex_init(&snapshot->lock, NULL);
    snapshot->status.database_ok = true;
    snapshot->status.pictures.ok = true;
}

void snapshot_free(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++)
        job_clear(&snapshot->jobs[i]);
    free(snapshot->jobs);
    pthread_mutex_destroy(&snapshot->lock);
}

/* Caller holds the lock. */
static struct job *find(struct snapshot *snapshot, const char *id)
{
    for (size_t i = 0; i < snapshot->count; i++) {
        if (strcmp(snapshot->jobs[i].id, id) == 0)
            return &snapshot->jobs[i];
    }
    return NULL;
}

/* Caller holds the lock. How many wait in `rank` among the first `count`. */
static int64_t waiting(const struct snapshot *snapshot, enum job_rank rank, size_t count)
{
    int64_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += snapshot->jobs[i].rank == rank;
    return found;
}

/* Caller holds the lock. */
static int64_t place(const struct snapshot *snapshot, const struct job *kept)
{
    if (kept->rank == JOB_RANK_NONE)
        return 0;
    int64_t before = waiting(snapshot, kept->rank, (size_t)(kept - snapshot->jobs));
    for (enum job_rank rank = JOB_RANK_NONE + 1; rank < kept->rank; rank++)
        before += waiting(snapshot, rank, snapshot->count);
    return before + 1;
}

int64_t snapshot_place(struct snapshot *snapshot, const char *id)
{
    pthread_mutex_lock(&snapshot->lock);
    const struct job *kept = find(snapshot, id);
    int64_t found = kept ? place(snapshot, kept) : 0;
    pthread_mutex_unlock(&snapshot->lock);
    return found;
}

/* Caller holds the lock. */
static enum rl_err make_room(struct snapshot *snapshot)
{
    if (snapshot->count < snapshot->cap)
        return RL_OK;
    size_t cap = snapshot->cap ? snapshot->cap * 2 : 8;
    struct job *jobs = realloc(snapshot->jobs, cap * sizeof *jobs);
    if (!jobs)
        return RL_ENOMEM;
    snapshot->jobs = jobs;
    snapshot->cap = cap;
    return RL_OK;
}

enum rl_err snapshot_add(struct snapshot *snapshot, const struct job *job)
{
    struct job copy;
    enum rl_err err = job_copy(&copy, job);
    if (err)
        return err;
    pthread_mutex_lock(&snapshot->lock);
    err = make_room(snapshot);
    if (!err)
        snapshot->jobs[snapshot->count++] = copy;
    pthread_mutex_unlock(&snapshot->lock);
    if (err)
        job_clear(&copy);
    return err;
}

void snapshot_update(struct snapshot *snapshot, const struct job *job)
{
    pthread_mutex_lock(&snapshot->lock);
    struct job *kept = find(snapshot, job->id);
    if (kept) {
        char *path = kept->path;
        *kept = *job;
        kept->path = path;
        kept->failures = NULL;
        kept->n_failures = 0;
        kept->plan = NULL;
        kept->n_plan = 0;
    }
    pthread_mutex_unlock(&snapshot->lock);
}

void snapshot_end(struct snapshot *snapshot, const struct job *job)
{
    struct job copy;
    if (job_copy(&copy, job)) {
        snapshot_update(snapshot, job);
        return;
    }
    pthread_mutex_lock(&snapshot->lock);
    struct job *kept = find(snapshot, job->id);
    struct job before = copy;
    if (kept) {
        before = *kept;
        *kept = copy;
    }
    pthread_mutex_unlock(&snapshot->lock);
    job_clear(&before);
}

void snapshot_remove(struct snapshot *snapshot, const char *id)
{
    pthread_mutex_lock(&snapshot->lock);
    struct job *kept = find(snapshot, id);
    if (kept) {
        job_clear(kept);
        size_t after = (size_t)(snapshot->jobs + snapshot->count - kept) - 1;
        memmove(kept, kept + 1, after * sizeof *kept);
        snapshot->count--;
    }
    pthread_mutex_unlock(&snapshot->lock);
}

void snapshot_pool(struct snapshot *snapshot, const struct pool_status *pool)
{
    pthread_mutex_lock(&snapshot->lock);
    snapshot->status.pool = *pool;
    pthread_mutex_unlock(&snapshot->lock);
}

void snapshot_watch(struct snapshot *snapshot, const struct watch_status *watch)
{
    pthread_mutex_lock(&snapshot->lock);
    snapshot->status.watch = *watch;
    pthread_mutex_unlock(&snapshot->lock);
}

void snapshot_database(struct snapshot *snapshot, const char *error)
{
    pthread_mutex_lock(&snapshot->lock);
    snapshot->status.database_ok = !error;
    snprintf(snapshot->status.database_error, sizeof snapshot->status.database_error, "%s",
             error ? error : "");
    pthread_mutex_unlock(&snapshot->lock);
}

void snapshot_committed(struct snapshot *snapshot, uint64_t rows, int64_t ns)
{
    pthread_mutex_lock(&snapshot->lock);
    snapshot->status.commits++;
    snapshot->status.rows_committed += rows;
    snapshot->status.commit_ns_total += ns;
    pthread_mutex_unlock(&snapshot->lock);
}

void snapshot_counted(struct snapshot *snapshot, enum outcome outcome, enum failure_code code,
                      uint64_t files)
{
    pthread_mutex_lock(&snapshot->lock);
    snapshot->status.files[outcome] += files;
    if (code != FAILURE_NONE)
        snapshot->status.failures[code] += files;
    pthread_mutex_unlock(&snapshot->lock);
}

void snapshot_pictures(struct snapshot *snapshot, const char *error, int64_t bytes,
                       uint64_t removed, uint32_t wanted)
{
    pthread_mutex_lock(&snapshot->lock);
    snapshot->status.pictures.ok = !error || !*error;
    snprintf(snapshot->status.pictures.error, sizeof snapshot->status.pictures.error, "%s",
             error ? error : "");
    snapshot->status.pictures.bytes = bytes;
    snapshot->status.pictures.removed = removed;
    snapshot->status.pictures.wanted = wanted;
    pthread_mutex_unlock(&snapshot->lock);
}

void snapshot_picture_made(struct snapshot *snapshot, bool made)
{
    pthread_mutex_lock(&snapshot->lock);
    snapshot->status.pictures.made += made;
    snapshot->status.pictures.failed += !made;
    pthread_mutex_unlock(&snapshot->lock);
}

void snapshot_finished(struct snapshot *snapshot, enum job_status status)
{
    pthread_mutex_lock(&snapshot->lock);
    snapshot->status.jobs_finished[status]++;
    pthread_mutex_unlock(&snapshot->lock);
}

/* Thread: any. */

enum rl_err library_job(struct library *library, const char *id, struct job *out)
{
    struct snapshot *snapshot = &library->snapshot;
    pthread_mutex_lock(&snapshot->lock);
    struct job *kept = find(snapshot, id);
    enum rl_err err = kept ? job_copy(out, kept) : RL_ENOTFOUND;
    if (!err)
        out->place = place(snapshot, kept);
    pthread_mutex_unlock(&snapshot->lock);
    return err;
}

enum rl_err library_jobs(struct library *library, struct job_list *out)
{
    *out = (struct job_list){0};
    struct snapshot *snapshot = &library->snapshot;
    enum rl_err err = RL_OK;
    pthread_mutex_lock(&snapshot->lock);
    if (snapshot->count)
        out->jobs = calloc(snapshot->count, sizeof *out->jobs);
    if (snapshot->count && !out->jobs)
        err = RL_ENOMEM;
    int64_t places[JOB_RANKS] = {0}; /* that are taken in and before a rank */
    for (enum job_rank rank = JOB_RANK_NONE + 1; rank < JOB_RANKS - 1; rank++)
        places[rank + 1] = places[rank] + waiting(snapshot, rank, snapshot->count);
    for (size_t i = 0; !err && i < snapshot->count; i++) {
        if (job_status_terminal(snapshot->jobs[i].status))
            continue;
        struct job *job = &out->jobs[out->count];
        err = job_copy(job, &snapshot->jobs[i]);
        if (err)
            break;
        out->count++;
        if (job->rank != JOB_RANK_NONE)
            job->place = ++places[job->rank];
    }
    pthread_mutex_unlock(&snapshot->lock);
    if (err)
        job_list_clear(out);
    return err;
}

void library_status(struct library *library, struct library_status *out)
{
    struct snapshot *snapshot = &library->snapshot;
    pthread_mutex_lock(&snapshot->lock);
    *out = snapshot->status;
    out->jobs_pending = out->jobs_running = 0;
    for (size_t i = 0; i < snapshot->count; i++) {
        out->jobs_pending += snapshot->jobs[i].status == JOB_PENDING;
        out->jobs_running += snapshot->jobs[i].status == JOB_RUNNING;
    }
    pthread_mutex_unlock(&snapshot->lock);
}
