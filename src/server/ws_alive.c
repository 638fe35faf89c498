/* Which WebSocket clients are still there: a silent one is pinged, and hung up when it stays
 * silent. libwebsockets would do it with a timer for each connection; but it keeps all timers in
 * one sorted list, and those of every request would walk past all of them: beside 10,000 clients
 * that halves what REST can answer. Here one timer looks at a part of the clients at a time. */
#include "room.h"

enum { LOOKS_A_SECOND = 10 }; /* each looks at as large a part of them */

static uint32_t now_s(void)
{
    return (uint32_t)(clock_mono_ms() / 1000);
}

void ws_heard(struct session *session)
{
    session->heard_s = now_s();
    session->pinged = session->ping_due = false;
}

static void look_at(struct channel *channel, struct session *session, uint32_t second)
{
    const uint32_t ping_s = (uint32_t)channel->server->config.ping_s;
    const uint32_t silent_s = second - session->heard_s;
    if (session->kind != &session_websocket || session->ended || silent_s < ping_s)
        return;
    if (silent_s >= (3 * ping_s + 1) / 2) {
        ws_cut(session);
    } else if (!session->pinged) {
        session->pinged = session->ping_due = true;
        session->kind->serve(channel, session);
    }
}

static void on_look(lws_sorted_usec_list_t *timer)
{
    struct channel *channel = lws_container_of(timer, struct channel, alive_timer);
    lws_sul_schedule(channel->server->context, 0, timer, on_look, LWS_US_PER_SEC / LOOKS_A_SECOND);
    const uint32_t second = now_s();
    for (size_t left = channel->count / LOOKS_A_SECOND + 1; left > 0; left--) {
        struct session *session = channel->alive;
        channel->alive = session->next;
        if (session != &channel->sessions)
            look_at(channel, session, second);
    }
    if (channel->fresh)
        server_wake(channel->server);
}

void ws_alive_begin(struct channel *channel)
{
    channel->alive = &channel->sessions;
    lws_sul_schedule(channel->server->context, 0, &channel->alive_timer, on_look,
                     LWS_US_PER_SEC / LOOKS_A_SECOND);
}

void ws_alive_end(struct channel *channel)
{
    lws_sul_cancel(&channel->alive_timer);
}
