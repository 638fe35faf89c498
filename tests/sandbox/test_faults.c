/* The pool when its workers misbehave as a whole: back-off, hope and its end, cancelling, relief.
 */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool_harness.h"

static void fault_open(struct harness *harness, const char *mode, int workers, int64_t deadline_ms,
                       size_t count)
{
    struct pool_config config = {.program = ATTACK_WORKER,
                                 .workers = workers,
                                 .deadline_ms = deadline_ms,
                                 .test_mode = mode};
    harness_open_with(harness, &config, count);
}

static struct pool_status status_of(const struct harness *harness)
{
    struct pool_status status;
    pool_status(harness->pool, &status);
    return status;
}

/* ---- workers that cannot be had -------------------------------------------------------------- */

static void test_no_sandbox_no_reading(void **state)
{
    (void)state;
    struct harness harness;
    fault_open(&harness, "fail", 2, 0, 10);
    for (size_t i = 0; i < 10; i++)
        harness_submit_video(&harness, i);
    harness_run(&harness, 10);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(harness.outcomes[i].code, FAILURE_SANDBOX);
        assert_non_null(strstr(harness.outcomes[i].error, "asked to fail"));
    }
    struct pool_status status = status_of(&harness);
    assert_int_equal(status.sandbox, POOL_SANDBOX_FAILED);
    assert_non_null(strstr(status.sandbox_error, "asked to fail"));
    assert_int_equal(status.alive, 0);
    assert_true(status.started >= 6); /* it was tried three times each before */
    assert_int_equal(status.probed, 0);
    harness_close(&harness);
}

static void test_a_kernel_without_landlock_is_said(void **state)
{
    (void)state;
    struct harness harness;
    fault_open(&harness, "no-landlock", 1, 0, 1);
    harness_submit_video(&harness, 0);
    harness_run(&harness, 1);
    assert_int_equal(harness.outcomes[0].code, FAILURE_NONE);
    struct pool_status status = status_of(&harness);
    assert_int_equal(status.sandbox, POOL_SANDBOX_NO_LANDLOCK);
    assert_non_null(strstr(status.sandbox_error, "no Landlock"));
    harness_close(&harness);
}

static bool started_five(const struct pool_status *status)
{
    return status->started >= 5;
}

/* 100 + 200 + 400 + 800 ms lie between the first start and the fifth. */
static void back_off_expect(const char *mode)
{
    struct harness harness;
    int64_t start = clock_mono_ms();
    fault_open(&harness, mode, 1, 0, 0);
    harness_until(&harness, started_five);
    assert_true(clock_mono_ms() - start >= 1500);
    harness_close(&harness);
}

static void test_workers_that_end_are_started_ever_slower(void **state)
{
    (void)state;
    back_off_expect("exit-early");
    back_off_expect("exit-idle");
}

/* ---- one stuck file and the rest ------------------------------------------------------------- */

/* What waits behind a stuck file goes to the other worker; nobody waits for the deadline. */
static void test_files_behind_a_stuck_one_are_taken_over(void **state)
{
    (void)state;
    enum { FILES = 12 };
    struct harness harness;
    fault_open(&harness, NULL, 2, 30000, FILES + 1);
    harness_until(&harness, harness_idle);
    harness_submit_text(&harness, FILES, "ATTACK:hang\n");
    for (size_t i = 0; i < FILES; i++)
        harness_submit_video(&harness, i);
    harness_run(&harness, FILES);
    assert_int_equal(harness.outcomes[FILES].answers, 0);
    for (size_t i = 0; i < FILES; i++) {
        assert_int_equal(harness.outcomes[i].answers, 1);
        assert_int_equal(harness.outcomes[i].code, FAILURE_NONE);
    }
    assert_int_equal(status_of(&harness).timeouts, 0);
    harness_close(&harness);
}

static void drop_count(void *ctx, void *tag)
{
    (void)tag;
    (*(size_t *)ctx)++;
}

/* With no deadline at all, a cancelled file that hangs still frees its worker. */
static void test_cancel_frees_a_stuck_worker(void **state)
{
    (void)state;
    enum { FILES = 6 };
    struct harness harness;
    size_t dropped = 0;
    fault_open(&harness, NULL, 1, 0, FILES + 2);
    harness_until(&harness, harness_idle);
    for (size_t i = 0; i < 2; i++)
        harness_submit(&harness, FILES + i, harness_file("ATTACK:hang\n", 12), 7);
    for (size_t i = 0; i < FILES; i++)
        harness_submit_video(&harness, i);
    pool_cancel(harness.pool, 7, drop_count, &dropped);
    assert_int_equal(dropped, 2);
    assert_int_equal(status_of(&harness).in_flight + status_of(&harness).queued, FILES);
    harness_run(&harness, FILES);
    for (size_t i = 0; i < FILES; i++)
        assert_int_equal(harness.outcomes[i].code, FAILURE_NONE);
    assert_int_equal(harness.outcomes[FILES].answers, 0);
    assert_int_equal(status_of(&harness).timeouts, 0);
    harness_close(&harness);
}

