/* The sandbox stands in nobody's way: over real files a confined worker says exactly what one
 * without a sandbox says, and none is stopped. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool_harness.h"

enum { FILES_MAX = 5000 };

struct corpus {
    char *paths[FILES_MAX];
    size_t count;
};

/* nftw has no argument for its callback. */
static struct corpus corpus;

static int visit(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)where;
    const char *end = strrchr(path, '.');
    bool ours = end && (strcmp(end, ".json") == 0 || strcmp(end, ".md") == 0);
    if (type == FTW_F && !ours && corpus.count < FILES_MAX)
        corpus.paths[corpus.count++] = strdup(path);
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int corpus_find(void **state)
{
    (void)state;
    const char *named = getenv("REELD_CORPUS");
    nftw(named ? named : CORPUS, visit, 16, FTW_PHYS);
    qsort(corpus.paths, corpus.count, sizeof *corpus.paths, by_path);
    return 0;
}

static int corpus_free(void **state)
{
    (void)state;
    while (corpus.count)
        free(corpus.paths[--corpus.count]);
    return 0;
}

static void probe_all(struct harness *harness, const char *program, const char *mode)
{
    struct pool_config config = {.program = program,
                                 .workers = 2,
                                 .deadline_ms = 30000,
                                 .memory_limit = mode ? 0 : UINT64_C(1) << 30,
                                 .test_mode = mode};
    harness_open_with(harness, &config, corpus.count);
    for (size_t next = 0; harness->answered < corpus.count;) {
        while (next < corpus.count && pool_has_room(harness->pool)) {
            int fd = open(corpus.paths[next], O_RDONLY | O_CLOEXEC);
            assert_true(fd >= 0);
            harness_submit(harness, next++, fd, 1);
        }
        harness_turn(harness);
    }
}

static void test_confined_and_free_workers_agree(void **state)
{
    (void)state;
    if (corpus.count == 0) {
        print_message("skipped: set REELD_CORPUS to a folder of media files\n");
        skip();
        return;
    }
    struct harness confined, unconfined;
    probe_all(&confined, WORKER, NULL);
    probe_all(&unconfined, ATTACK_WORKER, "unconfined");
    size_t good = 0;
    for (size_t i = 0; i < corpus.count; i++) {
        const struct harness_outcome *a = &confined.outcomes[i], *b = &unconfined.outcomes[i];
        if (a->code == FAILURE_CRASH || a->code != b->code || a->width != b->width ||
            a->digest != b->digest || strcmp(a->error, b->error) != 0)
            fail_msg("%s: code %d \"%s\", without a sandbox %d \"%s\"", corpus.paths[i], a->code,
                     a->error, b->code, b->error);
        good += a->code == FAILURE_NONE;
    }
    print_message("%zu files, %zu of them videos\n", corpus.count, good);
    harness_close(&confined);
    harness_close(&unconfined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_confined_and_free_workers_agree)};
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, corpus_find, corpus_free);
}
