/* thumbnails: the job that makes the pictures which are due, one video after the other, while no
 * scan wants its turn. Job thread. */
#ifndef REELD_LIBRARY_THUMBNAILS_H
#define REELD_LIBRARY_THUMBNAILS_H

#include "jobs.h"

struct thumbnails;

extern const struct work_kind thumbnails_kind;

/* A scan is over: what is due a picture now is to get one. */
void thumbnails_after(struct library *library, const struct job *scan);

/* Queues the job where one is wanted, something is due, and none waits or has begun. */
void thumbnails_queue(struct library *library);

/* ---- for pictures_commit --------------------------------------------------------------------- */

/* The job as it is, to be counted on. */
struct job *thumbnails_job(struct thumbnails *work);

/* What came of a group could not be written: library->why says why. */
void thumbnails_failed(struct thumbnails *work, enum rl_err err);

/* The group is written: what was skipped of it is said with the counters. */
void thumbnails_committed(struct thumbnails *work, bool unsaid);

#endif
