/* How a request comes together out of libwebsockets 4.1's callbacks, and when it is answered. What
 * lws does that a reader would not expect:
 *  - it waits for 100 MiB of body when POST, PUT or PATCH say no length, and would swallow the next
 *    request on the connection; so an answer before the body's end closes the connection;
 *  - for POST with length 0 it calls BODY_COMPLETION, for PUT and PATCH it does not;
 *  - session data is per transaction: lws_http_transaction_completed() frees it;
 *  - when a request with a body came in one read with the request before it, lws takes its body
 *    from the start of its own head, and may spin for ever doing so;
 *  - what a client sends before it has its answer is neither read nor left alone: the loop spins
 *    over it, also over its hanging up, unless reading is stopped until the answer is out;
 *  - an Upgrade to anything but websocket on a kept-alive connection reads freed headers, unless
 *    HTTP_CONFIRM_UPGRADE refuses it; CONNECT becomes a raw socket, unless RAW_ADOPT refuses it. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "room.h"
#include "router.h"

enum { SLOW_SEND_MS = 50 };

static void on_receive_timeout(lws_sorted_usec_list_t *timer)
{
    struct exchange *exchange = lws_container_of(timer, struct exchange, timer);
    lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_ASYNC);
}

/* How many bytes lws has read from the connection: those that TCP took in but for those that still
 * lie in the socket. 0: cannot be said. */
static uint64_t bytes_read(struct lws *wsi)
{
    int fd = lws_get_socket_fd(wsi), before = -1, unread = 0;
    uint64_t received = 0;
    for (int tries = 0; tries < 8; tries++) {
        if (ioctl(fd, FIONREAD, &unread) != 0)
            return 0;
        /* Nothing came between the two questions when the first has the same answer again. */
        if (unread == before)
            return received - (uint64_t)unread;
        before = unread;
        struct tcp_info info;
        socklen_t len = sizeof info;
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
            len < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof received)
            return 0;
        received = info.tcpi_bytes_received;
    }
    return 0;
}

/* Whether the head of the present request was read together with the request before it: nothing was
 * read since that was answered. lws keeps a pointer for each connection; it holds the number. */
static bool came_pipelined(struct lws *wsi)
{
    void *at_last_answer = lws_get_opaque_user_data(wsi);
    if (!at_last_answer)
        return false;
    uint64_t now = bytes_read(wsi);
    return now == 0 || (uintptr_t)now == (uintptr_t)at_last_answer;
}

static void note_answered(struct lws *wsi)
{
    uint64_t now = bytes_read(wsi);
    lws_set_opaque_user_data(wsi, (void *)(uintptr_t)(now ? now : UINT64_MAX));
}

static void drop(struct http_slot *slot)
{
    exchange_free(slot->exchange);
    slot->exchange = NULL;
}

/* The answer is out. */
static int finish(struct lws *wsi, struct http_slot *slot)
{
    struct exchange *exchange = slot->exchange;
    bool close = exchange->close;
    lws_sul_cancel(&exchange->timer);
    if (exchange->answer.stream && !exchange->request.head) {
        sse_begin(exchange);
        return 0;
    }
    if (close && exchange->more) {
        /* Closing while the client still sends would reset the connection and could take the
         * answer with it: say that nothing more comes, and throw away what does. */
        exchange->state = EXCHANGE_LINGERING;
        shutdown(lws_get_socket_fd(wsi), SHUT_WR);
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, HTTP_LINGER_SECONDS);
        return 0;
    }
    bool noted_later = exchange->at_turn_over;
    drop(slot);
    if (!close && !noted_later)
        note_answered(wsi);
    return close || lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* The client did not take the next piece for a while. If it talks meanwhile, or hung up, it is not
 * listened to any more; and as lws then does not say when it can be written to, the clock asks. */
static void on_slow_send(lws_sorted_usec_list_t *timer)
{
    struct exchange *exchange = lws_container_of(timer, struct exchange, timer);
    struct pollfd socket = {.fd = lws_get_socket_fd(exchange->wsi), .events = POLLIN | POLLOUT};
    bool known = poll(&socket, 1, 0) >= 0;
    bool stuck = known && !(socket.revents & ~POLLIN);
    lws_rx_flow_control(exchange->wsi, !(stuck && socket.revents));
    lws_callback_on_writable(exchange->wsi);
    lws_sul_schedule(exchange->server->context, 0, timer, on_slow_send,
                     SLOW_SEND_MS * LWS_US_PER_MS);
}

