/* A consistent copy of the catalogue, made beside the work: SQLite's backup API on a connection of
 * its own that stands in one snapshot, so that writers neither wait for it nor make it begin anew.
 * While it stands there the log cannot be emptied: it must not take for ever either. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "private.h"

enum {
    STEP_PAGES = 64,               /* copied between two rests */
    REST_MIN_US = 500,             /* after each step, */
    REST_MAX_US = 50000,           /* otherwise as long as the step took */
    SPARE_BYTES = 4 * 1024 * 1024, /* of disk, and an eighth of the copy: the log grows meanwhile */
};

struct catalog_backup {
    const char *path, *folder;
    void (*wake)(void *arg);
    void *arg;
    pthread_t thread;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    bool cancelled, over;
    enum rl_err err;
    int fd; /* of the copy; -1 */
    int64_t size;
    char why[CATALOG_WHY_SIZE];
};

/* What the thread works with. */
struct copying {
    struct catalog_backup *backup;
    struct catalog *source;
    sqlite3 *target;
    int fd;
    int64_t size;
};

static enum rl_err fail(struct copying *copying, enum rl_err err, const char *what,
                        const char *reason)
{
    snprintf(copying->backup->why, CATALOG_WHY_SIZE, "%s: %s", what, reason);
    return err;
}

/* The job thread's priority for the same reason. Not SCHED_IDLE: SQLite's allocator has one lock
 * for all threads, and one that holds it must come to its end. */
static void lower_priority(void)
{
    struct sched_param param = {0};
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &param);
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
    pthread_setname_np(pthread_self(), "reeld-backup");
}

/* ---- the two ends -------------------------------------------------------------------------- */

static enum rl_err open_source(struct copying *copying)
{
    struct catalog_backup *backup = copying->backup;
    bool begun;
    enum rl_err err = catalog_open(backup->path, CATALOG_READER, &copying->source, backup->why);
    if (err)
        return err;
    struct catalog *source = copying->source;
    catalog_set_budget(source, 0);
    int rc = sqlite3_exec(source->db, "PRAGMA cache_size = -1024", NULL, NULL, NULL);
    err = statement_error(source->db, rc);
    if (!err)
        err = catalog_snapshot_begin(source, &begun);
    if (!err)
        err = catalog_size(source, &copying->size); /* which is what makes it stand somewhere */
    return err ? fail(copying, err, "the catalogue cannot be read", sqlite3_errmsg(source->db))
               : RL_OK;
}

static enum rl_err check_room(struct copying *copying)
{
    struct statvfs info;
    if (statvfs(copying->backup->folder, &info) != 0)
        return fail(copying, RL_EIO, copying->backup->folder, strerror(errno));
    int64_t free_bytes = (int64_t)info.f_bavail * (int64_t)info.f_frsize;
    int64_t needed = copying->size + copying->size / 8 + SPARE_BYTES;
    if (free_bytes >= needed)
        return RL_OK;
    snprintf(copying->backup->why, CATALOG_WHY_SIZE,
             "a copy needs %lld MiB of disk for a while, and the data directory has %lld",
             (long long)(needed >> 20) + 1, (long long)(free_bytes >> 20));
    return RL_EFULL;
}

/* A file without a name goes with its last descriptor, however the process ends. SQLite opens by
 * name, so it has one for a moment. */
