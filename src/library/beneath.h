/* beneath: opening what lies below a folder without ever leaving it. Any thread, one
 * at a time for each folder. */
#ifndef REELD_LIBRARY_BENEATH_H
#define REELD_LIBRARY_BENEATH_H

#include <stdbool.h>
#include <sys/stat.h>

/* The folder. `plain` is set once the kernel turned out not to have openat2. */
struct beneath {
    int fd;
    bool plain;
    bool follow;              /* set by the caller: symbolic links are followed, */
    const char *const *roots; /* but not out of these (roots.h) */
};

/* Opens the folder at the real path `path` itself; RESOLVE_NO_SYMLINKS: a path component that
 * became a symbolic link since it was resolved is refused. 0, or an errno. */
int beneath_open_root(struct beneath *root, const char *path);

/* Opens `relative` (any length, no ".." in it; "" is the folder itself) with `flags`, to which
 * O_CLOEXEC and O_NOFOLLOW are added: no component may be a symbolic link (openat2(2)
 * RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS), unless they are followed, as beneath_follow does. The
 * descriptor is the caller's; -1: errno says why. */
int beneath_open(struct beneath *root, const char *relative, int flags);

/* Opens what `path` in the folder `dir` leads to through symbolic links: a folder or regular file
 * that lies in one of the roots when it is opened, whatever becomes of the links meanwhile. ELOOP:
 * it is none of that, or links are not followed. */
int beneath_follow(const struct beneath *root, int dir, const char *path, int flags);

/* The state of what is at the absolute path `path` (any length), wherever it lies; as beneath_open,
 * it goes through symbolic links only when they are followed, and ends in one otherwise. 0, or an
 * errno: beneath_nothing says which of them mean that there is nothing. */
int beneath_look(struct beneath *root, const char *path, struct stat *out);
bool beneath_nothing(int error);

/* The device of the nearest folder above `path` that is there: st_dev; *whole (may be NULL): whether
 * that is the one that `path` would be in. 0, or an errno. */
int beneath_device_above(const struct beneath *root, const char *path, dev_t *out, bool *whole);

void beneath_close(struct beneath *root);

#endif
