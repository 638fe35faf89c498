#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "beneath.h"
#include "candidates.h"
#include "number_set.h"
#include "origin.h"
#include "tree.h"

/* ---- the choice among places --------------------------------------------------------------- */

/* Who was asked, as letters of their numbers, and who has left. */
struct asked {
    char numbers[16];
    const char *left;
};

static bool has_left(void *ctx, const struct video_place *place)
{
    struct asked *asked = ctx;
    char letter = (char)('0' + place->number);
    size_t len = strlen(asked->numbers);
    assert_true(len < sizeof asked->numbers - 1);
    asked->numbers[len] = letter;
    assert_int_equal(place->missing_since_ms, 0);
    return strchr(asked->left, letter) != NULL;
}

struct known {
    int64_t number;
    const char *path;
    bool missing;
};

/* Which number is chosen for a file at `/v/new/a.mp4` (0: none), and who was asked. */
static void choose(const struct known *known, size_t count, const char *left, int64_t chosen,
                   const char *asked)
{
    struct video_place places[8] = {0};
    struct place_list list = {.places = places, .count = count};
    for (size_t i = 0; i < count; i++) {
        char *path = strdup(known[i].path);
        assert_non_null(path);
        places[i] = (struct video_place){
            .number = known[i].number, .path = path, .missing_since_ms = known[i].missing};
    }
    struct asked who = {.left = left};
    const struct video_place *place = origin_choose(&list, "/v/new/a.mp4", has_left, &who);
    assert_int_equal(place ? place->number : 0, chosen);
    assert_string_equal(who.numbers, asked);
    for (size_t i = 0; i < count; i++)
        free(places[i].path);
}
#define CHOOSE(left, chosen, asked, ...)                                                           \
    choose((const struct known[]){__VA_ARGS__},                                                    \
           sizeof((const struct known[]){__VA_ARGS__}) / sizeof(struct known), left, chosen,       \
           asked)

static void none_is_chosen_where_all_are_in_place(void **state)
{
    (void)state;
    choose(NULL, 0, "", 0, "");
    CHOOSE("", 0, "1", {1, "/v/a.mp4", false});
    CHOOSE("", 0, "132", {1, "/v/a.mp4", false}, {2, "/v/b.mp4", false}, {3, "/w/a.mp4", false});
}

static void what_is_there_already_rules_others_out(void **state)
{
    (void)state;
    CHOOSE("1", 0, "", {1, "/v/a.mp4", false}, {2, "/v/new/a.mp4", false});
    CHOOSE("", 0, "", {1, "/v/a.mp4", true}, {2, "/v/new/a.mp4", false});
}

static void missing_ones_come_before_those_that_left(void **state)
{
    (void)state;
    CHOOSE("1", 2, "", {1, "/v/b.mp4", false}, {2, "/v/c.mp4", true});
    CHOOSE("1", 2, "", {1, "/v/a.mp4", false}, {2, "/w/a.mp4", true});
    /* But the name says more than when it left: a scan in between makes no other video of it. */
    CHOOSE("1", 1, "1", {1, "/v/a.mp4", false}, {2, "/v/b.mp4", true});
    CHOOSE("", 2, "1", {1, "/v/a.mp4", false}, {2, "/v/b.mp4", true});
    CHOOSE("", 3, "", {2, "/v/b.mp4", true}, {3, "/w/a.mp4", true}, {4, "/x/a.mp4", true});
    CHOOSE("", 4, "", {2, "/v/b.mp4", true}, {3, "/w/a.mp4", true}, {4, "/v/new/a.mp4", true});
    CHOOSE("", 2, "", {2, "/v/b.mp4", true}, {3, "/w/c.mp4", true});
    /* The same path twice: two videos went missing there. */
    CHOOSE("", 2, "", {2, "/v/new/a.mp4", true}, {3, "/v/new/a.mp4", true});
}

static void those_that_left_are_asked_in_order_until_one_has(void **state)
{
    (void)state;
    CHOOSE("123", 1, "1", {1, "/v/a.mp4", false}, {2, "/v/b.mp4", false}, {3, "/w/a.mp4", false});
    CHOOSE("23", 3, "13", {1, "/v/a.mp4", false}, {2, "/v/b.mp4", false}, {3, "/w/a.mp4", false});
    CHOOSE("2", 2, "132", {1, "/v/a.mp4", false}, {2, "/v/b.mp4", false}, {3, "/w/a.mp4", false});
}

/* ---- looks at paths ------------------------------------------------------------------------ */

static void a_look_ends_in_a_link(void **state)
{
    (void)state;
    char *folder = tree_new();
    tree_text(folder, "film", "real/a.mp4");
    char path[PATH_MAX], link[PATH_MAX];
    struct stat seen, real;
    snprintf(path, sizeof path, "%s/real/a.mp4", folder);
    assert_int_equal(stat(path, &real), 0);
    struct beneath root = {.fd = -1};
    for (int plain = 0; plain <= 1; plain++) {
        root.plain = plain;
        assert_int_equal(beneath_look(&root, path, &seen), 0);
        assert_true(seen.st_ino == real.st_ino);
        snprintf(link, sizeof link, "%s/folder%d", folder, plain);
        assert_int_equal(symlink("real", link), 0);
        snprintf(link, sizeof link, "%s/folder%d/a.mp4", folder, plain);
        root.follow = false;
        assert_true(beneath_nothing(beneath_look(&root, link, &seen)));
        root.follow = true;
        assert_int_equal(beneath_look(&root, link, &seen), 0);
        assert_true(seen.st_ino == real.st_ino);
        snprintf(link, sizeof link, "%s/file%d.mp4", folder, plain);
        assert_int_equal(symlink(path, link), 0);
        assert_int_equal(beneath_look(&root, link, &seen), 0);
        assert_true(seen.st_ino == real.st_ino);
        root.follow = false;
        assert_int_equal(beneath_look(&root, link, &seen), 0);
        assert_true(S_ISLNK(seen.st_mode) && seen.st_ino != real.st_ino);
        snprintf(link, sizeof link, "%s/real/a.mp4/b.mp4", folder);
        assert_true(beneath_nothing(beneath_look(&root, link, &seen)));
        snprintf(link, sizeof link, "%s/none/b.mp4", folder);
        assert_true(beneath_nothing(beneath_look(&root, link, &seen)));
    }
    tree_remove(folder);
}

