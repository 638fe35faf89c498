/* A long poll of the channel: one cursor, given back to the client as `next`. The frames are
 * finished JSON; the answer is put together as text. */
#include "room.h"

enum {
    POLL_BYTES_MAX = 1024 * 1024, /* of events in one answer, but at least one event */
    EVENT_JSON_MIN = 90, /* no event is shorter: its five members, their quotes and its timestamp */
};

/* Appends what is due, at most exchange->limit events; `next` then covers exactly them. Returns
 * whether there was any. */
static bool take_events(struct exchange *exchange, struct buf *out)
{
    struct session *session = exchange->session;
    size_t start = out->len, left = exchange->limit;
    uint64_t before = UINT64_MAX;
    while (left > 0 && out->len - start < POLL_BYTES_MAX && session->feed.cursor != before) {
        /* So few bytes that not more than `left` events fit. */
        size_t max = left < CHANNEL_RUN_MAX / EVENT_JSON_MIN ? left * EVENT_JSON_MIN
                                                             : (size_t)CHANNEL_RUN_MAX;
        struct feed_run run;
        before = session->feed.cursor;
        session_take(&exchange->server->channel, session, max, &run);
        if (!run.len)
            continue;
        if (out->len > start)
            buf_puts(out, ",");
        buf_append(out, run.bytes, run.len);
        left -= run.frames < left ? run.frames : left;
        before = UINT64_MAX;
    }
    return out->len > start;
}

/* Fills the answer when something is due, or `whatever` is. */
static bool fill_answer(struct exchange *exchange, bool recovered, bool whatever)
{
    struct answer *answer = &exchange->answer;
    struct channel *channel = &exchange->server->channel;
    struct position next;
    char text[POSITION_TEXT_SIZE];
    buf_clear(&answer->body);
    buf_puts(&answer->body, "{\"events\":[");
    bool any = recovered && take_events(exchange, &answer->body);
    if (!any && !whatever)
        return false;
    feed_position(&exchange->session->feed, channel->ring, catalog_id(exchange->server->reader),
                  channel->epoch, &next);
    position_print(&next, text);
    buf_printf(&answer->body, "],\"next\":\"%s\",\"recovered\":%s}", text,
               recovered ? "true" : "false");
    answer->status = 200;
    answer->content_type = "application/json";
    if (answer->body.failed)
        answer_failure(answer, RL_ENOMEM, NULL);
    return true;
}

static void finish(struct exchange *exchange)
{
    lws_sul_cancel(&exchange->timer);
    exchange_unlisten(exchange);
    exchange_ready(exchange);
}

static void on_wait_over(lws_sorted_usec_list_t *timer)
{
    struct exchange *exchange = lws_container_of(timer, struct exchange, timer);
    fill_answer(exchange, true, true);
    finish(exchange);
}

static void poll_serve(struct channel *channel, struct session *session)
{
    (void)channel;
    if (fill_answer(session->exchange, true, false))
        finish(session->exchange);
}

/* Something is missing: the client is told, and goes on from now. */
static void poll_missed(struct channel *channel, struct session *session)
{
    feed_start(&session->feed, channel->ring, session_poll.form);
    fill_answer(session->exchange, false, true);
    finish(session->exchange);
}

static void poll_end(struct channel *channel, struct session *session)
{
    struct exchange *exchange = session->exchange;
    (void)channel;
    if (!fill_answer(exchange, true, false))
        answer_error(&exchange->answer, 503, "STOPPING", NULL, "the service is being stopped");
    exchange->close = true;
    finish(exchange);
}

const struct session_kind session_poll = {
    .name = "poll",
    .form = FEED_JSON,
    .serve = poll_serve,
    .overtaken = poll_missed,
    .lost = poll_missed,
    .end = poll_end,
};

void poll_open(struct exchange *exchange, const struct subscribe *subscribe, int64_t wait_ms,
               size_t limit)
{
    struct server *server = exchange->server;
    struct session *session = exchange_listen(exchange, &session_poll);
    if (!session)
        return;
    bool recovered;
    enum rl_err err = session_subscribe(&server->channel, session, subscribe, &recovered);
    if (err) {
        exchange_unlisten(exchange);
        answer_failure(&exchange->answer, err, "the last event is not known");
        return;
    }
    exchange->limit = limit;
    if (fill_answer(exchange, recovered, !recovered || wait_ms == 0)) {
        exchange_unlisten(exchange);
        return;
    }
    exchange->state = EXCHANGE_LISTENING;
    lws_sul_schedule(server->context, 0, &exchange->timer, on_wait_over, wait_ms * LWS_US_PER_MS);
}
