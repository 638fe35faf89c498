/* The inside of the watch: watch.c makes jobs of what waits, watch_root.c decides
 * how each root is followed, watch_folders.c which folders are watched, watch_events.c takes what
 * the kernel tells, watch_fs.c asks the system about file systems and limits. */
#ifndef REELD_LIBRARY_WATCH_PRIVATE_H
#define REELD_LIBRARY_WATCH_PRIVATE_H

#include <sys/types.h>

#include "jobs.h"
#include "places.h"
#include "room.h"
#include "root_table.h"
#include "watch.h"
#include "watch_fan.h"
#include "watch_settle.h"
#include "watch_table.h"

enum {
    WATCH_READ_SIZE = 64 << 10,
    WATCH_MOVES = 64, /* halves of moves that wait for their other half */
};

struct watch_root {
    struct library *library;
    struct root_entry *entry;   /* its state is what others see */
    struct watch_node *node;    /* NULL: it is not watched now */
    struct places pending;      /* that its job has not taken yet */
    struct job_entry *job;      /* that takes them, or NULL */
    bool fan;                   /* its folders are followed by fanotify where that is possible */
    bool fan_beyond;            /* for want of watches fanotify tells of some of them */
    bool missed;                /* its last scan came by folders that got no watch */
    bool rescan;                /* it is to be scanned as a whole, … */
    enum job_trigger trigger;   /* … for this reason, … */
    int64_t rescan_at_ms;       /* … from then on */
    char scan_id[ID_TEXT_SIZE]; /* of the last such job */
    int64_t event_at_ms;        /* clock_wall_ms(): when something was last heard of it */
    int64_t poll_at_ms;         /* INT64_MAX: it is not polled */
    dev_t device;               /* of what was at its path when its scan was asked for, … */
    ino_t inode;                /* … 0: nothing */
    uint64_t mounts;            /* of watch_mounts */
};

/* A file or folder that left its place; where it went comes next, if it is watched. */
struct watch_move {
    uint32_t cookie;
    int64_t until_ms;
    char *path;              /* owned; NULL: free */
    struct watch_root *root; /* of the place that it left */
    struct watch_node *node; /* of a folder, or NULL */
};

struct watch {
    struct library *library;
    int fd, mounts_fd;         /* -1: there is none */
    struct watch_fan *fan;     /* or NULL */
    int fan_error;             /* an errno: why there is none */
    size_t n_fan;              /* of the table's folders that it tells of */
    bool remounted;            /* something was mounted or unmounted since that was looked at */
    struct watch_root **roots; /* owned */
    size_t n_roots;
    struct watch_table table;
    struct watch_settle settle;
    struct watch_move moves[WATCH_MOVES];
    size_t n_moves;
    uint32_t allowed;      /* watches */
    int64_t allowed_at_ms; /* when that is asked again */
    int64_t look_at_ms;    /* when roots that are not there are looked for again */
    uint64_t overflows, events;
    struct buf path; /* scratch */
    char buffer[WATCH_READ_SIZE] __attribute__((aligned(8)));
};

/* ---- watch.c ------------------------------------------------------------------------------- */

/* The whole root is to be scanned. */
void watch_rescan(struct watch_root *root, enum job_trigger trigger);

/* ---- watch_root.c -------------------------------------------------------------------------- */

/* Adds to what is said of a root, ROOT_WHY_SIZE bytes. */
void watch_why(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Decides how the root is followed. */
void watch_decide(struct watch *watch, struct watch_root *root);

/* Whether it is polled has changed, or when. */
void watch_tell(struct watch_root *root);

/* Forgets the halves of moves out of the root. */
void watch_moves_drop(struct watch *watch, const struct watch_root *root);

/* ---- watch_events.c ------------------------------------------------------------------------ */

/* Takes what the kernel has to tell, and what is due. */
void watch_events_read(struct watch *watch);
void watch_events_due(struct watch *watch, int64_t now_ms);
int64_t watch_events_next(const struct watch *watch);

/* ---- watch_folders.c ------------------------------------------------------------------------ */

/* The root by which `path` is watched; NULL: none. */
struct watch_root *watch_root_of(const struct watch *watch, const char *path);

/* The table's `left`. */
void watch_node_left(void *watch, struct watch_node *node);

/* ---- watch_fs.c ---------------------------------------------------------------------------- */

/* Half of what the system allows this user, or `most` if that is less (0: no matter). */
uint32_t watch_fs_allowed(uint32_t most);

/* How a root of mode auto is followed; `why` in words, `size` bytes. */
enum watch_mode watch_fs_mode(const char *path, char *why, size_t size);

/* Whether `path` is where a file system is mounted as a whole. */
bool watch_fs_whole(const char *path);

/* A number that is another one when something is mounted at, above or beneath `path`, or not any
 * more. */
uint64_t watch_fs_mounts(const char *path);

#endif
