#include "disk.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct line {
    struct disk_task *first, **end;
};

struct disk {
    void (*wake)(void *arg);
    void *wake_arg;
    pthread_mutex_t lock;
    pthread_cond_t asked, ended; /* on the monotonic clock */
    struct line waiting, done;
    int threads, idle, n_waiting;
    bool closing;
};

static void put(struct line *line, struct disk_task *task)
{
    task->next = NULL;
    *line->end = task;
    line->end = &task->next;
}

static struct disk_task *take_all(struct line *line)
{
    struct disk_task *first = line->first;
    line->first = NULL;
    line->end = &line->first;
    return first;
}

static struct disk_task *take(struct disk *disk)
{
    struct disk_task *task = disk->waiting.first;
    disk->waiting.first = task->next;
    if (!task->next)
        disk->waiting.end = &disk->waiting.first;
    disk->n_waiting--;
    return task;
}

static void *run(void *arg)
{
    struct disk *disk = arg;
    pthread_mutex_lock(&disk->lock);
    while (!disk->closing) {
        if (!disk->waiting.first) {
            disk->idle++;
            pthread_cond_wait(&disk->asked, &disk->lock);
            disk->idle--;
            continue;
        }
        struct disk_task *task = take(disk);
        pthread_mutex_unlock(&disk->lock);
        task->work(task);
        pthread_mutex_lock(&disk->lock);
        bool first = !disk->done.first;
        put(&disk->done, task);
        /* With the lock, so that nobody is woken who has closed meanwhile. */
        if (first && !disk->closing)
            disk->wake(disk->wake_arg);
    }
    disk->threads--;
    pthread_cond_signal(&disk->ended);
    pthread_mutex_unlock(&disk->lock);
    return NULL;
}

struct disk *disk_open(void (*wake)(void *arg), void *arg)
{
    struct disk *disk = calloc(1, sizeof *disk);
    if (!disk)
        return NULL;
    disk->wake = wake;
    disk->wake_arg = arg;
    disk->waiting.end = &disk->waiting.first;
    disk->done.end = &disk->done.first;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&disk->lock, NULL);
    pthread_cond_init(&disk->asked, NULL);
    pthread_cond_init(&disk->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return disk;
}

/* Detached: one that hangs must not be waited for. Signals are the main thread's. */
static bool start_thread(struct disk *disk)
{
    pthread_t thread;
    pthread_attr_t detached;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    bool started = pthread_create(&thread, &detached, run, disk) == 0;
    pthread_attr_destroy(&detached);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

enum rl_err disk_do(struct disk *disk, struct disk_task *task)
{
    enum rl_err err = RL_OK;
    pthread_mutex_lock(&disk->lock);
    if (disk->idle <= disk->n_waiting && disk->threads < DISK_THREADS && start_thread(disk))
        disk->threads++;
    if (disk->threads) {
        put(&disk->waiting, task);
        disk->n_waiting++;
        pthread_cond_signal(&disk->asked);
    } else {
        err = RL_ENOMEM;
    }
    pthread_mutex_unlock(&disk->lock);
    return err;
}

static void finish(struct disk_task *task)
{
    while (task) {
        struct disk_task *next = task->next;
        task->done(task);
        task = next;
    }
}

void disk_check(struct disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    struct disk_task *done = take_all(&disk->done);
    pthread_mutex_unlock(&disk->lock);
    finish(done);
}

void disk_close(struct disk *disk)
{
    if (!disk)
        return;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += DISK_CLOSE_MS / 1000;
    pthread_mutex_lock(&disk->lock);
    disk->closing = true;
    pthread_cond_broadcast(&disk->asked);
    while (disk->threads && pthread_cond_timedwait(&disk->ended, &disk->lock, &end) == 0)
        continue;
    bool over = disk->threads == 0;
    struct disk_task *done = take_all(&disk->done), *waiting = take_all(&disk->waiting);
    pthread_mutex_unlock(&disk->lock);
    finish(done);
    finish(waiting);
    if (!over)
        return;
    pthread_cond_destroy(&disk->asked);
    pthread_cond_destroy(&disk->ended);
    pthread_mutex_destroy(&disk->lock);
    free(disk);
}
