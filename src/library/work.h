/* work: what a job does at its turn: one kind for each type of job. Job thread. */
#ifndef REELD_LIBRARY_WORK_H
#define REELD_LIBRARY_WORK_H

#include "room.h"

struct job_entry;

/* What a job of one type does. At most one runs (library->running); the others that have begun are
 * parked, and what the workers have of those still comes to its outcome. */
struct work_kind {
    enum job_rank rank; /* that it has unless turns_ask gives it another */

    /* Before a job that an earlier process began is taken up: which of its counters are to begin
     * anew. */
    void (*take_up)(struct job *job);

    /* Begins as library->running; or ends the job. */
    void (*start)(struct library *library, struct job_entry *entry);

    /* Whether it has looked at anything yet. */
    bool (*begun)(const void *work);

    /* Does a few milliseconds of work. The job may be over after it (library->running is NULL
     * then). And when there is something to do, in clock_mono_ms(). */
    void (*step)(void *work);
    int64_t (*due)(const void *work);

    /* Lets it rest: commits what was decided until now and takes it out of library->running. False:
     * the commit failed and the job ended with it. */
    bool (*park)(void *work);

    /* A parked one goes on where it was, as library->running. */
    void (*go_on)(void *work);

    /* Commits and says what came to a parked one. False: the commit failed and the job ended with
     * it. And when there is something to do, in clock_mono_ms(); INT64_MAX: nothing. */
    bool (*tend)(void *work);
    int64_t (*tend_due)(const void *work);

    /* Ends the job with what was decided until now, and frees the work. */
    void (*end)(void *work, enum job_status status, const char *words);

    /* Commits what was decided until now and frees the work: its job is not over. False: the commit
     * failed and the job ended with it. */
    bool (*put_down)(void *work);

    /* The job is over; NULL: nothing follows. */
    void (*ended)(struct library *library, const struct job *job);
};

/* The kind of a job's type. */
const struct work_kind *work_kind_of(enum job_type type);

/* The work of an entry began, as library->running; or is no more. */
void work_began(struct library *library, struct job_entry *entry, void *work);
void work_gone(struct library *library, struct job_entry *entry);

/* Tends the jobs that are parked; after every pool_service. And when there is something to do, in
 * clock_mono_ms(); INT64_MAX: nothing. */
void work_tend_parked(struct library *library);
int64_t work_parked_due(const struct library *library);

#endif
