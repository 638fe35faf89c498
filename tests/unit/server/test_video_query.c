#include <string.h>

#include "../test.h"
#include "video_query.h"

/* Reads one argument and asserts what is complained of; "" : nothing. */
static struct video_request read_one(const char *name, const char *value, const char *code)
{
    struct request request = {.n_args = 1, .args = {{name, value}}};
    struct video_request asked;
    struct problem problem;
    bool ok = video_request_read(&request, &asked, &problem);
    assert_string_equal(ok ? "" : problem.code, code);
    if (!ok) {
        assert_int_equal(problem.status, 400);
        assert_string_equal(problem.field, name);
        assert_true(strlen(problem.detail) > 10);
    }
    return asked;
}

static void accepts(const char *name, const char *value)
{
    struct video_request asked = read_one(name, value, "");
    video_request_clear(&asked);
}

static void refuses(const char *name, const char *value)
{
    struct video_request asked = read_one(name, value, "BAD_PARAMETER");
    video_request_clear(&asked);
}

static void nothing_asked(void **state)
{
    (void)state;
    struct request request = {.n_args = 0};
    struct video_request asked;
    struct problem problem;
    const struct video_filter none = {0};
    assert_true(video_request_read(&request, &asked, &problem));
    assert_memory_equal(&asked.query.filter, &none, sizeof none);
    assert_int_equal(asked.query.limit, VIDEOS_LIMIT_DEFAULT);
    assert_int_equal(asked.query.sort, SORT_NAME);
    assert_false(asked.query.descending);
    assert_null(asked.query.cursor);
    video_request_clear(&asked);
}

static void words(void **state)
{
    (void)state;
    static const char *const sorts[] = {"name", "added",      "modified", "duration",
                                        "size", "resolution", "bit_rate"};
    for (int i = 0; i < VIDEO_SORTS; i++)
        assert_int_equal(read_one("sort", sorts[i], "").query.sort, i);
    assert_true(read_one("order", "desc", "").query.descending);
    assert_false(read_one("order", "asc", "").query.descending);
    refuses("sort", "Name");
    refuses("sort", "");
    refuses("order", "up");
    /* What FFmpeg may say is not judged; commas anywhere are fine. */
    static const char *const any[] = {"", ",", ",,", "h264", "h264,,none", ",x", "x,", "'\"%_*"};
    for (size_t i = 0; i < sizeof any / sizeof *any; i++) {
        accepts("video_codec", any[i]);
        accepts("container", any[i]);
        accepts("language", any[i]);
        accepts("q", any[i]);
    }
    refuses("video_codec", "\xff");
    refuses("q", "\xc0\xaf");
}

