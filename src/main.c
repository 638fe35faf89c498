/* reeld: reads the configuration, starts the rooms in order, serves, and unwinds in reverse. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_ROOM "main"
#include "reeld/base.h"
#include "reeld/catalog.h"
#include "reeld/config.h"
#include "reeld/library.h"
#include "reeld/server.h"

extern char **environ;

enum { EXIT_USAGE = 2 };

/* A signal handler has no other way to its server. Written before the signals are let through. */
static struct server *signal_server;

static void on_stop_signal(int number)
{
    (void)number;
    server_stop(signal_server);
}

/* SIGTERM and SIGINT stay blocked in every thread but this one, which lets them through while it
 * serves. */
static void block_stop_signals(sigset_t *stop)
{
    sigemptyset(stop);
    sigaddset(stop, SIGTERM);
    sigaddset(stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void on_early_stop(int number)
{
    (void)number;
    _exit(EXIT_SUCCESS);
}

static void handle_stop(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

/* Checking and upgrading a large file takes a while, and may be cut short at any instant. */
static enum rl_err open_writer(const struct config *config, const sigset_t *stop,
                               struct catalog **out, char why[CATALOG_WHY_SIZE])
{
    handle_stop(on_early_stop);
    pthread_sigmask(SIG_UNBLOCK, stop, NULL);
    enum rl_err err = catalog_open(config->database, CATALOG_WRITER, out, why);
    pthread_sigmask(SIG_BLOCK, stop, NULL);
    return err;
}

static void serve(struct server *server, const sigset_t *stop)
{
    signal_server = server;
    handle_stop(on_stop_signal);
    pthread_sigmask(SIG_UNBLOCK, stop, NULL);
    server_run(server);
    pthread_sigmask(SIG_BLOCK, stop, NULL);
}

static void print_ready(const struct config *config, int port)
{
    bool v6 = strchr(config->listen, ':');
    printf("reeld %s ready at http://%s%s%s:%d/\n", REELD_VERSION, v6 ? "[" : "", config->listen,
           v6 ? "]" : "", port);
    fflush(stdout);
}

static enum rl_err start_library(const struct config *config, struct server *server,
                                 struct catalog *writer, struct library **out)
{
    struct library_config library = {
        .roots = (const char *const *)config->roots,
        .root_modes = config->root_modes,
        .poll_ms = config->poll_ms,
        .fanotify = config->fanotify,
        .watch_max = (uint32_t)config->watch_max,
        .extensions = (const char *const *)config->extensions,
        .keep = config->keep,
        .follow_symlinks = config->follow_symlinks,
        .worker_program = config->worker,
        .workers = config->workers,
        .file_timeout_ms = config->file_timeout_ms,
        .job_timeout_ms = config->job_timeout_ms,
        .purge_missing_ms = config->purge_missing_ms,
        .settle_ms = config->settle_ms,
        .worker_memory = config->worker_memory,
        .worker_test_mode = config->worker_test_mode,
        .data = config->data,
        .thumbnails = config->thumbnails,
        .thumbnail_width = config->thumbnail_width,
        .pictures_max_bytes = (int64_t)config->pictures_max_bytes,
        .wake = server_wake,
        .wake_arg = server,
    };
    return library_start(&library, writer, out);
}

static enum rl_err open_server(const struct config *config, struct catalog *reader,
                               struct server **out, char why[CATALOG_WHY_SIZE])
{
    struct server_config server = {
        .listen = config->listen,
        .port = config->port,
        .database = config->database,
        .data = config->data,
        .thumbnail_width = config->thumbnail_width,
        .web = config->web,
        .token = config->token,
        .hosts = (const char *const *)config->hosts,
        .roots = (const char *const *)config->roots,
        .follow_symlinks = config->follow_symlinks,
        .heartbeat_ms = config->heartbeat_ms,
        .ping_s = config->ping_s,
        .ring_bytes = config->ring_bytes,
        .max_clients = config->max_clients,
    };
    return server_open(&server, reader, out, why);
}

static int run(const struct config *config, const sigset_t *stop)
{
    struct catalog *writer = NULL, *reader = NULL;
    struct server *server = NULL;
    struct library *library = NULL;
    char why[CATALOG_WHY_SIZE] = "";
    enum rl_err err = open_writer(config, stop, &writer, why);
    if (!err)
        err = catalog_open(config->database, CATALOG_READER, &reader, why);
    if (!err)
        err = open_server(config, reader, &server, why);
    if (!err) {
        reader = NULL;
        err = start_library(config, server, writer, &library);
    }
    if (err) {
        log_error("cannot start: %s", *why ? why : rl_err_text(err));
    } else {
        writer = NULL;
        server_attach(server, library);
        print_ready(config, server_port(server));
        serve(server, stop);
    }
    server_close(server);
    catalog_close(reader);
    catalog_close(writer);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct config config;
    switch (config_load(argc, argv, environ, &config)) {
    case CONFIG_EXIT_OK:
        return EXIT_SUCCESS;
    case CONFIG_EXIT_USAGE:
        return EXIT_USAGE;
    case CONFIG_RUN:
        break;
    }
    log_set_level(config.log_level);
    sigset_t stop;
    block_stop_signals(&stop);
    int status = run(&config, &stop);
    config_clear(&config);
    return status;
}