static void a_path_may_be_of_any_length(void **state)
{
    (void)state;
    char *folder = tree_new();
    struct buf path = {0};
    buf_puts(&path, folder);
    int fd = open(folder, O_PATH | O_DIRECTORY);
    struct stat seen, real;
    char name[201];
    memset(name, 'n', 200);
    name[200] = '\0';
    while (path.len < 2 * PATH_MAX) {
        assert_int_equal(mkdirat(fd, name, 0700), 0);
        int next = openat(fd, name, O_PATH | O_DIRECTORY);
        close(fd);
        fd = next;
        path_join(&path, "", name);
    }
    assert_int_equal(fstat(fd, &real), 0);
    struct beneath root = {.fd = -1};
    dev_t device = 0;
    assert_int_equal(beneath_look(&root, path.data, &seen), 0);
    assert_true(seen.st_ino == real.st_ino);
    path_join(&path, "", "none/at/all");
    assert_true(beneath_nothing(beneath_look(&root, path.data, &seen)));
    assert_int_equal(beneath_device_above(&root, path.data, &device, NULL), 0);
    assert_true(device == real.st_dev);
    close(fd);
    buf_free(&path);
    tree_remove(folder);
}

static void the_device_is_that_of_what_is_left(void **state)
{
    (void)state;
    struct stat proc, top;
    dev_t device = 0;
    const struct beneath root = {.fd = -1};
    assert_int_equal(stat("/proc", &proc), 0);
    assert_int_equal(stat("/", &top), 0);
    assert_int_equal(beneath_device_above(&root, "/proc/none/of/it.mp4", &device, NULL), 0);
    assert_true(device == proc.st_dev);
    assert_int_equal(beneath_device_above(&root, "/no/such/folder/a.mp4", &device, NULL), 0);
    assert_true(device == top.st_dev);
    assert_int_equal(beneath_device_above(&root, "/a.mp4", &device, NULL), 0);
    assert_true(device == top.st_dev);
}

/* ---- parts --------------------------------------------------------------------------------- */

static void a_set_has_what_was_put_in(void **state)
{
    (void)state;
    enum { NUMBERS = 3000, STEPS = 200000 };
    struct number_set set = {0};
    bool in[NUMBERS] = {0};
    size_t count = 0;
    unsigned int seed = 7;
    assert_false(number_set_has(&set, 1));
    assert_false(number_set_remove(&set, 1));
    for (int step = 0; step < STEPS; step++) {
        size_t n = (size_t)rand_r(&seed) % NUMBERS;
        uint64_t number = (n + 1) * UINT64_C(0x100001);
        if (rand_r(&seed) % 2) {
            assert_true(number_set_add(&set, number));
            count += !in[n];
            in[n] = true;
        } else {
            assert_int_equal(number_set_remove(&set, number), in[n]);
            count -= in[n];
            in[n] = false;
        }
        n = (size_t)rand_r(&seed) % NUMBERS;
        assert_int_equal(number_set_has(&set, (n + 1) * UINT64_C(0x100001)), in[n]);
        assert_int_equal(set.count, count);
    }
    number_set_free(&set);
}

static void late_candidates_come_last(void **state)
{
    (void)state;
    struct candidates all = {0}, late = {0};
    uint32_t folder;
    const char *name;
    for (int round = 0; round < 2; round++) {
        if (round)
            assert_int_equal(candidates_add(&all, 0, "first"), RL_OK);
        assert_int_equal(candidates_add(&late, 3, "late"), RL_OK);
        candidates_join(&all, &late);
        candidates_join(&all, &late);
        assert_int_equal(late.count + late.bytes, 0);
        assert_int_equal(candidates_add(&all, 0, "last"), RL_OK);
        assert_int_equal(all.count, 2 + round);
        for (int i = 1 - round; i < 3; i++) {
            static const char *const names[] = {"first", "late", "last"};
            assert_true(candidates_first(&all, &folder, &name));
            assert_string_equal(name, names[i]);
            assert_int_equal(folder, i == 1 ? 3 : 0);
            candidates_drop(&all);
        }
        assert_false(candidates_first(&all, &folder, &name));
        assert_int_equal(all.count + all.bytes, 0);
    }
    candidates_free(&all);
    candidates_free(&late);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_chosen_where_all_are_in_place),
        cmocka_unit_test(what_is_there_already_rules_others_out),
        cmocka_unit_test(missing_ones_come_before_those_that_left),
        cmocka_unit_test(those_that_left_are_asked_in_order_until_one_has),
        cmocka_unit_test(a_look_ends_in_a_link),
        cmocka_unit_test(a_path_may_be_of_any_length),
        cmocka_unit_test(the_device_is_that_of_what_is_left),
        cmocka_unit_test(a_set_has_what_was_put_in),
        cmocka_unit_test(late_candidates_come_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
