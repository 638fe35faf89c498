#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "metrics.h"
#include "room.h"
#include "router.h"

static const int statuses[METRICS_STATUSES] = {200, 202, 204, 304, 400, 401, 403, 404,
                                               405, 406, 408, 409, 410, 411, 413, 415,
                                               421, 422, 426, 500, 503, 507};

static const int64_t bounds_us[METRICS_BUCKETS] = {50,   100,   250,   500,    1000,
                                                   2500, 10000, 50000, 250000, 1000000};

void metrics_request(struct metrics *metrics, const struct route *route, int status)
{
    for (size_t i = 0; i < METRICS_STATUSES; i++) {
        if (statuses[i] == status)
            metrics->requests[router_index(route)][i]++;
    }
}

void metrics_latency(struct metrics *metrics, int64_t ns)
{
    size_t bucket = 0;
    while (bucket < METRICS_BUCKETS && ns > bounds_us[bucket] * 1000)
        bucket++;
    metrics->latency[bucket]++;
    metrics->latency_count++;
    metrics->latency_ns += ns;
}

static void print_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP reeld_%s %s\n# TYPE reeld_%s %s\n", name, help, name, type);
}

static void print_one(struct buf *out, const char *name, const char *type, const char *help,
                      uint64_t value)
{
    print_head(out, name, type, help);
    buf_printf(out, "reeld_%s %" PRIu64 "\n", name, value);
}

static void print_requests(const struct metrics *metrics, struct buf *out)
{
    print_head(out, "http_requests_total", "counter", "Requests answered.");
    for (size_t r = 0; r <= router_count(); r++) {
        for (size_t s = 0; s < METRICS_STATUSES; s++) {
            if (metrics->requests[r][s])
                buf_printf(out,
                           "reeld_http_requests_total{route=\"%s\",status=\"%d\"} %" PRIu64 "\n",
                           router_pattern(r), statuses[s], metrics->requests[r][s]);
        }
    }
}

