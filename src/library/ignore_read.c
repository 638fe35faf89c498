#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_ROOM "library"
#include "ignore_read.h"

static enum rl_err resources(int error)
{
    return error == ENOMEM ? RL_ENOMEM : error == EMFILE || error == ENFILE ? RL_EBUSY : RL_OK;
}

/* Up to IGNORE_FILE_MAX bytes and one more. 0, or an errno. */
static int read_bytes(int fd, struct buf *out)
{
    ssize_t got = 1;
    if (!buf_reserve(out, IGNORE_FILE_MAX + 1))
        return ENOMEM;
    while (got > 0 && out->len <= IGNORE_FILE_MAX) {
        got = read(fd, out->data + out->len, IGNORE_FILE_MAX + 1 - out->len);
        if (got < 0 && errno != EINTR)
            return errno;
        if (got < 0)
            got = 1;
        else
            out->len += (size_t)got;
    }
    return 0;
}

/* A line that was cut off would be another rule. */
static bool cut(struct buf *bytes)
{
    if (bytes->len <= IGNORE_FILE_MAX)
        return false;
    size_t len = IGNORE_FILE_MAX;
    while (len > 0 && bytes->data[len - 1] != '\n')
        len--;
    bytes->len = len;
    return true;
}

static enum rl_err take_file(struct ignore *ignore, int fd, const char *path, int len)
{
    struct buf bytes = {0};
    int error = read_bytes(fd, &bytes);
    enum rl_err err = error ? resources(error) : RL_OK;
    if (error && !err)
        log_warn("%.*s/" IGNORE_RULES_FILE " cannot be read, and its rules do not hold: %s", len,
                 path, strerrordesc_np(error));
    if (!error) {
        bool too_long = cut(&bytes);
        err = ignore_add(ignore, bytes.data, bytes.len);
        if (too_long || err == RL_EFULL)
            log_warn("%.*s/" IGNORE_RULES_FILE " is too long: at most %d bytes and %d rules of a "
                     "file hold, and %d bytes of all in one folder; the rest is left out",
                     len, path, IGNORE_FILE_MAX, IGNORE_RULES_MAX, IGNORE_TEXT_MAX);
        err = err == RL_EFULL ? RL_OK : err;
    }
    buf_free(&bytes);
    return err;
}

enum rl_err ignore_read(struct ignore *ignore, int dir, const char *path, size_t len)
{
    int fd = openat(dir, IGNORE_RULES_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int error = fd < 0 ? errno : 0;
    if (error == EACCES || error == EPERM || error == EIO)
        log_warn("%.*s/" IGNORE_RULES_FILE " cannot be read, and its rules do not hold: %s",
                 (int)len, path, strerrordesc_np(error));
    if (fd < 0)
        return resources(error);
    struct stat stat;
    enum rl_err err = RL_OK;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode))
        err = take_file(ignore, fd, path, (int)len);
    close(fd);
    return err;
}

/* What the present folder, open as `dir`, says of itself. */
static enum rl_err look_around(struct ignore *ignore, const struct ignore_way *way, int dir,
                               size_t len, struct ignore_reason *reason)
{
    struct stat stat;
    if (reason->why == IGNORE_NOT && !(way->keep & IGNORED_NOMEDIA) &&
        fstatat(dir, IGNORE_ALL_FILE, &stat, AT_SYMLINK_NOFOLLOW) == 0)
        *reason = (struct ignore_reason){.why = IGNORE_BY_ALL_FILE, .len = len};
    return way->keep & IGNORED_RULES ? RL_OK : ignore_read(ignore, dir, way->path, len);
}

static enum rl_err judge(struct ignore *ignore, const struct ignore_way *way, const char *name,
                         bool directory, struct ignore_reason *reason)
{
    enum rl_err err = ignore_judge(ignore, name, directory, &reason->verdict);
    reason->name = ignore_name(way->keep, name);
    if (reason->name)
        reason->why = IGNORE_BY_NAME;
    else if (!err && reason->verdict.ignored)
        reason->why = IGNORE_BY_RULE;
    return err;
}

/* Opens the folder `name` of `dir` in the place of it. */
static enum rl_err descend(int *dir, const char *name, const struct beneath *links)
{
    const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int next = openat(*dir, name, flags);
    if (next < 0 && links && (errno == ENOTDIR || errno == ELOOP))
        next = beneath_follow(links, *dir, name, flags);
    enum rl_err err = next < 0 ? resources(errno) : RL_OK;
    if (next < 0)
        return err ? err : RL_ENOTFOUND;
    close(*dir);
    *dir = next;
    return RL_OK;
}

enum rl_err ignore_read_above(struct ignore *ignore, const struct ignore_way *way,
                              struct ignore_reason *reason)
{
    *reason = (struct ignore_reason){.why = IGNORE_NOT};
    int dir = open(way->top, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return resources(errno) ? resources(errno) : RL_ENOTFOUND;
    enum rl_err err = RL_OK;
    struct buf name = {0};
    size_t from = strlen(way->from), at = strlen(way->top);
    for (;;) {
        size_t len = at;
        at += strspn(way->path + at, "/");
        size_t name_len = strcspn(way->path + at, "/");
        if (name_len == 0)
            break;
        err = look_around(ignore, way, dir, len, reason);
        buf_clear(&name);
        buf_append(&name, way->path + at, name_len);
        at += name_len;
        bool last = way->path[at] == '\0';
        if (!err && name.failed)
            err = RL_ENOMEM;
        if (!err && at > from && reason->why == IGNORE_NOT) {
            err = judge(ignore, way, name.data, !last || way->directory, reason);
            reason->len = at;
        }
        if (!err)
            err = ignore_enter(ignore, name.data);
        if (!err && !last)
            err = descend(&dir, name.data, way->links);
        if (err || last)
            break;
    }
    buf_free(&name);
    close(dir);
    return err;
}
