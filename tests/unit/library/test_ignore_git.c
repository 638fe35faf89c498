/* The rules beside git's: random files of rules in random trees are judged by `git check-ignore`,
 * which reads the same files under its own name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "tour.h"
#include "tree.h"

enum { TREES = 60, ENTRIES = 60, RULES = 10, SUBFOLDERS = 200 };

static uint64_t state;

static unsigned int below(unsigned int limit)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned int)(state >> 33) % limit;
}

/* Names that rules are made of too, so that they meet. None begins with a dot: a walk passes those
 * over by itself. */
static const char *const names[] = {"a",  "b",     "ab",  "abc", "a b",   "a ",        " a",
                                    "#a", "!a",    "[a]", "a*",  "a\\b",  "A",         "a-c",
                                    "]",  "\xffz", "^",   "a\r", "a\tb ", "film.mp4x", "foo"};

static const char *name(void)
{
    return names[below(sizeof names / sizeof *names)];
}

static void random_path(struct buf *path, bool film)
{
    buf_clear(path);
    for (unsigned int depth = below(4); depth; depth--) {
        buf_puts(path, name());
        buf_puts(path, "/");
    }
    buf_puts(path, name());
    if (film)
        buf_puts(path, ".mp4");
}

static void random_set(struct buf *rule)
{
    static const char *const bits[] = {"a",    "b",        "z",   "-",     "]",     "[",
                                       "!",    "^",        "\\",  "\\]",   "\\\\",  "[:alpha:]",
                                       ".",    " ",        "[:",  "[.a.]", "[=a=]", "[:digit:]",
                                       "\xff", "[:none:]", "[:]", "A-Z",   "a-",    "/"};
    buf_puts(rule, "[");
    if (below(3) == 0)
        buf_puts(rule, below(2) ? "!" : "^");
    for (unsigned int n = below(4); n; n--)
        buf_puts(rule, bits[below(sizeof bits / sizeof *bits)]);
    if (below(8))
        buf_puts(rule, "]");
}

/* One name of a rule. "**" stands alone: beside other characters git has it cross '/' when all
 * before it is plain, and gitignore(5) says that it does not. */
static void random_part(struct buf *rule)
{
    switch (below(8)) {
    case 0:
        buf_puts(rule, "**");
        return;
    case 1:
        buf_puts(rule, "*");
        return;
    case 2:
        buf_puts(rule, name());
        return;
    default:
        break;
    }
    bool star = false;
    for (unsigned int n = 1 + below(3); n; n--) {
        unsigned int kind = below(8);
        if (kind == 0 && !star)
            buf_puts(rule, "*");
        else if (kind == 1)
            buf_puts(rule, "?");
        else if (kind == 2)
            random_set(rule);
        else if (kind == 3)
            buf_puts(rule, "\\");
        else
            buf_puts(rule, below(2) ? "a" : name());
        star = rule->data[rule->len - 1] == '*';
    }
}

static void random_rule(struct buf *rule)
{
    size_t start = rule->len;
    if (below(4) == 0)
        buf_puts(rule, "!");
    if (below(4) == 0)
        buf_puts(rule, "/");
    for (unsigned int n = 1 + (below(3) ? 0 : below(4)); n; n--) {
        random_part(rule);
        if (n > 1)
            buf_puts(rule, below(20) ? "/" : "//");
    }
    if (below(4) == 0)
        buf_puts(rule, ".mp4");
    if (below(4) == 0)
        buf_puts(rule, "/");
    if (below(8) == 0)
        buf_puts(rule, below(2) ? "  " : "\\ ");
    if (strstr(rule->data + start, "***"))
        rule->len = start;
    static const char *const ends[] = {"\n", "\n", "\n", "\r\n", "\n\n"};
    buf_puts(rule, ends[below(5)]);
}

/* Below `folder`; the file of rules under both names. */
static void random_rules(const char *folder, const char *sub)
{
    struct buf rules = {0};
    if (below(6) == 0)
        buf_puts(&rules, "\xef\xbb\xbf");
    for (unsigned int n = 1 + below(RULES); n; n--)
        random_rule(&rules);
    if (below(3) == 0)
        rules.len--; /* no line end at the end */
    tree_file(folder, rules.data, rules.len, "%s.reeldignore", sub);
    tree_file(folder, rules.data, rules.len, "%s.gitignore", sub);
    buf_free(&rules);
}

