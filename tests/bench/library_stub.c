#include <json-c/json.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "library_stub.h"

enum { PAD_MAX = 65536 };

struct library {
    struct stub_config config;
    struct queue *messages;
    pthread_t thread;
    atomic_bool stop;
    atomic_uint_fast64_t lost;
    char pad[PAD_MAX]; /* of each event, so that it has the size that is asked */
};

/* ---- publishing ----------------------------------------------------------------------------- */

static struct event *make_event(struct library *library, uint64_t sequence)
{
    struct event_source source = {.catalog_id = library->config.catalog_id,
                                  .sequence = (int64_t)sequence};
    struct json_object *payload = json_object_new_object();
    if (!payload)
        return NULL;
    json_object_object_add(payload, "seq", json_object_new_int64((int64_t)sequence));
    json_object_object_add(payload, "ts", json_object_new_int64(clock_mono_ns()));
    json_object_object_add(payload, "pad", json_object_new_string(library->pad));
    return event_new(EVENT_VIDEO_ADDED, &source, NULL, payload);
}

static void publish(struct library *library)
{
    struct event *event = make_event(library, library->config.pace.published + 1);
    struct library_message *message = calloc(1, sizeof *message);
    library->config.pace.published++;
    if (!event || !message) {
        atomic_fetch_add(&library->lost, 1);
        event_unref(event);
        free(message);
        return;
    }
    message->event = event;
    queue_push(library->messages, &message->node);
}

static void *publish_all(void *arg)
{
    struct library *library = arg;
    struct pace *pace = &library->config.pace;
    while (!atomic_load(&library->stop)) {
        for (uint64_t due = pace_due(pace, clock_mono_ns()); due > 0; due--)
            publish(library);
        int64_t wait_ns = pace_wait_ns(pace, clock_mono_ns());
        nanosleep(&(struct timespec){.tv_nsec = wait_ns < 999999999 ? wait_ns : 999999999}, NULL);
    }
    return NULL;
}

/* As much of the padding as brings an event to the size that is asked. */
static bool measure_pad(struct library *library)
{
    struct event *bare = make_event(library, PACE_FIRST);
    if (!bare)
        return false;
    size_t pad =
        library->config.text_size > bare->json_len ? library->config.text_size - bare->json_len : 0;
    memset(library->pad, 'x', pad < PAD_MAX ? pad : PAD_MAX - 1);
    event_unref(bare);
    return true;
}

struct library *library_stub_start(const struct stub_config *config)
{
    struct library *library = calloc(1, sizeof *library);
    if (!library)
        return NULL;
    library->config = *config;
    library->messages = queue_new(config->wake, config->wake_arg);
    if (!library->messages || !measure_pad(library) ||
        pthread_create(&library->thread, NULL, publish_all, library) != 0) {
        queue_free(library->messages);
        free(library);
        return NULL;
    }
    return library;
}

/* ---- the library's door --------------------------------------------------------------------- */

void library_stop(struct library *library)
{
    if (!library)
        return;
    atomic_store(&library->stop, true);
    pthread_join(library->thread, NULL);
    struct library_message *message = library_take(library);
    while (message) {
        struct library_message *next = library_next(message);
        library_message_free(message);
        message = next;
    }
    queue_free(library->messages);
    free(library);
}

struct library_message *library_take(struct library *library)
{
    struct queue_node *node = queue_take(library->messages);
    return node ? QUEUE_ITEM(node, struct library_message, node) : NULL;
}

struct library_message *library_next(struct library_message *message)
{
    struct queue_node *node = message->node.next;
    return node ? QUEUE_ITEM(node, struct library_message, node) : NULL;
}

void library_message_free(struct library_message *message)
{
    if (!message)
        return;
    event_unref(message->event);
    free(message);
}

uint64_t library_lost(const struct library *library)
{
    return atomic_load(&library->lost);
}

