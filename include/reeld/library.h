/* library: the job thread. It owns the job queue, the walking, the workers and the only writing
 * catalogue handle. The loop talks to it by commands and hears from it by messages. */
#ifndef REELD_LIBRARY_H
#define REELD_LIBRARY_H

#include <stdbool.h>
#include <stdint.h>

#include "reeld/base.h"
#include "reeld/catalog.h"
#include "reeld/events.h"
#include "reeld/ignored_names.h"
#include "reeld/media_picture.h"
#include "reeld/watch_mode.h"
#include "reeld/worker.h"

struct library;

enum {
    PICTURE_WIDTH_USUAL = 320,
    STORYBOARD_TILE_WIDTH = 160,
};

struct library_config {
    const char *const *roots;      /* NULL-terminated real paths; empty: every readable folder */
    const char *const *extensions; /* NULL-terminated, lower case, without dot */
    const enum watch_mode *root_modes; /* of each of `roots` */
    int64_t poll_ms;                   /* between two scans of a root that is polled */
    enum watch_fan_use fanotify;
    uint32_t watch_max;   /* folders that may be watched; 0: half of what the system allows */
    unsigned int keep;    /* set of enum ignored_name that is not to be ignored */
    bool follow_symlinks; /* to files and folders beneath a root, or anywhere without */
    const char *worker_program;
    int workers;
    int64_t file_timeout_ms;  /* for one file */
    int64_t job_timeout_ms;   /* default for a job; 0: none */
    int64_t purge_missing_ms; /* forget what has been missing that long; 0: never */
    int64_t settle_ms; /* a file written to more recently than this is looked at again before it is
                          failed */
    uint64_t worker_memory;       /* bytes of address space; 0: no limit */
    const char *worker_test_mode; /* NULL but in attack tests */
    const char *data;             /* folder below which pictures are kept; NULL: none can be */
    bool thumbnails;              /* they are made in the background, after scans */
    int32_t thumbnail_width;      /* of those; 0: PICTURE_WIDTH_USUAL */
    int64_t pictures_max_bytes;   /* beyond it the longest unused ones go; 0: no limit */
    /* Called from the job thread when messages are waiting after none were. */
    void (*wake)(void *arg);
    void *wake_arg;
};

/* Starts the thread. Takes over `writer` when it succeeds (closed by library_stop). Unfinished jobs
 * of an earlier process are taken up again under their ids. Strings in `config` must outlive the
 * library. */
enum rl_err library_start(const struct library_config *config, struct catalog *writer,
                          struct library **out);

/* Stops within 5 s: the running job goes back to pending with what it has done, workers are ended,
 * the thread is joined, untaken messages freed. After it `wake` is not called again. Not from the
 * job thread. */
void library_stop(struct library *library);

/* ---- commands: any thread, never block. Each is answered by one message with its ticket. ----- */

struct scan_request {
    const char *path; /* a real path beneath a root: from library_resolve */
    bool recursive, retry_failed, dry_run;
    int64_t timeout_ms;         /* -1: the configured default; 0: none */
    const char *correlation_id; /* may be NULL */
};

/* Reply: RL_OK with job_id once the job's row is committed, or RL_EFULL, RL_EIO … with detail.
 * RL_ENOMEM: no reply will come.
 *
 * Where a scan that has walked nothing yet, and is not paused, will do all that is asked (the same
 * or an enclosing one with the same limits), the reply has its id. The other way round, a scan of a
 * folder that waits when one of an enclosing folder is asked for keeps its place and its promise of
 * an end of its own; whichever comes second finds its files unchanged.
 *
 * One scan runs at a time. One that is asked for while others are at it goes ahead of them: the one
 * that runs is parked, with all that it knows, and goes on where it was. One of a single file, or
 * that is not recursive, does so at once, any other when the one that runs has had 2 s in a row.
 * After 5 s, or 16 newcomers, the oldest has its turn of 2 s again, and what of the newcomers is
 * not done by then is in line behind it. At most 4 wait parked; then newcomers are in line too. */
enum rl_err library_scan(struct library *library, uint64_t ticket,
                         const struct scan_request *request);

/* Reply: RL_OK, RL_ENOTFOUND, RL_ECONFLICT (already terminal). OK means asked, not yet done. */
enum rl_err library_cancel(struct library *library, uint64_t ticket, const char *job_id);

/* Lets a pending or running job rest, or go on in its turn. Reply: RL_OK once the row is committed,
 * RL_ENOTFOUND, RL_ECONFLICT (already terminal), RL_EFULL, RL_EIO. A <JOB TYPE>_PROGRESS is
 * published at both; asking again for what is so already changes nothing. A job that rests outlives
 * a restart as such; its time limit does not run. What workers have of it at the moment still comes
 * to its outcome. Its walk is kept in memory for 4 such jobs; beyond that a job rests as pending
 * and walks again, as after a restart. */
