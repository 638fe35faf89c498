/* pool_probe WORKER COUNT FILELIST [MODE]: what the pool costs. Hands every file of FILELIST (one
 * path a line) to COUNT workers through the real pool from one thread, and does nothing with what
 * comes back. Prints files a second beside the CPU time of both sides. To be measured beside
 * probe_floor, which has no pool and no sandbox. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "reeld/worker.h"

struct run {
    struct pool *pool;
    size_t submitted, answered;
    size_t codes[FAILURES];
};

static void done(void *ctx, struct pool_result *result)
{
    struct run *run = ctx;
    char *path = result->tag;
    run->answered++;
    run->codes[result->code]++;
    if (result->code != FAILURE_NONE)
        fprintf(stderr, "%d\t%s\t%s\n", (int)result->code, path, result->error);
    media_info_clear(&result->info);
    free(path);
}

static bool submit(struct run *run, const char *path)
{
    char hint[16];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        perror(path);
        return true;
    }
    path_extension(path, hint, sizeof hint);
    run->submitted++;
    return pool_submit(run->pool, fd, hint, POOL_PROBE, 1, strdup(path)) == RL_OK;
}

static void turn(struct run *run)
{
    struct pollfd fds[POOL_POLLFDS_MAX];
    int count = pool_pollfds(run->pool, fds, POOL_POLLFDS_MAX);
    poll(fds, (nfds_t)count, pool_timeout_ms(run->pool));
    pool_service(run->pool);
}

static double cpu_seconds(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    FILE *list = argc == 4 || argc == 5 ? fopen(argv[3], "re") : NULL;
    if (!list) {
        fprintf(stderr, "usage: pool_probe WORKER COUNT FILELIST [MODE]\n");
        return 2;
    }
    struct run run = {0};
    struct pool_config config = {
        .program = argv[1],
        .workers = atoi(argv[2]),
        .deadline_ms = 30000,
        .memory_limit = UINT64_C(1) << 30,
        .test_mode = argc == 5 ? argv[4] : NULL,
        .done = done,
        .ctx = &run,
    };
    if (pool_open(&config, &run.pool) != RL_OK)
        return 1;
    struct pool_status status = {0};
    while (status.alive < config.workers) { /* their start is not measured */
        turn(&run);
        pool_status(run.pool, &status);
    }
    int64_t start = clock_mono_ns();
    char line[4096];
    bool more = true;
    while (more || run.answered < run.submitted) {
        while (more && pool_has_room(run.pool)) {
            more = fgets(line, sizeof line, list) != NULL;
            line[strcspn(line, "\n")] = '\0';
            more = more && submit(&run, line);
        }
        if (run.answered < run.submitted)
            turn(&run);
    }
    double seconds = (double)(clock_mono_ns() - start) / 1e9;
    pool_status(run.pool, &status);
    pool_close(run.pool);
    fclose(list);
    printf("pool workers=%d files=%zu ok=%zu seconds=%.3f files_per_second=%.0f "
           "daemon_cpu_us_per_file=%.1f worker_cpu_ms_per_file=%.2f started=%" PRIu64
           " crashes=%" PRIu64 " timeouts=%" PRIu64 " ooms=%" PRIu64 " bad_replies=%" PRIu64 "\n",
           config.workers, run.answered, run.codes[FAILURE_NONE], seconds,
           (double)run.answered / seconds,
           cpu_seconds(RUSAGE_SELF) * 1e6 / (double)(run.answered ? run.answered : 1),
           cpu_seconds(RUSAGE_CHILDREN) * 1e3 / (double)(run.answered ? run.answered : 1),
           status.started, status.crashes, status.timeouts, status.ooms, status.bad_replies);
    return 0;
}
