#include <string.h>

#include <json-c/json.h>

#include "body.h"
#include "query.h"
#include "reeld/events.h"
#include "subscription.h"

#define TOPIC_BIT(topic) (1u << (topic))

enum { NS_PER_MS = 1000000 };

static const enum event_topic topics_offered[] = {TOPIC_JOBS, TOPIC_LIBRARY};

enum { TOPICS_OFFERED = sizeof topics_offered / sizeof *topics_offered };

const char *const subscribe_args[] = {"topics", "job_id", "since", "progress_ms", NULL};

void subscribe_default(struct subscribe *out)
{
    *out = (struct subscribe){.wanted.topics = TOPIC_BIT(TOPIC_META)};
    for (size_t i = 0; i < TOPICS_OFFERED; i++)
        out->wanted.topics |= TOPIC_BIT(topics_offered[i]);
}

/* What was said, whichever way, before it is judged. */
struct asked {
    const char *job_id, *since; /* NULL: not said */
    unsigned topics;            /* without TOPIC_META; 0: not said */
    int64_t progress_ms;
    int status; /* of a problem */
    const char *code;
};

/* Adds the topic that `len` bytes name; false: there is none, or it is there already. */
static bool add_topic(unsigned *topics, const char *word, size_t len)
{
    for (size_t i = 0; i < TOPICS_OFFERED; i++) {
        const char *name = event_topic_word(topics_offered[i]);
        unsigned bit = TOPIC_BIT(topics_offered[i]);
        if (strlen(name) == len && memcmp(name, word, len) == 0) {
            bool added = !(*topics & bit);
            *topics |= bit;
            return added;
        }
    }
    return false;
}

static bool bad_topics(const struct asked *asked, struct problem *problem)
{
    return problem_set(problem, asked->status, asked->code, "topics",
                       "topics must be jobs, library or both, each once");
}

static bool judge(const struct asked *asked, struct subscribe *out, struct problem *problem)
{
    struct subscribe subscribe;
    subscribe_default(&subscribe);
    if (asked->job_id) {
        subscribe.wanted.job = event_job_key(asked->job_id);
        subscribe.wanted.topics = TOPIC_BIT(TOPIC_META) | TOPIC_BIT(TOPIC_JOBS);
        if (!subscribe.wanted.job)
            return problem_set(problem, asked->status, asked->code, "job_id",
                               "job_id must be the id of a job");
    }
    if (asked->topics)
        subscribe.wanted.topics = TOPIC_BIT(TOPIC_META) | asked->topics;
    if (asked->since) {
        subscribe.has_since = true;
        if (!position_parse(asked->since, &subscribe.since))
            return problem_set(problem, asked->status, asked->code, "since",
                               "since must be an event_id, or the next of a poll");
    }
    subscribe.wanted.progress_ns = asked->progress_ms * NS_PER_MS;
    *out = subscribe;
    return true;
}

/* ---- as a message --------------------------------------------------------------------------- */

static bool read_topic_list(struct json_object *list, struct asked *asked, struct problem *problem)
{
    size_t count = json_object_array_length(list);
    for (size_t i = 0; i < count; i++) {
        struct json_object *word = json_object_array_get_idx(list, i);
        if (!json_object_is_type(word, json_type_string))
            return problem_set(problem, 422, "WRONG_TYPE", "topics", "topics must be strings");
        if (!add_topic(&asked->topics, json_object_get_string(word),
                       (size_t)json_object_get_string_len(word)))
            return bad_topics(asked, problem);
    }
    return count > 0 || bad_topics(asked, problem);
}

bool subscribe_from_payload(struct json_object *payload, struct subscribe *out,
                            struct problem *problem)
{
    struct asked asked = {.status = 422, .code = "BAD_VALUE"};
    struct json_object *topics = NULL;
    double progress_ms = 0;
    const struct body_field fields[] = {
        {.name = "topics", .type = BODY_LIST, .out = &topics},
        {.name = "job_id", .type = BODY_TEXT, .out = &asked.job_id},
        {.name = "since", .type = BODY_TEXT, .out = &asked.since},
        {.name = "progress_ms", .type = BODY_NUMBER, .max = PROGRESS_MS_MAX, .out = &progress_ms},
    };
    if (payload && !body_members(payload, fields, sizeof fields / sizeof *fields, problem))
        return false;
    if (topics && !read_topic_list(topics, &asked, problem))
        return false;
    asked.progress_ms = (int64_t)progress_ms;
    if ((double)asked.progress_ms != progress_ms)
        return problem_set(problem, 422, "BAD_VALUE", "progress_ms",
                           "progress_ms must be a whole number");
    return judge(&asked, out, problem);
}

/* ---- as arguments --------------------------------------------------------------------------- */

static bool read_topic_words(const char *text, struct asked *asked, struct problem *problem)
{
    for (;;) {
        size_t len = strcspn(text, ",");
        if (!add_topic(&asked->topics, text, len))
            return bad_topics(asked, problem);
        if (!text[len])
            return true;
        text += len + 1;
    }
}

bool subscribe_from_args(const struct request *request, const char *const *others,
                         struct subscribe *out, struct problem *problem)
{
    struct asked asked = {.status = 400, .code = "BAD_PARAMETER"};
    const char *topics = NULL;
    const struct query_field fields[] = {
        {.name = subscribe_args[0], .type = QUERY_TEXT, .out = &topics},
        {.name = subscribe_args[1], .type = QUERY_TEXT, .out = &asked.job_id},
        {.name = subscribe_args[2], .type = QUERY_TEXT, .out = &asked.since},
        {.name = subscribe_args[3],
         .type = QUERY_INTEGER,
         .max = PROGRESS_MS_MAX,
         .out = &asked.progress_ms},
    };
    if (!query_read_beside(request, others, fields, sizeof fields / sizeof *fields, problem))
        return false;
    if (topics && !read_topic_words(topics, &asked, problem))
        return false;
    return judge(&asked, out, problem);
}

struct json_object *subscription_topics(const struct subscription *wanted)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; list && i < TOPICS_OFFERED; i++) {
        if (!(wanted->topics & TOPIC_BIT(topics_offered[i])))
            continue;
        struct json_object *word = json_object_new_string(event_topic_word(topics_offered[i]));
        if (!word || json_object_array_add(list, word) != 0) {
            json_object_put(word);
            json_object_put(list);
            return NULL;
        }
    }
    return list;
}

/* ---- what clients say ----------------------------------------------------------------------- */

bool client_message_parse(const char *text, size_t len, struct client_message *out,
                          struct problem *problem)
{
    const char *type = NULL;
    struct json_object *payload = NULL, *json = NULL;
    const struct body_field fields[] = {
        {.name = "type", .type = BODY_TEXT, .required = true, .out = &type},
        {.name = "payload", .type = BODY_OBJECT, .out = &payload},
    };
    if (!body_parse(text, len, fields, sizeof fields / sizeof *fields, &json, problem))
        return false;
    struct client_message message = {.type = CLIENT_PING};
    bool ok;
    if (strcmp(type, "PING") == 0) {
        ok = !payload || body_members(payload, NULL, 0, problem);
    } else if (strcmp(type, "SUBSCRIBE") == 0) {
        message.type = CLIENT_SUBSCRIBE;
        ok = subscribe_from_payload(payload, &message.subscribe, problem);
    } else {
        ok = problem_set(problem, 422, "UNKNOWN_TYPE", "type", "clients say SUBSCRIBE or PING");
    }
    json_object_put(json);
    if (ok)
        *out = message;
    return ok;
}
