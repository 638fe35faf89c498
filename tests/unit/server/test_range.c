#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "range.h"

struct known {
    const char *header;
    int64_t size;
    enum range_verdict verdict;
    struct range ranges[4];
    size_t count;
};

static void test_table(void **state)
{
    (void)state;
    const struct known table[] = {
        /* RFC 9110 §14.1.2, of a file of 10000 bytes */
        {"bytes=0-499", 10000, RANGE_SOME, {{0, 500}}, 1},
        {"bytes=500-999", 10000, RANGE_SOME, {{500, 500}}, 1},
        {"bytes=-500", 10000, RANGE_SOME, {{9500, 500}}, 1},
        {"bytes=9500-", 10000, RANGE_SOME, {{9500, 500}}, 1},
        {"bytes=0-0,-1", 10000, RANGE_SOME, {{0, 1}, {9999, 1}}, 2},
        {"bytes= 0-999, 4500-5499, -1000",
         10000,
         RANGE_SOME,
         {{0, 1000}, {4500, 1000}, {9000, 1000}},
         3},
        {"bytes=500-600,601-999", 10000, RANGE_SOME, {{500, 500}}, 1},
        {"bytes=500-700,601-999", 10000, RANGE_SOME, {{500, 500}}, 1},
        /* ends */
        {"bytes=0-", 100, RANGE_SOME, {{0, 100}}, 1},
        {"bytes=0-99", 100, RANGE_SOME, {{0, 100}}, 1},
        {"bytes=0-100", 100, RANGE_SOME, {{0, 100}}, 1},
        {"bytes=99-", 100, RANGE_SOME, {{99, 1}}, 1},
        {"bytes=99-99", 100, RANGE_SOME, {{99, 1}}, 1},
        {"bytes=-100", 100, RANGE_SOME, {{0, 100}}, 1},
        {"bytes=-101", 100, RANGE_SOME, {{0, 100}}, 1},
        {"BYTES=1-2", 100, RANGE_SOME, {{1, 2}}, 1},
        {"bytes=1-2,", 100, RANGE_SOME, {{1, 2}}, 1},
        {"bytes=,,1-2 ,\t,", 100, RANGE_SOME, {{1, 2}}, 1},
        {"bytes=007-008", 100, RANGE_SOME, {{7, 2}}, 1},
        /* numbers that do not fit */
        {"bytes=1-99999999999999999999999999", 100, RANGE_SOME, {{1, 99}}, 1},
        {"bytes=-99999999999999999999999999", 100, RANGE_SOME, {{0, 100}}, 1},
        {"bytes=99999999999999999999999999-", 100, RANGE_UNSATISFIABLE, {{0}}, 0},
        {"bytes=9223372036854775807-9223372036854775807", 100, RANGE_UNSATISFIABLE, {{0}}, 0},
        {"bytes=0-9223372036854775807", INT64_MAX, RANGE_SOME, {{0, INT64_MAX}}, 1},
        {"bytes=9223372036854775806-", INT64_MAX, RANGE_SOME, {{INT64_MAX - 1, 1}}, 1},
        {"bytes=0-0,9223372036854775806-", INT64_MAX, RANGE_SOME, {{0, 1}, {INT64_MAX - 1, 1}}, 2},
        /* nothing of the file */
        {"bytes=100-", 100, RANGE_UNSATISFIABLE, {{0}}, 0},
        {"bytes=100-200", 100, RANGE_UNSATISFIABLE, {{0}}, 0},
        {"bytes=-0", 100, RANGE_UNSATISFIABLE, {{0}}, 0},
        {"bytes=-0,100-,200-300", 100, RANGE_UNSATISFIABLE, {{0}}, 0},
        {"bytes=200-300,5-6", 100, RANGE_SOME, {{5, 2}}, 1},
        {"bytes=0-", 0, RANGE_NONE, {{0}}, 0},
        {"bytes=-5", 0, RANGE_NONE, {{0}}, 0},
        /* the order is the client's; what meets is joined where the first of it stood */
        {"bytes=5000-5099,0-99", 10000, RANGE_SOME, {{5000, 100}, {0, 100}}, 2},
        {"bytes=0-9,5000-5009,10-19", 10000, RANGE_SOME, {{0, 20}, {5000, 10}}, 2},
        {"bytes=5000-5009,0-9,5010-5019", 10000, RANGE_SOME, {{5000, 20}, {0, 10}}, 2},
        {"bytes=0-9,1000-1009,2000-2009,5-2005", 10000, RANGE_SOME, {{0, 2010}}, 1},
        {"bytes=0-9,137-139", 10000, RANGE_SOME, {{0, 140}}, 1},
        {"bytes=0-9,138-139", 10000, RANGE_SOME, {{0, 10}, {138, 2}}, 2},
        /* malformed, or not for us */
        {"", 100, RANGE_NONE, {{0}}, 0},
        {"bytes", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=,", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=-", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=--1", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=1", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=2-1", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=0-1,2-1", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=a-b", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=0x0-1", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=+0-1", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=0 -1", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=0-1 2-3", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=0-1;2-3", 100, RANGE_NONE, {{0}}, 0},
        {"bytes=0-1-2", 100, RANGE_NONE, {{0}}, 0},
        {"bytes 0-1", 100, RANGE_NONE, {{0}}, 0},
        {"bytes =0-1", 100, RANGE_NONE, {{0}}, 0},
        {"items=0-1", 100, RANGE_NONE, {{0}}, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct known *known = &table[i];
        struct range_set set;
        enum range_verdict verdict = range_parse(known->header, known->size, &set);
        if (verdict != RANGE_SOME)
            set.count = 0; /* what it came to before it was refused */
        if (verdict != known->verdict || set.count != known->count)
            fail_msg("%s of %lld: verdict %d, %zu ranges", known->header, (long long)known->size,
                     (int)verdict, set.count);
        for (size_t j = 0; j < set.count; j++) {
            if (set.ranges[j].offset != known->ranges[j].offset ||
                set.ranges[j].length != known->ranges[j].length)
                fail_msg("%s: range %zu is %lld+%lld", known->header, j,
                         (long long)set.ranges[j].offset, (long long)set.ranges[j].length);
        }
    }
}

static void many(char *out, int count)
{
    char *at = out + sprintf(out, "bytes=");
    for (int i = 0; i < count; i++)
        at += sprintf(at, "%s%d-%d", i ? "," : "", i * 1000, i * 1000 + 1);
}

static void test_too_many(void **state)
{
    (void)state;
    char header[2048];
    struct range_set set;
    many(header, RANGES_MAX);
    assert_int_equal(range_parse(header, 1000000, &set), RANGE_SOME);
    assert_int_equal(set.count, RANGES_MAX);
    many(header, RANGES_MAX + 1);
    assert_int_equal(range_parse(header, 1000000, &set), RANGE_TOO_MANY);
    strcat(header, ",x"); /* malformed comes first */
    assert_int_equal(range_parse(header, 1000000, &set), RANGE_NONE);
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void check(const char *header, int64_t size, enum range_verdict verdict,
                  const struct range_set *set)
{
    if (verdict != RANGE_SOME)
        return;
    if (set->count < 1 || set->count > RANGES_MAX)
        fail_msg("%s: %zu ranges", header, set->count);
    for (size_t i = 0; i < set->count; i++) {
        const struct range *a = &set->ranges[i];
        if (a->offset < 0 || a->length < 1 || a->offset > size - a->length)
            fail_msg("%s: outside the file", header);
        for (size_t j = 0; j < i; j++) {
            const struct range *b = &set->ranges[j];
            if (a->offset < b->offset + b->length && b->offset < a->offset + a->length)
                fail_msg("%s: overlap", header);
        }
    }
}

/* Every byte that a well-formed header asks for is in the answer, and only what lies between. */
static void test_random(void **state)
{
    (void)state;
    static const char letters[] = "0123456789-, =\tbytes";
    uint32_t seed = 7;
    for (int round = 0; round < 100000; round++) {
        char header[128] = "bytes=";
        int len = (int)(next(&seed) % 40);
        for (int i = 0; i < len; i++)
            header[6 + i] = letters[next(&seed) % (round % 2 ? 13 : sizeof letters - 1)];
        struct range_set set;
        int64_t size = next(&seed) % 5000;
        check(header, size, range_parse(header, size, &set), &set);
    }
    for (int round = 0; round < 20000; round++) {
        enum { SIZE = 600 };
        char header[512], *at = header + sprintf(header, "bytes=");
        bool asked[SIZE] = {false}, given[SIZE] = {false};
        int count = 1 + (int)(next(&seed) % 20);
        for (int i = 0; i < count; i++) {
            uint32_t first = next(&seed) % (SIZE + 50), last = first + next(&seed) % 9;
            at += sprintf(at, "%s%u-%u", i ? ", " : "", first, last);
            for (uint32_t byte = first; byte <= last && byte < SIZE; byte++)
                asked[byte] = true;
        }
        struct range_set set;
        enum range_verdict verdict = range_parse(header, SIZE, &set);
        check(header, SIZE, verdict, &set);
        for (size_t i = 0; i < set.count; i++)
            for (int64_t b = 0; b < set.ranges[i].length; b++)
                given[set.ranges[i].offset + b] = true;
        for (int byte = 0; byte < SIZE; byte++) {
            if (asked[byte] && !given[byte])
                fail_msg("%s: byte %d is not given", header, byte);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table),
                                       cmocka_unit_test(test_too_many),
                                       cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
