/* Damaged files and absurd values: whatever they do to the parser, what comes out is in range. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "media_files.h"
#include "reeld/base.h"

static void check_rate(struct media_rational rate)
{
    assert_true(rate.num >= 0 && rate.den >= 0);
    assert_int_equal(rate.num == 0, rate.den == 0);
}

static void check_text(const char *text, size_t size)
{
    assert_non_null(memchr(text, '\0', size));
    assert_true(utf8_valid(text, strlen(text)));
}

static void check_stream(const struct media_stream *s)
{
    assert_true(s->kind >= 0 && s->kind < MEDIA_KINDS);
    assert_true(s->rotation >= 0 && s->rotation < 360);
    assert_true(s->width >= 0 && s->height >= 0 && s->channels >= 0 && s->sample_rate >= 0);
    assert_true(s->bit_depth >= 0 && s->bit_depth <= 64);
    assert_true(s->bit_rate == MEDIA_UNKNOWN || s->bit_rate > 0);
    assert_true(s->frames == MEDIA_UNKNOWN || s->frames > 0);
    check_rate(s->frame_rate);
    check_rate(s->average_frame_rate);
    check_rate(s->sample_aspect);
    check_text(s->codec, sizeof s->codec);
    check_text(s->profile, sizeof s->profile);
    check_text(s->language, sizeof s->language);
    check_text(s->title, sizeof s->title);
    check_text(s->channel_layout, sizeof s->channel_layout);
}

static void check_info(const struct media_info *info)
{
    const struct media_summary *s = &info->summary;
    assert_true(info->n_streams <= MEDIA_STREAMS_MAX && info->n_streams <= s->stream_count);
    assert_true(info->n_chapters <= MEDIA_CHAPTERS_MAX && info->n_chapters <= s->chapter_count);
    assert_true(s->video_count > 0);
    assert_true(s->duration_us == MEDIA_UNKNOWN || s->duration_us > 0);
    assert_true(s->bit_rate == MEDIA_UNKNOWN || s->bit_rate >= 0);
    assert_true(s->frames == MEDIA_UNKNOWN || s->frames >= 0);
    assert_true(s->rotation >= 0 && s->rotation < 360);
    check_rate(s->frame_rate);
    check_text(s->title, sizeof s->title);
    for (uint32_t i = 0; i < info->n_streams; i++)
        check_stream(&info->streams[i]);
    for (uint32_t i = 0; i < info->n_chapters; i++)
        check_text(info->chapters[i].title, sizeof info->chapters[i].title);
}

/* Probes the bytes, checks what comes out; whether it was described. */
static bool probe_checked(const unsigned char *bytes, size_t len, const char *hint)
{
    struct media_info info;
    char error[MEDIA_ERROR_SIZE];
    enum failure_code code = media_probe_bytes(bytes, len, hint, &info, error);
    if (code == FAILURE_NONE)
        check_info(&info);
    media_info_clear(&info);
    return code == FAILURE_NONE;
}

/* Flips bits, most of them where the structure is, and now and then cuts the end off. */
static size_t mutate(unsigned char *bytes, size_t len)
{
    size_t flips = 1 + (size_t)rand() % 24;
    for (size_t i = 0; i < flips; i++) {
        size_t range = rand() % 3 ? (len < 2048 ? len : 2048) : len;
        size_t at = (size_t)rand() % range;
        if (rand() % 4 == 0)
            at = len - 1 - at;
        int value = rand() % 3 ? bytes[at] ^ (1 << rand() % 8) : rand() % 2 ? 0xff : rand() >> 8;
        bytes[at] = (unsigned char)(value & 0xff);
    }
    return rand() % 4 ? len : 1 + (size_t)rand() % len;
}

