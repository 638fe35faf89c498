#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../test.h"
#include "reeld/base.h"

static void buf_grows_and_keeps_a_nul(void **state)
{
    (void)state;
    struct buf buf = {0};
    for (int i = 0; i < 1000; i++)
        buf_printf(&buf, "%d,", i);
    assert_false(buf.failed);
    assert_int_equal(buf.data[buf.len], 0);
    assert_int_equal(strlen(buf.data), buf.len);
    assert_memory_equal(buf.data, "0,1,2,", 6);
    char *text = buf_steal(&buf);
    assert_int_equal(strlen(text), 3890);
    assert_null(buf.data);
    free(text);
}

static void buf_failure_sticks_and_changes_nothing(void **state)
{
    (void)state;
    struct buf buf = {0};
    buf_puts(&buf, "kept");
    assert_false(buf_reserve(&buf, SIZE_MAX - 2));
    buf_puts(&buf, " lost");
    assert_true(buf.failed);
    assert_string_equal(buf.data, "kept");
    buf_clear(&buf);
    assert_false(buf.failed);
    buf_free(&buf);
}

static void an_empty_buf_steals_as_an_empty_text(void **state)
{
    (void)state;
    struct buf buf = {0};
    char *text = buf_steal(&buf);
    assert_string_equal(text, "");
    free(text);
}

static void beneath_knows_boundaries(void **state)
{
    (void)state;
    static const struct {
        const char *root, *path;
        bool beneath;
    } cases[] = {
        {"/media", "/media", true},        {"/media", "/media/films", true},
        {"/media/", "/media/x", true},     {"/media", "/media2", false},
        {"/media", "/medi", false},        {"/", "/anything", true},
        {"/media/films", "/media", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(path_beneath(cases[i].root, cases[i].path), cases[i].beneath);
}

static void extensions_are_lower_case(void **state)
{
    (void)state;
    char ext[8];
    path_extension("/a.b/Film.MKV", ext, sizeof ext);
    assert_string_equal(ext, "mkv");
    path_extension("/a.b/film", ext, sizeof ext);
    assert_string_equal(ext, "");
    path_extension("/a/.mp4", ext, sizeof ext);
    assert_string_equal(ext, "");
    path_extension("/a/x.averylongone", ext, sizeof ext);
    assert_string_equal(ext, "averylo");
}

static void tidy_paths_have_no_dots(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"/", "/"},
        {"//", "/"},
        {"/media", "/media"},
        {"/media/", "/media"},
        {"//media///a", "/media/a"},
        {"/media/./a/.", "/media/a"},
        {"/media/../a", "/a"},
        {"/media/a/..", "/media"},
        {"/media/..", "/"},
        {"/..", "/"},
        {"/../../etc/passwd", "/etc/passwd"},
        {"/a/b/../../../c", "/c"},
        {"/a/..b/...", "/a/..b/..."},
        {"/caf\xe9/.hidden/x..", "/caf\xe9/.hidden/x.."},
    };
    struct buf path = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&path);
        buf_puts(&path, "kept/before");
        assert_int_equal(path_tidy(&path, cases[i][0]), RL_OK);
        assert_memory_equal(path.data, "kept/before", 11);
        assert_string_equal(path.data + 11, cases[i][1]);
        assert_int_equal(strlen(path.data), path.len);
    }
    assert_int_equal(path_tidy(&path, ""), RL_EINVAL);
    assert_int_equal(path_tidy(&path, "media"), RL_EINVAL);
    assert_int_equal(path_tidy(&path, "../media"), RL_EINVAL);
    buf_free(&path);
}

static void joining_never_doubles_the_slash(void **state)
{
    (void)state;
    struct buf path = {0};
    path_join(&path, "/", "x");
    assert_string_equal(path.data, "/x");
    buf_clear(&path);
    path_join(&path, "/a", "x");
    assert_string_equal(path.data, "/a/x");
    buf_free(&path);
}

