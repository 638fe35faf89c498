#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_ROOM "library"
#include "room.h"
#include "scan.h"
#include "stamp.h"
#include "transport.h"
#include "watch.h"

enum {
    FEED_MAX = 64,        /* files in one go, so that replies and commands do not wait */
    HOLD_MS = 50,         /* when descriptors or memory ran out */
    LOOK_AGAIN_MS = 1000, /* at a file that changed while it was read */
    OTHER_MS = 20,        /* at a file that another scan is at */
    SETTLE_TIMES = 5,     /* a file may stay unsettled for so many times settle_ms */
};

void scan_failure_words(enum failure_code code, int error, char out[MEDIA_ERROR_SIZE])
{
    char reason[128];
    if (code == FAILURE_IO_ERROR && error)
        snprintf(out, MEDIA_ERROR_SIZE, "%s: %s", failure_meaning(code),
                 strerror_r(error, reason, sizeof reason));
    else
        snprintf(out, MEDIA_ERROR_SIZE, "%s", failure_meaning(code));
}

const char *scan_path(struct scan *scan, uint32_t directory, const char *name)
{
    struct buf *path = &scan->path;
    buf_clear(path);
    buf_puts(path, scan->folder);
    if (directory) {
        if (path->len == 0 || path->data[path->len - 1] != '/')
            buf_append(path, "/", 1);
        candidates_path(&scan->candidates, directory, path);
    }
    if (path->len == 0 || path->data[path->len - 1] != '/')
        buf_append(path, "/", 1);
    buf_puts(path, name);
    if (path->failed)
        scan->err = RL_ENOMEM;
    return path->failed ? NULL : path->data;
}

/* A file that was gone, or was no video at all, before it was judged: it never counted. */
static void task_drop(struct scan *scan, struct file_task *task)
{
    scan->job->total--;
    scan->unsaid = true;
    free(task);
}

static void task_fail(struct scan *scan, struct file_task *task, enum failure_code code,
                      const char *words)
{
    /* What may be over at the next scan although the file stays as it is, is not remembered. */
    bool passing = code == FAILURE_UNREADABLE || code == FAILURE_IO_ERROR ||
                   code == FAILURE_SETTLING || code == FAILURE_SANDBOX;
    const char *path = scan_path(scan, task->directory, task->name);
    if (path)
        batch_failure(scan, path, passing ? NULL : &task->stamp, code, words);
    free(task);
}

static void task_fail_plainly(struct scan *scan, struct file_task *task, enum failure_code code,
                              int error)
{
    char words[MEDIA_ERROR_SIZE];
    scan_failure_words(code, error, words);
    task_fail(scan, task, code, words);
}

static void task_hold(struct scan *scan, struct file_task *task)
{
    scan->held = task;
    scan->held_until_ms = clock_mono_ms() + HOLD_MS;
}

/* Looks at the file again after `delay_ms`; when it has been unsettled for too long it is listed
 * as such. */
static void task_postpone(struct scan *scan, struct file_task *task, int64_t delay_ms)
{
    int64_t now = clock_mono_ms();
    if (scan->entry->watched) {
        /* Other changes need not wait for it, nor does it end this job later. */
        const char *path = scan_path(scan, task->directory, task->name);
        if (path)
            watch_later(scan->library, path, delay_ms);
        task_drop(scan, task);
        return;
    }
    int64_t limit = scan->library->config.settle_ms * SETTLE_TIMES;
    if (!task->first_ms)
        task->first_ms = now;
    task->looked = true;
    task->due_ms = now + delay_ms;
    if (task->due_ms - task->first_ms > limit || settle_put(&scan->settle, task))
        task_fail_plainly(scan, task, FAILURE_SETTLING, 0);
}

/* How long until a file of this stamp has been quiet for settle_ms; 0: it has. A time in the future
 * says nothing: such a file is given the whole time, once (task->quiet). */
static int64_t unquiet_ms(const struct scan *scan, const struct file_stamp *stamp)
{
    int64_t settle = scan->library->config.settle_ms;
    int64_t age = clock_wall_ms() - stamp->mtime_ns / 1000000;
    if (age >= settle)
        return 0;
    return age < 0 ? settle : settle - age;
}

static void task_ignore(struct scan *scan, struct file_task *task)
{
    const char *path = scan_path(scan, task->directory, task->name);
    if (path)
        batch_ignored(scan, path, &task->stamp);
    task_drop(scan, task);
}

/* The file failed. It is judged, unless it may still be on its way to being whole. */
static void task_judge(struct scan *scan, struct file_task *task, enum failure_code code,
                       const char *words)
{
    int64_t wait = task->quiet ? 0 : unquiet_ms(scan, &task->stamp);
    if (wait > 0 && code != FAILURE_SANDBOX) {
        task_postpone(scan, task, wait);
    } else if (code == FAILURE_NOT_MEDIA && task->text_name && !task->sync_bytes) {
        task_ignore(scan, task);
    } else if (words && *words) {
        task_fail(scan, task, code, words);
    } else {
        task_fail_plainly(scan, task, code, 0);
    }
}

