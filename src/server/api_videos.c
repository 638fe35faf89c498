#include <inttypes.h>

#include <json-c/json.h>

#include "api.h"
#include "lists.h"
#include "query.h"
#include "reeld/events.h"
#include "room.h"
#include "video_query.h"

/* The text that was searched for: the one member that is the client's. */
static void append_query(struct buf *body, const char *text)
{
    struct json_object *json = json_object_new_string(text);
    buf_puts(body, ",\"query\":");
    if (json)
        buf_puts(body, json_object_to_json_string_ext(json, JSON_C_TO_STRING_NOSLASHESCAPE));
    else
        body->failed = true;
    json_object_put(json);
}

static void answer_page(struct exchange *exchange, const struct video_query *query,
                        const struct video_page *page)
{
    const char *id = catalog_id(exchange->server->reader);
    const char *quote = page->next_cursor[0] ? "\"" : "";
    struct buf body = {0};
    buf_puts(&body, "{");
    list_append_videos(&body, page);
    buf_printf(&body, ",\"limit\":%d,\"offset\":%" PRId64, query->limit, query->offset);
    if (query->filter.search)
        append_query(&body, query->filter.search);
    buf_printf(&body, ",\"next_cursor\":%s%s%s,\"event_id\":\"%s:%" PRId64 "\"}", quote,
               *quote ? page->next_cursor : "null", quote, id,
               list_event(exchange, page->sequence));
    answer_text(&exchange->answer, 200, &body);
    list_tag(exchange, page->sequence);
}

static void list(struct exchange *exchange, const struct video_query *query)
{
    struct video_page page;
    if (list_unchanged(exchange) || list_must_wait(exchange, &query->filter))
        return;
    enum rl_err err = catalog_videos(exchange->server->reader, query, &page);
    if (err == RL_EINVAL) {
        answer_error(&exchange->answer, 400, "BAD_CURSOR", "cursor",
                     "the cursor is not one of this query's");
    } else if (err) {
        list_failure(exchange, err);
    } else {
        answer_page(exchange, query, &page);
        video_page_clear(&page);
    }
}

static void read_and_list(struct exchange *exchange, bool search)
{
    struct video_request asked;
    struct problem problem;
    bool ok = video_request_read(&exchange->request, &asked, &problem);
    if (ok && search && !asked.query.filter.search)
        ok = problem_set(&problem, 400, "MISSING_PARAMETER", "q", "q must be given");
    if (ok)
        list(exchange, &asked.query);
    else
        answer_problem(&exchange->answer, &problem);
    video_request_clear(&asked);
}

void api_videos_list(struct exchange *exchange)
{
    read_and_list(exchange, false);
}

void api_videos_search(struct exchange *exchange)
{
    read_and_list(exchange, true);
}

static void answer_video_error(struct answer *answer, enum rl_err err, const char *detail)
{
    if (err == RL_ENOTFOUND)
        answer_error(answer, 404, "NOT_FOUND", NULL, "there is no video of this id");
    else
        answer_failure(answer, err, detail);
}

void api_videos_get(struct exchange *exchange)
{
    struct server *server = exchange->server;
    const char *id = api_id(exchange);
    if (!id || !api_no_args(exchange))
        return;
    struct video video;
    enum rl_err err = catalog_video_get(server->reader, id, &video);
    if (err) {
        answer_video_error(&exchange->answer, err, catalog_error(server->reader));
        return;
    }
    answer_json(&exchange->answer, 200, json_video(&video, true));
    video_clear(&video);
}

static void answer_duplicates(struct exchange *exchange, const struct video_page *page)
{
    struct buf body = {0};
    buf_puts(&body, "{");
    list_append_videos(&body, page);
    buf_puts(&body, "}");
    answer_text(&exchange->answer, 200, &body);
    list_tag(exchange, page->sequence);
}

void api_videos_duplicates(struct exchange *exchange)
{
    struct server *server = exchange->server;
    const char *id = api_id(exchange);
    int64_t limit = VIDEOS_LIMIT_DEFAULT;
    const struct query_field field = {"limit", QUERY_INTEGER, 1, VIDEOS_LIMIT_MAX, &limit};
    struct problem problem;
    if (!id)
        return;
    if (!query_read(&exchange->request, &field, 1, &problem)) {
        answer_problem(&exchange->answer, &problem);
        return;
    }
    if (list_unchanged(exchange))
        return;
    struct video_page page;
    enum rl_err err = catalog_duplicates(server->reader, id, (int)limit, &page);
    if (err == RL_ENOTFOUND) {
        answer_video_error(&exchange->answer, err, NULL);
    } else if (err) {
        list_failure(exchange, err);
    } else {
        answer_duplicates(exchange, &page);
        video_page_clear(&page);
    }
}

static void on_delete_reply(struct exchange *exchange, const struct library_message *message)
{
    if (message->err)
        answer_video_error(&exchange->answer, message->err, message->detail);
    else
        exchange->answer.status = 204;
}

void api_videos_delete(struct exchange *exchange)
{
    struct server *server = exchange->server;
    const char *id = api_id(exchange);
    if (!id || !api_no_args(exchange))
        return;
    uint64_t ticket = pending_ticket(server);
    enum rl_err err = library_video_delete(server->library, ticket, id, exchange->request.id);
    if (err)
        answer_failure(&exchange->answer, err, NULL);
    else
        exchange_await_reply(exchange, ticket, on_delete_reply);
}
