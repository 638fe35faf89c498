/* The folders as a whole, and what is missing in them for good. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "body.h"
#include "members.h"
#include "reeld/events.h"
#include "room.h"

enum { PURGE_DAYS_MAX = 36500 };

static const int64_t day_ms = 24 * 3600 * 1000;

/* ---- the list -------------------------------------------------------------------------------- */

static struct json_object *refusal_json(const struct job_refusal *refusal)
{
    struct members json = members_new();
    members_int(&json, "count", refusal->count);
    members_text(&json, "reason", refusal->reason);
    members_text(&json, "token", refusal->token);
    return members_done(&json);
}

/* How many videos are there below the root. RL_EBUSY: that cannot be said yet. */
static enum rl_err count_videos(struct catalog *reader, const char *path, int64_t *out)
{
    struct video_query query = {.filter.folder = path, .limit = 1};
    struct video_page page;
    enum rl_err err = catalog_videos(reader, &query, &page);
    if (!err) {
        *out = page.total;
        video_page_clear(&page);
    }
    return err;
}

static const char *const mode_words[WATCH_MODE_COUNT] = {
#define MODE_WORD(name, word) [WATCH_MODE_##name] = word,
    WATCH_MODES(MODE_WORD)
#undef MODE_WORD
};

static void add_watch(struct members *json, const struct root_watch *watch)
{
    bool polled = watch->how == WATCH_MODE_POLL || watch->partly;
    members_text(json, "mode", mode_words[watch->mode]);
    members_text(json, "followed", mode_words[watch->how]);
    members_text(json, "why", watch->why);
    members_int(json, "watches", watch->watches);
    members_bool(json, "partly_polled", watch->how == WATCH_MODE_WATCH && watch->partly);
    members_add_or_null(json, "poll_interval_s",
                        polled ? json_object_new_double((double)watch->poll_ms / 1000) : NULL);
    members_add_or_null(json, "last_event_at", json_time(watch->event_at_ms));
}

static struct json_object *root_json(struct catalog *reader, const struct root_state *state)
{
    const struct root *root = &state->root;
    bool online = root->offline_since_ms == 0;
    int64_t videos;
    bool counted = count_videos(reader, root->path, &videos) == RL_OK;
    struct members json = members_new();
    members_int(&json, "number", root->number);
    if (!json.failed)
        json_add_path(json.json, "path", root->path);
    members_bool(&json, "online", online);
    members_text(&json, "reason", !online && root->reason[0] ? root->reason : NULL);
    members_add_or_null(&json, "offline_since", json_time(root->offline_since_ms));
    members_add_or_null(&json, "scanned_at", json_time(root->scanned_at_ms));
    members_bool(&json, "configured", state->configured);
    members_bool(&json, "kept", root->kept);
    add_watch(&json, &state->watch);
    members_add_or_null(&json, "videos", counted ? json_object_new_int64(videos) : NULL);
    if (state->refusal.root)
        members_add(&json, "refused", refusal_json(&state->refusal));
    else
        members_add_or_null(&json, "refused", NULL);
    return members_done(&json);
}

void api_roots(struct exchange *exchange)
{
    struct server *server = exchange->server;
    struct root_states states = {0};
    if (!api_no_args(exchange))
        return;
    enum rl_err err = library_roots(server->library, &states);
    if (err) {
        answer_failure(&exchange->answer, err, NULL);
        return;
    }
    /* All counts after the first find the reader's memory up to date. */
    int64_t videos;
    if (states.count &&
        count_videos(server->reader, states.states[0].root.path, &videos) == RL_EAGAIN) {
        root_states_clear(&states);
        exchange_await_slice(exchange);
        return;
    }
    struct members json = members_new();
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < states.count; i++)
        members_append(&json, list, root_json(server->reader, &states.states[i]));
    members_add(&json, "roots", list);
    struct library_status status;
    library_status(server->library, &status);
    members_int(&json, "watches", status.watch.watches);
    members_int(&json, "watches_allowed", status.watch.allowed);
    members_int(&json, "overflows", (int64_t)status.watch.overflows);
    root_states_clear(&states);
    answer_json(&exchange->answer, 200, members_done(&json));
}

