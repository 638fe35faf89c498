/* What the disk and the rules say of a path. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "harness.h"
#include "tree.h"

struct fixture {
    struct harness harness;
    char *tree;
    const char *roots[3];
};

static void start(struct fixture *fixture, const struct library_config *config)
{
    fixture->tree = tree_new();
    fixture->roots[0] = fixture->tree;
    fixture->roots[1] = fixture->roots[2] = NULL;
    struct library_config wanted = *config;
    wanted.roots = fixture->roots;
    harness_start(&fixture->harness, &wanted);
}

static void end(struct fixture *fixture)
{
    harness_end(&fixture->harness);
    tree_remove(fixture->tree);
}

static void explain(struct fixture *fixture, const char *name, struct path_explanation *out)
{
    struct buf path = {0};
    path_join(&path, fixture->tree, name);
    assert_int_equal(library_explain(fixture->harness.library, path.data, out), RL_OK);
    buf_free(&path);
}

/* The verdict, and about what of the name it is. */
static void check(struct fixture *fixture, const char *name, enum path_verdict verdict,
                  const char *at)
{
    struct path_explanation said;
    explain(fixture, name, &said);
    if (said.verdict != verdict || said.at != strlen(fixture->tree) + 1 + strlen(at))
        fail_msg("%s: %d up to %zu", name, said.verdict, said.at - strlen(fixture->tree) - 1);
    assert_int_equal(said.stamp.inode != 0, verdict != PATH_GONE && verdict != PATH_LINK);
    path_explanation_clear(&said);
}

static void check_rule(struct fixture *fixture, const char *name, const char *rule,
                       const char *file, unsigned int line)
{
    struct path_explanation said;
    explain(fixture, name, &said);
    assert_int_equal(said.verdict, PATH_IGNORED);
    assert_string_equal(said.rule, rule);
    assert_int_equal(said.rule_line, line);
    if (file)
        assert_string_equal(said.rule_file + strlen(fixture->tree) + 1, file);
    else
        assert_null(said.rule_file);
    path_explanation_clear(&said);
}

static void each_thing_has_its_verdict(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, &(struct library_config){.settle_ms = 3600000});
    tree_text(fixture.tree, "x", "folder/a.mp4");
    tree_text(fixture.tree, "x", "folder/a.txt");
    char path[600];
    snprintf(path, sizeof path, "%s/pipe.mp4", fixture.tree);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/pipe", fixture.tree);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/link.mp4", fixture.tree);
    assert_int_equal(symlink("folder/a.mp4", path), 0);
    snprintf(path, sizeof path, "%s/way", fixture.tree);
    assert_int_equal(symlink("folder", path), 0);
    snprintf(path, sizeof path, "%s/fresh.mp4", fixture.tree);
    assert_true(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);

    check(&fixture, "folder", PATH_FOLDER, "folder");
    check(&fixture, "folder/a.mp4", PATH_WANTED, "folder/a.mp4");
    check(&fixture, "folder/a.txt", PATH_NOT_A_VIDEO, "folder/a.txt");
    check(&fixture, "pipe.mp4", PATH_NOT_A_FILE, "pipe.mp4");
    check(&fixture, "pipe", PATH_NOT_A_VIDEO, "pipe");
    check(&fixture, "link.mp4", PATH_LINK, "link.mp4");
    check(&fixture, "way/a.mp4", PATH_LINK, "way");
    check(&fixture, "none.mp4", PATH_GONE, "none.mp4");
    check(&fixture, "none/deep/a.mp4", PATH_GONE, "none");
    check(&fixture, "folder/a.mp4/b.mp4", PATH_GONE, "folder/a.mp4/b.mp4");
    check(&fixture, "fresh.mp4", PATH_SETTLING, "fresh.mp4");
    end(&fixture);
}

static void outside_nothing_is_looked_at(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, &(struct library_config){0});
    static const char *const outside[] = {"/", "/etc", "/etc/passwd", "/nowhere"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        struct path_explanation said;
        assert_int_equal(library_explain(fixture.harness.library, outside[i], &said), RL_OK);
        assert_int_equal(said.verdict, PATH_OUTSIDE);
        assert_int_equal(said.stamp.inode, 0);
    }
    /* What could lead out is not taken at all. */
    static const char *const untidy[] = {"",      "a",     "./a", "/a/../b",
                                         "/a/..", "/a//b", "/a/", "/./a"};
    for (size_t i = 0; i < sizeof untidy / sizeof *untidy; i++) {
        struct path_explanation said;
        assert_int_equal(library_explain(fixture.harness.library, untidy[i], &said), RL_EINVAL);
    }
    end(&fixture);
}

