#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../test.h"
#include "quantity.h"
#include "reeld/base.h"

static void decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int places;
        int64_t max, value; /* -1: refused */
    } cases[] = {
        {"0", 0, 9, 0},
        {"9", 0, 9, 9},
        {"10", 0, 9, -1},
        {"12.9", 0, 12, 12},
        {"12", 6, INT64_MAX, 12000000},
        {"12.5", 6, INT64_MAX, 12500000},
        {"00012.500000", 6, INT64_MAX, 12500000},
        {"0.000001", 6, INT64_MAX, 1},
        {"0.0000009", 6, INT64_MAX, 0},
        {"0.33333333333333333333333333333333", 6, INT64_MAX, 333333},
        {"9223372036854775807", 0, INT64_MAX, -1}, /* beyond what is taken */
        {"9223372036854.775807", 6, INT64_MAX, -1},
        {"99999999999999999999999999", 0, INT64_MAX, -1},
        {"922337203685477579", 0, INT64_MAX, INT64_C(922337203685477579)},
        {"", 6, 9, -1},
        {".", 6, 9, -1},
        {".5", 6, 9, -1},
        {"5.", 6, 9000000, -1},
        {"1.2.3", 6, INT64_MAX, -1},
        {"-1", 6, INT64_MAX, -1},
        {"+1", 6, INT64_MAX, -1},
        {" 1", 6, INT64_MAX, -1},
        {"1 ", 6, INT64_MAX, -1},
        {"1e3", 6, INT64_MAX, -1},
        {"0x1", 6, INT64_MAX, -1},
        {"1,5", 6, INT64_MAX, -1},
        {"nan", 6, INT64_MAX, -1},
        {"\xd9\xa1", 6, INT64_MAX, -1}, /* an Arabic one */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = -7;
        bool ok = quantity_decimal(cases[i].text, cases[i].places, cases[i].max, &value);
        assert_int_equal(ok, cases[i].value >= 0);
        if (ok)
            assert_int_equal(value, cases[i].value);
    }
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-22T15:10:00Z", INT64_C(1795360200000)},
        {"2026-11-22T15:10:00.1239Z", INT64_C(1795360200123)},
        {"2026-11-22t15:10:00.5z", INT64_C(1795360200500)},
        {"2026-11-22 15:10:00Z", INT64_C(1795360200000)},
        {"2026-11-22T16:40:00+01:30", INT64_C(1795360200000)},
        {"2026-11-22T16:40:00 01:30", INT64_C(1795360200000)},
        {"2026-11-22T13:40:00-01:30", INT64_C(1795360200000)},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000)},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
        {"0000-01-01T00:00:00Z", INT64_C(-62167219200000)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
        {"1795360200", INT64_C(1795360200000)},
        {"1795360200.5", INT64_C(1795360200500)},
        {"0", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -7;
        assert_true(quantity_time(cases[i].text, &ms));
        assert_int_equal(ms, cases[i].ms);
    }
    static const char *const wrong[] = {
        "",
        "now",
        "2026-11-22",
        "2026-11-22T15:10Z",
        "2026-11-22T15:10:00",
        "15:10:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01:60",
        "2026-01-01T00:00:00Z ",
        " 2026-01-01T00:00:00Z",
        "2026-1-1T00:00:00Z",
        "+2026-01-01T00:00:00Z",
        "-5",
        "1e9",
        "253402300800",
        "99999999999999999999",
        "2026-",
        "2026-01-01T",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t ms;
        assert_false(quantity_time(wrong[i], &ms));
    }
}

/* What reeld writes it reads, on every day that has a name. */
static void every_day(void **state)
{
    (void)state;
    for (int64_t ms = INT64_C(-62167219200000); ms < INT64_C(253402300799999);
         ms += INT64_C(86400000) + 3599877) {
        char text[CLOCK_TEXT_SIZE];
        int64_t read;
        clock_rfc3339(ms, text);
        assert_true(quantity_time(text, &read));
        assert_int_equal(read, ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals),
        cmocka_unit_test(times),
        cmocka_unit_test(every_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