enum rl_err library_pause(struct library *library, uint64_t ticket, const char *job_id);
enum rl_err library_resume(struct library *library, uint64_t ticket, const char *job_id);

/* Reply: RL_OK, RL_ENOTFOUND, RL_EFULL, RL_EIO. VIDEO_REMOVED is published. Never touches the media
 * file. */
enum rl_err library_video_delete(struct library *library, uint64_t ticket, const char *video_id,
                                 const char *correlation_id);

/* Forgets the videos that are missing since before `before_ms` (wall clock), each with its
 * VIDEO_REMOVED, a few at a time between other work. Reply, at its end: RL_OK with count. */
enum rl_err library_purge(struct library *library, uint64_t ticket, int64_t before_ms,
                          const char *correlation_id);

/* Takes exactly what a scan of root `number` refused under `token` (job_refusal) for missing, but
 * for files that are back. Reply: RL_OK with count; RL_ENOTFOUND: no such root; RL_ECONFLICT: the
 * token is not of its last scan (a later one found otherwise, or the daemon was restarted). */
enum rl_err library_accept_missing(struct library *library, uint64_t ticket, int64_t number,
                                   const char *token, const char *correlation_id);

/* What is wanted of a video: a form and, of a thumbnail, the width (0: config.thumbnail_width). */
struct picture_wish {
    enum picture_form form;
    int32_t width;
};

/* Has a picture made, ahead of everything else, unless it is there; those who want the same one
 * wait together. Reply: RL_OK: it is there for library_picture_open, or, where it could not be
 * kept, in the message's `picture`. RL_ENOTFOUND: no such video. RL_EINVAL with `failure`: the file
 * cannot give one, or is not there (FAILURE_VANISHED). RL_ECONFLICT: the file has changed since it
 * was scanned. RL_EBUSY: too many are wanted at once. Each with words. */
enum rl_err library_picture(struct library *library, uint64_t ticket, const char *video_id,
                            const struct picture_wish *wish);

/* Opens a picture that is kept; *fd is the caller's. Any thread; one open and few small reads of a
 * local disk. RL_ENOTFOUND: it is not there, or not whole. */
enum rl_err library_picture_open(const struct library *library, const struct picture_key *key,
                                 int *fd, int64_t *size);

/* Adds the folder `path` (a real path that may be scanned) as a root that is kept and followed, or
 * gives the one that was added another mode. Reply: RL_OK with its number as count, negative when
 * it was there; RL_EEXIST: the configuration names it; RL_ECONFLICT: another root holds it or lies
 * in it; RL_EFULL, RL_EIO. */
enum rl_err library_root_add(struct library *library, uint64_t ticket, const char *path,
                             enum watch_mode mode, int64_t poll_ms);

/* Forgets a root; its videos stay as they are. Reply: RL_OK, RL_ENOTFOUND, RL_ECONFLICT (the
 * configuration names it), RL_EFULL, RL_EIO. */
enum rl_err library_root_delete(struct library *library, uint64_t ticket, int64_t number);

/* ---- messages: taken by the loop thread, in the order they were made ----------------------- */

struct library_message {
    struct queue_node node;
    struct event *event; /* an event to publish (one reference, the taker's), or NULL: a reply */
    uint64_t ticket;
    enum rl_err err;
    char job_id[ID_TEXT_SIZE];
    int64_t count;             /* of a purge, or of what was accepted as missing */
    enum failure_code failure; /* of a picture that cannot be made; else FAILURE_NONE */
    struct buf picture;        /* one that could not be kept: its bytes; owned */
    char detail[256];          /* in words, for a reply that is not RL_OK */
};

/* How many events could not be made since the start, for want of memory: clients must be told that
 * there is a gap. Any thread. */
uint64_t library_lost(const struct library *library);

/* All waiting messages, oldest first, linked by node.next; NULL: none. */
struct library_message *library_take(struct library *library);
struct library_message *library_next(struct library_message *message); /* NULL at the end */
void library_message_free(struct library_message *message); /* and its event's reference */

/* ---- questions: any thread, answered from snapshots that are updated before events are published
 * --------- */

/* The job as it is now while it is pending or running. RL_ENOTFOUND: not active (ask the
 * catalogue). */
enum rl_err library_job(struct library *library, const char *id, struct job *out);

/* All active jobs, in the order of their submission; `place` says when each is to run. */
enum rl_err library_jobs(struct library *library, struct job_list *out);

enum { ROOT_WHY_SIZE = 192 };

