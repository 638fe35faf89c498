/* snapshot: what any thread may ask about the jobs and the state of the library. The job thread
 * writes it before it says the same in an event. Every function locks for a moment. */
#ifndef REELD_LIBRARY_SNAPSHOT_H
#define REELD_LIBRARY_SNAPSHOT_H

#include <pthread.h>

#include "reeld/library.h"

struct snapshot {
    pthread_mutex_t lock;
    /* the following fields are protected by lock */
    struct job *jobs; /* owned, in the order in which they run; terminal ones are waiting for a
                         catalogue that can be written again */
    size_t count, cap;
    struct library_status status;
};

void snapshot_init(struct snapshot *snapshot);
void snapshot_free(struct snapshot *snapshot);

/* The job's place among those that wait, from 1; 0: it does not wait. */
int64_t snapshot_place(struct snapshot *snapshot, const char *id);

/* Adds a copy of the job at the end. */
enum rl_err snapshot_add(struct snapshot *snapshot, const struct job *job);

/* Takes over the present state of a job that was added (all but its path). */
void snapshot_update(struct snapshot *snapshot, const struct job *job);

/* The job is over, but the catalogue cannot say so yet: keeps a copy with its failures. */
void snapshot_end(struct snapshot *snapshot, const struct job *job);

/* Forgets it: from now on the catalogue answers for it. */
void snapshot_remove(struct snapshot *snapshot, const char *id);

void snapshot_pool(struct snapshot *snapshot, const struct pool_status *pool);

void snapshot_watch(struct snapshot *snapshot, const struct watch_status *watch);

/* A write to the catalogue succeeded (`error` NULL) or failed. */
void snapshot_database(struct snapshot *snapshot, const char *error);

void snapshot_committed(struct snapshot *snapshot, uint64_t rows, int64_t ns);
void snapshot_counted(struct snapshot *snapshot, enum outcome outcome, enum failure_code code,
                      uint64_t files);
/* What is known of the pictures; `error` NULL or empty: they can be kept. */
void snapshot_pictures(struct snapshot *snapshot, const char *error, int64_t bytes,
                       uint64_t removed, uint32_t wanted);
void snapshot_picture_made(struct snapshot *snapshot, bool made);
void snapshot_finished(struct snapshot *snapshot, enum job_status status);

#endif