/* What an open that failed means for the file. */
static void task_not_opened(struct scan *scan, struct file_task *task, int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP: /* it became a symbolic link */
        task_drop(scan, task);
        break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        task_hold(scan, task);
        break;
    case EAGAIN: /* another program has a lease on it */
        task_postpone(scan, task, LOOK_AGAIN_MS);
        break;
    case EACCES:
    case EPERM:
        task_fail_plainly(scan, task, FAILURE_UNREADABLE, error);
        break;
    case ENXIO: /* it became a socket */
        task_fail_plainly(scan, task, FAILURE_NOT_A_FILE, error);
        break;
    default:
        task_fail_plainly(scan, task, FAILURE_IO_ERROR, error);
        break;
    }
}

/* Makes scan->directory_fd directory number `directory`; false: errno says why not. */
static bool open_directory(struct scan *scan, uint32_t directory)
{
    if (scan->directory_fd >= 0)
        close(scan->directory_fd);
    struct buf relative = {0};
    buf_puts(&relative, "");
    candidates_path(&scan->candidates, directory, &relative);
    errno = ENOMEM;
    scan->directory_fd =
        relative.failed ? -1 : beneath_open(&scan->root, relative.data, O_PATH | O_DIRECTORY);
    scan->directory = directory;
    int saved = errno;
    buf_free(&relative);
    errno = saved;
    return scan->directory_fd >= 0;
}

/* O_NONBLOCK: a pipe that took the file's place shall not block. O_NOATIME is the owner's right. */
static int open_name(const struct scan *scan, const char *name)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = openat(scan->directory_fd, name, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = openat(scan->directory_fd, name, flags);
    if (fd >= 0 || errno != ELOOP)
        return fd;
    fd = beneath_follow(&scan->root, scan->directory_fd, name, flags | O_NOATIME);
    return fd < 0 && errno == EPERM ? beneath_follow(&scan->root, scan->directory_fd, name, flags)
                                    : fd;
}

static int open_file(struct scan *scan, const struct file_task *task)
{
    bool kept = scan->directory_fd >= 0 && scan->directory == task->directory;
    if (!kept && !open_directory(scan, task->directory))
        return -1;
    int fd = open_name(scan, task->name);
    /* The directory may have been replaced by another of its name since it was opened. */
    if (fd < 0 && errno == ENOENT && kept && open_directory(scan, task->directory))
        fd = open_name(scan, task->name);
    return fd;
}

/* What can be said of the open file without a worker. True: it was, and fd is closed. */
static bool task_plain(struct scan *scan, struct file_task *task, int fd)
{
    unsigned char start[TRANSPORT_LOOK_SIZE];
    ssize_t len = 0;
    task->text_name = transport_name(task->name);
    if (task->text_name)
        len = pread(fd, start, sizeof start, 0);
    int error = len < 0 ? errno : 0;
    enum transport_look look =
        task->text_name && len >= 0 ? transport_look(start, (size_t)len) : TRANSPORT_MAYBE;
    task->sync_bytes = look == TRANSPORT_YES;
    if (!error && look != TRANSPORT_NO && task->stamp.size > 0)
        return false;
    close(fd);
    if (error)
        task_fail_plainly(scan, task, FAILURE_IO_ERROR, error);
    else if (look == TRANSPORT_NO && task->stamp.size > 0)
        task_ignore(scan, task);
    else
        task_judge(scan, task, task->text_name ? FAILURE_NOT_MEDIA : FAILURE_EMPTY, NULL);
    return true;
}

/* Whether a worker has the file already, for another scan: its outcome is waited for. */
static bool task_wait(struct scan *scan, struct file_task *task)
{
    if (!scan_file_elsewhere(scan, task))
        return false;
    task->stale = true;
    task_postpone(scan, task, OTHER_MS);
    known_free(scan->again);
    scan->again = NULL;
    return true;
}

/* Looks at a file: judges it at once, or hands it to a worker. */
static void task_begin(struct scan *scan, struct file_task *task)
{
    struct stat stat;
    int fd = open_file(scan, task);
    if (fd < 0 || fstat(fd, &stat) < 0) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        task_not_opened(scan, task, error);
        return;
    }
    struct file_stamp stamp = stamp_of(&stat);
    bool same = task->looked && stamp_unmoved(&task->stamp, &stamp);
    bool changed = task->looked && !same;
    task->quiet = same;
    task->stamp = stamp;
    if (!S_ISREG(stat.st_mode)) {
        close(fd);
        task_fail_plainly(scan, task, FAILURE_NOT_A_FILE, 0);
        return;
    }
    int64_t wait = changed ? unquiet_ms(scan, &stamp) : 0;
    if (wait > 0) {
        close(fd);
        task_postpone(scan, task, wait);
        return;
    }
    if (task->stale && scan_decided_meanwhile(scan, task)) {
        close(fd);
        return;
    }
    if (task_wait(scan, task)) {
        close(fd);
        return;
    }
    if (task_plain(scan, task, fd))
        return;
    scan->in_flight++;
    scan_file_flies(task);
    char extension[16];
    path_extension(task->name, extension, sizeof extension);
    if (pool_submit(scan->library->pool, fd, extension, POOL_PROBE, (uint64_t)scan->job->number,
                    task)) {
        scan->in_flight--;
        scan_file_landed(task);
        task_hold(scan, task);
    }
}

