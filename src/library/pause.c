#include "pause.h"
#include "jobs.h"
#include "outbox.h"
#include "store.h"
#include "turns.h"

/* Walks that are kept for jobs that rest: each has memory and descriptors, for as long as nobody
 * resumes it. */
enum { RESTING_MAX = 4 };

static size_t resting(const struct library *library)
{
    size_t count = 0;
    for (size_t i = 0; i < library->jobs.count; i++)
        count += library->jobs.entries[i]->work && library->jobs.entries[i]->job.paused;
    return count;
}

/* Takes a job that has begun out of the running. False: it ended with a failed commit. */
static bool put_aside(struct library *library, struct job_entry *entry)
{
    if (resting(library) < RESTING_MAX)
        return entry != library->running || entry->kind->park(entry->work);
    if (!entry->kind->put_down(entry->work))
        return false;
    jobs_take_up(entry);
    return true;
}

/* The row first: what is answered and said outlives a restart. */
static enum rl_err write_paused(struct library *library, struct job_entry *entry, bool paused)
{
    entry->job.paused = paused;
    enum rl_err err = store_job(library, &entry->job, false, NULL);
    if (err)
        entry->job.paused = !paused;
    turns_changed(library, entry);
    if (!err)
        jobs_say(library, &entry->job);
    return err;
}

void pause_job(struct library *library, const struct command *command)
{
    bool paused = command->kind == COMMAND_PAUSE;
    struct job_entry *entry = jobs_asked_for(library, command);
    if (!entry)
        return;
    enum rl_err err = RL_OK;
    if (entry->job.paused != paused) {
        store_flush(library);
        if (paused && entry->work && !put_aside(library, entry)) {
            outbox_reply(library, command->ticket, RL_ECONFLICT, command->id, library->why);
            return;
        }
        err = write_paused(library, entry, paused);
    }
    outbox_reply(library, command->ticket, err, command->id, library->why);
}
