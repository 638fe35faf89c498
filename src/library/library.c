#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LOG_ROOM "library"
#include "accept.h"
#include "jobs.h"
#include "pictures.h"
#include "purge.h"
#include "room.h"
#include "root_table.h"
#include "scan.h"
#include "watch.h"

/* Signals are the main thread's business. */
static enum rl_err start_thread(struct library *library)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int error = pthread_create(&library->thread, NULL, thread_main, library);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error ? RL_ENOMEM : RL_OK;
}

static void task_done(void *ctx, struct pool_result *result)
{
    struct pool_task *task = result->tag;
    task->done(ctx, result);
}

static enum rl_err open_pool(struct library *library)
{
    const struct library_config *config = &library->config;
    struct pool_config pool = {.program = config->worker_program,
                               .workers = config->workers,
                               .deadline_ms = config->file_timeout_ms,
                               .memory_limit = config->worker_memory,
                               .test_mode = config->worker_test_mode,
                               .done = task_done,
                               .ctx = library};
    return pool_open(&pool, &library->pool);
}

static void free_commands(struct library *library)
{
    struct queue_node *node = queue_take(library->commands);
    while (node) {
        struct command *command = QUEUE_ITEM(node, struct command, node);
        node = node->next;
        free(command);
    }
}

static void free_messages(struct library *library)
{
    struct library_message *message = library_take(library);
    while (message) {
        struct library_message *next = library_next(message);
        library_message_free(message);
        message = next;
    }
}

/* Frees all but the catalogue. */
static void free_library(struct library *library)
{
    if (library->pool)
        pool_close(library->pool);
    if (library->commands)
        free_commands(library);
    if (library->messages)
        free_messages(library);
    queue_free(library->commands);
    queue_free(library->messages);
    jobs_free(library);
    accept_free(library);
    purge_free(library);
    pictures_free(library);
    watch_close(library);
    roots_free(library);
    snapshot_free(&library->snapshot);
    if (library->command_fd >= 0)
        close(library->command_fd);
    free(library);
}

enum rl_err library_start(const struct library_config *config, struct catalog *writer,
                          struct library **out)
{
    struct library *library = calloc(1, sizeof *library);
    if (!library)
        return RL_ENOMEM;
    library->config = *config;
    library->catalog = writer;
    atomic_init(&library->stopping, false);
    atomic_init(&library->lost, 0);
    snapshot_init(&library->snapshot);
    roots_init(library);
    library->command_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    library->commands = queue_new(thread_wake, library);
    library->messages = queue_new(config->wake, config->wake_arg);
    enum rl_err err = RL_OK;
    if (library->command_fd < 0 || !library->commands || !library->messages)
        err = RL_ENOMEM;
    if (!err)
        err = roots_load(library);
    if (!err)
        err = jobs_load(library);
    if (!err)
        err = pictures_open(library);
    if (!err)
        err = watch_open(library);
    if (!err)
        err = open_pool(library);
    if (!err)
        err = start_thread(library);
    if (err)
        free_library(library);
    else
        *out = library;
    return err;
}

void library_stop(struct library *library)
{
    if (!library)
        return;
    atomic_store(&library->stopping, true);
    thread_wake(library);
    pthread_join(library->thread, NULL);
    struct catalog *catalog = library->catalog;
    free_library(library);
    catalog_close(catalog);
}

static struct command *command_new(enum command_kind kind, uint64_t ticket, const char *path)
{
    size_t len = strlen(path) + 1;
    struct command *command = calloc(1, sizeof *command + len);
    if (command) {
        command->kind = kind;
        command->ticket = ticket;
        memcpy(command->path, path, len);
    }
    return command;
}

/* What is no id stays empty, and is found nowhere. */
static void take_id(struct command *command, const char *id)
{
    if (id_valid(id))
        snprintf(command->id, sizeof command->id, "%s", id);
}

