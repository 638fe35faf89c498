/* The pool with real workers: every file gets exactly one answer, and nothing is left behind. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool_harness.h"

static void expect_video(const struct harness_outcome *outcome)
{
    assert_int_equal(outcome->answers, 1);
    assert_int_equal(outcome->code, FAILURE_NONE);
    assert_int_equal(outcome->width, 16);
}

static void test_any_number_of_workers(void **state)
{
    (void)state;
    static const int counts[] = {1, 2, 3, 16};
    size_t descriptors = harness_descriptors();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        enum { FILES = 60 };
        struct harness harness;
        harness_open(&harness, WORKER, counts[i], FILES);
        for (size_t file = 0; file < FILES; file++) {
            if (file % 3)
                harness_submit_video(&harness, file);
            else
                harness_submit_text(&harness, file, "no film");
        }
        harness_run(&harness, FILES);
        for (size_t file = 0; file < FILES; file++) {
            if (file % 3)
                expect_video(&harness.outcomes[file]);
            else
                assert_int_equal(harness.outcomes[file].code, FAILURE_NOT_MEDIA);
        }
        harness_until(&harness, harness_idle);
        struct pool_status status;
        pool_status(harness.pool, &status);
        assert_int_equal(status.started, counts[i]);
        assert_int_equal(status.probed, FILES);
        assert_int_equal(status.queued + status.in_flight, 0);
        assert_true(strlen(status.version) > 0);
        assert_int_equal(pool_timeout_ms(harness.pool), -1); /* nothing to wait for */
        harness_close(&harness);
        assert_int_equal(harness_children(NULL, 0), 0);
    }
    assert_int_equal(harness_descriptors(), descriptors);
}

static void test_thousands_of_files(void **state)
{
    (void)state;
    enum { FILES = 4000 };
    struct harness harness;
    harness_open(&harness, WORKER, 4, FILES);
    harness_until(&harness, harness_idle);
    size_t descriptors = harness_descriptors(), most = 0;
    for (size_t next = 0; harness.answered < FILES;) {
        while (next < FILES && pool_has_room(harness.pool))
            harness_submit_video(&harness, next++);
        size_t open = harness_descriptors();
        most = open > most ? open : most;
        harness_turn(&harness);
    }
    for (size_t file = 0; file < FILES; file++)
        expect_video(&harness.outcomes[file]);
    /* As many files as fit into the pipelines are open at a time, and none after. */
    assert_true(most <= descriptors + 4 * 8);
    assert_int_equal(harness_descriptors(), descriptors);
    harness_until_children(&harness, 4);
    harness_close(&harness);
}

static void test_on_demand_overtakes(void **state)
{
    (void)state;
    enum { FILES = 100 };
    struct harness harness;
    harness_open(&harness, WORKER, 1, FILES + 1);
    for (size_t file = 0; file < FILES; file++)
        harness_submit_video(&harness, file);
    int fd = harness_file(harness_video, harness_video_size);
    struct harness_outcome *urgent = &harness.outcomes[FILES];
    assert_int_equal(pool_submit(harness.pool, fd, "y4m", POOL_ON_DEMAND, 1, urgent), RL_OK);
    while (!urgent->answers)
        harness_turn(&harness);
    assert_true(harness.answered < FILES / 2);
    harness_run(&harness, FILES + 1);
    harness_close(&harness);
}

/* ---- callbacks that call the pool ------------------------------------------------------------ */

struct chain {
    struct pool *pool;
    int left;
};

static void chain_done(void *ctx, struct pool_result *result)
{
    struct chain *chain = ctx;
    assert_int_equal(result->code, FAILURE_NONE);
    media_info_clear(&result->info);
    chain->left--;
    if (chain->left > 0)
        assert_int_equal(pool_submit(chain->pool, harness_file(harness_video, harness_video_size),
                                     "y4m", POOL_PROBE, 1, NULL),
                         RL_OK);
}

static void test_a_callback_may_submit(void **state)
{
    (void)state;
    struct chain chain = {.left = 50};
    struct pool_config config = {
        .program = WORKER, .workers = 2, .done = chain_done, .ctx = &chain};
    assert_int_equal(pool_open(&config, &chain.pool), RL_OK);
    struct harness harness = {.pool = chain.pool};
    assert_int_equal(pool_submit(chain.pool, harness_file(harness_video, harness_video_size), "y4m",
                                 POOL_PROBE, 1, NULL),
                     RL_OK);
    while (chain.left > 0)
        harness_turn(&harness);
    pool_close(chain.pool);
}

/* ---- cancelling ------------------------------------------------------------------------------ */

static void drop_count(void *ctx, void *tag)
{
    (void)tag;
    (*(size_t *)ctx)++;
}

