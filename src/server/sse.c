/* The channel as Server-Sent Events (WHATWG HTML §9.2): a response that ends with its connection.
 *
 * The head and the first messages go out as any answer does. What follows is sent here, whole
 * messages at a time, past libwebsockets: what it cannot send at once it would keep, and then it
 * spins over a socket that it is told not to read (see quiet.c). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "room.h"

enum {
    RETRY_MS = 2000,
    RUNS_MAX = 4,     /* in one turn of the loop */
    LAST_SECONDS = 5, /* for what is on its way to a client whose stream ends */
};

static void append_message(struct buf *out, const char *id, const struct event *event)
{
    if (id)
        buf_printf(out, "id: %s\n", id);
    buf_puts(out, "data: ");
    buf_append(out, event->json, event->json_len);
    buf_puts(out, "\n\n");
}

/* ---- writing -------------------------------------------------------------------------------- */

/* Has the connection closed; nothing more is written. */
static void cut(struct exchange *exchange)
{
    exchange->session->ended = true;
    lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_ASYNC);
}

/* Sends as many of the bytes as the socket takes now. False: the connection is broken. */
static bool push(struct exchange *exchange, const void *bytes, size_t len, size_t *sent)
{
    int fd = lws_get_socket_fd(exchange->wsi);
    ssize_t n;
    do
        n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    *sent = n > 0 ? (size_t)n : 0;
    if (n >= 0 || errno == EAGAIN)
        return true;
    cut(exchange);
    return false;
}

/* Sends what is left of an earlier message; whether nothing is left. */
static bool push_rest(struct exchange *exchange)
{
    struct buf *rest = &exchange->answer.body;
    size_t sent = 0;
    if (exchange->sent < rest->len &&
        !push(exchange, rest->data + exchange->sent, rest->len - exchange->sent, &sent))
        return false;
    exchange->sent += sent;
    if (exchange->sent < rest->len)
        return false;
    buf_free(rest); /* thousands of clients: each keeps memory only while it needs it */
    exchange->sent = 0;
    return true;
}

static void push_run(struct exchange *exchange, const struct feed_run *run)
{
    size_t sent;
    if (!push(exchange, run->bytes, run->len, &sent) || sent == run->len)
        return;
    buf_append(&exchange->answer.body, run->bytes + sent, run->len - sent);
    if (exchange->answer.body.failed)
        cut(exchange);
    else
        exchange->session->asked = true; /* sse_writable goes on */
}

static void on_more(lws_sorted_usec_list_t *timer)
{
    sse_writable(lws_container_of(timer, struct exchange, timer));
}

static void sse_serve(struct channel *channel, struct session *session)
{
    struct exchange *exchange = session->exchange;
    for (int runs = 0; !session->asked && !session->ended; runs++) {
        if (feed_overtaken(&session->feed, channel->ring)) {
            session->kind->overtaken(channel, session);
            return;
        }
        if (!feed_pending(&session->feed, channel->ring, clock_mono_ns()))
            return;
        if (runs == RUNS_MAX) {
            session->asked = true;
            lws_sul_schedule(channel->server->context, 0, &exchange->timer, on_more, 1);
            return;
        }
        struct feed_run run;
        session_take(channel, session, CHANNEL_RUN_MAX, &run);
        if (run.len)
            push_run(exchange, &run);
    }
}

void sse_writable(struct exchange *exchange)
{
    struct session *session = exchange->session;
    if (exchange->state != EXCHANGE_STREAMING || !push_rest(exchange))
        return;
    if (session->ended) {
        cut(exchange);
        return;
    }
    session->asked = false;
    sse_serve(&exchange->server->channel, session);
}

/* ---- ending --------------------------------------------------------------------------------- */

/* Ends the stream behind what is on its way, with a comment that says why. */
static void end_stream(struct session *session, const char *why)
{
    struct exchange *exchange = session->exchange;
    if (session->ended)
        return;
    session->ended = true;
    if (exchange->state != EXCHANGE_STREAMING) {
        exchange->answer.stream = false; /* its head is not out: it ends with it */
        return;
    }
    buf_puts(&exchange->answer.body, why);
    lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LAST_SECONDS);
    sse_writable(exchange);
}