struct json_object *api_root(struct server *server, int64_t number)
{
    struct root_states states = {0};
    struct json_object *json = NULL;
    if (library_roots(server->library, &states))
        return NULL;
    for (size_t i = 0; i < states.count && !json; i++) {
        if (states.states[i].root.number == number)
            json = root_json(server->reader, &states.states[i]);
    }
    root_states_clear(&states);
    return json;
}

/* ---- what was refused ------------------------------------------------------------------------ */

static void on_accept_reply(struct exchange *exchange, const struct library_message *message)
{
    struct answer *answer = &exchange->answer;
    if (message->err == RL_ENOTFOUND) {
        api_no_root(answer);
    } else if (message->err == RL_ECONFLICT) {
        answer_error(answer, 409, "TOKEN_STALE", "token",
                     "the token is not of the last scan of this root; scan it again and see what "
                     "it refuses");
    } else if (message->err) {
        answer_failure(answer, message->err, message->detail);
    } else {
        struct members json = members_new();
        members_int(&json, "missing", message->count);
        answer_json(answer, 200, members_done(&json));
    }
}

static bool accept_missing(struct exchange *exchange, const char *token, struct problem *problem)
{
    struct server *server = exchange->server;
    uint64_t ticket = pending_ticket(server);
    if (!id_valid(token))
        return problem_set(problem, 422, "BAD_VALUE", "token",
                           "the token must be as the scan's result gave it in refused.token");
    if (library_accept_missing(server->library, ticket, api_root_number(&exchange->request), token,
                               exchange->request.id))
        return problem_set(problem, 503, "OUT_OF_MEMORY", NULL, "out of memory");
    exchange_await_reply(exchange, ticket, on_accept_reply);
    return true;
}

void api_roots_accept(struct exchange *exchange)
{
    const char *token = "";
    const struct body_field fields[] = {
        {.name = "token", .type = BODY_TEXT, .required = true, .out = &token},
    };
    const struct buf *bytes = &exchange->request.body;
    struct json_object *json = NULL;
    struct problem problem;
    if (!api_no_args(exchange))
        return;
    if (!api_root_number(&exchange->request)) {
        api_no_root(&exchange->answer);
        return;
    }
    if (!body_parse(bytes->data ? bytes->data : "", bytes->len, fields, 1, &json, &problem) ||
        !accept_missing(exchange, token, &problem))
        answer_problem(&exchange->answer, &problem);
    json_object_put(json);
}

/* ---- what is missing for long ---------------------------------------------------------------- */

static void on_purge_reply(struct exchange *exchange, const struct library_message *message)
{
    if (message->err) {
        answer_failure(&exchange->answer, message->err, message->detail);
        return;
    }
    struct members json = members_new();
    members_int(&json, "purged", message->count);
    answer_json(&exchange->answer, 200, members_done(&json));
}

void api_videos_purge(struct exchange *exchange)
{
    struct server *server = exchange->server;
    double days = 0;
    const struct body_field fields[] = {
        {.name = "older_than_days",
         .type = BODY_NUMBER,
         .required = true,
         .max = PURGE_DAYS_MAX,
         .out = &days},
    };
    const struct buf *bytes = &exchange->request.body;
    struct json_object *json = NULL;
    struct problem problem;
    if (!api_no_args(exchange))
        return;
    bool ok = body_parse(bytes->data ? bytes->data : "", bytes->len, fields, 1, &json, &problem);
    json_object_put(json);
    if (!ok) {
        answer_problem(&exchange->answer, &problem);
        return;
    }
    /* 0 is all of them, whatever the clock said when they went. */
    int64_t before = days > 0 ? clock_wall_ms() - (int64_t)(days * (double)day_ms) : INT64_MAX;
    uint64_t ticket = pending_ticket(server);
    enum rl_err err = library_purge(server->library, ticket, before, exchange->request.id);
    if (err)
        answer_failure(&exchange->answer, err, NULL);
    else
        exchange_await_reply(exchange, ticket, on_purge_reply);
}
