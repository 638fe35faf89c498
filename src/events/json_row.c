/* A video's summary straight as text. A list of a thousand videos through json-c is a hundred
 * thousand small allocations, and was most of what a page cost. The members stand in json_video.c
 * too: a test compares the two byte by byte. */
#include <inttypes.h>
#include <string.h>

#include "json.h"

/* Room for `len` further bytes, where they are to be written; NULL: out of memory. */
static inline char *room(struct buf *out, size_t len)
{
    if (out->cap - out->len <= len && !buf_reserve(out, len))
        return NULL;
    return out->data + out->len;
}

static inline void put(struct buf *out, const char *bytes, size_t len)
{
    char *at = room(out, len);
    if (!at)
        return;
    memcpy(at, bytes, len);
    out->len += len;
}

#define PUT(out, literal) put(out, literal, sizeof(literal) - 1)

/* As json-c escapes: 0, the byte stands for itself; 'u', \u00xx; otherwise the letter behind the
 * backslash. */
static const char escapes[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b',         't',           'n', 'u',
    'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u',         'u',           'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\',
};

static char *escape(char *at, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    *at++ = '\\';
    *at++ = escapes[byte];
    if (escapes[byte] != 'u')
        return at;
    *at++ = '0';
    *at++ = '0';
    *at++ = hex[byte >> 4];
    *at++ = hex[byte & 15];
    return at;
}

/* The bytes between quotes, whatever they are. */
static void put_quoted(struct buf *out, const char *text, size_t len)
{
    enum { ESCAPED_MAX = 6 }; /* bytes that one may become */
    if (len > (SIZE_MAX / 2 - 2) / ESCAPED_MAX) {
        out->failed = true;
        return;
    }
    char *at = room(out, ESCAPED_MAX * len + 2);
    if (!at)
        return;
    *at++ = '"';
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (escapes[byte])
            at = escape(at, byte);
        else
            *at++ = (char)byte;
    }
    *at++ = '"';
    out->len = (size_t)(at - out->data);
}

static void put_text(struct buf *out, const char *text)
{
    if (*text)
        put_quoted(out, text, strlen(text));
    else
        PUT(out, "null");
}

