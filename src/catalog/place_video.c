#include <stdlib.h>
#include <string.h>

#include "private.h"

/* A video's row when its file goes somewhere else, goes away, or comes back. */

/* Reads the row as it is before the change; the caller puts into it what becomes another. */
static enum rl_err read_row(struct catalog *catalog, int64_t number, struct video *out)
{
    *out = (struct video){0};
    enum rl_err err = video_row_get(catalog, number, out);
    return err == RL_ENOTFOUND ? catalog_fail(catalog, err, "no video has this number") : err;
}

/* Gives the row away, or nothing. */
static void give_row(struct video *row, enum rl_err err, struct video *out)
{
    if (err == RL_OK && out)
        *out = *row;
    else
        video_clear(row);
}

/* A column that is written costs its indexes and triggers whether it changes or not: a video whose
 * folder moved is the same file under the same name. */
#define PLACED "directory, size, mtime_ns, device, job, outcome, updated_at, sequence"
#define PLACES "?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9"

/* RL_EEXIST: another video is there under the name. The row says what it said before. */
static enum rl_err write_place(struct catalog *catalog, struct video *row, int64_t directory,
                               const char *name, const struct file_stamp *stamp, int64_t job,
                               enum outcome outcome)
{
    bool moved = !row->missing_since_ms && row->stamp.inode == stamp->inode &&
                 strcmp(path_name(row->path), name) == 0;
    catalog->vacant.directory = 0;
    sqlite3_stmt *set;
    enum rl_err err =
        moved
            ? statement_get(catalog, ST_VIDEO_MOVED,
                            "UPDATE videos SET (" PLACED ") = (" PLACES ") WHERE number = ?1", &set)
            : statement_get(catalog, ST_VIDEO_PLACE,
                            "UPDATE videos SET (" PLACED ", name, inode, missing_since) = (" PLACES
                            ", ?10, ?11, 0) WHERE number = ?1",
                            &set);
    if (err != RL_OK)
        return err;
    const int64_t sequence = catalog->sequence;
    row->updated_at_ms = clock_wall_ms();
    row->sequence = catalog_next_sequence(catalog);
    struct binder binder = {.statement = set};
    bind_int(&binder, row->number);
    bind_int(&binder, directory);
    bind_int(&binder, stamp->size);
    bind_int(&binder, stamp->mtime_ns);
    bind_unsigned(&binder, stamp->device);
    bind_int(&binder, job);
    bind_text(&binder, words_outcome(outcome));
    bind_int(&binder, row->updated_at_ms);
    bind_int(&binder, row->sequence);
    if (!moved) {
        bind_bytes(&binder, name, strlen(name));
        bind_unsigned(&binder, stamp->inode);
    }
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_run(catalog, set);
    if (err == RL_OK || sqlite3_extended_errcode(catalog->db) != SQLITE_CONSTRAINT_UNIQUE)
        return err;
    /* videos_path has one of a name in a folder. The statement changed nothing. */
    catalog->sequence = sequence;
    return catalog_fail(catalog, RL_EEXIST, "another video is there");
}

static enum rl_err place(struct catalog *catalog, struct video *row, int64_t directory,
                         const char *name, const struct file_stamp *stamp, int64_t job,
                         enum outcome outcome)
{
    const struct media_summary *summary = &row->info.summary;
    enum rl_err err = write_place(catalog, row, directory, name, stamp, job, outcome);
    if (err == RL_OK)
        err = video_renamed(catalog, row->number, path_name(row->path), name, summary->title);
    if (err == RL_OK)
        err = identity_note(catalog, row->number, stamp->inode, summary->fingerprint);
    bool there = row->missing_since_ms == 0, same = row->stamp.size == stamp->size;
    if (err == RL_OK && there && !same)
        err = twins_leave(catalog, row->number);
    if (err == RL_OK && (!there || !same))
        err = twins_join(catalog, row->number, stamp->size, summary->fingerprint);
    return err == RL_OK ? failure_forget(catalog, directory, name) : err;
}

/* The row has been placed. */
static enum rl_err place_row(struct video *row, const char *path, const struct file_stamp *stamp)
{
    char *copy = strdup(path);
    if (!copy)
        return RL_ENOMEM;
    free(row->path);
    row->path = copy;
    row->stamp = *stamp;
    row->missing_since_ms = 0;
    return RL_OK;
}

