/* catalog_pictures: which videos have a picture, which are due one, and which cannot have any. A
 * part of the catalogue's door: see catalog.h. The pictures themselves are files (library). */
#ifndef REELD_CATALOG_PICTURES_H
#define REELD_CATALOG_PICTURES_H

#include "reeld/catalog.h"

/* ---- rows ---------------------------------------------------------------------------------- */

/* What a picture is made of, and how far it is. */
struct picture_subject {
    int64_t number;
    char id[ID_TEXT_SIZE];
    char *path; /* owned */
    struct file_stamp stamp;
    int64_t missing_since_ms; /* 0: it is there */
    uint64_t version;
    int32_t thumbnail, thumbnail_width; /* as in struct video */
    enum failure_code failure;          /* THUMBNAIL_FAILED: why, … */
    char error[MEDIA_ERROR_SIZE];       /* … in words */
    char worker_version[64];            /* … and which worker judged so */
};
void picture_subject_clear(struct picture_subject *subject);

struct picture_subjects {
    struct picture_subject *subjects; /* owned */
    size_t count;
};
void picture_subjects_clear(struct picture_subjects *list);

/* Either handle. RL_ENOTFOUND: no video has this id. */
enum rl_err catalog_picture_get(struct catalog *catalog, const char *id,
                                struct picture_subject *out);

/* The next videos that are there and were not looked at for a picture, by number, after the number
 * `after` (0: all); limit 1 to 1000. */
enum rl_err catalog_pictures_pending(struct catalog *catalog, int64_t after, int limit,
                                     struct picture_subjects *out);

/* Likewise those whose picture failed with another worker than this one. */
enum rl_err catalog_pictures_stale(struct catalog *catalog, const char *worker_version,
                                   int64_t after, int limit, struct picture_subjects *out);

/* How many the two would give. Grows with what is pending. */
enum rl_err catalog_pictures_count(struct catalog *catalog, const char *worker_version,
                                   int64_t *out);

/* Whether any is pending. */
enum rl_err catalog_pictures_any(struct catalog *catalog, bool *out);

/* What came of one. */
struct picture_outcome {
    int64_t number;
    uint64_t version;
    int32_t thumbnail;         /* THUMBNAIL_READY or THUMBNAIL_FAILED */
    int32_t width;             /* as it was asked for; of a ready one */
    enum failure_code failure; /* of a failed one, */
    const char *error;         /* in words, */
    const char *worker_version;
};

/* Keeps it, with a sequence number for its VIDEO_UPDATED. *before: the state that it was in.
 * `*out` (may be NULL): the video then, with its subtitle streams. RL_ENOTFOUND, and nothing was
 * changed: the video is gone, has another content by now, or it is known already. To be called
 * between begin and commit. */
enum rl_err catalog_picture_put(struct catalog *catalog, const struct picture_outcome *outcome,
                                int32_t *before, struct video *out);

/* The versions of the videos numbered `from` to `from` + `count` - 1, into out[0 … count-1]; 0:
 * there is no such video. count 1 to 10,000. */
enum rl_err catalog_picture_versions(struct catalog *catalog, int64_t from, int count,
                                     uint64_t *out);

#endif
