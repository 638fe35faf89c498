#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reply_private.h"

/* ---- texts --------------------------------------------------------------------------------- */

static const struct text_field stream_texts[] = {
    TEXT(struct media_stream, codec),           TEXT(struct media_stream, profile),
    TEXT(struct media_stream, language),        TEXT(struct media_stream, pixel_format),
    TEXT(struct media_stream, color_range),     TEXT(struct media_stream, color_space),
    TEXT(struct media_stream, color_primaries), TEXT(struct media_stream, color_transfer),
    TEXT(struct media_stream, channel_layout),  TEXT(struct media_stream, hdr),
    TEXT(struct media_stream, title),
};

static const struct text_field chapter_texts[] = {TEXT(struct media_chapter, title)};

static const struct text_field probed_texts[] = {
    TEXT(struct wire_probed, error),
    TEXT(struct wire_probed, summary.container),
    TEXT(struct wire_probed, summary.video_codec),
    TEXT(struct wire_probed, summary.audio_codec),
    TEXT(struct wire_probed, summary.hdr),
    TEXT(struct wire_probed, summary.title),
};

static const struct text_field hello_texts[] = {
    TEXT(struct wire_hello, version),
    TEXT(struct wire_hello, words),
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Writes U+FFFD for what is not UTF-8 and cuts between characters. */
static enum rl_err text_repair(char *text, size_t size)
{
    struct buf repaired = {0};
    utf8_append_lossy(&repaired, text, strlen(text));
    if (repaired.failed) {
        buf_free(&repaired);
        return RL_ENOMEM;
    }
    size_t len = repaired.len < size ? repaired.len : size - 1;
    while (!utf8_valid(repaired.data, len))
        len--;
    memcpy(text, repaired.data, len);
    memset(text + len, 0, size - len);
    buf_free(&repaired);
    return RL_OK;
}

enum rl_err reply_texts_check(void *record, const struct text_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = (char *)record + fields[i].offset;
        size_t len = strnlen(text, fields[i].size);
        if (len == fields[i].size)
            return RL_EINVAL;
        memset(text + len, 0, fields[i].size - len);
        enum rl_err err = RL_OK;
        if (!utf8_valid(text, len))
            err = text_repair(text, fields[i].size);
        if (err)
            return err;
    }
    return RL_OK;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static void amount_tame(int64_t *value)
{
    if (*value < 0)
        *value = MEDIA_UNKNOWN;
}

static void size_tame(int32_t *value)
{
    if (*value < 0)
        *value = 0;
}

static void rational_tame(struct media_rational *rational)
{
    if (rational->num < 0 || rational->den < 0 || (rational->den == 0 && rational->num != 0))
        *rational = (struct media_rational){0, 0};
}

static void rotation_tame(int32_t *degrees)
{
    *degrees = (*degrees % 360 + 360) % 360;
}

static void stream_tame(struct media_stream *stream)
{
    rotation_tame(&stream->rotation);
    size_tame(&stream->width);
    size_tame(&stream->height);
    size_tame(&stream->bit_depth);
    size_tame(&stream->channels);
    size_tame(&stream->sample_rate);
    rational_tame(&stream->sample_aspect);
    rational_tame(&stream->frame_rate);
    rational_tame(&stream->average_frame_rate);
    amount_tame(&stream->bit_rate);
    amount_tame(&stream->duration_us);
    amount_tame(&stream->frames);
}

static void summary_tame(struct media_summary *summary)
{
    amount_tame(&summary->duration_us);
    amount_tame(&summary->frames);
    amount_tame(&summary->bit_rate);
    rational_tame(&summary->frame_rate);
    size_tame(&summary->width);
    size_tame(&summary->height);
    rotation_tame(&summary->rotation);
}

static bool summary_possible(const struct media_summary *summary, const struct wire_probed *probed)
{
    const uint32_t kinds[] = {
        summary->video_count, summary->audio_count,      summary->subtitle_count,
        summary->data_count,  summary->attachment_count, probed->n_streams,
    };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (kinds[i] > summary->stream_count)
            return false;
    }
    return summary->stream_count <= INT32_MAX && summary->chapter_count <= INT32_MAX &&
           probed->n_chapters <= summary->chapter_count && summary->video_index >= -1 &&
           summary->audio_index >= -1;
}

/* ---- messages ------------------------------------------------------------------------------ */

/* What a worker can find out about a file. The other codes are for the daemon to give. */
bool reply_code_possible(int32_t code, enum wire_kind kind)
{
    switch (code) {
    case FAILURE_NONE:
    case FAILURE_TIMEOUT:
    case FAILURE_OOM:
    case FAILURE_NOT_MEDIA:
    case FAILURE_NO_VIDEO_STREAM:
    case FAILURE_TRUNCATED:
    case FAILURE_EMPTY:
    case FAILURE_UNREADABLE:
    case FAILURE_IO_ERROR:
    case FAILURE_NOT_A_FILE:
    case FAILURE_CORRUPT:
        return true;
    case FAILURE_NO_PICTURE:
        return kind == WIRE_PICTURED;
    default:
        return false;
    }
}

