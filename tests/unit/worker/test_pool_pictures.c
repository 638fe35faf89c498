/* The pool makes pictures as it probes: one answer a file, in the order in which people wait. */
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool_harness.h"

static void expect_picture(const struct harness_outcome *outcome, int width)
{
    assert_int_equal(outcome->answers, 1);
    if (outcome->code != FAILURE_NONE)
        fail_msg("code %d: %s", (int)outcome->code, outcome->error);
    assert_int_equal(outcome->picture_width, width);
    assert_true(outcome->picture_size > 4);
    assert_int_equal(outcome->streams, 0);
}

static void submit_picture(struct harness *harness, size_t index, enum pool_rank rank)
{
    harness_submit_picture(harness, index, harness_file(harness_video, harness_video_size), "y4m",
                           rank, 1);
}

static void test_pictures_and_probes(void **state)
{
    (void)state;
    enum { FILES = 60 };
    size_t descriptors = harness_descriptors();
    struct harness harness;
    harness_open(&harness, WORKER, 2, FILES);
    for (size_t i = 0; i < FILES; i++) {
        if (i % 3 == 0)
            submit_picture(&harness, i, i % 2 ? POOL_BACKGROUND : POOL_ON_DEMAND);
        else if (i % 3 == 1)
            harness_submit_video(&harness, i);
        else
            harness_submit_picture(&harness, i, harness_file("no film", 7), "y4m", POOL_PROBE, 1);
    }
    harness_run(&harness, FILES);
    for (size_t i = 0; i < FILES; i++) {
        if (i % 3 == 0)
            expect_picture(&harness.outcomes[i], 16);
        else if (i % 3 == 1)
            assert_int_equal(harness.outcomes[i].width, 16);
        else
            assert_int_equal(harness.outcomes[i].code, FAILURE_NOT_MEDIA);
    }
    struct pool_status status;
    pool_status(harness.pool, &status);
    assert_int_equal(status.probed, FILES / 3);
    assert_int_equal(status.pictures, FILES / 3 * 2);
    assert_int_equal(status.queued + status.in_flight, 0);
    harness_close(&harness);
    assert_int_equal(harness_descriptors(), descriptors);
    assert_int_equal(harness_children(NULL, 0), 0);
}

/* Noise: its JPEG takes several messages. */
static int noise_file(int width, int height)
{
    size_t plane = (size_t)width * (size_t)height * 3 / 2, size = plane + 128;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    int head =
        snprintf(bytes, 128, "YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C420jpeg\nFRAME\n", width, height);
    unsigned value = 1;
    for (size_t i = 0; i < plane; i++) {
        value = value * 1664525 + 1013904223;
        bytes[(size_t)head + i] = (char)(value >> 24);
    }
    int fd = harness_file(bytes, (size_t)head + plane);
    free(bytes);
    return fd;
}

static void test_a_picture_of_many_pieces(void **state)
{
    (void)state;
    struct harness harness;
    const struct picture_request request = {.kind = PICTURE_THUMBNAIL, .width = PICTURE_WIDTH_MAX};
    harness_open(&harness, WORKER, 1, 4);
    for (size_t i = 0; i < 4; i++) {
        if (i == 2)
            harness_submit_video(&harness, i);
        else
            assert_int_equal(pool_submit_picture(harness.pool, noise_file(1280, 960), "y4m",
                                                 &request, POOL_BACKGROUND, 1,
                                                 &harness.outcomes[i]),
                             RL_OK);
    }
    harness_run(&harness, 4);
    for (size_t i = 0; i < 4; i++) {
        if (i == 2)
            continue;
        expect_picture(&harness.outcomes[i], 1280);
        assert_true(harness.outcomes[i].picture_size > 300000);
        assert_true(harness.outcomes[i].picture_digest == harness.outcomes[0].picture_digest);
    }
    harness_close(&harness);
}

/* What is asked for on demand waits for what the worker is at, and for nothing that only waits,
 * even where the worker has it at hand already: here it wakes up to all of it. */
