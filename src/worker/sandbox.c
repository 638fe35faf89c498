#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"
#include "sanitizer.h"

enum {
    WORKER_NICE = 10,
    WORKER_FILES = 32, /* the three standard ones, the channel, WIRE_HELD_MAX files, and air */
    WORKER_OOM_SCORE = 500,
};

#if REELD_SANITIZED
/* Read by AddressSanitizer's run time. An error ends the worker by a signal, as any other crash
 * does. Looking for leaks and for names of functions needs what the sandbox forbids. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "abort_on_error=1:detect_leaks=0:symbolize=0:allocator_may_return_null=1";
}
#endif

/* SCHED_IDLE, because only to such a process is a thread that wakes up preferred at once by every
 * kernel: the daemon and its clients would else wait for the end of a parser's time slice at each
 * step that an event takes. */
void sandbox_yield_priority(void)
{
    sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0});
    setpriority(PRIO_PROCESS, 0, WORKER_NICE);
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));

    /* When the machine runs out of memory the worker goes, and its file is charged; not the daemon.
     */
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        dprintf(fd, "%d", WORKER_OOM_SCORE);
        close(fd);
    }
}

static int limit(__rlimit_resource_t resource, rlim_t value)
{
    return setrlimit(resource, &(struct rlimit){value, value}) == 0 ? 0 : -errno;
}

static int limits_set(uint64_t memory)
{
    int err = limit(RLIMIT_CORE, 0);
    if (!err)
        err = limit(RLIMIT_FSIZE, 0);
    if (!err)
        err = limit(RLIMIT_NPROC, 0);
    if (!err)
        err = limit(RLIMIT_NOFILE, WORKER_FILES);
    if (!err && memory && !REELD_SANITIZED)
        err = limit(RLIMIT_AS, memory);
    return err;
}

static enum sandbox_state failed(char *words, const char *what, int err)
{
    snprintf(words, SANDBOX_WORDS_SIZE, "%s: %s", what, strerror(-err));
    return SANDBOX_FAILED;
}

enum sandbox_state sandbox_confine(uint64_t memory, int channel, char words[SANDBOX_WORDS_SIZE])
{
    words[0] = '\0';
    int err = limits_set(memory);
    if (err)
        return failed(words, "resource limits cannot be set", err);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return failed(words, "the process cannot be made undumpable", -errno);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return failed(words, "no_new_privs cannot be set", -errno);

    enum sandbox_state state = SANDBOX_FULL;
    err = sandbox_landlock();
    if (err == -ENOSYS || err == -EOPNOTSUPP) {
        state = SANDBOX_NO_LANDLOCK;
        snprintf(words, SANDBOX_WORDS_SIZE, "this kernel has no Landlock; the other walls stand");
    } else if (err) {
        return failed(words, "Landlock cannot be set up", err);
    }
    err = sandbox_filter(channel);
    if (err)
        return failed(words, "the seccomp filter cannot be loaded", err);
    return state;
}
