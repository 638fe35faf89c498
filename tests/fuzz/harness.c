#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "library_stub.h"
#include "room.h"

enum {
    REST_STEPS = 12,     /* turns of the loop without a byte heard: it is at rest */
    STEPS_MAX = 200000,  /* of one test case without coming to rest: it never will */
    HEARD_MAX = 1 << 20, /* kept of what the client heard */
    LEAVE_SECONDS = 400, /* for a connection whose client is gone to be forgotten */
};

struct harness {
    struct catalog *writer;
    struct server *server;
    int fd;           /* the client's end; -1: none */
    uint32_t clients; /* that there were */
    bool hung_up;
    struct buf heard;
    size_t sockets; /* open when there is no client */
};

/* The clock that the whole process reads, lws too: how far it was moved on. It has to be global, as
 * the function that it is read with has no argument for it. */
static int64_t clock_ahead_s;

/* Stands before the C library's: whoever asks for the time since some point gets it moved on. */
int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, clock, out);
    if (clock == CLOCK_MONOTONIC)
        out->tv_sec += clock_ahead_s;
    return result;
}

/* Stands before lws's (linker option --wrap). libuv's loop cannot be run turn by turn: as where its
 * plugin is not installed. */
struct lws_context *__real_lws_create_context(const struct lws_context_creation_info *info);
struct lws_context *__wrap_lws_create_context(const struct lws_context_creation_info *info);
struct lws_context *__wrap_lws_create_context(const struct lws_context_creation_info *info)
{
    return info->options & LWS_SERVER_OPTION_LIBUV ? NULL : __real_lws_create_context(info);
}

static void insist(bool holds, const char *rule)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", rule);
    abort();
}

/* Of the server, as of the client, there is a socket each a connection, and one that listens. */
static size_t open_sockets(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct stat about;
        count += fstatat(dirfd(dir), entry->d_name, &about, 0) == 0 && S_ISSOCK(about.st_mode);
    }
    if (dir)
        closedir(dir);
    return count;
}

/* ---- the loop ------------------------------------------------------------------------------ */

/* Takes what there is to hear; false: nothing. */
static bool hear(struct harness *harness)
{
    char bytes[16384];
    if (harness->fd < 0 || harness->hung_up)
        return false;
    ssize_t got = recv(harness->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0)
        harness->hung_up = true;
    else if (harness->heard.len + (size_t)got <= HEARD_MAX)
        buf_append(&harness->heard, bytes, (size_t)got);
    return true;
}

static void turn(struct harness *harness)
{
    insist(lws_service(harness->server->context, -1) >= 0, "the loop goes on");
}

static void come_to_rest(struct harness *harness)
{
    size_t steps = 0;
    for (int quiet = 0; quiet < REST_STEPS; quiet++) {
        turn(harness);
        if (hear(harness))
            quiet = -1;
        insist(++steps < STEPS_MAX, "it comes to rest");
    }
}

/* A backup is made by a thread, whose time cannot be moved on: it is waited for. */
static void await_backup(struct harness *harness)
{
    const struct backup *backup = &harness->server->backup;
    while (backup->copy && !catalog_backup_over(backup->copy)) {
        struct pollfd wake = {.fd = harness->server->wake_fd, .events = POLLIN};
        insist(poll(&wake, 1, -1) == 1 || errno == EINTR, "a backup comes to its end");
        turn(harness);
    }
    come_to_rest(harness);
}

/* ---- opening -------------------------------------------------------------------------------- */

static void make_records(struct catalog *catalog)
{
    char path[] = "/films/one.mp4";
    struct video video = {.path = path, .stamp = {.size = 1000, .mtime_ns = 1}};
    struct job job = {
        .id = STUB_ENDED, .path = path, .status = JOB_COMPLETE, .phase = PHASE_FINISHED};
    enum outcome outcome;
    bool ok = catalog_begin(catalog) == RL_OK && catalog_job_insert(catalog, &job) == RL_OK &&
              catalog_video_put(catalog, &video, job.number, &outcome) == RL_OK &&
              catalog_commit(catalog) == RL_OK;
    insist(ok, "the catalogue takes a job and a video");
}

static void write_page(const char *dir)
{
    char path[128];
    snprintf(path, sizeof path, "%s/index.html", dir);
    FILE *page = fopen(path, "w");
    insist(page && fputs("<!doctype html>\n", page) >= 0 && fclose(page) == 0, "a page to serve");
}

/* Its files go with the process; a handler at exit has no argument for where they are. */
static char files[] = "/tmp/reeld-fuzz-XXXXXX";

static void remove_files(void)
{
    DIR *dir = opendir(files);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0); /* "." and ".." stay */
    if (dir)
        closedir(dir);
    rmdir(files);
}

