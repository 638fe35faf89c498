/* nchan_publisher: publishes to nginx nchan at the pace of the channel's bench: requests one behind
 * the other on one kept connection, whose answers are not looked at.
 *
 *   nchan_publisher --port N --path /publish --progress FILE [--size 200] [--window 256]
 *
 * Ends when the connection does. */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pace.h"
#include "reeld/base.h"

enum { TEXT_MAX = 4096, HEAD_MAX = 512 };

static int open_connection(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Throws away the answers that are there. False: the connection has ended. */
static bool drain(int fd)
{
    char answers[65536];
    ssize_t got;
    while ((got = recv(fd, answers, sizeof answers, MSG_DONTWAIT)) > 0)
        ;
    return got < 0;
}

static bool publish(int fd, struct pace *pace, const char *path, size_t size)
{
    char request[HEAD_MAX + TEXT_MAX];
    int head = snprintf(request, HEAD_MAX,
                        "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        path, size);
    if (head >= HEAD_MAX)
        return false;
    pace_text(++pace->published, clock_mono_ns(), request + head, size);
    size_t len = (size_t)head + size;
    return send(fd, request, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static int run(struct pace *pace, int port, const char *path, size_t size)
{
    int fd = open_connection(port);
    bool ok = fd >= 0;
    while (ok) {
        for (uint64_t due = pace_due(pace, clock_mono_ns()); ok && due > 0; due--)
            ok = publish(fd, pace, path, size);
        nanosleep(&(struct timespec){.tv_nsec = pace_wait_ns(pace, clock_mono_ns())}, NULL);
        ok = ok && drain(fd);
    }
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"port", required_argument, NULL, 'p'},     {"path", required_argument, NULL, 'a'},
        {"progress", required_argument, NULL, 'g'}, {"size", required_argument, NULL, 's'},
        {"window", required_argument, NULL, 'w'},   {0},
    };
    struct pace pace = {.window = 256};
    const char *path = NULL, *progress = NULL;
    size_t size = 200;
    int option, port = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'p':
            port = atoi(optarg);
            break;
        case 'a':
            path = optarg;
            break;
        case 'g':
            progress = optarg;
            break;
        case 's':
            size = strtoull(optarg, NULL, 10);
            break;
        case 'w':
            pace.window = strtoull(optarg, NULL, 10);
            break;
        default:
            return 2;
        }
    }
    if (!port || !path || !progress || size < PACE_TEXT_MIN || size > TEXT_MAX) {
        fprintf(stderr, "see the head of nchan_publisher.c for the options\n");
        return 2;
    }
    pace.progress = progress_open(progress);
    return pace.progress ? run(&pace, port, path, size) : EXIT_FAILURE;
}
