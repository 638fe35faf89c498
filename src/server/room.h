/* room: the server's own state, shared by the files that run its loop. Loop thread, but where said.
 */
#ifndef REELD_SERVER_ROOM_H
#define REELD_SERVER_ROOM_H

#include <stdatomic.h>

#include <libwebsockets.h>

#include "channel.h"
#include "conditions.h"
#include "disk.h"
#include "http.h"
#include "metrics.h"
#include "packed.h"
#include "picture_lookup.h"
#include "reeld/server.h"

enum {
    SCRATCH_BODY = 64 * 1024, /* of an answer's body in one write */
    SCRATCH_HEAD = 4096,      /* for the head of any answer */
};

struct exchange {
    struct server *server;
    struct lws *wsi;
    struct request request;
    struct answer answer;
    enum exchange_state state;
    bool close;                   /* the connection ends with this answer */
    bool more;                    /* lws takes what follows for this request's body */
    bool at_turn_over;            /* it is answered outside of lws's callbacks (http.c) */
    uint64_t sent;                /* bytes of the body or file */
    const struct route *route;    /* NULL: none matched */
    lws_sorted_usec_list_t timer; /* ends receiving, or waiting for a job */
    /* while pending */
    struct waiting *among;
    struct exchange *prev, *next;
    uint64_t ticket; /* 0: it waits for a job */
    exchange_reply *reply;
    void (*late)(struct exchange *exchange); /* answers where the reply is not there in time */
    char job_id[ID_TEXT_SIZE];
    struct session *session;      /* of a stream or a long poll; owned */
    size_t limit;                 /* of a long poll: most events in its answer */
    bool quiet;                   /* its connection is not read (quiet.c) */
    struct file_opening *opening; /* a video's file that it waits for (api_file.c); NULL */
};

/* The one upgrade to WebSocket that is under way: between its being confirmed and the session. */
struct upgrade {
    struct lws *wsi; /* NULL: none is */
    bool asks;       /* its query string says what it wants to hear: */
    struct subscribe subscribe;
};

/* The one backup that is under way. */
struct backup {
    struct catalog_backup *copy; /* being made; NULL */
    struct exchange *exchange;   /* that waits for it, or sends it; NULL: its client is gone */
};

/* Reading the catalogue ahead (warm.c). */
struct warm {
    lws_sorted_usec_list_t timer;
    bool due;   /* the timer runs */
    bool ready; /* it was read once */
};

/* Requests that wait, oldest first. */
struct waiting {
    struct exchange *first, *last;
    size_t count;
};

struct server {
    struct server_config config;
    char token_cookie[65]; /* what the session cookie holds; made at random for this process */
    struct catalog *reader;
    struct library *library;
    char *web; /* real path of config.web, or NULL when there is none */
    struct packed packed;
    int port;
    /* the loop */
    struct lws_context *context; /* NULL once the loop has ended */
    struct lws_vhost *vhost;
    bool uv;          /* runs on libuv; otherwise on lws's own poll() */
    int wake_fd;      /* eventfd; written by any thread */
    atomic_bool stop; /* somebody asked to stop; set by any thread, also in a signal handler */
    bool stopping;    /* clients are being told */
    bool finished;    /* the loop may end */
    lws_sorted_usec_list_t finish_timer;
    int tick_fd; /* timerfd of server_tick_in; lws's */
    /* One write at a time: LWS_PRE and scratch_size bytes, enough for SCRATCH_HEAD + SCRATCH_BODY
     * of an answer, for MEDIA_PIECE and for the largest event in any form. */
    uint8_t *scratch;
    size_t scratch_size;
    size_t n_exchanges;
    struct waiting pending; /* for a reply or a job */
    struct waiting slices;  /* for the next slice of their own work */
    uint64_t last_ticket;
    struct disk *disk;
    int quiet_fd; /* epoll set of the connections that are not read */
    struct upgrade upgrade;
    struct picture_lookup pictures;
    struct picture_recent recent;
    struct backup backup;
    struct warm warm;
    struct channel channel;
    struct metrics metrics;
};

/* ---- server.c ------------------------------------------------------------------------------- */

/* While stopping: ends the loop as soon as nobody is left to be told. */
void server_check_finished(struct server *server);

/* Has the loop watch `fd` (negative: RL_EIO) for the protocol of that name; lws closes it at the
 * end.
 */
enum rl_err server_adopt(struct server *server, int fd, const char *protocol);

/* Has channel_turn called in `ns` nanoseconds from now: finer than the timers of lws, which on
 * libuv count milliseconds. */
void server_tick_in(struct server *server, int64_t ns);

/* ---- limits.c ------------------------------------------------------------------------------- */

/* Makes room for `clients` open files beside all others, as far as the hard limit goes, and says
 * for how many clients there is room. Call before lws counts on it. */