static void test_on_demand_overtakes(void **state)
{
    (void)state;
    enum { FILES = 40, LATE = FILES };
    struct harness harness;
    int pid;
    harness_open(&harness, WORKER, 1, FILES + 1);
    harness_until(&harness, harness_idle);
    assert_int_equal(harness_children(&pid, 1), 1);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    for (size_t i = 0; i < FILES; i++) {
        if (i % 2)
            submit_picture(&harness, i, POOL_BACKGROUND);
        else
            harness_submit_video(&harness, i);
    }
    submit_picture(&harness, LATE, POOL_ON_DEMAND);
    assert_int_equal(kill(pid, SIGCONT), 0);
    harness_run(&harness, FILES + 1);
    expect_picture(&harness.outcomes[LATE], 16);
    assert_int_equal(harness.outcomes[LATE].turn, 0);
    for (size_t i = 0; i < FILES; i++) {
        assert_int_equal(harness.outcomes[i].answers, 1);
        assert_int_equal(harness.outcomes[i].code, FAILURE_NONE);
        /* Probes come before pictures that nobody waits for. */
        assert_int_equal(harness.outcomes[i].turn > FILES / 2, i % 2);
    }
    harness_close(&harness);
}

static void test_probes_overtake_background_pictures(void **state)
{
    (void)state;
    enum { PICTURES = 20, PROBES = 10 };
    struct harness harness;
    harness_open(&harness, WORKER, 1, PICTURES + PROBES);
    harness_until(&harness, harness_idle);
    for (size_t i = 0; i < PICTURES; i++)
        harness_submit_picture(&harness, i, noise_file(1280, 960), "y4m", POOL_BACKGROUND, 1);
    assert_false(pool_has_room_for_picture(harness.pool, POOL_BACKGROUND));
    assert_true(pool_has_room_for_picture(harness.pool, POOL_ON_DEMAND));
    assert_true(pool_has_room(harness.pool));
    for (size_t i = 0; i < PROBES; i++)
        harness_submit_video(&harness, PICTURES + i);
    harness_run(&harness, PICTURES + PROBES);
    for (size_t i = 0; i < PROBES; i++)
        assert_true(harness.outcomes[PICTURES + i].turn <= 2 + PROBES);
    harness_close(&harness);
}

static void drop_nothing(void *ctx, void *tag)
{
    (void)ctx, (void)tag;
}

/* Cancelled while pieces of it arrive, or before: no answer, and the others get theirs. */
static void test_cancelled_pictures(void **state)
{
    (void)state;
    enum { FILES = 16 };
    for (int turns = 0; turns < 12; turns++) {
        struct harness harness;
        harness_open(&harness, WORKER, 2, FILES);
        harness_until(&harness, harness_idle);
        for (size_t i = 0; i < FILES; i++)
            harness_submit_picture(&harness, i, noise_file(640, 480), "y4m",
                                   i % 3 ? POOL_BACKGROUND : POOL_ON_DEMAND, i % 2);
        for (int i = 0; i < turns && harness.answered < harness.count; i++)
            harness_turn(&harness);
        size_t dropped = 0;
        for (size_t i = 1; i < FILES; i += 2)
            dropped += harness.outcomes[i].answers == 0;
        pool_cancel(harness.pool, 1, drop_nothing, NULL);
        harness_run(&harness, FILES - dropped);
        harness_until(&harness, harness_idle);
        for (size_t i = 0; i < FILES; i += 2)
            expect_picture(&harness.outcomes[i], 320);
        assert_int_equal(harness.answered, FILES - dropped);
        harness_close(&harness);
    }
}

static void test_wrong_requests_are_refused(void **state)
{
    (void)state;
    static const struct picture_request wrong[] = {
        {PICTURE_KINDS, 320},    {-1, 320}, {PICTURE_THUMBNAIL, 15}, {PICTURE_THUMBNAIL, 1281},
        {PICTURE_THUMBNAIL, -1},
    };
    size_t descriptors = harness_descriptors();
    struct harness harness;
    harness_open(&harness, WORKER, 1, 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(pool_submit_picture(harness.pool, harness_file("x", 1), "", &wrong[i],
                                             POOL_ON_DEMAND, 1, NULL),
                         RL_EINVAL);
    harness_close(&harness);
    assert_int_equal(harness_descriptors(), descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures_and_probes),
        cmocka_unit_test(test_a_picture_of_many_pieces),
        cmocka_unit_test(test_on_demand_overtakes),
        cmocka_unit_test(test_probes_overtake_background_pictures),
        cmocka_unit_test(test_cancelled_pictures),
        cmocka_unit_test(test_wrong_requests_are_refused),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
