#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attacks.h"
#include "worker/sanitizer.h"
#include "worker/wire.h"

static enum attack_outcome escaped_if(bool success)
{
    return success ? ATTACK_ESCAPED : ATTACK_CONTAINED;
}

/* ---- paths --------------------------------------------------------------------------------- */

static enum attack_outcome open_read(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    return escaped_if(open("/etc/passwd", O_RDONLY) >= 0);
}

static enum attack_outcome open_write(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    return escaped_if(open("/dev/null", O_WRONLY) >= 0);
}

static enum attack_outcome open_create(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    int temporary = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    return escaped_if(temporary >= 0);
}

static enum attack_outcome look(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    struct stat seen;
    return escaped_if(stat("/etc/passwd", &seen) == 0 || access("/etc/passwd", F_OK) == 0);
}

static enum attack_outcome write_file(int fd, uint64_t number)
{
    (void)number;
    bool changed = write(fd, "x", 1) == 1;
    /* A sanitizer's reports go to the log; nothing else does. */
    bool logged = !REELD_SANITIZED && write(STDERR_FILENO, "\n", 1) == 1;
    return escaped_if(changed || logged);
}

static enum attack_outcome change_file(int fd, uint64_t number)
{
    (void)number;
    return escaped_if(fchmod(fd, 0777) == 0);
}

/* ---- network ------------------------------------------------------------------------------- */

static enum attack_outcome socket_inet(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    return escaped_if(socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static enum attack_outcome socket_unix(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    return escaped_if(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static enum attack_outcome connect_out(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int made = connect(WIRE_FD, (const struct sockaddr *)&to, sizeof to);
    return escaped_if(made == 0 || errno == EINVAL); /* EINVAL: the kernel looked at it */
}

/* ---- processes ----------------------------------------------------------------------------- */

static enum attack_outcome exec_shell(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    char *argv[] = {"true", NULL}, *environment[] = {NULL};
    execve("/bin/true", argv, environment);
    return ATTACK_CONTAINED;
}

static enum attack_outcome fork_child(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return escaped_if(child > 0 && waitpid(child, NULL, 0) == child);
}

static void *thread_main(void *arg)
{
    return arg;
}

static enum attack_outcome start_thread(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    pthread_t thread;
    int err = pthread_create(&thread, NULL, thread_main, NULL);
    return escaped_if(err == 0 && pthread_join(thread, NULL) == 0);
}

static enum attack_outcome trace_parent(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    return escaped_if(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
}

/* Signal 0 asks whether a real one would go through. */
static enum attack_outcome kill_others(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    return escaped_if(kill(-1, 0) == 0);
}

/* ---- memory and time ----------------------------------------------------------------------- */

static enum attack_outcome map_code(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    void *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return escaped_if(code != MAP_FAILED);
}

static enum attack_outcome protect_code(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    void *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return escaped_if(data != MAP_FAILED && mprotect(data, 4096, PROT_READ | PROT_EXEC) == 0);
}

static enum attack_outcome eat_memory(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    const size_t piece = 1 << 20;
    void **pieces = NULL;
    for (size_t eaten = 0; eaten < (size_t)4096; eaten++) {
        void **more = malloc(piece);
        if (!more) {
            while (pieces) {
                more = *pieces;
                free(pieces);
                pieces = more;
            }
            return ATTACK_NO_MEMORY;
        }
        *more = pieces;
        pieces = more;
    }
    return ATTACK_ESCAPED;
}

static enum attack_outcome out_of_memory(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    return ATTACK_NO_MEMORY;
}

static enum attack_outcome spin(int fd, uint64_t number)
{
    (void)fd;
    for (volatile uint64_t turn = number;; turn++)
        ;
    return ATTACK_CONTAINED;
}

static enum attack_outcome hang(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    for (;;)
        sleep(60);
    return ATTACK_CONTAINED;
}

/* No attack: until the file says something else, which is read then. So long a scan, or a job of
 * pictures, is under way. */
static enum attack_outcome hold(int fd, uint64_t number)
{
    static const char marker[] = "ATTACK:";
    char head[sizeof marker - 1];
    (void)number;
    while (pread(fd, head, sizeof head, 0) == sizeof head &&
           memcmp(head, marker, sizeof head) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    return ATTACK_CONTAINED;
}

/* ---- ends ---------------------------------------------------------------------------------- */

static enum attack_outcome crash(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    raise(SIGSEGV);
    return ATTACK_CONTAINED;
}

static enum attack_outcome give_up(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    abort();
}

static enum attack_outcome leave(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    _exit(0);
}

static enum attack_outcome hang_up(int fd, uint64_t number)
{
    close(WIRE_FD);
    return hang(fd, number);
}

/* SIGKILL that does not come from the pool: what the kernel does when memory runs out. */
static enum attack_outcome killed(int fd, uint64_t number)
{
    (void)fd;
    (void)number;
    raise(SIGKILL);
    return ATTACK_CONTAINED;
}

static const struct attack attacks[] = {
    {"open", open_read},
    {"open-write", open_write},
    {"open-create", open_create},
    {"look", look},
    {"write", write_file},
    {"chmod", change_file},
    {"socket-inet", socket_inet},
    {"socket-unix", socket_unix},
    {"connect", connect_out},
    {"exec", exec_shell},
    {"fork", fork_child},
    {"thread", start_thread},
    {"ptrace", trace_parent},
    {"kill", kill_others},
    {"map-code", map_code},
    {"protect-code", protect_code},
    {"memory", eat_memory},
    {"out-of-memory", out_of_memory},
    {"spin", spin},
    {"hang", hang},
    {"hold", hold},
    {"segv", crash},
    {"abort", give_up},
    {"exit", leave},
    {"hang-up", hang_up},
    {"killed", killed},
    {"reply-empty", attack_reply_empty},
    {"reply-short", attack_reply_short},
    {"reply-noise", attack_reply_noise},
    {"reply-oversize", attack_reply_oversize},
    {"reply-number", attack_reply_number},
    {"reply-code", attack_reply_code},
    {"reply-counts", attack_reply_counts},
    {"reply-text", attack_reply_text},
    {"reply-twice", attack_reply_twice},
    {"reply-flood", attack_reply_flood},
    {"reply-hello", attack_reply_hello},
    {"reply-descriptor", attack_reply_descriptor},
    {"picture-huge", attack_picture_huge},
    {"picture-wide", attack_picture_wide},
    {"picture-sheet", attack_picture_sheet},
    {"picture-overlong", attack_picture_overlong},
    {"picture-no-jpeg", attack_picture_no_jpeg},
    {"picture-short-piece", attack_picture_short_piece},
    {"picture-other-piece", attack_picture_other_piece},
    {"picture-twice", attack_picture_twice},
    {"picture-never-ends", attack_picture_never_ends},
    {"picture-too-many", attack_picture_too_many},
    {"picture-dies", attack_picture_dies},
    {"picture-probed", attack_picture_probed},
    {"picture-returned", attack_picture_returned},
};

const struct attack *attack_find(const char *name)
{
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        if (strcmp(attacks[i].name, name) == 0)
            return &attacks[i];
    }
    return NULL;
}
