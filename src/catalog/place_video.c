#include <stdlib.h>
#include <string.h>

#include "private.h"

/* A video's row when its file goes somewhere else, goes away, or comes back. */

/* What the row says before the change. */
struct before {
    char name[256];
    char title[sizeof((struct media_summary *)0)->title];
    int64_t size, missing_since_ms;
    uint64_t fingerprint, inode;
};

static enum rl_err read_before(struct catalog *catalog, int64_t number, struct before *out)
{
    sqlite3_stmt *get;
    enum rl_err err =
        statement_get(catalog, ST_VIDEO_AT,
                      "SELECT name, title, size, fingerprint, inode, missing_since FROM videos"
                      " WHERE number = ?1",
                      &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, number);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err != RL_OK)
        return err;
    struct row row = {.statement = get};
    row_text(&row, out->name, sizeof out->name);
    row_text(&row, out->title, sizeof out->title);
    out->size = row_int(&row);
    out->fingerprint = row_unsigned(&row);
    out->inode = row_unsigned(&row);
    out->missing_since_ms = row_int(&row);
    sqlite3_reset(get);
    return RL_OK;
}

/* The number of the video that is there under the name; 0: none is. */
static enum rl_err number_at(struct catalog *catalog, int64_t directory, const char *name,
                             int64_t *out)
{
    sqlite3_stmt *find;
    *out = 0;
    enum rl_err err = statement_get(catalog, ST_VIDEO_NUMBER,
                                    "SELECT number FROM videos WHERE directory = ?1 AND name = ?2"
                                    " AND missing_since = 0",
                                    &find);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = find};
    bind_int(&binder, directory);
    bind_bytes(&binder, name, strlen(name));
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, find);
    if (err == RL_OK)
        *out = sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

static enum rl_err read_after(struct catalog *catalog, int64_t number, struct video *out)
{
    if (!out)
        return RL_OK;
    *out = (struct video){0};
    enum rl_err err = video_rows_read(catalog, &number, 1, out);
    if (err != RL_OK)
        video_clear(out);
    return err;
}

/* A column that is written costs its indexes and triggers whether it changes or not: the file of a
 * video that only moved is the same one. */
#define PLACED "directory, name, size, mtime_ns, device, job, outcome, updated_at, sequence"
#define PLACES "?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10"

static enum rl_err write_place(struct catalog *catalog, int64_t number, const struct before *before,
                               int64_t directory, const char *name, const struct file_stamp *stamp,
                               int64_t job, enum outcome outcome)
{
    bool moved = !before->missing_since_ms && before->inode == stamp->inode;
    catalog->vacant.directory = 0;
    sqlite3_stmt *set;
    enum rl_err err =
        moved
            ? statement_get(catalog, ST_VIDEO_MOVED,
                            "UPDATE videos SET (" PLACED ") = (" PLACES ") WHERE number = ?1", &set)
            : statement_get(catalog, ST_VIDEO_PLACE,
                            "UPDATE videos SET (" PLACED ", inode, missing_since) = (" PLACES
                            ", ?11, 0) WHERE number = ?1",
                            &set);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = set};
    bind_int(&binder, number);
    bind_int(&binder, directory);
    bind_bytes(&binder, name, strlen(name));
    bind_int(&binder, stamp->size);
    bind_int(&binder, stamp->mtime_ns);
    bind_unsigned(&binder, stamp->device);
    bind_int(&binder, job);
    bind_text(&binder, words_outcome(outcome));
    bind_int(&binder, clock_wall_ms());
    bind_int(&binder, catalog_next_sequence(catalog));
    if (!moved)
        bind_unsigned(&binder, stamp->inode);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, set) : err;
}

static enum rl_err place(struct catalog *catalog, int64_t number, const struct before *before,
                         int64_t directory, const char *name, const struct file_stamp *stamp,
                         int64_t job, enum outcome outcome)
{
    enum rl_err err = write_place(catalog, number, before, directory, name, stamp, job, outcome);
    if (err == RL_OK)
        err = video_renamed(catalog, number, before->name, name, before->title);
    if (err == RL_OK)
        err = identity_note(catalog, number, stamp->inode, before->fingerprint);
    bool there = before->missing_since_ms == 0, same = before->size == stamp->size;
    if (err == RL_OK && there && !same)
        err = twins_leave(catalog, number);
    if (err == RL_OK && (!there || !same))
        err = twins_join(catalog, number, stamp->size, before->fingerprint);
    return err == RL_OK ? failure_forget(catalog, directory, name) : err;
}

enum rl_err catalog_video_place(struct catalog *catalog, int64_t number, const char *path,
                                const struct file_stamp *stamp, int64_t job, enum outcome outcome,
                                struct video *out)
{
    if (out)
        *out = (struct video){0};
    enum rl_err err = catalog_enter_write(catalog);
    struct path_parts parts;
    struct before before;
    int64_t directory = 0, there = 0;
    if (err != RL_OK)
        return err;
    if (directory_split(path, &parts) != RL_OK)
        return catalog_fail(catalog, RL_EINVAL, "not the absolute path of a file");
    err = read_before(catalog, number, &before);
    if (err == RL_ENOTFOUND)
        return catalog_fail(catalog, err, "no video has this number");
    if (err == RL_OK)
        err = directory_need(catalog, parts.directory, parts.directory_len, &directory);
    if (err == RL_OK)
        err = number_at(catalog, directory, parts.name, &there);
    if (err == RL_OK && there && there != number)
        return catalog_fail(catalog, RL_EEXIST, "another video is there");
    if (err == RL_OK)
        err = place(catalog, number, &before, directory, parts.name, stamp, job, outcome);
    if (err == RL_OK)
        err = read_after(catalog, number, out);
    return catalog_leave_write(catalog, err);
}

static enum rl_err hide(struct catalog *catalog, int64_t number, int64_t job)
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
    struct binder binder = {.statement = set};
    bind_int(&binder, number);
    bind_int(&binder, now > 0 ? now : 1); /* 0 says that it is there */
    bind_int(&binder, catalog_next_sequence(catalog));
    bind_int(&binder, job);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_run(catalog, set);
    return err == RL_OK ? twins_leave(catalog, number) : err;
}

enum rl_err catalog_video_missing(struct catalog *catalog, int64_t number, int64_t job,
                                  struct video *out)
{
    if (out)
        *out = (struct video){0};
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    struct before before;
    err = read_before(catalog, number, &before);
    if (err == RL_ENOTFOUND || (err == RL_OK && before.missing_since_ms))
        return catalog_fail(catalog, RL_ENOTFOUND, "no video of this number is there");
    if (err == RL_OK)
        err = hide(catalog, number, job);
    if (err == RL_OK)
        err = read_after(catalog, number, out);
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
