/* catalog: videos, jobs and failures in one SQLite file. The only room that knows SQL. It includes
 * no SQLite type here, so that another store can stand in.
 *
 * A handle belongs to one thread. The job thread has the one writer; the loop thread has a reader,
 * whose every call is one bounded query: past its budget it returns RL_EBUSY. */
#ifndef REELD_CATALOG_H
#define REELD_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeld/base.h"
#include "reeld/media_info.h"
#include "reeld/vocabulary.h"

struct catalog;

enum { CATALOG_WHY_SIZE = 1024, CATALOG_ID_SIZE = 16, CORRELATION_SIZE = 65 };

enum catalog_mode { CATALOG_WRITER, CATALOG_READER };

/* ---- records ------------------------------------------------------------------------------- */

/* What identifies the state of a file on disk. */
struct file_stamp {
    int64_t size, mtime_ns;
    uint64_t device, inode;
};

enum thumbnail_state { THUMBNAIL_PENDING, THUMBNAIL_READY, THUMBNAIL_FAILED };

struct video {
    int64_t number; /* inside; never changes and is never used again */
    char id[ID_TEXT_SIZE];
    char *path; /* absolute, bytes as on disk; owned */
    struct file_stamp stamp;
    int64_t created_at_ms, updated_at_ms;
    int64_t missing_since_ms; /* 0: it is there */
    int64_t sequence;         /* of its last change */
    uint64_t version;         /* of its content: what is made of it is known by this */
    int32_t thumbnail;        /* enum thumbnail_state */
    int32_t thumbnail_width;  /* of the one that is ready, as it was asked for; else 0 */
    struct media_info
        info; /* owned. From catalog_videos: streams holds the subtitle streams only */
};

void video_clear(struct video *video); /* frees what it owns and empties it */

struct job_failure {
    char *path; /* bytes; owned */
    enum failure_code code;
    char *error; /* UTF-8; owned */
};

/* What a dry run would have done with one file; the first JOB_RESULT_ERRORS_MAX are kept. */
struct job_plan_line {
    enum outcome outcome; /* OUTCOME_NONE: it would be missing */
    char *path;           /* bytes; owned */
    char *from;           /* where it was before, or NULL; owned */
};

/* That a scan found a root as it cannot be, and took no file of it for missing (contract §4.7). */
struct job_refusal {
    int64_t root;             /* its number; 0: nothing was refused */
    int64_t count;            /* videos that would have been missing */
    char reason[16];          /* as struct root.reason */
    char token[ID_TEXT_SIZE]; /* with which they may be accepted as missing all the same */
};

enum { JOB_RESULT_ERRORS_MAX = 1000, JOB_ERROR_SIZE = 256 };

/* How a job waits for its turn; known to the library alone. */
enum job_rank {
    JOB_RANK_NONE,  /* it does not: it runs, rests (paused) or is over */
    JOB_RANK_AHEAD, /* asked for while others ran: before those in line */
    JOB_RANK_LINE,  /* in the order of submission */
    JOB_RANK_LAST,  /* when nothing else waits */
    JOB_RANKS
};

struct job {
    char id[ID_TEXT_SIZE];
    int64_t number; /* counts up with submission; set by catalog_job_insert */
    enum job_type type;
    enum job_status status;
    enum job_phase phase;
    enum job_trigger trigger;
    char *path; /* absolute, bytes; owned */
    bool recursive, retry_failed, paused;
    bool dry_run;       /* it says what it would do, and changes nothing */
    bool total_known;   /* the walk is over: `total` is final */
    int64_t timeout_ms; /* 0: none */
    int64_t processed, total;
    int64_t added, updated, moved, skipped, missing, error_count; /* `added` is "new" outside */
    enum job_rank rank;                                           /* not kept in the catalogue */
    int64_t place; /* among the jobs that wait, 1: the next to run; 0: it does not wait, or that is
                      not known. From library_job and library_jobs only */
    double progress_floor; /* progress said before a restart, below which it may not fall again */
    int64_t submitted_at_ms, started_at_ms, finished_at_ms; /* 0: not yet */
    char error[JOB_ERROR_SIZE];            /* why it failed or timed out; empty: no error */
    char correlation_id[CORRELATION_SIZE]; /* of the request that caused it; may be empty */
    struct job_refusal refusal;
    struct job_failure *failures; /* owned; only where said */
    size_t n_failures;
    struct job_plan_line *plan; /* of a dry run that is over; owned; likewise */
    size_t n_plan;
};

void job_plan_free(struct job_plan_line *plan, size_t count);
void job_clear(struct job *job); /* frees what it owns and empties it */
enum rl_err job_copy(struct job *out, const struct job *from); /* deep */

/* ---- opening ------------------------------------------------------------------------------- */

