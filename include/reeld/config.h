/* config: command line before environment before INI file, as one validated struct. Main thread. */
#ifndef REELD_CONFIG_H
#define REELD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeld/base.h"
#include "reeld/ignored_names.h"
#include "reeld/watch_mode.h"

struct config {
    char *listen; /* IPv4 or IPv6 address */
    int port;     /* 0: a free one */
    char **hosts; /* further names by which clients may call the service (Host and Origin checks) */
    char *database; /* path of the catalogue */
    char *data;     /* directory for pictures, and for a backup while it is being sent */
    char *web;      /* directory of the page: the packed copy beside the program, or the sources */
    char *worker;   /* path of reeld-worker */
    char **roots;   /* real paths, NULL-terminated; empty: every readable folder (loopback only) */
    char **root_watch, **root_poll, **root_off; /* roots of a mode of their own, as they were said:
                                                   config_load adds them to `roots` */
    enum watch_mode *root_modes;                /* of each of `roots` */
    enum watch_mode watch;                      /* of roots for which nothing else is said */
    int64_t poll_ms;                            /* between two scans of a root that is polled */
    enum watch_fan_use fanotify;
    int watch_max;        /* folders that may be watched; 0: half of what the system allows */
    char **extensions;    /* lower case, without dot, NULL-terminated */
    char **keep_patterns; /* what is not to be ignored; NULL: nothing */
    unsigned int keep;    /* the same as a set of enum ignored_name */
    bool follow_symlinks;
    char *token_file; /* where the token stands; NULL: none */
    char *token;      /* what it says; NULL: no token asked */
    int workers;
    int64_t file_timeout_ms, job_timeout_ms, settle_ms;
    int64_t purge_missing_ms; /* 0: never */
    uint64_t worker_memory;   /* bytes */
    int64_t heartbeat_ms;
    uint64_t ring_bytes;
    int max_clients;
    int ping_s;
    enum log_level log_level;
    bool thumbnails;
    int thumbnail_width;
    uint64_t pictures_max_bytes;
    char *worker_test_mode; /* NULL; for attack tests only */
};

enum config_result { CONFIG_RUN, CONFIG_EXIT_OK, CONFIG_EXIT_USAGE };

/* Reads everything. CONFIG_EXIT_OK: --help or --version was printed. CONFIG_EXIT_USAGE: one line on
 * standard error said which key is wrong and why; exit with 2. `environment` is as environ(7). */
enum config_result config_load(int argc, char **argv, char **environment, struct config *out);

void config_clear(struct config *config);

/* Whether `address` is a loopback address (127.0.0.0/8, ::1). */
bool config_loopback(const char *address);

#endif