enum rl_err catalog_video_place(struct catalog *catalog, int64_t number, const char *path,
                                const struct file_stamp *stamp, int64_t job, enum outcome outcome,
                                struct video *out)
{
    if (out)
        *out = (struct video){0};
    enum rl_err err = catalog_enter_write(catalog);
    struct path_parts parts;
    struct video row;
    int64_t directory = 0;
    if (err != RL_OK)
        return err;
    if (directory_split(path, &parts) != RL_OK)
        return catalog_fail(catalog, RL_EINVAL, "not the absolute path of a file");
    err = read_row(catalog, number, &row);
    if (err == RL_ENOTFOUND)
        return err;
    if (err == RL_OK)
        err = directory_need(catalog, parts.directory, parts.directory_len, &directory);
    if (err == RL_OK)
        err = place(catalog, &row, directory, parts.name, stamp, job, outcome);
    if (err == RL_OK)
        err = place_row(&row, path, stamp);
    give_row(&row, err, out);
    return err == RL_EEXIST ? err : catalog_leave_write(catalog, err);
}

static enum rl_err hide(struct catalog *catalog, struct video *row, int64_t job)
{
    sqlite3_stmt *set;
    enum rl_err err = statement_get(catalog, ST_VIDEO_MISSING,
                                    "UPDATE videos SET (missing_since, updated_at, sequence, job,"
                                    " outcome) = (?2, ?2, ?3, ?4, NULL) WHERE number = ?1",
                                    &set);
    if (err != RL_OK)
        return err;
    catalog->no_missing = false;
    int64_t now = clock_wall_ms();
    row->missing_since_ms = row->updated_at_ms = now > 0 ? now : 1; /* 0 says that it is there */
    row->sequence = catalog_next_sequence(catalog);
    struct binder binder = {.statement = set};
    bind_int(&binder, row->number);
    bind_int(&binder, row->missing_since_ms);
    bind_int(&binder, row->sequence);
    bind_int(&binder, job);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_run(catalog, set);
    return err == RL_OK ? twins_leave(catalog, row->number) : err;
}

enum rl_err catalog_video_missing(struct catalog *catalog, int64_t number, int64_t job,
                                  struct video *out)
{
    if (out)
        *out = (struct video){0};
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    struct video row;
    err = read_row(catalog, number, &row);
    if (err == RL_ENOTFOUND || (err == RL_OK && row.missing_since_ms)) {
        video_clear(&row);
        return catalog_fail(catalog, RL_ENOTFOUND, "no video of this number is there");
    }
    if (err == RL_OK)
        err = hide(catalog, &row, job);
    give_row(&row, err, out);
    return catalog_leave_write(catalog, err);
}

void id_list_clear(struct id_list *list)
{
    free(list->ids);
    *list = (struct id_list){0};
}

enum rl_err catalog_missing_before(struct catalog *catalog, int64_t before_ms, int limit,
                                   struct id_list *out)
{
    catalog_enter(catalog);
    *out = (struct id_list){0};
    if (limit < 1 || limit > 10000)
        return catalog_fail(catalog, RL_EINVAL, "limit out of range");
    out->ids = calloc((size_t)limit, sizeof *out->ids);
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, ST_MISSING_BEFORE,
                                    "SELECT id FROM videos WHERE missing_since <> 0"
                                    " AND missing_since < ?1 ORDER BY missing_since, number"
                                    " LIMIT ?2",
                                    &list);
    if (err == RL_OK && !out->ids)
        err = RL_ENOMEM;
    if (err == RL_OK) {
        struct binder binder = {.statement = list};
        bind_int(&binder, before_ms);
        bind_int(&binder, limit);
        err = bind_done(catalog, &binder);
    }
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        struct row row = {.statement = list};
        row_id(&row, out->ids[out->count++]);
        if (out->count == (size_t)limit)
            break;
    }
    if (err == RL_OK || err == RL_ENOTFOUND) {
        sqlite3_reset(list);
        return RL_OK;
    }
    id_list_clear(out);
    return err;
}
