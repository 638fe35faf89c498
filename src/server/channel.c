#include <stdlib.h>

#define LOG_ROOM "server"
#include "room.h"

enum {
    FRAME_BYTES_TYPICAL = 256,
    RING_FRAMES_MIN = 1024,
    HELD_GRAIN_MS = 10, /* held frames of all clients go out in steps of this */
    /* Resting behind a pass in which something came: as long as it took, times this, */
    REST_FACTOR = 2,
    REST_MAX_US = 5000,    /* at most this long, */
    REST_MIN_US = 50,      /* not at all where it is not worth a system call, */
    REST_BELOW_FRAMES = 32 /* and not when a write carries so many already. */
};

/* ---- what is published ---------------------------------------------------------------------- */

static void on_heartbeat(lws_sorted_usec_list_t *timer)
{
    struct channel *channel = lws_container_of(timer, struct channel, heartbeat_timer);
    struct server *server = channel->server;
    lws_sul_schedule(server->context, 0, timer, on_heartbeat,
                     server->config.heartbeat_ms * LWS_US_PER_MS);
    if (!channel->count)
        return;
    struct event *event = heartbeat_event(channel);
    if (!event)
        return; /* the next one will come */
    channel_publish(channel, event);
    event_unref(event);
    server_wake(server);
}

/* Everything up to `sequence`, and all that the catalogue has, may be missing: whoever listens is
 * cut off. False: how far the catalogue is cannot be said now. */
static bool cut_off_all(struct channel *channel, int64_t sequence)
{
    int64_t newest = 0;
    bool known = catalog_sequence(channel->server->reader, &newest) == RL_OK;
    ring_lost(channel->ring, newest > sequence ? newest : sequence);
    log_warn("an event was lost: %zu clients are told to come back", channel->count);
    struct session *end = &channel->sessions;
    for (struct session *session = end->next, *next; session != end; session = next) {
        next = session->next;
        session->kind->lost(channel, session);
        channel->server->metrics.clients_cut++;
    }
    return known;
}

void channel_check_lost(struct channel *channel)
{
    uint64_t lost = channel->server->library ? library_lost(channel->server->library) : 0;
    if (lost != channel->lost && cut_off_all(channel, 0))
        channel->lost = lost;
}

void channel_publish(struct channel *channel, const struct event *event)
{
    struct metrics *metrics = &channel->server->metrics;
    if (ring_append(channel->ring, event)) {
        metrics->events_dropped++;
        log_error("an event of %zu bytes is larger than half the ring: ring_mib is too small",
                  event->frame_len);
        cut_off_all(channel, event->sequence);
        return;
    }
    metrics->events++;
    channel->fresh = true;
}

struct json_object *channel_event_id(const struct channel *channel)
{
    return json_event_id(catalog_id(channel->server->reader), ring_sequence(channel->ring));
}

/* ---- bringing it out ------------------------------------------------------------------------ */

static void on_held(lws_sorted_usec_list_t *timer)
{
    struct channel *channel = lws_container_of(timer, struct channel, held_timer);
    channel->held_ns = INT64_MAX;
    channel->fresh = true;
    server_wake(channel->server);
}

void channel_hold(struct channel *channel, int64_t at_ns)
{
    static const int64_t grain = HELD_GRAIN_MS * LWS_US_PER_MS * LWS_NS_PER_US;
    if (at_ns >= channel->held_ns || channel->server->stopping)
        return;
    channel->held_ns = (at_ns / grain + 1) * grain;
    int64_t wait_ns = channel->held_ns - clock_mono_ns();
    lws_sul_schedule(channel->server->context, 0, &channel->held_timer, on_held,
                     wait_ns > LWS_NS_PER_US ? wait_ns / LWS_NS_PER_US : 1);
}

/* Whether a pass over the sessions begins now; while it rests, the tick will ask again. */
static bool begin_pass(struct channel *channel, int64_t now_ns)
{
    const struct metrics *metrics = &channel->server->metrics;
    if (!channel->fresh)
        return false;
    if (now_ns < channel->next_ns) {
        if (!channel->resting)
            server_tick_in(channel->server, channel->next_ns - now_ns);
        channel->resting = true;
        return false;
    }
    channel->fresh = channel->resting = false;
    channel->turns_left = channel->count;
    channel->work_ns = 0;
    channel->frames_before = metrics->frames;
    channel->writes_before = metrics->writes;
    return true;
}