static void print_latency(const struct metrics *metrics, struct buf *out)
{
    static const char name[] = "event_latency_seconds";
    print_head(out, name, "histogram", "From commit to the write to a client.");
    uint64_t below = 0;
    for (size_t i = 0; i < METRICS_BUCKETS; i++) {
        below += metrics->latency[i];
        buf_printf(out, "reeld_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                   (double)bounds_us[i] / 1e6, below);
    }
    buf_printf(out, "reeld_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, metrics->latency_count);
    buf_printf(out, "reeld_%s_sum %.9f\nreeld_%s_count %" PRIu64 "\n", name,
               (double)metrics->latency_ns / 1e9, name, metrics->latency_count);
}

/* What can be counted when it is asked. */
static void print_clients(const struct channel *channel, struct buf *out)
{
    static const struct session_kind *const kinds[] = {&session_websocket, &session_sse,
                                                       &session_poll};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    const size_t quarter = ring_bytes_size(channel->ring) / 4;
    size_t counts[KINDS] = {0}, lagging = 0;
    for (const struct session *session = channel->sessions.next; session != &channel->sessions;
         session = session->next) {
        for (size_t i = 0; i < KINDS; i++)
            counts[i] += session->kind == kinds[i];
        lagging += feed_overtaken(&session->feed, channel->ring) ||
                   ring_behind(channel->ring, session->feed.cursor) > quarter;
    }
    print_one(out, "channel_clients", "gauge", "Clients of the channel.", channel->count);
    print_head(out, "channel_transport_clients", "gauge", "Clients by transport.");
    for (size_t i = 0; i < KINDS; i++)
        buf_printf(out, "reeld_channel_transport_clients{transport=\"%s\"} %zu\n", kinds[i]->name,
                   counts[i]);
    print_one(out, "channel_clients_max", "gauge", "Clients that may be there.", channel->limit);
    print_one(out, "channel_lagging", "gauge", "Clients more than a quarter of the ring behind.",
              lagging);
}

static void print_channel(struct server *server, struct buf *out)
{
    const struct metrics *m = &server->metrics;
    const struct ring *ring = server->channel.ring;
    print_clients(&server->channel, out);
    print_one(out, "channel_clients_total", "counter", "Clients since start.", m->clients_total);
    print_one(out, "channel_slow_total", "counter",
              "Clients closed because the ring overtook them.", m->clients_slow);
    print_one(out, "channel_talkative_total", "counter",
              "Clients closed because they sent too many messages.", m->clients_talkative);
    print_one(out, "channel_cut_total", "counter", "Clients closed because an event was lost.",
              m->clients_cut);
    print_one(out, "channel_refused_total", "counter", "Clients refused over the limit.",
              m->clients_refused);
    print_one(out, "events_total", "counter", "Events published.", m->events);
    print_one(out, "events_dropped_total", "counter", "Events too large for the ring.",
              m->events_dropped);
    print_one(out, "channel_frames_total", "counter", "Frames written to clients.", m->frames);
    print_one(out, "channel_writes_total", "counter", "Writes that carried them.", m->writes);
    print_one(out, "channel_bytes_total", "counter", "Bytes written to clients.", m->bytes);
    print_one(out, "channel_replayed_total", "counter",
              "Frames written because a client came back with since.", m->replayed);
    print_one(out, "channel_conflated_total", "counter",
              "Superseded frames left out for clients that lag.", m->conflated);
    print_one(out, "ring_bytes", "gauge", "Bytes of frames in the ring.", ring_bytes_used(ring));
    print_one(out, "ring_size_bytes", "gauge", "Bytes that the ring has room for.",
              ring_bytes_size(ring));
    print_one(out, "ring_frames", "gauge", "Frames in the ring.",
              ring_head(ring) - ring_tail(ring));
    print_one(out, "loop_wakes_total", "counter", "Times that the loop was woken.", m->wakes);
    print_one(out, "http_waiting", "gauge", "Requests that wait for a job or a reply.", m->waiting);
    print_latency(m, out);
}

static void print_library(struct server *server, struct buf *out)
{
    struct library_status status;
    library_status(server->library, &status);
    print_head(out, "jobs_total", "counter", "Jobs that ended, by status.");
    for (int i = 0; i < JOB_STATUSES; i++) {
        if (job_status_terminal((enum job_status)i))
            buf_printf(out, "reeld_jobs_total{status=\"%s\"} %" PRIu64 "\n",
                       job_status_word((enum job_status)i), status.jobs_finished[i]);
    }
    print_head(out, "files_total", "counter", "Files that scans decided on, by outcome.");
    for (int i = 1; i < OUTCOMES; i++)
        buf_printf(out, "reeld_files_total{outcome=\"%s\"} %" PRIu64 "\n",
                   outcome_word((enum outcome)i), status.files[i]);
    print_head(out, "failures_total", "counter", "Files that failed, by code.");
    for (int i = 1; i < FAILURES; i++)
        buf_printf(out, "reeld_failures_total{code=\"%s\"} %" PRIu64 "\n",
                   failure_word((enum failure_code)i), status.failures[i]);
    print_one(out, "jobs_pending", "gauge", "Jobs that wait.", status.jobs_pending);
    print_one(out, "jobs_running", "gauge", "Jobs that run.", status.jobs_running);
    print_one(out, "commits_total", "counter", "Transactions committed.", status.commits);
    print_one(out, "rows_total", "counter", "Rows committed.", status.rows_committed);
    print_head(out, "commit_seconds_total", "counter", "Time spent committing.");
    buf_printf(out, "reeld_commit_seconds_total %.9f\n", (double)status.commit_ns_total / 1e9);
    const struct watch_status *watch = &status.watch;
    print_one(out, "watches", "gauge", "Folders that are watched.", watch->watches);
    print_one(out, "watches_allowed", "gauge", "Folders that may be watched.", watch->allowed);
    print_one(out, "watch_overflows_total", "counter",
              "Times that the kernel had more changes to tell than its queue holds.",
              watch->overflows);
    print_one(out, "watch_events_total", "counter", "Changes that the kernel told of.",
              watch->events);
    print_one(out, "workers_alive", "gauge", "Worker processes.", (uint64_t)status.pool.alive);
    print_one(out, "workers_busy", "gauge", "Workers that read a file.",
              (uint64_t)status.pool.busy);
    print_one(out, "workers_started_total", "counter", "Workers started.", status.pool.started);
    print_one(out, "probed_total", "counter", "Files probed.", status.pool.probed);
    print_one(out, "pictures_made_total", "counter", "Pictures made.", status.pictures.made);
    print_one(out, "pictures_failed_total", "counter", "Pictures that could not be made.",
              status.pictures.failed);
    print_one(out, "pictures_removed_total", "counter", "Pictures removed for want of room.",
              status.pictures.removed);
    print_one(out, "pictures_wanted", "gauge", "Pictures that clients wait for.",
              status.pictures.wanted);
    print_one(out, "pictures_bytes", "gauge", "Bytes of the pictures that are kept.",
              status.pictures.bytes > 0 ? (uint64_t)status.pictures.bytes : 0);
    print_one(out, "worker_timeouts_total", "counter", "Files over their time.",
              status.pool.timeouts);
    print_one(out, "worker_crashes_total", "counter", "Workers that crashed.", status.pool.crashes);
    print_one(out, "worker_ooms_total", "counter", "Workers out of memory.", status.pool.ooms);
}

/* Resident bytes, from the second number of /proc/self/statm (proc(5)). */
static uint64_t resident_bytes(void)
{
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    int got = fscanf(file, "%lu %lu", &size, &resident);
    fclose(file);
    return got == 2 ? (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

void metrics_print(struct server *server, struct buf *out)
{
    print_head(out, "info", "gauge", "What runs.");
    buf_printf(out, "reeld_info{version=\"%s\",loop=\"%s\"} 1\n", REELD_VERSION,
               server->uv ? "libuv" : "poll");
    print_one(out, "resident_bytes", "gauge", "Resident memory.", resident_bytes());
    print_requests(&server->metrics, out);
    print_channel(server, out);
    print_library(server, out);
}