enum rl_err reply_header_check(const struct wire_header *header, enum wire_kind kind,
                               uint64_t number, const char **why)
{
    *why = "a message that is no answer";
    if (header->version != WIRE_VERSION || header->kind != kind)
        return RL_EINVAL;
    *why = "an answer to another question";
    return header->number == number ? RL_OK : RL_EINVAL;
}

uint64_t reply_number(const void *message, size_t len)
{
    struct wire_header header;
    if (len < sizeof header)
        return 0;
    memcpy(&header, message, sizeof header);
    return header.number;
}

enum rl_err reply_read_hello(const void *message, size_t len, struct wire_hello *out,
                             const char **why)
{
    *why = "its greeting is malformed";
    if (len < sizeof out->header)
        return RL_EINVAL;
    memcpy(&out->header, message, sizeof out->header);
    if (out->header.kind != WIRE_HELLO)
        return RL_EINVAL;
    if (out->header.version != WIRE_VERSION || len != sizeof *out) {
        *why = "it is of another build than the daemon";
        return RL_EVERSION;
    }
    memcpy(out, message, sizeof *out);
    if (out->layout != WIRE_LAYOUT) {
        *why = "it is of another build than the daemon";
        return RL_EVERSION;
    }
    if (out->sandbox < WIRE_SANDBOX_FULL || out->sandbox > WIRE_SANDBOX_FAILED)
        return RL_EINVAL;
    return reply_texts_check(out, hello_texts, COUNT(hello_texts));
}

/* The fixed part, and that the length is what it promises. */
static enum rl_err probed_check(const void *message, size_t len, uint64_t number,
                                struct wire_probed *probed, const char **why)
{
    *why = "an answer of impossible size";
    if (len < sizeof *probed || len > WIRE_REPLY_MAX)
        return RL_EINVAL;
    memcpy(probed, message, sizeof *probed);
    enum rl_err err = reply_header_check(&probed->header, WIRE_PROBED, number, why);
    if (err)
        return err;
    *why = "an answer that contradicts itself";
    if (!reply_code_possible(probed->code, WIRE_PROBED) || probed->n_streams > MEDIA_STREAMS_MAX ||
        probed->n_chapters > MEDIA_CHAPTERS_MAX ||
        len != sizeof *probed + probed->n_streams * sizeof(struct media_stream) +
                   probed->n_chapters * sizeof(struct media_chapter))
        return RL_EINVAL;
    if (probed->code != FAILURE_NONE && (probed->n_streams || probed->n_chapters))
        return RL_EINVAL;
    if (probed->code == FAILURE_NONE && !summary_possible(&probed->summary, probed))
        return RL_EINVAL;
    *why = "an answer with a text that does not end";
    return reply_texts_check(probed, probed_texts, COUNT(probed_texts));
}

/* `bytes` of an array into memory of its own; NULL for none. */
static enum rl_err array_copy(const char *from, size_t bytes, void **out)
{
    *out = NULL;
    if (bytes == 0)
        return RL_OK;
    *out = malloc(bytes);
    if (!*out)
        return RL_ENOMEM;
    memcpy(*out, from, bytes);
    return RL_OK;
}

static enum rl_err streams_read(const char *from, uint32_t count, struct media_info *info)
{
    void *copy;
    enum rl_err err = array_copy(from, count * sizeof *info->streams, &copy);
    if (err)
        return err;
    info->streams = copy;
    info->n_streams = count;
    for (uint32_t i = 0; !err && i < count; i++) {
        struct media_stream *stream = &info->streams[i];
        if (stream->kind < 0 || stream->kind >= MEDIA_KINDS || stream->index < 0)
            return RL_EINVAL;
        stream_tame(stream);
        err = reply_texts_check(stream, stream_texts, COUNT(stream_texts));
    }
    return err;
}

static enum rl_err chapters_read(const char *from, uint32_t count, struct media_info *info)
{
    void *copy;
    enum rl_err err = array_copy(from, count * sizeof *info->chapters, &copy);
    if (err)
        return err;
    info->chapters = copy;
    info->n_chapters = count;
    for (uint32_t i = 0; !err && i < count; i++)
        err = reply_texts_check(&info->chapters[i], chapter_texts, COUNT(chapter_texts));
    return err;
}

enum rl_err reply_read_probed(const void *message, size_t len, uint64_t number,
                              struct pool_result *out, const char **why)
{
    struct wire_probed probed;
    enum rl_err err = probed_check(message, len, number, &probed, why);
    if (err)
        return err;
    out->code = (enum failure_code)probed.code;
    out->info = (struct media_info){0};
    memcpy(out->error, probed.error, sizeof out->error);
    if (out->code != FAILURE_NONE)
        return RL_OK;

    out->error[0] = '\0';
    out->info.summary = probed.summary;
    summary_tame(&out->info.summary);
    *why = "an answer with an impossible stream or chapter";
    const char *streams = (const char *)message + sizeof probed;
    const char *chapters = streams + probed.n_streams * sizeof(struct media_stream);
    err = streams_read(streams, probed.n_streams, &out->info);
    if (!err)
        err = chapters_read(chapters, probed.n_chapters, &out->info);
    if (err)
        media_info_clear(&out->info);
    return err;
}