static void classes_and_formats(void **state)
{
    (void)state;
    static const char *const classes[] = {"",     ",",           ",sd",  "sd,",
                                          "720p", "1080P,2160p", "none", "4320p,1440p,NONE,sd"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        accepts("resolution", classes[i]);
    static const char *const wrong[] = {"720", "sd,x", "x,sd", "1080p ", "true", "nonee", "108"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        refuses("resolution", wrong[i]);
        refuses("hdr", wrong[i][0] == 't' ? "true,hlg" : wrong[i]);
    }
    assert_int_equal(read_one("hdr", "true", "").query.filter.hdr, CHOICE_YES);
    assert_int_equal(read_one("hdr", "false", "").query.filter.hdr, CHOICE_NO);
    struct video_request asked = read_one("hdr", "HDR10+,hlg,,none", "");
    assert_int_equal(asked.query.filter.hdr, CHOICE_ANY);
    assert_string_equal(asked.query.filter.hdr_format, "HDR10+,hlg,,none");
    assert_null(read_one("hdr", "true", "").query.filter.hdr_format);
    refuses("hdr", "hdr10 "); /* what an unescaped '+' becomes */
}

static void ranges(void **state)
{
    (void)state;
    static const char *const pixels[] = {"width_min", "width_max", "height_min", "height_max"};
    for (size_t i = 0; i < 4; i++) {
        accepts(pixels[i], "1");
        accepts(pixels[i], "2147483647");
        refuses(pixels[i], "2147483648");
        refuses(pixels[i], "1.5");
        refuses(pixels[i], "-1");
        refuses(pixels[i], "");
    }
    accepts("width_min", "0");
    refuses("width_max", "0"); /* would mean that there is none */
    assert_int_equal(read_one("duration_min_s", "1.5", "").query.filter.duration_min_us, 1500000);
    assert_int_equal(read_one("duration_max_s", "90", "").query.filter.duration_max_us, 90000000);
    refuses("duration_max_s", "0");
    refuses("duration_min_s", "1e3");
    assert_int_equal(read_one("added_since", "12.5", "").query.filter.added_since_ms, 12500);
    assert_int_equal(
        read_one("modified_since", "1970-01-01T00:01:00Z", "").query.filter.modified_since_ms,
        60000);
    refuses("added_since", "2026-11-22");
    static const char *const choices[] = {"subtitles", "failed", "duplicates", "missing"};
    for (size_t i = 0; i < 4; i++) {
        accepts(choices[i], "true");
        refuses(choices[i], "1");
    }
    assert_int_equal(read_one("missing", "true", "").query.filter.missing, CHOICE_YES);
    assert_int_equal(read_one("failed", "false", "").query.filter.failed, CHOICE_NO);
}

static void folder_is(const char *name, const char *value, const char *expected)
{
    struct video_request asked = read_one(name, value, "");
    assert_string_equal(asked.query.filter.folder, expected);
    video_request_clear(&asked);
}

static void folders(void **state)
{
    (void)state;
    folder_is("folder", "/media/films", "/media/films");
    folder_is("folder", "/media/films//", "/media/films");
    folder_is("folder", "/", "/");
    folder_is("folder", "///", "/");
    folder_is("folder", "/caf\xe9/%41", "/caf\xe9/%41");
    folder_is("folder_uri", "/caf%E9/%2541/", "/caf\xe9/%41");
    folder_is("folder_uri", "/new%0Aline", "/new\nline");
    refuses("folder", "");
    refuses("folder", "media");
    refuses("folder", "./x");
    refuses("folder_uri", "");
    refuses("folder_uri", "media");
    refuses("folder_uri", "/%zz");
    refuses("folder_uri", "/%00");
    struct request request = {.n_args = 2, .args = {{"folder_uri", "/a"}, {"folder", "/a"}}};
    struct video_request asked;
    struct problem problem;
    assert_false(video_request_read(&request, &asked, &problem));
    assert_string_equal(problem.code, "CONFLICTING_PARAMETERS");
    assert_string_equal(problem.field, "folder");
    video_request_clear(&asked);
}

static void a_filter_has_no_pages(void **state)
{
    (void)state;
    static const char *const pages[] = {"limit", "offset", "cursor", "sort", "order"};
    for (size_t i = 0; i < 5; i++) {
        struct request request = {.n_args = 1, .args = {{pages[i], "1"}}};
        struct video_request asked;
        struct problem problem;
        assert_false(video_filter_read(&request, &asked, &problem));
        assert_string_equal(problem.code, "UNKNOWN_PARAMETER");
        video_request_clear(&asked);
    }
    struct request request = {.n_args = 2, .args = {{"q", "x"}, {"folder_uri", "/a"}}};
    struct video_request asked;
    struct problem problem;
    assert_true(video_filter_read(&request, &asked, &problem));
    assert_string_equal(asked.query.filter.search, "x");
    video_request_clear(&asked);
}

static void everything_at_once(void **state)
{
    (void)state;
    struct request request = {.args = {{"limit", "7"},
                                       {"cursor", "c"},
                                       {"sort", "size"},
                                       {"order", "desc"},
                                       {"q", "q"},
                                       {"video_codec", "a"},
                                       {"container", "b"},
                                       {"language", "c"},
                                       {"resolution", "sd"},
                                       {"hdr", "false"},
                                       {"subtitles", "true"},
                                       {"failed", "true"},
                                       {"duplicates", "false"},
                                       {"missing", "true"},
                                       {"width_min", "1"},
                                       {"width_max", "2"},
                                       {"height_min", "3"},
                                       {"height_max", "4"},
                                       {"duration_min_s", "5"},
                                       {"duration_max_s", "6"},
                                       {"added_since", "7"},
                                       {"modified_since", "8"},
                                       {"folder", "/f"}}};
    while (request.args[request.n_args].name)
        request.n_args++;
    assert_int_equal(request.n_args, 23);
    struct video_request asked;
    struct problem problem;
    assert_true(video_request_read(&request, &asked, &problem));
    const struct video_filter *filter = &asked.query.filter;
    assert_int_equal(filter->width_min, 1);
    assert_int_equal(filter->width_max, 2);
    assert_int_equal(filter->height_min, 3);
    assert_int_equal(filter->height_max, 4);
    assert_string_equal(filter->video_codec, "a");
    assert_string_equal(filter->container, "b");
    assert_string_equal(filter->language, "c");
    assert_int_equal(filter->subtitles, CHOICE_YES);
    assert_int_equal(filter->duplicates, CHOICE_NO);
    request.args[request.n_args++] = (struct query_arg){"offset", "1"};
    video_request_clear(&asked);
    assert_false(video_request_read(&request, &asked, &problem));
    assert_string_equal(problem.code, "CONFLICTING_PARAMETERS");
    video_request_clear(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_asked),
        cmocka_unit_test(words),
        cmocka_unit_test(classes_and_formats),
        cmocka_unit_test(ranges),
        cmocka_unit_test(folders),
        cmocka_unit_test(a_filter_has_no_pages),
        cmocka_unit_test(everything_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
