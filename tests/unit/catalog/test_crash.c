#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

/* ---- kill -9 ------------------------------------------------------------------------------- */

enum { ROUNDS = 30, GROUP = 7 };

/* Puts groups for ever; after each commit it writes the highest committed sequence to `out`. A
 * video's path is its sequence, so that a number given twice would show. */
static void write_until_killed(const char *path, int out)
{
    char why[CATALOG_WHY_SIZE];
    struct catalog *writer;
    if (catalog_open(path, CATALOG_WRITER, &writer, why) != RL_OK)
        _exit(2);
    for (;;) {
        int64_t sequence = 0;
        if (catalog_begin(writer) != RL_OK)
            _exit(3);
        if (catalog_sequence(writer, &sequence) != RL_OK)
            _exit(4);
        for (int i = 0; i < GROUP; i++) {
            struct video video = {0};
            enum outcome outcome;
            char name[96];
            sequence++;
            snprintf(name, sizeof name, "/m/%lld/%lld.mkv", (long long)(sequence / 100),
                     (long long)sequence);
            video.path = name;
            video.info.summary.duration_us = sequence;
            if (catalog_video_put(writer, &video, 1, &outcome) != RL_OK || outcome != OUTCOME_NEW ||
                video.sequence != sequence)
                _exit(5);
        }
        if (catalog_commit(writer) != RL_OK)
            _exit(6);
        if (write(out, &sequence, sizeof sequence) != sizeof sequence)
            _exit(7);
    }
}

/* Kills a writer after `commits` of its commits and then some; returns what it had reported. */
static int64_t run_and_kill(const char *path, int commits, useconds_t then)
{
    int report[2], status = 0;
    assert_int_equal(pipe(report), 0);
    pid_t child = fork();
    if (child == 0) {
        close(report[0]);
        write_until_killed(path, report[1]);
    }
    close(report[1]);
    int64_t sequence = 0, reported = 0;
    for (int i = 0; i < commits && read(report[0], &sequence, sizeof sequence) > 0; i++)
        reported = sequence;
    usleep(then); /* not to wait for anything: a random instant is the test */
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        fail_msg("the writer gave up with %d", WEXITSTATUS(status));
    while (read(report[0], &sequence, sizeof sequence) == sizeof sequence)
        reported = sequence;
    close(report[0]);
    return reported;
}

static void test_kill(void **state)
{
    struct fixture *fixture = *state;
    catalog_close(fixture->writer);
    fixture->writer = NULL;
    srand(42);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t reported = run_and_kill(fixture->path, 1 + rand() % 20, (useconds_t)rand() % 9000);
        /* Through a handle of ours first, as a daemon would come back. */
        struct catalog *writer = open_catalog(fixture->path, CATALOG_WRITER);
        int64_t sequence = 0;
        assert_ok(writer, catalog_sequence(writer, &sequence));
        catalog_close(writer);
        assert_true(sequence >= reported);
        assert_int_equal(query_int(fixture->path, "SELECT integrity_check = 'ok' FROM"
                                                  " pragma_integrity_check"),
                         1);
        assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM pragma_foreign_key_check"),
                         0);
        assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM videos"), sequence);
        assert_int_equal(query_int(fixture->path, "SELECT count(DISTINCT sequence) FROM videos"),
                         sequence);
        assert_int_equal(query_int(fixture->path, "SELECT max(sequence) FROM videos"), sequence);
        assert_int_equal(sequence % GROUP, 0);
        assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM order_name"),
                         query_int(fixture->path, "SELECT value FROM meta WHERE key = 'settled'"));
        query_exec(fixture->path,
                   "INSERT INTO videos_text (videos_text) VALUES ('integrity-check')");
    }
}

/* ---- a full disk --------------------------------------------------------------------------- */

/* Puts groups until the place is full; the number of rows that were committed. */
static int64_t fill_up(struct catalog *writer, int64_t *next, enum rl_err *err)
{
    int64_t committed = 0;
    for (;;) {
        *err = catalog_begin(writer);
        for (int i = 0; *err == RL_OK && i < 50; i++) {
            struct video video;
            enum outcome outcome;
            char path[96];
            snprintf(path, sizeof path, "/m/%lld.mkv", (long long)(*next)++);
            video_make(&video, path, (uint32_t)*next);
            *err = catalog_video_put(writer, &video, 1, &outcome);
            video_clear(&video);
        }
        if (*err == RL_OK) {
            *err = catalog_commit(writer);
            if (*err == RL_OK) {
                committed += 50;
                continue;
            }
        } else {
            /* Everything else in this transaction says the same. */
            assert_int_equal(catalog_job_failures_clear(writer, 1), *err);
            assert_int_equal(catalog_commit(writer), *err);
        }
        return committed;
    }
}

static void test_full_disk(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = fixture->mount;
    char path[256], ballast[256];
    snprintf(path, sizeof path, "%s/reeld.db", folder);
    snprintf(ballast, sizeof ballast, "%s/ballast", folder);
    if (mount("tmpfs", folder, "tmpfs", 0, "size=6m") != 0) {
        print_message("not permitted to mount: a full disk was not tried\n");
        skip();
    }
    struct catalog *writer = open_catalog(path, CATALOG_WRITER);
    FILE *file = fopen(ballast, "w");
    assert_non_null(file);
    for (int i = 0; i < 3 * 1024 * 1024; i++)
        fputc('b', file);
    assert_int_equal(fclose(file), 0);

    enum rl_err err;
    int64_t next = 0, sequence = 0;
    int64_t committed = fill_up(writer, &next, &err);
    assert_int_equal(err, RL_EFULL);
    assert_true(catalog_error(writer)[0] != '\0');
    assert_ok(writer, catalog_sequence(writer, &sequence));
    assert_int_equal(sequence, committed);
    struct video_page page;
    struct video_query query = {.limit = 10};
    assert_ok(writer, catalog_videos(writer, &query, &page));
    assert_int_equal(page.total, committed);
    video_page_clear(&page);

    /* Still full; then there is room again, and the same handle goes on. */
    assert_int_equal(fill_up(writer, &next, &err), 0);
    assert_int_equal(err, RL_EFULL);
    assert_int_equal(unlink(ballast), 0);
    int64_t more = fill_up(writer, &next, &err);
    assert_true(more > 0);
    assert_int_equal(err, RL_EFULL);
    catalog_close(writer);
    assert_int_equal(query_int(path, "SELECT count(*) FROM videos"), committed + more);
    assert_int_equal(query_int(path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
                     1);
    assert_int_equal(umount(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kill, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_full_disk, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
