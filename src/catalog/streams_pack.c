#include "streams_pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

/* Files have this, so it never changes: a byte that says FORMAT, and then for each stream
 *  - four bytes, the lowest first: bit n says that the nth of `fields` follows; of what does not,
 *    a number is 0, a size or time unknown, a text empty;
 *  - each of those: a number as a varint (LEB128) of its zigzag code, a text as one byte for its
 *    length and its bytes.
 * The numbers of enum media_kind and the bits of a disposition stand in it too. */
enum { FORMAT = 1, NUMBER_MAX = 10, MASK_BYTES = 4 };

struct field {
    uint16_t offset, size; /* in struct media_stream */
    enum { FIELD_NUMBER, FIELD_KNOWN, FIELD_TEXT } form;
};

#define FIELD(member, form)                                                                        \
    {                                                                                              \
        offsetof(struct media_stream, member), sizeof((struct media_stream *)0)->member, form      \
    }
#define NUMBER(member) FIELD(member, FIELD_NUMBER)
#define KNOWN(member) FIELD(member, FIELD_KNOWN)
#define TEXT(member) FIELD(member, FIELD_TEXT)
#define RATIONAL(member) NUMBER(member.num), NUMBER(member.den)

static const struct field fields[] = {
    NUMBER(index),
    NUMBER(kind),
    NUMBER(disposition),
    NUMBER(rotation),
    NUMBER(width),
    NUMBER(height),
    NUMBER(bit_depth),
    NUMBER(channels),
    NUMBER(sample_rate),
    RATIONAL(sample_aspect),
    RATIONAL(frame_rate),
    RATIONAL(average_frame_rate),
    KNOWN(bit_rate),
    KNOWN(duration_us),
    KNOWN(frames),
    TEXT(codec),
    TEXT(profile),
    TEXT(language),
    TEXT(pixel_format),
    TEXT(color_range),
    TEXT(color_space),
    TEXT(color_primaries),
    TEXT(color_transfer),
    TEXT(channel_layout),
    TEXT(hdr),
    TEXT(title),
};

enum {
    FIELDS = sizeof fields / sizeof fields[0],
    STREAM_MAX = MASK_BYTES + FIELDS * NUMBER_MAX + sizeof(struct media_stream),
};

/* ---- writing ------------------------------------------------------------------------------- */

