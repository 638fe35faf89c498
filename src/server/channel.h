/* channel: everybody who listens to the events, by whichever transport: WebSocket (ws.c),
 * Server-Sent Events (sse.c), long poll (poll.c). One shared ring of finished frames; a client is a
 * feed, that is a cursor into the ring, and nothing is queued for it, but for the few frames that
 * are for it alone. Loop thread. */
#ifndef REELD_SERVER_CHANNEL_H
#define REELD_SERVER_CHANNEL_H

#include <libwebsockets.h>

#include "feed.h"
#include "reeld/events.h"

struct channel;
struct exchange;
struct json_object;
struct server;
struct session;

enum {
    CHANNEL_SLICE = 64,                 /* sessions that are served in one turn of the loop */
    CHANNEL_TURN_MAX = 2 * 1024 * 1024, /* bytes in one turn, or little more */
    CHANNEL_SEND_MAX = 256 * 1024,      /* bytes that a socket is offered at once */
    CHANNEL_RUN_MAX = 64 * 1024,        /* bytes in one write */
    SESSION_DUE_MAX = 8,                /* frames for one client alone that wait to be sent */
    CLIENT_MESSAGE_MAX = 4096,          /* contract §2 */
};

/* What the transports do differently. */
struct session_kind {
    const char *name; /* for the metrics: "websocket", "sse", "poll" */
    enum feed_form form;
    /* Sends what is due, as far as the socket takes it without waiting. May end the session. */
    void (*serve)(struct channel *channel, struct session *session);
    /* The ring's tail passed the client. */
    void (*overtaken)(struct channel *channel, struct session *session);
    /* An event could not be kept: nobody may believe that nothing is missing. */
    void (*lost)(struct channel *channel, struct session *session);
    /* The service is being stopped. */
    void (*end)(struct channel *channel, struct session *session);
};

extern const struct session_kind session_websocket, session_sse, session_poll;

/* Of a WebSocket it lives in the session data of lws; of the others, in heap, owned by the
 * exchange. */
struct session {
    struct session *prev, *next; /* in channel.sessions; NULL: not started */
    const struct session_kind *kind;
    struct lws *wsi;
    struct exchange *exchange; /* of SSE and long poll; else NULL */
    struct feed feed;
    struct event *due[SESSION_DUE_MAX]; /* for it alone, before the feed; a ring buffer */
    uint8_t due_first, due_count;
    bool asked; /* a writable callback is on its way */
    bool ended; /* the close frame is sent, or the connection is cut: nothing more is written */
    uint16_t close_code;      /* not 0: the close frame is due; what the client says is ignored */
    const char *close_reason; /* static */
    bool pinged;              /* since something was last heard of it */
    bool ping_due;            /* a ping waits to be sent */
    uint32_t heard_s;         /* clock_mono_ms() / 1000 at that time */
    int64_t talk_ns;          /* when the messages so far would be over at the rate allowed */
    uint16_t message_len;
    char *message; /* of a client message that is not complete; owned */
};

struct channel {
    struct server *server;
    struct ring *ring;
    uint32_t epoch;          /* of this process; made at random, not 0 */
    struct session sessions; /* the head of a circular list */
    size_t count;
    size_t limit; /* clients that may be there at once */
    /* The pass over the sessions that brings out what was published. */
    struct session *turn; /* the next session to be looked at */
    size_t turns_left;    /* sessions that it has not looked at */
    bool fresh;           /* there is something that it began without */
    bool resting;         /* the tick that begins the next one is on its way */
    int64_t work_ns;      /* time that it took so far */
    int64_t next_ns;      /* clock_mono_ns() before which the next one does not begin */
    uint64_t frames_before, writes_before; /* of the metrics, when it began */
    /* Held progress: when the first of it is due; INT64_MAX: there is none. */
    int64_t held_ns;
    lws_sorted_usec_list_t held_timer;
    lws_sorted_usec_list_t heartbeat_timer;
    /* Which clients are still there: the next one to be looked at. */
    struct session *alive;
    lws_sorted_usec_list_t alive_timer;
    uint64_t lost; /* library_lost() that the clients were told of */
};

