/* json_video_append against json-c: the same bytes for whatever a catalogue may hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "../test.h"
#include "reeld/events.h"

static uint64_t state;

/* xorshift64* */
static uint64_t next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(2685821657736338717);
}

static uint64_t below(uint64_t n)
{
    return (next() >> 11) % n;
}

/* Well-formed and ill-formed pieces, and whatever JSON has an escape for. */
static const char *const pieces[] = {
    "film",     "a b",          "\"",       "\\",           "/",         "\n",  "\r\t\b\f",
    "\x01",     "\x1f",         "\x7f",     "\xc3\xa9",     "北京",      "🎬",   "\xff",
    "\xc0\xaf", "\xed\xa0\x80", "\xf0\x9f", "\xe2\x80\xa8", "</script>", "%00", "\\u0000",
    "null",     "\xef\xbf\xbd", "",
};

static void hostile_text(char *out, size_t size)
{
    size_t len = 0;
    for (uint64_t n = below(8); n > 0; n--) {
        const char *piece = pieces[below(sizeof pieces / sizeof *pieces)];
        size_t more = strlen(piece);
        if (len + more >= size)
            break;
        memcpy(out + len, piece, more);
        len += more;
    }
    if (below(8) == 0 && len + 1 < size)
        out[len++] = (char)(1 + below(255));
    if (below(20) == 0) {
        memset(out, (int)(1 + below(255)), size - 1); /* to the brim */
        len = size - 1;
    }
    out[len] = '\0';
}

static int64_t hostile_number(void)
{
    static const int64_t numbers[] = {0,
                                      1,
                                      -1,
                                      9,
                                      10,
                                      999999,
                                      1000000,
                                      1000001,
                                      1500000,
                                      -1,
                                      -999999,
                                      -1000001,
                                      60000000,
                                      INT64_MAX,
                                      INT64_MIN + 1,
                                      MEDIA_UNKNOWN,
                                      253402300799999,
                                      253402300800000,
                                      -62167219200001};
    if (below(2))
        return numbers[below(sizeof numbers / sizeof *numbers)];
    return (int64_t)(next() >> below(64));
}

static void hostile_stream(struct media_stream *stream)
{
    *stream = (struct media_stream){
        .index = (int32_t)hostile_number(),
        .kind = below(2) ? MEDIA_SUBTITLE : (int32_t)below(MEDIA_KINDS),
        .disposition = (uint32_t)next(),
        .duration_us = hostile_number(),
        .bit_rate = hostile_number(),
        .frames = hostile_number(),
    };
    hostile_text(stream->codec, sizeof stream->codec);
    hostile_text(stream->profile, sizeof stream->profile);
    hostile_text(stream->language, sizeof stream->language);
    hostile_text(stream->title, sizeof stream->title);
}

static void hostile_summary(struct media_summary *summary)
{
    summary->duration_us = hostile_number();
    summary->frames = hostile_number();
    summary->bit_rate = hostile_number();
    summary->taken_at_ms = hostile_number();
    summary->frame_rate = (struct media_rational){(int32_t)next(), (int32_t)hostile_number()};
    summary->width = (int32_t)next();
    summary->height = (int32_t)hostile_number();
    summary->rotation = (int32_t)hostile_number();
    summary->subtitle_count = (uint32_t)next();
    summary->data_count = (uint32_t)hostile_number();
    hostile_text(summary->container, sizeof summary->container);
    hostile_text(summary->video_codec, sizeof summary->video_codec);
    hostile_text(summary->audio_codec, sizeof summary->audio_codec);
    hostile_text(summary->hdr, sizeof summary->hdr);
    hostile_text(summary->title, sizeof summary->title);
}

static void hostile_video(struct video *video)
{
    char path[4096] = "/";
    *video = (struct video){
        .stamp = {.size = hostile_number(), .mtime_ns = hostile_number()},
        .created_at_ms = hostile_number(),
        .updated_at_ms = hostile_number(),
        .missing_since_ms = hostile_number(),
        .number = hostile_number(),
        .version = next(),
        .thumbnail = (int32_t)below(3),
        .thumbnail_width = (int32_t)hostile_number(),
    };
    if (below(10))
        id_new(video->id);
    for (uint64_t n = below(4); n > 0; n--) {
        char name[256];
        hostile_text(name, sizeof name);
        strcat(path, name);
        strcat(path, "/");
    }
    hostile_text(path + strlen(path), 256);
    video->path = strdup(path);
    hostile_summary(&video->info.summary);
    video->info.n_streams = (uint32_t)below(5);
    video->info.streams = calloc(5, sizeof *video->info.streams);
    for (uint32_t i = 0; i < video->info.n_streams; i++)
        hostile_stream(&video->info.streams[i]);
}

static void rows_are_what_json_c_prints(void **unused)
{
    (void)unused;
    state = UINT64_C(88172645463325252);
    struct buf rows = {0}, expected = {0};
    for (int i = 0; i < 20000; i++) {
        struct video video;
        hostile_video(&video);
        struct json_object *object = json_video(&video, false);
        assert_non_null(object);
        if (i % 10 == 0) {
            buf_clear(&rows);
            buf_clear(&expected);
        }
        /* One behind the other, so that what an earlier one left does not matter. */
        json_video_append(&rows, &video);
        buf_puts(&expected, json_object_to_json_string_ext(
                                object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
        assert_false(rows.failed);
        assert_int_equal(rows.len, expected.len);
        assert_string_equal(rows.data, expected.data);
        json_object_put(object);
        video_clear(&video);
    }
    buf_free(&rows);
    buf_free(&expected);
}

static void a_buffer_that_failed_stays_as_it_was(void **unused)
{
    (void)unused;
    struct video video;
    state = 7;
    hostile_video(&video);
    struct buf out = {0};
    buf_puts(&out, "before");
    out.failed = true;
    json_video_append(&out, &video);
    assert_true(out.failed);
    video_clear(&video);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_what_json_c_prints),
        cmocka_unit_test(a_buffer_that_failed_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
