#include <string.h>

#include "private.h"

static enum rl_err read_video(struct catalog *catalog, int64_t directory, const char *name,
                              struct path_about *out)
{
    struct existing there;
    enum rl_err err = video_find(catalog, directory, name, &there);
    if (err != RL_OK || !there.found)
        return err;
    struct video_place place;
    err = catalog_place_get(catalog, there.number, &place);
    if (err != RL_OK)
        return err;
    memcpy(out->video_id, there.id, sizeof out->video_id);
    out->missing_since_ms = there.missing_since_ms;
    out->stamp = place.stamp;
    video_place_clear(&place);
    return RL_OK;
}

static enum rl_err read_failure(struct catalog *catalog, int64_t directory, const char *name,
                                struct path_about *out)
{
    if (catalog->no_failures)
        return RL_OK;
    sqlite3_stmt *get;
    enum rl_err err =
        statement_get(catalog, ST_FAILURE_AT,
                      "SELECT size, mtime_ns, device, inode, job, code, error FROM failures"
                      " WHERE directory = ?1 AND name = ?2",
                      &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, directory);
    bind_bytes(&binder, name, strlen(name));
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err != RL_OK)
        return err == RL_ENOTFOUND ? RL_OK : err;
    struct row row = {.statement = get};
    out->failure_stamp.size = row_int(&row);
    out->failure_stamp.mtime_ns = row_int(&row);
    out->failure_stamp.device = row_unsigned(&row);
    out->failure_stamp.inode = row_unsigned(&row);
    out->not_media = row_int(&row) == 0; /* as catalog_ignored_put writes it */
    out->failure = words_parse_failure(row_word(&row), FAILURE_NOT_MEDIA);
    row_text(&row, out->error, sizeof out->error);
    sqlite3_reset(get);
    return RL_OK;
}

static enum rl_err read_about(struct catalog *catalog, const struct path_parts *parts,
                              struct path_about *out)
{
    int64_t directory;
    enum rl_err err = directory_find(catalog, parts->directory, parts->directory_len, &directory);
    if (err == RL_ENOTFOUND)
        return RL_OK;
    if (err == RL_OK)
        err = read_video(catalog, directory, parts->name, out);
    return err == RL_OK ? read_failure(catalog, directory, parts->name, out) : err;
}

enum rl_err catalog_path_about(struct catalog *catalog, const char *path, struct path_about *out)
{
    catalog_enter(catalog);
    *out = (struct path_about){0};
    struct path_parts parts;
    if (directory_split(path, &parts) != RL_OK)
        return RL_OK; /* no file can be there */
    bool begun;
    enum rl_err err = catalog_snapshot_begin(catalog, &begun);
    if (err == RL_OK)
        err = read_about(catalog, &parts, out);
    catalog_snapshot_end(catalog, begun);
    return err;
}
