/* Points of the stream, as clients name them. */
#include <string.h>

#include "../test.h"
#include "position.h"

static void what_is_printed_reads_back(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct position position;
    } cases[] = {
        {"7f3a9c:0", {.catalog = "7f3a9c"}},
        {"7f3a9c:1042", {.catalog = "7f3a9c", .sequence = 1042}},
        {"0:9223372036854775807", {.catalog = "0", .sequence = INT64_MAX}},
        {"7f3a9c01:5:0000002a.0", {"7f3a9c01", 5, 42, 0}},
        {"abcdefghijklmnopqrstuvw:9223372036854775807:ffffffff.18446744073709551615",
         {"abcdefghijklmnopqrstuvw", INT64_MAX, UINT32_MAX, UINT64_MAX}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct position position;
        char text[POSITION_TEXT_SIZE];
        position_print(&cases[i].position, text);
        assert_string_equal(text, cases[i].text);
        assert_true(position_parse(text, &position));
        assert_string_equal(position.catalog, cases[i].position.catalog);
        assert_int_equal(position.sequence, cases[i].position.sequence);
        assert_int_equal(position.epoch, cases[i].position.epoch);
        assert_int_equal(position.frame, cases[i].position.frame);
    }
}

static void what_is_no_position_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        ":",
        "a",
        "a:",
        ":1",
        "a:-1",
        "a:+1",
        "a: 1",
        " a:1",
        "a:1 ",
        "a:01",
        "a:1x",
        "a:0x1",
        "a:1.5",
        "a:9223372036854775808",
        "a:99999999999999999999999999",
        "A:1",
        "a-b:1",
        "\xc3\xa9:1",
        "abcdefghijklmnopqrstuvwx:1", /* one more than there is room for */
        "a:1:",
        "a:1:0000002a",
        "a:1:0000002a.",
        "a:1:2a.1",
        "a:1:00000000.1",
        "a:1:0000002A.1",
        "a:1:0000002a1.1",
        "a:1:0000002a.-1",
        "a:1:0000002a.01",
        "a:1:0000002a.18446744073709551616",
        "a:1:0000002a.1:",
        "a:1:0000002a.1.1",
        "null",
        "undefined",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct position position = {.sequence = 7};
        if (position_parse(cases[i], &position))
            fail_msg("accepted: %s", cases[i]);
        assert_int_equal(position.sequence, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_reads_back),
        cmocka_unit_test(what_is_no_position_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
