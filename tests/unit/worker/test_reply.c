/* What a worker says is believed only where it can be true. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "worker/reply.h"

enum { NUMBER = 42 };

/* A message of one probed file that a test then spoils. Freed by the test. */
static char *message_new(uint32_t streams, uint32_t chapters, size_t *len)
{
    *len = sizeof(struct wire_probed) + streams * sizeof(struct media_stream) +
           chapters * sizeof(struct media_chapter);
    struct wire_probed *probed = calloc(1, *len);
    assert_non_null(probed);
    probed->header =
        (struct wire_header){.version = WIRE_VERSION, .kind = WIRE_PROBED, .number = NUMBER};
    probed->n_streams = streams;
    probed->n_chapters = chapters;
    probed->summary.stream_count = streams;
    probed->summary.chapter_count = chapters;
    probed->summary.video_index = probed->summary.audio_index = -1;
    probed->summary.duration_us = 5;
    return (char *)probed;
}

static struct wire_probed *probed_of(char *message)
{
    return (struct wire_probed *)(void *)message;
}

static struct media_stream *streams_of(char *message)
{
    return (struct media_stream *)(void *)(message + sizeof(struct wire_probed));
}

static enum rl_err read_it(char *message, size_t len, struct pool_result *result)
{
    const char *why = NULL;
    *result = (struct pool_result){0};
    enum rl_err err = reply_read_probed(message, len, NUMBER, result, &why);
    if (err) {
        assert_non_null(why);
        assert_null(result->info.streams);
        assert_null(result->info.chapters);
    }
    return err;
}

static void test_a_good_answer_is_taken_over(void **state)
{
    (void)state;
    size_t len;
    char *message = message_new(2, 1, &len);
    strcpy(probed_of(message)->summary.title, "Ein Übungsfilm");
    streams_of(message)[1].kind = MEDIA_AUDIO;
    streams_of(message)[1].channels = 6;
    struct pool_result result;
    assert_int_equal(read_it(message, len, &result), RL_OK);
    assert_int_equal(result.code, FAILURE_NONE);
    assert_string_equal(result.info.summary.title, "Ein Übungsfilm");
    assert_int_equal(result.info.summary.duration_us, 5);
    assert_int_equal(result.info.n_streams, 2);
    assert_int_equal(result.info.n_chapters, 1);
    assert_int_equal(result.info.streams[1].channels, 6);
    media_info_clear(&result.info);
    free(message);
}

static void test_the_largest_answer_is_taken_over(void **state)
{
    (void)state;
    size_t len;
    char *message = message_new(MEDIA_STREAMS_MAX, MEDIA_CHAPTERS_MAX, &len);
    assert_int_equal(len, WIRE_REPLY_MAX);
    probed_of(message)->summary.stream_count = 1000; /* more than are described */
    struct pool_result result;
    assert_int_equal(read_it(message, len, &result), RL_OK);
    assert_int_equal(result.info.n_streams, MEDIA_STREAMS_MAX);
    assert_int_equal(result.info.n_chapters, MEDIA_CHAPTERS_MAX);
    media_info_clear(&result.info);
    free(message);
}

static void test_a_failure_comes_with_its_words(void **state)
{
    (void)state;
    size_t len;
    char *message = message_new(0, 0, &len);
    probed_of(message)->code = FAILURE_TRUNCATED;
    strcpy(probed_of(message)->error, "it ends too soon");
    struct pool_result result;
    assert_int_equal(read_it(message, len, &result), RL_OK);
    assert_int_equal(result.code, FAILURE_TRUNCATED);
    assert_string_equal(result.error, "it ends too soon");
    free(message);
}

/* ---- what only a broken or hostile worker says ---------------------------------------------- */

static void spoil_version(char *message)
{
    probed_of(message)->header.version++;
}
static void spoil_kind(char *message)
{
    probed_of(message)->header.kind = WIRE_HELLO;
}
static void spoil_number(char *message)
{
    probed_of(message)->header.number++;
}
static void spoil_code(char *message)
{
    probed_of(message)->code = FAILURES;
}
static void spoil_code_negative(char *message)
{
    probed_of(message)->code = -1;
}
static void spoil_code_ours(char *message)
{
    probed_of(message)->code = FAILURE_SANDBOX;
}
static void spoil_failure_with_streams(char *message)
{
    probed_of(message)->code = FAILURE_NOT_MEDIA;
}
static void spoil_streams_more(char *message)
{
    probed_of(message)->n_streams++;
}
static void spoil_streams_huge(char *message)
{
    probed_of(message)->n_streams = UINT32_MAX;
}
static void spoil_chapters_huge(char *message)
{
    probed_of(message)->n_chapters = UINT32_MAX;
}
static void spoil_stream_count(char *message)
{
    probed_of(message)->summary.stream_count = 1;
}
static void spoil_subtitle_count(char *message)
{
    probed_of(message)->summary.subtitle_count = 3;
}
static void spoil_stream_count_huge(char *message)
{
    probed_of(message)->summary.stream_count = UINT32_MAX;
}
static void spoil_chapter_count(char *message)
{
    probed_of(message)->summary.chapter_count = 0;
}
static void spoil_video_index(char *message)
{
    probed_of(message)->summary.video_index = -2;
}
static void spoil_error_text(char *message)
{
    memset(probed_of(message)->error, 'x', sizeof probed_of(message)->error);
}
static void spoil_container_text(char *message)
{
    memset(probed_of(message)->summary.container, 'x', 64);
}
static void spoil_kind_of_stream(char *message)
{
    streams_of(message)[1].kind = MEDIA_KINDS;
}
static void spoil_kind_negative(char *message)
{
    streams_of(message)[1].kind = -1;
}
static void spoil_index_negative(char *message)
{
    streams_of(message)[0].index = -1;
}
static void spoil_codec_text(char *message)
{
    memset(streams_of(message)[1].codec, 'x', 32);
}
static void spoil_chapter_text(char *message)
{
    struct media_chapter *chapter = (void *)(streams_of(message) + 2);
    memset(chapter->title, 'x', sizeof chapter->title);
}