enum rl_err library_scan(struct library *library, uint64_t ticket,
                         const struct scan_request *request)
{
    struct command *command = command_new(COMMAND_SCAN, ticket, request->path);
    if (!command)
        return RL_ENOMEM;
    command->recursive = request->recursive;
    command->retry_failed = request->retry_failed;
    command->dry_run = request->dry_run;
    command->timeout_ms = request->timeout_ms;
    snprintf(command->correlation_id, sizeof command->correlation_id, "%s",
             request->correlation_id ? request->correlation_id : "");
    queue_push(library->commands, &command->node);
    return RL_OK;
}

static enum rl_err ask_job(struct library *library, enum command_kind kind, uint64_t ticket,
                           const char *job_id)
{
    struct command *command = command_new(kind, ticket, "");
    if (!command)
        return RL_ENOMEM;
    take_id(command, job_id);
    queue_push(library->commands, &command->node);
    return RL_OK;
}

enum rl_err library_cancel(struct library *library, uint64_t ticket, const char *job_id)
{
    return ask_job(library, COMMAND_CANCEL, ticket, job_id);
}

enum rl_err library_pause(struct library *library, uint64_t ticket, const char *job_id)
{
    return ask_job(library, COMMAND_PAUSE, ticket, job_id);
}

enum rl_err library_resume(struct library *library, uint64_t ticket, const char *job_id)
{
    return ask_job(library, COMMAND_RESUME, ticket, job_id);
}

enum rl_err library_video_delete(struct library *library, uint64_t ticket, const char *video_id,
                                 const char *correlation_id)
{
    struct command *command = command_new(COMMAND_VIDEO_DELETE, ticket, "");
    if (!command)
        return RL_ENOMEM;
    take_id(command, video_id);
    snprintf(command->correlation_id, sizeof command->correlation_id, "%s",
             correlation_id ? correlation_id : "");
    queue_push(library->commands, &command->node);
    return RL_OK;
}

enum rl_err library_picture(struct library *library, uint64_t ticket, const char *video_id,
                            const struct picture_wish *wish)
{
    struct command *command = command_new(COMMAND_PICTURE, ticket, "");
    if (!command)
        return RL_ENOMEM;
    take_id(command, video_id);
    command->wish = *wish;
    queue_push(library->commands, &command->node);
    return RL_OK;
}

enum rl_err library_purge(struct library *library, uint64_t ticket, int64_t before_ms,
                          const char *correlation_id)
{
    struct command *command = command_new(COMMAND_PURGE, ticket, "");
    if (!command)
        return RL_ENOMEM;
    command->number = before_ms;
    snprintf(command->correlation_id, sizeof command->correlation_id, "%s",
             correlation_id ? correlation_id : "");
    queue_push(library->commands, &command->node);
    return RL_OK;
}

enum rl_err library_accept_missing(struct library *library, uint64_t ticket, int64_t number,
                                   const char *token, const char *correlation_id)
{
    struct command *command = command_new(COMMAND_ACCEPT_MISSING, ticket, "");
    if (!command)
        return RL_ENOMEM;
    command->number = number;
    take_id(command, token);
    snprintf(command->correlation_id, sizeof command->correlation_id, "%s",
             correlation_id ? correlation_id : "");
    queue_push(library->commands, &command->node);
    return RL_OK;
}

enum rl_err library_root_add(struct library *library, uint64_t ticket, const char *path,
                             enum watch_mode mode, int64_t poll_ms)
{
    struct command *command = command_new(COMMAND_ROOT_ADD, ticket, path);
    if (!command)
        return RL_ENOMEM;
    command->number = mode;
    command->timeout_ms = poll_ms;
    queue_push(library->commands, &command->node);
    return RL_OK;
}

enum rl_err library_root_delete(struct library *library, uint64_t ticket, int64_t number)
{
    struct command *command = command_new(COMMAND_ROOT_DELETE, ticket, "");
    if (!command)
        return RL_ENOMEM;
    command->number = number;
    queue_push(library->commands, &command->node);
    return RL_OK;
}
