/* catalog_identity: which video a file is, wherever it went; which are missing; the roots. A part
 * of the catalogue's door: see catalog.h. All but the reading of roots is the job thread's, and the
 * rules for begin and commit are those of catalog.h. */
#ifndef REELD_CATALOG_IDENTITY_H
#define REELD_CATALOG_IDENTITY_H

#include "reeld/catalog.h"
#include "reeld/watch_mode.h"

/* A video and where its file was seen last. `number` never changes and is never used again. */
struct video_place {
    int64_t number;
    char id[ID_TEXT_SIZE];
    char *path; /* owned */
    struct file_stamp stamp;
    uint64_t folder_device;   /* st_dev of its folder when a walk was there last; 0: never */
    int64_t missing_since_ms; /* 0: it is there */
    int64_t job;              /* that last decided on it, and what it decided */
    enum outcome outcome;
};

struct place_list {
    struct video_place *places; /* owned */
    size_t count;
};
void place_list_clear(struct place_list *list);

enum { PLACES_MAX = 64, CONTENT_PLACES_MAX = 16 };

/* The videos, missing ones too, whose file had this inode, size and mtime; at most PLACES_MAX, the
 * earliest first. The device is not compared: its number may be another after a reboot. */
enum rl_err catalog_places_by_stamp(struct catalog *catalog, const struct file_stamp *stamp,
                                    struct place_list *out);

/* Likewise those with this content, at most CONTENT_PLACES_MAX. fingerprint 0 (not known) finds
 * none. */
enum rl_err catalog_places_by_content(struct catalog *catalog, int64_t size, uint64_t fingerprint,
                                      struct place_list *out);

/* One, by its number. RL_ENOTFOUND. */
enum rl_err catalog_place_get(struct catalog *catalog, int64_t number, struct video_place *out);
void video_place_clear(struct video_place *place);

/* The video's file is at `path` now: moved there, or back. Keeps all that is known of its content,
 * its id and created_at; it is not missing any more; a remembered failure of that path is
 * forgotten. `*out` (may be NULL): as it is then, with its subtitle streams. RL_EEXIST, and nothing
 * was changed: another video is there (set that missing first). RL_ENOTFOUND. */
enum rl_err catalog_video_place(struct catalog *catalog, int64_t number, const char *path,
                                const struct file_stamp *stamp, int64_t job, enum outcome outcome,
                                struct video *out);

/* Its file is gone: hides it and keeps it. `job`: number of the deciding job, 0: none; what it
 * decided is OUTCOME_NONE. RL_ENOTFOUND: no such video, or missing already. */
enum rl_err catalog_video_missing(struct catalog *catalog, int64_t number, int64_t job,
                                  struct video *out);

/* The ids of at most `limit` videos that are missing since before `before_ms`, longest first. */
struct id_list {
    char (*ids)[ID_TEXT_SIZE]; /* owned */
    size_t count;
};
void id_list_clear(struct id_list *list);
enum rl_err catalog_missing_before(struct catalog *catalog, int64_t before_ms, int limit,
                                   struct id_list *out);

/* ---- folders ------------------------------------------------------------------------------- */

/* Keeps the device of a folder that a walk is in; adds the folder when it is not known. */
enum rl_err catalog_folder_device(struct catalog *catalog, const char *path, uint64_t device);

struct known_folder {
    int64_t id;
    char *path; /* owned */
    uint64_t device;
};
struct folder_list {
    struct known_folder *folders; /* owned */
    size_t count;
};
void folder_list_clear(struct folder_list *list);

/* Known folders below `above` (not itself) whose paths come after `after` (NULL: all) in the order
 * of their bytes, at most `limit`. */
enum rl_err catalog_folders_below(struct catalog *catalog, const char *above, const char *after,
                                  int limit, struct folder_list *out);

/* The numbers of the videos that are there in folder `id`; free(*numbers). */
enum rl_err catalog_folder_videos(struct catalog *catalog, int64_t id, int64_t **numbers,
                                  size_t *count);

/* How many videos are there in folder `path` and below. Grows with their number. */
enum rl_err catalog_count_below(struct catalog *catalog, const char *path, int64_t *out);

/* Forgets the remembered failure of a file, or all of a folder's, whose files are gone. */
enum rl_err catalog_failure_forget(struct catalog *catalog, const char *path);
enum rl_err catalog_folder_failures_forget(struct catalog *catalog, int64_t id);

/* ---- roots --------------------------------------------------------------------------------- */

enum { ROOT_REASON_SIZE = 16 };

/* A folder as a whole that may come and go. */
struct root {
    int64_t number;                /* set by catalog_root_put */
    char *path;                    /* owned */
    uint64_t device;               /* st_dev when it was last seen whole; 0: never */
    int64_t scanned_at_ms;         /* when a whole scan of it last ended well; 0: never */
    int64_t offline_since_ms;      /* 0: online */
    bool kept;                     /* somebody asked for it by REST … */
    enum watch_mode mode;          /* … to be followed so, */
    int64_t poll_ms;               /* with so much between two polls; 0: as configured */
    char reason[ROOT_REASON_SIZE]; /* why it is offline: gone, empty, device, many; else empty */
};
struct root_list {
    struct root *roots; /* owned; by number */
    size_t count;
};
void root_list_clear(struct root_list *list);

/* Either handle. */
enum rl_err catalog_roots(struct catalog *catalog, struct root_list *out);

/* Inserts the root at root->path, or writes its present state. */
enum rl_err catalog_root_put(struct catalog *catalog, struct root *root);

/* Forgets the root of this number; its videos stay. */
enum rl_err catalog_root_delete(struct catalog *catalog, int64_t number);

/* ---- a dry run's plan ---------------------------------------------------------------------- */

/* Adds one line to the job's plan: what would become of the file. `outcome` OUTCOME_NONE: it would
 * be missing. `from` may be NULL. */
enum rl_err catalog_job_plan_add(struct catalog *catalog, int64_t job, enum outcome outcome,
                                 const char *path, const char *from);

/* ---- one path: either handle --------------------------------------------------------------- */

/* What the catalogue knows of the file at a path. */
struct path_about {
    char video_id[ID_TEXT_SIZE]; /* empty: no video is or was there */
    int64_t missing_since_ms;    /* 0: it is there */
    struct file_stamp stamp;     /* of the video */
    enum failure_code failure;   /* FAILURE_NONE: none is remembered */
    bool not_media;              /* it was judged to be no video at all, and is not listed */
    struct file_stamp failure_stamp;
    char error[MEDIA_ERROR_SIZE];
};
enum rl_err catalog_path_about(struct catalog *catalog, const char *path, struct path_about *out);

#endif
