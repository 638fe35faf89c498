#include <string.h>

#include "../test.h"
#include "reeld/base.h"

static const char *const sorted[] = {"",
                                     "2",
                                     "10",
                                     "Film 1",
                                     "film 1",
                                     "film 2",
                                     "Film 02",
                                     "film 010",
                                     "film 11",
                                     "film b",
                                     "films",
                                     "z99999999999999999999998",
                                     "z99999999999999999999999",
                                     "\xc3\xa9t\xc3\xa9"};
enum { COUNT = sizeof sorted / sizeof *sorted };

/* "film 2" and "Film 02" are equal but for their bytes; so are those that differ in case. */
static bool alike(int i, int k)
{
    return (i == 5 && k == 6) || (i == 6 && k == 5);
}

static void test_order(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < COUNT; k++) {
            int order = natural_compare(sorted[i], sorted[k]);
            if (alike(i, k))
                assert_true(order != 0);
            else
                assert_true((i < k) == (order < 0) && (i > k) == (order > 0));
        }
    }
}

static int compare_keys(const char *a, const char *b)
{
    struct buf one = {0}, other = {0};
    natural_key(&one, a);
    natural_key(&other, b);
    size_t len = one.len < other.len ? one.len : other.len;
    int order = len ? memcmp(one.data, other.data, len) : 0;
    if (!order)
        order = (one.len > other.len) - (one.len < other.len);
    buf_free(&one);
    buf_free(&other);
    return order;
}

/* The key orders as the comparison does, and is equal where only bytes decide. */
static void test_key(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < COUNT; k++) {
            int order = natural_compare(sorted[i], sorted[k]),
                by_key = compare_keys(sorted[i], sorted[k]);
            bool case_only = (i == 3 && k == 4) || (i == 4 && k == 3);
            if (alike(i, k) || case_only)
                assert_int_equal(by_key, 0);
            else
                assert_true((order < 0) == (by_key < 0) && (order > 0) == (by_key > 0));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_key)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
