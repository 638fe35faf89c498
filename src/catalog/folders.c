#include <stdlib.h>
#include <string.h>

#include "private.h"

/* Folders as a scan needs them: where a path ends in '/', all that is below it lies in the order of
 * bytes between that and the same with '0', the character behind '/'. */

void folder_list_clear(struct folder_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->folders[i].path);
    free(list->folders);
    *list = (struct folder_list){0};
}

enum rl_err folder_range(const char *path, struct buf *from, struct buf *to)
{
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    buf_append(from, path, len);
    buf_puts(from, "/");
    buf_append(to, path, len);
    buf_puts(to, "0");
    return from->failed || to->failed ? RL_ENOMEM : RL_OK;
}

enum rl_err catalog_folder_device(struct catalog *catalog, const char *path, uint64_t device)
{
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    int64_t id;
    sqlite3_stmt *set;
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (path[0] != '/')
        return catalog_fail(catalog, RL_EINVAL, "not an absolute path");
    err = directory_need(catalog, path, len, &id);
    if (err == RL_OK)
        err = statement_get(catalog, ST_FOLDER_DEVICE,
                            "UPDATE directories SET device = ?2 WHERE id = ?1", &set);
    if (err == RL_OK) {
        struct binder binder = {.statement = set};
        bind_int(&binder, id);
        bind_unsigned(&binder, device);
        err = bind_done(catalog, &binder);
    }
    if (err == RL_OK)
        err = statement_run(catalog, set);
    return catalog_leave_write(catalog, err);
}

static enum rl_err read_folders(struct catalog *catalog, sqlite3_stmt *list, int limit,
                                struct folder_list *out)
{
    enum rl_err err = RL_OK;
    while (out->count < (size_t)limit && (err = statement_step(catalog, list)) == RL_OK) {
        struct row row = {.statement = list};
        struct known_folder *folder = &out->folders[out->count];
        folder->id = row_int(&row);
        folder->path = row_bytes(&row);
        folder->device = row_unsigned(&row);
        if (row.failed)
            return RL_ENOMEM;
        out->count++;
    }
    return err == RL_ENOTFOUND ? RL_OK : err;
}

enum rl_err catalog_folders_below(struct catalog *catalog, const char *above, const char *after,
                                  int limit, struct folder_list *out)
{
    catalog_enter(catalog);
    *out = (struct folder_list){0};
    if (limit < 1 || limit > 10000)
        return catalog_fail(catalog, RL_EINVAL, "limit out of range");
    struct buf from = {0}, to = {0};
    sqlite3_stmt *list = NULL;
    enum rl_err err = folder_range(above, &from, &to);
    out->folders = calloc((size_t)limit, sizeof *out->folders);
    if (err == RL_OK && !out->folders)
        err = RL_ENOMEM;
    if (err == RL_OK)
        err = statement_get(catalog, ST_FOLDERS_BELOW,
                            "SELECT id, path, device FROM directories WHERE path > ?1"
                            " AND path < ?2 ORDER BY path LIMIT ?3",
                            &list);
    if (err == RL_OK) {
        struct binder binder = {.statement = list};
        if (after && strcmp(after, from.data) > 0)
            bind_bytes(&binder, after, strlen(after));
        else
            bind_bytes(&binder, from.data, from.len);
        bind_bytes(&binder, to.data, to.len);
        bind_int(&binder, limit);
        err = bind_done(catalog, &binder);
        if (err == RL_OK)
            err = read_folders(catalog, list, limit, out);
        sqlite3_reset(list);
        sqlite3_clear_bindings(list);
    }
    buf_free(&from);
    buf_free(&to);
    if (err != RL_OK)
        folder_list_clear(out);
    return err;
}

enum rl_err catalog_folder_videos(struct catalog *catalog, int64_t id, int64_t **numbers,
                                  size_t *count)
{
    catalog_enter(catalog);
    *numbers = NULL;
    *count = 0;
    sqlite3_stmt *list;
    enum rl_err err = statement_get(
        catalog, ST_FOLDER_VIDEOS,
        "SELECT number FROM videos WHERE directory = ?1 AND missing_since = 0 ORDER BY name",
        &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, id);
    err = bind_done(catalog, &binder);
    size_t cap = 0;
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        if (*count == cap) {
            cap = cap ? cap * 2 : 64;
            int64_t *grown = reallocarray(*numbers, cap, sizeof *grown);
            if (!grown) {
                err = RL_ENOMEM;
                break;
            }
            *numbers = grown;
        }
        (*numbers)[(*count)++] = sqlite3_column_int64(list, 0);
    }
    sqlite3_reset(list);
    if (err == RL_ENOTFOUND)
        return RL_OK;
    free(*numbers);
    *numbers = NULL;
    *count = 0;
    return err;
}

enum rl_err catalog_count_below(struct catalog *catalog, const char *path, int64_t *out)
{
    catalog_enter(catalog);
    *out = 0;
    struct buf from = {0}, to = {0};
    sqlite3_stmt *count = NULL;
    enum rl_err err = folder_range(path, &from, &to);
    if (err == RL_OK)
        err = statement_get(catalog, ST_COUNT_BELOW,
                            "SELECT count(*) FROM directories d CROSS JOIN videos v"
                            " ON v.directory = d.id AND v.missing_since = 0"
                            " WHERE (d.path > ?1 AND d.path < ?2) OR d.path = ?3",
                            &count);
    if (err == RL_OK) {
        struct binder binder = {.statement = count};
        bind_bytes(&binder, from.data, from.len);
        bind_bytes(&binder, to.data, to.len);
        bind_bytes(&binder, from.data, from.len > 1 ? from.len - 1 : 1);
        err = bind_done(catalog, &binder);
        if (err == RL_OK)
            err = statement_step(catalog, count);
        if (err == RL_OK)
            *out = sqlite3_column_int64(count, 0);
        sqlite3_reset(count);
        sqlite3_clear_bindings(count);
    }
    buf_free(&from);
    buf_free(&to);
    return err;
}

enum rl_err catalog_folder_failures_forget(struct catalog *catalog, int64_t id)
{
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    sqlite3_stmt *forget;
    err = statement_get(catalog, ST_FOLDER_FAILURES_FORGET,
                        "DELETE FROM failures WHERE directory = ?1", &forget);
    if (err == RL_OK) {
        struct binder binder = {.statement = forget};
        bind_int(&binder, id);
        err = bind_done(catalog, &binder);
    }
    if (err == RL_OK)
        err = statement_run(catalog, forget);
    return catalog_leave_write(catalog, err);
}
