/* What goes out on a WebSocket. It is written straight from the pass over the sessions; only where
 * a socket is full libwebsockets is asked to call back. That saves two changes of its polling and a
 * wake-up for each write. Only whole frames are handed over, and none while lws still has a part of
 * one, so that its answers to a ping and to a close find their place between them. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "room.h"

enum {
    CLOSE_ANSWER_SECONDS = 2,
    CUT_OFF_SECONDS = 5, /* for what is on its way to a client that is to hear why */
    CLOSE_REASON_MAX = 64,
    CLOSE_TRY_AGAIN_LATER = 1013, /* in IANA's registry of close codes; newer than lws 4.1 */
};

static bool write_frames(struct session *session, const uint8_t *bytes, size_t len)
{
    /* Finished frames go out as they are: LWS_WRITE_RAW neither frames nor writes before them. */
    return lws_write(session->wsi, (unsigned char *)bytes, len, LWS_WRITE_RAW) >= (int)len;
}

static bool write_due(struct channel *channel, struct session *session)
{
    if (session->due_count == SESSION_DUE_MAX)
        lws_rx_flow_control(session->wsi, 1);
    struct event *event = session_take_due(session);
    bool written = write_frames(session, event->frame, event->frame_len);
    session_sent(channel, 1, event->frame_len);
    event_unref(event);
    return written;
}

/* Straight to the socket: lws would keep what it does not take, up to a whole run for each client
 * that reads slowly. The rest stays in the ring, where it costs nothing, but for the end of the one
 * frame that went out in part. */
static bool write_feed(struct channel *channel, struct session *session)
{
    struct feed_run run;
    session_take(channel, session, CHANNEL_SEND_MAX, &run);
    if (!run.len)
        return true;
    const size_t len = run.len;
    ssize_t sent =
        send(lws_get_socket_fd(session->wsi), run.bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    if (sent == (ssize_t)len)
        return true;
    size_t done = sent < 0 ? 0 : (size_t)sent;
    session_put_back(channel, session, &run, done);
    session_ask(session);
    return done == run.len || write_frames(session, run.bytes + done, run.len - done);
}

/* The closing handshake (RFC 6455 §7.1.2) is ours: lws sends no close frame when it is asked to
 * close from its writable callback. */
static bool write_close(struct channel *channel, struct session *session)
{
    uint8_t frame[4 + CLOSE_REASON_MAX] = {0x88};
    size_t len = strnlen(session->close_reason, CLOSE_REASON_MAX);
    frame[1] = (uint8_t)(2 + len);
    frame[2] = (uint8_t)(session->close_code >> 8);
    frame[3] = (uint8_t)(session->close_code & 0xff);
    memcpy(frame + 4, session->close_reason, len);
    session->ended = true;
    lws_set_timeout(session->wsi, PENDING_TIMEOUT_CLOSE_ACK, CLOSE_ANSWER_SECONDS);
    session_sent(channel, 1, 4 + len);
    return write_frames(session, frame, 4 + len);
}

/* By a time-out that is over: lws may not be told by a return value here. */
void ws_cut(struct session *session)
{
    session->ended = true;
    lws_set_timeout(session->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

/* RFC 6455 §5.5.2. */
static bool write_ping(struct session *session)
{
    static const uint8_t frame[] = {0x89, 1, 0x3f};
    session->ping_due = false;
    return write_frames(session, frame, sizeof frame);
}

/* What is still due goes when the socket takes it, or in the next pass over the sessions. */
static void go_on(struct channel *channel, struct session *session)
{
    if (session->asked)
        return;
    if (session->due_count > 0 || session->close_code || lws_partial_buffered(session->wsi))
        session_ask(session);
    else if (feed_pending(&session->feed, channel->ring, clock_mono_ns()))
        channel->fresh = true;
}

static void serve(struct channel *channel, struct session *session)
{
    /* lws closes by itself who breaks the protocol: its close frame is the last one (RFC 6455
     * §5.5.1), while the session lasts until the client has answered. */
    if (session->ended || session->asked || lws_get_close_length(session->wsi) > 0)
        return;
    if (!session->close_code && feed_overtaken(&session->feed, channel->ring))
        session->kind->overtaken(channel, session);
    bool ok = true;
    while (ok && session->due_count > 0 && !session->close_code &&
           !lws_partial_buffered(session->wsi))
        ok = write_due(channel, session);
    if (ok && session->ping_due && !lws_partial_buffered(session->wsi))
        ok = write_ping(session);
    if (ok && !lws_partial_buffered(session->wsi))
        ok = session->close_code ? write_close(channel, session) : write_feed(channel, session);
    if (!ok)
        ws_cut(session);
    else if (!session->ended)
        go_on(channel, session);
}

void ws_writable(struct channel *channel, struct session *session)
{
    session->asked = false;
    serve(channel, session);
    if (channel->fresh)
        server_wake(channel->server);
}

/* ---- being closed --------------------------------------------------------------------------- */

void ws_close(struct session *session, int code, const char *reason)
{
    if (session->close_code)
        return;
    session->close_code = (uint16_t)code;
    session->close_reason = reason;
    lws_rx_flow_control(session->wsi, 1); /* its answer is waited for */
    session_ask(session);
}

/* The close frame can only come behind what lws has not got rid of. A client that takes nothing is
 * not told. */
static void close_in_time(struct session *session, int code, const char *reason)
{
    if (session->close_code)
        return;
    ws_close(session, code, reason);
    lws_set_timeout(session->wsi, PENDING_TIMEOUT_LAGGING, CUT_OFF_SECONDS);
}

static void overtaken(struct channel *channel, struct session *session)
{
    channel->server->metrics.clients_slow++;
    close_in_time(session, CLOSE_TRY_AGAIN_LATER, "too slow; come back with since");
}

static void lost(struct channel *channel, struct session *session)
{
    (void)channel;
    close_in_time(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION,
                  "an event was lost; come back with since");
}

static void end(struct channel *channel, struct session *session)
{
    (void)channel;
    ws_close(session, LWS_CLOSE_STATUS_GOINGAWAY, "the service is being stopped");
}

const struct session_kind session_websocket = {
    .name = "websocket",
    .form = FEED_FRAMES,
    .serve = serve,
    .overtaken = overtaken,
    .lost = lost,
    .end = end,
};
