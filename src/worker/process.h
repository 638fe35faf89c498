/* process: one worker process as the daemon sees it: start, end, what became of it. Job thread. */
#ifndef REELD_WORKER_PROCESS_H
#define REELD_WORKER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_STATUS_UNKNOWN = -1 };

struct process {
    pid_t pid;
    int pidfd; /* readable once it has ended; -1 where the kernel has none: then ask from time to
                  time */
};

/* Starts `program` with one end of a new SOCK_SEQPACKET pair as its descriptor 3, /dev/null as
 * standard input and output, this process's standard error, no other descriptor, no environment,
 * default signals and a process group of its own (Ctrl-C in a terminal is for the daemon). Not a
 * session of its own: to the kernel's autogroups that would be a group that is equal to the
 * daemon's, whatever its priority. It dies with the thread that started it. `memory`, `test_mode`:
 * as in struct pool_config. `channel`: our end, non-blocking by MSG_DONTWAIT only; the caller
 * closes it. 0, or an errno: nothing was started. */
int process_start(const char *program, uint64_t memory, const char *test_mode, struct process *out,
                  int *channel);

/* SIGKILL. Safe on one that has ended and is not reaped. */
void process_kill(const struct process *process);

/* Whether it has ended. If so it is reaped, its pidfd closed, and `status` is as wait(2) gives it,
 * or PROCESS_STATUS_UNKNOWN when someone else reaped it. Never blocks. */
bool process_reap(struct process *process, int *status);

/* The processor time that it has used, in ns, into `ran`. True when it is able to run now: it runs,
 * or stands in line for a processor. False when it sleeps, waits for a disk, has ended, or the
 * kernel does not tell. */
bool process_runnable(const struct process *process, int64_t *ran_ns);

/* What `status` means, in words that follow "the worker ". */
void process_words(int status, char *out, size_t size);

#endif
