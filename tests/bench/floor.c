#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.h"
#include "reeld/base.h"

struct shared {
    atomic_size_t next, failures;
};

struct files {
    char *text;
    const char **paths;
    size_t n;
};

static bool files_read(const char *list, struct files *files)
{
    FILE *in = fopen(list, "rb");
    if (!in)
        return false;
    struct buf text = {0};
    char block[65536];
    for (size_t n; (n = fread(block, 1, sizeof block, in)) > 0;)
        buf_append(&text, block, n);
    fclose(in);
    size_t len = text.len;
    files->text = buf_steal(&text);
    files->paths = files->text ? calloc(len + 1, sizeof *files->paths) : NULL;
    if (!files->paths)
        return false;
    char end = memchr(files->text, '\0', len) ? '\0' : '\n';
    for (char *at = files->text; at < files->text + len;) {
        char *stop = memchr(at, end, (size_t)(files->text + len - at));
        if (stop)
            *stop = '\0';
        else
            stop = files->text + len;
        if (*at)
            files->paths[files->n++] = at;
        at = stop + 1;
    }
    return true;
}

static void work_all(const struct files *files, struct shared *shared,
                     bool (*work)(const char *path))
{
    for (size_t i; (i = atomic_fetch_add(&shared->next, 1)) < files->n;) {
        if (!work(files->paths[i]))
            atomic_fetch_add(&shared->failures, 1);
    }
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int floor_run(const char *name, int processes, const char *list, bool (*work)(const char *path))
{
    struct files files = {0};
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || !files_read(list, &files)) {
        perror(list);
        return 1;
    }
    int64_t start = clock_mono_ns();
    for (int i = 0; i < processes; i++) {
        pid_t child = fork();
        if (child < 0) {
            perror("fork");
            return 1;
        }
        if (child == 0) {
            work_all(&files, shared, work);
            _exit(0);
        }
    }
    bool crashed = false;
    for (int status; wait(&status) > 0;)
        crashed = crashed || status != 0;
    double elapsed = (double)(clock_mono_ns() - start) / 1e9;
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    double cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    printf("%s processes=%d files=%zu failures=%zu seconds=%.3f files_per_second=%.0f "
           "cpu_ms_per_file=%.2f max_rss_mib=%.1f%s\n",
           name, processes, files.n, atomic_load(&shared->failures), elapsed,
           (double)files.n / elapsed, cpu * 1000 / (double)(files.n ? files.n : 1),
           (double)usage.ru_maxrss / 1024, crashed ? " CRASHED" : "");
    free(files.paths);
    free(files.text);
    return crashed ? 1 : 0;
}
