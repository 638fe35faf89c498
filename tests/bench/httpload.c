/* httpload: asks pages again and again over a few kept connections, and prints as JSON how fast the
 * answers come.
 *
 *   httpload --port N (--path /api/v1/videos?limit=20 | --pages FILE) [--header 'Name: value']…
 *            [--status 200] [--connections 4] [--rate REQUESTS_A_SECOND] [--seconds 3]
 *
 * FILE: one page a line, its path after the names of the groups (none to two) that it counts to,
 * with tabs between. Groups have a report each. Pages are asked in this order, again and again.
 * --status: what a good answer has.
 *
 * Without --rate each connection asks as soon as it has its answer. With it requests fall due at
 * even times, and what one had to wait for a free connection counts as its time; own_ is without
 * that. --seconds 0: until standard input ends. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "httpload.h"

struct options {
    const char *path, *pages;
    struct buf headers;
};

static bool read_options(int argc, char **argv, struct load *load, struct options *options)
{
    static const struct option long_options[] = {
        {"port", required_argument, NULL, 'p'},
        {"path", required_argument, NULL, 'a'},
        {"pages", required_argument, NULL, 'f'},
        {"header", required_argument, NULL, 'h'},
        {"status", required_argument, NULL, 't'},
        {"rate", required_argument, NULL, 'r'},
        {"connections", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'p':
            load->port = atoi(optarg);
            break;
        case 'a':
            options->path = optarg;
            break;
        case 'f':
            options->pages = optarg;
            break;
        case 'h':
            buf_printf(&options->headers, "%s\r\n", optarg);
            break;
        case 't':
            load->status = atoi(optarg);
            break;
        case 'r':
            load->rate = atof(optarg);
            break;
        case 'c':
            load->n_connections = atoi(optarg);
            break;
        case 's':
            load->seconds = atof(optarg);
            break;
        default:
            return false;
        }
    }
    return !options->path != !options->pages && load->n_connections > 0 &&
           load->n_connections <= CONNECTIONS_MAX && !options->headers.failed;
}

static double own_processor_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void print_group(const struct load_group *group)
{
    printf("\"answers\":%llu,\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"highest_ms\":%.4f,"
           "\"own_p50_ms\":%.4f,\"own_p99_ms\":%.4f",
           (unsigned long long)group->times.count, histogram_ms(&group->times, 50),
           histogram_ms(&group->times, 99), (double)group->times.highest / 1e6,
           histogram_ms(&group->own, 50), histogram_ms(&group->own, 99));
}

static void report(const struct load *load)
{
    printf("{\"seconds\":%.3f,\"failed\":%llu,\"client_cpu\":%.4f,", load->seconds,
           (unsigned long long)load->failed, own_processor_seconds() / load->seconds);
    print_group(&load->all);
    printf(",\"groups\":[");
    for (size_t i = 0; i < load->n_groups; i++) {
        printf("%s{\"name\":\"%s\",", i ? "," : "", load->groups[i].name);
        print_group(&load->groups[i]);
        printf("}");
    }
    printf("]}\n");
    if (load->failed)
        fprintf(stderr, "httpload: status %d: %.*s\n", load->bad_status,
                (int)strcspn(load->bad->request, "\r"), load->bad->request);
}

int main(int argc, char **argv)
{
    static struct load load = {.n_connections = 4, .seconds = 3, .status = 200};
    struct options options = {0};
    if (!read_options(argc, argv, &load, &options)) {
        fprintf(stderr, "see the head of httpload.c for the options\n");
        return 2;
    }
    /* Requests leave when they are due, not up to 50 µs later. */
    prctl(PR_SET_TIMERSLACK, 1ul);
    const char *headers = options.headers.len ? options.headers.data : "";
    bool ok = (options.path ? load_add(&load, options.path, headers)
                            : load_add_file(&load, options.pages, headers)) &&
              load_run(&load);
    if (ok)
        report(&load);
    else
        perror("httpload");
    load_free(&load);
    buf_free(&options.headers);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