/* Waiting for a deadline is waiting, not asking again and again. */
static void test_waiting_is_no_busy_loop(void **state)
{
    (void)state;
    struct harness harness;
    fault_open(&harness, NULL, 1, 1500, 1);
    harness_until(&harness, harness_idle);
    harness_submit_text(&harness, 0, "ATTACK:hang\n");
    int turns = 0;
    for (; !harness.answered; turns++)
        harness_turn(&harness);
    assert_int_equal(harness.outcomes[0].code, FAILURE_TIMEOUT);
    assert_true(turns <= 10);
    harness_close(&harness);
}

/* Not even a worker that never looks at its channel outlives a daemon that was killed. */
static void test_a_stuck_worker_dies_with_the_daemon(void **state)
{
    (void)state;
    int ends[2], worker = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t daemon = fork();
    assert_true(daemon >= 0);
    if (daemon == 0) {
        struct harness harness;
        fault_open(&harness, NULL, 1, 0, 2);
        harness_submit_video(&harness, 0);
        harness_submit_text(&harness, 1, "ATTACK:spin\n");
        harness_run(&harness, 1); /* it has turned to the second */
        if (harness_children(&worker, 1) != 1 ||
            write(ends[1], &worker, sizeof worker) != sizeof worker)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], &worker, sizeof worker), sizeof worker);
    struct pollfd gone = {.fd = (int)syscall(SYS_pidfd_open, worker, 0), .events = POLLIN};
    assert_true(gone.fd >= 0);
    assert_int_equal(kill(daemon, SIGKILL), 0);
    assert_int_equal(waitpid(daemon, NULL, 0), daemon);
    int ended = poll(&gone, 1, 60000);
    if (ended != 1)
        kill(worker, SIGKILL);
    assert_int_equal(ended, 1);
    close(gone.fd);
    close(ends[0]);
    close(ends[1]);
}

/* ---- many ends ------------------------------------------------------------------------------- */

static void crash_many(size_t files)
{
    size_t descriptors = harness_descriptors();
    struct harness harness;
    fault_open(&harness, NULL, 4, 20000, files);
    for (size_t i = 0; i < files; i++) {
        if (i % 4 == 0)
            harness_submit_text(&harness, i, "ATTACK:exit\n");
        else
            harness_submit_video(&harness, i);
    }
    harness_run(&harness, files);
    for (size_t i = 0; i < files; i++) {
        assert_int_equal(harness.outcomes[i].answers, 1);
        assert_int_equal(harness.outcomes[i].code, i % 4 == 0 ? FAILURE_CRASH : FAILURE_NONE);
    }
    harness_until(&harness, harness_idle);
    assert_int_equal(status_of(&harness).crashes, (files + 3) / 4);
    harness_until_children(&harness, 4); /* no zombie */
    harness_close(&harness);
    assert_int_equal(harness_descriptors(), descriptors);
}

static void test_a_hundred_crashes_leave_nothing(void **state)
{
    (void)state;
    crash_many(400);
}

/* Started by a program that ignores SIGCHLD: there is no exit status to be had. */
static void test_children_that_are_reaped_by_the_kernel(void **state)
{
    (void)state;
    signal(SIGCHLD, SIG_IGN);
    crash_many(20);
    signal(SIGCHLD, SIG_DFL);
}

/* A worker that ran out of memory is replaced: what it fragmented is not charged to the next. */
static void test_out_of_memory_replaces_the_worker(void **state)
{
    (void)state;
    struct harness harness;
    fault_open(&harness, NULL, 1, 20000, 4);
    harness_submit_video(&harness, 0);
    harness_submit_text(&harness, 1, "ATTACK:out-of-memory\n");
    harness_submit_video(&harness, 2);
    harness_submit_video(&harness, 3);
    harness_run(&harness, 4);
    assert_int_equal(harness.outcomes[1].code, FAILURE_OOM);
    assert_int_equal(harness.outcomes[2].code, FAILURE_NONE);
    assert_int_equal(harness.outcomes[3].code, FAILURE_NONE);
    assert_int_equal(status_of(&harness).started, 2);
    assert_int_equal(status_of(&harness).ooms, 1);
    harness_close(&harness);
}

