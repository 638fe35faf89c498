/* Pictures of real and of damaged files through the pool: each file gives one or says why not, the
 * sandbox stands in nobody's way, and no worker is lost. */
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

static struct {
    char *paths[FILES_MAX];
    size_t count;
} corpus;

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

/* A picture of each file of the corpus, and a probe. */
static void work_through(struct harness *harness, const char *program, const char *mode,
                         enum picture_kind kind)
{
    struct pool_config config = {.program = program,
                                 .workers = 2,
                                 .deadline_ms = 30000,
                                 .memory_limit = mode ? 0 : UINT64_C(1) << 30,
                                 .test_mode = mode};
    const struct picture_request request = {.kind = (int32_t)kind, .width = 160};
    harness_open_with(harness, &config, 2 * corpus.count);
    for (size_t next = 0; harness->answered < 2 * corpus.count;) {
        while (next < 2 * corpus.count &&
               pool_has_room_for_picture(harness->pool, POOL_BACKGROUND)) {
            int fd = open(corpus.paths[next / 2], O_RDONLY | O_CLOEXEC);
            assert_true(fd >= 0);
            if (next % 2)
                harness_submit(harness, next, fd, 1);
            else
                assert_int_equal(pool_submit_picture(harness->pool, fd, "", &request,
                                                     POOL_BACKGROUND, 1, &harness->outcomes[next]),
                                 RL_OK);
            next++;
        }
        harness_turn(harness);
    }
}

static void each_gives_a_picture_or_a_reason(enum picture_kind kind)
{
    struct harness confined, unconfined;
    struct pool_status status;
    work_through(&confined, WORKER, NULL, kind);
    work_through(&unconfined, ATTACK_WORKER, "unconfined", kind);
    size_t pictures = 0, videos = 0;
    for (size_t i = 0; i < 2 * corpus.count; i += 2) {
        const struct harness_outcome *a = &confined.outcomes[i], *b = &unconfined.outcomes[i];
        if (a->code != b->code || a->picture_digest != b->picture_digest ||
            strcmp(a->error, b->error) != 0)
            fail_msg("%s: code %d \"%s\", without a sandbox %d \"%s\"", corpus.paths[i / 2],
                     a->code, a->error, b->code, b->error);
        bool picture = a->code == FAILURE_NONE;
        assert_int_equal(picture, a->picture_size > 0);
        assert_int_equal(picture, a->error[0] == '\0');
        pictures += picture;
        videos += confined.outcomes[i + 1].code == FAILURE_NONE;
    }
    print_message("%zu files, %zu pictures, %zu videos\n", corpus.count, pictures, videos);
    pool_status(confined.pool, &status);
    assert_int_equal(status.crashes + status.ooms + status.timeouts + status.bad_replies, 0);
    assert_int_equal(status.started, 2);
    harness_close(&confined);
    harness_close(&unconfined);
}

static void corpus_needed(void)
{
    if (corpus.count == 0) {
        print_message("skipped: set REELD_CORPUS to a folder of media files\n");
        skip();
    }
}

static void test_thumbnails_of_the_corpus(void **state)
{
    (void)state;
    corpus_needed();
    each_gives_a_picture_or_a_reason(PICTURE_THUMBNAIL);
}

static void test_storyboards_of_the_corpus(void **state)
{
    (void)state;
    corpus_needed();
    each_gives_a_picture_or_a_reason(PICTURE_STORYBOARD);
}

/* ---- damage -------------------------------------------------------------------------------- */

struct file {
    unsigned char *bytes;
    size_t len;
};

static struct file made(const char *name, const char *arguments)
{
    char dir[] = "/tmp/reeld-damaged-XXXXXX", path[128], command[512];
    struct stat status;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(command, sizeof command,
             "ffmpeg -nostdin -loglevel error -f lavfi -i testsrc2=s=160x120:r=25:d=3 -f lavfi -i "
             "sine=d=3 %s %s",
             arguments, path);
    assert_int_equal(system(command), 0);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fstat(fileno(in), &status), 0);
    struct file file = {malloc((size_t)status.st_size), (size_t)status.st_size};
    assert_non_null(file.bytes);
    assert_int_equal(fread(file.bytes, 1, file.len, in), file.len);
    fclose(in);
    unlink(path);
    rmdir(dir);
    return file;
}

