/* thumbnails_work: the thumbnails job from the inside, shared by the files that are it. Job thread.
 */
#ifndef REELD_LIBRARY_THUMBNAILS_WORK_H
#define REELD_LIBRARY_THUMBNAILS_WORK_H

#include "number_set.h"
#include "thumbnails.h"

enum {
    THUMBNAILS_AGAIN_MS = 3000
}; /* until something that memory was wanting for is tried again */

/* First what was never looked at, then what another worker could not do. */
enum stage { STAGE_PENDING, STAGE_STALE, STAGE_DONE };

struct thumbnails {
    struct library *library;
    struct job_entry *entry;
    struct job *job;
    bool begun;
    enum stage stage;
    int64_t after; /* number of the last subject that was taken */
    struct picture_subjects page;
    size_t at;                /* of the page */
    struct number_set passed; /* that stay due though this job has looked at them */
    uint32_t in_flight;
    int64_t wait_ms; /* rests until then */
    bool again;      /* begins from the first one that is due, once nothing is on its way */
    bool unsaid;     /* counters moved since they were last said */
    int64_t said_ms; /* when that was */
    enum rl_err err; /* not RL_OK: the job cannot go on; library->why says why */
};

/* ---- thumbnails_feed.c ----------------------------------------------------------------------- */

/* Hands out files, as many as the workers have room for and a turn of the thread allows. */
void thumbnails_feed(struct thumbnails *work);

/* Whether it would hand out one now. */
bool thumbnails_feed_ready(const struct thumbnails *work, int64_t now_ms);

/* What the workers have of it is given up: no result will come. */
void thumbnails_give_up(struct thumbnails *work);

#endif