/* The largest message there can be passes the confined worker's socket, many times over. */
static void test_the_largest_answers_pass(void **state)
{
    (void)state;
    enum { FILES = 64 };
    struct harness harness;
    fault_open(&harness, "largest", 2, 20000, FILES);
    for (size_t i = 0; i < FILES; i++)
        harness_submit_video(&harness, i);
    harness_run(&harness, FILES);
    for (size_t i = 0; i < FILES; i++) {
        assert_int_equal(harness.outcomes[i].code, FAILURE_NONE);
        assert_int_equal(harness.outcomes[i].streams, MEDIA_STREAMS_MAX);
        assert_int_equal(harness.outcomes[i].chapters, MEDIA_CHAPTERS_MAX);
    }
    harness_close(&harness);
}

/* Takes all of processor 0 for a second at the priority of everything else. */
static pid_t start_hog(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        int64_t end = clock_mono_ms() + 1000;
        while (clock_mono_ms() < end)
            ;
        _exit(0);
    }
    return pid;
}

static void pin(pid_t pid)
{
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    assert_int_equal(sched_setaffinity(pid, sizeof first, &first), 0);
}

/* A file is not at fault when its worker was not let run: with the processor taken by another for
 * much longer than the deadline, it is charged only after that has ended. */
static void test_standing_in_line_is_no_fault_of_the_file(void **state)
{
    (void)state;
    struct harness harness;
    fault_open(&harness, NULL, 1, 300, 1);
    harness_until(&harness, harness_idle);
    int worker;
    assert_int_equal(harness_children(&worker, 1), 1);
    pin(worker);
    pid_t hog = start_hog();
    pin(hog);
    harness_submit_text(&harness, 0, "ATTACK:spin\n");
    while (harness_turn_beside(&harness, hog))
        assert_int_equal(harness.answered, 0);
    harness_run(&harness, 1);
    assert_int_equal(harness.outcomes[0].code, FAILURE_TIMEOUT);
    harness_close(&harness);
}

/* A picture whose making takes a worker some time. */
static int large_video(void)
{
    enum { WIDTH = 1920, HEIGHT = 1080, FRAMES = 6, FRAME = WIDTH * HEIGHT * 3 / 2 };
    static const char head[] = "YUV4MPEG2 W1920 H1080 F25:1 Ip A1:1 C420jpeg\n";
    static const char mark[] = "FRAME\n";
    size_t size = sizeof head - 1 + (size_t)FRAMES * (sizeof mark - 1 + FRAME);
    char *bytes = malloc(size), *at = bytes;
    assert_non_null(bytes);
    memcpy(at, head, sizeof head - 1);
    at += sizeof head - 1;
    for (int frame = 0; frame < FRAMES; frame++) {
        memcpy(at, mark, sizeof mark - 1);
        at += sizeof mark - 1;
        for (size_t i = 0; i < FRAME; i++)
            *at++ = (char)(i * 31 + (i >> 7) * (size_t)(frame + 3));
    }
    int fd = harness_file(bytes, size);
    free(bytes);
    return fd;
}

/* Nor is the worker, where nobody waits for the file any more. */
static void test_standing_in_line_is_no_fault_of_the_worker(void **state)
{
    (void)state;
    struct harness harness;
    size_t dropped = 0;
    fault_open(&harness, NULL, 1, 0, 1);
    harness_until(&harness, harness_idle);
    int worker;
    assert_int_equal(harness_children(&worker, 1), 1);
    int fd = large_video();
    pin(worker);
    pid_t hog = start_hog();
    pin(hog);
    harness_submit_picture(&harness, 0, fd, "y4m", POOL_ON_DEMAND, 7);
    pool_cancel(harness.pool, 7, drop_count, &dropped);
    assert_int_equal(dropped, 1);
    while (harness_turn_beside(&harness, hog))
        ;
    harness_until(&harness, harness_idle);
    assert_int_equal(status_of(&harness).started, 1);
    harness_close(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standing_in_line_is_no_fault_of_the_file),
        cmocka_unit_test(test_standing_in_line_is_no_fault_of_the_worker),
        cmocka_unit_test(test_no_sandbox_no_reading),
        cmocka_unit_test(test_a_kernel_without_landlock_is_said),
        cmocka_unit_test(test_workers_that_end_are_started_ever_slower),
        cmocka_unit_test(test_files_behind_a_stuck_one_are_taken_over),
        cmocka_unit_test(test_cancel_frees_a_stuck_worker),
        cmocka_unit_test(test_waiting_is_no_busy_loop),
        cmocka_unit_test(test_a_stuck_worker_dies_with_the_daemon),
        cmocka_unit_test(test_a_hundred_crashes_leave_nothing),
        cmocka_unit_test(test_children_that_are_reaped_by_the_kernel),
        cmocka_unit_test(test_out_of_memory_replaces_the_worker),
        cmocka_unit_test(test_the_largest_answers_pass),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
