/* The channel's protocol as libwebsockets 4.1 calls it: who may upgrade, and what clients say. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "room.h"
#include "router.h"

enum {
    KEY_LENGTH = 24, /* 16 bytes in base64: RFC 6455 §4.1 */
    /* Messages, or fragments of them: so many a second, and this many at once. */
    TALK_RATE = 50,
    TALK_BURST = 100,
};

/* ---- the upgrade ---------------------------------------------------------------------------- */

/* Whether the comma-separated list (RFC 9110 §5.6.1) in a header has `word`;
 * without the header: `absent`. */
static bool header_lists(struct lws *wsi, enum lws_token_indexes token, const char *word,
                         bool absent)
{
    char list[128];
    if (lws_hdr_total_length(wsi, token) <= 0)
        return absent;
    if (lws_hdr_copy(wsi, list, sizeof list, token) <= 0)
        return false;
    char *rest = list;
    for (char *item; (item = strtok_r(rest, ", \t", &rest));) {
        if (strcasecmp(item, word) == 0)
            return true;
    }
    return false;
}

/* RFC 6455 §4.2.1. lws would hang up without a word. */
static void check_handshake(struct exchange *exchange)
{
    struct lws *wsi = exchange->wsi;
    struct answer *answer = &exchange->answer;
    if (exchange->request.method != METHOD_GET || exchange->request.head || exchange->more) {
        answer_error(answer, 400, "BAD_UPGRADE", NULL, "the channel is opened by GET");
    } else if (!header_lists(wsi, WSI_TOKEN_CONNECTION, "upgrade", false)) {
        answer_error(answer, 400, "BAD_UPGRADE", "connection", "Connection must say Upgrade");
    } else if (!header_lists(wsi, WSI_TOKEN_VERSION, "13", false)) {
        answer_error(answer, 426, "UNKNOWN_VERSION", "sec-websocket-version",
                     "the channel speaks version 13 of the protocol");
        answer_header(answer, "sec-websocket-version:", "13");
    } else if (lws_hdr_total_length(wsi, WSI_TOKEN_KEY) != KEY_LENGTH) {
        answer_error(answer, 400, "BAD_UPGRADE", "sec-websocket-key",
                     "Sec-WebSocket-Key must be 16 bytes in base64");
    } else if (!header_lists(wsi, WSI_TOKEN_PROTOCOL, "reeld.v1", true)) {
        /* lws would bind an offer of another of its protocols by name. */
        answer_error(answer, 400, "UNKNOWN_PROTOCOL", "sec-websocket-protocol",
                     "the channel speaks reeld.v1, or none named");
    }
}

/* Fills the answer when the upgrade is refused, else the subscription that it asks for. */
static void check_upgrade(struct exchange *exchange, struct upgrade *upgrade)
{
    struct answer *answer = &exchange->answer;
    struct problem problem;
    if (answer->status || !router_admit(exchange, false, true))
        return;
    if (strcmp(exchange->request.path, "/ws") != 0) {
        answer_error(answer, 404, "NOT_FOUND", NULL, "the channel is at /ws");
        return;
    }
    check_handshake(exchange);
    if (answer->status)
        return;
    upgrade->asks = exchange->request.n_args > 0;
    if (subscribe_from_args(&exchange->request, NULL, &upgrade->subscribe, &problem))
        exchange_may_listen(exchange);
    else
        answer_problem(answer, &problem);
}

/* lws goes on from here to ESTABLISHED, or to dropping the connection, without calling anything in
 * between: one place is enough for what is known of the upgrade. */
int ws_confirm(struct server *server, struct lws *wsi)
{
    struct upgrade *upgrade = &server->upgrade;
    *upgrade = (struct upgrade){0};
    if (server->finished)
        return -1;
    struct exchange *exchange = exchange_new(server, wsi);
    if (!exchange)
        return -1;
    check_upgrade(exchange, upgrade);
    if (exchange->answer.status) {
        exchange->close = true;
        exchange->state = EXCHANGE_READY;
        (void)answer_send(exchange); /* closed in any case */
    } else {
        upgrade->wsi = wsi;
    }
    exchange_free(exchange);
    return upgrade->wsi ? 0 : -1;
}

/* Takes `event` for this client alone. False: out of memory, or it takes nothing off. */
static bool say(struct session *session, struct event *event)
{
    if (!session_add_due(session, event))
        return false;
    /* A client that asks faster than it listens is not read until it has listened. */
    if (session->due_count == SESSION_DUE_MAX)
        lws_rx_flow_control(session->wsi, 0);
    session_ask(session);
    return true;
}

