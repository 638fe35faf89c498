#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "wire.h"

/* What the new process finds open. The channel goes first: `theirs` may be any number, 0 and 1
 * too. */
static int spawn_files(posix_spawn_file_actions_t *files, int theirs)
{
    int err = posix_spawn_file_actions_adddup2(files, theirs, WIRE_FD);
    if (!err)
        err = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!err)
        err = posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (!err)
        err = posix_spawn_file_actions_addclosefrom_np(files, WIRE_FD + 1);
    return err;
}

static int spawn_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int err = posix_spawnattr_setsigmask(attributes, &none);
    if (!err)
        err = posix_spawnattr_setsigdefault(attributes, &all);
    if (!err)
        err = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                       POSIX_SPAWN_SETPGROUP);
    return err;
}

/* posix_spawn shares the address space until the exec (CLONE_VFORK): nothing of a large daemon is
 * copied, no lock of another thread is in the way, and a program that cannot be run is an errno. */
static int spawn(char *const argv[], int theirs, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    char *no_environment[] = {NULL};

    int err = posix_spawn_file_actions_init(&files);
    if (err)
        return err;
    err = posix_spawnattr_init(&attributes);
    if (err) {
        posix_spawn_file_actions_destroy(&files);
        return err;
    }
    err = spawn_files(&files, theirs);
    if (!err)
        err = spawn_signals(&attributes);
    if (!err)
        err = posix_spawn(pid, argv[0], &files, &attributes, argv, no_environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return err;
}

int process_start(const char *program, uint64_t memory, const char *test_mode, struct process *out,
                  int *channel)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return errno;
    const int size = WIRE_BUFFER;
    for (int i = 0; i < 2; i++) /* as far as net.core.wmem_max allows: one message always fits */
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);

    char name[4096], parent[40], limit[40], mode[128];
    snprintf(name, sizeof name, "%s", program);
    snprintf(parent, sizeof parent, "--parent=%ld", (long)getpid());
    snprintf(limit, sizeof limit, "--memory=%" PRIu64, memory);
    snprintf(mode, sizeof mode, "--test-mode=%s", test_mode ? test_mode : "");
    char *argv[] = {name, parent, limit, test_mode ? mode : NULL, NULL};

    int err = spawn(argv, ends[1], &out->pid);
    close(ends[1]);
    if (err) {
        close(ends[0]);
        return err;
    }
    out->pidfd = (int)syscall(SYS_pidfd_open, out->pid, 0);
    *channel = ends[0];
    return 0;
}

void process_kill(const struct process *process)
{
    if (process->pidfd >= 0)
        syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
    else
        kill(process->pid, SIGKILL);
}

bool process_reap(struct process *process, int *status)
{
    pid_t pid = waitpid(process->pid, status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno != ECHILD))
        return false;
    if (pid < 0) /* a process that ignores SIGCHLD leaves nothing to wait for */
        *status = PROCESS_STATUS_UNKNOWN;
    if (process->pidfd >= 0)
        close(process->pidfd);
    process->pidfd = -1;
    return true;
}

/* A file of /proc(5), as text; empty when it cannot be read. */
static void proc_read(const struct process *process, const char *file, char *out, size_t size)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/%ld/%s", (long)process->pid, file);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, out, size - 1);
    if (fd >= 0)
        close(fd);
    out[len > 0 ? len : 0] = '\0';
}

bool process_runnable(const struct process *process, int64_t *ran_ns)
{
    char text[512];
    proc_read(process, "schedstat", text, sizeof text);
    *ran_ns = 0;
    if (sscanf(text, "%" SCNd64, ran_ns) != 1)
        return false;
    proc_read(process, "stat", text, sizeof text);
    const char *name_end = strrchr(text, ')'); /* the name may hold anything */
    return name_end && strncmp(name_end, ") R", 3) == 0;
}

void process_words(int status, char *out, size_t size)
{
    if (status == PROCESS_STATUS_UNKNOWN)
        snprintf(out, size, "ended without a trace");
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        snprintf(out, size, "tried something that its sandbox forbids (SIGSYS)");
    else if (WIFSIGNALED(status) && sigabbrev_np(WTERMSIG(status)))
        snprintf(out, size, "was stopped by SIG%s", sigabbrev_np(WTERMSIG(status)));
    else if (WIFSIGNALED(status))
        snprintf(out, size, "was stopped by signal %d", WTERMSIG(status));
    else
        snprintf(out, size, "ended with exit code %d", WEXITSTATUS(status));
}
