#include <stdlib.h>
#include <string.h>

#include "private.h"

#define STREAM_COLUMNS                                                                             \
    "stream_index, kind, disposition, rotation, width, height, bit_depth, channels, "              \
    "sample_rate, aspect_num, aspect_den, rate_num, rate_den, average_num, average_den, "          \
    "bit_rate, duration_us, frames, codec, profile, language, pixel_format, color_range, "         \
    "color_space, color_primaries, color_transfer, channel_layout, hdr, title"

/* ---- writing ------------------------------------------------------------------------------- */

static void bind_stream(struct binder *binder, const struct media_stream *stream)
{
    bind_int(binder, stream->index);
    bind_text(binder, words_kind(stream->kind));
    bind_int(binder, stream->disposition);
    bind_int(binder, stream->rotation);
    bind_int(binder, stream->width);
    bind_int(binder, stream->height);
    bind_int(binder, stream->bit_depth);
    bind_int(binder, stream->channels);
    bind_int(binder, stream->sample_rate);
    bind_int(binder, stream->sample_aspect.num);
    bind_int(binder, stream->sample_aspect.den);
    bind_int(binder, stream->frame_rate.num);
    bind_int(binder, stream->frame_rate.den);
    bind_int(binder, stream->average_frame_rate.num);
    bind_int(binder, stream->average_frame_rate.den);
    bind_known(binder, stream->bit_rate);
    bind_known(binder, stream->duration_us);
    bind_known(binder, stream->frames);
    bind_text(binder, stream->codec);
    bind_text(binder, stream->profile);
    bind_text(binder, stream->language);
    bind_text(binder, stream->pixel_format);
    bind_text(binder, stream->color_range);
    bind_text(binder, stream->color_space);
    bind_text(binder, stream->color_primaries);
    bind_text(binder, stream->color_transfer);
    bind_text(binder, stream->channel_layout);
    bind_text(binder, stream->hdr);
    bind_text(binder, stream->title);
}

static enum rl_err put_stream(struct catalog *catalog, int64_t video, uint32_t position,
                              const struct media_stream *stream)
{
    sqlite3_stmt *add;
    enum rl_err err = statement_get(catalog, ST_STREAM_ADD,
                                    "INSERT INTO streams (video, position, " STREAM_COLUMNS ")"
                                    " VALUES (?1, ?2, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                                    " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                    &add);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = add};
    bind_int(&binder, video);
    bind_int(&binder, position);
    bind_stream(&binder, stream);
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
    enum rl_err err = RL_OK;
    for (uint32_t i = 0; err == RL_OK && i < info->n_streams; i++)
        err = put_stream(catalog, video, i, &info->streams[i]);
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

static void read_stream(struct row *row, struct media_stream *stream)
{
    stream->index = row_int32(row);
    stream->kind = words_parse_kind(row_word(row));
    stream->disposition = row_uint32(row);
    stream->rotation = row_int32(row);
    stream->width = row_int32(row);
    stream->height = row_int32(row);
    stream->bit_depth = row_int32(row);
    stream->channels = row_int32(row);
    stream->sample_rate = row_int32(row);
    stream->sample_aspect.num = row_int32(row);
    stream->sample_aspect.den = row_int32(row);
    stream->frame_rate.num = row_int32(row);
    stream->frame_rate.den = row_int32(row);
    stream->average_frame_rate.num = row_int32(row);
    stream->average_frame_rate.den = row_int32(row);
    stream->bit_rate = row_known(row);
    stream->duration_us = row_known(row);
    stream->frames = row_known(row);
    row_text(row, stream->codec, sizeof stream->codec);
    row_text(row, stream->profile, sizeof stream->profile);
    row_text(row, stream->language, sizeof stream->language);
    row_text(row, stream->pixel_format, sizeof stream->pixel_format);
    row_text(row, stream->color_range, sizeof stream->color_range);
    row_text(row, stream->color_space, sizeof stream->color_space);
    row_text(row, stream->color_primaries, sizeof stream->color_primaries);
    row_text(row, stream->color_transfer, sizeof stream->color_transfer);
    row_text(row, stream->channel_layout, sizeof stream->channel_layout);
    row_text(row, stream->hdr, sizeof stream->hdr);
    row_text(row, stream->title, sizeof stream->title);
}

/* Makes room for one more item; doubles at powers of two, so that no capacity need be kept. */
static void *grown(void *items, uint32_t count, size_t size)
{
    if (count & (count - 1))
        return items;
    return reallocarray(items, count ? (size_t)count * 2 : 1, size);
}

static enum rl_err add_stream(struct row *row, struct media_info *info)
{
    struct media_stream *streams = grown(info->streams, info->n_streams, sizeof *streams);
    if (!streams)
        return RL_ENOMEM;
    info->streams = streams;
    struct media_stream *stream = &streams[info->n_streams++];
    memset(stream, 0, sizeof *stream);
    read_stream(row, stream);
    return RL_OK;
}

static enum rl_err get_streams(struct catalog *catalog, int64_t video, struct media_info *info)
{
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, ST_STREAMS_GET,
                                    "SELECT " STREAM_COLUMNS " FROM streams WHERE video = ?1"
                                    " ORDER BY position LIMIT 128",
                                    &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, video);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, get)) == RL_OK) {
        struct row row = {.statement = get};
        err = add_stream(&row, info);
    }
    sqlite3_reset(get);
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
        struct media_chapter *chapters = grown(info->chapters, info->n_chapters, sizeof *chapters);
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
    enum rl_err err = get_streams(catalog, video, info);
    return err == RL_OK ? get_chapters(catalog, video, info) : err;
}

static enum rl_err get_subtitles(struct catalog *catalog, int64_t video, struct media_info *info)
{
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, ST_SUBTITLES_GET,
                                    "SELECT " STREAM_COLUMNS " FROM streams WHERE video = ?1"
                                    " AND kind = 'subtitle' ORDER BY position LIMIT 128",
                                    &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, video);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, get)) == RL_OK) {
        struct row row = {.statement = get};
        err = add_stream(&row, info);
    }
    sqlite3_reset(get);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

enum rl_err streams_subtitles(struct catalog *catalog, const int64_t *numbers, struct video *videos,
                              size_t count)
{
    enum rl_err err = RL_OK;
    for (size_t i = 0; err == RL_OK && i < count; i++) {
        if (videos[i].info.summary.subtitle_count > 0)
            err = get_subtitles(catalog, numbers[i], &videos[i].info);
    }
    return err;
}