/* Unicode 15, §3.9, table 3-11 and its neighbours. */
static void bad_utf8_becomes_one_mark_a_maximal_part(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"\xc3\xa9", "\xc3\xa9"},
        {"\xff", "\xef\xbf\xbd"},
        {"a\xc3", "a\xef\xbf\xbd"},
        {"\xe2\x82", "\xef\xbf\xbd"},
        {"\xe2\x82z", "\xef\xbf\xbdz"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf0\x9f\x8e\xac", "\xf0\x9f\x8e\xac"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        utf8_append_lossy(&out, cases[i].in, strlen(cases[i].in));
        assert_string_equal(out.data, cases[i].out);
        assert_int_equal(utf8_valid(cases[i].in, strlen(cases[i].in)),
                         strcmp(cases[i].in, cases[i].out) == 0);
        buf_free(&out);
    }
}

static void any_bytes_come_out_valid(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char bytes[12];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            /* mostly lead and continuation bytes, where the rules are */
            bytes[i] = (char)((seed >> 24) | (seed & 0x400 ? 0x80 : 0));
        }
        struct buf out = {0};
        utf8_append_lossy(&out, bytes, sizeof bytes);
        assert_true(utf8_valid(out.data, out.len));
        buf_free(&out);
    }
}

static void uri_goes_there_and_back(void **state)
{
    (void)state;
    char path[256];
    for (int i = 1; i < 256; i++)
        path[i - 1] = (char)i;
    path[255] = '\0';
    struct buf uri = {0}, back = {0};
    path_uri_encode(&uri, path);
    assert_int_equal(path_uri_decode(&back, uri.data), RL_OK);
    assert_string_equal(back.data, path);
    for (size_t i = 0; i < uri.len; i++)
        assert_true(uri.data[i] > 0x20 && uri.data[i] < 0x7f);
    static const char *const bad[] = {"%", "%1", "%zz", "a%0", "%00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(path_uri_decode(&back, bad[i]), RL_EINVAL);
    buf_free(&uri);
    buf_free(&back);
}

static void times_are_rfc3339(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_SIZE];
    clock_rfc3339(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    clock_rfc3339(1795360200123, text);
    assert_string_equal(text, "2026-11-22T15:10:00.123Z");
    clock_rfc3339(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    clock_rfc3339(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    clock_rfc3339(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
}

/* Every day from the year 0 to 9999, at every time of day by and by, as the C library has it. */
static void times_are_as_the_c_library_has_them(void **state)
{
    (void)state;
    for (int64_t ms = INT64_C(-62167219200000); ms <= INT64_C(253402300799999);
         ms += 86399000 + ms % 997) {
        char text[CLOCK_TEXT_SIZE], expected[64];
        int64_t rest = (ms % 1000 + 1000) % 1000;
        time_t seconds = (time_t)((ms - rest) / 1000);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                 (int)rest);
        clock_rfc3339(ms, text);
        assert_string_equal(text, expected);
    }
}

static void ids_are_uuid_version_7(void **state)
{
    (void)state;
    char before[ID_TEXT_SIZE] = "", id[ID_TEXT_SIZE];
    for (int i = 0; i < 1000; i++) {
        id_new(id);
        assert_true(id_valid(id));
        assert_int_equal(id[14], '7');
        assert_non_null(strchr("89ab", id[19]));
        assert_string_not_equal(id, before);
        assert_true(strncmp(id, before, 13) >= 0);
        memcpy(before, id, sizeof id);
    }
    assert_false(id_valid("not-an-id"));
    assert_false(id_valid("0190A0B0-0000-7000-8000-000000000000"));
    assert_false(id_valid(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_grows_and_keeps_a_nul),
        cmocka_unit_test(buf_failure_sticks_and_changes_nothing),
        cmocka_unit_test(an_empty_buf_steals_as_an_empty_text),
        cmocka_unit_test(beneath_knows_boundaries),
        cmocka_unit_test(extensions_are_lower_case),
        cmocka_unit_test(tidy_paths_have_no_dots),
        cmocka_unit_test(joining_never_doubles_the_slash),
        cmocka_unit_test(bad_utf8_becomes_one_mark_a_maximal_part),
        cmocka_unit_test(any_bytes_come_out_valid),
        cmocka_unit_test(uri_goes_there_and_back),
        cmocka_unit_test(times_are_rfc3339),
        cmocka_unit_test(times_are_as_the_c_library_has_them),
        cmocka_unit_test(ids_are_uuid_version_7),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
