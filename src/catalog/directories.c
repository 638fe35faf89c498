#include <string.h>

#include "private.h"

enum rl_err directory_split(const char *path, struct path_parts *out)
{
    const char *slash = strrchr(path, '/');
    /* NAME_MAX: no file system has a longer name, and cursors have room for it. */
    if (path[0] != '/' || !slash[1] || strlen(slash + 1) > 255)
        return RL_EINVAL;
    out->directory = path;
    out->directory_len = slash == path ? 1 : (size_t)(slash - path);
    out->name = slash + 1;
    return RL_OK;
}

/* Files come folder by folder: the folder used last is usually the one that is asked for. */
static bool directory_kept(const struct catalog *catalog, const char *path, size_t len)
{
    const struct buf *kept = &catalog->directory;
    return kept->len > 0 && kept->len == len && memcmp(kept->data, path, len) == 0;
}

static void directory_keep(struct catalog *catalog, const char *path, size_t len, int64_t id)
{
    buf_clear(&catalog->directory);
    buf_append(&catalog->directory, path, len);
    if (catalog->directory.failed)
        buf_clear(&catalog->directory);
    catalog->directory_id = id;
}

enum rl_err directory_find(struct catalog *catalog, const char *path, size_t len, int64_t *out)
{
    if (directory_kept(catalog, path, len)) {
        *out = catalog->directory_id;
        return RL_OK;
    }
    sqlite3_stmt *find;
    enum rl_err err = statement_get(catalog, ST_DIRECTORY_FIND,
                                    "SELECT id FROM directories WHERE path = ?1", &find);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = find};
    bind_bytes(&binder, path, len);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, find);
    if (err == RL_OK) {
        struct row row = {.statement = find};
        *out = row_int(&row);
        sqlite3_reset(find);
        /* Only the writer: a reader could keep an id that another program's write took away. */
        if (catalog->in_transaction)
            directory_keep(catalog, path, len, *out);
    }
    return err;
}

static enum rl_err index_one(struct catalog *catalog, struct row *row)
{
    sqlite3_stmt *add;
    enum rl_err err =
        statement_get(catalog, ST_DIRECTORY_TEXT,
                      "INSERT INTO directories_text (rowid, path) VALUES (?1, ?2)", &add);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = add};
    bind_int(&binder, row_int(row));
    const void *path = sqlite3_column_blob(row->statement, row->column);
    buf_clear(&catalog->text);
    utf8_append_lossy(&catalog->text, path,
                      (size_t)sqlite3_column_bytes(row->statement, row->column));
    if (catalog->text.failed)
        return RL_ENOMEM;
    bind_text(&binder, catalog->text.data);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, add) : err;
}

enum rl_err directories_index(struct catalog *catalog)
{
    if (!catalog->unindexed)
        return RL_OK;
    sqlite3_stmt *list;
    enum rl_err err =
        statement_get(catalog, ST_DIRECTORIES_NEW,
                      "SELECT id, path FROM directories WHERE id >= ?1 ORDER BY id", &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, catalog->unindexed);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        struct row row = {.statement = list};
        err = index_one(catalog, &row);
    }
    sqlite3_reset(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

enum rl_err directory_need(struct catalog *catalog, const char *path, size_t len, int64_t *out)
{
    enum rl_err err = directory_find(catalog, path, len, out);
    if (err != RL_ENOTFOUND)
        return err;
    sqlite3_stmt *add;
    err = statement_get(catalog, ST_DIRECTORY_ADD, "INSERT INTO directories (path) VALUES (?1)",
                        &add);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = add};
    bind_bytes(&binder, path, len);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_run(catalog, add);
    if (err == RL_OK) {
        *out = sqlite3_last_insert_rowid(catalog->db);
        if (!catalog->unindexed)
            catalog->unindexed = *out;
        directory_keep(catalog, path, len, *out);
    }
    return err;
}
