#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "reeld/catalog.h"
#include "root_guard.h"
#include "tree.h"
#include "vanished.h"

/* A root that is there, on its device, with 100 videos of which so many vanished. */
static struct guard_case usual(int64_t vanished)
{
    return (struct guard_case){
        .look = {.device = 7}, .device = 7, .vanished = vanished, .present = 100};
}

static void a_few_may_go(void **state)
{
    (void)state;
    struct guard_case found = usual(0);
    assert_int_equal(guard_decide(&found), GUARD_NONE);
    found = usual(20); /* exactly a fifth */
    assert_int_equal(guard_decide(&found), GUARD_NONE);
    found = usual(21);
    assert_int_equal(guard_decide(&found), GUARD_TOO_MANY);
    found = usual(9); /* of nine */
    found.present = 9;
    assert_int_equal(guard_decide(&found), GUARD_NONE);
    found = usual(10);
    found.present = 10;
    assert_int_equal(guard_decide(&found), GUARD_TOO_MANY);
    found.present = 50;
    assert_int_equal(guard_decide(&found), GUARD_NONE);
    found.present = 49;
    assert_int_equal(guard_decide(&found), GUARD_TOO_MANY);
}

static void what_is_ignored_or_asked_for_alone_is_never_too_many(void **state)
{
    (void)state;
    struct guard_case found = usual(100);
    found.ignored = 91;
    assert_int_equal(guard_decide(&found), GUARD_NONE);
    found.ignored = 79;
    assert_int_equal(guard_decide(&found), GUARD_TOO_MANY);
    found.ignored = 0;
    found.single = true;
    assert_int_equal(guard_decide(&found), GUARD_NONE);
}

static void the_root_itself_counts_whatever_the_number(void **state)
{
    (void)state;
    struct guard_case found = usual(1);
    found.look = (struct root_look){.gone = true};
    assert_int_equal(guard_decide(&found), GUARD_GONE);
    found.look = (struct root_look){.empty = true, .device = 7};
    assert_int_equal(guard_decide(&found), GUARD_EMPTY);
    found.look = (struct root_look){.device = 8};
    assert_int_equal(guard_decide(&found), GUARD_DEVICE);
    found.device = 0; /* it was never seen whole */
    assert_int_equal(guard_decide(&found), GUARD_NONE);
    found.elsewhere = true;
    assert_int_equal(guard_decide(&found), GUARD_DEVICE);
    found.vanished = 0;
    found.look = (struct root_look){.gone = true};
    assert_int_equal(guard_decide(&found), GUARD_NONE);
}

static void the_videos_are_counted_only_where_that_decides(void **state)
{
    (void)state;
    struct guard_case found = usual(9);
    assert_false(guard_wants_present(&found));
    found = usual(10);
    assert_true(guard_wants_present(&found));
    found.ignored = 1;
    assert_false(guard_wants_present(&found));
    found = usual(10);
    found.look.empty = true;
    assert_false(guard_wants_present(&found));
}

static void a_refusal_is_one_sentence(void **state)
{
    (void)state;
    char words[JOB_ERROR_SIZE];
    guard_sentence(GUARD_EMPTY, "/media/x", 1234, words, sizeof words);
    assert_string_equal(words,
                        "the folder /media/x looks unmounted (it is empty): 1,234 videos were "
                        "left as they were; accept-missing takes them for missing if that "
                        "is meant");
    guard_sentence(GUARD_GONE, "/m", 1, words, sizeof words);
    assert_non_null(strstr(words, ": 1 video was left as it was; accept-missing takes it "));
    guard_sentence(GUARD_TOO_MANY, "/m", 1234567, words, sizeof words);
    assert_non_null(strstr(words, "1,234,567 videos"));
    /* However long the path, and whatever its bytes, the end is said and no character is cut. */
    char path[4096];
    for (size_t shift = 0; shift < 3; shift++) {
        for (int reason = GUARD_GONE; reason <= GUARD_TOO_MANY; reason++) {
            memset(path, 'x', sizeof path);
            for (size_t i = shift + 1; i + 3 < sizeof path; i += 3)
                memcpy(path + i, reason % 2 ? "\xe2\x82\xac" : "\xff\xfe\xfd", 3);
            path[0] = '/';
            path[sizeof path - 1] = '\0';
            guard_sentence((enum guard_reason)reason, path, 1234567890123, words, sizeof words);
            assert_true(utf8_valid(words, strlen(words)));
            assert_non_null(strstr(words, "if that is meant"));
        }
    }
}

