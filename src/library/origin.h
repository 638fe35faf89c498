/* origin: which known video a file is that was found where, or as, none was known: one that moved
 * or came back; never a copy of one that still is where it was. Job thread. */
#ifndef REELD_LIBRARY_ORIGIN_H
#define REELD_LIBRARY_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "reeld/base.h"
#include "reeld/catalog.h"

struct scan;

/* The folder of an old path that was looked at a moment ago: files mostly come folder by folder.
 * All zero: none. */
struct origin_folder {
    struct buf path;
    int64_t until_ms; /* clock_mono_ms(); what was seen is not taken for true any longer */
    bool device_known;
    bool gone;       /* the folder itself is not there */
    uint64_t device; /* of the nearest folder that is there */
};

/* By what a place was found. */
enum origin_by { ORIGIN_BY_STAMP, ORIGIN_BY_CONTENT };

/* Whether the file of a video that is not missing has left place->path. */
typedef bool origin_left(void *ctx, const struct video_place *place);

/* How well a video fits a file that may be its: below ORIGIN_RANKS, lower is better. The one whose
 * path it was, then one of the same name, then any; among these one that is missing before one that
 * has left its place. Pure. */
enum { ORIGIN_RANKS = 6 };
unsigned int origin_rank(const struct video_place *place, const char *path);

/* The one of `places` whose file is at `path` now, or NULL. One that is there at `path` itself
 * rules all others out: then it is known which video the file is. Else the best by origin_rank, and
 * of the lowest number, of those that are missing or have left their place, as `left` says. Pure
 * but for `left`, which is asked no more often than needed. */
const struct video_place *origin_choose(const struct place_list *places, const char *path,
                                        origin_left *left, void *ctx);

/* The video whose file, in the state `stamp`, is at `path` now: the same inode, size and time.
 * RL_OK: *out is the caller's to clear; RL_ENOTFOUND: none; else the catalogue cannot say, and the
 * job cannot go on: scan->err is set. */
enum rl_err origin_by_stamp(struct scan *scan, const char *path, const struct file_stamp *stamp,
                            struct video_place *out);

/* Likewise the one with this content, of which `stamp` gives the size; once all files of the scan
 * are known (undecided.h), since what else is at the video's old place may be that video too. */
enum rl_err origin_by_content(struct scan *scan, const char *path, const struct file_stamp *stamp,
                              uint64_t fingerprint, struct video_place *out);

/* Whether it depends on other files which video the one at `path` is that was looked into: a video
 * with its content may have gone, or what was at `path` before, with another content, may be found
 * elsewhere. False too where the catalogue cannot say, and the job cannot go on. */
bool origin_depends(struct scan *scan, const char *path, const struct file_stamp *stamp,
                    uint64_t fingerprint);

/* The number of the video that is there at `path`, or with `missing_too` also of one that was; 0:
 * there is none, or it cannot be told. */
int64_t origin_number_at(struct scan *scan, const char *path, bool missing_too);

#endif
