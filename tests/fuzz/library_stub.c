#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library_stub.h"

struct library {
    struct catalog *catalog;
    struct server *server;
    struct queue *messages;
    int64_t sequence;
};

struct library *library_stub_new(struct catalog *catalog, struct server *server)
{
    struct library *library = calloc(1, sizeof *library);
    if (!library)
        return NULL;
    *library = (struct library){.catalog = catalog, .server = server};
    library->messages = queue_new(server_wake, server);
    return library;
}

void library_stop(struct library *library)
{
    if (!library)
        return;
    for (struct library_message *message = library_take(library), *next; message; message = next) {
        next = library_next(message);
        library_message_free(message);
    }
    queue_free(library->messages);
    free(library);
}

static struct job job_of(const char *id, enum job_status status)
{
    static char path[] = "/films";
    struct job job = {
        .path = path, .status = status, .number = 1, .submitted_at_ms = 1, .started_at_ms = 1};
    job.phase = status == JOB_RUNNING ? PHASE_COUNTING : PHASE_FINISHED;
    snprintf(job.id, sizeof job.id, "%s", id);
    return job;
}

static enum rl_err push(struct library *library, struct library_message *message)
{
    queue_push(library->messages, &message->node);
    return RL_OK;
}

static enum rl_err reply(struct library *library, uint64_t ticket, enum rl_err err)
{
    struct library_message *message = calloc(1, sizeof *message);
    if (!message)
        return RL_ENOMEM;
    message->ticket = ticket;
    message->err = err;
    snprintf(message->job_id, sizeof message->job_id, "%s", STUB_ENDED);
    return push(library, message);
}

static void say(struct library *library, enum job_status status)
{
    struct event_source source = {.catalog_id = catalog_id(library->catalog),
                                  .sequence = ++library->sequence};
    struct job job = job_of(STUB_ENDED, status);
    struct library_message *message = calloc(1, sizeof *message);
    if (!message)
        return;
    message->event = event_job(&source, &job);
    push(library, message);
}

enum rl_err library_scan(struct library *library, uint64_t ticket,
                         const struct scan_request *request)
{
    (void)request;
    say(library, JOB_PENDING);
    enum rl_err err = reply(library, ticket, RL_OK);
    say(library, JOB_COMPLETE);
    return err;
}

enum rl_err library_cancel(struct library *library, uint64_t ticket, const char *job_id)
{
    return reply(library, ticket, strcmp(job_id, STUB_RUNNING) == 0 ? RL_OK : RL_ENOTFOUND);
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
    (void)video_id;
    (void)correlation_id;
    return reply(library, ticket, RL_ENOTFOUND);
}

enum rl_err library_purge(struct library *library, uint64_t ticket, int64_t before_ms,
                          const char *correlation_id)
{
    (void)before_ms;
    (void)correlation_id;
    return reply(library, ticket, RL_OK);
}

enum rl_err library_picture(struct library *library, uint64_t ticket, const char *video_id,
                            const struct picture_wish *wish)
{
    (void)video_id;
    (void)wish;
    return reply(library, ticket, RL_ENOTFOUND);
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
    (void)correlation_id;
    enum rl_err right = strcmp(token, STUB_RUNNING) == 0 ? RL_OK : RL_ECONFLICT;
    return reply(library, ticket, number == 1 ? right : RL_ENOTFOUND);
}

enum rl_err library_root_add(struct library *library, uint64_t ticket, const char *path,
                             enum watch_mode mode, int64_t poll_ms)
{
    (void)path;
    (void)mode;
    (void)poll_ms;
    return reply(library, ticket, RL_EEXIST);
}

enum rl_err library_root_delete(struct library *library, uint64_t ticket, int64_t number)
{
    return reply(library, ticket, number == 1 ? RL_OK : RL_ENOTFOUND);
}

enum rl_err library_roots(struct library *library, struct root_states *out)
{
    (void)library;
    struct root_state *state = calloc(1, sizeof *state);
    if (!state)
        return RL_ENOMEM;
    state->root = (struct root){
        .number = 1, .path = strdup("/films"), .offline_since_ms = 1, .reason = "many"};
    state->refusal =
        (struct job_refusal){.root = 1, .count = 12, .reason = "many", .token = STUB_RUNNING};
    *out = (struct root_states){.states = state, .count = 1};
    return state->root.path ? RL_OK : RL_ENOMEM;
}

void root_states_clear(struct root_states *states)
{
    for (size_t i = 0; i < states->count; i++)
        free(states->states[i].root.path);
    free(states->states);
    *states = (struct root_states){0};
}

enum rl_err library_explain(struct library *library, const char *path, struct path_explanation *out)
{
    (void)library;
    *out = (struct path_explanation){.at = strlen(path), .verdict = PATH_OUTSIDE};
    if (strncmp(path, "/films", 6) == 0)
        out->verdict = (enum path_verdict)(strlen(path) % (PATH_SETTLING + 1));
    if (out->verdict == PATH_IGNORED)
        out->rule_file = strdup(path);
    return RL_OK;
}

void path_explanation_clear(struct path_explanation *explanation)
{
    free(explanation->rule_file);
    explanation->rule_file = NULL;
}

uint64_t library_lost(const struct library *library)
{
    (void)library;
    return 0;
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
    if (message)
        event_unref(message->event);
    free(message);
}

enum rl_err library_job(struct library *library, const char *id, struct job *out)
{
    (void)library;
    struct job running = job_of(STUB_RUNNING, JOB_RUNNING);
    return strcmp(id, STUB_RUNNING) == 0 ? job_copy(out, &running) : RL_ENOTFOUND;
}

enum rl_err library_jobs(struct library *library, struct job_list *out)
{
    *out = (struct job_list){.jobs = calloc(1, sizeof *out->jobs), .count = 1};
    enum rl_err err = out->jobs ? library_job(library, STUB_RUNNING, out->jobs) : RL_ENOMEM;
    if (err)
        out->count = 0;
    return err;
}

void library_status(struct library *library, struct library_status *out)
{
    (void)library;
    *out = (struct library_status){.database_ok = true, .jobs_running = 1};
}

enum rl_err library_resolve(const struct library *library, const char *path, char **real)
{
    (void)library;
    if (*path != '/')
        return RL_EINVAL;
    if (strncmp(path, "/films", 6) != 0)
        return RL_ENOTFOUND;
    *real = strdup(path);
    return *real ? RL_OK : RL_ENOMEM;
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