static void test_impossible_answers_are_refused(void **state)
{
    (void)state;
    static void (*const spoils[])(char *) = {
        spoil_version,        spoil_kind,
        spoil_number,         spoil_code,
        spoil_code_negative,  spoil_code_ours,
        spoil_streams_more,   spoil_streams_huge,
        spoil_chapters_huge,  spoil_stream_count,
        spoil_subtitle_count, spoil_stream_count_huge,
        spoil_chapter_count,  spoil_video_index,
        spoil_error_text,     spoil_container_text,
        spoil_kind_of_stream, spoil_kind_negative,
        spoil_index_negative, spoil_codec_text,
        spoil_chapter_text,   spoil_failure_with_streams,
    };
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
        size_t len;
        char *message = message_new(2, 1, &len);
        spoils[i](message);
        struct pool_result result;
        if (read_it(message, len, &result) != RL_EINVAL)
            fail_msg("spoil %zu was believed", i);
        free(message);
    }
}

static void test_every_wrong_length_is_refused(void **state)
{
    (void)state;
    size_t len;
    char *message = message_new(2, 1, &len);
    for (size_t cut = 0; cut < len; cut++) {
        char *piece = malloc(cut ? cut : 1); /* so that a sanitizer sees a read behind its end */
        assert_non_null(piece);
        memcpy(piece, message, cut);
        struct pool_result result;
        assert_int_equal(read_it(piece, cut, &result), RL_EINVAL);
        assert_int_equal(reply_number(piece, cut), cut < sizeof(struct wire_header) ? 0 : NUMBER);
        free(piece);
    }
    free(message);
}

/* ---- what a damaged file may contain --------------------------------------------------------- */

static void test_odd_numbers_are_made_harmless(void **state)
{
    (void)state;
    size_t len;
    char *message = message_new(1, 0, &len);
    struct media_summary *summary = &probed_of(message)->summary;
    summary->width = -640;
    summary->rotation = -90;
    summary->duration_us = -1;
    summary->frame_rate = (struct media_rational){25, 0};
    struct media_stream *stream = streams_of(message);
    stream->height = INT32_MIN;
    stream->rotation = INT32_MIN;
    stream->bit_rate = -5;
    stream->frames = MEDIA_UNKNOWN;
    stream->sample_aspect = (struct media_rational){-1, 1};
    stream->frame_rate = (struct media_rational){0, 1};
    stream->average_frame_rate = (struct media_rational){30000, 1001};
    struct pool_result result;
    assert_int_equal(read_it(message, len, &result), RL_OK);
    const struct media_info *info = &result.info;
    assert_int_equal(info->summary.width, 0);
    assert_int_equal(info->summary.rotation, 270);
    assert_true(info->summary.duration_us == MEDIA_UNKNOWN);
    assert_int_equal(info->summary.frame_rate.num, 0);
    assert_int_equal(info->streams[0].height, 0);
    assert_in_range(info->streams[0].rotation, 0, 359);
    assert_true(info->streams[0].bit_rate == MEDIA_UNKNOWN);
    assert_true(info->streams[0].frames == MEDIA_UNKNOWN);
    assert_int_equal(info->streams[0].sample_aspect.num, 0);
    assert_int_equal(info->streams[0].sample_aspect.den, 0);
    assert_int_equal(info->streams[0].frame_rate.den, 1);
    assert_int_equal(info->streams[0].average_frame_rate.num, 30000);
    media_info_clear(&result.info);
    free(message);
}

