#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "candidates.h"
#include "names.h"
#include "settle.h"
#include "transport.h"

static void candidates_give_back_what_they_took(void **state)
{
    (void)state;
    struct candidates candidates = {0};
    enum { FOLDERS = 100, FILES = 1000 };
    uint32_t folders[FOLDERS], above = 0;
    for (int i = 0; i < FOLDERS; i++) {
        char name[16];
        int len = snprintf(name, sizeof name, "d%d", i);
        assert_int_equal(candidates_directory(&candidates, above, name, (size_t)len, &folders[i]),
                         RL_OK);
        above = i % 10 == 9 ? 0 : folders[i];
        for (int k = 0; k < FILES; k++) {
            char file[32];
            snprintf(file, sizeof file, "%d-%d.mp4", i, k);
            assert_int_equal(candidates_add(&candidates, folders[i], file), RL_OK);
        }
    }
    assert_int_equal(candidates.count, FOLDERS * FILES);
    assert_true(candidates.bytes < 3 << 20);
    struct buf path = {0};
    candidates_path(&candidates, folders[12], &path);
    assert_string_equal(path.data, "d10/d11/d12");
    buf_clear(&path);
    candidates_path(&candidates, 0, &path);
    assert_int_equal(path.len, 0);
    buf_free(&path);
    for (int i = 0; i < FOLDERS; i++) {
        for (int k = 0; k < FILES; k++) {
            uint32_t folder;
            const char *name;
            char file[32];
            snprintf(file, sizeof file, "%d-%d.mp4", i, k);
            assert_true(candidates_first(&candidates, &folder, &name));
            assert_int_equal(folder, folders[i]);
            assert_string_equal(name, file);
            candidates_drop(&candidates);
        }
    }
    uint32_t folder;
    const char *name;
    assert_false(candidates_first(&candidates, &folder, &name));
    assert_int_equal(candidates.bytes, 0);
    candidates_free(&candidates);
}

static void settle_gives_the_soonest_first(void **state)
{
    (void)state;
    struct settle settle = {0};
    assert_true(settle_due(&settle) == INT64_MAX);
    uint32_t seed = 7;
    for (int i = 0; i < 1000; i++) {
        struct file_task *task = calloc(1, sizeof *task + 1);
        seed = seed * 1664525 + 1013904223;
        task->due_ms = seed >> 20;
        assert_int_equal(settle_put(&settle, task), RL_OK);
    }
    int64_t last = 0;
    for (int i = 0; i < 900; i++) {
        int64_t due = settle_due(&settle);
        struct file_task *task = settle_take(&settle);
        assert_true(task->due_ms == due && due >= last);
        last = due;
        free(task);
    }
    assert_int_equal(settle.count, 100);
    settle_free(&settle);
}

static void names_are_sorted_and_single(void **state)
{
    (void)state;
    struct names names = {0};
    const char *given[] = {"b", "a", "\xff", "b", "a b", "B"};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        assert_true(names_add(&names, given[i]));
    assert_true(names_sort(&names));
    const char *expected[] = {"B", "a", "a b", "b", "\xff"};
    assert_int_equal(names.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(names.sorted[i], expected[i]);
    names_free(&names);
}

static void transport_streams_are_told_from_text(void **state)
{
    (void)state;
    unsigned char bytes[TRANSPORT_LOOK_SIZE];
    const size_t strides[] = {188, 192, 204};
    for (size_t s = 0; s < 3; s++) {
        for (size_t offset = 0; offset < strides[s]; offset += 17) {
            memset(bytes, 0, sizeof bytes);
            for (size_t at = offset; at < sizeof bytes; at += strides[s])
                bytes[at] = 0x47;
            assert_int_equal(transport_look(bytes, sizeof bytes), TRANSPORT_YES);
        }
    }
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(transport_look(bytes, sizeof bytes), TRANSPORT_MAYBE);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)"export const answer: number = 42;\n"[i % 34];
    assert_int_equal(transport_look(bytes, sizeof bytes), TRANSPORT_NO);
    assert_int_equal(transport_look(bytes, 10), TRANSPORT_NO);
    assert_int_equal(transport_look(bytes, 0), TRANSPORT_NO);
    assert_true(transport_name("a/b.TS") && transport_name("b.mts"));
    assert_false(transport_name("b.m2ts") || transport_name("b.mp4") || transport_name("ts"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_give_back_what_they_took),
        cmocka_unit_test(settle_gives_the_soonest_first),
        cmocka_unit_test(names_are_sorted_and_single),
        cmocka_unit_test(transport_streams_are_told_from_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
