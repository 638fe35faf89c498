#include <stdlib.h>
#include <string.h>

#include "private.h"
#include "streams_pack.h"

/* ---- writing ------------------------------------------------------------------------------- */

static enum rl_err put_packed(struct catalog *catalog, int64_t video, const struct media_info *info)
{
    sqlite3_stmt *add;
    enum rl_err err = statement_get(catalog, ST_STREAMS_ADD,
                                    "INSERT INTO streams (video, packed) VALUES (?1, ?2)", &add);
    if (err != RL_OK)
        return err;
    buf_clear(&catalog->text);
    streams_pack(info, &catalog->text);
    if (catalog->text.failed)
        return RL_ENOMEM;
    struct binder binder = {.statement = add};
    bind_int(&binder, video);
    bind_bytes(&binder, catalog->text.data, catalog->text.len);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, add) : err;
}

static enum rl_err put_chapter(struct catalog *catalog, int64_t video, uint32_t position,
                               const struct media_chapter *chapter)
{
    sqlite3_stmt *add;
    enum rl_err err = statement_get(catalog, ST_CHAPTER_ADD,
                                    "INSERT INTO chapters (video, position, start_us, end_us,"
                                    " title) VALUES (?1, ?2, ?3, ?4, ?5)",
                                    &add);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = add};
    bind_int(&binder, video);
    bind_int(&binder, position);
    bind_int(&binder, chapter->start_us);
    bind_int(&binder, chapter->end_us);
    bind_text(&binder, chapter->title);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, add) : err;
}

enum rl_err streams_put(struct catalog *catalog, int64_t video, const struct media_info *info)
{
    enum rl_err err = info->n_streams ? put_packed(catalog, video, info) : RL_OK;
    for (uint32_t i = 0; err == RL_OK && i < info->n_chapters; i++)
        err = put_chapter(catalog, video, i, &info->chapters[i]);
    return err;
}

static enum rl_err delete_of(struct catalog *catalog, int slot, const char *sql, int64_t video)
{
    sqlite3_stmt *statement;
    enum rl_err err = statement_get(catalog, slot, sql, &statement);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = statement};
    bind_int(&binder, video);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, statement) : err;
}

enum rl_err streams_delete(struct catalog *catalog, int64_t video)
{
    enum rl_err err =
        delete_of(catalog, ST_STREAMS_DELETE, "DELETE FROM streams WHERE video = ?1", video);
    if (err == RL_OK)
        err =
            delete_of(catalog, ST_CHAPTERS_DELETE, "DELETE FROM chapters WHERE video = ?1", video);
    return err;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* Those of one kind, or of all (MEDIA_KINDS). */
static enum rl_err get_streams(struct catalog *catalog, int64_t video, enum media_kind kind,
                               struct media_info *info)
{
    sqlite3_stmt *get;
    enum rl_err err =
        statement_get(catalog, ST_STREAMS_GET, "SELECT packed FROM streams WHERE video = ?1", &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, video);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK)
        err = streams_unpack(sqlite3_column_blob(get, 0), (size_t)sqlite3_column_bytes(get, 0),
                             kind, info);
    sqlite3_reset(get);
    if (err == RL_EIO)
        return catalog_fail(catalog, err, "the streams of a video are damaged");
    return err == RL_ENOTFOUND ? RL_OK : err;
}

static enum rl_err get_chapters(struct catalog *catalog, int64_t video, struct media_info *info)
{
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, ST_CHAPTERS_GET,
                                    "SELECT start_us, end_us, title FROM chapters"
                                    " WHERE video = ?1 ORDER BY position LIMIT 500",
                                    &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, video);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, get)) == RL_OK) {
        struct row row = {.statement = get};
        struct media_chapter *chapters =
            items_grown(info->chapters, info->n_chapters, sizeof *chapters);
        if (!chapters) {
            err = RL_ENOMEM;
            break;
        }
        info->chapters = chapters;
        struct media_chapter *chapter = &chapters[info->n_chapters++];
        memset(chapter, 0, sizeof *chapter);
        chapter->start_us = row_int(&row);
        chapter->end_us = row_int(&row);
        row_text(&row, chapter->title, sizeof chapter->title);
    }
    sqlite3_reset(get);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

enum rl_err streams_get(struct catalog *catalog, int64_t video, struct media_info *info)
{
    enum rl_err err = get_streams(catalog, video, MEDIA_KINDS, info);
    return err == RL_OK ? get_chapters(catalog, video, info) : err;
}

enum rl_err streams_subtitles(struct catalog *catalog, const int64_t *numbers, struct video *videos,
                              size_t count)
{
    enum rl_err err = RL_OK;
    for (size_t i = 0; err == RL_OK && i < count; i++) {
        if (videos[i].info.summary.subtitle_count > 0)
            err = get_streams(catalog, numbers[i], MEDIA_SUBTITLE, &videos[i].info);
    }
    return err;
}