static void test_bad_utf8_is_repaired(void **state)
{
    (void)state;
    size_t len;
    char *message = message_new(1, 0, &len);
    strcpy(probed_of(message)->summary.title, "caf\xe9 \xf0\x9f\x8e\xac \x01");
    /* Full of bytes that each become three: it must be cut between characters. */
    memset(streams_of(message)[0].language, 0xff, sizeof streams_of(message)[0].language - 1);
    struct pool_result result;
    assert_int_equal(read_it(message, len, &result), RL_OK);
    assert_string_equal(result.info.summary.title, "caf\xef\xbf\xbd \xf0\x9f\x8e\xac \x01");
    const char *language = result.info.streams[0].language;
    assert_int_equal(strlen(language), 15);
    assert_true(utf8_valid(language, strlen(language)));
    media_info_clear(&result.info);
    free(message);
}

static void test_bytes_behind_a_text_are_wiped(void **state)
{
    (void)state;
    size_t len;
    char *message = message_new(1, 0, &len);
    memcpy(streams_of(message)[0].codec, "h264\0leftover", 13);
    struct pool_result result;
    assert_int_equal(read_it(message, len, &result), RL_OK);
    static const char wanted[32] = "h264";
    assert_memory_equal(result.info.streams[0].codec, wanted, sizeof wanted);
    media_info_clear(&result.info);
    free(message);
}

/* ---- greeting -------------------------------------------------------------------------------- */

static struct wire_hello hello_new(void)
{
    return (struct wire_hello){
        .header = {.version = WIRE_VERSION, .kind = WIRE_HELLO},
        .layout = WIRE_LAYOUT,
        .sandbox = WIRE_SANDBOX_NO_LANDLOCK,
        .version = "1/2/3",
        .words = "no Landlock",
    };
}

static void test_greetings(void **state)
{
    (void)state;
    const char *why;
    struct wire_hello good = hello_new(), out, hello = good;
    assert_int_equal(reply_read_hello(&hello, sizeof hello, &out, &why), RL_OK);
    assert_string_equal(out.version, "1/2/3");
    assert_int_equal(out.sandbox, WIRE_SANDBOX_NO_LANDLOCK);

    assert_int_equal(reply_read_hello(&hello, 3, &out, &why), RL_EINVAL);
    assert_int_equal(reply_read_hello(&hello, sizeof hello - 1, &out, &why), RL_EVERSION);
    hello.header.version++;
    assert_int_equal(reply_read_hello(&hello, sizeof hello, &out, &why), RL_EVERSION);
    hello = good;
    hello.layout++;
    assert_int_equal(reply_read_hello(&hello, sizeof hello, &out, &why), RL_EVERSION);
    hello = good;
    hello.header.kind = WIRE_PROBED;
    assert_int_equal(reply_read_hello(&hello, sizeof hello, &out, &why), RL_EINVAL);
    hello = good;
    hello.sandbox = 0;
    assert_int_equal(reply_read_hello(&hello, sizeof hello, &out, &why), RL_EINVAL);
    hello = good;
    memset(hello.version, 'x', sizeof hello.version);
    assert_int_equal(reply_read_hello(&hello, sizeof hello, &out, &why), RL_EINVAL);
}

/* ---- noise ----------------------------------------------------------------------------------- */

/* Whatever the bytes, a believed answer keeps its promises. Seeded: a failure can be repeated. */
static void test_spoilt_bytes_never_break_a_promise(void **state)
{
    (void)state;
    uint64_t random = 0x9e3779b97f4a7c15;
    for (int round = 0; round < 20000; round++) {
        size_t len;
        char *message = message_new(2, 2, &len);
        for (int spoilt = 0; spoilt < 1 + round % 40; spoilt++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            message[(random >> 33) % len] = (char)(random >> 20);
        }
        struct pool_result result;
        if (read_it(message, len, &result) == RL_OK) {
            assert_true(result.code < FAILURES);
            assert_true(result.info.n_streams <= 2 && result.info.n_chapters <= 2);
            const char *title = result.info.summary.title;
            assert_non_null(memchr(title, '\0', sizeof result.info.summary.title));
            assert_true(utf8_valid(title, strlen(title)));
            for (uint32_t i = 0; i < result.info.n_streams; i++) {
                const struct media_stream *stream = &result.info.streams[i];
                assert_in_range(stream->kind, 0, MEDIA_KINDS - 1);
                assert_in_range(stream->rotation, 0, 359);
                assert_true(stream->width >= 0);
                assert_true(utf8_valid(stream->title, strlen(stream->title)));
            }
            media_info_clear(&result.info);
        }
        free(message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_answer_is_taken_over),
        cmocka_unit_test(test_the_largest_answer_is_taken_over),
        cmocka_unit_test(test_a_failure_comes_with_its_words),
        cmocka_unit_test(test_impossible_answers_are_refused),
        cmocka_unit_test(test_every_wrong_length_is_refused),
        cmocka_unit_test(test_odd_numbers_are_made_harmless),
        cmocka_unit_test(test_bad_utf8_is_repaired),
        cmocka_unit_test(test_bytes_behind_a_text_are_wiped),
        cmocka_unit_test(test_greetings),
        cmocka_unit_test(test_spoilt_bytes_never_break_a_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
