/* The inside of the library room. */
#ifndef REELD_LIBRARY_ROOM_H
#define REELD_LIBRARY_ROOM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "reeld/library.h"

#include "snapshot.h"

struct scan;
struct job_entry;
struct pictures;
struct accept;
struct purge;
struct file_task;
struct watch;

enum command_kind {
    COMMAND_SCAN,
    COMMAND_CANCEL,
    COMMAND_PAUSE,
    COMMAND_RESUME,
    COMMAND_VIDEO_DELETE,
    COMMAND_ACCEPT_MISSING,
    COMMAND_PURGE,
    COMMAND_PICTURE,
    COMMAND_ROOT_ADD,
    COMMAND_ROOT_DELETE
};

/* What a door function asks of the job thread. */
struct command {
    struct queue_node node;
    enum command_kind kind;
    uint64_t ticket;
    bool recursive, retry_failed, dry_run;
    int64_t timeout_ms; /* of a job; or between two polls of a root */
    int64_t number;     /* of the root, or its mode; or a time, of a purge */
    struct picture_wish wish;
    char id[ID_TEXT_SIZE]; /* of the job or video, or a token */
    char correlation_id[CORRELATION_SIZE];
    char path[]; /* of a scan or a new root; else empty */
};

/* The jobs that are not over, in the order of their submission, and those whose end could not be
 * written yet. */
struct job_queue {
    struct job_entry **entries;
    size_t count, cap;
    int64_t retry_at_ms; /* clock_mono_ms() when the unwritten ones are tried again */

    /* of turns.c, in clock_mono_ms() */
    int64_t turn_ms;      /* when the job that is running came to its turn */
    int64_t look_ms;      /* when somebody may have to make way; 0: now */
    int newcomers;        /* that ran since one in line had a whole turn */
    int64_t newcomers_ms; /* when the first of them began */
};

struct root_entry;

/* The roots (root_table.h). The job thread reads without the lock, and writes with it. */
struct root_table {
    pthread_mutex_t lock;
    struct root_entry **entries; /* owned */
    size_t count, cap;
};

struct library {
    struct library_config config; /* constant after the start */
    struct queue *commands;       /* any thread → job thread */
    struct queue *messages;       /* job thread → loop */
    atomic_uint_fast64_t lost;    /* events that could not be made */
    int command_fd;               /* an eventfd: commands are waiting, or `stopping` is set */
    atomic_bool stopping;
    struct snapshot snapshot;
    struct root_table roots;
    pthread_t thread;

    /* the following fields are the job thread's alone */
    struct catalog *catalog;
    struct pool *pool;
    struct pool_status pool_now; /* as of this turn of the thread */
    struct watch *watch;
    struct job_queue jobs;
    struct file_task *flying;  /* files that the workers have, of all scans */
    struct job_entry *running; /* or NULL */
    size_t begun;              /* that and the parked ones */
    struct scan *writing;      /* the scan whose batch has the open transaction, or NULL */
    struct pictures *pictures;
    struct accept *accepting; /* what was refused and is accepted now; the oldest of a list */
    struct purge *purges;     /* those that are not over; the oldest of a list */
    int64_t purge_at_ms;      /* clock_mono_ms(): when the next begins by itself */
    char why[JOB_ERROR_SIZE]; /* why the last write to the catalogue failed, in words */
};

/* What the pool is given as a tag begins with it: whose file it is. */
struct pool_task {
    void (*done)(struct library *library, struct pool_result *result);
};

/* thread.c: the job thread's main function, and its wake. */
void *thread_main(void *library);
void thread_wake(void *library);

#endif
