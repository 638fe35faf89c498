#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/catalog/streams_pack.h"

enum { STREAMS = 40 };

static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static int32_t number(uint32_t *random)
{
    static const int32_t edges[] = {0, 1, -1, 63, 64, -64, -65, 8191, INT32_MAX, INT32_MIN};
    uint32_t choice = next(random) % 20;
    return choice < 10 ? edges[choice] : (int32_t)(next(random) >> next(random) % 31);
}

static int64_t known(uint32_t *random)
{
    static const int64_t edges[] = {0, MEDIA_UNKNOWN, INT64_MAX, INT64_MIN + 1, -1};
    uint32_t choice = next(random) % 8;
    return choice < 5 ? edges[choice] : (int64_t)next(random) << next(random) % 31;
}

/* Empty, full to the last byte, and in between; bytes of every kind but NUL. */
static void text(uint32_t *random, char *out, size_t size)
{
    size_t choice = next(random) % 4;
    size_t len = choice == 0 ? 0 : choice == 1 ? size - 1 : next(random) % size;
    memset(out, 0, size);
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(1 + next(random) % 255);
}

static void make(uint32_t *random, struct media_stream *out)
{
    *out = (struct media_stream){
        .index = number(random),
        .kind = (int32_t)(next(random) % MEDIA_KINDS),
        .disposition = next(random) % 131072,
        .rotation = number(random),
        .width = number(random),
        .height = number(random),
        .bit_depth = number(random),
        .channels = number(random),
        .sample_rate = number(random),
        .sample_aspect = {number(random), number(random)},
        .frame_rate = {number(random), number(random)},
        .average_frame_rate = {number(random), number(random)},
        .bit_rate = known(random),
        .duration_us = known(random),
        .frames = known(random),
    };
    text(random, out->codec, sizeof out->codec);
    text(random, out->profile, sizeof out->profile);
    text(random, out->language, sizeof out->language);
    text(random, out->pixel_format, sizeof out->pixel_format);
    text(random, out->color_range, sizeof out->color_range);
    text(random, out->color_space, sizeof out->color_space);
    text(random, out->color_primaries, sizeof out->color_primaries);
    text(random, out->color_transfer, sizeof out->color_transfer);
    text(random, out->channel_layout, sizeof out->channel_layout);
    text(random, out->hdr, sizeof out->hdr);
    text(random, out->title, sizeof out->title);
}

static void test_as_it_was(void **state)
{
    (void)state;
    uint32_t random = 2463534242;
    static struct media_stream streams[STREAMS];
    for (int round = 0; round < 200; round++) {
        struct media_info info = {.streams = streams, .n_streams = next(&random) % STREAMS},
                          read = {0};
        for (uint32_t i = 0; i < info.n_streams; i++)
            make(&random, &streams[i]);
        struct buf packed = {0};
        streams_pack(&info, &packed);
        assert_int_equal(streams_unpack(packed.data, packed.len, MEDIA_KINDS, &read), RL_OK);
        assert_int_equal(read.n_streams, info.n_streams);
        if (info.n_streams)
            assert_memory_equal(read.streams, streams, info.n_streams * sizeof *streams);
        free(read.streams);
        buf_free(&packed);
    }
}

static void test_one_kind(void **state)
{
    (void)state;
    struct media_stream streams[] = {{.index = 0, .kind = MEDIA_VIDEO},
                                     {.index = 1, .kind = MEDIA_SUBTITLE, .language = "ger"},
                                     {.index = 2, .kind = MEDIA_AUDIO},
                                     {.index = 3, .kind = MEDIA_SUBTITLE, .language = "eng"}};
    const struct media_info info = {.streams = streams, .n_streams = 4};
    struct media_info read = {0};
    struct buf packed = {0};
    streams_pack(&info, &packed);
    assert_int_equal(streams_unpack(packed.data, packed.len, MEDIA_SUBTITLE, &read), RL_OK);
    assert_int_equal(read.n_streams, 2);
    assert_int_equal(read.streams[0].index, 1);
    assert_string_equal(read.streams[0].language, "ger");
    assert_string_equal(read.streams[1].language, "eng");
    free(read.streams);
    buf_free(&packed);
}

