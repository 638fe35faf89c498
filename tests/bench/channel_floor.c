/* channel_floor: what a server of the channel cannot be quicker than: epoll, just enough WebSocket
 * for wsload, one ring of finished frames, and one send() of all that a client is due.
 *
 *   channel_floor --progress FILE [--size 200] [--rate EVENTS_A_SECOND | --window 4096] [--ring-mib
 * 8]
 *
 * Serves until SIGTERM. It does not look for clients that the ring overtakes: it is only asked what
 * they can take. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pace.h"
#include "reeld/base.h"

enum { CLIENTS_MAX = 16384, EVENTS = 1024, HEAD = 4, HEAD_SMALL = 2 };

struct client {
    int fd;       /* -1: nobody */
    bool ready;   /* has upgraded */
    bool blocked; /* its socket is full: epoll will say when it is not */
    uint64_t at;  /* bytes of the stream that it has */
};

struct floor_server {
    struct client *clients; /* CLIENTS_MAX */
    size_t n_clients;
    uint8_t *ring;
    uint64_t ring_size, head; /* bytes: of the ring, a whole number of frames; ever written */
    size_t frame_size, text_size;
    int listener, epoll;
    struct pace pace;
};

/* ---- the ring ------------------------------------------------------------------------------- */

static void publish(struct floor_server *floor, uint64_t count, int64_t now_ns)
{
    for (uint64_t i = 0; i < count; i++) {
        uint8_t *frame = floor->ring + floor->head % floor->ring_size;
        size_t head = floor->frame_size - floor->text_size;
        frame[0] = 0x81; /* a whole text message (RFC 6455 §5.2) */
        frame[1] = head == HEAD ? 126 : (uint8_t)floor->text_size;
        if (head == HEAD) {
            frame[2] = (uint8_t)(floor->text_size >> 8);
            frame[3] = (uint8_t)(floor->text_size & 0xff);
        }
        pace_text(++floor->pace.published, now_ns, (char *)frame + head, floor->text_size);
        floor->head += floor->frame_size;
    }
}

/* ---- clients -------------------------------------------------------------------------------- */

static void watch(const struct floor_server *floor, const struct client *client, int operation,
                  uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(client - floor->clients)};
    epoll_ctl(floor->epoll, operation, client->fd, &event);
}

static void drop(struct client *client)
{
    close(client->fd);
    *client = (struct client){.fd = -1};
}

static void send_due(struct floor_server *floor, struct client *client)
{
    uint64_t offset = client->at % floor->ring_size, due = floor->head - client->at;
    uint64_t len = due < floor->ring_size - offset ? due : floor->ring_size - offset;
    ssize_t sent = send(client->fd, floor->ring + offset, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
        client->at += (uint64_t)sent;
    if (sent < 0 && errno != EAGAIN) {
        drop(client);
    } else if (sent < (ssize_t)len) {
        client->blocked = true;
        watch(floor, client, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
}

static void accept_all(struct floor_server *floor)
{
    int fd;
    while (floor->n_clients < CLIENTS_MAX &&
           (fd = accept4(floor->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct client *client = &floor->clients[floor->n_clients++];
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        *client = (struct client){.fd = fd};
        watch(floor, client, EPOLL_CTL_ADD, EPOLLIN);
    }
}

/* The request is taken for wsload's, which comes in one piece and always has the same key. */
static void upgrade(const struct floor_server *floor, struct client *client)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n";
    client->ready = true;
    client->at = floor->head;
    (void)!send(client->fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void client_event(struct floor_server *floor, struct client *client, uint32_t events)
{
    char bytes[2048];
    if (client->fd < 0)
        return;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t got = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            drop(client);
            return;
        }
        if (!client->ready)
            upgrade(floor, client);
    }
    if (events & EPOLLOUT) {
        client->blocked = false;
        watch(floor, client, EPOLL_CTL_MOD, EPOLLIN);
    }
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void serve(struct floor_server *floor)
{
    static struct epoll_event events[EVENTS];
    for (;;) {
        int64_t now_ns = clock_mono_ns();
        publish(floor, pace_due(&floor->pace, now_ns), now_ns);
        for (size_t i = 0; i < floor->n_clients; i++) {
            struct client *client = &floor->clients[i];
            if (client->ready && !client->blocked && client->at != floor->head)
                send_due(floor, client);
        }
        int64_t wait_ns = pace_wait_ns(&floor->pace, clock_mono_ns());
        struct timespec wait = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
        int count = epoll_pwait2(floor->epoll, events, EVENTS, &wait, NULL);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u32 == CLIENTS_MAX)
                accept_all(floor);
            else
                client_event(floor, &floor->clients[events[i].data.u32], events[i].events);
        }
    }
}

static bool listen_anywhere(struct floor_server *floor)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = CLIENTS_MAX};
    floor->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    floor->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (bind(floor->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(floor->listener, 1024) != 0 ||
        getsockname(floor->listener, (struct sockaddr *)&address, &size) != 0 ||
        epoll_ctl(floor->epoll, EPOLL_CTL_ADD, floor->listener, &event) != 0)
        return false;
    printf("ready at http://127.0.0.1:%d/\n", ntohs(address.sin_port));
    return fflush(stdout) == 0;
}

static bool prepare(struct floor_server *floor, const char *progress, uint64_t ring_bytes)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    floor->frame_size = floor->text_size + (floor->text_size < 126 ? HEAD_SMALL : HEAD);
    floor->ring_size = ring_bytes / floor->frame_size * floor->frame_size;
    floor->ring = malloc(floor->ring_size);
    floor->clients = calloc(CLIENTS_MAX, sizeof *floor->clients);
    floor->pace.progress = progress_open(progress);
    return floor->ring && floor->clients && floor->pace.progress && listen_anywhere(floor);
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"progress", required_argument, NULL, 'g'}, {"size", required_argument, NULL, 's'},
        {"rate", required_argument, NULL, 'r'},     {"window", required_argument, NULL, 'w'},
        {"ring-mib", required_argument, NULL, 'm'}, {0},
    };
    struct floor_server floor = {.text_size = 200, .pace = {.window = 4096}};
    const char *progress = NULL;
    uint64_t ring_mib = 8;
    bool known = true;
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'g':
            progress = optarg;
            break;
        case 's':
            floor.text_size = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            floor.pace.rate = atof(optarg);
            break;
        case 'w':
            floor.pace.window = strtoull(optarg, NULL, 10);
            break;
        case 'm':
            ring_mib = strtoull(optarg, NULL, 10);
            break;
        default:
            known = false;
            break;
        }
    }
    if (!known || !progress || floor.text_size < PACE_TEXT_MIN || floor.text_size > UINT16_MAX) {
        fprintf(stderr, "see the head of channel_floor.c for the options\n");
        return 2;
    }
    if (prepare(&floor, progress, ring_mib << 20))
        serve(&floor);
    perror("channel_floor");
    return EXIT_FAILURE;
}
