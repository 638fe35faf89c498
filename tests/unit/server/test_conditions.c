#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conditions.h"
#include "media_type.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
enum { DATE_S = 784111777 };

static void test_dates(void **state)
{
    (void)state;
    /* RFC 9110 §5.6.7 */
    static const char *const same[] = {DATE, "Sunday, 06-Nov-94 08:49:37 GMT",
                                       "Sun Nov  6 08:49:37 1994"};
    static const char *const none[] = {
        "", "0", "yesterday", DATE " ", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 25:49:37 GMT"};
    int64_t s;
    char text[HTTP_DATE_SIZE];
    for (size_t i = 0; i < 3; i++) {
        assert_true(http_date_read(same[i], &s));
        assert_int_equal(s, DATE_S);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(http_date_read(none[i], &s));
    http_date_write(DATE_S, text);
    assert_string_equal(text, DATE);
}

static void test_checks(void **state)
{
    (void)state;
    static const struct {
        struct conditions conditions;
        enum condition expected;
    } table[] = {
        {{.if_match = ""}, CONDITION_GO},
        {{.if_match = "\"a\""}, CONDITION_GO},
        {{.if_match = "*"}, CONDITION_GO},
        {{.if_match = "\"x\", \"a\""}, CONDITION_GO},
        {{.if_match = "\"x\""}, CONDITION_FAILED},
        {{.if_match = "W/\"a\""}, CONDITION_FAILED},
        {{.if_match = "a"}, CONDITION_FAILED},
        {{.if_match = "\"x,\"a\""}, CONDITION_FAILED},
        {{.if_match = "\"a\"", .if_unmodified_since = "Sun, 06 Nov 1994 08:49:36 GMT"},
         CONDITION_GO},
        {{.if_unmodified_since = DATE}, CONDITION_GO},
        {{.if_unmodified_since = "Sun, 06 Nov 1994 08:49:36 GMT"}, CONDITION_FAILED},
        {{.if_unmodified_since = "never"}, CONDITION_GO},
        {{.if_none_match = "\"a\""}, CONDITION_UNCHANGED},
        {{.if_none_match = "W/\"a\""}, CONDITION_UNCHANGED},
        {{.if_none_match = "\"x\" ,, W/\"y\",\"a\""}, CONDITION_UNCHANGED},
        {{.if_none_match = "*"}, CONDITION_UNCHANGED},
        {{.if_none_match = "\"x\""}, CONDITION_GO},
        {{.if_none_match = "\"aa\", \"\""}, CONDITION_GO},
        {{.if_none_match = "\"a"}, CONDITION_GO},
        {{.if_none_match = "\"x\"", .if_modified_since = DATE}, CONDITION_GO},
        {{.if_modified_since = DATE}, CONDITION_UNCHANGED},
        {{.if_modified_since = "Sun, 06 Nov 1994 08:49:36 GMT"}, CONDITION_GO},
        {{.if_match = "\"x\"", .if_none_match = "\"a\""}, CONDITION_FAILED},
    };
    const struct validators validators = {"\"a\"", DATE_S};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        enum condition got = conditions_check(&table[i].conditions, &validators);
        if (got != table[i].expected)
            fail_msg("row %zu: %d", i, (int)got);
    }
}

static void test_if_range(void **state)
{
    (void)state;
    const struct validators validators = {"\"a\"", DATE_S};
    static const struct {
        struct conditions conditions;
        int64_t now;
        bool counts;
    } table[] = {
        {{.if_range = ""}, 0, true},
        {{.if_range = "\"a\""}, 0, true},
        {{.if_range = "W/\"a\""}, 0, false},
        {{.if_range = "\"x\""}, 0, false},
        {{.if_range = "\"a\", \"x\""}, 0, false},
        {{.if_range = DATE}, DATE_S + 100, true},
        {{.if_range = DATE}, DATE_S + 1, false},
        {{.if_range = "Sun, 06 Nov 1994 08:49:38 GMT"}, DATE_S + 100, false},
        {{.if_range = "?"}, DATE_S + 100, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (conditions_range(&table[i].conditions, &validators, table[i].now) != table[i].counts)
            fail_msg("row %zu", i);
    }
}

static void test_types(void **state)
{
    (void)state;
    static const char *const table[][3] = {
        {"/a/b.mp4", NULL, "video/mp4"},
        {"/a/b.MKV", NULL, "video/x-matroska"},
        {"/a/b.webm", "matroska,webm", "video/webm"},
        {"/a/b.mkv", "matroska,webm", "video/x-matroska"},
        {"/a/b.mov", "mov,mp4,m4a,3gp,3g2,mj2", "video/quicktime"},
        {"/a/b.3gp", "mov,mp4,m4a,3gp,3g2,mj2", "video/3gpp"},
        {"/a/b.avi", "avi", "video/x-msvideo"},
        {"/a/b.m2ts", "mpegts", "video/mp2t"},
        {"/a/b.mpg", "mpeg", "video/mpeg"},
        {"/a/b.ogv", "ogg", "video/ogg"},
        {"/a/b.flv", "flv", "video/x-flv"},
        {"/a/b.wmv", "asf", "video/x-ms-wmv"},
        {"/a/b.mxf", "mxf", "application/mxf"},
        {"/a/b.mp4", "matroska,webm", "video/x-matroska"}, /* it lies */
        {"/a/b.html", NULL, "application/octet-stream"},
        {"/a/b", NULL, "application/octet-stream"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_string_equal(media_type(table[i][0], table[i][1]), table[i][2]);
}

static void test_disposition(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool attachment;
        const char *expected;
    } table[] = {
        {"/x/a b.mp4", false, "inline; filename=\"a b.mp4\"; filename*=UTF-8''a%20b.mp4"},
        {"/a\"\\%41.mp4", true,
         "attachment; filename=\"a___41.mp4\"; filename*=UTF-8''a%22%5C%2541.mp4"},
        {"/\xc3\xa9.mp4", false, "inline; filename=\"_.mp4\"; filename*=UTF-8''%C3%A9.mp4"},
        {"/a\r\nb\xff.mp4", false,
         "inline; filename=\"a__b_.mp4\"; filename*=UTF-8''a%0D%0Ab%EF%BF%BD.mp4"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct buf out = {0};
        media_content_disposition(&out, table[i].path, table[i].attachment);
        assert_string_equal(out.data, table[i].expected);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dates), cmocka_unit_test(test_checks),
                                       cmocka_unit_test(test_if_range),
                                       cmocka_unit_test(test_types),
                                       cmocka_unit_test(test_disposition)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
