/* sandbox: what a worker gives up before it sees the first byte of a file. Worker program only; one
 * thread. After sandbox_confine the process can read descriptors that it holds or is sent over
 * `channel`, use memory up to its limit, answer on `channel`, and end: nothing else. */
#ifndef REELD_WORKER_SANDBOX_H
#define REELD_WORKER_SANDBOX_H

#include <stdint.h>

enum { SANDBOX_WORDS_SIZE = 128 };

enum sandbox_state {
    SANDBOX_FULL,
    SANDBOX_NO_LANDLOCK, /* this kernel has none: seccomp alone refuses every path and socket */
    SANDBOX_FAILED,      /* `words` says what; the process must not open any file */
};

/* Idle priority for CPU and disk, and the first to go when memory runs out. What the system refuses
 * is left as it is: none of it is a wall. */
void sandbox_yield_priority(void);

/* Confines the calling process for good.
 *   `memory`  bytes of address space (RLIMIT_AS), 0: no limit. Ignored in builds with a sanitizer,
 *             whose shadow memory is larger than any limit.
 *   `channel` the one socket on which it may receive and send.
 * `words`: empty, or what is missing. */
enum sandbox_state sandbox_confine(uint64_t memory, int channel, char words[SANDBOX_WORDS_SIZE]);

/* The parts of sandbox_confine that stand in files of their own; not for others. */

/* Loads the system call filter. 0, or a negative errno. */
int sandbox_filter(int channel);

/* Landlock with no rule: no path, no TCP, no signal or abstract socket to the outside, as far as
 * the kernel's ABI goes. 0; -ENOSYS or -EOPNOTSUPP: the kernel has none; else a negative errno. */
int sandbox_landlock(void);

#endif
