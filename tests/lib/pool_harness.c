#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool_harness.h"

enum { HARNESS_PATIENCE_MS = 240000 }; /* a machine that is busy with other things is slow */

#define PICTURE_LINE "0123456789abcdef"
#define PICTURE_4 PICTURE_LINE PICTURE_LINE PICTURE_LINE PICTURE_LINE
#define PICTURE "FRAME\n" PICTURE_4 PICTURE_4 PICTURE_4 PICTURE_4 PICTURE_4 PICTURE_4

const char harness_video[] = "YUV4MPEG2 W16 H16 F25:1 Ip A1:1 C420jpeg\n" PICTURE PICTURE;
const size_t harness_video_size = sizeof harness_video - 1;

/* FNV-1a, over the bytes as they came. */
static uint64_t digest_of(uint64_t digest, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
    return digest;
}

static uint64_t info_digest(const struct media_info *info)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    digest = digest_of(digest, &info->summary, sizeof info->summary);
    digest = digest_of(digest, info->streams, info->n_streams * sizeof *info->streams);
    return digest_of(digest, info->chapters, info->n_chapters * sizeof *info->chapters);
}

static void done(void *ctx, struct pool_result *result)
{
    struct harness *harness = ctx;
    struct harness_outcome *outcome = result->tag;
    outcome->answers++;
    outcome->code = result->code;
    outcome->streams = result->info.n_streams;
    outcome->chapters = result->info.n_chapters;
    outcome->digest = info_digest(&result->info);
    outcome->width = result->info.summary.width;
    snprintf(outcome->title, sizeof outcome->title, "%s", result->info.summary.title);
    snprintf(outcome->error, sizeof outcome->error, "%s", result->error);
    outcome->picture_width = result->picture.width;
    outcome->picture_digest =
        digest_of(UINT64_C(0xcbf29ce484222325), result->picture.bytes, result->picture.len);
    outcome->picture_size = result->picture.len;
    media_info_clear(&result->info);
    picture_clear(&result->picture);
    outcome->turn = harness->answered++;
}

void harness_open_with(struct harness *harness, const struct pool_config *config, size_t count)
{
    *harness = (struct harness){.config = *config, .count = count};
    harness->config.done = done;
    harness->config.ctx = harness;
    harness->outcomes = calloc(count ? count : 1, sizeof *harness->outcomes);
    assert_non_null(harness->outcomes);
    assert_int_equal(pool_open(&harness->config, &harness->pool), RL_OK);
}

void harness_open(struct harness *harness, const char *program, int workers, size_t count)
{
    struct pool_config config = {.program = program, .workers = workers};
    harness_open_with(harness, &config, count);
}

void harness_close(struct harness *harness)
{
    pool_close(harness->pool);
    free(harness->outcomes);
    *harness = (struct harness){0};
}

int harness_file(const void *bytes, size_t size)
{
    int writable = memfd_create("file", MFD_CLOEXEC);
    assert_true(writable >= 0);
    assert_int_equal(write(writable, bytes, size), size);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", writable);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    close(writable);
    return fd;
}

void harness_submit(struct harness *harness, size_t index, int fd, uint64_t owner)
{
    assert_true(index < harness->count);
    assert_int_equal(
        pool_submit(harness->pool, fd, "y4m", POOL_PROBE, owner, &harness->outcomes[index]), RL_OK);
}

void harness_submit_picture(struct harness *harness, size_t index, int fd, const char *name_hint,
                            enum pool_rank rank, uint64_t owner)
{
    assert_true(index < harness->count);
    const struct picture_request request = {.kind = PICTURE_THUMBNAIL, .width = 320};
    assert_int_equal(pool_submit_picture(harness->pool, fd, name_hint, &request, rank, owner,
                                         &harness->outcomes[index]),
                     RL_OK);
}

void harness_submit_text(struct harness *harness, size_t index, const char *text)
{
    harness_submit(harness, index, harness_file(text, strlen(text)), 1);
}

void harness_submit_video(struct harness *harness, size_t index)
{
    harness_submit(harness, index, harness_file(harness_video, harness_video_size), 1);
}

/* Waits, not for ever, for the pool or for `other`, where that is one, and serves the pool. */
static void turn(struct harness *harness, int other)
{
    struct pollfd fds[POOL_POLLFDS_MAX + 1];
    int count = pool_pollfds(harness->pool, fds, POOL_POLLFDS_MAX);
    int timeout = pool_timeout_ms(harness->pool);
    if (other >= 0)
        fds[count++] = (struct pollfd){.fd = other, .events = POLLIN};
    if (poll(fds, (nfds_t)count, timeout >= 0 ? timeout : HARNESS_PATIENCE_MS) == 0 && timeout < 0)
        fail_msg("nothing happened for %d ms, and the pool expects nothing", HARNESS_PATIENCE_MS);
    pool_service(harness->pool);
}

void harness_turn(struct harness *harness)
{
    turn(harness, -1);
}

bool harness_turn_beside(struct harness *harness, pid_t child)
{
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    assert_true(pidfd >= 0);
    turn(harness, pidfd);
    close(pidfd);
    return waitpid(child, NULL, WNOHANG) == 0;
}

static void patient_turn(struct harness *harness, int64_t end)
{
    turn(harness, -1);
    if (clock_mono_ms() > end)
        fail_msg("not done within %d ms", HARNESS_PATIENCE_MS);
}

void harness_run(struct harness *harness, size_t answered)
{
    int64_t end = clock_mono_ms() + HARNESS_PATIENCE_MS;
    while (harness->answered < answered)
        patient_turn(harness, end);
}

void harness_until(struct harness *harness, bool (*condition)(const struct pool_status *status))
{
    int64_t end = clock_mono_ms() + HARNESS_PATIENCE_MS;
    struct pool_status status;
    for (pool_status(harness->pool, &status); !condition(&status);
         pool_status(harness->pool, &status))
        patient_turn(harness, end);
}

bool harness_idle(const struct pool_status *status)
{
    return status->alive == status->workers && status->busy == 0;
}

size_t harness_children(int *pids, size_t max)
{
    size_t count = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    const struct dirent *entry;
    while ((entry = readdir(proc))) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        char path[64], line[512] = "";
        snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
        FILE *file = fopen(path, "re");
        if (!file)
            continue;
        const char *name_end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
        fclose(file);
        long parent = 0;
        if (name_end && strlen(name_end) > 4) /* ") S 123 …" */
            parent = strtol(name_end + 4, NULL, 10);
        if (parent != (long)getpid())
            continue;
        if (count < max)
            pids[count] = atoi(entry->d_name);
        count++;
    }
    closedir(proc);
    return count;
}

void harness_until_children(struct harness *harness, size_t count)
{
    int64_t end = clock_mono_ms() + HARNESS_PATIENCE_MS;
    while (harness_children(NULL, 0) != count)
        patient_turn(harness, end);
}

size_t harness_descriptors(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}
