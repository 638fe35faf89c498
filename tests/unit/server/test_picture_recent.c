#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "picture_recent.h"

enum { SECOND = 1000000000 };

static int file_of(const void *bytes, size_t len)
{
    int fd = memfd_create("picture", 0);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    return fd;
}

static void put(struct picture_recent *recent, const struct picture_key *key, const char *text,
                int64_t now_ns)
{
    int fd = file_of(text, strlen(text));
    struct shared_bytes *bytes = picture_recent_put(recent, key, fd, (int64_t)strlen(text), now_ns);
    assert_non_null(bytes);
    assert_int_equal(bytes->len, strlen(text));
    shared_bytes_release(bytes);
    close(fd);
}

static void check(struct picture_recent *recent, const struct picture_key *key, int64_t now_ns,
                  const char *text)
{
    struct shared_bytes *bytes = picture_recent_get(recent, key, now_ns);
    if (!text) {
        assert_null(bytes);
        return;
    }
    assert_non_null(bytes);
    assert_int_equal(bytes->len, strlen(text));
    assert_memory_equal(bytes->bytes, text, bytes->len);
    shared_bytes_release(bytes);
}

static const struct picture_key one = {.number = 7, .version = 5, .width = 320};

/* Another number, version, form or width is another picture. */
static void test_that_very_one(void **state)
{
    (void)state;
    struct picture_recent recent = {0};
    check(&recent, &one, 0, NULL);
    put(&recent, &one, "seven", 0);
    check(&recent, &one, 1, "seven");
    struct picture_key other = one;
    other.number += PICTURE_RECENT_SLOTS;
    check(&recent, &other, 1, NULL);
    other = one;
    other.version++;
    check(&recent, &other, 1, NULL);
    other = one;
    other.form = PICTURE_FORM_STORYBOARD;
    check(&recent, &other, 1, NULL);
    other = one;
    other.width = 640;
    check(&recent, &other, 1, NULL);
    picture_recent_clear(&recent);
    check(&recent, &one, 1, NULL);
}

static void test_for_a_moment(void **state)
{
    (void)state;
    struct picture_recent recent = {0};
    const int64_t end = SECOND + PICTURE_RECENT_MS * INT64_C(1000000);
    put(&recent, &one, "seven", SECOND);
    check(&recent, &one, end - 1, "seven");
    check(&recent, &one, end, NULL);
    put(&recent, &one, "again", end);
    check(&recent, &one, end, "again");
    picture_recent_clear(&recent);
}

/* Whoever sends a picture has it to the end, also when another took its place. */
static void test_held_while_it_is_sent(void **state)
{
    (void)state;
    struct picture_recent recent = {0};
    put(&recent, &one, "seven", 0);
    struct shared_bytes *sent = picture_recent_get(&recent, &one, 0);
    struct picture_key next = one;
    next.number += PICTURE_RECENT_SLOTS;
    put(&recent, &next, "another", 0);
    check(&recent, &one, 0, NULL);
    check(&recent, &next, 0, "another");
    assert_memory_equal(sent->bytes, "seven", 5);
    picture_recent_clear(&recent);
    assert_memory_equal(sent->bytes, "seven", 5);
    shared_bytes_release(sent);
    shared_bytes_release(NULL);
}

/* What cannot be kept leaves what is there. */
static void test_too_large_or_cut(void **state)
{
    (void)state;
    struct picture_recent recent = {0};
    static const char large[PICTURE_RECENT_BYTES + 1];
    put(&recent, &one, "seven", 0);
    struct picture_key next = one;
    next.number += PICTURE_RECENT_SLOTS;
    int fd = file_of(large, sizeof large);
    assert_null(picture_recent_put(&recent, &next, fd, sizeof large, 0));
    assert_null(picture_recent_put(&recent, &next, fd, 0, 0));
    assert_int_equal(ftruncate(fd, 3), 0);
    assert_null(picture_recent_put(&recent, &next, fd, 4, 0));
    close(fd);
    check(&recent, &one, 0, "seven");
    picture_recent_clear(&recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_that_very_one),
        cmocka_unit_test(test_for_a_moment),
        cmocka_unit_test(test_held_while_it_is_sent),
        cmocka_unit_test(test_too_large_or_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
