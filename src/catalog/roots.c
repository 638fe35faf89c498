#include <stdlib.h>
#include <string.h>

#include "private.h"

enum { ROOTS_MAX = 1000 };

void root_list_clear(struct root_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->roots[i].path);
    free(list->roots);
    *list = (struct root_list){0};
}

static const char *const mode_words[WATCH_MODE_COUNT] = {
#define MODE_WORD(name, word) [WATCH_MODE_##name] = word,
    WATCH_MODES(MODE_WORD)
#undef MODE_WORD
};

/* A word of a newer reeld is taken for the default. */
static enum watch_mode mode_of(const char *word)
{
    for (int i = 0; i < WATCH_MODE_COUNT; i++) {
        if (strcmp(mode_words[i], word) == 0)
            return (enum watch_mode)i;
    }
    return WATCH_MODE_AUTO;
}

static enum rl_err read_root(sqlite3_stmt *statement, struct root *out)
{
    struct row row = {.statement = statement};
    *out = (struct root){0};
    out->number = row_int(&row);
    out->path = row_bytes(&row);
    out->device = row_unsigned(&row);
    out->scanned_at_ms = row_int(&row);
    out->offline_since_ms = row_int(&row);
    row_text(&row, out->reason, sizeof out->reason);
    char mode[16];
    row_text(&row, mode, sizeof mode);
    out->kept = *mode;
    out->mode = mode_of(mode);
    out->poll_ms = row_int(&row);
    return row.failed ? RL_ENOMEM : RL_OK;
}

enum rl_err catalog_roots(struct catalog *catalog, struct root_list *out)
{
    catalog_enter(catalog);
    *out = (struct root_list){0};
    out->roots = calloc(ROOTS_MAX, sizeof *out->roots);
    sqlite3_stmt *list;
    enum rl_err err = statement_get(
        catalog, ST_ROOTS,
        "SELECT number, path, device, scanned_at, offline_since, reason, mode, poll_ms"
        " FROM roots"
        " ORDER BY number LIMIT 1000",
        &list);
    if (err == RL_OK && !out->roots)
        err = RL_ENOMEM;
    if (err == RL_OK) {
        while (out->count < ROOTS_MAX && (err = statement_step(catalog, list)) == RL_OK &&
               (err = read_root(list, &out->roots[out->count])) == RL_OK)
            out->count++;
        sqlite3_reset(list);
    }
    if (err == RL_OK || err == RL_ENOTFOUND)
        return RL_OK;
    root_list_clear(out);
    return err;
}

enum rl_err catalog_root_put(struct catalog *catalog, struct root *root)
{
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    if (!root->path || root->path[0] != '/')
        return catalog_fail(catalog, RL_EINVAL, "not an absolute path");
    sqlite3_stmt *put;
    err = statement_get(catalog, ST_ROOT_PUT,
                        "INSERT INTO roots"
                        " (path, device, scanned_at, offline_since, reason, mode, poll_ms)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (path) DO UPDATE SET"
                        " (device, scanned_at, offline_since, reason, mode, poll_ms)"
                        " = (?2, ?3, ?4, ?5, ?6, ?7)"
                        " RETURNING number",
                        &put);
    if (err == RL_OK) {
        struct binder binder = {.statement = put};
        bind_bytes(&binder, root->path, strlen(root->path));
        bind_unsigned(&binder, root->device);
        bind_int(&binder, root->scanned_at_ms);
        bind_int(&binder, root->offline_since_ms);
        bind_text(&binder, root->reason);
        bind_text(&binder, root->kept ? mode_words[root->mode] : NULL);
        bind_int(&binder, root->poll_ms);
        err = bind_done(catalog, &binder);
    }
    if (err == RL_OK)
        err = statement_step(catalog, put);
    if (err == RL_OK) {
        root->number = sqlite3_column_int64(put, 0);
        err = statement_run(catalog, put);
    }
    return catalog_leave_write(catalog, err);
}

enum rl_err catalog_root_delete(struct catalog *catalog, int64_t number)
{
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    sqlite3_stmt *remove;
    err = statement_get(catalog, ST_ROOT_DELETE, "DELETE FROM roots WHERE number = ?1", &remove);
    if (err == RL_OK) {
        struct binder binder = {.statement = remove};
        bind_int(&binder, number);
        err = bind_done(catalog, &binder);
    }
    if (err == RL_OK)
        err = statement_run(catalog, remove);
    return catalog_leave_write(catalog, err);
}