enum rl_err channel_open(struct channel *channel, struct server *server);
void channel_close(struct channel *channel);

/* Appends an event to the ring; channel_turn then brings it out. */
void channel_publish(struct channel *channel, const struct event *event);

/* Serves the next slice of the sessions that something is due to; true when there are more to be
 * served at once. When events come faster than a pass over all of them takes, and each gets little,
 * it rests a moment between two, so that they are sent together: then the server's tick goes on. */
bool channel_turn(struct channel *channel);

/* Has a pass over the sessions begin at clock_mono_ns() `at_ns` or a little later, for a progress
 * frame that is held until then. INT64_MAX: none is. */
void channel_hold(struct channel *channel, int64_t at_ns);

/* When events were lost since the last call: every client is cut off and told. */
void channel_check_lost(struct channel *channel);

/* Has every client told that the service stops. */
void channel_end_all(struct channel *channel);

/* The last event that was published: what lists that are read now are at least as new as. A new
 * json string (event_id), NULL: out of memory. */
struct json_object *channel_event_id(const struct channel *channel);

/* ---- ws_send.c --------------------------------------------------------------------------------
 */

/* The socket can take more. */
void ws_writable(struct channel *channel, struct session *session);

/* Has a WebSocket client closed with `code` and `reason` (static, at most 64 bytes): the close
 * frame goes out when the socket can take it. The first call counts. */
void ws_close(struct session *session, int code, const char *reason);

/* Ends the connection without a word. */
void ws_cut(struct session *session);

/* ---- ws_alive.c -------------------------------------------------------------------------------
 */

/* Pings clients of WebSocket that are silent for ping_s seconds, and cuts those that stay silent
 * half as long again. */
void ws_alive_begin(struct channel *channel);
void ws_alive_end(struct channel *channel);

/* Something came from the client. */
void ws_heard(struct session *session);

/* ---- session.c: what every transport shares ---------------------------------------------------
 */

/* Puts a new client into the list; it gets everything from now on until it subscribes. */
void session_start(struct channel *channel, struct session *session,
                   const struct session_kind *kind, struct lws *wsi);

/* Takes it out and frees what it owns, but not itself. Harmless when never started. */
void session_end(struct channel *channel, struct session *session);

/* feed_subscribe for this client; `recovered` as there. RL_EBUSY …: the catalogue could not be
 * asked how far it is; nothing has changed. */
enum rl_err session_subscribe(struct channel *channel, struct session *session,
                              const struct subscribe *subscribe, bool *recovered);

/* Has a writable callback come, unless one is on its way. */
void session_ask(struct session *session);

/* Takes what is due next into server->scratch or out of the ring; counts it in the metrics as
 * sent. Not for a client that was overtaken (feed_overtaken). */
void session_take(struct channel *channel, struct session *session, size_t max,
                  struct feed_run *out);

/* Only `sent` bytes of the run just taken went out: what of it is whole frames comes again. See
 * feed_put_back. */
void session_put_back(struct channel *channel, struct session *session, struct feed_run *run,
                      size_t sent);

/* Appends an event (one reference, taken in any case) to what is due to this client alone. False:
 * it is NULL, or there are SESSION_DUE_MAX already. */
bool session_add_due(struct session *session, struct event *event);

/* Takes the oldest of them: one reference. NULL: there is none. */
struct event *session_take_due(struct session *session);

/* Counts frames in the metrics that did not come from session_take. */
void session_sent(struct channel *channel, size_t frames, size_t bytes);

/* ---- hello.c: the frames for one client alone --------------------------------------------------
 */

/* Each returns one reference, or NULL when out of memory. */
struct event *hello_event(struct channel *channel);
struct event *subscribed_event(struct channel *channel, const struct session *session,
                               bool recovered);
struct event *error_event(struct channel *channel, const char *code, const char *message);
struct event *heartbeat_event(struct channel *channel);

#endif
