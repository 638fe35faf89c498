/* batch: outcomes that are written in one transaction and said after its commit. Job thread. */
#ifndef REELD_LIBRARY_BATCH_H
#define REELD_LIBRARY_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeld/catalog.h"
#include "reeld/events.h"

struct scan;

/* What became of one file, or of a video that has none any more. */
struct batch_entry {
    char *path; /* owned */
    char video_id[ID_TEXT_SIZE];
    struct event *event;  /* VIDEO_…, made with its row and said after the commit; owned */
    enum outcome outcome; /* OUTCOME_NONE: the video is missing */
    bool withdrawn;       /* it was missing, but is placed again in this batch: nothing is said */
    bool back;            /* the job had counted the video as missing, and does not any more */
    enum failure_code code;
    char *error;    /* owned */
    int64_t number; /* of an updated video whose content is another: … */
    uint64_t stale; /* … the version that it had; 0: it is the same */
};

struct batch {
    struct batch_entry *entries; /* of files that are said one by one */
    size_t count, cap;
    size_t moves;            /* of them that are of videos which moved or are missing */
    size_t rows;             /* written since it was opened */
    int64_t again[FAILURES]; /* remembered failures that were met again, by code: only counted */
    int64_t due_ms;          /* when it is to be committed */
    bool open;               /* a transaction is begun */
};

/* Each writes into the open transaction, which it begins when there is none. A failure to write
 * ends the job: scan->err is set. */

/* What a worker found in the file, which is no known video from elsewhere. Takes over what `info`
 * owns. */
void batch_video(struct scan *scan, const char *path, const struct file_stamp *stamp,
                 struct media_info *info);

/* The file of a known video is at `path` now, moved there or back. Another video that is there
 * is missing until its own file is found. */
void batch_place(struct scan *scan, const struct video_place *place, const char *path,
                 const struct file_stamp *stamp);

/* The video's file is gone: hides it. One that is missing already, or is no more, is left alone. */
void batch_missing(struct scan *scan, int64_t number);

/* A line of a dry run's plan. */
void batch_plan(struct scan *scan, enum outcome outcome, const char *path, const char *from);

/* `stamp` NULL: listed, but not remembered for the next scan. */
void batch_failure(struct scan *scan, const char *path, const struct file_stamp *stamp,
                   enum failure_code code, const char *error);

/* A remembered failure: counted and listed again, not said. */
void batch_again(struct scan *scan, const char *path, enum failure_code code, const char *error);

/* A file that is no video at all: remembered, and neither counted nor said. */
void batch_ignored(struct scan *scan, const char *path, const struct file_stamp *stamp);

/* The folder is on this device; it is added when it is not known. */
void batch_folder(struct scan *scan, const char *path, uint64_t device);

/* Forgets the remembered failure of a file, or of all files of a folder, that are gone. */
void batch_forget(struct scan *scan, const char *path);
void batch_forget_folder(struct scan *scan, int64_t folder);

/* The end of the walk: the job's final total is to be written soon. */
void batch_touch(struct scan *scan);

/* Whether it has reached its size. */
bool batch_full(const struct batch *batch);

/* Commits: the job's counters and the snapshot move, then the events are said. */
void batch_commit(struct scan *scan);

/* Gives up what is not committed. */
void batch_drop(struct scan *scan);

void batch_free(struct batch *batch);

#endif
