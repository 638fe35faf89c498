#include <stdio.h>

#define LOG_ROOM "library"
#include "batch.h"
#include "room.h"
#include "store.h"

/* So long the row of a job that is over can be read in any case: whoever heard of its end may ask.
 */
enum { OVER_KEPT_MS = 60000 };

static void note_failure(struct library *library, enum rl_err err)
{
    if (err == RL_EFULL)
        snprintf(library->why, sizeof library->why,
                 "the disk is full: the catalogue cannot be written");
    else
        snprintf(library->why, sizeof library->why, "the catalogue cannot be written: %s",
                 catalog_error(library->catalog));
    log_error("%s", library->why);
    snapshot_database(&library->snapshot, library->why);
}

void store_flush(struct library *library)
{
    if (library->writing)
        batch_commit(library->writing);
}

enum rl_err store_begin(struct library *library)
{
    store_flush(library);
    enum rl_err err = catalog_begin(library->catalog);
    if (err)
        note_failure(library, err);
    return err;
}

enum rl_err store_commit(struct library *library, uint64_t rows)
{
    int64_t before = clock_mono_ns();
    enum rl_err err = catalog_commit(library->catalog);
    if (err) {
        note_failure(library, err);
    } else {
        snapshot_committed(&library->snapshot, rows, clock_mono_ns() - before);
        snapshot_database(&library->snapshot, NULL);
    }
    return err;
}

enum rl_err store_check(struct library *library, enum rl_err err)
{
    if (err) {
        note_failure(library, err);
        catalog_rollback(library->catalog);
    }
    return err;
}

/* Whether a job that nobody asked for is over and has nothing to tell. */
static bool uneventful(const struct job *job)
{
    return job->status == JOB_COMPLETE && job->trigger == TRIGGER_WATCH && !job->added &&
           !job->updated && !job->moved && !job->missing && !job->error[0] && !job->refusal.root;
}

enum rl_err store_job(struct library *library, const struct job *job, bool clear_failures,
                      int64_t *sequence)
{
    enum rl_err err = store_begin(library);
    if (err)
        return err;
    int64_t number = sequence ? catalog_next_sequence(library->catalog) : 0;
    if (clear_failures)
        err = catalog_job_failures_clear(library->catalog, job->number);
    if (!err)
        err = catalog_job_update(library->catalog, job);
    if (!err && uneventful(job))
        err = catalog_jobs_forget_same(library->catalog, job, job->finished_at_ms - OVER_KEPT_MS);
    err = store_check(library, err);
    if (!err)
        err = store_commit(library, 1);
    if (!err && sequence)
        *sequence = number;
    return err;
}
