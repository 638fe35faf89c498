/* plan: what a scan would do, where it was asked to change nothing (dry_run): counted in the job as
 * if it were done, and its first lines listed. Job thread. */
#ifndef REELD_LIBRARY_PLAN_H
#define REELD_LIBRARY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "number_set.h"

#include "reeld/catalog.h"

struct scan;
struct file_task;

/* All zero: nothing yet. */
struct plan {
    struct number_set moved; /* videos that are, or would be, elsewhere or back */
    int64_t *displaced;      /* videos in whose place another one was found; owned */
    size_t n_displaced, cap_displaced;
    size_t lines;
};

/* One line: a file's outcome, or OUTCOME_NONE for a video that would be missing. `from` may be
 * NULL. Counts it as processed, or as missing; `total` is the caller's. */
void plan_add(struct scan *scan, enum outcome outcome, const char *path, const char *from);

/* The video of `place` would be at `path`, instead of number `displaced` (0: none is there). */
void plan_place(struct scan *scan, const struct video_place *place, const char *path,
                int64_t displaced);

/* Whether the scan found the video's file elsewhere than its row said, or back. In a dry run the
 * row still says it. */
bool plan_has_moved(const struct scan *scan, int64_t number);

/* A candidate, which no worker looks into: it would be new or updated. Frees the task. */
void plan_task(struct scan *scan, struct file_task *task);

/* All moves are known: the displaced videos that were found nowhere would be missing. */
void plan_end_walk(struct scan *scan);

void plan_free(struct plan *plan);

#endif
