#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"
#include "sanitizer.h"

/* One line of the filter. Whatever has no line ends the process with SIGSYS: a parser that has been
 * taken over is stopped at its first try. What honest library code may try, and can do without,
 * gets an errno instead. */
struct rule {
    int syscall;
    uint32_t action;
    unsigned n_args; /* conditions on arguments; all must hold */
    struct scmp_arg_cmp args[3];
};

#define ALLOW SCMP_ACT_ALLOW
#define REFUSE(err) SCMP_ACT_ERRNO(err)
/* The argument has none of these bits. */
#define WITHOUT(arg, bits)                                                                         \
    {                                                                                              \
        (arg), SCMP_CMP_MASKED_EQ, (bits), 0                                                       \
    }

#define OPEN_WRITING (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

static const struct rule rules[] = {
    /* The file at hand. */
    {SCMP_SYS(pread64), ALLOW, 0, {{0}}},
    {SCMP_SYS(read), ALLOW, 0, {{0}}},
    {SCMP_SYS(lseek), ALLOW, 0, {{0}}},
    {SCMP_SYS(fstat), ALLOW, 0, {{0}}},
    {SCMP_SYS(close), ALLOW, 0, {{0}}},

    /* Memory, but none that can be executed. */
    {SCMP_SYS(brk), ALLOW, 0, {{0}}},
    {SCMP_SYS(mmap), ALLOW, 1, {WITHOUT(2, PROT_EXEC)}},
    {SCMP_SYS(mprotect), ALLOW, 1, {WITHOUT(2, PROT_EXEC)}},
    {SCMP_SYS(mremap), ALLOW, 0, {{0}}},
    {SCMP_SYS(munmap), ALLOW, 0, {{0}}},
    {SCMP_SYS(madvise), ALLOW, 0, {{0}}},

    /* Time, chance, locks and its own signals. */
    {SCMP_SYS(clock_gettime), ALLOW, 0, {{0}}},
    {SCMP_SYS(gettimeofday), ALLOW, 0, {{0}}},
    {SCMP_SYS(time), ALLOW, 0, {{0}}},
    {SCMP_SYS(clock_nanosleep), ALLOW, 0, {{0}}},
    {SCMP_SYS(nanosleep), ALLOW, 0, {{0}}},
    {SCMP_SYS(getrandom), ALLOW, 0, {{0}}},
    {SCMP_SYS(futex), ALLOW, 0, {{0}}},
    {SCMP_SYS(sched_yield), ALLOW, 0, {{0}}},
    {SCMP_SYS(sched_getaffinity), ALLOW, 0, {{0}}},
    {SCMP_SYS(getpid), ALLOW, 0, {{0}}},
    {SCMP_SYS(gettid), ALLOW, 0, {{0}}},
    {SCMP_SYS(rt_sigaction), ALLOW, 0, {{0}}},
    {SCMP_SYS(rt_sigprocmask), ALLOW, 0, {{0}}},
    {SCMP_SYS(rt_sigreturn), ALLOW, 0, {{0}}},
    {SCMP_SYS(restart_syscall), ALLOW, 0, {{0}}},
    {SCMP_SYS(exit), ALLOW, 0, {{0}}},
    {SCMP_SYS(exit_group), ALLOW, 0, {{0}}},

    /* Looking for a path: refused, and no reason to stop. iconv looks for its tables, a library for
     * the number of processors. Opening one for writing has no such excuse: no line. */
    {SCMP_SYS(open), REFUSE(EACCES), 1, {WITHOUT(1, OPEN_WRITING)}},
    {SCMP_SYS(openat), REFUSE(EACCES), 1, {WITHOUT(2, OPEN_WRITING)}},
    {SCMP_SYS(stat), REFUSE(EACCES), 0, {{0}}},
    {SCMP_SYS(lstat), REFUSE(EACCES), 0, {{0}}},
    {SCMP_SYS(newfstatat), REFUSE(EACCES), 0, {{0}}},
    {SCMP_SYS(statx), REFUSE(EACCES), 0, {{0}}},
    {SCMP_SYS(access), REFUSE(EACCES), 0, {{0}}},
    {SCMP_SYS(faccessat), REFUSE(EACCES), 0, {{0}}},
    {SCMP_SYS(faccessat2), REFUSE(EACCES), 0, {{0}}},
    {SCMP_SYS(readlink), REFUSE(EACCES), 0, {{0}}},
    {SCMP_SYS(readlinkat), REFUSE(EACCES), 0, {{0}}},
    {SCMP_SYS(getcwd), REFUSE(EACCES), 0, {{0}}},

    /* Asking about the system and its limits. */
    {SCMP_SYS(sysinfo), REFUSE(EPERM), 0, {{0}}},
    {SCMP_SYS(uname), REFUSE(EPERM), 0, {{0}}},
    {SCMP_SYS(getrlimit), REFUSE(EPERM), 0, {{0}}},
    {SCMP_SYS(prlimit64), REFUSE(EPERM), 0, {{0}}},
    {SCMP_SYS(getrusage), REFUSE(EPERM), 0, {{0}}},
    {SCMP_SYS(ioctl), REFUSE(ENOTTY), 0, {{0}}},
    {SCMP_SYS(fcntl), REFUSE(EPERM), 0, {{0}}},
    {SCMP_SYS(fadvise64), REFUSE(EPERM), 0, {{0}}},

    {SCMP_SYS(prctl), REFUSE(EPERM), 0, {{0}}},

#if REELD_SANITIZED
    /* What AddressSanitizer's run time does on its own account, and its reports. */
    {SCMP_SYS(write), ALLOW, 1, {{0, SCMP_CMP_EQ, STDERR_FILENO, 0}}},
    {SCMP_SYS(write), REFUSE(EPERM), 1, {{0, SCMP_CMP_NE, STDERR_FILENO, 0}}},
    {SCMP_SYS(sigaltstack), ALLOW, 0, {{0}}},
    {SCMP_SYS(sched_getparam), ALLOW, 0, {{0}}},
    {SCMP_SYS(sched_getscheduler), ALLOW, 0, {{0}}},
#else
    /* Standard error is the daemon's log, in which nobody shall forge a line: what the C library
     * says before it aborts is lost, its signal is not. */
    {SCMP_SYS(write), REFUSE(EPERM), 0, {{0}}},
#endif
    {SCMP_SYS(writev), REFUSE(EPERM), 0, {{0}}},
};

