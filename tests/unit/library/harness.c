#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "test.h"

#include "harness.h"
#include "tree.h"

static const char *const extensions[] = {"mp4", "mkv", "avi", "mov", "webm", "ts", "mts", NULL};

static void wake(void *arg)
{
    const struct harness *harness = arg;
    eventfd_write(harness->wake_fd, 1);
}

static void start(struct harness *harness, const struct library_config *wanted)
{
    struct library_config config = *wanted;
    if (!config.extensions)
        config.extensions = extensions;
    if (!config.worker_program)
        config.worker_program = WORKER;
    if (!config.workers)
        config.workers = 2;
    if (!config.file_timeout_ms)
        config.file_timeout_ms = 30000;
    config.wake = wake;
    config.wake_arg = harness;
    char path[512], why[CATALOG_WHY_SIZE];
    snprintf(path, sizeof path, "%s/catalog.db", harness->data);
    struct catalog *writer;
    assert_int_equal(catalog_open(path, CATALOG_WRITER, &writer, why), RL_OK);
    assert_int_equal(catalog_open(path, CATALOG_READER, &harness->reader, why), RL_OK);
    assert_int_equal(library_start(&config, writer, &harness->library), RL_OK);
}

void harness_start_in(struct harness *harness, char *data, const struct library_config *config)
{
    *harness = (struct harness){.data = data, .wake_fd = eventfd(0, EFD_CLOEXEC)};
    start(harness, config);
}

void harness_start(struct harness *harness, const struct library_config *config)
{
    harness_start_in(harness, tree_new(), config);
}

void harness_stop(struct harness *harness)
{
    library_stop(harness->library);
    harness->library = NULL;
    catalog_close(harness->reader);
    harness->reader = NULL;
}

void harness_restart(struct harness *harness, const struct library_config *config)
{
    if (harness->library)
        harness_stop(harness);
    start(harness, config);
}

void harness_end(struct harness *harness)
{
    if (harness->library)
        harness_stop(harness);
    for (size_t i = 0; i < harness->count; i++)
        library_message_free(harness->messages[i]);
    free(harness->messages);
    close(harness->wake_fd);
    tree_remove(harness->data);
}

bool harness_says(const struct library_message *message, const char *text)
{
    return memmem(message->event->json, message->event->json_len, text, strlen(text)) != NULL;
}

void harness_check_counts(const struct job *job)
{
    assert_int_equal(job->processed,
                     job->added + job->updated + job->moved + job->skipped + job->error_count);
    if (job->status == JOB_COMPLETE)
        assert_int_equal(job->processed, job->total);
    else
        assert_true(job->processed <= job->total);
    if (job->error_count <= JOB_RESULT_ERRORS_MAX)
        assert_int_equal(job->n_failures, job->error_count);
}

void harness_job(struct harness *harness, const char *id, struct job *out)
{
    assert_int_equal(catalog_job_get(harness->reader, id, out), RL_OK);
}

/* What an event says must be there to be found when it comes. */
static void check_event(struct harness *harness, const struct event *event)
{
    int64_t sequence;
    assert_int_equal(catalog_sequence(harness->reader, &sequence), RL_OK);
    assert_true(event->sequence <= sequence);
    if (event->type == EVENT_VIDEO_ADDED || event->type == EVENT_VIDEO_UPDATED) {
        const char *id = memmem(event->json, event->json_len, "\"id\":\"", 6);
        assert_non_null(id);
        char text[ID_TEXT_SIZE];
        snprintf(text, sizeof text, "%.36s", id + 6);
        struct video video;
        assert_int_equal(catalog_video_get(harness->reader, text, &video), RL_OK);
        video_clear(&video);
    }
    if (event->terminal && harness->unwritable) {
        struct job job;
        assert_int_equal(library_job(harness->library, event->job_id, &job), RL_OK);
        assert_true(job_status_terminal(job.status));
        job_clear(&job);
    } else if (event->terminal) {
        struct job job;
        assert_int_equal(library_job(harness->library, event->job_id, &job), RL_ENOTFOUND);
        harness_job(harness, event->job_id, &job);
        assert_true(job_status_terminal(job.status));
        harness_check_counts(&job);
        job_clear(&job);
    }
}

/* Takes what is waiting, or waits for more. Workers run only where nothing else wants to: beside a
 * build a few files can take minutes. */
enum { WAIT_MS = 240000 };

static void take(struct harness *harness)
{
    struct pollfd fd = {.fd = harness->wake_fd, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
    eventfd_t value;
    eventfd_read(harness->wake_fd, &value);
    struct library_message *message = library_take(harness->library);
    while (message) {
        struct library_message *next = library_next(message);
        if (harness->count == harness->cap) {
            harness->cap = harness->cap ? harness->cap * 2 : 256;
            harness->messages =
                realloc(harness->messages, harness->cap * sizeof *harness->messages);
            assert_non_null(harness->messages);
        }
        harness->messages[harness->count++] = message;
        if (message->event)
            check_event(harness, message->event);
        message = next;
    }
}

const struct library_message *harness_reply(struct harness *harness, uint64_t ticket)
{
    for (size_t i = 0;; i++) {
        while (i >= harness->count)
            take(harness);
        if (!harness->messages[i]->event && harness->messages[i]->ticket == ticket)
            return harness->messages[i];
    }
}

const struct library_message *harness_event(struct harness *harness, size_t from,
                                            enum event_type type, const char *job_id)
{
    for (size_t i = from;; i++) {
        while (i >= harness->count)
            take(harness);
        const struct event *event = harness->messages[i]->event;
        if (event && event->type == type && (!job_id || strcmp(event->job_id, job_id) == 0))
            return harness->messages[i];
    }
}

static double number_after(const struct event *event, const char *key)
{
    const char *at = memmem(event->json, event->json_len, key, strlen(key));
    return at ? strtod(at + strlen(key), NULL) : -1;
}

const struct library_message *harness_terminal(struct harness *harness, const char *job_id)
{
    double progress = -1, processed = 0;
    for (size_t i = 0;; i++) {
        while (i >= harness->count)
            take(harness);
        const struct event *event = harness->messages[i]->event;
        if (!event || strcmp(event->job_id, job_id) != 0)
            continue;
        if (event->terminal)
            return harness->messages[i];
        if (event->type == EVENT_SCAN_STARTED)
            processed = 0; /* it may have been taken up again */
        if (event->type != EVENT_SCAN_PROGRESS)
            continue;
        double now = number_after(event, "\"progress\":");
        assert_true(now >= progress || !memmem(event->json, event->json_len, "\"progress\":0",
                                               strlen("\"progress\":0")));
        progress = now > progress ? now : progress;
        double files = number_after(event, "\"processed\":");
        assert_true(files >= processed);
        processed = files;
    }
}

const char *harness_scan_with(struct harness *harness, const struct scan_request *request)
{
    uint64_t ticket = ++harness->ticket;
    assert_int_equal(library_scan(harness->library, ticket, request), RL_OK);
    const struct library_message *reply = harness_reply(harness, ticket);
    assert_int_equal(reply->err, RL_OK);
    return reply->job_id;
}

const char *harness_scan(struct harness *harness, const char *path)
{
    struct scan_request request = {
        .path = path, .recursive = true, .timeout_ms = -1, .correlation_id = "test"};
    return harness_scan_with(harness, &request);
}

void harness_scan_all(struct harness *harness, const char *path, struct job *out)
{
    const char *id = harness_scan(harness, path);
    harness_terminal(harness, id);
    harness_job(harness, id, out);
}
