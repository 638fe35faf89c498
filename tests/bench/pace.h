/* pace: when a publisher of the channel's bench says how much. Every server that is compared
 * follows the same rule: so many events a second, or, without a rate, as many as keep the slowest
 * reader at most a window behind. What readers have is told by the load client through a shared
 * file. */
#ifndef REELD_BENCH_PACE_H
#define REELD_BENCH_PACE_H

#include <stddef.h>
#include <stdint.h>

/* In the shared file; native byte order (peer_ws.js reads it too). */
struct progress {
    _Atomic uint64_t go;       /* 1: all clients are there: publish */
    _Atomic uint64_t received; /* the sequence up to which every reading client has all */
};

/* Maps the file at `path`, which it makes where it is not there. NULL: errno says why. Never
 * unmapped. */
struct progress *progress_open(const char *path);

/* Sequences begin here, so that all numbers have as many digits and all frames the same size. */
enum { PACE_FIRST = 10000000 };

struct pace {
    const struct progress *progress;
    double rate;        /* events a second; 0: as fast as they are received */
    uint64_t window;    /* without a rate: how far the slowest reader may be behind */
    uint64_t published; /* sequence of the last event; the publisher counts it up */
    int64_t begun_ns;   /* 0: not yet */
};

/* How many events are due at `now_ns` (clock_mono_ns). */
uint64_t pace_due(struct pace *pace, int64_t now_ns);

/* Nanoseconds from `now_ns` to the next look. */
int64_t pace_wait_ns(const struct pace *pace, int64_t now_ns);

/* The text of event `sequence` published at `now_ns` for the servers that take any text: JSON of
 * exactly `size` bytes into `out`, without NUL; at least PACE_TEXT_MIN. */
enum { PACE_TEXT_MIN = 128 };
void pace_text(uint64_t sequence, int64_t now_ns, char *out, size_t size);

#endif
