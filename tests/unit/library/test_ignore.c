#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "ignore_read.h"
#include "tour.h"
#include "tree.h"

/* Whether one file of rules in the topmost folder ignores `path`, and by which line. */
static unsigned int line_for(const char *rules, const char *path, bool directory, bool *ignored)
{
    struct ignore ignore = {0};
    char *bytes = strdup(rules), *copy = strdup(path), *name = copy;
    assert_int_equal(ignore_add(&ignore, bytes, strlen(bytes)), RL_OK);
    for (char *slash; (slash = strchr(name, '/')); name = slash + 1) {
        *slash = '\0';
        assert_int_equal(ignore_enter(&ignore, name), RL_OK);
    }
    struct ignore_verdict verdict;
    assert_int_equal(ignore_judge(&ignore, name, directory, &verdict), RL_OK);
    *ignored = verdict.ignored;
    assert_int_equal(verdict.folders, 0);
    ignore_free(&ignore);
    free(bytes);
    free(copy);
    return verdict.line;
}

static void examples(void **state)
{
    (void)state;
    /* The entry alone is judged: what is in an ignored folder is the walk's matter. */
    static const struct {
        const char *rules, *path;
        bool directory, ignored;
    } table[] = {
        {"hello.*", "hello.mp4", false, true},
        {"hello.*", "a/hello.mp4", false, true},
        {"/hello.*", "hello.mp4", false, true},
        {"/hello.*", "a/hello.mp4", false, false},
        {"foo/", "foo", true, true},
        {"foo/", "foo", false, false},
        {"foo/", "a/foo", true, true},
        {"doc/frotz", "doc/frotz", true, true},
        {"doc/frotz", "a/doc/frotz", true, false},
        {"foo/*", "foo/test.mp4", false, true},
        {"foo/*", "foo/bar", true, true},
        {"foo/*", "foo/bar/hello.mp4", false, false},
        {"**/foo", "foo", false, true},
        {"**/foo", "a/b/foo", false, true},
        {"**/foo/bar", "x/foo/bar", false, true},
        {"abc/**", "abc", true, false},
        {"abc/**", "abc/x/y", false, true},
        {"a/**/b", "a/b", false, true},
        {"a/**/b", "a/x/y/b", false, true},
        {"a/**/b", "a/x/c", false, false},
        {"a/**/b/**/c", "a/1/b/2/b/3/c", false, true},
        {"a**b", "aXXb", false, true},
        {"x/a**b", "x/a/b", false, false},
        {"# note", "# note", false, false},
        {"\\# note", "# note", false, true},
        {"\\!odd", "!odd", false, true},
        {"*.mp4\n!good.mp4", "good.mp4", false, false},
        {"!good.mp4\n*.mp4", "good.mp4", false, true},
        {"tail   ", "tail", false, true},
        {"tail\\ ", "tail ", false, true},
        {"tail\\ ", "tail", false, false},
        {"tail\t", "tail\t", false, true},
        {"windows\r\n", "windows", false, true},
        {"one\r\ntwo", "two", false, true},
        {"\xef\xbb\xbfmarked", "marked", false, true},
        {"caf\xe9.mp4", "caf\xe9.mp4", false, true},
        {"caf?.mp4", "caf\xe9.mp4", false, true},
        {"[\xe0-\xef].mp4", "\xe9.mp4", false, true},
        {"a\\", "a", false, false},
        {"a\\", "a\\", false, false},
        {"[", "[", false, false},
        {"[a", "a", false, false},
        {"[]]", "]", false, true},
        {"[!]]", "a", false, true},
        {"[^a]", "b", false, true},
        {"[^a]", "a", false, false},
        {"[a-c-e]", "-", false, true},
        {"[a-c-e]", "d", false, false},
        {"[[:digit:]]", "7", false, true},
        {"[[:digits:]]", "7", false, false},
        {"[[.a.]]", "a", false, false},
        {"[[.a.]]", ".]", false, true},
        {"[\\]]", "]", false, true},
        {"x[/]y", "x/y", false, false},
        {"*", ".hidden", false, true},
        {"/", "a", true, false},
        {"//", "a", true, false},
        {"a//b", "a/b", false, false},
        {"!", "a", false, false},
        {"", "a", false, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bool ignored;
        line_for(table[i].rules, table[i].path, table[i].directory, &ignored);
        if (ignored != table[i].ignored)
            print_error("rules \"%s\", path \"%s\"\n", table[i].rules, table[i].path);
        assert_int_equal(ignored, table[i].ignored);
    }
}

static void the_line_that_decides(void **state)
{
    (void)state;
    bool ignored;
    const char *rules = "# one\n\n*.mp4\n!good*\ngood-not.mp4\n[\n";
    assert_int_equal(line_for(rules, "x.mp4", false, &ignored), 3);
    assert_int_equal(line_for(rules, "good.mp4", false, &ignored), 4);
    assert_false(ignored);
    assert_int_equal(line_for(rules, "good-not.mp4", false, &ignored), 5);
    assert_true(ignored);
    assert_int_equal(line_for(rules, "x.mkv", false, &ignored), 0);
}

static void names_ignored_by_themselves(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned int by;
    } table[] = {{".a.mp4", IGNORED_DOT},
                 {"@eaDir", IGNORED_EADIR},
                 {"@eadir", 0},
                 {"#recycle", IGNORED_RECYCLE},
                 {"lost+found", IGNORED_LOST_FOUND},
                 {"lost", 0},
                 {"film.mp4.part", IGNORED_PART},
                 {"FILM.MP4.PART", IGNORED_PART},
                 {"film.crDownload", IGNORED_CRDOWNLOAD},
                 {"film.tmp", IGNORED_TMP},
                 {"film.tmp.mp4", 0},
                 {"part", 0},
                 {"film.mp4", 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(ignore_name(0, table[i].name), table[i].by);
        assert_int_equal(ignore_name(table[i].by, table[i].name), 0);
    }
    /* Two patterns fit this one: each of them is enough. */
    assert_int_not_equal(ignore_name(0, ".Trash-1000"), 0);
    assert_int_equal(ignore_name(IGNORED_DOT, ".Trash-1000"), IGNORED_TRASH);
    assert_int_equal(ignore_name(IGNORED_TRASH, ".Trash-1000"), IGNORED_DOT);
    assert_int_equal(ignore_name(IGNORED_TRASH | IGNORED_DOT, ".Trash-1000"), 0);
}

static void check_tour(const char *folder, const struct tour_way *way, const char *expected)
{
    char *told = tour_text(folder, way);
    assert_string_equal(told, expected);
    free(told);
}

static void a_tree(void **state)
{
    (void)state;
    char *folder = tree_new();
    tree_text(folder, "skip.mp4\n*.mkv\n!keep.mkv\nclosed/\n", ".reeldignore");
    tree_text(folder, "!skip.mp4\n", "open/.reeldignore");
    tree_text(folder, "!*\n", "closed/.reeldignore");
    tree_text(folder, "", "quiet/.nomedia");
    static const char *const files[] = {
        "a.mp4",         "skip.mp4",     "b.mkv",       "keep.mkv",        "open/skip.mp4",
        "open/b.mkv",    "closed/a.mp4", "quiet/a.mp4", "quiet/sub/a.mp4", "@eaDir/a.mp4",
        ".dot/a.mp4",    ".dot.mp4",     "x.tmp/a.mp4", "other/skip.mp4",  "other/deep/a.mp4",
        ".Trash-1/a.mp4"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        tree_text(folder, "x", "%s", files[i]);
    check_tour(folder, &(struct tour_way){0},
               "file a.mp4\nfile keep.mkv\nfile open/skip.mp4\nfile other/deep/a.mp4\n");
    check_tour(folder, &(struct tour_way){.flat = true}, "file a.mp4\nfile keep.mkv\n");
    check_tour(folder, &(struct tour_way){.keep = IGNORED_NOMEDIA | IGNORED_EADIR | IGNORED_TMP},
               "file @eaDir/a.mp4\nfile a.mp4\nfile keep.mkv\nfile open/skip.mp4\n"
               "file other/deep/a.mp4\nfile quiet/a.mp4\nfile quiet/sub/a.mp4\nfile x.tmp/a.mp4\n");
    check_tour(folder, &(struct tour_way){.keep = IGNORED_DOT, .flat = true},
               "file .dot.mp4\nfile a.mp4\nfile keep.mkv\n");
    check_tour(folder, &(struct tour_way){.keep = IGNORED_RULES, .flat = true},
               "file a.mp4\nfile b.mkv\nfile keep.mkv\nfile skip.mp4\n");

    /* What somebody asks for is walked whatever its name is, by the rules from above. */
    char sub[512];
    snprintf(sub, sizeof sub, "%s/closed", folder);
    check_tour(sub, &(struct tour_way){.top = folder}, "file a.mp4\n");
    snprintf(sub, sizeof sub, "%s/.dot", folder);
    check_tour(sub, &(struct tour_way){.top = folder}, "file a.mp4\n");
    snprintf(sub, sizeof sub, "%s/other", folder);
    check_tour(sub, &(struct tour_way){.top = folder}, "file deep/a.mp4\n");
    check_tour(sub, &(struct tour_way){.top = sub}, "file deep/a.mp4\nfile skip.mp4\n");
    check_tour(sub, &(struct tour_way){.top = folder, .keep = IGNORED_RULES},
               "file deep/a.mp4\nfile skip.mp4\n");
    snprintf(sub, sizeof sub, "%s/quiet/sub", folder);
    check_tour(sub, &(struct tour_way){.top = folder}, "");
    check_tour(sub, &(struct tour_way){.top = folder, .keep = IGNORED_NOMEDIA}, "file a.mp4\n");
    check_tour(sub, &(struct tour_way){.top = sub}, "file a.mp4\n");
    tree_remove(folder);
}

/* What stops a walk from `folder` on its way to `path` below it. */
static struct ignore_reason reason_for(const char *folder, const char *path, bool directory)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", folder, path);
    struct ignore_way way = {.top = folder, .from = folder, .path = full, .directory = directory};
    struct ignore ignore = {0};
    struct ignore_reason reason;
    assert_int_equal(ignore_read_above(&ignore, &way, &reason), RL_OK);
    ignore_free(&ignore);
    if (reason.why)
        reason.len -= strlen(folder) + 1;
    return reason;
}

static void reasons(void **state)
{
    (void)state;
    char *folder = tree_new();
    tree_text(folder, "\nclosed/\n", ".reeldignore");
    tree_text(folder, "x.mp4\n", "a/b/.reeldignore");
    tree_text(folder, "", "quiet/.nomedia");
    tree_folder(folder, "closed/sub");
    tree_folder(folder, "@eaDir/sub");
    tree_folder(folder, "quiet/sub");
    assert_int_equal(reason_for(folder, "a/b/y.mp4", false).why, IGNORE_NOT);
    assert_int_equal(reason_for(folder, "closed", false).why, IGNORE_NOT);
    struct ignore_reason reason = reason_for(folder, "a/b/x.mp4", false);
    assert_int_equal(reason.why, IGNORE_BY_RULE);
    assert_int_equal(reason.len, strlen("a/b/x.mp4"));
    assert_int_equal(reason.verdict.folders, 2);
    assert_int_equal(reason.verdict.line, 1);
    reason = reason_for(folder, "closed/sub/x.mp4", false);
    assert_int_equal(reason.why, IGNORE_BY_RULE);
    assert_int_equal(reason.len, strlen("closed"));
    assert_int_equal(reason.verdict.folders, 0);
    assert_int_equal(reason.verdict.line, 2);
    reason = reason_for(folder, "@eaDir/sub/x.mp4", false);
    assert_int_equal(reason.why, IGNORE_BY_NAME);
    assert_int_equal(reason.len, strlen("@eaDir"));
    assert_int_equal(reason.name, IGNORED_EADIR);
    reason = reason_for(folder, "quiet/sub/x.mp4", false);
    assert_int_equal(reason.why, IGNORE_BY_ALL_FILE);
    assert_int_equal(reason.len, strlen("quiet"));
    tree_remove(folder);
}

static void files_of_rules_that_are_none(void **state)
{
    (void)state;
    char *folder = tree_new(), path[512], target[512];
    static const char *const subs[] = {"link", "fifo", "folder", "dangling"};
    tree_text(folder, "*\n", "all");
    snprintf(target, sizeof target, "%s/all", folder);
    for (int i = 0; i < 4; i++) {
        tree_text(folder, "x", "%s/a.mp4", subs[i]);
        snprintf(path, sizeof path, "%s/%s/.reeldignore", folder, subs[i]);
        int failed = i == 0   ? symlink(target, path)
                     : i == 1 ? mkfifo(path, 0644)
                     : i == 2 ? mkdir(path, 0755)
                              : symlink("nowhere", path);
        assert_int_equal(failed, 0);
    }
    check_tour(folder, &(struct tour_way){0},
               "file dangling/a.mp4\nfile fifo/a.mp4\nfile folder/a.mp4\nfile link/a.mp4\n");
    check_tour(folder, &(struct tour_way){.follow = true},
               "file dangling/a.mp4\nfile fifo/a.mp4\nfile folder/a.mp4\nfile link/a.mp4\n");
    tree_remove(folder);
}

static void what_is_too_much_is_left_out(void **state)
{
    (void)state;
    char *folder = tree_new();
    struct buf rules = {0};
    for (int i = 0; i < IGNORE_RULES_MAX; i++)
        buf_printf(&rules, "# a remark\nr%d.mp4\n", i);
    buf_puts(&rules, "more.mp4\n");
    tree_file(folder, rules.data, rules.len, "many/.reeldignore");
    tree_text(folder, "x", "many/r999.mp4");
    tree_text(folder, "x", "many/more.mp4");

    /* The line that the limit falls into is left out whole: its beginning would match a.mp4. */
    buf_clear(&rules);
    buf_puts(&rules, "first.mp4\n");
    while (rules.len < IGNORE_FILE_MAX - 5)
        buf_puts(&rules, "#\n");
    rules.len = IGNORE_FILE_MAX - 6;
    buf_puts(&rules, "\na.mp4x\nlast.mp4\n");
    tree_file(folder, rules.data, rules.len, "long/.reeldignore");
    tree_text(folder, "x", "long/first.mp4");
    tree_text(folder, "x", "long/a.mp4");
    tree_text(folder, "x", "long/last.mp4");
    check_tour(folder, &(struct tour_way){0},
               "file long/a.mp4\nfile long/last.mp4\nfile many/more.mp4\n");
    buf_free(&rules);
    tree_remove(folder);

    /* Rules of many folders: they stop growing, and those above hold on. */
    struct ignore ignore = {0};
    char *bytes = malloc(IGNORE_FILE_MAX + 1);
    for (int i = 0; i < 40; i++) {
        memset(bytes, '#', IGNORE_FILE_MAX);
        memcpy(bytes, "top\n", 4);
        enum rl_err err = ignore_add(&ignore, bytes, IGNORE_FILE_MAX);
        assert_int_equal(err, i < 16 ? RL_OK : RL_EFULL);
        assert_int_equal(ignore_enter(&ignore, "sub"), RL_OK);
    }
    struct ignore_verdict verdict;
    assert_int_equal(ignore_judge(&ignore, "top", false, &verdict), RL_OK);
    assert_true(verdict.ignored);
    for (int i = 0; i < 40; i++)
        ignore_leave(&ignore);
    ignore_leave(&ignore);
    assert_int_equal(ignore.count, 1);
    assert_int_equal(ignore.bytes, IGNORE_FILE_MAX);
    free(bytes);
    ignore_free(&ignore);
}

/* Rules made to take long: the test would run into its time limit. */
static void rules_that_want_to_take_long(void **state)
{
    (void)state;
    struct ignore ignore = {0};
    struct buf rules = {0}, name = {0};
    for (int i = 0; i < 100; i++)
        buf_puts(&rules, "*a");
    buf_puts(&rules, "b\n");
    for (int i = 0; i < 100; i++)
        buf_puts(&rules, "**/*a*/");
    buf_puts(&rules, "b\n");
    for (int i = 0; i < 255; i++)
        buf_puts(&name, "a");
    buf_reserve(&rules, 1);
    assert_int_equal(ignore_add(&ignore, rules.data, rules.len), RL_OK);
    for (int i = 0; i < 500; i++)
        assert_int_equal(ignore_enter(&ignore, name.data), RL_OK);
    struct ignore_verdict verdict;
    assert_int_equal(ignore_judge(&ignore, name.data, false, &verdict), RL_OK);
    assert_false(verdict.ignored);
    buf_free(&rules);
    buf_free(&name);
    ignore_free(&ignore);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),
        cmocka_unit_test(the_line_that_decides),
        cmocka_unit_test(names_ignored_by_themselves),
        cmocka_unit_test(a_tree),
        cmocka_unit_test(reasons),
        cmocka_unit_test(files_of_rules_that_are_none),
        cmocka_unit_test(what_is_too_much_is_left_out),
        cmocka_unit_test(rules_that_want_to_take_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