static void rules_are_found_where_they_stand(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, &(struct library_config){0});
    tree_text(fixture.tree, "\n# x\n*.mkv\r\n/sub/b*\n", ".reeldignore");
    tree_text(fixture.tree, "!*.mkv\nc.mp4", "sub/.reeldignore");
    tree_text(fixture.tree, "", "quiet/.nomedia");
    static const char *const files[] = {"a.mkv",     "sub/a.mkv",       "sub/b.mkv",  "sub/c.mp4",
                                        "sub/d.mp4", "quiet/sub/a.mp4", ".dot/a.mp4", "x.part"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        tree_text(fixture.tree, "x", "%s", files[i]);
    check_rule(&fixture, "a.mkv", "*.mkv", ".reeldignore", 3);
    check(&fixture, "sub/a.mkv", PATH_WANTED, "sub/a.mkv");
    check(&fixture, "sub/b.mkv", PATH_WANTED, "sub/b.mkv");
    check_rule(&fixture, "sub/c.mp4", "c.mp4", "sub/.reeldignore", 2);
    check(&fixture, "sub/d.mp4", PATH_WANTED, "sub/d.mp4");
    check_rule(&fixture, "quiet", ".nomedia", "quiet/.nomedia", 0);
    check_rule(&fixture, "quiet/sub/a.mp4", ".nomedia", "quiet/.nomedia", 0);
    check(&fixture, "quiet/sub/a.mp4", PATH_IGNORED, "quiet");
    check_rule(&fixture, ".dot/a.mp4", ".*", NULL, 0);
    check(&fixture, ".dot/a.mp4", PATH_IGNORED, ".dot");
    check_rule(&fixture, "x.part", "*.part", NULL, 0);
    end(&fixture);
}

static void what_is_kept_is_not_ignored(void **state)
{
    (void)state;
    struct fixture fixture;
    unsigned int keep = IGNORED_DOT | IGNORED_NOMEDIA | IGNORED_RULES;
    start(&fixture, &(struct library_config){.keep = keep});
    tree_text(fixture.tree, "*\n", ".reeldignore");
    tree_text(fixture.tree, "", ".quiet/.nomedia");
    tree_text(fixture.tree, "x", ".quiet/a.mp4");
    tree_text(fixture.tree, "x", ".Trash-0/a.mp4");
    check(&fixture, ".quiet/a.mp4", PATH_WANTED, ".quiet/a.mp4");
    check(&fixture, ".quiet", PATH_FOLDER, ".quiet");
    check_rule(&fixture, ".Trash-0/a.mp4", ".Trash-*", NULL, 0);
    end(&fixture);
}

/* Every file that a walk gives, and no other, is wanted: the two read the same rules in two ways.
 */
static void it_agrees_with_a_scan(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, &(struct library_config){.settle_ms = 50});
    static const char *const rules[] = {"a*\n", "!a1.mp4\n", "/s0/\n", "s1/a2.mp4\n", "**/s2\n"};
    char *names[1024];
    size_t count = 0;
    for (int folder = 0; folder < 27; folder++) {
        char where[64];
        snprintf(where, sizeof where, "s%d/s%d/s%d", folder / 9, folder / 3 % 3, folder % 3);
        if (folder % 4 == 1)
            tree_text(fixture.tree, rules[folder % 5], "%s/.reeldignore", where);
        if (folder == 20)
            tree_text(fixture.tree, "", "%s/.nomedia", where);
        for (int file = 0; file < 3; file++) {
            names[count] = malloc(96);
            snprintf(names[count], 96, "%s/%c%d.mp4", where, file == 2 ? '.' : 'a', file);
            tree_text(fixture.tree, "nothing", "%s", names[count++]);
        }
    }
    tree_text(fixture.tree, "s1/s0\n!s1/s0/s0\n*0.mp4\n!s2/**/a0.mp4\n", ".reeldignore");
    struct job job;
    harness_scan_all(&fixture.harness, fixture.tree, &job);
    int64_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        struct path_explanation said;
        explain(&fixture, names[i], &said);
        bool listed = false;
        for (size_t f = 0; f < job.n_failures; f++)
            listed |= strcmp(job.failures[f].path + strlen(fixture.tree) + 1, names[i]) == 0;
        if (listed != (said.verdict == PATH_WANTED))
            fail_msg("%s: %d, but the scan %s", names[i], said.verdict,
                     listed ? "looked into it" : "passed it over");
        wanted += listed;
        path_explanation_clear(&said);
        free(names[i]);
    }
    assert_int_equal(wanted, job.error_count);
    assert_in_range(wanted, 5, (int64_t)count - 5);
    job_clear(&job);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thing_has_its_verdict),
        cmocka_unit_test(outside_nothing_is_looked_at),
        cmocka_unit_test(rules_are_found_where_they_stand),
        cmocka_unit_test(what_is_kept_is_not_ignored),
        cmocka_unit_test(it_agrees_with_a_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