/* Sends what is ready. */
static int serve(struct lws *wsi, struct http_slot *slot)
{
    struct exchange *exchange = slot->exchange;
    if (exchange->state == EXCHANGE_SENDING && exchange->sent == answer_length(&exchange->answer) &&
        !lws_partial_buffered(wsi))
        return finish(wsi, slot);
    switch (answer_send(exchange)) {
    case SENDING_MORE:
        lws_callback_on_writable(wsi);
        lws_sul_schedule(exchange->server->context, 0, &exchange->timer, on_slow_send,
                         SLOW_SEND_MS * LWS_US_PER_MS);
        return 0;
    case SENDING_WAITING:
        return 0;
    case SENDING_DONE:
        return finish(wsi, slot);
    case SENDING_FAILED:
        break;
    }
    return -1;
}

/* The disk does not answer. */
static void on_disk_late(lws_sorted_usec_list_t *timer)
{
    struct exchange *exchange = lws_container_of(timer, struct exchange, timer);
    lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_ASYNC);
}

void exchange_disk_wait(struct exchange *exchange)
{
    (void)quiet_begin(exchange); /* or the client's hanging up is noticed later */
    lws_sul_schedule(exchange->server->context, 0, &exchange->timer, on_disk_late,
                     HTTP_SEND_SECONDS * LWS_US_PER_SEC);
}

void exchange_disk_over(struct exchange *exchange)
{
    quiet_end(exchange);
    lws_sul_cancel(&exchange->timer);
    lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, HTTP_SEND_SECONDS);
    lws_rx_flow_control(exchange->wsi, 1); /* or lws would not call back */
    lws_callback_on_writable(exchange->wsi);
}

/* After an answer lws reads the next request only when it has heard that the socket can be written
 * to. It took all of the answer, so it can: lws is told, and libuv need not ask the kernel, which
 * takes it three system calls and a turn. Where a request was read together with the one before, on
 * this connection or another, it waits for a turn, which nothing else would cause. */
static void confirm_writable(struct lws *wsi)
{
    struct lws_context *context = lws_get_context(wsi);
    struct lws_pollfd out = {
        .fd = lws_get_socket_fd(wsi), .events = LWS_POLLOUT, .revents = LWS_POLLOUT};
    lws_service_fd(context, &out);
    if (lws_service_adjust_timeout(context, 1, 0) == 0) {
        note_answered(wsi);
        lws_cancel_service(context);
    } else {
        lws_set_opaque_user_data(wsi, NULL);
    }
}

/* Whether lws would go on reading before the answer is out. With libuv the end of the turn comes
 * before the next look at the sockets, and without a body lws leaves alone what it has read. */
static bool reads_on(const struct exchange *exchange)
{
    return exchange->more || !exchange->server->uv;
}

/* The answers to what came in one turn of the loop leave together, at its end: the first wakes the
 * client, and the others find it awake. */
static void on_turn_over(lws_sorted_usec_list_t *timer)
{
    struct exchange *exchange = lws_container_of(timer, struct exchange, timer);
    struct server *server = exchange->server;
    struct lws *wsi = exchange->wsi;
    if (reads_on(exchange))
        lws_rx_flow_control(wsi, 1);
    exchange->at_turn_over = server->uv;
    if (serve(wsi, lws_wsi_user(wsi))) {
        /* At once: of what lies behind a body lws makes its end once more, and forgets a timeout. */
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_SYNC);
        return;
    }
    const struct http_slot *now = lws_wsi_user(wsi); /* another, where the exchange is over */
    if (now && now->exchange)
        now->exchange->at_turn_over = false;
    else if (now && server->uv)
        confirm_writable(wsi);
}

static int serve_at_turn_over(struct lws *wsi, struct exchange *exchange)
{
    if (reads_on(exchange))
        lws_rx_flow_control(wsi, 0);
    lws_sul_schedule(exchange->server->context, 0, &exchange->timer, on_turn_over, 1);
    return 0;
}

