/* scan: one running scan job. The walk runs ahead and fills the candidates; files go to the workers
 * while they have room; outcomes are gathered into a batch, and said when it is committed. */
#ifndef REELD_LIBRARY_SCAN_H
#define REELD_LIBRARY_SCAN_H

#include "reeld/library.h"

#include "batch.h"
#include "beneath.h"
#include "candidates.h"
#include "jobs.h"
#include "missing.h"
#include "number_set.h"
#include "origin.h"
#include "plan.h"
#include "scan_round.h"
#include "settle.h"
#include "undecided.h"
#include "walk.h"

struct scan {
    struct library *library;
    struct job_entry *entry;
    struct job *job; /* entry->job: what is committed, and what the walk counted */
    struct beneath root;
    char *folder; /* absolute path of root: job->path, or where the one file lies */
    char *single; /* name of the one file, or NULL */

    struct walk *walk;             /* NULL: it is over */
    struct known_directory *known; /* of the walk's present directory; NULL: not asked yet */
    int64_t walk_after_ms;         /* the walk rests until then */
    struct scan_round round;       /* of a watched root's job */
    bool begun;                    /* something was walked */
    struct known_directory *again; /* of candidates' directory number `again_directory`: what others
                                      decided while it was parked; NULL: not asked yet */
    uint32_t again_directory;

    struct candidates candidates;
    struct candidates late; /* whose names' videos may have moved: after the walk, which tells */
    size_t stale;           /* so many of them, the oldest, were found before it was parked */
    struct settle settle;
    struct undecided undecided;
    struct file_task *held; /* could not be opened or submitted for want of resources */
    int64_t held_until_ms;
    uint32_t in_flight; /* files that the pool has */
    int directory_fd;   /* of directory number `directory`, kept for its other files */
    uint32_t directory;
    struct buf path; /* scratch */

    struct batch batch;
    struct number_set displaced; /* videos taken for missing since others have their names */
    struct plan plan;            /* of a dry run; of any scan, what was found to have moved */
    struct origin_folder old_folder;
    struct missing missing;
    uint64_t unchanged[OUTCOMES]; /* not yet in the statistics */
    bool unsaid;                  /* counters moved since they were last said */
    int64_t said_ms;              /* when that was */
    int64_t deadline_ms;          /* clock_mono_ms(); INT64_MAX: none */
    int64_t parked_ms;            /* when it was parked last */
    enum rl_err err;              /* not RL_OK: the job cannot go on; library->why says why */
};

/* ---- scan.c -------------------------------------------------------------------------------- */

/* What a scan does as a job. */
extern const struct work_kind scan_kind;

/* Says the counters when nothing else did for a while. */
void scan_say_counters(struct scan *scan, int64_t now_ms);

/* Ends the job with what was decided until now, and frees the scan. */
void scan_end(struct scan *scan, enum job_status status, const char *words);

/* ---- scan_park.c --------------------------------------------------------------------------- */

/* As struct work_kind says. */
bool scan_park(void *work);
void scan_go_on(void *work);
bool scan_tend(void *work);

/* Whether another scan decided on the task's file while this one was parked. Then it is counted,
 * and the task is freed. */
bool scan_decided_meanwhile(struct scan *scan, struct file_task *task);

/* A worker is given the task's file; and has it no longer. */
void scan_file_flies(struct file_task *task);
void scan_file_landed(struct file_task *task);

/* Whether a worker has the same file for another scan. */
bool scan_file_elsewhere(const struct scan *scan, const struct file_task *task);

/* ---- scan_walk.c --------------------------------------------------------------------------- */

/* Walks for `budget_ns`, deciding on each entry or making it a candidate. */
void scan_walk(struct scan *scan, int64_t budget_ns);

/* Whether the walk would do something now (it is not over, not resting, and not too far ahead). */
bool scan_walk_ready(const struct scan *scan, int64_t now_ms);

/* ---- scan_file.c --------------------------------------------------------------------------- */

/* Hands files to the workers while they have room. */
void scan_feed(struct scan *scan);

/* Whether scan_feed would do something now. */
bool scan_feed_ready(const struct scan *scan, int64_t now_ms);

/* A worker has answered. */
void scan_file_done(struct library *library, struct pool_result *result);

/* Whether the task's file is as it was when it was looked into, and nobody else decided on it while
 * the scan was parked. False: the task was taken; the file is looked into again, or is done. */
bool scan_file_as_it_was(struct scan *scan, struct file_task *task);

/* Absolute path of `name` in candidates' directory number `directory`; NULL: out of memory. Valid
 * until the next call. */
const char *scan_path(struct scan *scan, uint32_t directory, const char *name);

/* The words for a failure that no worker explained. */
void scan_failure_words(enum failure_code code, int error, char out[MEDIA_ERROR_SIZE]);

#endif