static enum rl_err open_target(struct copying *copying)
{
    struct buf name = {0};
    path_join(&name, copying->backup->folder, ".backup-XXXXXX");
    copying->fd = name.failed ? -1 : mkostemp(name.data, O_CLOEXEC);
    int error = name.failed ? ENOMEM : errno;
    int rc = SQLITE_CANTOPEN;
    if (copying->fd >= 0) {
        rc = sqlite3_open_v2(name.data, &copying->target,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        unlink(name.data);
        error = EIO;
    }
    buf_free(&name);
    if (rc != SQLITE_OK)
        return fail(copying, error == ENOSPC || error == EDQUOT ? RL_EFULL : RL_EIO,
                    copying->backup->folder, strerror(error));
    rc = sqlite3_exec(copying->target,
                      "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                      "PRAGMA cache_size = -1024",
                      NULL, NULL, NULL);
    return rc == SQLITE_OK ? RL_OK : fail(copying, RL_EIO, "the copy", sqlite3_errstr(rc));
}

/* ---- copying ------------------------------------------------------------------------------- */

/* Leaves processor and disk to others for as long as it had them. False: cancelled. */
static bool rest(struct catalog_backup *backup, int64_t worked_ns)
{
    int64_t us = worked_ns / 1000;
    us = us < REST_MIN_US ? REST_MIN_US : us > REST_MAX_US ? REST_MAX_US : us;
    int64_t until = clock_mono_ns() + us * 1000;
    const struct timespec when = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    int waited = 0;
    pthread_mutex_lock(&backup->mutex);
    while (!backup->cancelled && waited == 0)
        waited = pthread_cond_timedwait(&backup->changed, &backup->mutex, &when);
    bool cancelled = backup->cancelled;
    pthread_mutex_unlock(&backup->mutex);
    return !cancelled;
}

static enum rl_err copy_pages(struct copying *copying)
{
    sqlite3_backup *api = sqlite3_backup_init(copying->target, "main", copying->source->db, "main");
    int rc = api ? SQLITE_OK : sqlite3_errcode(copying->target);
    bool going = true;
    while (going && (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)) {
        int64_t began_ns = clock_mono_ns();
        rc = sqlite3_backup_step(api, STEP_PAGES);
        going = rc != SQLITE_DONE && rest(copying->backup, clock_mono_ns() - began_ns);
    }
    enum rl_err err = statement_error(copying->target, rc);
    if (api)
        sqlite3_backup_finish(api);
    if (rc != SQLITE_DONE && err == RL_OK)
        return fail(copying, RL_EBUSY, "the copy", "nobody waits for it any more");
    return err ? fail(copying, err, "the copy could not be made", sqlite3_errstr(rc)) : RL_OK;
}

/* The copy says that it has a log beside it, like its source. It has none: so that it can be opened
 * where nothing can be written, its write and read versions become those of a file without (file
 * format, section 1.3.3). */
static enum rl_err finish_copy(struct copying *copying)
{
    static const unsigned char legacy[2] = {1, 1};
    struct stat info;
    sqlite3_close(copying->target);
    copying->target = NULL;
    if (pwrite(copying->fd, legacy, sizeof legacy, 18) != (ssize_t)sizeof legacy ||
        fstat(copying->fd, &info) != 0 || info.st_size != copying->size)
        return fail(copying, RL_EIO, "the copy", "it is not whole");
    return RL_OK;
}

static void *run(void *arg)
{
    struct catalog_backup *backup = arg;
    struct copying copying = {.backup = backup, .fd = -1};
    lower_priority();
    enum rl_err err = open_source(&copying);
    if (!err)
        err = check_room(&copying);
    if (!err)
        err = open_target(&copying);
    if (!err)
        err = copy_pages(&copying);
    if (!err)
        err = finish_copy(&copying);
    sqlite3_close(copying.target);
    catalog_close(copying.source);
    if (err && copying.fd >= 0) {
        close(copying.fd);
        copying.fd = -1;
    }
    pthread_mutex_lock(&backup->mutex);
    backup->err = err;
    backup->fd = copying.fd;
    backup->size = copying.size;
    backup->over = true;
    pthread_mutex_unlock(&backup->mutex);
    backup->wake(backup->arg);
    return NULL;
}

/* ---- the door ------------------------------------------------------------------------------ */

static void init_locks(struct catalog_backup *backup)
{
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&backup->changed, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&backup->mutex, NULL);
}

static void free_all(struct catalog_backup *backup)
{
    if (backup->fd >= 0)
        close(backup->fd);
    pthread_cond_destroy(&backup->changed);
    pthread_mutex_destroy(&backup->mutex);
    free(backup);
}

enum rl_err catalog_backup_start(const char *path, const char *folder, void (*wake)(void *arg),
                                 void *arg, struct catalog_backup **out)
{
    struct catalog_backup *backup = calloc(1, sizeof *backup);
    if (!backup)
        return RL_ENOMEM;
    backup->path = path;
    backup->folder = folder;
    backup->wake = wake;
    backup->arg = arg;
    backup->fd = -1;
    init_locks(backup);
    sigset_t all, before; /* signals are the main thread's business */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int error = pthread_create(&backup->thread, NULL, run, backup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free_all(backup);
        return RL_ENOMEM;
    }
    *out = backup;
    return RL_OK;
}

void catalog_backup_cancel(struct catalog_backup *backup)
{
    pthread_mutex_lock(&backup->mutex);
    backup->cancelled = true;
    pthread_cond_signal(&backup->changed);
    pthread_mutex_unlock(&backup->mutex);
}

bool catalog_backup_over(struct catalog_backup *backup)
{
    pthread_mutex_lock(&backup->mutex);
    bool over = backup->over;
    pthread_mutex_unlock(&backup->mutex);
    return over;
}

enum rl_err catalog_backup_take(struct catalog_backup *backup, int *fd, int64_t *size,
                                const char **why)
{
    pthread_mutex_lock(&backup->mutex);
    enum rl_err err = backup->over ? backup->err : RL_EBUSY;
    *fd = backup->fd;
    *size = backup->size;
    *why = backup->over ? backup->why : "";
    backup->fd = -1;
    pthread_mutex_unlock(&backup->mutex);
    return err;
}

void catalog_backup_free(struct catalog_backup *backup)
{
    if (!backup)
        return;
    catalog_backup_cancel(backup);
    pthread_join(backup->thread, NULL);
    free_all(backup);
}

enum rl_err catalog_size(struct catalog *catalog, int64_t *out)
{
    int64_t pages = 0, page_size = 0;
    catalog_enter(catalog);
    /* Not a kept statement: a backup is asked for seldom. */
    int rc = schema_query(catalog->db, "PRAGMA page_count", &pages);
    if (rc == SQLITE_OK)
        rc = schema_query(catalog->db, "PRAGMA page_size", &page_size);
    *out = pages * page_size;
    return rc == SQLITE_OK ? RL_OK
                           : catalog_fail(catalog, statement_error(catalog->db, rc), "%s",
                                          sqlite3_errmsg(catalog->db));
}