static void test_flipped_bits(void **state)
{
    (void)state;
    enum { COPIES = 50 };
    static const char *const masters[][2] = {
        {"a.mp4", "-c:v libx264 -c:a aac -movflags faststart"},
        {"b.mp4", "-c:v libx264 -c:a aac -movflags +frag_keyframe+empty_moov"},
        {"c.mkv", "-c:v libx265 -x265-params log-level=none -c:a flac"},
        {"d.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"},
        {"e.avi", "-c:v mpeg4 -c:a libmp3lame"},
        {"f.ts", "-c:v libx264 -c:a ac3"},
        {"g.mpg", "-c:v mpeg2video -c:a mp2"},
        {"h.flv", "-c:v flv1 -ar 44100 -c:a libmp3lame"},
        {"i.wmv", "-c:v wmv2 -c:a wmav2"},
        {"j.ogv", "-c:v libtheora -c:a libvorbis"},
        {"k.mxf", "-c:v mpeg2video -c:a pcm_s16le -ar 48000"},
        {"l.mov", "-c:v prores_ks -frames:v 3 -c:a pcm_s16le -timecode 01:00:00:00"},
    };
    int described = 0, copies = 0;
    srand(20);
    for (size_t i = 0; i < sizeof masters / sizeof *masters; i++) {
        struct media_bytes master = media_make(masters[i][0], masters[i][1]);
        unsigned char *copy = malloc(master.len);
        assert_non_null(copy);
        assert_true(probe_checked(master.bytes, master.len, masters[i][0] + 2));
        for (int j = 0; j < COPIES; j++, copies++) {
            memcpy(copy, master.bytes, master.len);
            size_t len = mutate(copy, master.len);
            described += probe_checked(copy, len, masters[i][0] + 2);
        }
        free(copy);
        media_bytes_free(&master);
    }
    print_message("%d of %d damaged copies could still be described\n", described, copies);
    assert_true(copies >= 500);
    assert_true(described > 0 && described < copies);
}

/* The 36 bytes of the display matrix in the first track header (ISO/IEC 14496-12, 8.3.2). */
static unsigned char *matrix_of(struct media_bytes *file)
{
    for (size_t i = 0; i + 96 < file->len; i++) {
        if (memcmp(file->bytes + i, "tkhd", 4) == 0)
            return file->bytes + i + 44;
    }
    fail_msg("no track header");
    return NULL;
}

static void put32(unsigned char *at, int32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)((uint32_t)value >> (24 - 8 * i));
}

static void test_rotation(void **state)
{
    (void)state;
    enum { ONE = 65536 };
    static const struct {
        int32_t a, b, c, d, rotation;
    } table[] = {
        {ONE, 0, 0, ONE, 0},    {0, ONE, -ONE, 0, 90}, {-ONE, 0, 0, -ONE, 180},
        {0, -ONE, ONE, 0, 270}, {-ONE, 0, 0, ONE, 0}, /* mirrored left to right */
        {ONE, 0, 0, -ONE, 180},                       /* mirrored top to bottom */
        {0, 0, 0, 0, 0},                              /* no matrix at all */
        {0, ONE, 0, 0, 0},                            /* singular */
    };
    struct media_bytes file = media_make("turn.mp4", "-c:v libx264 -an");
    unsigned char *matrix = matrix_of(&file);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct media_info info;
        char error[MEDIA_ERROR_SIZE];
        put32(matrix, table[i].a);
        put32(matrix + 4, table[i].b);
        put32(matrix + 12, table[i].c);
        put32(matrix + 16, table[i].d);
        assert_int_equal(media_probe_bytes(file.bytes, file.len, "mp4", &info, error),
                         FAILURE_NONE);
        assert_int_equal(info.summary.rotation, table[i].rotation);
        media_info_clear(&info);
    }
    for (int i = 0; i < 200; i++) {
        for (int j = 0; j < 9; j++)
            put32(matrix + 4 * j, rand() % 3 ? rand() : INT32_MIN);
        assert_true(probe_checked(file.bytes, file.len, "mp4"));
    }
    media_bytes_free(&file);
}

static int prepare(void **state)
{
    (void)state;
    media_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_rotation),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
