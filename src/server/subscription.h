/* subscription: what a client asks to hear, from a SUBSCRIBE message or from a query string. Pure.
 */
#ifndef REELD_SERVER_SUBSCRIPTION_H
#define REELD_SERVER_SUBSCRIPTION_H

#include "http.h"
#include "position.h"
#include "problem.h"

struct json_object;

enum { PROGRESS_MS_MAX = 60000 };

struct subscription {
    unsigned topics;     /* a bit (1u << enum event_topic) each; TOPIC_META is always among them */
    uint64_t job;        /* event_job_key: of the topic `jobs` only what is about it; 0: all */
    int64_t progress_ns; /* least time between two *_PROGRESS frames of one job; 0: all of them */
};

struct subscribe {
    struct subscription wanted;
    bool has_since;
    struct position since;
};

/* Everything, from now on. */
void subscribe_default(struct subscribe *out);

/* Each replaces all that was asked before: what is not named has its default. `topics`: of "jobs"
 * and "library", none twice; not named: both, or "jobs" alone where a job_id is named. False:
 * `problem` says which member is wrong and how. */
bool subscribe_from_payload(struct json_object *payload, struct subscribe *out,
                            struct problem *problem); /* NULL: the default */

/* The names of the arguments that subscribe_from_args reads, NULL-terminated: not the business of
 * a caller that reads others of its own (query_read_beside). */
extern const char *const subscribe_args[];

/* The same from arguments: topics=jobs,library&job_id=…&since=…&progress_ms=…; those whose names
 * are in `others` (NULL-terminated, or NULL) are the caller's. */
bool subscribe_from_args(const struct request *request, const char *const *others,
                         struct subscribe *out, struct problem *problem);

/* {"jobs","library"} as wanted: a new json array, NULL: out of memory. */
struct json_object *subscription_topics(const struct subscription *wanted);

/* ---- what clients say (the one parser of client messages; fuzzed) ---------------------------- */

enum client_message_type { CLIENT_PING, CLIENT_SUBSCRIBE };

struct client_message {
    enum client_message_type type;
    struct subscribe subscribe;
};

/* Parses one whole text message. False: `problem` has code and words for ERROR. */
bool client_message_parse(const char *text, size_t len, struct client_message *out,
                          struct problem *problem);

#endif
