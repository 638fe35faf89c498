#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wsload.h"

enum {
    AT_ONCE = 128,          /* connections being made */
    SOURCES = 8,            /* 127.0.0.1 …: one address has only some 28,000 ports */
    BUFFER_SIZE = 1 << 17,  /* of a receipt; small enough for the cache */
    STUCK_RECEIVE = 4096,   /* receive buffer of those that never read */
    FRAME_MAX = 512 * 1024, /* a job with many errors */
};

void client_close(struct load *load, struct client *client)
{
    if (client->state == CLIENT_GONE || client->state == CLIENT_IDLE)
        return;
    if (client->state == CLIENT_READY) {
        load->lost++;
    } else {
        load->connecting--;
        load->refused++;
    }
    close(client->fd);
    free(client->kept);
    *client = (struct client){.fd = -1, .state = CLIENT_GONE};
}

static bool watch(const struct load *load, const struct client *client, int operation,
                  uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(client - load->clients)};
    return epoll_ctl(load->epoll, operation, client->fd, &event) == 0;
}

/* False: errno says why. */
static bool start(const struct load *load, struct client *client)
{
    size_t index = (size_t)(client - load->clients);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return false;
    int yes = 1, small = STUCK_RECEIVE;
    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (client->stuck)
        setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct sockaddr_in from = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(index % SOURCES)),
    };
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)load->options.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    return bind(client->fd, (struct sockaddr *)&from, sizeof from) == 0 &&
           (connect(client->fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS) &&
           watch(load, client, EPOLL_CTL_ADD, EPOLLOUT);
}

void client_start_some(struct load *load)
{
    while (load->started < load->options.clients && load->connecting < AT_ONCE) {
        struct client *client = &load->clients[load->started];
        client->stuck = load->started < load->options.stuck;
        client->state = CLIENT_CONNECTING;
        load->started++;
        load->connecting++;
        if (!start(load, client)) {
            perror("wsload: connect");
            client_close(load, client);
        }
    }
}

/* The key is no secret and the same for all, so that a server may know its answer. */
static bool send_request(const struct load *load, const struct client *client)
{
    static const char upgrade[] =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    char request[512];
    int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n",
                       load->options.path, load->options.port,
                       load->options.sse ? "Accept: text/event-stream\r\n" : upgrade);
    return len < (int)sizeof request &&
           send(client->fd, request, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) == len;
}

/* The head of the answer: returns its length; 0: it is not complete; negative: it is a refusal. */
static long take_head(struct load *load, struct client *client, const uint8_t *bytes, size_t len)
{
    const uint8_t *end = memmem(bytes, len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    const char *wanted = load->options.sse ? "HTTP/1.1 200" : "HTTP/1.1 101";
    if (memcmp(bytes, wanted, strlen(wanted)) != 0) {
        if (!load->refused)
            fprintf(stderr, "wsload: refused: %.*s\n", (int)len, (const char *)bytes);
        return -1;
    }
    client->state = CLIENT_READY;
    load->connecting--;
    load->ready++;
    return end + 4 - bytes;
}

static long take(struct load *load, struct client *client, size_t len, int64_t now_ns)
{
    long head = 0;
    if (client->state == CLIENT_SHAKING) {
        head = take_head(load, client, load->buffer, len);
        if (head <= 0)
            return head;
    }
    long frames = frames_take(load, client, load->buffer + head, len - (size_t)head, now_ns);
    return frames < 0 ? frames : head + frames;
}

/* Keeps what is left of the buffer for the next receipt. */
static bool keep(const struct load *load, struct client *client, size_t from, size_t len)
{
    size_t left = len - from;
    if (left) {
        uint8_t *kept = realloc(client->kept, left);
        if (!kept)
            return false;
        memcpy(kept, load->buffer + from, left);
        client->kept = kept;
    }
    client->n_kept = left;
    return true;
}

static bool receive(struct load *load, struct client *client, int64_t now_ns)
{
    size_t before = client->n_kept;
    if (before >= FRAME_MAX)
        return false;
    if (before)
        memcpy(load->buffer, client->kept, before);
    ssize_t got = recv(client->fd, load->buffer + before, BUFFER_SIZE, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return false;
    load->counters.receives++;
    load->counters.bytes += (uint64_t)got;
    size_t len = before + (size_t)got;
    long taken = take(load, client, len, now_ns);
    return taken >= 0 && keep(load, client, (size_t)taken, len);
}

static bool connected(const struct load *load, struct client *client)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error)
        return false;
    client->state = CLIENT_SHAKING;
    return send_request(load, client) && watch(load, client, EPOLL_CTL_MOD, EPOLLIN);
}

void client_event(struct load *load, struct client *client, uint32_t events, int64_t now_ns)
{
    if (!load->buffer)
        load->buffer = malloc(FRAME_MAX + BUFFER_SIZE);
    bool ok = load->buffer;
    if (ok && client->state == CLIENT_CONNECTING)
        ok = connected(load, client);
    else if (ok && client->stuck && client->state == CLIENT_READY)
        ok = !(events & (EPOLLHUP | EPOLLERR));
    else if (ok && client->state != CLIENT_GONE)
        ok = receive(load, client, now_ns);
    if (ok && client->stuck && client->state == CLIENT_READY)
        ok = watch(load, client, EPOLL_CTL_MOD, 0);
    if (!ok)
        client_close(load, client);
}
