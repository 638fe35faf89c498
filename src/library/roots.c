#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reeld/library.h"

#include "room.h"
#include "roots.h"

bool roots_allow(const char *const *roots, const char *path)
{
    if (!roots || !*roots)
        return true;
    for (; *roots; roots++) {
        if (path_beneath(*roots, path))
            return true;
    }
    return false;
}

const char *roots_top(const char *const *roots, const char *path)
{
    const char *top = NULL;
    for (; roots && *roots; roots++) {
        if (path_beneath(*roots, path) && (!top || path_beneath(*roots, top)))
            top = *roots;
    }
    return top ? top : "/";
}

static enum rl_err errno_meaning(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return RL_ENOTFOUND;
    case EACCES:
    case EPERM:
        return RL_EPERM;
    case ENOMEM:
        return RL_ENOMEM;
    default:
        return RL_EIO;
    }
}

/* Thread: any. */
enum rl_err library_resolve(const struct library *library, const char *path, char **real)
{
    *real = NULL;
    if (path[0] != '/')
        return RL_EINVAL;
    char *resolved = realpath(path, NULL);
    if (!resolved) {
        /* Outside the roots nobody shall learn what is there and what is not. */
        enum rl_err err = errno_meaning(errno);
        bool inside = roots_allow(library->config.roots, path) && !strstr(path, "/..");
        return err == RL_ENOTFOUND && !inside ? RL_EPERM : err;
    }
    struct stat stat_buf;
    enum rl_err err = roots_allow(library->config.roots, resolved) ? RL_OK : RL_EPERM;
    if (!err && stat(resolved, &stat_buf) < 0)
        err = errno_meaning(errno);
    int mode = !err && S_ISDIR(stat_buf.st_mode) ? R_OK | X_OK : R_OK;
    if (err) {
        free(resolved);
        return err;
    }
    if (!S_ISDIR(stat_buf.st_mode) && !S_ISREG(stat_buf.st_mode))
        err = RL_EINVAL;
    else if (faccessat(AT_FDCWD, resolved, mode, AT_EACCESS) < 0)
        err = errno_meaning(errno);
    if (err)
        free(resolved);
    else
        *real = resolved;
    return err;
}
