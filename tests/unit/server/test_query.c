#include <stdio.h>
#include <string.h>

#include "../test.h"
#include "query.h"

/* Reads `n` arguments; gives the problem's code, or "". */
static const char *read_args(const struct query_arg *args, size_t n, int64_t *limit,
                             const char **text)
{
    struct request request = {.n_args = n};
    for (size_t i = 0; i < n; i++)
        request.args[i] = args[i];
    const struct query_field fields[] = {
        {"limit", QUERY_INTEGER, 1, 100, limit},
        {"text", QUERY_TEXT, 0, 0, text},
        {"bytes", QUERY_BYTES, 0, 0, text},
    };
    struct problem problem;
    return query_read(&request, fields, 3, &problem) ? "" : problem.code;
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *code;
    } cases[] = {
        {"limit", "1", ""},
        {"limit", "100", ""},
        {"limit", "0", "BAD_PARAMETER"},
        {"limit", "101", "BAD_PARAMETER"},
        {"limit", "", "BAD_PARAMETER"},
        {"limit", "-1", "BAD_PARAMETER"},
        {"limit", "+1", "BAD_PARAMETER"},
        {"limit", " 1", "BAD_PARAMETER"},
        {"limit", "1.0", "BAD_PARAMETER"},
        {"limit", "0x1", "BAD_PARAMETER"},
        {"limit", "99999999999999999999999", "BAD_PARAMETER"},
        {"text", "", ""},
        {"text", "\xc3\xa9", ""},
        {"text", "\xff", "BAD_PARAMETER"},
        {"bytes", "\xff", ""},
        {"Limit", "1", "UNKNOWN_PARAMETER"},
        {"", "", "UNKNOWN_PARAMETER"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct query_arg arg = {cases[i].name, cases[i].value};
        int64_t limit = 7;
        const char *text = NULL;
        assert_string_equal(read_args(&arg, 1, &limit, &text), cases[i].code);
    }
}

static void test_repeated(void **state)
{
    (void)state;
    const struct query_arg args[] = {{"limit", "1"}, {"text", "a"}, {"limit", "1"}};
    int64_t limit = 7;
    const char *text = NULL;
    assert_string_equal(read_args(args, 2, &limit, &text), "");
    assert_int_equal(limit, 1);
    assert_string_equal(text, "a");
    assert_string_equal(read_args(args, 3, &limit, &text), "REPEATED_PARAMETER");
}

/* Reads one argument; gives the problem's code, or "". */
static const char *read_typed(enum query_type type, int64_t min, int64_t max, const char *value,
                              void *out)
{
    struct request request = {.n_args = 1, .args = {{"x", value}}};
    const struct query_field field = {"x", type, min, max, out};
    struct problem problem;
    if (query_read(&request, &field, 1, &problem))
        return "";
    assert_string_equal(problem.field, "x");
    assert_int_equal(problem.status, 400);
    assert_int_equal(strncmp(problem.detail, "x must be ", 10), 0);
    return problem.code;
}

static void test_choices(void **state)
{
    (void)state;
    enum choice choice = CHOICE_ANY;
    assert_string_equal(read_typed(QUERY_CHOICE, 0, 0, "true", &choice), "");
    assert_int_equal(choice, CHOICE_YES);
    assert_string_equal(read_typed(QUERY_CHOICE, 0, 0, "false", &choice), "");
    assert_int_equal(choice, CHOICE_NO);
    static const char *const wrong[] = {"", "True", "1", "0", "yes", "true ", "truefalse"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_string_equal(read_typed(QUERY_CHOICE, 0, 0, wrong[i], &choice), "BAD_PARAMETER");
    assert_int_equal(choice, CHOICE_NO);
}

static void test_seconds_and_times(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_string_equal(read_typed(QUERY_SECONDS, 0, 9000000, "9", &value), "");
    assert_int_equal(value, 9000000);
    assert_string_equal(read_typed(QUERY_SECONDS, 0, 9000000, "0", &value), "");
    assert_int_equal(value, 0);
    assert_string_equal(read_typed(QUERY_SECONDS, 1, 9000000, "0.0000019", &value), "");
    assert_int_equal(value, 1);
    static const char *const wrong[] = {"0", "0.0000001", "9.000001", "", "-1", "1s", "1:30"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_string_equal(read_typed(QUERY_SECONDS, 1, 9000000, wrong[i], &value),
                            "BAD_PARAMETER");
    assert_int_equal(value, 1);
    assert_string_equal(read_typed(QUERY_TIME, 0, 0, "1970-01-01T00:00:02.5Z", &value), "");
    assert_int_equal(value, 2500);
    assert_string_equal(read_typed(QUERY_TIME, 0, 0, "yesterday", &value), "BAD_PARAMETER");
}

/* As many fields as a request may have arguments, and one more: none takes another's place. */
static void test_many(void **state)
{
    (void)state;
    enum { FIELDS = REQUEST_ARGS_MAX + 40 };
    static char names[FIELDS][16];
    static const char *texts[FIELDS];
    struct query_field fields[FIELDS];
    for (int i = 0; i < FIELDS; i++) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        fields[i] = (struct query_field){names[i], QUERY_TEXT, 0, 0, &texts[i]};
    }
    struct request request = {.n_args = REQUEST_ARGS_MAX};
    for (int i = 0; i < REQUEST_ARGS_MAX; i++)
        request.args[i] = (struct query_arg){names[FIELDS - 1 - i], names[i]};
    struct problem problem;
    assert_true(query_read(&request, fields, FIELDS, &problem));
    for (int i = 0; i < REQUEST_ARGS_MAX; i++)
        assert_ptr_equal(texts[FIELDS - 1 - i], names[i]);
    request.args[REQUEST_ARGS_MAX - 1].name = names[FIELDS - 1];
    assert_false(query_read(&request, fields, FIELDS, &problem));
    assert_string_equal(problem.code, "REPEATED_PARAMETER");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choices),  cmocka_unit_test(test_seconds_and_times),
        cmocka_unit_test(test_many),     cmocka_unit_test(test_values),
        cmocka_unit_test(test_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