/* Opens the catalogue file at `path`; the writer creates it and brings its schema up to date (after
 * a copy of the file beside it). On failure `why` says in words what is wrong and what to do.
 * RL_EVERSION: a newer program made it. */
enum rl_err catalog_open(const char *path, enum catalog_mode mode, struct catalog **out,
                         char why[CATALOG_WHY_SIZE]);
void catalog_close(struct catalog *catalog);

/* The catalogue's id: the first part of every event_id; made once with the file. */
const char *catalog_id(const struct catalog *catalog);

/* The last committed sequence number that this handle can see, into `out`. */
enum rl_err catalog_sequence(struct catalog *catalog, int64_t *out);

/* How many transactions this process has committed, to any catalogue. While it stays, all that was
 * read after it was asked for still holds, and need not be read again. Any thread. */
uint64_t catalog_commits(void);

/* What went wrong in the last call that failed, in words; valid until the next call. */
const char *catalog_error(const struct catalog *catalog);

/* ---- writing: the job thread --------------------------------------------------------------- */

/* Every function below that writes must stand between begin and commit. A commit makes all of it
 * and the sequence numbers it used durable, or none (then the transaction is rolled back, RL_EFULL
 * when the disk is full). A write that fails for want of memory, room or a sound disk takes the
 * transaction back at once: what follows, and the commit, return the same error. A write refused
 * with RL_EINVAL for a malformed path or record, or with RL_ENOTFOUND, has changed nothing. */
enum rl_err catalog_begin(struct catalog *catalog);
enum rl_err catalog_commit(struct catalog *catalog);
void catalog_rollback(struct catalog *catalog);

/* The next sequence number, for a durable event of this transaction. Never given twice once
 * committed. */
int64_t catalog_next_sequence(struct catalog *catalog);

/* What the catalogue knows of the files of one directory, for the unchanged test: sorted by name
 * (strcmp), names owned by the list. */
struct known_file {
    const char *name;
    struct file_stamp stamp;
    enum failure_code failure; /* not FAILURE_NONE: it failed with this stamp */
    const char *error;         /* the failure's words, or NULL */
    bool failure_stale;        /* another worker version judged it: try it again */
    int64_t job; /* number of the job that last decided on it; 0: see catalog_ignored_put */
    enum outcome outcome; /* what that job decided */
    int64_t number;       /* of the video; 0: there is none, only a failure */
};

struct known_directory; /* owned by the caller */

/* One query. `directory` is an absolute path (bytes). A directory that is not known gives an empty
 * list. A missing video is not in it: its file, when it is back, is put anew and keeps its id.
 * Where a file failed after it was indexed, its failure is in the list. `worker_version`: failures
 * judged by another are marked stale. */
enum rl_err catalog_known(struct catalog *catalog, const char *directory,
                          const char *worker_version, struct known_directory **out);
const struct known_file *known_find(const struct known_directory *known, const char *name);

/* Notes that the file is in the listing of its directory; and the next one from *at on (0 first)
 * that was not noted, NULL at the end. */
void known_mark(struct known_directory *known, const struct known_file *file);
const struct known_file *known_unmarked(const struct known_directory *known, size_t *at);

/* The directory's id in the catalogue (0: it is not known) and the device that it was on. */
int64_t known_id(const struct known_directory *known);
uint64_t known_device(const struct known_directory *known);

void known_free(struct known_directory *known);

/* Inserts the video at video->path, or replaces what is known of it (streams, chapters and search
 * index too) and forgets a remembered failure of that path.
 *   in:  path, stamp, info;  `job`: number of the deciding job.
 *   out: number, id, created_at_ms, updated_at_ms, sequence, version, thumbnail and its width,
 * which stay where the content is the same; *outcome = OUTCOME_NEW or OUTCOME_UPDATED. */
enum rl_err catalog_video_put(struct catalog *catalog, struct video *video, int64_t job,
                              enum outcome *outcome);

/* Forgets a video; `*out` (may be NULL) receives what it was, with the sequence of its removal. */
enum rl_err catalog_video_delete(struct catalog *catalog, const char *id, struct video *out);

/* Remembers that the file at `path` with `stamp` failed, and lists it among the job's failures.
 * `job` as in struct job.number. A video that is in the catalogue under that path stays as it was.
 */
enum rl_err catalog_failure_put(struct catalog *catalog, const char *path,
                                const struct file_stamp *stamp, const char *worker_version,
                                enum failure_code code, const char *error, int64_t job);

/* Lists a failure of the job without remembering it for the next scan (an unreadable directory, a
 * file still settling, a remembered failure met again). */
enum rl_err catalog_job_failure_add(struct catalog *catalog, int64_t job, const char *path,
                                    enum failure_code code, const char *error);

/* Remembers that the file at `path` with `stamp` is no video at all although its name could be
 * one's (a TypeScript source is also called .ts): it is no failure of any job. catalog_known gives
 * it with FAILURE_NOT_MEDIA and job 0. */