static int on_established(struct server *server, struct session *session, struct lws *wsi)
{
    struct channel *channel = &server->channel;
    session_start(channel, session, &session_websocket, wsi);
    ws_heard(session);
    server->upgrade.wsi = NULL;
    if (!say(session, hello_event(channel)))
        return -1;
    if (!server->upgrade.asks)
        return 0;
    bool recovered;
    if (session_subscribe(channel, session, &server->upgrade.subscribe, &recovered)) {
        ws_close(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION,
                 "the catalogue cannot be read now; come back");
        return 0;
    }
    return say(session, subscribed_event(channel, session, recovered)) ? 0 : -1;
}

/* ---- what clients say ----------------------------------------------------------------------- */

/* The answer to a message: one reference; NULL: out of memory. */
static struct event *answer_to(struct channel *channel, struct session *session, const char *text,
                               size_t len)
{
    struct client_message message;
    struct problem problem;
    bool recovered;
    if (!client_message_parse(text, len, &message, &problem))
        return error_event(channel, problem.code, problem.detail);
    if (message.type == CLIENT_PING)
        return heartbeat_event(channel);
    if (session_subscribe(channel, session, &message.subscribe, &recovered))
        return error_event(channel, "OVER_BUDGET",
                           "the catalogue cannot be read now: nothing has changed; ask again");
    return subscribed_event(channel, session, recovered);
}

static bool on_message(struct channel *channel, struct session *session, const char *text,
                       size_t len)
{
    return say(session, answer_to(channel, session, text, len));
}

/* A piece of a message is there: a whole one is handled, others are kept. False: it cannot be. */
static bool take_piece(struct channel *channel, struct session *session, const void *bytes,
                       size_t len, bool complete)
{
    if (complete && session->message_len == 0)
        return on_message(channel, session, bytes, len);
    if (!session->message)
        session->message = malloc(CLIENT_MESSAGE_MAX);
    if (!session->message)
        return false;
    if (len)
        memcpy(session->message + session->message_len, bytes, len);
    session->message_len = (uint16_t)(session->message_len + len);
    if (!complete)
        return true;
    bool ok = on_message(channel, session, session->message, session->message_len);
    free(session->message);
    session->message = NULL;
    session->message_len = 0;
    return ok;
}

/* Whether one more message is within the rate: each takes its share of time, and a client may be
 * ahead of the clock by a burst. */
static bool may_talk(struct session *session)
{
    static const int64_t share_ns = LWS_US_PER_SEC * LWS_NS_PER_US / TALK_RATE;
    int64_t now_ns = clock_mono_ns();
    if (session->talk_ns < now_ns)
        session->talk_ns = now_ns;
    session->talk_ns += share_ns;
    return session->talk_ns - now_ns <= TALK_BURST * share_ns;
}

/* lws gives a message in pieces of at most its receive buffer, and fragments as they come. */
static void on_receive(struct channel *channel, struct session *session, const void *bytes,
                       size_t len)
{
    struct lws *wsi = session->wsi;
    size_t left = lws_remaining_packet_payload(wsi);
    if (session->close_code)
        return;
    if (lws_frame_is_binary(wsi)) {
        ws_close(session, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "send text");
    } else if (session->message_len + len + left > CLIENT_MESSAGE_MAX) {
        ws_close(session, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "at most 4096 bytes");
    } else if (left == 0 && !may_talk(session)) {
        channel->server->metrics.clients_talkative++;
        ws_close(session, LWS_CLOSE_STATUS_POLICY_VIOLATION, "too many messages");
    } else if (!take_piece(channel, session, bytes, len, lws_is_final_fragment(wsi) && left == 0)) {
        ws_close(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
    }
}

int ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct server *server = lws_context_user(lws_get_context(wsi));
    struct session *session = user;
    bool closing;
    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        /* A new connection is bound to the default protocol, which is this one. */
        return http_callback(wsi, reason, user, in, len);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return server->upgrade.wsi == wsi ? 0 : -1;
    case LWS_CALLBACK_ESTABLISHED:
        return on_established(server, session, wsi);
    case LWS_CALLBACK_RECEIVE_PONG:
        ws_heard(session);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        ws_heard(session);
        on_receive(&server->channel, session, in, len);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        /* lws answers it, but the answer to ours is not answered. */
        closing = session->ended;
        session->ended = true;
        return closing ? -1 : 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        ws_writable(&server->channel, session);
        return 0;
    case LWS_CALLBACK_CLOSED:
        session_end(&server->channel, session);
        return 0;
    case LWS_CALLBACK_RAW_ADOPT:
    case LWS_CALLBACK_RAW_RX:
        return -1;
    default:
        return 0;
    }
}
