#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "media_file.h"
#include "roots.h"

int media_file_open(const char *const *roots, bool follow, const char *path, int flags)
{
    if (!roots_allow(roots, path)) {
        errno = ENOENT;
        return -1;
    }
    struct beneath root;
    const char *top = roots_top(roots, path);
    int error = beneath_open_root(&root, top);
    if (error) {
        errno = error;
        return -1;
    }
    root.follow = follow;
    root.roots = roots;
    const char *relative = path + strlen(top);
    relative += strspn(relative, "/");
    /* Not to note that it was read is the owner's right. Neither goes with O_PATH (openat2(2)). */
    if (!(flags & O_PATH))
        flags |= O_NONBLOCK;
    int fd = beneath_open(&root, relative, flags & O_PATH ? flags : flags | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = beneath_open(&root, relative, flags);
    error = errno;
    beneath_close(&root);
    errno = error;
    return fd;
}

enum path_verdict media_file_verdict(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return PATH_GONE;
    case ELOOP:
    case EXDEV:
        return PATH_LINK;
    case ENXIO: /* a socket, or a device without a driver */
    case ENODEV:
        return PATH_NOT_A_FILE;
    default:
        return PATH_UNREADABLE;
    }
}

/* Thread: any. */
enum path_verdict library_open_file(const char *const *roots, bool follow, const char *path,
                                    int *fd, int *error)
{
    *fd = -1;
    *error = 0;
    if (!roots_allow(roots, path))
        return PATH_OUTSIDE;
    *fd = media_file_open(roots, follow, path, O_RDONLY | O_NOCTTY);
    struct stat stat;
    if (*fd < 0 || fstat(*fd, &stat) != 0)
        *error = errno;
    enum path_verdict verdict = *error                  ? media_file_verdict(*error)
                                : S_ISREG(stat.st_mode) ? PATH_WANTED
                                                        : PATH_NOT_A_FILE;
    if (verdict != PATH_WANTED && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return verdict;
}
