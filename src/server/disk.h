/* disk: threads that wait for a disk in the loop's place, started as they are needed. A file system
 * that does not answer keeps one for each file that is wanted of it; where it has taken them all,
 * only what wants a file waits. */
#ifndef REELD_SERVER_DISK_H
#define REELD_SERVER_DISK_H

#include <stdbool.h>

#include "reeld/base.h"

enum { DISK_THREADS = 32, DISK_CLOSE_MS = 1000 };

/* Embedded in what is to be done; it must last until `done`. */
struct disk_task {
    struct disk_task *next;
    void (*work)(struct disk_task *task); /* called by one of the threads */
    void (*done)(struct disk_task *task); /* then by disk_check or disk_close, which let go of it */
};

struct disk;

/* `wake` is called by a thread when a task is done after none were. NULL: out of memory. */
struct disk *disk_open(void (*wake)(void *arg), void *arg);

/* Loop thread. RL_ENOMEM: there is no thread and none could be started; `done` is not called. */
enum rl_err disk_do(struct disk *disk, struct disk_task *task);

/* Calls `done` of each task that is. Loop thread. */
void disk_check(struct disk *disk);

/* Calls `done` of all tasks, also of those that were not begun, and ends the threads. One that the
 * disk does not let go of within DISK_CLOSE_MS is left behind, with its task. */
void disk_close(struct disk *disk);

#endif
