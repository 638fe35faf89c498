/* picture_store: pictures as files below the data directory, named as picture_path says. They can
 * all be made again: nothing is synced, and what is not whole counts as not there. Job thread, but
 * where said. */
#ifndef REELD_LIBRARY_PICTURE_STORE_H
#define REELD_LIBRARY_PICTURE_STORE_H

#include "reeld/library.h"

struct picture_care;

enum { PICTURE_OTHER_WIDTHS = 8 };

struct picture_store {
    const struct library_config *config;
    struct buf path, part;    /* scratch */
    int64_t bytes;            /* of the files, as far as is known */
    uint64_t removed;         /* files, because of the limit */
    char why[JOB_ERROR_SIZE]; /* why the last one could not be kept, in words; empty: it was */
    int32_t other_widths[PICTURE_OTHER_WIDTHS]; /* of an earlier configuration; 0: no more */
    struct picture_care *care;                  /* the pass that is under way, or NULL */
    int64_t care_at_ms; /* clock_mono_ms(): when the next may begin; INT64_MAX: none needed */
};

/* Keeps the bytes: written beside and renamed. RL_EFULL, RL_EPERM, RL_EIO, RL_ENOMEM: store->why
 * says why not. */
enum rl_err picture_store_put(struct picture_store *store, const struct picture_key *key,
                              const void *bytes, size_t len);

bool picture_store_has(const struct picture_store *store, const struct picture_key *key);

/* There are thumbnails of this width. */
void picture_store_width(struct picture_store *store, int32_t width);

/* Removes all that is kept of a version of a video. */
void picture_store_remove(struct picture_store *store, int64_t number, uint64_t version);

void picture_store_free(struct picture_store *store);

/* Any thread: as library_picture_open. */
enum rl_err picture_file_open(const char *data, const struct picture_key *key, int *fd,
                              int64_t *size);

/* ---- picture_care.c: a pass over all files, a few at a time ---------------------------------- */

/* Removes what belongs to no video that is known, or to another state of it, counts the rest, and,
 * where it is more than the limit, removes what was unused for the longest time. Goes on with the
 * pass or begins the one that is due. */
void picture_care_step(struct picture_store *store, struct catalog *catalog);

/* When that has something to do, in clock_mono_ms(); INT64_MAX: nothing. */
int64_t picture_care_due(const struct picture_store *store);

void picture_care_free(struct picture_care *care);

#endif