int limits_raise_files(int clients);

/* ---- http.c: the lws protocol of plain requests --------------------------------------------- */

int http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len);

/* Between two pieces of an answer: a thread waits for the disk; it is over. */
void exchange_disk_wait(struct exchange *exchange);
void exchange_disk_over(struct exchange *exchange);

/* The connection's present exchange is kept in the session data of lws: per transaction, zeroed. */
struct http_slot {
    struct exchange *exchange;
};

/* ---- request.c ------------------------------------------------------------------------------ */

/* Reads method, path, arguments and headers out of lws while they are there. NULL: out of memory,
 * or not a request that can be answered. When they cannot be accepted the exchange is READY with
 * the problem. */
struct exchange *exchange_new(struct server *server, struct lws *wsi);
void exchange_free(struct exchange *exchange);

/* The request's conditions, while lws has its headers: in the route's handler. One that is there
 * twice or does not fit is as if it were not there; a Range with an If-Range of that kind likewise.
 * False: so is If-Match, which must not be passed over. */
bool request_conditions(const struct exchange *exchange, struct conditions *out);

/* Whether one more client of the channel may come: within the limit, and not while the service
 * stops. False: 503, answered. */
bool exchange_may_listen(struct exchange *exchange);

/* A session of the channel for this exchange, which owns it. NULL: out of memory, and answered. */
struct session *exchange_listen(struct exchange *exchange, const struct session_kind *kind);
void exchange_unlisten(struct exchange *exchange); /* ends it; harmless when there is none */

/* ---- answer_send.c -------------------------------------------------------------------------- */

enum sending {
    SENDING_FAILED = -1,
    SENDING_MORE,
    SENDING_WAITING, /* for the disk: exchange_disk_over is called */
    SENDING_DONE,
};

/* Writes the head and the first SCRATCH_BODY bytes, or the next piece; of a video's file the head
 * alone, then a piece a call. Call when the socket can
 * take it. */
enum sending answer_send(struct exchange *exchange);

/* How much the answer is to have behind its head. */
uint64_t answer_length(const struct answer *answer);

/* ---- api_backup.c --------------------------------------------------------------------------- */

void backup_check(struct server *server);     /* has the copy sent, once it is made */
void backup_leave(struct exchange *exchange); /* harmless when it has none */

/* ---- api_file.c ----------------------------------------------------------------------------- */

void file_leave(struct exchange *exchange); /* harmless when it waits for none */

/* ---- warm.c --------------------------------------------------------------------------------- */

void warm_in(struct server *server, int64_t ms); /* goes on reading ahead, then until it is done */
void warm_after(struct server *server, const struct event *event); /* the catalogue changed */

/* ---- pending.c ------------------------------------------------------------------------------ */

uint64_t pending_ticket(struct server *server); /* a new one */
void pending_remove(struct exchange *exchange); /* no longer waits; harmless when it does not */
void pending_reply(struct server *server, const struct library_message *message);
void pending_job_ended(struct server *server, const char *job_id);
void pending_slice(struct server *server);   /* has the first of server->slices do a part */
void pending_end_all(struct server *server); /* 503: the server stops */

/* The answer is complete: has it sent when the socket can take it. */
void exchange_ready(struct exchange *exchange);

/* ---- quiet.c: connections that are not read ------------------------------------------------- */

enum rl_err quiet_open(struct server *server);
void quiet_close(struct server *server);
int quiet_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t len);

/* Stops reading from its client: it waits, or it has a stream (then sse_writable is called, at once
 * and after each write that the socket did not take whole). When the client hangs up, the
 * connection is closed. False: it cannot be watched. */
bool quiet_begin(struct exchange *exchange);
void quiet_end(struct exchange *exchange); /* harmless when it did not begin; reading stays off */

/* ---- poll.c, sse.c: GET /api/v1/events ------------------------------------------------------ */

/* Answers with what is due to this subscription, at most `limit` events, as soon as there is any,
 * or after `wait_ms` with none. */
void poll_open(struct exchange *exchange, const struct subscribe *subscribe, int64_t wait_ms,
               size_t limit);

/* Answers with the stream. `subscribe` NULL: nothing was asked for, everything comes. */
void sse_open(struct exchange *exchange, const struct subscribe *subscribe);
void sse_begin(struct exchange *exchange); /* the answer so far is out: goes on with what comes */
void sse_writable(struct exchange *exchange); /* the socket may take more */

/* ---- ws.c: the lws protocol of the channel -------------------------------------------------- */

int ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                size_t len);

/* Whether this upgrade may proceed: 0, and server->upgrade is filled; or -1 after the refusal was
 * written. */
int ws_confirm(struct server *server, struct lws *wsi);

#endif