/* The state of the file at the task's path now. 0, or an errno. */
static int stat_again(struct scan *scan, const struct file_task *task, struct file_stamp *stamp)
{
    struct buf relative = {0};
    candidates_path(&scan->candidates, task->directory, &relative);
    if (relative.len)
        buf_puts(&relative, "/");
    buf_puts(&relative, task->name);
    if (relative.failed)
        return ENOMEM;
    int fd = beneath_open(&scan->root, relative.data, O_PATH);
    struct stat stat;
    int error = fd < 0 || fstat(fd, &stat) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    buf_free(&relative);
    if (!error)
        *stamp = stamp_of(&stat);
    return error;
}

/* Whether it is as it was just now; false: the task was taken. */
static bool task_unmoved(struct scan *scan, struct file_task *task)
{
    struct file_stamp now = task->stamp;
    int error = stat_again(scan, task, &now);
    if (error == ENOENT || error == ENOTDIR || error == ELOOP) {
        task_drop(scan, task);
        return false;
    }
    if (stamp_unmoved(&now, &task->stamp))
        return true;
    int64_t settle = scan->library->config.settle_ms;
    task_postpone(scan, task, settle < LOOK_AGAIN_MS ? settle : LOOK_AGAIN_MS);
    return false;
}

bool scan_file_as_it_was(struct scan *scan, struct file_task *task)
{
    return task_unmoved(scan, task) && !(scan->parked_ms && scan_decided_meanwhile(scan, task));
}

/* Thread: job; called by the pool. */
void scan_file_done(struct library *library, struct pool_result *result)
{
    struct file_task *task = result->tag;
    struct scan *scan = task->scan;
    (void)library;
    scan->in_flight--;
    scan_file_landed(task);
    if (!task_unmoved(scan, task)) {
        media_info_clear(&result->info);
        return;
    }
    if (result->code != FAILURE_NONE) {
        task_judge(scan, task, result->code, result->error);
    } else {
        const char *path = scan_path(scan, task->directory, task->name);
        if (!path || !undecided_take(scan, task, path, &result->info)) {
            if (path)
                batch_video(scan, path, &task->stamp, &result->info);
            free(task);
        }
    }
    media_info_clear(&result->info);
}

/* The next file to look at; NULL: none now, or out of memory. */
static struct file_task *next_task(struct scan *scan, int64_t now_ms)
{
    if (scan->held) {
        struct file_task *held = now_ms >= scan->held_until_ms ? scan->held : NULL;
        scan->held = held ? NULL : scan->held;
        return held;
    }
    if (settle_due(&scan->settle) <= now_ms)
        return settle_take(&scan->settle);
    uint32_t directory;
    const char *name;
    if (!candidates_first(&scan->candidates, &directory, &name))
        return NULL;
    size_t len = strlen(name) + 1;
    struct file_task *task = calloc(1, sizeof *task + len);
    if (!task)
        return NULL;
    task->pool.done = scan_file_done;
    task->scan = scan;
    task->directory = directory;
    task->stale = scan->stale > 0 || scan->library->begun > 1;
    scan->stale -= scan->stale > 0;
    memcpy(task->name, name, len);
    candidates_drop(&scan->candidates);
    return task;
}

bool scan_feed_ready(const struct scan *scan, int64_t now_ms)
{
    if (scan->err || batch_full(&scan->batch) || scan->undecided.full ||
        (!scan->job->dry_run && !pool_has_room(scan->library->pool)))
        return false;
    /* A plan is made when it is known what moved. */
    if (scan->job->dry_run && scan->walk && scan->candidates.bytes < CANDIDATES_BYTES)
        return false;
    if (scan->held)
        return now_ms >= scan->held_until_ms;
    return scan->candidates.count > 0 || settle_due(&scan->settle) <= now_ms;
}

void scan_feed(struct scan *scan)
{
    int64_t now = clock_mono_ms();
    for (int n = 0; n < FEED_MAX && scan_feed_ready(scan, now); n++) {
        struct file_task *task = next_task(scan, now);
        if (!task)
            return;
        if (scan->job->dry_run)
            plan_task(scan, task);
        else
            task_begin(scan, task);
    }
}
