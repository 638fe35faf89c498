#include <stdlib.h>

#include "find.h"

/* The videos of a folder and of those below it. Where there are few, the tables give their numbers,
 * and nothing else is looked at; otherwise each video's folder is, by its rank: folders below a
 * path are neighbours in the order of paths. */

enum { FOLDERS_FEW = 256, VIDEOS_FEW = 4096 };

struct folders {
    uint32_t ids[FOLDERS_FEW + 2]; /* itself, if it is known, and those below it by their paths */
    size_t count;
};

/* Appends the folders that a query of two paths gives, at most `limit`. */
static enum rl_err list_folders(struct catalog *catalog, int slot, const char *sql,
                                const struct buf *from, const struct buf *to, int limit,
                                struct folders *out)
{
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, slot, sql, &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_bytes(&binder, from->data, from->len);
    bind_bytes(&binder, to->data, to->len);
    bind_int(&binder, limit);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK)
        out->ids[out->count++] = (uint32_t)sqlite3_column_int64(list, 0);
    sqlite3_reset(list);
    sqlite3_clear_bindings(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

/* The folder itself, and where its path begins those below it: from->data is "/path/". */
static enum rl_err find_itself(struct catalog *catalog, const struct buf *from, uint32_t *out)
{
    int64_t id = 0;
    enum rl_err err = directory_find(catalog, from->data, from->len > 1 ? from->len - 1 : 1, &id);
    *out = err == RL_OK ? (uint32_t)id : 0;
    return err == RL_ENOTFOUND ? RL_OK : err;
}

static bool add(struct below *below, uint32_t number)
{
    if (below->count == below->cap) {
        size_t cap = below->cap ? 2 * below->cap : 64;
        uint32_t *numbers = reallocarray(below->numbers, cap, sizeof *numbers);
        if (!numbers)
            return false;
        below->numbers = numbers;
        below->cap = cap;
    }
    below->numbers[below->count++] = number;
    return true;
}

/* Adds a folder's videos, until there are more than a few. */
static enum rl_err add_videos(struct catalog *catalog, uint32_t folder, bool missing,
                              struct below *out)
{
    sqlite3_stmt *list;
    enum rl_err err =
        missing
            ? statement_get(catalog, ST_BELOW_MISSING,
                            "SELECT number FROM videos WHERE directory = ?1 AND missing_since <> 0",
                            &list)
            : statement_get(catalog, ST_BELOW_VIDEOS,
                            "SELECT number FROM videos WHERE directory = ?1 AND missing_since = 0",
                            &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, folder);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && out->count <= VIDEOS_FEW &&
           (err = statement_step(catalog, list)) == RL_OK) {
        if (!add(out, (uint32_t)sqlite3_column_int64(list, 0)))
            err = RL_ENOMEM;
    }
    sqlite3_reset(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

static enum rl_err find_below(struct catalog *catalog, const struct buf *from, const struct buf *to,
                              bool missing, struct below *out)
{
#define BELOW "SELECT id FROM directories WHERE path > ?1 AND path < ?2 ORDER BY path"
    const struct ranks *ranks = &catalog->find->ranks;
    struct folders folders = {0}, last = {0};
    enum rl_err err = find_itself(catalog, from, &out->folder);
    if (err == RL_OK)
        err = list_folders(catalog, ST_BELOW_FIRST, BELOW " LIMIT ?3", from, to, FOLDERS_FEW + 1,
                           &folders);
    if (err == RL_OK && folders.count)
        err = list_folders(catalog, ST_BELOW_LAST, BELOW " DESC LIMIT ?3", from, to, 1, &last);
    if (err != RL_OK)
        return err;
    out->low = folders.count ? rank_of(ranks, folders.ids[0]) : 1;
    out->high = last.count ? rank_of(ranks, last.ids[0]) : 0;
    if (folders.count > FOLDERS_FEW)
        return RL_OK;
    if (out->folder)
        folders.ids[folders.count++] = out->folder;
    for (size_t i = 0; err == RL_OK && i < folders.count && out->count <= VIDEOS_FEW; i++)
        err = add_videos(catalog, folders.ids[i], missing, out);
    out->few = out->count <= VIDEOS_FEW;
    return err;
#undef BELOW
}

enum rl_err below_find(struct catalog *catalog, const char *path, bool missing, struct below *out)
{
    struct buf from = {0}, to = {0};
    *out = (struct below){0};
    enum rl_err err = folder_range(path, &from, &to);
    if (err == RL_OK)
        err = find_below(catalog, &from, &to, missing, out);
    buf_free(&from);
    buf_free(&to);
    return err;
}

void below_free(struct below *below)
{
    free(below->numbers);
    *below = (struct below){0};
}