struct harness *harness_open(void)
{
    struct harness *harness = calloc(1, sizeof *harness);
    static char path[128]; /* the server keeps it */
    char why[CATALOG_WHY_SIZE] = "";
    struct catalog *reader = NULL;
    insist(harness && mkdtemp(files) && atexit(remove_files) == 0, "a directory");
    write_page(files);
    snprintf(path, sizeof path, "%s/catalog.db", files);
    log_set_level(LOG_LEVEL_ERROR);
    static const char *const none[] = {NULL}, *const hosts[] = {"h", NULL};
    struct server_config config = {.listen = "127.0.0.1",
                                   .database = path,
                                   .data = files,
                                   .web = files,
                                   .hosts = hosts,
                                   .roots = none,
                                   .heartbeat_ms = 3600 * 1000,
                                   .ping_s = 3600,
                                   .ring_bytes = 1 << 20,
                                   .max_clients = 10};
    bool ok = catalog_open(path, CATALOG_WRITER, &harness->writer, why) == RL_OK;
    if (ok)
        make_records(harness->writer);
    ok = ok && catalog_open(path, CATALOG_READER, &reader, why) == RL_OK &&
         server_open(&config, reader, &harness->server, why) == RL_OK;
    if (!ok)
        fprintf(stderr, "%s\n", why);
    insist(ok, "the server opens");
    struct library *library = library_stub_new(harness->writer, harness->server);
    insist(library != NULL, "a library");
    server_attach(harness->server, library);
    harness->fd = -1;
    come_to_rest(harness);
    harness->sockets = open_sockets();
    return harness;
}

/* ---- a client ------------------------------------------------------------------------------- */

/* A closed connection keeps its two addresses for a minute: with one address of its own for each
 * client their ports do not run out. All of 127.0.0.0/8 is this machine. */
static bool bind_client(struct harness *harness)
{
    in_addr_t host = 0x7f010000 + ++harness->clients % 0xfe0000;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(host)}};
    return bind(harness->fd, (const struct sockaddr *)&address, (socklen_t)sizeof address) == 0;
}

/* A timer of libFuzzer may interrupt it: then it goes on by itself. */
static bool connect_client(int fd, const struct sockaddr_in *address)
{
    if (connect(fd, (const struct sockaddr *)address, (socklen_t)sizeof *address) == 0)
        return true;
    struct pollfd socket = {.fd = fd, .events = POLLOUT};
    int error = errno;
    socklen_t size = sizeof error;
    while (error == EINTR) {
        if (poll(&socket, 1, -1) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
            break;
    }
    if (error)
        fprintf(stderr, "connect: %s\n", strerror(error));
    return error == 0;
}

void harness_connect(struct harness *harness)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server_port(harness->server)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    harness->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    insist(harness->fd >= 0 && bind_client(harness), "there is an address for a client");
    bool connected = connect_client(harness->fd, &address);
    /* What is sent is to be there at once, also behind what has not been acknowledged. */
    int yes = 1;
    int direct = setsockopt(harness->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    insist(connected && direct == 0, "it lets a client in");
    harness->hung_up = false;
    buf_clear(&harness->heard);
    come_to_rest(harness);
}

void harness_send(struct harness *harness, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0 && !harness->hung_up) {
        ssize_t sent = send(harness->fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            break; /* hung up; what it said before is still to be heard */
        size_t before = len;
        if (sent > 0) {
            at += sent;
            len -= (size_t)sent;
        }
        come_to_rest(harness);
        if (len == before)
            break; /* it does not read on */
    }
    come_to_rest(harness);
}

void harness_send_pieces(struct harness *harness, const uint8_t *bytes, size_t len)
{
    const uint8_t *end = bytes + len;
    for (const uint8_t *at = bytes, *stop; at < end; at = stop + 1) {
        stop = memchr(at, HARNESS_SPLIT, (size_t)(end - at));
        if (!stop)
            stop = end;
        harness_send(harness, at, (size_t)(stop - at));
    }
}

void harness_say(struct harness *harness)
{
    enum { NOBODY = 0 }; /* no request has that ticket */
    insist(library_scan(harness->server->library, NOBODY, NULL) == RL_OK, "a scan is queued");
    come_to_rest(harness);
}

void harness_wait(struct harness *harness, int seconds)
{
    for (; seconds > 0 && !harness->hung_up && harness->server->n_exchanges > 0; seconds--) {
        clock_ahead_s++;
        await_backup(harness);
    }
}

bool harness_fits(const char *target, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += target[i] == '&' || target[i] == ';';
    return count <= HARNESS_SEPARATORS;
}

bool harness_hung_up(const struct harness *harness)
{
    return harness->hung_up;
}

const struct buf *harness_heard(const struct harness *harness)
{
    return &harness->heard;
}

void harness_leave(struct harness *harness)
{
    struct server *server = harness->server;
    close(harness->fd);
    harness->fd = -1;
    come_to_rest(harness);
    bool known = true;
    for (int second = 0; known; second++) {
        insist(second < LEAVE_SECONDS, "who is gone is forgotten");
        known = server->n_exchanges || server->channel.count || open_sockets() > harness->sockets;
        if (known) {
            clock_ahead_s++;
            come_to_rest(harness);
        }
    }
}