/* No folder's name ends in ".mp4": a file and a folder may not have one name. */
static void random_tree(const char *folder)
{
    struct buf path = {0};
    for (int i = 0; i < ENTRIES; i++) {
        random_path(&path, true);
        tree_text(folder, "x", "%s", path.data);
    }
    random_rules(folder, "");
    for (int i = 0; i < 4; i++) {
        random_path(&path, false);
        buf_puts(&path, "/");
        random_rules(folder, path.data);
    }
    buf_free(&path);
}

static char *output_of(const char *command)
{
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    struct buf text = {0};
    char piece[4096];
    size_t len;
    buf_puts(&text, "");
    while ((len = fread(piece, 1, sizeof piece, pipe)) > 0)
        buf_append(&text, piece, len);
    assert_int_equal(pclose(pipe), 0);
    return buf_steal(&text);
}

/* What git leaves in, in the words of a tour. A name may hold any byte but NUL and '\n'. */
static char *by_git(const char *folder)
{
    char command[2048];
    snprintf(
        command, sizeof command,
        "cd '%s' && find . -name '*.mp4' -type f -printf '%%P\\0' | LC_ALL=C sort -z > .all && "
        "git -c core.excludesFile=/dev/null check-ignore --no-index -z --stdin < .all > .out; "
        "[ $? -le 1 ] && LC_ALL=C sort -z .out | LC_ALL=C comm -z -23 .all - | "
        "sed -z 's/^/file /' | tr '\\0' '\\n'",
        folder);
    return output_of(command);
}

static char *git_tree(void)
{
    char *folder = tree_new(), command[512];
    snprintf(command, sizeof command, "git init -q --template= '%s'", folder);
    assert_int_equal(system(command), 0);
    return folder;
}

/* The lines of `text` that lie below `sub`, as a tour of that folder would tell them. */
static char *lines_below(const char *text, const char *sub)
{
    struct buf out = {0};
    size_t len = strlen(sub);
    buf_puts(&out, "");
    while (*text) {
        size_t line = strcspn(text, "\n");
        if (strncmp(text + 5, sub, len) == 0 && text[5 + len] == '/') {
            buf_puts(&out, "file ");
            buf_append(&out, text + 5 + len + 1, line - 5 - len);
        }
        text += line + 1;
    }
    return buf_steal(&out);
}

/* Whether scanning a folder that the whole walk comes to tells what the whole walk told of it. */
static void check_parts(const char *folder, const char *whole)
{
    size_t len = strlen(whole);
    assert_true(len > 10000);
    for (int i = 0; i < SUBFOLDERS; i++) {
        const char *line = whole + below((unsigned int)len - 2);
        while (line > whole && line[-1] != '\n')
            line--;
        char sub[512], path[1024];
        snprintf(sub, sizeof sub, "%.*s", (int)strcspn(line + 5, "\n"), line + 5);
        for (unsigned int up = 1 + below(3); up && strrchr(sub, '/'); up--)
            *strrchr(sub, '/') = '\0';
        snprintf(path, sizeof path, "%s/%s", folder, sub);
        char *part = tour_text(path, &(struct tour_way){.top = folder});
        char *expected = lines_below(whole, sub);
        assert_string_equal(part, expected);
        free(part);
        free(expected);
    }
}

static void rules_mean_what_they_mean_to_git(void **unused)
{
    (void)unused;
    const char *seed = getenv("REELD_TEST_SEED");
    state = seed ? strtoul(seed, NULL, 10) : 1;
    char *folder = git_tree();
    for (int tree = 0; tree < TREES; tree++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%d", folder, tree);
        random_tree(path);
    }
    char *told = tour_text(folder, &(struct tour_way){0});
    char *expected = by_git(folder);
    if (strcmp(told, expected) != 0)
        print_error("REELD_TEST_SEED=%s\n", seed ? seed : "1");
    assert_string_equal(told, expected);
    check_parts(folder, told);
    free(told);
    free(expected);
    tree_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules_mean_what_they_mean_to_git)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