static void test_cancel_forgets_one_owner_only(void **state)
{
    (void)state;
    enum { FILES = 200 };
    size_t descriptors = harness_descriptors(), dropped = 0;
    struct harness harness;
    harness_open(&harness, WORKER, 2, FILES);
    harness_until(&harness, harness_idle);
    for (size_t file = 0; file < FILES; file++)
        harness_submit(&harness, file, harness_file(harness_video, harness_video_size), file % 2);
    pool_cancel(harness.pool, 1, drop_count, &dropped);
    assert_int_equal(dropped, FILES / 2);
    harness_run(&harness, FILES / 2);
    harness_until(&harness, harness_idle);
    for (size_t file = 0; file < FILES; file++) {
        if (file % 2)
            assert_int_equal(harness.outcomes[file].answers, 0);
        else
            expect_video(&harness.outcomes[file]);
    }
    struct pool_status status;
    pool_status(harness.pool, &status);
    assert_int_equal(status.in_flight + status.queued, 0);
    assert_int_equal(status.started, 2); /* nobody was stuck, nobody was killed */
    harness_close(&harness);
    assert_int_equal(harness_descriptors(), descriptors);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void test_close_leaves_nothing(void **state)
{
    (void)state;
    size_t descriptors = harness_descriptors();
    for (int turns = 0; turns < 6; turns++) {
        struct harness harness;
        harness_open(&harness, WORKER, 3, 100);
        for (size_t file = 0; file < 100; file++)
            harness_submit_video(&harness, file);
        for (int i = 0; i < turns && harness.answered < harness.count; i++)
            harness_turn(&harness);
        harness_close(&harness);
        assert_int_equal(harness_children(NULL, 0), 0);
        assert_int_equal(harness_descriptors(), descriptors);
    }
    pool_close(NULL);
}

/* The worker of a daemon that was killed is gone, and with it its hold on a file. */
static void test_workers_die_with_the_daemon(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t daemon = fork();
    assert_true(daemon >= 0);
    if (daemon == 0) {
        struct harness harness;
        int pids[3];
        harness_open(&harness, WORKER, 3, 0);
        harness_until(&harness, harness_idle);
        if (harness_children(pids, 3) != 3 || write(ends[1], pids, sizeof pids) != sizeof pids)
            _exit(1);
        for (;;)
            pause();
    }
    int pids[3];
    assert_int_equal(read(ends[0], pids, sizeof pids), sizeof pids);
    int pidfds[3];
    for (int i = 0; i < 3; i++) {
        pidfds[i] = (int)syscall(SYS_pidfd_open, pids[i], 0);
        assert_true(pidfds[i] >= 0);
    }
    assert_int_equal(kill(daemon, SIGKILL), 0);
    assert_int_equal(waitpid(daemon, NULL, 0), daemon);
    for (int i = 0; i < 3; i++) {
        struct pollfd gone = {.fd = pidfds[i], .events = POLLIN};
        assert_int_equal(poll(&gone, 1, 60000), 1);
        close(pidfds[i]);
    }
    close(ends[0]);
    close(ends[1]);
}

/* ---- a worker that cannot be started --------------------------------------------------------- */

static bool gave_up(const struct pool_status *status)
{
    return status->sandbox == POOL_SANDBOX_FAILED;
}

static void test_a_missing_program_is_said(void **state)
{
    (void)state;
    size_t descriptors = harness_descriptors();
    struct harness harness;
    harness_open(&harness, WORKER "-that-is-not-there", 2, 20);
    struct pool_status status;
    pool_status(harness.pool, &status);
    assert_true(gave_up(&status));
    assert_non_null(strstr(status.sandbox_error, "No such file"));
    assert_int_equal(status.alive, 0);
    assert_false(pool_has_room(harness.pool)); /* there is hope yet */
    for (size_t file = 0; file < 20; file++)
        harness_submit_video(&harness, file);
    harness_run(&harness, 20);
    for (size_t file = 0; file < 20; file++) {
        assert_int_equal(harness.outcomes[file].answers, 1);
        assert_int_equal(harness.outcomes[file].code, FAILURE_SANDBOX);
        assert_non_null(strstr(harness.outcomes[file].error, "No such file"));
    }
    assert_true(pool_has_room(harness.pool)); /* and now files shall not wait */
    assert_true(pool_timeout_ms(harness.pool) > 0);
    harness_close(&harness);
    assert_int_equal(harness_descriptors(), descriptors);
}

/* A program that is no worker of this build. */
static void test_another_program_is_no_worker(void **state)
{
    (void)state;
    struct harness harness;
    harness_open(&harness, "/bin/true", 1, 1);
    harness_submit_video(&harness, 0);
    harness_run(&harness, 1);
    assert_int_equal(harness.outcomes[0].code, FAILURE_SANDBOX);
    struct pool_status status;
    pool_status(harness.pool, &status);
    assert_non_null(strstr(status.sandbox_error, "before it was ready"));
    harness_close(&harness);
}

static void test_wrong_settings_are_refused(void **state)
{
    (void)state;
    struct pool *pool;
    struct pool_config config = {.program = WORKER, .workers = 0, .done = chain_done};
    assert_int_equal(pool_open(&config, &pool), RL_EINVAL);
    config.workers = 17;
    assert_int_equal(pool_open(&config, &pool), RL_EINVAL);
}

/* Nobody else's descriptors, and none of the usual three, are needed. */
static void test_standard_descriptors_may_be_closed(void **state)
{
    (void)state;
    int in = dup(STDIN_FILENO), out = dup(STDOUT_FILENO);
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    struct harness harness;
    harness_open(&harness, WORKER, 2, 10);
    for (size_t file = 0; file < 10; file++)
        harness_submit_video(&harness, file);
    harness_run(&harness, 10);
    bool good = true;
    for (size_t file = 0; file < 10; file++)
        good = good && harness.outcomes[file].code == FAILURE_NONE;
    harness_close(&harness);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    close(in);
    close(out);
    assert_true(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_number_of_workers),
        cmocka_unit_test(test_thousands_of_files),
        cmocka_unit_test(test_on_demand_overtakes),
        cmocka_unit_test(test_a_callback_may_submit),
        cmocka_unit_test(test_cancel_forgets_one_owner_only),
        cmocka_unit_test(test_close_leaves_nothing),
        cmocka_unit_test(test_workers_die_with_the_daemon),
        cmocka_unit_test(test_a_missing_program_is_said),
        cmocka_unit_test(test_another_program_is_no_worker),
        cmocka_unit_test(test_wrong_settings_are_refused),
        cmocka_unit_test(test_standard_descriptors_may_be_closed),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
