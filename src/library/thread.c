#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#define LOG_ROOM "library"
#include "accept.h"
#include "jobs.h"
#include "outbox.h"
#include "pause.h"
#include "pictures.h"
#include "purge.h"
#include "room.h"
#include "root_commands.h"
#include "scan.h"
#include "store.h"
#include "watch.h"

enum { POLL_FDS = 64 };

/* Thread: any. */
void thread_wake(void *arg)
{
    const struct library *library = arg;
    eventfd_write(library->command_fd, 1);
}

/* Indexing is background work: the page and its server come first. */
static void lower_priority(void)
{
    struct sched_param param = {0};
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &param);
    pthread_setname_np(pthread_self(), "reeld-job");
}

static void delete_video(struct library *library, const struct command *command)
{
    store_flush(library);
    struct video video = {0};
    enum rl_err err = store_begin(library);
    if (!err) {
        err = catalog_video_delete(library->catalog, command->id, &video);
        if (err == RL_ENOTFOUND)
            catalog_rollback(library->catalog);
        else if (!(err = store_check(library, err)))
            err = store_commit(library, 1);
    }
    if (!err) {
        struct event_source source =
            outbox_source(library, video.sequence, command->correlation_id);
        outbox_event(library, event_video(EVENT_VIDEO_REMOVED, &source, &video, NULL));
        pictures_gone(library, video.number, video.version);
    }
    outbox_reply(library, command->ticket, err, NULL, err == RL_ENOTFOUND ? NULL : library->why);
    video_clear(&video);
}

static void run_command(struct library *library, const struct command *command)
{
    switch (command->kind) {
    case COMMAND_SCAN:
        jobs_submit(library, command);
        break;
    case COMMAND_CANCEL:
        jobs_cancel(library, command);
        break;
    case COMMAND_PAUSE:
    case COMMAND_RESUME:
        pause_job(library, command);
        break;
    case COMMAND_VIDEO_DELETE:
        delete_video(library, command);
        break;
    case COMMAND_ACCEPT_MISSING:
        accept_missing(library, command);
        break;
    case COMMAND_PURGE:
        purge_ask(library, command);
        break;
    case COMMAND_PICTURE:
        pictures_ask(library, command);
        break;
    case COMMAND_ROOT_ADD:
        root_add(library, command);
        break;
    case COMMAND_ROOT_DELETE:
        root_delete(library, command);
        break;
    }
}

static void run_commands(struct library *library)
{
    struct queue_node *node = queue_take(library->commands);
    while (node) {
        struct command *command = QUEUE_ITEM(node, struct command, node);
        node = node->next;
        run_command(library, command);
        free(command);
    }
}

static int timeout_ms(const struct library *library)
{
    int64_t due = jobs_due(library), parked = work_parked_due(library);
    due = parked < due ? parked : due;
    if (library->running) {
        int64_t step = library->running->kind->due(library->running->work);
        due = step < due ? step : due;
    }
    if (library->accepting)
        due = clock_mono_ms();
    int64_t watch = watch_due(library);
    due = watch < due ? watch : due;
    int64_t purge = purge_due(library), pictures = pictures_due(library);
    due = purge < due ? purge : due;
    due = pictures < due ? pictures : due;
    int64_t left = due == INT64_MAX ? -1 : due - clock_mono_ms();
    if (due != INT64_MAX && left < 0)
        left = 0;
    int pool = pool_timeout_ms(library->pool);
    if (pool >= 0 && (left < 0 || pool < left))
        left = pool;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

static void wait_for_work(struct library *library)
{
    struct pollfd fds[1 + POLL_FDS] = {{.fd = library->command_fd, .events = POLLIN}};
    int count = pool_pollfds(library->pool, fds + 1, POLL_FDS);
    int watched = watch_pollfds(library, fds + 1 + count, POLL_FDS - count);
    int ready = poll(fds, (nfds_t)(count + watched) + 1, timeout_ms(library));
    watch_polled(library, fds + 1 + count, ready > 0 ? watched : 0);
    if (ready > 0 && fds[0].revents) {
        eventfd_t value;
        eventfd_read(library->command_fd, &value);
    }
}

void *thread_main(void *arg)
{
    struct library *library = arg;
    lower_priority();
    while (!atomic_load(&library->stopping)) {
        wait_for_work(library);
        pool_service(library->pool);
        work_tend_parked(library);
        pool_status(library->pool, &library->pool_now);
        snapshot_pool(&library->snapshot, &library->pool_now);
        watch_service(library);
        run_commands(library);
        accept_step(library);
        purge_step(library);
        pictures_step(library);
        jobs_run(library);
        if (library->running)
            library->running->kind->step(library->running->work);
    }
    jobs_put_back(library);
    pictures_commit(library);
    return NULL;
}
