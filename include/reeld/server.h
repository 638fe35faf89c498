/* server: REST, the WebSocket channel and the page, on one libwebsockets loop. Main thread, but
 * where said. */
#ifndef REELD_SERVER_H
#define REELD_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "reeld/base.h"
#include "reeld/catalog.h"
#include "reeld/library.h"

struct server;

struct server_config {
    const char *listen;
    int port;                /* 0: a free one */
    const char *database;    /* the catalogue, of which copies are made */
    const char *data;        /* directory for what is temporary */
    int32_t thumbnail_width; /* of a picture where no other is asked for */
    const char *web;         /* directory of the page */
    const char *token;       /* NULL: none asked */
    const char *const
        *hosts; /* NULL-terminated: names accepted in Host and Origin beside the address itself */
    const char *const *roots; /* NULL-terminated; for the folder picker */
    bool follow_symlinks;     /* of a video's path, as scans do it; as in struct library_config */
    int64_t heartbeat_ms;
    int ping_s; /* between pings to a silent WebSocket client; 1.5 times that and it is hung up */
    size_t ring_bytes;
    int max_clients; /* of the channel */
};

/* Binds the port and prepares the loop; nothing is answered yet. Takes over `reader` when it
 * succeeds. On failure `why` says what to do. Strings must outlive the server. */
enum rl_err server_open(const struct server_config *config, struct catalog *reader,
                        struct server **out, char why[CATALOG_WHY_SIZE]);

int server_port(const struct server *server);

/* Gives the server the library that it asks, and that server_run stops; call once, before it. */
void server_attach(struct server *server, struct library *library);

/* Serves until server_stop; when the clients are gone, stops the library. */
void server_run(struct server *server);

/* Tells the loop that the library has messages. Any thread; the argument is the struct server. */
void server_wake(void *server);

/* Makes server_run return soon: clients get 1001. Any thread, and safe in a signal handler. */
void server_stop(struct server *server);

/* Closes everything. */
void server_close(struct server *server);

#endif