static int64_t number_of(const struct media_stream *stream, const struct field *field)
{
    const char *at = (const char *)stream + field->offset;
    if (field->form == FIELD_KNOWN) {
        int64_t value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    int32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint8_t *put_number(uint8_t *at, int64_t value)
{
    uint64_t code = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
    for (; code > 0x7f; code >>= 7)
        *at++ = (uint8_t)(code | 0x80);
    *at++ = (uint8_t)code;
    return at;
}

/* `at` has room for STREAM_MAX bytes. */
static uint8_t *put_stream(uint8_t *at, const struct media_stream *stream)
{
    uint8_t *mask = at;
    uint32_t bits = 0;
    at += MASK_BYTES;
    for (unsigned i = 0; i < FIELDS; i++) {
        const struct field *field = &fields[i];
        if (field->form == FIELD_TEXT) {
            const char *text = (const char *)stream + field->offset;
            size_t len = strnlen(text, field->size - 1U);
            if (len == 0)
                continue;
            *at++ = (uint8_t)len;
            memcpy(at, text, len);
            at += len;
        } else {
            int64_t value = number_of(stream, field);
            if (value == (field->form == FIELD_KNOWN ? MEDIA_UNKNOWN : 0))
                continue;
            at = put_number(at, value);
        }
        bits |= UINT32_C(1) << i;
    }
    for (unsigned i = 0; i < MASK_BYTES; i++)
        mask[i] = (uint8_t)(bits >> 8 * i);
    return at;
}

static void append_stream(struct buf *out, const struct media_stream *stream)
{
    if (!buf_reserve(out, STREAM_MAX))
        return;
    uint8_t *at = (uint8_t *)out->data + out->len;
    out->len += (size_t)(put_stream(at, stream) - at);
}

void streams_pack(const struct media_info *info, struct buf *out)
{
    const uint8_t format = FORMAT;
    buf_append(out, &format, 1);
    for (uint32_t i = 0; i < info->n_streams; i++)
        append_stream(out, &info->streams[i]);
}

/* ---- reading ------------------------------------------------------------------------------- */

struct packed {
    const uint8_t *at, *end;
};

static bool take_number(struct packed *packed, int64_t *out)
{
    uint64_t code = 0;
    for (unsigned shift = 0; packed->at < packed->end && shift < 64; shift += 7) {
        uint8_t byte = *packed->at++;
        code |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            uint64_t value = code >> 1 ^ (code & 1 ? UINT64_MAX : 0);
            memcpy(out, &value, sizeof value);
            return true;
        }
    }
    return false;
}

static bool take_text(struct packed *packed, char *out, size_t size)
{
    size_t len = packed->at < packed->end ? *packed->at++ : 0;
    if (len == 0 || len >= size || len > (size_t)(packed->end - packed->at))
        return false;
    memcpy(out, packed->at, len);
    out[len] = '\0';
    packed->at += len;
    return true;
}

/* `stream` is zeroed. */
static bool take_field(struct packed *packed, const struct field *field, bool there,
                       struct media_stream *stream)
{
    char *out = (char *)stream + field->offset;
    int64_t value = field->form == FIELD_KNOWN ? MEDIA_UNKNOWN : 0;
    if (field->form == FIELD_TEXT)
        return !there || take_text(packed, out, field->size);
    if (there && !take_number(packed, &value))
        return false;
    if (field->form == FIELD_KNOWN) {
        memcpy(out, &value, sizeof value);
        return true;
    }
    int32_t small = (int32_t)value;
    memcpy(out, &small, sizeof small);
    return small == value;
}

static bool take_stream(struct packed *packed, struct media_stream *out)
{
    uint32_t bits = 0;
    if (packed->end - packed->at < MASK_BYTES)
        return false;
    for (unsigned i = 0; i < MASK_BYTES; i++)
        bits |= (uint32_t)*packed->at++ << 8 * i;
    *out = (struct media_stream){0};
    bool good = bits >> FIELDS == 0;
    for (unsigned i = 0; good && i < FIELDS; i++)
        good = take_field(packed, &fields[i], bits >> i & 1, out);
    return good && out->kind >= 0 && out->kind < MEDIA_KINDS;
}

void *items_grown(void *items, uint32_t count, size_t size)
{
    if (count & (count - 1))
        return items;
    return reallocarray(items, count ? (size_t)count * 2 : 1, size);
}

static bool add(struct media_info *info, const struct media_stream *stream)
{
    struct media_stream *streams = items_grown(info->streams, info->n_streams, sizeof *streams);
    if (!streams)
        return false;
    info->streams = streams;
    streams[info->n_streams++] = *stream;
    return true;
}

enum rl_err streams_unpack(const void *bytes, size_t len, enum media_kind kind,
                           struct media_info *info)
{
    struct packed packed = {bytes, (const uint8_t *)bytes + len};
    if (len == 0 || *packed.at++ != FORMAT)
        return RL_EIO;
    while (packed.at < packed.end) {
        struct media_stream stream;
        if (!take_stream(&packed, &stream) || info->n_streams == MEDIA_STREAMS_MAX)
            return RL_EIO;
        if (kind != MEDIA_KINDS && stream.kind != (int32_t)kind)
            continue;
        if (!add(info, &stream))
            return RL_ENOMEM;
    }
    return RL_OK;
}

/* ---- from version 3 ------------------------------------------------------------------------ */

struct gathered {
    struct buf packed;
    sqlite3_int64 position; /* of the last one */
};

/* Of a column: NULL is a size or time that is not known, or an empty text. */
static void read_known(sqlite3_value *value, void *out)
{
    int64_t number =
        sqlite3_value_type(value) == SQLITE_NULL ? MEDIA_UNKNOWN : sqlite3_value_int64(value);
    memcpy(out, &number, sizeof number);
}

static void read_column(sqlite3_value *value, const struct field *field, struct media_stream *out)
{
    char *at = (char *)out + field->offset;
    if (field->form == FIELD_KNOWN) {
        read_known(value, at);
    } else if (field->form == FIELD_NUMBER) {
        int32_t number = sqlite3_value_int(value);
        memcpy(at, &number, sizeof number);
    } else {
        const char *text = (const char *)sqlite3_value_text(value);
        snprintf(at, field->size, "%s", text ? text : "");
    }
}

static void gather(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    struct gathered *gathered = sqlite3_aggregate_context(context, sizeof *gathered);
    if (!gathered) {
        sqlite3_result_error_nomem(context);
        return;
    }
    sqlite3_int64 position = sqlite3_value_int64(values[0]);
    struct media_stream stream = {0};
    for (unsigned i = 0; i < FIELDS; i++) {
        read_column(values[1 + i], &fields[i], &stream);
    }
    stream.kind = words_parse_kind((const char *)sqlite3_value_text(values[2]));
    if (gathered->packed.len == 0)
        streams_pack(&(struct media_info){0}, &gathered->packed);
    else if (position <= gathered->position)
        sqlite3_result_error(context, "streams out of their order", -1);
    gathered->position = position;
    append_stream(&gathered->packed, &stream);
}

static void give(sqlite3_context *context)
{
    struct gathered *gathered = sqlite3_aggregate_context(context, 0);
    if (!gathered)
        return;
    if (gathered->packed.failed)
        sqlite3_result_error_nomem(context);
    else
        sqlite3_result_blob64(context, gathered->packed.data, gathered->packed.len,
                              SQLITE_TRANSIENT);
    buf_free(&gathered->packed);
}

enum rl_err streams_functions(sqlite3 *db)
{
    return statement_error(db,
                           sqlite3_create_function_v2(db, "pack_streams", 1 + FIELDS, SQLITE_UTF8,
                                                      NULL, NULL, gather, give, NULL));
}
