/* GET /api/v1/events: the channel without WebSocket, as Server-Sent Events or as long poll. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api.h"
#include "query.h"
#include "room.h"
#include "router.h"

enum { WAIT_S_MAX = 60, LIMIT_MAX = 1000, LIMIT_DEFAULT = 500 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Accept --------------------------------------------------------------------------------- */

/* Whether an Accept header (RFC 9110 §12.5.1) admits text/event-stream: the most exact range that
 * matches decides. An empty one admits everything. */
static bool admits_stream(const char *accept)
{
    static const char *const ranges[] = {"*/*", "text/*", "text/event-stream"};
    char copy[sizeof((struct request *)NULL)->accept];
    size_t best = 0;
    bool admitted = !*accept;
    strcpy(copy, accept);
    char *rest = copy;
    for (char *range; (range = strtok_r(rest, ",", &rest));) {
        range += strspn(range, " \t");
        size_t len = strcspn(range, "; \t");
        for (size_t i = best; i < COUNT(ranges); i++) {
            if (strlen(ranges[i]) == len && strncasecmp(range, ranges[i], len) == 0) {
                best = i;
                admitted = !weight_zero(range + len);
            }
        }
    }
    return admitted;
}

/* ---- what is asked for ---------------------------------------------------------------------- */

struct events_query {
    struct subscribe subscribe;
    bool named;     /* anything was asked for: SUBSCRIBED says what */
    int64_t wait_s; /* -1: Server-Sent Events */
    int64_t limit;
};

/* The arguments that only a long poll has. */
static bool read_poll_args(const struct request *request, struct events_query *out,
                           struct problem *problem)
{
    const struct query_field fields[] = {
        {"wait_s", QUERY_INTEGER, 0, WAIT_S_MAX, &out->wait_s},
        {"limit", QUERY_INTEGER, 1, LIMIT_MAX, &out->limit},
    };
    return query_read_beside(request, subscribe_args, fields, COUNT(fields), problem);
}

/* An EventSource that comes back says where it was, whatever its address says. */
static bool read_last_event_id(const struct request *request, struct events_query *out,
                               struct problem *problem)
{
    if (!*request->last_event_id)
        return true;
    out->subscribe.has_since = true;
    return position_parse(request->last_event_id, &out->subscribe.since) ||
           problem_set(problem, 400, "BAD_HEADER", "last-event-id",
                       "Last-Event-ID must be an event_id as the channel gives them");
}

static bool read_query(const struct request *request, struct events_query *out,
                       struct problem *problem)
{
    static const char *const of_poll[] = {"wait_s", "limit", NULL};
    *out = (struct events_query){.wait_s = -1, .limit = LIMIT_DEFAULT};
    if (!read_poll_args(request, out, problem))
        return false;
    bool poll = out->wait_s >= 0;
    if (!subscribe_from_args(request, poll ? of_poll : NULL, &out->subscribe, problem))
        return false;
    if (!poll && !admits_stream(request->accept))
        return problem_set(problem, 406, "NOT_ACCEPTABLE", "accept",
                           "without wait_s this gives text/event-stream alone");
    if (!poll && !read_last_event_id(request, out, problem))
        return false;
    out->named = request->n_args > 0 || out->subscribe.has_since;
    return true;
}

void api_events(struct exchange *exchange)
{
    struct events_query query;
    struct problem problem;
    /* Listening is what a page elsewhere may not do, though it changes nothing. */
    if (!router_admit(exchange, false, true))
        return;
    if (!read_query(&exchange->request, &query, &problem)) {
        answer_problem(&exchange->answer, &problem);
    } else if (!exchange_may_listen(exchange)) {
        return;
    } else if (query.wait_s >= 0) {
        poll_open(exchange, &query.subscribe, query.wait_s * 1000, (size_t)query.limit);
    } else {
        sse_open(exchange, query.named ? &query.subscribe : NULL);
    }
}