/* A pass costs about the same whether each client gets one frame or twenty: when they come faster
 * than it can bring them out, it lets some come together. */
static void end_pass(struct channel *channel, int64_t now_ns)
{
    const struct metrics *metrics = &channel->server->metrics;
    uint64_t frames = metrics->frames - channel->frames_before;
    uint64_t writes = metrics->writes - channel->writes_before;
    int64_t rest_ns = REST_FACTOR * channel->work_ns;
    if (rest_ns > REST_MAX_US * LWS_NS_PER_US)
        rest_ns = REST_MAX_US * LWS_NS_PER_US;
    if (!channel->fresh || rest_ns < REST_MIN_US * LWS_NS_PER_US ||
        frames >= REST_BELOW_FRAMES * writes)
        rest_ns = 0;
    channel->next_ns = now_ns + rest_ns;
}

/* Whether it took the loop's time. */
static bool look_at(struct channel *channel, struct session *session, int64_t now_ns)
{
    if (session->ended || session->close_code)
        return false;
    if (feed_overtaken(&session->feed, channel->ring)) {
        session->kind->overtaken(channel, session);
        return true;
    }
    if (session->asked)
        return false; /* and when its socket can take more, it is served */
    if (!feed_pending(&session->feed, channel->ring, now_ns)) {
        channel_hold(channel, feed_next_ns(&session->feed));
        return false;
    }
    session->kind->serve(channel, session);
    return true;
}

bool channel_turn(struct channel *channel)
{
    const struct metrics *metrics = &channel->server->metrics;
    int64_t start_ns = clock_mono_ns();
    int served = 0;
    if (!channel->turns_left && !begin_pass(channel, start_ns))
        return false;
    const uint64_t enough = metrics->bytes + CHANNEL_TURN_MAX;
    while (channel->turns_left > 0 && served < CHANNEL_SLICE && metrics->bytes < enough) {
        struct session *session = channel->turn;
        channel->turn = session->next;
        if (session == &channel->sessions)
            continue;
        channel->turns_left--;
        served += look_at(channel, session, start_ns);
    }
    int64_t end_ns = clock_mono_ns();
    channel->work_ns += end_ns - start_ns;
    if (channel->turns_left > 0)
        return true;
    end_pass(channel, end_ns);
    return channel->fresh;
}

/* ---- opening and ending --------------------------------------------------------------------- */

enum rl_err channel_open(struct channel *channel, struct server *server)
{
    channel->server = server;
    channel->sessions.next = channel->sessions.prev = &channel->sessions;
    channel->turn = &channel->sessions;
    channel->held_ns = INT64_MAX;
    channel->limit = (size_t)server->config.max_clients;
    while (channel->epoch == 0) {
        if (lws_get_random(server->context, &channel->epoch, sizeof channel->epoch) !=
            sizeof channel->epoch)
            return RL_EIO;
    }
    size_t frames = RING_FRAMES_MIN;
    while (frames < server->config.ring_bytes / FRAME_BYTES_TYPICAL)
        frames *= 2;
    int64_t sequence;
    enum rl_err err = catalog_sequence(server->reader, &sequence);
    if (err)
        return err;
    channel->ring = ring_new(server->config.ring_bytes, frames, sequence);
    if (!channel->ring)
        return RL_ENOMEM;
    if (server->config.heartbeat_ms > 0)
        lws_sul_schedule(server->context, 0, &channel->heartbeat_timer, on_heartbeat,
                         server->config.heartbeat_ms * LWS_US_PER_MS);
    ws_alive_begin(channel);
    return RL_OK;
}

void channel_close(struct channel *channel)
{
    ring_free(channel->ring);
    channel->ring = NULL;
}

void channel_end_all(struct channel *channel)
{
    lws_sul_cancel(&channel->heartbeat_timer);
    lws_sul_cancel(&channel->held_timer);
    ws_alive_end(channel);
    struct session *end = &channel->sessions;
    for (struct session *session = end->next, *next; session != end; session = next) {
        next = session->next;
        session->kind->end(channel, session);
    }
}
