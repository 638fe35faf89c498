#include <stdlib.h>

#include "room.h"

void session_start(struct channel *channel, struct session *session,
                   const struct session_kind *kind, struct lws *wsi)
{
    /* Behind all that the present pass has yet to look at, or it would take the turn of one of
     * them. */
    struct session *after = channel->turn;
    session->kind = kind;
    session->wsi = wsi;
    feed_start(&session->feed, channel->ring, kind->form);
    session->prev = after->prev;
    session->next = after;
    after->prev->next = session;
    after->prev = session;
    channel->count++;
    channel->server->metrics.clients_total++;
}

void session_end(struct channel *channel, struct session *session)
{
    if (!session->next)
        return;
    if (channel->turn == session)
        channel->turn = session->next;
    if (channel->alive == session)
        channel->alive = session->next;
    session->prev->next = session->next;
    session->next->prev = session->prev;
    session->prev = session->next = NULL;
    channel->count--;
    if (channel->turns_left > channel->count)
        channel->turns_left = channel->count;
    for (struct event *event; (event = session_take_due(session));)
        event_unref(event);
    free(session->message);
    session->message = NULL;
    server_check_finished(channel->server);
}

enum rl_err session_subscribe(struct channel *channel, struct session *session,
                              const struct subscribe *subscribe, bool *recovered)
{
    struct catalog *reader = channel->server->reader;
    int64_t newest = 0;
    if (subscribe->has_since) {
        enum rl_err err = catalog_sequence(reader, &newest);
        if (err)
            return err;
    }
    *recovered = feed_subscribe(&session->feed, channel->ring, subscribe, catalog_id(reader),
                                channel->epoch, newest);
    return RL_OK;
}

void session_ask(struct session *session)
{
    session->asked = true;
    lws_callback_on_writable(session->wsi);
}

void session_sent(struct channel *channel, size_t frames, size_t bytes)
{
    struct metrics *metrics = &channel->server->metrics;
    metrics->frames += frames;
    metrics->bytes += bytes;
    metrics->writes++;
}

void session_take(struct channel *channel, struct session *session, size_t max,
                  struct feed_run *out)
{
    struct server *server = channel->server;
    int64_t now_ns = clock_mono_ns();
    feed_take(&session->feed, channel->ring, catalog_id(server->reader), now_ns, max,
              server->scratch + LWS_PRE, server->scratch_size, out);
    channel_hold(channel, feed_next_ns(&session->feed));
    server->metrics.conflated += out->conflated;
    if (!out->len)
        return;
    session_sent(channel, out->frames, out->len);
    server->metrics.replayed += out->replayed;
    if (out->oldest_ns)
        metrics_latency(&server->metrics, now_ns - out->oldest_ns);
}

void session_put_back(struct channel *channel, struct session *session, struct feed_run *run,
                      size_t sent)
{
    struct metrics *metrics = &channel->server->metrics;
    size_t frames = run->frames, len = run->len;
    feed_put_back(&session->feed, channel->ring, run, sent);
    metrics->frames -= frames - run->frames;
    metrics->bytes -= len - run->len;
}

bool session_add_due(struct session *session, struct event *event)
{
    if (!event || session->due_count == SESSION_DUE_MAX) {
        event_unref(event);
        return false;
    }
    session->due[(session->due_first + session->due_count) % SESSION_DUE_MAX] = event;
    session->due_count++;
    return true;
}

struct event *session_take_due(struct session *session)
{
    if (session->due_count == 0)
        return NULL;
    struct event *event = session->due[session->due_first];
    session->due_first = (uint8_t)((session->due_first + 1) % SESSION_DUE_MAX);
    session->due_count--;
    return event;
}
