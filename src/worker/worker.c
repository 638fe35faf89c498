#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "worker.h"

struct options {
    long parent;
    uint64_t memory;
};

struct job {
    struct wire_request request;
    int fd;
};

/* Requests that were received and have no answer yet, oldest first. */
struct jobs {
    struct job held[WIRE_HELD_MAX];
    int count;
};

/* ---- arguments ----------------------------------------------------------------------------- */

static bool number_parse(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *out = value;
    return errno == 0 && end != text && *end == '\0' && text[0] != '-';
}

static bool options_parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"parent", required_argument, NULL, 'p'},
        {"memory", required_argument, NULL, 'm'},
        {NULL, 0, NULL, 0},
    };
    int option;
    uint64_t parent = 0;
    bool good = true;
    while (good && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'p')
            good = number_parse(optarg, &parent) && parent <= INT32_MAX;
        else if (option == 'm')
            good = number_parse(optarg, &options->memory);
        else
            good = false;
    }
    options->parent = (long)parent;
    if (good && parent > 0 && optind == argc)
        return true;
    fprintf(stderr, "reeld-worker is started by reeld, not by hand\n");
    return false;
}

/* ---- the channel --------------------------------------------------------------------------- */

static bool message_send(const void *message, size_t size)
{
    /* A large message needs memory of the kernel in one piece, which may take it a moment. */
    for (int tries = 0; tries < 100; tries++) {
        if (send(WIRE_FD, message, size, MSG_NOSIGNAL) == (ssize_t)size)
            return true;
        if (errno != EINTR && errno != ENOBUFS && errno != ENOMEM)
            return false;
        if (errno != EINTR)
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

static bool hello_send(enum sandbox_state state, const char *version, const char *words)
{
    static const enum wire_sandbox states[] = {
        [SANDBOX_FULL] = WIRE_SANDBOX_FULL,
        [SANDBOX_NO_LANDLOCK] = WIRE_SANDBOX_NO_LANDLOCK,
        [SANDBOX_FAILED] = WIRE_SANDBOX_FAILED,
    };
    struct wire_hello hello = {
        .header = {.version = WIRE_VERSION, .kind = WIRE_HELLO},
        .layout = WIRE_LAYOUT,
        .sandbox = states[state],
    };
    snprintf(hello.version, sizeof hello.version, "%s", version);
    snprintf(hello.words, sizeof hello.words, "%s", words);
    return message_send(&hello, sizeof hello);
}

/* A request that is one, as far as the message goes. */
static bool request_good(const struct wire_request *request, ssize_t got)
{
    return got == sizeof *request && request->header.version == WIRE_VERSION &&
           (request->header.kind == WIRE_PROBE || request->header.kind == WIRE_PICTURE) &&
           memchr(request->name_hint, '\0', sizeof request->name_hint) != NULL;
}

enum received { RECEIVED_JOB, RECEIVED_NOTHING, RECEIVED_END, RECEIVED_NONSENSE };

/* Takes the next request; waits for one unless `flags` say MSG_DONTWAIT. */
static enum received job_receive(struct job *job, int flags)
{
    struct iovec part = {.iov_base = &job->request, .iov_len = sizeof job->request};
    union { /* aligned for the header */
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    job->fd = -1;
    ssize_t got;
    do
        got = recvmsg(WIRE_FD, &message, MSG_CMSG_CLOEXEC | flags);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return RECEIVED_NOTHING;
    if (got == 0)
        return RECEIVED_END;
    const struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof job->fd))
        memcpy(&job->fd, CMSG_DATA(header), sizeof job->fd);
    return job->fd >= 0 && request_good(&job->request, got) ? RECEIVED_JOB : RECEIVED_NONSENSE;
}

/* Takes all requests that are there; waits when there is none at hand. */
static enum received jobs_receive(struct jobs *jobs)
{
    enum received received = RECEIVED_JOB;
    while (received == RECEIVED_JOB && jobs->count < WIRE_HELD_MAX) {
        received = job_receive(&jobs->held[jobs->count], jobs->count > 0 ? MSG_DONTWAIT : 0);
        jobs->count += received == RECEIVED_JOB;
    }
    return received;
}

/* Puts an answer together in `out` (WIRE_REPLY_MAX bytes); returns its size. */
static size_t answer_write(char *out, uint64_t number, enum failure_code code, const char *error,
                           const struct media_info *info)
{
    struct wire_probed probed = {
        .header = {.version = WIRE_VERSION, .kind = WIRE_PROBED, .number = number},
        .code = (int32_t)code,
        .summary = info->summary,
    };
    snprintf(probed.error, sizeof probed.error, "%s", error);
    size_t size = sizeof probed;
    if (code == FAILURE_NONE) {
        probed.n_streams =
            info->n_streams < MEDIA_STREAMS_MAX ? info->n_streams : MEDIA_STREAMS_MAX;
        probed.n_chapters =
            info->n_chapters < MEDIA_CHAPTERS_MAX ? info->n_chapters : MEDIA_CHAPTERS_MAX;
        size_t streams = probed.n_streams * sizeof *info->streams;
        size_t chapters = probed.n_chapters * sizeof *info->chapters;
        if (streams)
            memcpy(out + size, info->streams, streams);
        if (chapters)
            memcpy(out + size + streams, info->chapters, chapters);
        size += streams + chapters;
    }
    memcpy(out, &probed, sizeof probed);
    return size;
}

static bool probe_serve(const struct worker_parts *parts, const struct job *job, char *reply)
{
    struct media_info info = {0};
    char error[MEDIA_ERROR_SIZE] = "";
    enum failure_code failure = parts->probe(&job->request, job->fd, &info, error);
    close(job->fd);
    size_t size = answer_write(reply, job->request.header.number, failure, error, &info);
    media_info_clear(&info);
    return message_send(reply, size);
}

/* Sends `head` and behind it the next bytes of the picture; `*sent` says how many went before. */
static bool piece_send(char *reply, const void *head, size_t head_size,
                       const struct picture *picture, size_t *sent)
{
    size_t size = picture->len - *sent < WIRE_PIECE_MAX ? picture->len - *sent : WIRE_PIECE_MAX;
    memcpy(reply, head, head_size);
    if (size)
        memcpy(reply + head_size, picture->bytes + *sent, size);
    *sent += size;
    return message_send(reply, head_size + size);
}

static bool picture_send(char *reply, uint64_t number, enum failure_code code, const char *error,
                         const struct picture *picture)
{
    struct wire_pictured pictured = {
        .header = {.version = WIRE_VERSION, .kind = WIRE_PICTURED, .number = number},
        .code = (int32_t)code,
        .size = (uint32_t)picture->len,
        .width = picture->width,
        .height = picture->height,
        .columns = picture->columns,
        .rows = picture->rows,
        .tile_width = picture->tile_width,
        .tile_height = picture->tile_height,
        .n_tiles = picture->n_tiles,
        .duration_us = picture->duration_us,
    };
    const struct wire_piece piece = {
        .header = {.version = WIRE_VERSION, .kind = WIRE_PIECE, .number = number}};
    memcpy(pictured.tile_start_us, picture->tile_start_us, sizeof pictured.tile_start_us);
    snprintf(pictured.error, sizeof pictured.error, "%s", error);
    size_t sent = 0;
    bool good = piece_send(reply, &pictured, sizeof pictured, picture, &sent);
    while (good && sent < picture->len)
        good = piece_send(reply, &piece, sizeof piece, picture, &sent);
    return good;
}

static bool picture_serve(const struct worker_parts *parts, const struct job *job, char *reply)
{
    struct picture picture = {0};
    char error[MEDIA_ERROR_SIZE] = "";
    enum failure_code failure = parts->picture(&job->request, job->fd, &picture, error);
    close(job->fd);
    bool good = picture_send(reply, job->request.header.number, failure, error, &picture);
    picture_clear(&picture);
    return good;
}

static bool job_return(const struct job *job)
{
    const struct wire_returned returned = {.header = {.version = WIRE_VERSION,
                                                      .kind = WIRE_RETURNED,
                                                      .number = job->request.header.number}};
    close(job->fd);
    return message_send(&returned, sizeof returned);
}

/* Answers the oldest request, or gives it back when there is one with a better rank behind it. Each
 * closes its file before it says so: whoever hears that a job is over may unmount its disk. */
static bool job_serve(const struct worker_parts *parts, struct jobs *jobs, char *reply)
{
    struct job job = jobs->held[0];
    bool overtaken = false;
    for (int i = 1; i < jobs->count; i++)
        overtaken = overtaken || jobs->held[i].request.rank < job.request.rank;
    memmove(jobs->held, jobs->held + 1, (size_t)--jobs->count * sizeof *jobs->held);
    if (overtaken)
        return job_return(&job);
    if (job.request.header.kind == WIRE_PICTURE)
        return picture_serve(parts, &job, reply);
    return probe_serve(parts, &job, reply);
}

static enum wire_exit jobs_serve(const struct worker_parts *parts, char *reply)
{
    static struct jobs jobs;
    for (;;) {
        enum received received = jobs_receive(&jobs);
        if (received == RECEIVED_END) /* and nobody waits for what is at hand */
            return WIRE_EXIT_OK;
        if (received == RECEIVED_NONSENSE || !job_serve(parts, &jobs, reply))
            return WIRE_EXIT_PROTOCOL;
    }
}

/* ---- life ---------------------------------------------------------------------------------- */

/* False when the daemon is gone already: it may have died between our start and the prctl. */
static bool parent_follow(long parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && (long)getppid() == parent;
}

int worker_run(int argc, char **argv, const struct worker_parts *parts)
{
    struct options options = {0};
    if (!options_parse(argc, argv, &options))
        return WIRE_EXIT_USAGE;
    if (!parent_follow(options.parent))
        return WIRE_EXIT_OK;
    sandbox_yield_priority();
    char *reply = malloc(WIRE_REPLY_MAX); /* now: the limit on memory is for files */
    if (!reply)
        return WIRE_EXIT_PROTOCOL;
    parts->init();

    int code = WIRE_EXIT_SANDBOX;
    char words[SANDBOX_WORDS_SIZE];
    enum sandbox_state state = parts->confine(options.memory, WIRE_FD, words);
    bool greeted = hello_send(state, parts->version(), words);
    if (state == SANDBOX_FAILED)
        fprintf(stderr, "reeld-worker: it cannot confine itself and reads nothing: %s\n", words);
    else
        code = greeted ? (int)jobs_serve(parts, reply) : WIRE_EXIT_PROTOCOL;
    free(reply);
    return code;
}
