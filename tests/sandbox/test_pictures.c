/* A worker that lies about a picture is replaced, the one file pays, and all others come through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pool_harness.h"

enum { NEIGHBOURS = 12, DEADLINE_MS = 1500 };

static const struct {
    const char *attack;
    enum failure_code code;
} attacks[] = {
    {"picture-huge", FAILURE_BAD_REPLY},
    {"picture-wide", FAILURE_BAD_REPLY},
    {"picture-sheet", FAILURE_BAD_REPLY},
    {"picture-overlong", FAILURE_BAD_REPLY},
    {"picture-no-jpeg", FAILURE_BAD_REPLY},
    {"picture-short-piece", FAILURE_BAD_REPLY},
    {"picture-other-piece", FAILURE_BAD_REPLY},
    {"picture-twice", FAILURE_BAD_REPLY},
    {"picture-probed", FAILURE_BAD_REPLY},
    {"picture-returned", FAILURE_BAD_REPLY},
    {"picture-never-ends", FAILURE_TIMEOUT},
    {"picture-dies", FAILURE_CRASH},
    {"picture-too-many", FAILURE_NONE}, /* it had answered */
    {"reply-empty", FAILURE_BAD_REPLY},
    {"reply-noise", FAILURE_BAD_REPLY},
    {"reply-oversize", FAILURE_BAD_REPLY},
    {"reply-hello", FAILURE_BAD_REPLY},
    {"socket-inet", FAILURE_CRASH},
    {"thread", FAILURE_CRASH},
    {"out-of-memory", FAILURE_OOM},
    {"spin", FAILURE_TIMEOUT},
    {"segv", FAILURE_CRASH},
    {"open", FAILURE_NOT_MEDIA}, /* refused, and the file is no video */
};

static void submit(struct harness *harness, size_t index, enum pool_rank rank)
{
    if (index % 3 == 0)
        harness_submit_video(harness, index);
    else
        harness_submit_picture(harness, index, harness_file(harness_video, harness_video_size),
                               "y4m", rank, 1);
}

static void attack_among_others(size_t which, int workers)
{
    enum { WHERE = NEIGHBOURS / 3 };
    struct pool_config config = {.program = ATTACK_WORKER,
                                 .workers = workers,
                                 .deadline_ms = DEADLINE_MS,
                                 .memory_limit = UINT64_C(512) << 20};
    struct harness harness;
    char text[64];
    snprintf(text, sizeof text, "ATTACK:%s\n", attacks[which].attack);
    harness_open_with(&harness, &config, NEIGHBOURS + 1);
    for (size_t i = 0; i <= NEIGHBOURS; i++) {
        if (i == WHERE)
            harness_submit_picture(&harness, i, harness_file(text, strlen(text)), "y4m",
                                   POOL_BACKGROUND, 1);
        else
            submit(&harness, i, POOL_BACKGROUND);
    }
    harness_run(&harness, NEIGHBOURS + 1);
    for (size_t i = 0; i <= NEIGHBOURS; i++) {
        const struct harness_outcome *outcome = &harness.outcomes[i];
        enum failure_code wanted = i == WHERE ? attacks[which].code : FAILURE_NONE;
        if (outcome->answers != 1 || outcome->code != wanted)
            fail_msg("%s, file %zu: %d answers, code %d (wanted %d), \"%s\"", attacks[which].attack,
                     i, outcome->answers, (int)outcome->code, (int)wanted, outcome->error);
    }
    harness_close(&harness);
}

static void test_each_attack_is_charged_to_its_file(void **state)
{
    (void)state;
    size_t descriptors = harness_descriptors();
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
        attack_among_others(i, 1 + (int)(i % 2));
    assert_int_equal(harness_descriptors(), descriptors);
    assert_int_equal(harness_children(NULL, 0), 0);
}

/* What somebody waits for does not wait for a file that the worker is stuck at, nor behind one. */
static void test_on_demand_does_not_wait_behind_a_stuck_file(void **state)
{
    (void)state;
    enum { FILES = 9 };
    struct pool_config config = {.program = ATTACK_WORKER, .workers = 2, .deadline_ms = 30000};
    struct harness harness;
    harness_open_with(&harness, &config, FILES + 1);
    harness_until(&harness, harness_idle);
    harness_submit_picture(&harness, FILES, harness_file("ATTACK:hang\n", 12), "y4m",
                           POOL_ON_DEMAND, 1);
    for (size_t i = 0; i < FILES; i++)
        harness_submit_picture(&harness, i, harness_file(harness_video, harness_video_size), "y4m",
                               POOL_ON_DEMAND, 1);
    harness_run(&harness, FILES);
    assert_int_equal(harness.outcomes[FILES].answers, 0);
    for (size_t i = 0; i < FILES; i++)
        assert_int_equal(harness.outcomes[i].code, FAILURE_NONE);
    harness_close(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_attack_is_charged_to_its_file),
        cmocka_unit_test(test_on_demand_does_not_wait_behind_a_stuck_file),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