enum rl_err catalog_ignored_put(struct catalog *catalog, const char *path,
                                const struct file_stamp *stamp, const char *worker_version);

/* Empties a job's list of failures (a job that is taken up again lists them anew). */
enum rl_err catalog_job_failures_clear(struct catalog *catalog, int64_t job);

/* Inserts a job (sets `number`), or writes its present state. */
enum rl_err catalog_job_insert(struct catalog *catalog, struct job *job);
enum rl_err catalog_job_update(struct catalog *catalog, const struct job *job);

/* Forgets the jobs shortly before this one that came to no change and to the failures that this one
 * lists too, none of which they met first, if they are of its path, type and trigger and completed
 * before `before_ms` (clock_wall_ms). */
enum rl_err catalog_jobs_forget_same(struct catalog *catalog, const struct job *job,
                                     int64_t before_ms);

/* ---- reading: either handle ---------------------------------------------------------------- */

/* One job; with its first JOB_RESULT_ERRORS_MAX failures where it is terminal. */
enum rl_err catalog_job_get(struct catalog *catalog, const char *id, struct job *out);

struct job_list {
    struct job *jobs; /* owned */
    size_t count;
    bool more; /* the limit left out further ones */
};
void job_list_clear(struct job_list *list);

/* Jobs, newest first, without their failures. -1 for status or type: any. `before`: only those with
 * a lower number, 1 or more; 0: from the newest. limit 1 to 1000. */
enum rl_err catalog_jobs(struct catalog *catalog, int status, int type, int64_t before, int limit,
                         struct job_list *out);

/* Jobs that are pending or running, oldest first. */
enum rl_err catalog_jobs_unfinished(struct catalog *catalog, struct job_list *out);

/* A page of a job's failures in the order they came: `limit` of them after the first `offset`. The
 * total is the job's error_count. */
enum rl_err catalog_job_failures(struct catalog *catalog, int64_t job, int64_t offset, int limit,
                                 struct job_failure **out, size_t *count);
void job_failures_free(struct job_failure *failures, size_t count);

/* One video with every stream and chapter. */
enum rl_err catalog_video_get(struct catalog *catalog, const char *id, struct video *out);

/* The same for the video at a path (bytes). RL_ENOTFOUND: none is known there. */
enum rl_err catalog_video_at(struct catalog *catalog, const char *path, struct video *out);

/* One entry of the change feed: a video as it is now, or that it was removed. */
struct change {
    int64_t sequence; /* of its last change, or of its removal */
    bool removed;     /* then only `id` is known */
    char id[ID_TEXT_SIZE];
    struct video video; /* owned; as in a page */
};

struct change_list {
    struct change *changes; /* owned; by sequence */
    size_t count;
    bool more;        /* `limit` ended it */
    int64_t sequence; /* the last one given when it was read */
};
void change_list_clear(struct change_list *list);

/* The videos that changed after `since` (0: all), missing ones too, and those removed after it, in
 * the order of their last change; in one snapshot. limit 1 to 1000. */
enum rl_err catalog_changes(struct catalog *catalog, int64_t since, int limit,
                            struct change_list *out);

#include "reeld/catalog_find.h"
#include "reeld/catalog_identity.h"
#include "reeld/catalog_pictures.h"

/* ---- copying: any thread ------------------------------------------------------------------- */

struct catalog_backup;

/* Begins to copy the catalogue at `path`, as it is now, to a file without a name in `folder`; on a
 * thread of its own that rests as long as it works. `wake` is called once, from that thread, when
 * it is over. Strings must outlive it. RL_ENOMEM: nothing was begun. */
enum rl_err catalog_backup_start(const char *path, const char *folder, void (*wake)(void *arg),
                                 void *arg, struct catalog_backup **out);

/* Has it end soon; does not wait. */
void catalog_backup_cancel(struct catalog_backup *backup);

bool catalog_backup_over(struct catalog_backup *backup);

/* Once it is over: RL_OK, and the whole copy of `size` bytes is the caller's (closing *fd frees the
 * disk), to be taken once; or why there is none, in words too, which last as long as `backup`:
 * RL_EFULL (no room), RL_EIO, … RL_EBUSY while it is under way, and where it was cancelled. */
enum rl_err catalog_backup_take(struct catalog_backup *backup, int *fd, int64_t *size,
                                const char **why);

/* Frees it and a copy that was not taken. Where it is under way it is cancelled, and this waits for
 * the quarter of a MiB that it is at. NULL is allowed. */
void catalog_backup_free(struct catalog_backup *backup);

/* How many bytes a copy made now would have. A handle's thread. */
enum rl_err catalog_size(struct catalog *catalog, int64_t *out);

/* Whether the catalogue answers at all, for /health/ready. */
enum rl_err catalog_ping(struct catalog *catalog);

#endif
