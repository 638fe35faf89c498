/* http: one request and its answer, as the handlers see them. No libwebsockets here: how bytes come
 * and go is the business of http.c and answer.c. Loop thread. */
#ifndef REELD_SERVER_HTTP_H
#define REELD_SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file_send.h"
#include "media_send.h"
#include "picture_recent.h"
#include "position.h"
#include "problem.h"
#include "reeld/base.h"
#include "reeld/library.h"

struct exchange;
struct json_object;
struct lws;
struct route;
struct server;

/* One bit each, so that a route can name a set. */
enum method {
    METHOD_GET = 1 << 0, /* HEAD is a GET whose body stays at home: request.head */
    METHOD_POST = 1 << 1,
    METHOD_PUT = 1 << 2,
    METHOD_PATCH = 1 << 3,
    METHOD_DELETE = 1 << 4,
    METHOD_OPTIONS = 1 << 5,
};

enum {
    REQUEST_BODY_MAX = 64 * 1024,
    REQUEST_ARGS_MAX = 32,
    REQUEST_ID_SIZE = CORRELATION_SIZE,
    HTTP_RECEIVE_SECONDS = 15, /* for all of a request, from its first byte to its last */
    HTTP_SEND_SECONDS = 15,    /* for the client to take the next piece of an answer */
    HTTP_LINGER_SECONDS = 2,   /* for the client to hear an early answer and hang up */
};

struct query_arg {
    const char *name, *value; /* decoded; without NUL bytes */
};

struct request {
    enum method method;
    bool head;
    char *path;     /* decoded and normalised by the parser; owned */
    char param[64]; /* what stood for {id} in the route's pattern */
    struct query_arg args[REQUEST_ARGS_MAX];
    size_t n_args;
    char *query; /* the bytes that args point into; owned */
    struct buf body;
    char host[256], origin[264], fetch_site[16], content_type[128], accept[256], accept_encoding[256];
    char authorization[600], cookie[128], if_none_match[256];
    char last_event_id[POSITION_TEXT_SIZE]; /* "?": there is one, and it does not fit */
    char id[REQUEST_ID_SIZE];               /* X-Request-ID as taken over, or made */
};

enum { ANSWER_HEADERS_MAX = 8 };

struct answer {
    int status;               /* 0: there is none yet */
    const char *content_type; /* static; NULL: there is no content */
    const char *cache;        /* Cache-Control; static; NULL: no-store */
    bool page;                /* of the page: with the headers that a browser wants there */
    bool media_page;          /* a video: with what a browser needs to show it by itself */
    bool stream;              /* it goes on behind the body, until the connection ends */
    struct buf body;
    struct shared_bytes *shared; /* instead of a body; NULL, or held */
    struct file_send file; /* instead of a body; where only the head is sent, its length will do */
    struct media *media;   /* likewise, parts of a video's file; owned */
    struct {
        const char *name; /* static, lower case, with its ':' */
        char *value;      /* owned */
    } headers[ANSWER_HEADERS_MAX];
    size_t n_headers;
};

enum exchange_state {
    EXCHANGE_RECEIVING, /* the body is not complete */
    EXCHANGE_PENDING,   /* the handler waits for a reply or a job */
    EXCHANGE_LISTENING, /* a long poll waits for an event */
    EXCHANGE_READY,     /* the answer is complete, nothing of it is sent */
    EXCHANGE_SENDING,
    EXCHANGE_STREAMING, /* the answer so far is out, and goes on with what comes */
    EXCHANGE_LINGERING, /* sent; what the client still sends is thrown away until it hangs up */
};

/* What to do with the library's reply to a command. `message` is borrowed. */
typedef void exchange_reply(struct exchange *exchange, const struct library_message *message);

/* ---- answers (answer.c, no I/O) ------------------------------------------------------------- */

/* A further header. Bytes that may not stand in a header (RFC 9110 §5.5) end the value. */
void answer_header(struct answer *answer, const char *name, const char *value);

/* Takes `json` as the body; NULL (out of memory): 503. */
void answer_json(struct answer *answer, int status, struct json_object *json);

/* Takes the text as the body, which it empties; failed: 503. */
void answer_text(struct answer *answer, int status, struct buf *json);

/* The answer is known by `tag`, an ETag with its quotes: it may be kept, but is to be asked for
 * again each time, with If-None-Match. */
void answer_tag(struct answer *answer, const char *tag);

/* Whether If-None-Match (RFC 9110 §13.1.2: a list of tags, each perhaps weak, or "*") has `tag`. */
bool request_has(const struct request *request, const char *tag);

/* Whether a weight (RFC 9110 §12.4.2) among the parameters of a media range or a coding is 0. */
bool weight_zero(const char *parameters);

/* Replaces what the answer was so far. 503 gets Retry-After. */
void answer_problem(struct answer *answer, const struct problem *problem);
void answer_error(struct answer *answer, int status, const char *code, const char *field,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The problem for an error of a room below: busy, full, broken. */
void answer_failure(struct answer *answer, enum rl_err err, const char *detail);

void answer_clear(struct answer *answer);

/* ---- exchanges (pending.c) ------------------------------------------------------------------ */

/* The handler has no answer yet: `reply` will be called with the library's message of that ticket.
 */
void exchange_await_reply(struct exchange *exchange, uint64_t ticket, exchange_reply *reply);

/* After it: where the reply does not come within `timeout_ms`, `late` gives the answer. */
void exchange_deadline(struct exchange *exchange, int64_t timeout_ms,
                       void (*late)(struct exchange *exchange));

/* The handler has no answer yet: it comes with the job's terminal event, or after `timeout_ms`. */
void exchange_await_job(struct exchange *exchange, const char *job_id, int64_t timeout_ms);

/* The handler has done a part of its work, or none of it yet: it is called again, when all that
 * waited so before it have their answers, in a later turn of the loop. */
void exchange_await_slice(struct exchange *exchange);

/* Whether so many wait for their next slice that this one should wait for its first too. */
bool exchange_crowded(const struct exchange *exchange);

#endif
