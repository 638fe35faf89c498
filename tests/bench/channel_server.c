/* channel_server: the daemon's own server room, with a publisher in place of the library, so that
 * the channel can be measured at any pace.
 *
 *   channel_server --progress FILE --database FILE [--size 200] [--ring-mib 8]
 *                  [--rate EVENTS_A_SECOND | --window 4096]
 *
 * Serves until SIGTERM. */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "library_stub.h"
#include "reeld/server.h"

enum { CLIENTS_MAX = 16384, HEARTBEAT_MS = 15000, PING_S = 30 };

struct options {
    const char *progress, *database;
    size_t text_size, ring_mib;
    struct pace pace;
};

/* Waits for the signals that the other threads have blocked. */
static void *wait_for_stop(void *server)
{
    sigset_t stop;
    int number;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigwait(&stop, &number);
    server_stop(server);
    return NULL;
}

static void block_stop_signals(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static enum rl_err serve(struct server *server, const struct options *options, const char *id)
{
    struct stub_config config = {.pace = options->pace,
                                 .text_size = options->text_size,
                                 .catalog_id = id,
                                 .wake = server_wake,
                                 .wake_arg = server};
    pthread_t waiter;
    struct library *library = library_stub_start(&config);
    if (!library)
        return RL_ENOMEM;
    server_attach(server, library);
    if (pthread_create(&waiter, NULL, wait_for_stop, server) != 0) {
        library_stop(library);
        return RL_ENOMEM;
    }
    printf("ready at http://127.0.0.1:%d/\n", server_port(server));
    fflush(stdout);
    server_run(server); /* stops the library */
    pthread_join(waiter, NULL);
    return RL_OK;
}

static enum rl_err run(struct options *options)
{
    char why[CATALOG_WHY_SIZE] = "";
    char id[CATALOG_ID_SIZE];
    struct catalog *writer = NULL, *reader = NULL;
    struct server *server = NULL;
    struct server_config config = {.listen = "127.0.0.1",
                                   .hosts = (const char *const[]){NULL},
                                   .roots = (const char *const[]){NULL},
                                   .heartbeat_ms = HEARTBEAT_MS,
                                   .ping_s = PING_S,
                                   .ring_bytes = options->ring_mib << 20,
                                   .max_clients = CLIENTS_MAX};
    options->pace.progress = progress_open(options->progress);
    enum rl_err err = options->pace.progress ? RL_OK : RL_EIO;
    if (!err)
        err = catalog_open(options->database, CATALOG_WRITER, &writer, why); /* makes it */
    if (!err)
        err = catalog_open(options->database, CATALOG_READER, &reader, why);
    if (!err) {
        snprintf(id, sizeof id, "%s", catalog_id(reader));
        err = server_open(&config, reader, &server, why);
    }
    if (!err) {
        reader = NULL;
        err = serve(server, options, id);
    }
    if (err)
        fprintf(stderr, "channel_server: %s\n", *why ? why : rl_err_text(err));
    server_close(server);
    catalog_close(reader);
    catalog_close(writer);
    return err;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"progress", required_argument, NULL, 'g'},
        {"database", required_argument, NULL, 'd'},
        {"size", required_argument, NULL, 's'},
        {"ring-mib", required_argument, NULL, 'm'},
        {"rate", required_argument, NULL, 'r'},
        {"window", required_argument, NULL, 'w'},
        {0},
    };
    struct options options = {.text_size = 200, .ring_mib = 8, .pace = {.window = 4096}};
    bool known = true;
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'g':
            options.progress = optarg;
            break;
        case 'd':
            options.database = optarg;
            break;
        case 's':
            options.text_size = strtoull(optarg, NULL, 10);
            break;
        case 'm':
            options.ring_mib = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            options.pace.rate = atof(optarg);
            break;
        case 'w':
            options.pace.window = strtoull(optarg, NULL, 10);
            break;
        default:
            known = false;
            break;
        }
    }
    if (!known || !options.progress || !options.database) {
        fprintf(stderr, "see the head of channel_server.c for the options\n");
        return 2;
    }
    log_set_level(LOG_LEVEL_ERROR);
    block_stop_signals();
    return run(&options) ? EXIT_FAILURE : EXIT_SUCCESS;
}
