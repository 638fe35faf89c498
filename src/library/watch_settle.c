#include "watch_settle.h"

#include <stdlib.h>
#include <string.h>

struct unsettled *watch_settle_find(const struct watch_settle *settle, const char *path)
{
    struct unsettled *file;
    HASH_FIND_STR(settle->files, path, file);
    return file;
}

void watch_settle_drop(struct watch_settle *settle, struct unsettled *file)
{
    if (!file)
        return;
    HASH_DEL(settle->files, file);
    free(file);
}

bool watch_settle_put(struct watch_settle *settle, const char *path, bool writing, int64_t due_ms)
{
    struct unsettled *file = watch_settle_find(settle, path);
    if (file && file->due_ms == due_ms && file->writing == writing)
        return true;
    bool again = writing && file && (!file->writing || file->again);
    watch_settle_drop(settle, file);
    size_t len = strlen(path);
    file = calloc(1, sizeof *file + len + 1);
    if (!file)
        return false;
    memcpy(file->path, path, len + 1);
    file->writing = writing;
    file->again = again;
    file->due_ms = due_ms;
    /* Nearly all are due a fixed time after now: one that is due earlier is the exception, and
     * waits for the few before it. */
    HASH_ADD_STR(settle->files, path, file);
    if (file->hh.tbl)
        return true;
    free(file);
    return false;
}

struct unsettled *watch_settle_first(const struct watch_settle *settle)
{
    return settle->files;
}

void watch_settle_free(struct watch_settle *settle)
{
    while (settle->files)
        watch_settle_drop(settle, settle->files);
}