/* Flips bits, anywhere or where the structure is, overwrites a stretch, and cuts the end off. */
static int damaged(const struct file *master)
{
    unsigned char *bytes = malloc(master->len);
    assert_non_null(bytes);
    memcpy(bytes, master->bytes, master->len);
    for (int flips = rand() % 200; flips > 0; flips--) {
        size_t range = rand() % 3 ? master->len : master->len < 2048 ? master->len : 2048;
        bytes[(size_t)rand() % range] ^= (unsigned char)(1 << rand() % 8);
    }
    if (rand() % 4 == 0) {
        size_t at = (size_t)rand() % master->len, len = (size_t)rand() % (master->len - at);
        memset(bytes + at, rand() % 256, len);
    }
    size_t len = rand() % 4 ? master->len : 1 + (size_t)rand() % master->len;
    int fd = harness_file(bytes, len);
    free(bytes);
    return fd;
}

static void test_damaged_files(void **state)
{
    (void)state;
    static const char *const masters[][2] = {
        {"a.mp4", "-c:v libx264 -g 10 -c:a aac"},
        {"b.mp4", "-c:v libx265 -x265-params log-level=none -c:a aac"},
        {"c.mkv", "-c:v libx264 -g 20 -c:a flac"},
        {"d.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"},
        {"e.avi", "-c:v mpeg4 -c:a libmp3lame"},
        {"f.ts", "-c:v libx264 -g 20 -c:a ac3"},
        {"g.mpg", "-c:v mpeg2video -c:a mp2"},
        {"h.flv", "-c:v flv1 -ar 44100 -c:a libmp3lame"},
        {"i.wmv", "-c:v wmv2 -c:a wmav2"},
        {"j.ogv", "-c:v libtheora -c:a libvorbis"},
        {"k.mov", "-c:v prores_ks -frames:v 6 -an"},
        {"l.avi", "-c:v mjpeg -frames:v 12 -an"},
        {"m.mkv", "-c:v png -frames:v 6 -an"},
    };
    enum { MASTERS = sizeof masters / sizeof *masters, EACH = 40, FILES = MASTERS * EACH };
    struct pool_config config = {
        .program = WORKER, .workers = 2, .deadline_ms = 30000, .memory_limit = UINT64_C(1) << 30};
    struct file files[MASTERS];
    struct harness harness;
    size_t counts[FAILURES] = {0};
    srand(5);
    for (size_t i = 0; i < MASTERS; i++)
        files[i] = made(masters[i][0], masters[i][1]);
    harness_open_with(&harness, &config, FILES);
    for (size_t i = 0; i < FILES; i++) {
        const struct picture_request request = {i % 4 ? PICTURE_THUMBNAIL : PICTURE_STORYBOARD,
                                                160};
        while (!pool_has_room_for_picture(harness.pool, POOL_BACKGROUND))
            harness_turn(&harness);
        assert_int_equal(pool_submit_picture(harness.pool, damaged(&files[i % MASTERS]),
                                             masters[i % MASTERS][0] + 2, &request, POOL_BACKGROUND,
                                             1, &harness.outcomes[i]),
                         RL_OK);
    }
    harness_run(&harness, FILES);
    for (size_t i = 0; i < FILES; i++) {
        assert_int_equal(harness.outcomes[i].answers, 1);
        counts[harness.outcomes[i].code]++;
    }
    print_message("%d damaged files: %zu pictures, %zu without one, %zu crashes, %zu time-outs\n",
                  (int)FILES, counts[FAILURE_NONE], counts[FAILURE_NO_PICTURE],
                  counts[FAILURE_CRASH], counts[FAILURE_TIMEOUT]);
    assert_true(counts[FAILURE_NONE] > FILES / 3 && counts[FAILURE_NONE] < FILES);
    /* Libraries crash; what reeld itself says may not be nonsense. */
    assert_int_equal(counts[FAILURE_BAD_REPLY] + counts[FAILURE_SANDBOX] + counts[FAILURE_TIMEOUT],
                     0);
    assert_true(counts[FAILURE_CRASH] <= 2);
    for (size_t i = 0; i < MASTERS; i++)
        free(files[i].bytes);
    harness_close(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thumbnails_of_the_corpus),
        cmocka_unit_test(test_storyboards_of_the_corpus),
        cmocka_unit_test(test_damaged_files),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, corpus_find, corpus_free);
}