enum rl_err library_scan(struct library *library, uint64_t ticket,
                         const struct scan_request *request)
{
    (void)library;
    (void)ticket;
    (void)request;
    return RL_ENOMEM; /* no reply will come */
}

enum rl_err library_cancel(struct library *library, uint64_t ticket, const char *job_id)
{
    (void)library;
    (void)ticket;
    (void)job_id;
    return RL_ENOMEM;
}

enum rl_err library_pause(struct library *library, uint64_t ticket, const char *job_id)
{
    return library_cancel(library, ticket, job_id);
}

enum rl_err library_resume(struct library *library, uint64_t ticket, const char *job_id)
{
    return library_cancel(library, ticket, job_id);
}

enum rl_err library_video_delete(struct library *library, uint64_t ticket, const char *video_id,
                                 const char *correlation_id)
{
    (void)library;
    (void)ticket;
    (void)video_id;
    (void)correlation_id;
    return RL_ENOMEM;
}

enum rl_err library_purge(struct library *library, uint64_t ticket, int64_t before_ms,
                          const char *correlation_id)
{
    (void)library;
    (void)ticket;
    (void)before_ms;
    (void)correlation_id;
    return RL_ENOMEM;
}

enum rl_err library_picture(struct library *library, uint64_t ticket, const char *video_id,
                            const struct picture_wish *wish)
{
    (void)library;
    (void)ticket;
    (void)video_id;
    (void)wish;
    return RL_EBUSY;
}

enum rl_err library_picture_open(const struct library *library, const struct picture_key *key,
                                 int *fd, int64_t *size)
{
    (void)library;
    (void)key;
    *fd = -1;
    *size = 0;
    return RL_ENOTFOUND;
}

enum rl_err library_accept_missing(struct library *library, uint64_t ticket, int64_t number,
                                   const char *token, const char *correlation_id)
{
    (void)library;
    (void)ticket;
    (void)number;
    (void)token;
    (void)correlation_id;
    return RL_ENOMEM;
}

enum rl_err library_root_add(struct library *library, uint64_t ticket, const char *path,
                             enum watch_mode mode, int64_t poll_ms)
{
    (void)library;
    (void)ticket;
    (void)path;
    (void)mode;
    (void)poll_ms;
    return RL_ENOMEM;
}

enum rl_err library_root_delete(struct library *library, uint64_t ticket, int64_t number)
{
    (void)library;
    (void)ticket;
    (void)number;
    return RL_ENOMEM;
}

enum rl_err library_roots(struct library *library, struct root_states *out)
{
    (void)library;
    *out = (struct root_states){0};
    return RL_OK;
}

void root_states_clear(struct root_states *states)
{
    *states = (struct root_states){0};
}

enum rl_err library_explain(struct library *library, const char *path, struct path_explanation *out)
{
    (void)library;
    *out = (struct path_explanation){.at = strlen(path), .verdict = PATH_OUTSIDE};
    return RL_OK;
}

void path_explanation_clear(struct path_explanation *explanation)
{
    *explanation = (struct path_explanation){0};
}

enum rl_err library_job(struct library *library, const char *id, struct job *out)
{
    (void)library;
    (void)id;
    (void)out;
    return RL_ENOTFOUND;
}

enum rl_err library_jobs(struct library *library, struct job_list *out)
{
    (void)library;
    *out = (struct job_list){0};
    return RL_OK;
}

void library_status(struct library *library, struct library_status *out)
{
    (void)library;
    *out = (struct library_status){.database_ok = true};
}

enum rl_err library_resolve(const struct library *library, const char *path, char **real)
{
    (void)library;
    (void)path;
    (void)real;
    return RL_ENOTFOUND;
}

enum path_verdict library_open_file(const char *const *roots, bool follow, const char *path,
                                    int *fd, int *error)
{
    (void)roots;
    (void)follow;
    (void)path;
    *fd = -1;
    *error = 0;
    return PATH_GONE;
}
