#include <string.h>

#include <json-c/json.h>

#include "../test.h"
#include "problem.h"
#include "reeld/base.h"

static void test_document(void **state)
{
    (void)state;
    struct problem problem;
    assert_false(problem_set(&problem, 422, "WRONG_TYPE", "path", "%s must be a string", "path"));
    struct json_object *json = problem_json(&problem);
    assert_string_equal(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN),
                        "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\","
                        "\"status\":422,\"detail\":\"path must be a string\","
                        "\"code\":\"WRONG_TYPE\",\"message\":\"path must be a string\","
                        "\"field\":\"path\"}");
    json_object_put(json);
}

static void test_hostile_text(void **state)
{
    (void)state;
    struct problem problem;
    char name[500];
    memset(name, 0xc3, sizeof name - 1);
    name[sizeof name - 1] = '\0';
    problem_set(&problem, 400, "UNKNOWN_PARAMETER", name, "%s", name);
    assert_true(utf8_valid(problem.field, strlen(problem.field)));
    assert_true(utf8_valid(problem.detail, strlen(problem.detail)));
    assert_true(strlen(problem.field) > 0);
    for (size_t cut = 50; cut < 70; cut++) {
        char text[200] = "";
        memset(text, 'a', cut);
        strcpy(text + cut, "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac");
        problem_set(&problem, 400, "X", text, "%s", text);
        assert_true(utf8_valid(problem.field, strlen(problem.field)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document),
        cmocka_unit_test(test_hostile_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
