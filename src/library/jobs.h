/* jobs: the queue of jobs, their states, and their ends. Job thread. */
#ifndef REELD_LIBRARY_JOBS_H
#define REELD_LIBRARY_JOBS_H

#include "reeld/library.h"

#include "room.h"
#include "work.h"

struct watch_root;

struct job_entry {
    struct job job;
    const struct work_kind *kind; /* by its type */
    void *work;   /* of that kind: from its start to its end, also while it is parked; owned */
    bool resumed; /* an earlier process began it */
    bool small;   /* one file, or not recursive */
    enum job_rank rank;         /* also while it runs: not JOB_RANK_NONE */
    struct watch_root *watched; /* whose changes it takes up; NULL: it scans its path */
    bool unwritten;             /* it is over, but its row could not be written yet */
};

/* Takes up the unfinished jobs of an earlier process. Before the thread starts. */
enum rl_err jobs_load(struct library *library);
void jobs_free(struct library *library);

/* Queues a scan, or finds the one that will do the same, and answers the command. */
void jobs_submit(struct library *library, const struct command *command);

/* Queues a scan of the root at `path` that nobody asked for, or of what changes in it when
 * `watched` is given; or finds the one that will do the same. No time limit. *out is valid until
 * the job ends. After a failure nothing was queued. */
enum rl_err jobs_start(struct library *library, const char *path, enum job_trigger trigger,
                       struct watch_root *watched, struct job_entry **out);

/* Ends a pending or running job as cancelled and answers the command. */
void jobs_cancel(struct library *library, const struct command *command);

/* Ends a job that is not over yet as cancelled, whether it waits, rests or runs; frees the entry
 * unless its end cannot be written. */
void jobs_cancel_entry(struct library *library, struct job_entry *entry);

/* Queues the entry, which has all but its number, with its JOB_QUEUED; takes it over in any case.
 * After a failure library->why says what is wrong. */
enum rl_err jobs_add(struct library *library, struct job_entry *entry);

/* Says the job's counters, and whether it is paused. */
void jobs_say(struct library *library, const struct job *job);

/* The job of this id, or NULL. */
struct job_entry *jobs_find(const struct library *library, const char *id);

/* The job of the command's id, or NULL: then the command is answered, since it is over or unknown.
 */
struct job_entry *jobs_asked_for(struct library *library, const struct command *command);

/* Starts the next job when none is running, or lets the one that is make way; writes ends that
 * could not be written. */
void jobs_run(struct library *library);

/* The job is to begin anew at its next turn, as after a restart. */
void jobs_take_up(struct job_entry *entry);

/* Ends a job: row, snapshot, terminal event. `words` (may be NULL) become its error. The entry is
 * freed, or kept until its row can be written. */
void jobs_finish(struct library *library, struct job_entry *entry, enum job_status status,
                 const char *words);

/* The thread stops: the jobs that have begun go back to pending with what they have done. */
void jobs_put_back(struct library *library);

/* When jobs_run has something to do, in clock_mono_ms(); INT64_MAX: nothing. */
int64_t jobs_due(const struct library *library);

#endif
