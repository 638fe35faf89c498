/* httpload: what is asked, and how the answers came. */
#ifndef REELD_BENCH_HTTPLOAD_H
#define REELD_BENCH_HTTPLOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "histogram.h"
#include "reeld/base.h"

enum { CONNECTIONS_MAX = 256, GROUPS_MAX = 256, GROUP_NAME_SIZE = 64, PAGE_GROUPS_MAX = 2 };

/* Pages whose answers are counted together. */
struct load_group {
    char name[GROUP_NAME_SIZE];
    struct histogram times; /* from when it was due */
    struct histogram own;   /* from when it was asked */
};

struct load_page {
    char *request; /* owned */
    size_t len;
    unsigned groups[PAGE_GROUPS_MAX], n_groups;
};

struct load_connection {
    int fd;
    const struct load_page *page; /* NULL: it is free */
    int64_t due_ns, asked_ns;     /* when the request should have left, and when it did */
    size_t got, wanted;           /* bytes of the answer; wanted 0: its head is not there yet */
    char *answer;                 /* owned */
};

struct load {
    int port, n_connections, status;
    double rate;             /* requests a second; 0: each connection asks when it has its answer */
    double seconds;          /* how long; 0: until standard input ends. Then: how long it was */
    struct load_page *pages; /* owned; asked in this order, again and again */
    size_t n_pages, pages_cap;
    struct load_group *groups; /* owned; GROUPS_MAX */
    size_t n_groups;
    struct load_group all;
    uint64_t asked, answered, failed; /* failed: the status is not `status` */
    const struct load_page *bad;      /* the first that failed, and its status */
    int bad_status;
    struct load_connection connections[CONNECTIONS_MAX];
    int epoll;
};

/* Adds GET `path` with further header lines (each ends in CR LF). false: no memory. */
bool load_add(struct load *load, const char *path, const char *headers);

/* Adds the lines of a file: names of up to PAGE_GROUPS_MAX groups and a path, with tabs between.
 * false: it cannot be read, or is not like that. */
bool load_add_file(struct load *load, const char *file, const char *headers);

/* Asks until it is time; false: a connection failed (errno may say why). */
bool load_run(struct load *load);

void load_free(struct load *load);

#endif
