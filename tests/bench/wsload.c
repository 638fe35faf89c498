/* wsload: connects many clients to a channel, counts what they get, and prints it as JSON.
 *
 *   wsload --port N [--path /ws] [--sse] [--clients 100] [--stuck 0] [--latency] [--progress FILE]
 *          [--pid PID] [--warmup S] [--seconds S]
 *
 * Prints `ready` when all are connected and has the publisher begin (--progress); then it warms up,
 * counts for --seconds (0: until standard input ends) and reports. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "reeld/base.h"
#include "wsload.h"

enum { EVENTS = 1024, TELL_NS = 500 * 1000, CONNECT_SECONDS = 60 };

struct run {
    struct load load;
    const char *progress_path;
    pid_t pid; /* the server's, whose processor time is taken; 0: none */
    double warmup, seconds;
    int64_t told_ns;
};

/* ---- the loop ------------------------------------------------------------------------------- */

/* The publisher is told what everybody has. */
static void tell_progress(struct run *run, int64_t now_ns)
{
    struct load *load = &run->load;
    if (!load->progress || now_ns - run->told_ns < TELL_NS)
        return;
    run->told_ns = now_ns;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < load->options.clients; i++) {
        const struct client *client = &load->clients[i];
        if (client->state == CLIENT_READY && !client->stuck && client->sequence < least)
            least = client->sequence;
    }
    if (least != UINT64_MAX)
        load->progress->received = least;
}

static bool input_ended(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;
    return poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static bool connecting(const struct load *load)
{
    return load->started < load->options.clients || load->connecting > 0;
}

/* Serves the clients until `end_ns`; where that is 0 until standard input ends. With `connect` only
 * until all are connected, too. */
static void serve(struct run *run, int64_t end_ns, bool connect)
{
    static struct epoll_event events[EVENTS];
    struct load *load = &run->load;
    int64_t now_ns = clock_mono_ns();
    while ((!end_ns || now_ns < end_ns) && !(connect && !connecting(load))) {
        if (connect)
            client_start_some(load);
        int count = epoll_wait(load->epoll, events, EVENTS, 10);
        for (int i = 0; i < count; i++) {
            now_ns = clock_mono_ns();
            client_event(load, &load->clients[events[i].data.u32], events[i].events, now_ns);
        }
        now_ns = clock_mono_ns();
        tell_progress(run, now_ns);
        if (!end_ns && input_ended())
            return;
    }
}

/* ---- what it costs -------------------------------------------------------------------------- */

/* Seconds of processor time of a process, all its threads; 0: it is gone, or none is meant. */
static double processor_time(pid_t pid)
{
    clockid_t clock;
    struct timespec time = {0};
    if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return 0;
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void report(const struct run *run, double seconds, double server, double client)
{
    const struct load *load = &run->load;
    const struct load_counters *counters = &load->counters;
    printf("{\"ready\":%d,\"refused\":%d,\"lost\":%d,\"close_code\":%d,\"seconds\":%.3f,"
           "\"events\":%llu,\"others\":%llu,\"bytes\":%llu,\"receives\":%llu,"
           "\"missing\":%llu,\"repeated\":%llu,"
           "\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"highest_ms\":%.4f,"
           "\"server_cpu\":%.4f,\"client_cpu\":%.4f}\n",
           load->ready, load->refused, load->lost, load->close_code, seconds,
           (unsigned long long)counters->events, (unsigned long long)counters->others,
           (unsigned long long)counters->bytes, (unsigned long long)counters->receives,
           (unsigned long long)counters->missing, (unsigned long long)counters->repeated,
           histogram_ms(&counters->latency, 50), histogram_ms(&counters->latency, 99),
           (double)counters->latency.highest / 1e6, server / seconds, client / seconds);
}

/* ---- the run -------------------------------------------------------------------------------- */

static int measure(struct run *run)
{
    struct load *load = &run->load;
    int64_t second = 1000000000;
    serve(run, clock_mono_ns() + CONNECT_SECONDS * second, true);
    if (connecting(load) || load->refused) {
        fprintf(stderr, "wsload: %d of %d clients were refused, %d are not connected\n",
                load->refused, load->options.clients, load->connecting);
        return EXIT_FAILURE;
    }
    if (load->progress)
        load->progress->go = 1;
    puts("ready");
    fflush(stdout);
    if (run->warmup > 0)
        serve(run, clock_mono_ns() + (int64_t)(run->warmup * 1e9), false);
    load->counters = (struct load_counters){0};
    double server = processor_time(run->pid), client = processor_time(getpid());
    int64_t begin_ns = clock_mono_ns();
    serve(run, run->seconds > 0 ? begin_ns + (int64_t)(run->seconds * 1e9) : 0, false);
    double seconds = (double)(clock_mono_ns() - begin_ns) / 1e9;
    report(run, seconds, processor_time(run->pid) - server, processor_time(getpid()) - client);
    return EXIT_SUCCESS;
}

static bool prepare(struct run *run)
{
    struct load *load = &run->load;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (run->progress_path && !(load->progress = progress_open(run->progress_path)))
        return false;
    load->clients = calloc((size_t)load->options.clients, sizeof *load->clients);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    return load->clients && load->epoll >= 0;
}

static bool read_options(int argc, char **argv, struct run *run)
{
    static const struct option long_options[] = {
        {"port", required_argument, NULL, 'p'},
        {"path", required_argument, NULL, 'a'},
        {"clients", required_argument, NULL, 'c'},
        {"stuck", required_argument, NULL, 'k'},
        {"progress", required_argument, NULL, 'g'},
        {"pid", required_argument, NULL, 'i'},
        {"warmup", required_argument, NULL, 'w'},
        {"seconds", required_argument, NULL, 's'},
        {"latency", no_argument, NULL, 'l'},
        {"sse", no_argument, NULL, 'e'},
        {0},
    };
    struct load_options *options = &run->load.options;
    *options = (struct load_options){.path = "/ws", .clients = 100};
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'p':
            options->port = atoi(optarg);
            break;
        case 'a':
            options->path = optarg;
            break;
        case 'c':
            options->clients = atoi(optarg);
            break;
        case 'k':
            options->stuck = atoi(optarg);
            break;
        case 'g':
            run->progress_path = optarg;
            break;
        case 'i':
            run->pid = atoi(optarg);
            break;
        case 'w':
            run->warmup = atof(optarg);
            break;
        case 's':
            run->seconds = atof(optarg);
            break;
        case 'l':
            options->latency = true;
            break;
        case 'e':
            options->sse = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc && options->port > 0 && options->clients > 0;
}

int main(int argc, char **argv)
{
    static struct run run;
    if (!read_options(argc, argv, &run)) {
        fprintf(stderr, "see the head of wsload.c for the options\n");
        return 2;
    }
    int status = EXIT_FAILURE;
    if (prepare(&run))
        status = measure(&run);
    else
        fprintf(stderr, "wsload: %s\n", strerror(errno));
    for (int i = 0; run.load.clients && i < run.load.options.clients; i++)
        client_close(&run.load, &run.load.clients[i]);
    free(run.load.clients);
    free(run.load.buffer);
    return status;
}
