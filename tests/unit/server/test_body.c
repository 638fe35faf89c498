#include <string.h>

#include <json-c/json.h>

#include "../test.h"
#include "body.h"

struct out {
    const char *text;
    bool flag;
    double number;
    struct json_object *object;
};

/* Parses `json`; gives the problem's code, or "" where there is none. */
static const char *parse(const char *json, size_t len, struct out *out, char field[64])
{
    const struct body_field fields[] = {
        {.name = "text", .type = BODY_TEXT, .required = true, .out = &out->text},
        {.name = "flag", .type = BODY_BOOL, .out = &out->flag},
        {.name = "number", .type = BODY_NUMBER, .min = 0, .max = 10, .out = &out->number},
        {.name = "object", .type = BODY_OBJECT, .out = &out->object},
    };
    struct json_object *parsed = NULL;
    struct problem problem;
    *out = (struct out){0};
    field[0] = '\0';
    if (body_parse(json, len, fields, 4, &parsed, &problem)) {
        assert_non_null(parsed);
        json_object_put(parsed);
        return "";
    }
    strcpy(field, problem.field);
    return problem.code;
}

static void test_accepts(void **state)
{
    (void)state;
    static const char json[] = " {\"text\":\"a\\\"}:{b\",\"flag\":true,\"number\":2.5,"
                               "\"object\":{\"x\":1,\"y\":[{\"x\":2}]}} \n";
    struct out out;
    char field[64];
    assert_string_equal(parse(json, sizeof json - 1, &out, field), "");
    assert_true(out.flag);
    assert_true(out.number == 2.5);
}

static void test_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *json, *code, *field;
    } cases[] = {
        {"", "MALFORMED_JSON", ""},
        {"   ", "MALFORMED_JSON", ""},
        {"{", "MALFORMED_JSON", ""},
        {"{\"text\":\"a\"} x", "MALFORMED_JSON", ""},
        {"{\"text\":\"a\"}{}", "MALFORMED_JSON", ""},
        {"{\"text\":'a'}", "MALFORMED_JSON", ""},
        {"{\"text\":\"a\",}", "MALFORMED_JSON", ""},
        {"{\"text\":\"\xff\"}", "MALFORMED_JSON", ""},
        {"{\"text\":NaN}", "WRONG_TYPE", "text"}, /* json-c knows NaN, also when strict */
        {"/* c */ {\"text\":\"a\"}", "MALFORMED_JSON", ""},
        {"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "MALFORMED_JSON", ""},
        {"[]", "NOT_AN_OBJECT", ""},
        {"null ", "NOT_AN_OBJECT", ""},
        {"\"text\"", "NOT_AN_OBJECT", ""},
        {"{}", "MISSING_FIELD", "text"},
        {"{\"text\":1}", "WRONG_TYPE", "text"},
        {"{\"text\":null}", "WRONG_TYPE", "text"},
        {"{\"text\":\"a\\u0000b\"}", "BAD_VALUE", "text"},
        {"{\"text\":\"a\",\"flag\":1}", "WRONG_TYPE", "flag"},
        {"{\"text\":\"a\",\"number\":\"1\"}", "WRONG_TYPE", "number"},
        {"{\"text\":\"a\",\"number\":-1}", "OUT_OF_RANGE", "number"},
        {"{\"text\":\"a\",\"number\":10.5}", "OUT_OF_RANGE", "number"},
        {"{\"text\":\"a\",\"number\":1e999}", "OUT_OF_RANGE", "number"},
        {"{\"text\":\"a\",\"number\":99999999999999999999}", "OUT_OF_RANGE", "number"},
        {"{\"text\":\"a\",\"object\":[]}", "WRONG_TYPE", "object"},
        {"{\"text\":\"a\",\"other\":1}", "UNKNOWN_FIELD", "other"},
        {"{\"text\":\"a\",\"text\":\"b\"}", "DUPLICATE_FIELD", ""},
        {"{\"text\":\"a\",\"te\\u0078t\":\"b\"}", "DUPLICATE_FIELD", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct out out;
        char field[64];
        const char *code = parse(cases[i].json, strlen(cases[i].json), &out, field);
        if (strcmp(code, cases[i].code) != 0 || strcmp(field, cases[i].field) != 0)
            fail_msg("%s: %s %s, not %s %s", cases[i].json, code, field, cases[i].code,
                     cases[i].field);
    }
    struct out out;
    char field[64];
    assert_string_equal(parse("{\"text\":\"a\"}\0", 13, &out, field), "MALFORMED_JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
