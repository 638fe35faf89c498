#include <string.h>
#include <sys/stat.h>

#include "ignore_read.h"
#include "reach.h"
#include "roots.h"
#include "walk.h"

bool reach_folder(const struct library *library, const char *above, const char *path)
{
    const struct library_config *config = &library->config;
    struct ignore_way way = {.top = roots_top(config->roots, path),
                             .from = above,
                             .path = path,
                             .directory = true,
                             .keep = config->keep};
    struct ignore ignore = {0};
    struct ignore_reason reason;
    enum rl_err err = ignore_read_above(&ignore, &way, &reason);
    ignore_free(&ignore);
    /* Where links are followed there may be one on the way. */
    return err ? config->follow_symlinks || err != RL_ENOTFOUND : reason.why == IGNORE_NOT;
}

bool reach_sure(const struct library *library, const char *above, const char *path)
{
    const struct library_config *config = &library->config;
    /* Where links are followed, the walk may come by the same folder on another way before. */
    if (config->follow_symlinks || !path_beneath(above, path))
        return false;
    struct stat stat;
    if (lstat(path, &stat) < 0)
        return false;
    bool directory = S_ISDIR(stat.st_mode);
    if (!directory && !walk_wants(config->extensions, path))
        return false;
    struct ignore_way way = {.top = roots_top(config->roots, path),
                             .from = above,
                             .path = path,
                             .directory = directory,
                             .keep = config->keep};
    struct ignore ignore = {0};
    struct ignore_reason reason;
    enum rl_err err = ignore_read_above(&ignore, &way, &reason);
    ignore_free(&ignore);
    return !err && reason.why == IGNORE_NOT;
}
