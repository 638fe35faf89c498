#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "beneath.h"
#include "roots.h"

static int open_resolved(struct beneath *root, int dir, const char *path, int flags,
                         unsigned long long resolve)
{
    if (root->plain) {
        errno = ENOSYS;
        return -1;
    }
    struct open_how how = {.flags = (unsigned long long)(unsigned int)flags, .resolve = resolve};
    long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS)
        root->plain = true;
    return (int)fd;
}

int beneath_open_root(struct beneath *root, const char *path)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    *root = (struct beneath){.fd = -1};
    root->fd = open_resolved(root, AT_FDCWD, path, flags, RESOLVE_NO_SYMLINKS);
    if (root->fd < 0 && root->plain)
        root->fd = open(path, flags);
    return root->fd < 0 ? errno : 0;
}

/* One component after the other: for kernels without openat2 and for paths beyond PATH_MAX. */
static int open_stepwise(int start, const char *relative, int flags)
{
    const int step = O_PATH | O_DIRECTORY | O_CLOEXEC | (flags & O_NOFOLLOW);
    int dir = start;
    for (;;) {
        char name[NAME_MAX + 1];
        size_t len = strcspn(relative, "/");
        if (len > NAME_MAX) {
            errno = ENAMETOOLONG;
            break;
        }
        memcpy(name, relative, len);
        name[len] = '\0';
        bool last = relative[len] == '\0';
        int next = openat(dir, name, last ? flags : step);
        if (dir != start) {
            int saved = errno;
            close(dir);
            errno = saved;
        }
        if (next < 0 || last)
            return next;
        dir = next;
        relative += len + 1;
    }
    if (dir != start)
        close(dir);
    return -1;
}

/* The descriptor `pin` holds on to what the links led to: what is looked at is what is opened, in
 * the place of the pin, which is closed or given back. Opened without O_PATH at once, a device
 * would have noticed before anybody could look. */
static int open_pinned(const struct beneath *root, int pin, int flags)
{
    char link[32], target[PATH_MAX];
    struct stat stat;
    snprintf(link, sizeof link, "/proc/self/fd/%d", pin);
    ssize_t len = readlink(link, target, sizeof target);
    bool right = len > 0 && len < (ssize_t)sizeof target && fstat(pin, &stat) == 0 &&
                 (S_ISREG(stat.st_mode) || S_ISDIR(stat.st_mode));
    if (right) {
        target[len] = '\0';
        right = roots_allow(root->roots, target);
    }
    if (right && (flags & O_PATH) && (!(flags & O_DIRECTORY) || S_ISDIR(stat.st_mode)))
        return pin;
    int fd = -1;
    errno = ELOOP;
    if (right)
        fd = open(link, (flags & ~O_NOFOLLOW) | O_CLOEXEC);
    int saved = errno;
    close(pin);
    errno = saved;
    return fd;
}

int beneath_follow(const struct beneath *root, int dir, const char *path, int flags)
{
    errno = ELOOP;
    if (!root->follow)
        return -1;
    int pin = strlen(path) < PATH_MAX ? openat(dir, path, O_PATH | O_CLOEXEC)
                                      : open_stepwise(dir, path, O_PATH | O_CLOEXEC);
    return pin < 0 ? -1 : open_pinned(root, pin, flags);
}

static int open_strictly(struct beneath *root, const char *relative, int flags)
{
    flags |= O_CLOEXEC | O_NOFOLLOW;
    if (!*relative)
        return openat(root->fd, ".", flags);
    if (strlen(relative) < PATH_MAX) {
        int fd =
            open_resolved(root, root->fd, relative, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        if (!root->plain)
            return fd;
    }
    return open_stepwise(root->fd, relative, flags);
}

/* O_PATH opens a link itself. */
static bool is_link(int fd, int flags)
{
    struct stat stat;
    return (flags & O_PATH) && fstat(fd, &stat) == 0 && S_ISLNK(stat.st_mode);
}

int beneath_open(struct beneath *root, const char *relative, int flags)
{
    int fd = open_strictly(root, relative, flags);
    if (!root->follow)
        return fd;
    if (fd >= 0 ? !is_link(fd, flags) : errno != ELOOP && errno != ENOTDIR)
        return fd;
    if (fd >= 0)
        close(fd);
    return beneath_follow(root, root->fd, relative, flags);
}

/* Of any length, from the root of the file system on. */
static int open_absolute(struct beneath *root, const char *path)
{
    const int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    if (strlen(path) < PATH_MAX) {
        int fd = open_resolved(root, AT_FDCWD, path, flags, RESOLVE_NO_SYMLINKS);
        if (!root->plain)
            return fd;
    }
    int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return -1;
    int fd = open_stepwise(top, path + 1, flags);
    int saved = errno;
    close(top);
    errno = saved;
    return fd;
}

bool beneath_nothing(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;
}

int beneath_look(struct beneath *root, const char *path, struct stat *out)
{
    int fd = open_absolute(root, path);
    if (root->follow && (fd >= 0 ? is_link(fd, O_PATH) : errno == ELOOP || errno == ENOTDIR)) {
        if (fd >= 0)
            close(fd);
        fd = beneath_follow(root, AT_FDCWD, path, O_PATH);
    }
    int error = fd < 0 || fstat(fd, out) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error;
}

/* Downwards, since a path may have more steps than can be tried from its end upwards. */
int beneath_device_above(const struct beneath *root, const char *path, dev_t *out, bool *whole)
{
    const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC | (root->follow ? 0 : O_NOFOLLOW);
    int fd = open("/", flags);
    int error = fd < 0 ? errno : 0;
    bool cut = false;
    for (const char *name = path + 1; !error;) {
        char step[NAME_MAX + 1];
        size_t len = strcspn(name, "/");
        cut = name[len] != '\0';
        if (!cut || len > NAME_MAX)
            break;
        memcpy(step, name, len);
        step[len] = '\0';
        int next = openat(fd, step, flags);
        if (next < 0) {
            error = beneath_nothing(errno) ? 0 : errno;
            break;
        }
        close(fd);
        fd = next;
        name += len + 1;
    }
    struct stat stat;
    if (!error && fstat(fd, &stat) < 0)
        error = errno;
    if (fd >= 0)
        close(fd);
    if (error)
        return error;
    *out = stat.st_dev;
    if (whole)
        *whole = !cut;
    return 0;
}

void beneath_close(struct beneath *root)
{
    if (root->fd >= 0)
        close(root->fd);
    root->fd = -1;
}
