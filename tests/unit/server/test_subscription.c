/* What clients ask to hear, as messages and as arguments. */
#include <string.h>

#include <json-c/json.h>

#include "../test.h"
#include "reeld/events.h"
#include "subscription.h"

#define JOB "018f4b2e-7c1a-7e3d-9a55-0123456789ab"
#define SUBSCRIBE(payload) "{\"type\":\"SUBSCRIBE\",\"payload\":" payload "}"

enum {
    META = 1 << TOPIC_META,
    JOBS = META | 1 << TOPIC_JOBS,
    LIBRARY = META | 1 << TOPIC_LIBRARY,
    BOTH = JOBS | LIBRARY,
};

struct expected {
    unsigned topics;
    bool job;
    int64_t progress_ms;
    const char *since; /* NULL: none */
};

static void check_subscribe(const struct subscribe *subscribe, const struct expected *expected)
{
    assert_int_equal(subscribe->wanted.topics, expected->topics);
    assert_int_equal(subscribe->wanted.job, expected->job ? event_job_key(JOB) : 0);
    assert_int_equal(subscribe->wanted.progress_ns, expected->progress_ms * 1000000);
    assert_int_equal(subscribe->has_since, expected->since != NULL);
    if (expected->since) {
        char text[POSITION_TEXT_SIZE];
        position_print(&subscribe->since, text);
        assert_string_equal(text, expected->since);
    }
}

static void messages_that_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct expected expected;
    } cases[] = {
        {"{\"type\":\"SUBSCRIBE\"}", {BOTH, false, 0, NULL}},
        {SUBSCRIBE("{}"), {BOTH, false, 0, NULL}},
        {SUBSCRIBE("{\"topics\":[\"jobs\"]}"), {JOBS, false, 0, NULL}},
        {SUBSCRIBE("{\"topics\":[\"library\",\"jobs\"]}"), {BOTH, false, 0, NULL}},
        {SUBSCRIBE("{\"job_id\":\"" JOB "\"}"), {JOBS, true, 0, NULL}},
        {SUBSCRIBE("{\"job_id\":\"" JOB "\",\"topics\":[\"jobs\",\"library\"]}"),
         {BOTH, true, 0, NULL}},
        {SUBSCRIBE("{\"since\":\"7f3a9c:1042\"}"), {BOTH, false, 0, "7f3a9c:1042"}},
        {SUBSCRIBE("{\"since\":\"7f3a9c:7:0000002a.9\"}"), {BOTH, false, 0, "7f3a9c:7:0000002a.9"}},
        {SUBSCRIBE("{\"progress_ms\":250}"), {BOTH, false, 250, NULL}},
        {SUBSCRIBE("{\"progress_ms\":60000.0}"), {BOTH, false, 60000, NULL}},
        {" {\"payload\":{\"progress_ms\":0},\"type\":\"SUBSCRIBE\"}\r\n", {BOTH, false, 0, NULL}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client_message message;
        struct problem problem;
        assert_true(client_message_parse(cases[i].text, strlen(cases[i].text), &message, &problem));
        assert_int_equal(message.type, CLIENT_SUBSCRIBE);
        check_subscribe(&message.subscribe, &cases[i].expected);
    }
}

static void messages_that_are_not(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code, *field;
    } cases[] = {
        {"", "MALFORMED_JSON", ""},
        {"x", "MALFORMED_JSON", ""},
        {"[]", "NOT_AN_OBJECT", ""},
        {"{}", "MISSING_FIELD", "type"},
        {"{\"type\":7}", "WRONG_TYPE", "type"},
        {"{\"type\":\"subscribe\"}", "UNKNOWN_TYPE", "type"},
        {"{\"type\":\"PING\",\"more\":1}", "UNKNOWN_FIELD", "more"},
        {"{\"type\":\"PING\",\"type\":\"PING\"}", "DUPLICATE_FIELD", ""},
        {"{\"type\":\"PING\",\"payload\":{\"x\":1}}", "UNKNOWN_FIELD", "x"},
        {SUBSCRIBE("[]"), "WRONG_TYPE", "payload"},
        {SUBSCRIBE("null"), "WRONG_TYPE", "payload"},
        {SUBSCRIBE("{\"topic\":[\"jobs\"]}"), "UNKNOWN_FIELD", "topic"},
        {SUBSCRIBE("{\"topics\":\"jobs\"}"), "WRONG_TYPE", "topics"},
        {SUBSCRIBE("{\"topics\":[1]}"), "WRONG_TYPE", "topics"},
        {SUBSCRIBE("{\"topics\":[]}"), "BAD_VALUE", "topics"},
        {SUBSCRIBE("{\"topics\":[\"meta\"]}"), "BAD_VALUE", "topics"},
        {SUBSCRIBE("{\"topics\":[\"jobs\",\"jobs\"]}"), "BAD_VALUE", "topics"},
        {SUBSCRIBE("{\"topics\":[\"jobs\\u0000\"]}"), "BAD_VALUE", "topics"},
        {SUBSCRIBE("{\"job_id\":\"\"}"), "BAD_VALUE", "job_id"},
        {SUBSCRIBE("{\"job_id\":\"018F4B2E-7C1A-7E3D-9A55-0123456789AB\"}"), "BAD_VALUE", "job_id"},
        {SUBSCRIBE("{\"job_id\":null}"), "WRONG_TYPE", "job_id"},
        {SUBSCRIBE("{\"since\":\"\"}"), "BAD_VALUE", "since"},
        {SUBSCRIBE("{\"since\":1042}"), "WRONG_TYPE", "since"},
        {SUBSCRIBE("{\"since\":\"a:1\\u0000\"}"), "BAD_VALUE", "since"},
        {SUBSCRIBE("{\"since\":\"a:1\",\"since\":\"a:2\"}"), "DUPLICATE_FIELD", ""},
        {SUBSCRIBE("{\"progress_ms\":\"250\"}"), "WRONG_TYPE", "progress_ms"},
        {SUBSCRIBE("{\"progress_ms\":-1}"), "OUT_OF_RANGE", "progress_ms"},
        {SUBSCRIBE("{\"progress_ms\":60001}"), "OUT_OF_RANGE", "progress_ms"},
        {SUBSCRIBE("{\"progress_ms\":0.5}"), "BAD_VALUE", "progress_ms"},
        {SUBSCRIBE("{\"progress_ms\":1e400}"), "OUT_OF_RANGE", "progress_ms"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client_message message = {.subscribe.wanted.topics = 99};
        struct problem problem;
        assert_false(
            client_message_parse(cases[i].text, strlen(cases[i].text), &message, &problem));
        assert_string_equal(problem.code, cases[i].code);
        assert_string_equal(problem.field, cases[i].field);
        assert_true(problem.detail[0]);
        assert_int_equal(message.subscribe.wanted.topics, 99);
    }
}

