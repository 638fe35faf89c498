#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_ROOM "library"
#include "picture_store.h"

/* The file that is being written: one at a time. */
static const char part_name[] = "pictures/part";

static const char *full_path(struct buf *out, const struct picture_store *store, const char *path)
{
    buf_clear(out);
    path_join(out, store->config->data ? store->config->data : "", path);
    return out->failed ? NULL : out->data;
}

static enum rl_err errno_meaning(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return RL_EFULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return RL_EPERM;
    case ENOMEM:
        return RL_ENOMEM;
    default:
        return RL_EIO;
    }
}

static int write_all(int fd, const void *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, (const char *)bytes + at, len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        at += (size_t)n;
    }
    return 0;
}

/* Makes the folder that the file at `path` is to lie in. 0, or an errno. */
static int make_folder(char *path)
{
    char *slash = strrchr(path, '/');
    *slash = '\0';
    int error = mkdir(path, 0700) < 0 && errno != EEXIST ? errno : 0;
    *slash = '/';
    return error;
}

/* Somebody may have removed the folders, the data directory too, at any time. */
static int open_part(struct picture_store *store)
{
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
    char *part = store->part.data;
    int fd = open(part, flags, 0600);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    char *pictures = strrchr(part, '/');
    *pictures = '\0';
    int error = make_folder(part);
    *pictures = '/';
    if (!error)
        error = make_folder(part);
    errno = error;
    store->bytes = 0;
    return error ? -1 : open(part, flags, 0600);
}

/* 0, or an errno. */
static int put(struct picture_store *store, const void *bytes, size_t len)
{
    char *part = store->part.data, *path = store->path.data;
    int fd = open_part(store);
    if (fd < 0)
        return errno;
    int error = write_all(fd, bytes, len);
    if (close(fd) < 0 && !error)
        error = errno;
    struct stat before;
    int64_t more = (int64_t)len;
    if (!error && stat(path, &before) == 0)
        more -= before.st_size;
    if (!error && rename(part, path) < 0) {
        error = errno == ENOENT ? make_folder(path) : errno;
        if (!error && rename(part, path) < 0)
            error = errno;
    }
    if (error)
        unlink(part);
    else
        store->bytes += more;
    return error;
}

static void note(struct picture_store *store, int error)
{
    char reason[128], why[sizeof store->why];
    why[0] = '\0';
    if (error)
        snprintf(why, sizeof why, "pictures cannot be kept in %.100s: %s",
                 store->config->data ? store->config->data : "(none)",
                 strerror_r(error, reason, sizeof reason));
    if (strcmp(why, store->why) == 0)
        return;
    memcpy(store->why, why, sizeof why);
    if (error)
        log_error("%s", why);
    else
        log_info("pictures can be kept again");
}

enum rl_err picture_store_put(struct picture_store *store, const struct picture_key *key,
                              const void *bytes, size_t len)
{
    char path[PICTURE_PATH_SIZE];
    picture_path(key, path);
    bool named = full_path(&store->path, store, path) && full_path(&store->part, store, part_name);
    int error = !store->config->data ? ENOENT : !named ? ENOMEM : put(store, bytes, len);
    note(store, error);
    int64_t limit = store->config->pictures_max_bytes;
    if (limit > 0 && store->bytes > limit && store->care_at_ms == INT64_MAX)
        store->care_at_ms = 0;
    return error ? errno_meaning(error) : RL_OK;
}

bool picture_store_has(const struct picture_store *store, const struct picture_key *key)
{
    int fd;
    int64_t size;
    if (!store->config->data || picture_file_open(store->config->data, key, &fd, &size))
        return false;
    close(fd);
    return true;
}

/* The steps that the server rounds widths up to. */
static const int32_t steps[] = {160, 320, 640, 960, 1280};
enum { STEPS = sizeof steps / sizeof *steps };

void picture_store_width(struct picture_store *store, int32_t width)
{
    int at = 0;
    while (at < STEPS && steps[at] != width)
        at++;
    if (at < STEPS)
        return;
    for (at = 0; at < PICTURE_OTHER_WIDTHS && store->other_widths[at]; at++) {
        if (store->other_widths[at] == width)
            return;
    }
    if (at < PICTURE_OTHER_WIDTHS)
        store->other_widths[at] = width;
}

static void remove_one(struct picture_store *store, const struct picture_key *key)
{
    struct stat stat_buf;
    char name[PICTURE_PATH_SIZE];
    picture_path(key, name);
    const char *path = full_path(&store->path, store, name);
    if (path && stat(path, &stat_buf) == 0 && unlink(path) == 0)
        store->bytes -= stat_buf.st_size;
}

void picture_store_remove(struct picture_store *store, int64_t number, uint64_t version)
{
    struct picture_key key = {.number = number, .version = version};
    if (!store->config->data)
        return;
    picture_store_width(store, store->config->thumbnail_width);
    for (int i = 0; i < STEPS; i++) {
        key.width = steps[i];
        remove_one(store, &key);
    }
    for (int i = 0; i < PICTURE_OTHER_WIDTHS && store->other_widths[i]; i++) {
        key.width = store->other_widths[i];
        remove_one(store, &key);
    }
    key.width = 0;
    key.form = PICTURE_FORM_STORYBOARD;
    remove_one(store, &key);
    key.form = PICTURE_FORM_STORYBOARD_INDEX;
    remove_one(store, &key);
}

void picture_store_free(struct picture_store *store)
{
    picture_care_free(store->care);
    buf_free(&store->path);
    buf_free(&store->part);
}

/* ---- any thread ---------------------------------------------------------------------------- */

/* After a power cut a file may be there without its end: a JPEG ends with EOI (ITU-T T.81 B.1.1.3),
 * an index with a line. */
static bool is_whole(int fd, enum picture_form form, int64_t size)
{
    unsigned char end[2];
    if (size < 4 || pread(fd, end, sizeof end, size - 2) != sizeof end)
        return false;
    return form == PICTURE_FORM_STORYBOARD_INDEX ? end[1] == '\n'
                                                 : end[0] == 0xff && end[1] == 0xd9;
}

/* That it was used, for the choice of what goes first; whatever the file system is mounted with. */
static void touch(int fd, const struct stat *stat_buf)
{
    enum { SECONDS = 60 };
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec - stat_buf->st_atim.tv_sec < SECONDS && now.tv_sec >= stat_buf->st_atim.tv_sec)
        return;
    const struct timespec times[2] = {now, {.tv_nsec = UTIME_OMIT}};
    futimens(fd, times);
}

enum rl_err picture_file_open(const char *data, const struct picture_key *key, int *fd,
                              int64_t *size)
{
    char name[PICTURE_PATH_SIZE];
    struct stat stat_buf;
    struct buf path = {0};
    picture_path(key, name);
    path_join(&path, data, name);
    *fd = path.failed ? -1
                      : open(path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOATIME);
    if (*fd < 0 && !path.failed && errno == EPERM)
        *fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    buf_free(&path);
    if (*fd < 0)
        return RL_ENOTFOUND;
    if (fstat(*fd, &stat_buf) < 0 || !S_ISREG(stat_buf.st_mode) ||
        !is_whole(*fd, key->form, stat_buf.st_size)) {
        close(*fd);
        *fd = -1;
        return RL_ENOTFOUND;
    }
    touch(*fd, &stat_buf);
    *size = stat_buf.st_size;
    return RL_OK;
}