/* Digits into the end of `text`; how many. */
static size_t digits(uint64_t value, char text[20])
{
    size_t n = 0;
    do {
        text[20 - ++n] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return n;
}

static void put_unsigned(struct buf *out, uint64_t value)
{
    char text[20];
    size_t n = digits(value, text);
    put(out, text + 20 - n, n);
}

static void put_int(struct buf *out, int64_t value)
{
    if (value < 0)
        PUT(out, "-");
    put_unsigned(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void put_known(struct buf *out, int64_t value)
{
    if (value == MEDIA_UNKNOWN)
        PUT(out, "null");
    else
        put_int(out, value);
}

static void put_seconds(struct buf *out, int64_t us)
{
    if (us == MEDIA_UNKNOWN) {
        PUT(out, "null");
        return;
    }
    uint64_t size = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    if (us < 0)
        PUT(out, "-");
    put_unsigned(out, size / 1000000);
    char fraction[7] = ".";
    size_t n = 7;
    for (uint64_t rest = size % 1000000; n > 1; rest /= 10)
        fraction[--n] = (char)('0' + rest % 10);
    for (n = 7; n > 2 && fraction[n - 1] == '0'; n--)
        ;
    put(out, fraction, n);
}

static void put_time(struct buf *out, int64_t wall_ms)
{
    if (wall_ms == 0 || wall_ms == MEDIA_UNKNOWN) {
        PUT(out, "null");
        return;
    }
    char text[CLOCK_TEXT_SIZE];
    clock_rfc3339(wall_ms, text);
    PUT(out, "\"");
    put(out, text, strlen(text));
    PUT(out, "\"");
}

/* Bytes as text: lossy where they are not UTF-8. */
static void put_lossy(struct buf *out, const char *bytes, bool valid)
{
    if (valid) {
        put_text(out, bytes);
        return;
    }
    struct buf text = {0};
    utf8_append_lossy(&text, bytes, strlen(bytes));
    if (text.failed)
        out->failed = true;
    else
        put_text(out, text.data);
    buf_free(&text);
}

static void put_path(struct buf *out, const char *path)
{
    const char *name = path_name(path);
    bool valid = utf8_valid(path, strlen(path));
    put_lossy(out, path, valid);
    if (!valid) {
        struct buf uri = {0};
        path_uri_encode(&uri, path);
        PUT(out, ",\"path_uri\":");
        if (uri.failed)
            out->failed = true;
        else
            put_quoted(out, uri.data, uri.len);
        buf_free(&uri);
    }
    PUT(out, ",\"filename\":");
    put_lossy(out, name, valid || utf8_valid(name, strlen(name)));
}

static void put_summary(struct buf *out, const struct media_summary *summary)
{
    PUT(out, ",\"duration_frames\":");
    put_known(out, summary->frames);
    PUT(out, ",\"frame_rate_numerator\":");
    put_int(out, summary->frame_rate.num);
    PUT(out, ",\"frame_rate_denominator\":");
    put_int(out, summary->frame_rate.den);
    PUT(out, ",\"width\":");
    put_int(out, summary->width);
    PUT(out, ",\"height\":");
    put_int(out, summary->height);
    PUT(out, ",\"video_codec\":");
    put_text(out, summary->video_codec);
    PUT(out, ",\"audio_codec\":");
    put_text(out, summary->audio_codec);
    PUT(out, ",\"subtitle_count\":");
    put_int(out, summary->subtitle_count);
    PUT(out, ",\"data_count\":");
    put_int(out, summary->data_count);
    PUT(out, ",\"duration_s\":");
    put_seconds(out, summary->duration_us);
    PUT(out, ",\"container\":");
    put_text(out, summary->container);
    PUT(out, ",\"bit_rate\":");
    put_known(out, summary->bit_rate);
    PUT(out, ",\"rotation\":");
    put_int(out, summary->rotation);
    PUT(out, ",\"hdr\":");
    put_text(out, summary->hdr);
    PUT(out, ",\"title\":");
    put_text(out, summary->title);
    PUT(out, ",\"taken_at\":");
    put_time(out, summary->taken_at_ms);
}

static void put_disposition(struct buf *out, uint32_t bits)
{
    const char *comma = "";
    PUT(out, ",\"disposition\":[");
#define X(name, word, bit)                                                                         \
    if (bits & MEDIA_DISPOSITION_##name) {                                                         \
        put(out, comma, strlen(comma));                                                            \
        PUT(out, "\"" word "\"");                                                                  \
        comma = ",";                                                                               \
    }
    MEDIA_DISPOSITIONS(X)
#undef X
    PUT(out, "]");
}

static void put_subtitle(struct buf *out, const struct media_stream *stream)
{
    PUT(out, "{\"index\":");
    put_int(out, stream->index);
    PUT(out, ",\"kind\":\"subtitle\",\"codec\":");
    put_text(out, stream->codec);
    PUT(out, ",\"profile\":");
    put_text(out, stream->profile);
    PUT(out, ",\"language\":");
    put_text(out, stream->language);
    PUT(out, ",\"title\":");
    put_text(out, stream->title);
    put_disposition(out, stream->disposition);
    PUT(out, ",\"duration_s\":");
    put_seconds(out, stream->duration_us);
    PUT(out, ",\"bit_rate\":");
    put_known(out, stream->bit_rate);
    PUT(out, ",\"frames\":");
    put_known(out, stream->frames);
    PUT(out, "}");
}

static void put_subtitles(struct buf *out, const struct media_info *info)
{
    bool first = true;
    PUT(out, ",\"subtitle_streams\":[");
    for (uint32_t i = 0; i < info->n_streams; i++) {
        if (info->streams[i].kind != MEDIA_SUBTITLE)
            continue;
        if (!first)
            PUT(out, ",");
        first = false;
        put_subtitle(out, &info->streams[i]);
    }
    PUT(out, "]");
}

static void put_addresses(struct buf *out, const struct video *video)
{
    PUT(out, ",\"thumbnail_url\":");
    if (video->thumbnail == THUMBNAIL_FAILED) {
        PUT(out, "null");
    } else {
        char version[PICTURE_VERSION_SIZE];
        picture_version_text(video->version, version);
        PUT(out, "\"/api/v1/videos/");
        put(out, video->id, strlen(video->id));
        PUT(out, "/thumbnail?v=");
        put(out, version, sizeof version - 1);
        PUT(out, "\"");
    }
    PUT(out, ",\"file_url\":");
    if (video->missing_since_ms) {
        PUT(out, "null}");
    } else {
        PUT(out, "\"/api/v1/videos/");
        put(out, video->id, strlen(video->id));
        PUT(out, "/file\"}");
    }
}

static void put_thumbnail(struct buf *out, const struct video *video)
{
    static const char *const words[] = {[THUMBNAIL_PENDING] = "pending",
                                        [THUMBNAIL_READY] = "ready",
                                        [THUMBNAIL_FAILED] = "failed"};
    PUT(out, ",\"thumbnail\":");
    put_text(out, words[video->thumbnail]);
    PUT(out, ",\"thumbnail_path\":");
    if (video->thumbnail == THUMBNAIL_READY) {
        char path[PICTURE_PATH_SIZE];
        picture_path(&(struct picture_key){.number = video->number,
                                           .version = video->version,
                                           .width = video->thumbnail_width},
                     path);
        put_text(out, path);
    } else {
        PUT(out, "null");
    }
    put_addresses(out, video);
}

void json_video_append(struct buf *out, const struct video *video)
{
    PUT(out, "{\"id\":");
    put_text(out, video->id);
    PUT(out, ",\"path\":");
    put_path(out, video->path);
    put_summary(out, &video->info.summary);
    put_subtitles(out, &video->info);
    PUT(out, ",\"file_size\":");
    put_int(out, video->stamp.size);
    PUT(out, ",\"modified_at\":");
    put_time(out, video->stamp.mtime_ns / 1000000);
    PUT(out, ",\"created_at\":");
    put_time(out, video->created_at_ms);
    PUT(out, ",\"updated_at\":");
    put_time(out, video->updated_at_ms);
    PUT(out, ",\"missing_since\":");
    put_time(out, video->missing_since_ms);
    put_thumbnail(out, video);
    if (room(out, 0))
        out->data[out->len] = '\0';
}
