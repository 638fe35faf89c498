#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attacks.h"
#include "reeld/vocabulary.h"
#include "worker/wire.h"

static void say(const void *message, size_t size)
{
    send(WIRE_FD, message, size, MSG_NOSIGNAL);
}

/* The worker must not go on to give its proper answer: whoever reads it must decide by this. */
static enum attack_outcome wait_for_end(void)
{
    for (;;)
        sleep(60);
    return ATTACK_CONTAINED;
}

static struct wire_probed plausible(uint64_t number)
{
    return (struct wire_probed){
        .header = {.version = WIRE_VERSION, .kind = WIRE_PROBED, .number = number},
        .code = FAILURE_NOT_MEDIA,
    };
}

enum attack_outcome attack_reply_empty(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    say("", 0);
    return wait_for_end();
}

enum attack_outcome attack_reply_short(int fd, uint64_t number)
{
    (void)fd;
    struct wire_probed reply = plausible(number);
    say(&reply, sizeof reply - 1);
    return wait_for_end();
}

enum attack_outcome attack_reply_noise(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    unsigned char noise[4096];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)(i * 131 + 7);
    say(noise, sizeof noise);
    return wait_for_end();
}

enum attack_outcome attack_reply_oversize(int fd, uint64_t number)
{
    (void)fd;
    struct wire_probed reply = plausible(number);
    char *message = calloc(1, WIRE_REPLY_MAX + 1);
    if (!message)
        return ATTACK_NO_MEMORY;
    memcpy(message, &reply, sizeof reply);
    say(message, WIRE_REPLY_MAX + 1);
    free(message);
    return wait_for_end();
}

enum attack_outcome attack_reply_number(int fd, uint64_t number)
{
    (void)fd;
    struct wire_probed reply = plausible(number + 1000000);
    say(&reply, sizeof reply);
    return wait_for_end();
}

enum attack_outcome attack_reply_code(int fd, uint64_t number)
{
    (void)fd;
    struct wire_probed reply = plausible(number);
    reply.code = 4711;
    say(&reply, sizeof reply);
    return wait_for_end();
}

enum attack_outcome attack_reply_counts(int fd, uint64_t number)
{
    (void)fd;
    struct wire_probed reply = plausible(number);
    reply.code = FAILURE_NONE;
    reply.n_streams = UINT32_MAX;
    reply.summary.stream_count = UINT32_MAX;
    say(&reply, sizeof reply);
    return wait_for_end();
}

enum attack_outcome attack_reply_text(int fd, uint64_t number)
{
    (void)fd;
    struct wire_probed reply = plausible(number);
    memset(reply.error, 'x', sizeof reply.error);
    say(&reply, sizeof reply);
    return wait_for_end();
}

enum attack_outcome attack_reply_twice(int fd, uint64_t number)
{
    (void)fd;
    struct wire_probed reply = plausible(number);
    say(&reply, sizeof reply);
    say(&reply, sizeof reply);
    return wait_for_end();
}

enum attack_outcome attack_reply_flood(int fd, uint64_t number)
{
    (void)fd;
    struct wire_probed reply = plausible(number);
    for (;;)
        say(&reply, sizeof reply);
    return ATTACK_CONTAINED;
}

enum attack_outcome attack_reply_hello(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    struct wire_hello hello = {
        .header = {.version = WIRE_VERSION, .kind = WIRE_HELLO},
        .layout = WIRE_LAYOUT,
        .sandbox = WIRE_SANDBOX_FULL,
    };
    say(&hello, sizeof hello);
    return wait_for_end();
}

enum attack_outcome attack_reply_descriptor(int fd, uint64_t number)
{
    struct wire_probed reply = plausible(number);
    struct iovec part = {.iov_base = &reply, .iov_len = sizeof reply};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    sendmsg(WIRE_FD, &message, MSG_NOSIGNAL);
    return wait_for_end();
}
