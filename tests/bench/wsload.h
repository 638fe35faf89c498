/* wsload: many clients of a channel in one thread, to measure what the server does. */
#ifndef REELD_BENCH_WSLOAD_H
#define REELD_BENCH_WSLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "pace.h"

struct load_options {
    const char *path; /* of the channel */
    int port;         /* on 127.0.0.1 */
    int clients;
    int stuck;    /* so many of them never read */
    bool sse;     /* Server-Sent Events instead of WebSocket */
    bool latency; /* takes the time from each event's "ts" to its receipt */
};

enum client_state { CLIENT_IDLE, CLIENT_CONNECTING, CLIENT_SHAKING, CLIENT_READY, CLIENT_GONE };

struct client {
    int fd;
    enum client_state state;
    bool stuck;
    uint64_t sequence; /* of its last event; 0: none yet */
    uint8_t *kept;     /* what came of a frame that is not complete; owned */
    size_t n_kept;
};

/* What was received since the counters were emptied. */
struct load_counters {
    uint64_t events; /* frames with a "seq" */
    uint64_t others; /* other text frames, and SSE comments */
    uint64_t bytes, receives;
    uint64_t missing;  /* sequences that were jumped over */
    uint64_t repeated; /* and those that came again, or late */
    struct histogram latency;
};

struct load {
    struct load_options options;
    struct progress *progress; /* NULL: nobody asks */
    struct client *clients;
    struct load_counters counters;
    int epoll;
    int started, connecting, ready, refused, lost;
    int close_code;   /* of the last close frame; 0: none came */
    uint8_t *buffer;  /* one receipt */
    size_t number_at; /* where in a text the last "seq" and "ts" were found */
    size_t time_at;
};

/* Starts as many connections as may be at work at once. */
void client_start_some(struct load *load);

/* Handles what epoll says of a client. */
void client_event(struct load *load, struct client *client, uint32_t events, int64_t now_ns);

void client_close(struct load *load, struct client *client);

/* ---- wsload_frames.c ------------------------------------------------------------------------ */

/* Takes the whole frames (messages) at the beginning of `bytes` and returns their length; negative:
 * that is no WebSocket, or the server closed. */
long frames_take(struct load *load, struct client *client, const uint8_t *bytes, size_t len,
                 int64_t now_ns);

#endif