/* Catalogues have these bytes: they mean the same for ever. */
static void test_the_format_stays(void **state)
{
    (void)state;
    struct media_stream streams[] = {
        {.kind = MEDIA_VIDEO,
         .disposition = 1,
         .rotation = -90,
         .width = 1920,
         .sample_aspect = {1, 1},
         .frame_rate = {30000, 1001},
         .bit_rate = 0,
         .duration_us = MEDIA_UNKNOWN,
         .frames = 300,
         .codec = "h264",
         .title = "A"},
        {.index = 1,
         .kind = MEDIA_OTHER,
         .bit_rate = MEDIA_UNKNOWN,
         .duration_us = 1,
         .frames = MEDIA_UNKNOWN,
         .language = "eng",
         .hdr = "pq"},
    };
    static const uint8_t bytes[] = {
        1,                                              /* the format */
        0x1c, 0x9e, 0x06, 0x10,                         /* 2 3 4, 9 10 11 12, 15 17 18, 28 */
        2,    0xb3, 0x01, 0x80, 0x1e, 2,    2,    0xe0, /* disposition … aspect, rate */
        0xd4, 0x03, 0xd2, 0x0f, 0,    0xd8, 0x04,       /* rate, bit rate, frames */
        4,    'h',  '2',  '6',  '4',  1,    'A',        /* codec, title */
        0x03, 0x00, 0x11, 0x08,                         /* 0 1, 16 20, 27 */
        2,    10,   2,    3,    'e',  'n',  'g',  2,    'p', 'q',
    };
    const struct media_info info = {.streams = streams, .n_streams = 2};
    struct buf packed = {0};
    streams_pack(&info, &packed);
    assert_int_equal(packed.len, sizeof bytes);
    assert_memory_equal(packed.data, bytes, sizeof bytes);
    buf_free(&packed);
}

/* Whatever stands in a damaged file is refused or is streams. The bytes are in memory of just that
 * size, so that a sanitizer sees who reads beyond them. */
static void try_bytes(const uint8_t *bytes, size_t len)
{
    struct media_info read = {0};
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    uint8_t *end = copy + 1;
    memcpy(end, bytes, len);
    enum rl_err err = streams_unpack(end, len, MEDIA_KINDS, &read);
    assert_true(err == RL_OK || err == RL_EIO);
    for (uint32_t i = 0; i < read.n_streams; i++) {
        assert_in_range(read.streams[i].kind, 0, MEDIA_KINDS - 1);
        assert_non_null(memchr(read.streams[i].title, '\0', sizeof read.streams[i].title));
    }
    free(read.streams);
    free(copy);
}

static void test_damaged(void **state)
{
    (void)state;
    uint32_t random = 88172645;
    struct media_stream streams[3];
    const struct media_info info = {.streams = streams, .n_streams = 3};
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 3; i++)
            make(&random, &streams[i]);
        struct buf packed = {0};
        streams_pack(&info, &packed);
        for (size_t len = 0; len <= packed.len; len++)
            try_bytes((uint8_t *)packed.data, len);
        for (int i = 0; i < 3000; i++) {
            uint8_t *at = (uint8_t *)packed.data + next(&random) % packed.len, before = *at;
            *at = (uint8_t)next(&random);
            try_bytes((uint8_t *)packed.data, packed.len);
            *at = before;
        }
        buf_free(&packed);
    }
    struct media_info read = {0};
    static const uint8_t other[] = {2}, cut[] = {1, 1, 0, 0, 0};
    assert_int_equal(streams_unpack(other, sizeof other, MEDIA_KINDS, &read), RL_EIO);
    assert_int_equal(streams_unpack(cut, sizeof cut, MEDIA_KINDS, &read), RL_EIO);
    assert_int_equal(streams_unpack(cut, 0, MEDIA_KINDS, &read), RL_EIO);
    assert_int_equal(read.n_streams, 0);
}

/* More than a video can have is not what was written. */
static void test_too_many(void **state)
{
    (void)state;
    uint8_t bytes[1 + 4 * (MEDIA_STREAMS_MAX + 1)] = {1};
    struct media_info read = {0};
    assert_int_equal(streams_unpack(bytes, sizeof bytes - 4, MEDIA_KINDS, &read), RL_OK);
    assert_int_equal(read.n_streams, MEDIA_STREAMS_MAX);
    free(read.streams);
    read = (struct media_info){0};
    assert_int_equal(streams_unpack(bytes, sizeof bytes, MEDIA_KINDS, &read), RL_EIO);
    free(read.streams);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_it_was),        cmocka_unit_test(test_one_kind),
        cmocka_unit_test(test_the_format_stays), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
