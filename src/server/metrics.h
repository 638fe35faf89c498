/* metrics: counters of the loop, and the Prometheus text of GET /metrics. Loop thread. */
#ifndef REELD_SERVER_METRICS_H
#define REELD_SERVER_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct route;
struct server;

enum { METRICS_ROUTES = 48, METRICS_STATUSES = 24, METRICS_BUCKETS = 10 };

struct metrics {
    uint64_t requests[METRICS_ROUTES][METRICS_STATUSES];
    uint64_t events, events_dropped; /* into the ring; too large for it */
    uint64_t frames, writes, bytes;  /* out to clients */
    uint64_t conflated, replayed;    /* frames left out for clients that lag; sent again */
    uint64_t clients_total, clients_slow, clients_refused;
    uint64_t clients_talkative, clients_cut; /* closed: too many messages; an event was lost */
    uint64_t wakes;
    uint64_t waiting; /* requests that wait now */
    uint64_t latency[METRICS_BUCKETS + 1], latency_count;
    int64_t latency_ns;
};

void metrics_request(struct metrics *metrics, const struct route *route, int status);

/* From an event's making (just after its commit) to its being written to a client. */
void metrics_latency(struct metrics *metrics, int64_t ns);

/* Appends everything in the text format, version 0.0.4. */
void metrics_print(struct server *server, struct buf *out);

#endif