/* The request is complete. */
static int dispatch(struct lws *wsi, struct http_slot *slot)
{
    struct exchange *exchange = slot->exchange;
    lws_sul_cancel(&exchange->timer);
    /* The library is gone; libuv still brings what came while the loop ended. */
    if (exchange->server->finished)
        return -1;
    router_dispatch(exchange);
    if (exchange->state == EXCHANGE_READY)
        return exchange->close || exchange->answer.stream || exchange->answer.media
                   ? serve(wsi, slot)
                   : serve_at_turn_over(wsi, exchange);
    /* Where it cannot be watched, a client that hangs up meanwhile is noticed when it is answered.
     */
    (void)quiet_begin(exchange);
    return 0;
}

static int on_request(struct lws *wsi, struct http_slot *slot)
{
    struct server *server = lws_context_user(lws_get_context(wsi));
    struct exchange *exchange = exchange_new(server, wsi);
    if (!exchange)
        return -1;
    slot->exchange = exchange;
    if (exchange->more && came_pipelined(wsi)) {
        answer_error(&exchange->answer, 503, "PIPELINED_BODY", NULL,
                     "a request with a body came before the answer to the one before it; nothing "
                     "was done: send it again");
        exchange->state = EXCHANGE_READY;
        exchange->close = true;
        (void)answer_send(exchange);
        return -1; /* before lws looks for the body */
    }
    if (exchange->answer.status) {
        exchange->state = EXCHANGE_READY;
        /* A refusal that leaves the body unread cannot leave the connection open. */
        exchange->close = exchange->close || exchange->more;
        return serve(wsi, slot);
    }
    if (exchange->close || !exchange->more)
        return dispatch(wsi, slot);
    lws_sul_schedule(server->context, 0, &exchange->timer, on_receive_timeout,
                     HTTP_RECEIVE_SECONDS * LWS_US_PER_SEC);
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_EXPECT) > 0) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        unsigned char *at = server->scratch + LWS_PRE;
        memcpy(at, go_on, sizeof go_on - 1);
        if (lws_write(wsi, at, sizeof go_on - 1, LWS_WRITE_HTTP) < 0)
            return -1;
    }
    return 0;
}

static int on_body(struct http_slot *slot, const void *bytes, size_t len)
{
    struct exchange *exchange = slot->exchange;
    if (!exchange || exchange->state != EXCHANGE_RECEIVING || len == 0)
        return 0;
    struct buf *body = &exchange->request.body;
    if (body->len + len > REQUEST_BODY_MAX)
        return -1;
    buf_append(body, bytes, len);
    return body->failed ? -1 : 0;
}

static int on_body_complete(struct lws *wsi, struct http_slot *slot)
{
    struct exchange *exchange = slot->exchange;
    if (!exchange)
        return 0;
    if (exchange->state == EXCHANGE_LINGERING)
        return -1;
    return exchange->state == EXCHANGE_RECEIVING ? dispatch(wsi, slot) : 0;
}

static int on_writable(struct lws *wsi, struct http_slot *slot)
{
    struct exchange *exchange = slot->exchange;
    if (exchange && (exchange->state == EXCHANGE_READY || exchange->state == EXCHANGE_SENDING))
        return serve(wsi, slot);
    return 0;
}

static int confirm_upgrade(struct lws *wsi)
{
    /* Not the callback's argument: when the headers are gone already, the copy finds none. */
    char upgrade[16];
    if (lws_hdr_copy(wsi, upgrade, sizeof upgrade, WSI_TOKEN_UPGRADE) <= 0 ||
        strcasecmp(upgrade, "websocket") != 0)
        return -1;
    return ws_confirm(lws_context_user(lws_get_context(wsi)), wsi);
}

int http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    struct server *server;
    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        server = lws_context_user(lws_get_context(wsi));
        return server->stopping ? -1 : 0;
    case LWS_CALLBACK_HTTP:
        return on_request(wsi, user);
    case LWS_CALLBACK_HTTP_BODY:
        return on_body(user, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return on_body_complete(wsi, user);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return on_writable(wsi, user);
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
        if (user)
            drop(user);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return confirm_upgrade(wsi);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
    case LWS_CALLBACK_RAW_ADOPT:
    case LWS_CALLBACK_RAW_RX:
        return -1;
    default:
        return 0;
    }
}
