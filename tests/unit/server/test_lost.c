/* An event that was lost: nobody who listens, by whichever transport, may believe that nothing is
 * missing. The server room as it is, with a library in whose place the test loses events. */
#include "../test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../../fuzz/library_stub.h"
#include "reeld/events.h"
#include "reeld/server.h"

enum { RING_BYTES = 1 << 20, SAID_MAX = 16384, SECONDS = 20 };

struct fixture {
    char dir[32];
    struct catalog *writer;
    struct server *server;
    pthread_t loop;
    int ws, sse, poll;
};

/* What the library's door says in the stub's place. */
static atomic_uint_fast64_t events_lost;
static atomic_bool say_too_much;

uint64_t __wrap_library_lost(const struct library *library);
uint64_t __wrap_library_lost(const struct library *library)
{
    (void)library;
    return atomic_load(&events_lost);
}

struct library_message *__real_library_take(struct library *library);
struct library_message *__wrap_library_take(struct library *library);
struct library_message *__wrap_library_take(struct library *library)
{
    if (!atomic_exchange(&say_too_much, false))
        return __real_library_take(library);
    struct library_message *message = calloc(1, sizeof *message);
    struct json_object *payload = json_object_new_object();
    char *text = malloc(RING_BYTES);
    assert_non_null(text);
    memset(text, 'x', RING_BYTES - 1);
    text[RING_BYTES - 1] = '\0';
    json_object_object_add(payload, "text", json_object_new_string(text));
    free(text);
    struct event_source source = {.catalog_id = "abc", .sequence = 1};
    assert_non_null(message);
    message->event = event_new(EVENT_VIDEO_ADDED, &source, NULL, payload);
    return message;
}

/* ---- clients -------------------------------------------------------------------------------- */

/* Reads until `word` was said, or, NULL, until the end. */
static void hear(int fd, const char *word, char said[SAID_MAX])
{
    size_t len = 0;
    for (;;) {
        said[len] = '\0';
        for (size_t i = 0; i < len; i++)
            said[i] = said[i] ? said[i] : '.'; /* frames are binary */
        if (word && strstr(said, word))
            return;
        ssize_t got = recv(fd, said + len, SAID_MAX - 1 - len, 0);
        if (got == 0 && !word)
            return;
        assert_true(got > 0);
        len += (size_t)got;
    }
}

static int ask(const struct server *server, const char *target, const char *more)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)server_port(server)),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct timeval patience = {.tv_sec = SECONDS};
    char request[512];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, (socklen_t)sizeof address), 0);
    int len =
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", target, more);
    assert_int_equal(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
    return fd;
}

static int ask_ws(const struct server *server, const char *target)
{
    return ask(server, target,
               "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
}

/* ---- the service ---------------------------------------------------------------------------- */

static void *run_loop(void *server)
{
    server_run(server);
    return NULL;
}

/* So that the catalogue has a sequence of 1. */
static void write_video(struct catalog *catalog)
{
    char path[] = "/films/one.mp4";
    struct video video = {.path = path, .stamp = {.size = 1000, .mtime_ns = 1}};
    enum outcome outcome;
    assert_int_equal(catalog_begin(catalog), RL_OK);
    assert_int_equal(catalog_video_put(catalog, &video, 1, &outcome), RL_OK);
    assert_int_equal(catalog_commit(catalog), RL_OK);
    assert_int_equal(video.sequence, 1);
}

static int set_up(void **state)
{
    static const char *const none[] = {NULL}, *const hosts[] = {"h", NULL};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    char path[64], why[CATALOG_WHY_SIZE], said[SAID_MAX];
    struct catalog *reader;
    assert_non_null(fixture);
    strcpy(fixture->dir, "/tmp/reeld-lost-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    snprintf(path, sizeof path, "%s/catalog.db", fixture->dir);
    assert_int_equal(catalog_open(path, CATALOG_WRITER, &fixture->writer, why), RL_OK);
    assert_int_equal(catalog_open(path, CATALOG_READER, &reader, why), RL_OK);
    const struct server_config config = {.listen = "127.0.0.1",
                                         .hosts = hosts,
                                         .roots = none,
                                         .heartbeat_ms = 3600 * 1000,
                                         .ping_s = 3600,
                                         .ring_bytes = RING_BYTES,
                                         .max_clients = 10};
    log_set_level(LOG_LEVEL_ERROR);
    atomic_store(&events_lost, 0);
    assert_int_equal(server_open(&config, reader, &fixture->server, why), RL_OK);
    server_attach(fixture->server, library_stub_new(fixture->writer, fixture->server));
    assert_int_equal(pthread_create(&fixture->loop, NULL, run_loop, fixture->server), 0);
    fixture->ws = ask_ws(fixture->server, "/ws");
    hear(fixture->ws, "HELLO", said);
    fixture->sse = ask(fixture->server, "/api/v1/events", "");
    hear(fixture->sse, "HELLO", said);
    fixture->poll = ask(fixture->server, "/api/v1/events?wait_s=60", "");
    /* It waits when it is counted. */
    for (bool waits = false; !waits;) {
        int fd = ask(fixture->server, "/metrics", "Connection: close\r\n");
        hear(fd, "reeld_http_waiting ", said);
        close(fd);
        waits = strstr(said, "reeld_channel_clients 3\n") != NULL;
    }
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[64];
    server_stop(fixture->server);
    pthread_join(fixture->loop, NULL);
    close(fixture->ws);
    close(fixture->sse);
    close(fixture->poll);
    server_close(fixture->server);
    catalog_close(fixture->writer);
    snprintf(command, sizeof command, "rm -r %s", fixture->dir);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static void assert_all_told(struct fixture *fixture)
{
    char said[SAID_MAX], target[64];
    hear(fixture->ws, "an event was lost", said);
    const char *frame = strstr(said, "\x88");
    assert_non_null(frame);
    assert_memory_equal(frame + 2, "\x03\xf3", 2); /* 1011 */
    hear(fixture->sse, NULL, said);
    hear(fixture->poll, "\"recovered\":false", said);
    /* Nor may one who comes back. */
    snprintf(target, sizeof target, "/ws?since=%s:0", catalog_id(fixture->writer));
    int back = ask_ws(fixture->server, target);
    hear(back, "\"recovered\":false", said);
    close(back);
    snprintf(target, sizeof target, "/ws?since=%s:1", catalog_id(fixture->writer));
    back = ask_ws(fixture->server, target);
    hear(back, "\"recovered\":true", said);
    close(back);
}

static void test_event_that_could_not_be_made(void **state)
{
    struct fixture *fixture = *state;
    write_video(fixture->writer);
    atomic_fetch_add(&events_lost, 1);
    server_wake(fixture->server);
    assert_all_told(fixture);
}

static void test_event_larger_than_the_ring_takes(void **state)
{
    struct fixture *fixture = *state;
    write_video(fixture->writer);
    atomic_store(&say_too_much, true);
    server_wake(fixture->server);
    assert_all_told(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_event_that_could_not_be_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_event_larger_than_the_ring_takes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