static void a_ping_is_one(void **state)
{
    (void)state;
    static const char *const cases[] = {"{\"type\":\"PING\"}",
                                        "{\"type\":\"PING\",\"payload\":{}}"};
    for (size_t i = 0; i < 2; i++) {
        struct client_message message;
        struct problem problem;
        assert_true(client_message_parse(cases[i], strlen(cases[i]), &message, &problem));
        assert_int_equal(message.type, CLIENT_PING);
    }
}

static void arguments(void **state)
{
    (void)state;
    static const struct {
        struct query_arg args[2];
        const char *code; /* NULL: understood */
        struct expected expected;
    } cases[] = {
        {{{"wait_s", "x"}}, NULL, {BOTH, false, 0, NULL}},
        {{{"topics", "library"}}, NULL, {LIBRARY, false, 0, NULL}},
        {{{"topics", "library,jobs"}, {"progress_ms", "250"}}, NULL, {BOTH, false, 250, NULL}},
        {{{"job_id", JOB}, {"since", "7f3a9c:3"}}, NULL, {JOBS, true, 0, "7f3a9c:3"}},
        {{{"job_id", JOB}, {"topics", "library"}}, NULL, {LIBRARY, true, 0, NULL}},
        {{{"topics", ""}}, "BAD_PARAMETER", {0}},
        {{{"topics", "jobs,"}}, "BAD_PARAMETER", {0}},
        {{{"topics", "jobs,jobs"}}, "BAD_PARAMETER", {0}},
        {{{"topics", "jobs library"}}, "BAD_PARAMETER", {0}},
        {{{"job_id", "7"}}, "BAD_PARAMETER", {0}},
        {{{"since", "7"}}, "BAD_PARAMETER", {0}},
        {{{"progress_ms", "1.5"}}, "BAD_PARAMETER", {0}},
        {{{"progress_ms", "60001"}}, "BAD_PARAMETER", {0}},
        {{{"since", "a:1"}, {"since", "a:2"}}, "REPEATED_PARAMETER", {0}},
        {{{"Since", "a:1"}}, "UNKNOWN_PARAMETER", {0}},
    };
    static const char *const others[] = {"limit", "wait_s", NULL};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request request = {.n_args = cases[i].args[1].name ? 2 : 1};
        memcpy(request.args, cases[i].args, sizeof cases[i].args);
        struct subscribe subscribe;
        struct problem problem;
        bool ok = subscribe_from_args(&request, others, &subscribe, &problem);
        assert_int_equal(ok, cases[i].code == NULL);
        if (ok) {
            check_subscribe(&subscribe, &cases[i].expected);
            continue;
        }
        assert_string_equal(problem.code, cases[i].code);
        assert_int_equal(problem.status, 400);
    }
    struct request request = {.n_args = 1, .args = {{"wait_s", "1"}}};
    struct subscribe subscribe;
    struct problem problem;
    assert_false(subscribe_from_args(&request, NULL, &subscribe, &problem));
    assert_string_equal(problem.code, "UNKNOWN_PARAMETER");
}

static void topics_as_they_are_said(void **state)
{
    (void)state;
    static const struct {
        unsigned topics;
        const char *json;
    } cases[] = {
        {BOTH, "[\"jobs\",\"library\"]"}, {JOBS, "[\"jobs\"]"}, {LIBRARY, "[\"library\"]"}};
    for (size_t i = 0; i < 3; i++) {
        struct subscription wanted = {.topics = cases[i].topics};
        struct json_object *list = subscription_topics(&wanted);
        assert_string_equal(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN),
                            cases[i].json);
        json_object_put(list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_that_are_understood),
        cmocka_unit_test(messages_that_are_not),
        cmocka_unit_test(a_ping_is_one),
        cmocka_unit_test(arguments),
        cmocka_unit_test(topics_as_they_are_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