static void the_disk_is_looked_at(void **state)
{
    (void)state;
    char *folder = tree_new();
    struct root_look look;
    assert_int_equal(root_look(folder, &look), RL_OK);
    assert_true(look.empty && !look.gone && look.device);
    tree_text(folder, "", ".hidden");
    assert_int_equal(root_look(folder, &look), RL_OK);
    assert_true(!look.empty && !look.gone && look.device);
    char path[512];
    snprintf(path, sizeof path, "%s/nothing", folder);
    assert_int_equal(root_look(path, &look), RL_OK);
    assert_true(look.gone && !look.empty && !look.device);
    snprintf(path, sizeof path, "%s/.hidden", folder);
    assert_int_equal(root_look(path, &look), RL_OK);
    assert_true(look.gone);
    tree_remove(folder);
}

static void what_cannot_be_read_is_told_from_its_neighbours(void **state)
{
    (void)state;
    struct vanished vanished = {0};
    assert_true(vanished_seal(&vanished));
    assert_false(vanished_is_closed(&vanished, "/a/b"));
    vanished_free(&vanished);
    static const char *const closed[] = {"/a/b", "/a/c.d", "/z", "/a/b/c", "/a/bb/c"};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        assert_true(vanished_close(&vanished, closed[i]));
    assert_true(vanished_seal(&vanished));
    static const char *const in[] = {"/a/b", "/a/b/x.mp4", "/a/b/c/d/e", "/a/c.d/x", "/z/y", "/z"};
    static const char *const out[] = {"/a", "/a/x.mp4", "/a/b.mp4", "/a/bb/x", "/a/c", "/zz", "/"};
    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        assert_true(vanished_is_closed(&vanished, in[i]));
    /* A folder that cannot be read hides what is in it, not that it is no file itself. */
    static const char *const inside[] = {"/a/b/x.mp4", "/a/b/c", "/a/b/c/d/e", "/a/c.d/x", "/z/y"};
    static const char *const itself[] = {"/a/b", "/a/c.d", "/a/bb/c", "/z", "/a", "/a/b.mp4"};
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        assert_true(vanished_is_inside(&vanished, inside[i]));
    for (size_t i = 0; i < sizeof itself / sizeof *itself; i++)
        assert_false(vanished_is_inside(&vanished, itself[i]));
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        assert_false(vanished_is_closed(&vanished, out[i]));
    vanished_free(&vanished);
    assert_true(vanished_close(&vanished, "/") && vanished_seal(&vanished));
    assert_true(vanished_is_closed(&vanished, "/a/b"));
    assert_true(vanished_is_inside(&vanished, "/a/b"));
    vanished_free(&vanished);
}

static void folders_are_noted_by_their_ids(void **state)
{
    (void)state;
    struct vanished vanished = {0};
    static const int64_t ids[] = {1, 63, 64, 65, 100000, 7};
    assert_true(vanished_walked(&vanished, 0));
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        assert_true(vanished_walked(&vanished, ids[i]));
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        assert_true(vanished_was_walked(&vanished, ids[i]));
    assert_false(vanished_was_walked(&vanished, 2));
    assert_false(vanished_was_walked(&vanished, 99999));
    assert_false(vanished_was_walked(&vanished, 100001));
    assert_false(vanished_was_walked(&vanished, INT64_C(1) << 40));
    vanished_free(&vanished);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_may_go),
        cmocka_unit_test(what_is_ignored_or_asked_for_alone_is_never_too_many),
        cmocka_unit_test(the_root_itself_counts_whatever_the_number),
        cmocka_unit_test(the_videos_are_counted_only_where_that_decides),
        cmocka_unit_test(a_refusal_is_one_sentence),
        cmocka_unit_test(the_disk_is_looked_at),
        cmocka_unit_test(what_cannot_be_read_is_told_from_its_neighbours),
        cmocka_unit_test(folders_are_noted_by_their_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
