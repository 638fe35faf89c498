#include <stdlib.h>
#include <string.h>

#include "find.h"

static void read_summary(struct row *row, struct media_summary *summary)
{
    summary->duration_us = row_int(row);
    summary->frames = row_known(row);
    summary->bit_rate = row_known(row);
    summary->taken_at_ms = row_known(row);
    summary->fingerprint = row_unsigned(row);
    summary->frame_rate.num = row_int32(row);
    summary->frame_rate.den = row_int32(row);
    summary->width = row_int32(row);
    summary->height = row_int32(row);
    summary->rotation = row_int32(row);
    summary->video_index = row_int32(row);
    summary->audio_index = row_int32(row);
    summary->video_count = row_uint32(row);
    summary->audio_count = row_uint32(row);
    summary->subtitle_count = row_uint32(row);
    summary->data_count = row_uint32(row);
    summary->attachment_count = row_uint32(row);
    summary->stream_count = row_uint32(row);
    summary->chapter_count = row_uint32(row);
    row_text(row, summary->container, sizeof summary->container);
    row_text(row, summary->video_codec, sizeof summary->video_codec);
    row_text(row, summary->audio_codec, sizeof summary->audio_codec);
    row_text(row, summary->hdr, sizeof summary->hdr);
    row_text(row, summary->title, sizeof summary->title);
}

/* The columns from the folder's path and the name on; `path` is both together. */
static enum rl_err read_rest(struct row *row, char *path, struct video *out)
{
    out->path = path;
    out->stamp.size = row_int(row);
    out->stamp.mtime_ns = row_int(row);
    out->stamp.device = row_unsigned(row);
    out->stamp.inode = row_unsigned(row);
    out->created_at_ms = row_int(row);
    out->updated_at_ms = row_int(row);
    out->missing_since_ms = row_int(row);
    out->sequence = row_int(row);
    out->thumbnail = row_int32(row);
    read_summary(row, &out->info.summary);
    out->version = row_unsigned(row);
    out->thumbnail_width = row_int32(row);
    return path ? RL_OK : RL_ENOMEM;
}

enum rl_err video_row_read(sqlite3_stmt *statement, int64_t *number, struct video *out)
{
    *out = (struct video){0};
    struct row row = {.statement = statement};
    out->number = *number = row_int(&row);
    row_id(&row, out->id);
    char *path = row_path(&row);
    return read_rest(&row, path, out);
}

/* Appends the path of a folder: from memory, where it is there. */
static enum rl_err append_folder(struct catalog *catalog, int64_t id, struct buf *out)
{
    size_t len;
    const char *kept = paths_get(catalog->find->paths, id, &len);
    if (kept) {
        buf_append(out, kept, len);
        return RL_OK;
    }
    sqlite3_stmt *get;
    enum rl_err err =
        statement_get(catalog, ST_FOLDER_PATH, "SELECT path FROM directories WHERE id = ?1", &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, id);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK) {
        struct row row = {.statement = get};
        row_append(&row, out);
    }
    sqlite3_reset(get);
    return err;
}

static enum rl_err read_columns(struct catalog *catalog, sqlite3_stmt *statement, struct video *out)
{
    struct buf path = {0};
    struct row row = {.statement = statement};
    out->number = row_int(&row);
    row_id(&row, out->id);
    enum rl_err err = append_folder(catalog, row_int(&row), &path);
    if (path.len == 0 || path.data[path.len - 1] != '/')
        buf_append(&path, "/", 1);
    row_append(&row, &path);
    char *text = buf_steal(&path);
    if (err == RL_OK)
        return read_rest(&row, text, out);
    free(text);
    return err;
}

static enum rl_err read_one(struct catalog *catalog, sqlite3_stmt *get, int64_t number,
                            struct video *out)
{
    struct binder binder = {.statement = get};
    bind_int(&binder, number);
    enum rl_err err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK)
        err = read_columns(catalog, get, out);
    sqlite3_reset(get);
    return err;
}

static enum rl_err read_each(struct catalog *catalog, const int64_t *numbers, size_t count,
                             struct video *out)
{
    sqlite3_stmt *get;
    enum rl_err err = statement_get(
        catalog, ST_VIDEO_ROWS,
        "SELECT " VIDEO_COLUMNS_IN("v.directory") " FROM videos v WHERE v.number = ?1", &get);
    for (size_t i = 0; err == RL_OK && i < count; i++)
        err = read_one(catalog, get, numbers[i], &out[i]);
    return err == RL_OK ? streams_subtitles(catalog, numbers, out, count) : err;
}

enum rl_err video_row_get(struct catalog *catalog, int64_t number, struct video *out)
{
    enum rl_err err = read_each(catalog, &number, 1, out);
    if (err != RL_OK)
        video_clear(out);
    return err;
}

enum rl_err video_rows_read(struct catalog *catalog, const int64_t *numbers, size_t count,
                            struct video *out)
{
    enum rl_err err = read_each(catalog, numbers, count, out);
    return err == RL_ENOTFOUND ? catalog_fail(catalog, RL_EIO, "a video has no row") : err;
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void languages_of(const struct media_info *info, struct buf *out)
{
    const char *words[MEDIA_STREAMS_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < info->n_streams && count < MEDIA_STREAMS_MAX; i++) {
        if (info->streams[i].language[0])
            words[count++] = info->streams[i].language;
    }
    qsort(words, count, sizeof *words, compare_words);
    buf_clear(out);
    buf_puts(out, "");
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(words[i], words[i - 1]) != 0)
            buf_printf(out, "%s%s", out->len ? "," : "", words[i]);
    }
}

static void bind_summary(struct binder *binder, const struct media_summary *summary)
{
    /* Not NULL when unknown: it is a sort key, and a cursor compares it. */
    bind_int(binder, summary->duration_us);
    bind_known(binder, summary->frames);
    bind_known(binder, summary->bit_rate);
    bind_known(binder, summary->taken_at_ms);
    bind_unsigned(binder, summary->fingerprint);
    bind_int(binder, summary->frame_rate.num);
    bind_int(binder, summary->frame_rate.den);
    bind_int(binder, summary->width);
    bind_int(binder, summary->height);
    bind_int(binder, summary->rotation);
    bind_int(binder, summary->video_index);
    bind_int(binder, summary->audio_index);
    bind_int(binder, summary->video_count);
    bind_int(binder, summary->audio_count);
    bind_int(binder, summary->subtitle_count);
    bind_int(binder, summary->data_count);
    bind_int(binder, summary->attachment_count);
    bind_int(binder, summary->stream_count);
    bind_int(binder, summary->chapter_count);
    bind_text(binder, summary->container);
    bind_text(binder, summary->video_codec);
    bind_text(binder, summary->audio_codec);
    bind_text(binder, summary->hdr);
    bind_text(binder, summary->title);
}

void video_row_bind(struct binder *binder, const struct video *video, int64_t job,
                    enum outcome outcome, const char *languages)
{
    bind_int(binder, video->stamp.size);
    bind_int(binder, video->stamp.mtime_ns);
    bind_unsigned(binder, video->stamp.device);
    bind_unsigned(binder, video->stamp.inode);
    bind_int(binder, job);
    bind_text(binder, words_outcome(outcome));
    bind_int(binder, video->created_at_ms);
    bind_int(binder, video->updated_at_ms);
    bind_int(binder, video->sequence);
    bind_int(binder, video->thumbnail);
    bind_summary(binder, &video->info.summary);
    bind_text(binder, languages);
    bind_unsigned(binder, video->version);
    bind_int(binder, video->thumbnail_width);
}