/* glibc 2.33 to 2.38 make fstat() of the system call newfstatat, which also takes paths, so that
 * the filter could not tell the two apart. The worker's own fstat keeps to the narrow call. */
int fstat(int fd, struct stat *out)
{
    return (int)syscall(SYS_fstat, fd, out);
}

static int rule_add(scmp_filter_ctx filter, const struct rule *rule)
{
    return seccomp_rule_add_array(filter, rule->action, rule->syscall, rule->n_args, rule->args);
}

/* The lines whose arguments are known only now: the channel, and signals to itself (abort). */
static int own_rules_add(scmp_filter_ctx filter, int channel)
{
    const scmp_datum_t fd = (scmp_datum_t)channel, self = (scmp_datum_t)getpid();
    const struct rule own[] = {
        {SCMP_SYS(recvmsg), ALLOW, 1, {{0, SCMP_CMP_EQ, fd, 0}}},
        /* Without an address, and not sendmsg: no descriptor can be passed on. */
        {SCMP_SYS(sendto), ALLOW, 2, {{0, SCMP_CMP_EQ, fd, 0}, {4, SCMP_CMP_EQ, 0, 0}}},
        {SCMP_SYS(tgkill), ALLOW, 1, {{0, SCMP_CMP_EQ, self, 0}}},
    };
    int err = 0;
    for (size_t i = 0; !err && i < sizeof own / sizeof *own; i++)
        err = rule_add(filter, &own[i]);
    return err;
}

int sandbox_filter(int channel)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter)
        return -ENOMEM;
    int err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!err) /* a binary tree: the check costs the same wherever a line stands */
        err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (size_t i = 0; !err && i < sizeof rules / sizeof *rules; i++)
        err = rule_add(filter, &rules[i]);
    if (!err)
        err = own_rules_add(filter, channel);
    if (!err)
        err = seccomp_load(filter);
    seccomp_release(filter);
    return err;
}
