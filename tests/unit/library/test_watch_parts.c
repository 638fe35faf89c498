#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "places.h"
#include "watch_settle.h"
#include "watch_table.h"

static void places_are_gathered_by_folder(void **state)
{
    (void)state;
    static const char *const paths[] = {"/r/b/c/1", "/r/b/2", "/r/b-c/3", "/r/b/c",
                                        "/r/b/2",   "/r/a",   "/r/b/c/0", "/x"};
    struct places places = {0};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_true(places_add(&places, paths[i]));
    places_sort(&places);
    assert_int_equal(places.count, 7);
    size_t folders = 0, names = 0;
    for (size_t at = 0; at < places.count; folders++) {
        size_t next = places_same_folder(&places, at), len = places_folder(&places, at);
        for (; at < next; at++, names++)
            assert_int_equal(places_folder(&places, at), len);
    }
    assert_int_equal(folders, 5);
    assert_int_equal(names, 7);
    char below[] = "/r/b/c/1/deep/er", beside[] = "/r/b-c/4", root[] = "/x";
    assert_true(places_hold(&places, below));
    assert_string_equal(below, "/r/b/c/1/deep/er");
    assert_false(places_hold(&places, beside));
    assert_true(places_hold(&places, root));
    places_free(&places);
}

static void count_left(void *ctx, struct watch_node *node)
{
    (void)node;
    ++*(int *)ctx;
}

static void a_folder_that_moves_takes_what_is_below_along(void **state)
{
    (void)state;
    int left = 0;
    struct watch_table table = {.left = count_left, .ctx = &left};
    struct buf path = {0};
    struct watch_node *top = watch_table_add(&table, NULL, 1, NULL, "/r");
    struct watch_node *a = watch_table_add(&table, NULL, 2, top, "a");
    struct watch_node *b = watch_table_add(&table, NULL, 3, a, "b");
    struct watch_node *c = watch_table_add(&table, NULL, 4, top, "c");
    assert_true(watch_table_path(b, &path));
    assert_string_equal(path.data, "/r/a/b");
    assert_ptr_equal(watch_table_at(&table, top, "/r", "/r/a/b", 6), b);
    assert_ptr_equal(watch_table_at(&table, top, "/r", "/r/a/b/more", 6), b);
    assert_null(watch_table_at(&table, top, "/r", "/r/a/x", 6));

    watch_table_cut(&table, a);
    assert_false(watch_table_path(b, &path));
    assert_null(watch_table_child(&table, top, "a"));
    assert_true(watch_table_put(&table, a, c, "z"));
    assert_true(watch_table_path(b, &path));
    assert_string_equal(path.data, "/r/c/z/b");
    assert_ptr_equal(watch_table_wd(&table, 3), b);

    watch_table_drop(&table, c);
    assert_int_equal(left, 3);
    assert_null(watch_table_wd(&table, 3));
    assert_int_equal(table.count, 1);
    watch_table_drop(&table, top);
    assert_int_equal(left, 4);
    buf_free(&path);
}

static void the_root_of_all_has_no_slash_twice(void **state)
{
    (void)state;
    struct watch_table table = {0};
    struct buf path = {0};
    struct watch_node *top = watch_table_add(&table, NULL, 1, NULL, "/");
    struct watch_node *a = watch_table_add(&table, NULL, 2, top, "a");
    assert_true(watch_table_path(top, &path));
    assert_string_equal(path.data, "/");
    assert_true(watch_table_path(a, &path));
    assert_string_equal(path.data, "/a");
    assert_ptr_equal(watch_table_at(&table, top, "/", "/a", 2), a);
    watch_table_drop(&table, top);
    buf_free(&path);
}

/* Deep as no path is: neither the stack nor the table minds. */
static void a_chain_of_folders_is_dropped_as_one(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    struct watch_table table = {0};
    struct watch_node *top = watch_table_add(&table, NULL, 0, NULL, "/r"), *at = top;
    for (int i = 1; i < DEEP; i++)
        at = watch_table_add(&table, NULL, i, at, "d");
    assert_int_equal(table.count, DEEP);
    watch_table_drop(&table, top);
    assert_int_equal(table.count, 0);
}

static void what_is_written_on_after_it_was_taken_up_waits(void **state)
{
    (void)state;
    struct watch_settle settle = {0};
    assert_true(watch_settle_put(&settle, "/a", true, 10));
    assert_true(watch_settle_put(&settle, "/b", true, 11));
    assert_true(watch_settle_put(&settle, "/a", true, 12));
    assert_false(watch_settle_find(&settle, "/a")->again);
    assert_string_equal(watch_settle_first(&settle)->path, "/b");
    assert_true(watch_settle_put(&settle, "/a", false, 13));
    assert_true(watch_settle_put(&settle, "/a", true, 14));
    assert_true(watch_settle_find(&settle, "/a")->again);
    assert_true(watch_settle_put(&settle, "/a", true, 15));
    assert_true(watch_settle_find(&settle, "/a")->again);
    watch_settle_drop(&settle, watch_settle_find(&settle, "/b"));
    assert_null(watch_settle_find(&settle, "/b"));
    watch_settle_drop(&settle, NULL);
    watch_settle_free(&settle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_gathered_by_folder),
        cmocka_unit_test(a_folder_that_moves_takes_what_is_below_along),
        cmocka_unit_test(the_root_of_all_has_no_slash_twice),
        cmocka_unit_test(a_chain_of_folders_is_dropped_as_one),
        cmocka_unit_test(what_is_written_on_after_it_was_taken_up_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
