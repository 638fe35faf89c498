/* fileload: asks for one file over one connection, throws away what comes, and prints as JSON how
 * long it took: {"bytes":…,"seconds":…}.
 *
 *   fileload PORT TARGET */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reeld/base.h"

static char bytes[256 * 1024 + 1];

static int ask(int port, const char *target)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[1024];
    int len =
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", target, port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        send(fd, text, (size_t)len, 0) != len)
        return -1;
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int64_t start = clock_mono_ns(), total = 0, wanted = INT64_MAX;
    int fd = ask(atoi(argv[1]), argv[2]);
    while (fd >= 0 && total < wanted) {
        ssize_t got = recv(fd, bytes, sizeof bytes - 1, 0);
        if (got <= 0)
            break;
        if (total == 0) {
            /* The head comes in one piece. */
            bytes[got] = '\0';
            const char *end = strstr(bytes, "\r\n\r\n"),
                       *length = strcasestr(bytes, "content-length:");
            if (strncmp(bytes, "HTTP/1.1 200", 12) != 0 || !end || !length)
                break;
            wanted = end + 4 - bytes + atoll(length + sizeof "content-length:" - 1);
        }
        total += got;
    }
    if (total != wanted) {
        fprintf(stderr, "fileload: %" PRId64 " bytes came\n", total);
        return 1;
    }
    printf("{\"bytes\":%" PRId64 ",\"seconds\":%.6f}\n", total,
           (double)(clock_mono_ns() - start) / 1e9);
    return 0;
}