/* How a root is followed. */
struct root_watch {
    enum watch_mode mode;    /* what was asked for */
    enum watch_mode how;     /* what is done: never WATCH_MODE_AUTO */
    char why[ROOT_WHY_SIZE]; /* in words */
    int64_t poll_ms;         /* between two scans, where it or a part of it is polled */
    uint32_t watches;        /* of its folders */
    bool partly;             /* others of them are polled, since no more watches may be had */
    int64_t event_at_ms;     /* when the kernel last told of a change; 0: never */
};

/* A root as it is now, for GET /roots. */
struct root_state {
    struct root root;
    bool configured; /* named by the configuration; else a folder that was scanned */
    struct root_watch watch;
    struct job_refusal refusal; /* that stands; refusal.root 0: none */
};
struct root_states {
    struct root_state *states; /* owned; by number */
    size_t count;
};
void root_states_clear(struct root_states *states);
enum rl_err library_roots(struct library *library, struct root_states *out);

struct watch_status {
    uint32_t watches, allowed; /* folders */
    uint64_t overflows;        /* times that the kernel's queue was full */
    uint64_t events;
};

struct library_status {
    struct watch_status watch;
    bool database_ok;
    char database_error[128];
    struct pool_status pool;
    uint64_t jobs_finished[JOB_STATUSES];
    uint64_t files[OUTCOMES + 1]; /* by enum outcome, since start */
    uint64_t failures[FAILURES];  /* by enum failure_code, since start */
    uint64_t commits, rows_committed;
    int64_t commit_ns_total;
    uint32_t jobs_pending, jobs_running;
    struct {
        bool ok;         /* the last one that was made could be kept */
        char error[256]; /* else: why not */
        uint64_t made, failed;
        uint64_t removed; /* because of the limit */
        int64_t bytes;    /* that are kept */
        uint32_t wanted;  /* on demand, and not there yet */
    } pictures;
};
void library_status(struct library *library, struct library_status *out);

/* ---- paths: any thread, reads the file system ---------------------------------------------- */

/* The real path of `path` (absolute; symlinks resolved), free() it. RL_ENOTFOUND: no such file or
 * folder; RL_EPERM: outside the roots, or not readable; RL_EINVAL: not absolute, or neither a
 * folder nor a regular file. */
enum rl_err library_resolve(const struct library *library, const char *path, char **real);

/* What the disk and the rules say of a path, whatever the catalogue knows of it. */
enum path_verdict {
    PATH_WANTED,      /* a file that a scan looks into */
    PATH_FOLDER,      /* a folder that a scan walks */
    PATH_OUTSIDE,     /* beneath none of the roots; nothing was looked at */
    PATH_GONE,        /* there is nothing of this name */
    PATH_UNREADABLE,  /* it, or a folder above it, may not be read */
    PATH_IGNORED,     /* passed over: `rule` says by what */
    PATH_NOT_A_VIDEO, /* its extension is not one of those that are looked for */
    PATH_NOT_A_FILE,  /* a pipe, socket or device */
    PATH_LINK,        /* a symbolic link, and those are not followed */
    PATH_SETTLING,    /* wanted, and written to so recently that it may not be whole yet */
};

struct path_explanation {
    enum path_verdict verdict;
    size_t at; /* how much of the path the verdict is about: a folder or link above it, or all */
    char rule[128];  /* PATH_IGNORED: the pattern or built-in name that matched, cut to fit */
    char *rule_file; /* the file that it stands in, or NULL: built in; owned */
    unsigned int rule_line;  /* counted from 1; 0: none */
    struct file_stamp stamp; /* of what is there; all zero: nothing, or it was not looked at */
};
void path_explanation_clear(struct path_explanation *explanation);

/* Nothing is opened but folders and files of rules. RL_EINVAL: not an absolute path without empty
 * steps, "." and ".." (path_tidy); RL_EBUSY: out of descriptors; RL_ENOMEM. */
enum rl_err library_explain(struct library *library, const char *path,
                            struct path_explanation *out);

/* Opens the regular file at `path`, as the catalogue has it, for reading. It is looked for beneath
 * its root as a scan does it: with no symbolic link on the way unless `follow`, and then only one
 * that leads into a root. `roots` and `follow` as in struct library_config. Waits for the disk; no
 * library is needed. PATH_WANTED: *fd is the caller's; else it is -1, and *error the errno, or 0:
 * PATH_OUTSIDE, PATH_GONE, PATH_LINK, PATH_NOT_A_FILE; PATH_UNREADABLE for every other error. */
enum path_verdict library_open_file(const char *const *roots, bool follow, const char *path,
                                    int *fd, int *error);

#endif