static void sse_overtaken(struct channel *channel, struct session *session)
{
    channel->server->metrics.clients_slow++;
    end_stream(session, ": too slow; come back with Last-Event-ID\n\n");
}

static void sse_lost(struct channel *channel, struct session *session)
{
    (void)channel;
    end_stream(session, ": an event was lost; come back with Last-Event-ID\n\n");
}

static void sse_end(struct channel *channel, struct session *session)
{
    if (!session->asked && !session->ended && !feed_overtaken(&session->feed, channel->ring))
        sse_serve(channel, session);
    end_stream(session, ": the service is being stopped\n\n");
}

const struct session_kind session_sse = {
    .name = "sse",
    .form = FEED_SSE,
    .serve = sse_serve,
    .overtaken = sse_overtaken,
    .lost = sse_lost,
    .end = sse_end,
};

/* ---- beginning ------------------------------------------------------------------------------ */

/* Nobody pings a stream: the kernel tells who is gone (tcp(7)), as early as pings would. */
static void watch_peer(const struct exchange *exchange)
{
    const int ping_s = exchange->server->config.ping_s;
    const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, ping_s},
        {IPPROTO_TCP, TCP_KEEPINTVL, (ping_s + 1) / 2},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, ping_s * 1500},
    };
    int fd = lws_get_socket_fd(exchange->wsi);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                   sizeof options[i].value);
}

void sse_begin(struct exchange *exchange)
{
    exchange->state = EXCHANGE_STREAMING;
    buf_free(&exchange->answer.body);
    exchange->sent = 0;
    watch_peer(exchange);
    /* The socket can be written to, and the set says so at once: sse_writable goes on. */
    if (!quiet_begin(exchange))
        cut(exchange);
}

/* The first messages of the stream: HELLO, and SUBSCRIBED where something was asked for. */
static bool say_hello(struct exchange *exchange, const struct subscribe *subscribe, bool recovered)
{
    struct channel *channel = &exchange->server->channel;
    struct buf *body = &exchange->answer.body;
    struct position now = {.sequence = ring_sequence(channel->ring)};
    char id[POSITION_TEXT_SIZE];
    strncpy(now.catalog, catalog_id(exchange->server->reader), sizeof now.catalog - 1);
    position_print(&now, id);
    struct event *hello = hello_event(channel);
    struct event *subscribed =
        subscribe ? subscribed_event(channel, exchange->session, recovered) : NULL;
    bool ok = hello && (!subscribe || subscribed);
    buf_printf(body, "retry: %d\n\n", RETRY_MS);
    /* Where there is a `since`, the client is there until it gets a later event. */
    if (ok)
        append_message(body, subscribe && subscribe->has_since ? NULL : id, hello);
    if (ok && subscribed)
        append_message(body, NULL, subscribed);
    event_unref(hello);
    event_unref(subscribed);
    if (ok)
        session_sent(channel, subscribe ? 2 : 1, body->len);
    return ok && !body->failed;
}

static void answer_head(struct answer *answer)
{
    answer->status = 200;
    answer->content_type = "text/event-stream";
    answer->stream = true;
    answer_header(answer, "x-accel-buffering:", "no"); /* nginx would hold messages back */
}

void sse_open(struct exchange *exchange, const struct subscribe *subscribe)
{
    struct answer *answer = &exchange->answer;
    struct channel *channel = &exchange->server->channel;
    bool recovered = true;
    exchange->close = true;
    answer_head(answer);
    if (exchange->request.head)
        return;
    struct session *session = exchange_listen(exchange, &session_sse);
    if (!session)
        return;
    session->asked = true; /* until the head is out */
    enum rl_err err =
        subscribe ? session_subscribe(channel, session, subscribe, &recovered) : RL_OK;
    if (!err && !say_hello(exchange, subscribe, recovered))
        err = RL_ENOMEM;
    if (err) {
        exchange_unlisten(exchange);
        answer_failure(answer, err, "the last event is not known");
    }
}
