/* A worker that has been taken over by a file is stopped, that file is charged, and all others come
 * through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pool_harness.h"
#include "worker/sanitizer.h"

enum { NEIGHBOURS = 12, DEADLINE_MS = 1500 };

#define MEMORY (UINT64_C(512) << 20)

struct expectation {
    const char *attack;
    enum failure_code code;
    const char *words; /* in the error; NULL: any */
};

#define FORBIDDEN "sandbox forbids"

/* NOT_MEDIA: the system said no, the attack gave up, and the file is no media file. */
static const struct expectation confined[] = {
    {"open", FAILURE_NOT_MEDIA, NULL},
    {"open-write", FAILURE_CRASH, FORBIDDEN},
    {"open-create", FAILURE_CRASH, FORBIDDEN},
    {"look", FAILURE_NOT_MEDIA, NULL},
    {"write", FAILURE_NOT_MEDIA, NULL},
    {"chmod", FAILURE_CRASH, FORBIDDEN},
    {"socket-inet", FAILURE_CRASH, FORBIDDEN},
    {"socket-unix", FAILURE_CRASH, FORBIDDEN},
    {"connect", FAILURE_CRASH, FORBIDDEN},
    {"exec", FAILURE_CRASH, FORBIDDEN},
    {"fork", FAILURE_CRASH, FORBIDDEN},
    {"thread", FAILURE_CRASH, FORBIDDEN},
    {"ptrace", FAILURE_CRASH, FORBIDDEN},
    {"kill", FAILURE_CRASH, FORBIDDEN},
    {"map-code", FAILURE_CRASH, FORBIDDEN},
    {"protect-code", FAILURE_CRASH, FORBIDDEN},
    {"memory", FAILURE_OOM, NULL},
    {"spin", FAILURE_TIMEOUT, "1500 ms"},
    {"hang", FAILURE_TIMEOUT, "1500 ms"},
    {"segv", FAILURE_CRASH, "SIG"},
    {"abort", FAILURE_CRASH, "SIGABRT"},
    {"exit", FAILURE_CRASH, "exit code 0"},
    {"hang-up", FAILURE_CRASH, "closed its connection"},
    {"killed", FAILURE_OOM, "SIGKILL"},
    {"reply-empty", FAILURE_BAD_REPLY, NULL},
    {"reply-short", FAILURE_BAD_REPLY, NULL},
    {"reply-noise", FAILURE_BAD_REPLY, NULL},
    {"reply-oversize", FAILURE_BAD_REPLY, NULL},
    {"reply-number", FAILURE_BAD_REPLY, NULL},
    {"reply-code", FAILURE_BAD_REPLY, NULL},
    {"reply-counts", FAILURE_BAD_REPLY, NULL},
    {"reply-text", FAILURE_BAD_REPLY, NULL},
    {"reply-twice", FAILURE_NOT_MEDIA, NULL},
    {"reply-flood", FAILURE_NOT_MEDIA, NULL},
    {"reply-hello", FAILURE_BAD_REPLY, NULL},
    {"reply-descriptor", FAILURE_CRASH, FORBIDDEN},
};

static void expect_outcome(const struct harness_outcome *outcome, const struct expectation *wanted)
{
    if (outcome->answers != 1 || outcome->code != wanted->code ||
        (wanted->words && !strstr(outcome->error, wanted->words)))
        fail_msg("%s: %d answers, code %d (wanted %d), \"%s\"", wanted->attack, outcome->answers,
                 (int)outcome->code, (int)wanted->code, outcome->error);
}

/* One attack in the middle of other files; `workers` of them share the work. */
static void attack_among_others(const struct expectation *wanted, int workers, const char *mode)
{
    struct pool_config config = {
        .program = ATTACK_WORKER,
        .workers = workers,
        .deadline_ms = DEADLINE_MS,
        .memory_limit = MEMORY,
        .test_mode = mode,
    };
    struct harness harness;
    char text[64];
    snprintf(text, sizeof text, "ATTACK:%s\n", wanted->attack);
    harness_open_with(&harness, &config, NEIGHBOURS + 1);
    for (size_t i = 0; i <= NEIGHBOURS; i++) {
        if (i == NEIGHBOURS / 3)
            harness_submit_text(&harness, i, text);
        else
            harness_submit_video(&harness, i);
    }
    harness_run(&harness, NEIGHBOURS + 1);
    for (size_t i = 0; i <= NEIGHBOURS; i++) {
        if (i == NEIGHBOURS / 3) {
            expect_outcome(&harness.outcomes[i], wanted);
        } else {
            assert_int_equal(harness.outcomes[i].answers, 1);
            assert_int_equal(harness.outcomes[i].code, FAILURE_NONE);
            assert_int_equal(harness.outcomes[i].width, 16);
        }
    }
    harness_close(&harness);
}

static void test_each_attack_is_charged_to_its_file(void **state)
{
    (void)state;
    size_t descriptors = harness_descriptors();
    for (size_t i = 0; i < sizeof confined / sizeof *confined; i++) {
        if (REELD_SANITIZED && strcmp(confined[i].attack, "memory") == 0) {
            print_message("skipped: no memory limit under AddressSanitizer\n");
            continue;
        }
        attack_among_others(&confined[i], 1 + (int)(i % 2), NULL);
    }
    assert_int_equal(harness_descriptors(), descriptors);
    assert_int_equal(harness_children(NULL, 0), 0);
}

/* All of them in one run, so that workers die and are replaced all the time. */
static void test_all_attacks_in_one_run(void **state)
{
    (void)state;
    enum { KINDS = sizeof confined / sizeof *confined, EACH = 5, COUNT = KINDS * EACH };
    struct pool_config config = {
        .program = ATTACK_WORKER,
        .workers = 3,
        .deadline_ms = DEADLINE_MS,
        .memory_limit = MEMORY,
    };
    struct harness harness;
    harness_open_with(&harness, &config, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const struct expectation *wanted = &confined[i / EACH];
        bool skip = REELD_SANITIZED && strcmp(wanted->attack, "memory") == 0;
        char text[64];
        snprintf(text, sizeof text, "ATTACK:%s\n", wanted->attack);
        if (i % EACH == 0 && !skip)
            harness_submit_text(&harness, i, text);
        else
            harness_submit_video(&harness, i);
    }
    harness_run(&harness, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const struct expectation *wanted = &confined[i / EACH];
        bool skip = REELD_SANITIZED && strcmp(wanted->attack, "memory") == 0;
        if (i % EACH == 0 && !skip)
            expect_outcome(&harness.outcomes[i], wanted);
        else
            assert_int_equal(harness.outcomes[i].code, FAILURE_NONE);
        assert_int_equal(harness.outcomes[i].answers, 1);
    }
    harness_close(&harness);
}

/* That the attacks are real: without the sandbox each of them gets what it wants. */
static void test_attacks_succeed_without_the_sandbox(void **state)
{
    (void)state;
    static const char *const names[] = {
        "open", "open-write", "open-create", "look", "socket-inet", "socket-unix",  "connect",
        "fork", "thread",     "ptrace",      "kill", "map-code",    "protect-code",
    };
    struct pool_config config = {.program = ATTACK_WORKER, .workers = 1, .test_mode = "unconfined"};
    enum { COUNT = sizeof names / sizeof *names };
    struct harness harness;
    harness_open_with(&harness, &config, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        char text[64];
        snprintf(text, sizeof text, "ATTACK:%s\n", names[i]);
        harness_submit_text(&harness, i, text);
    }
    harness_run(&harness, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        if (harness.outcomes[i].code != FAILURE_NONE ||
            strcmp(harness.outcomes[i].title, "escaped") != 0)
            fail_msg("%s: code %d, %s", names[i], harness.outcomes[i].code,
                     harness.outcomes[i].error);
    }
    harness_close(&harness);
}

/* A descriptor sent to the daemon is never installed there. */
static void test_descriptor_from_a_worker_is_thrown_away(void **state)
{
    (void)state;
    size_t descriptors = harness_descriptors();
    static const struct expectation wanted = {"reply-descriptor", FAILURE_BAD_REPLY, NULL};
    attack_among_others(&wanted, 1, "unconfined");
    assert_int_equal(harness_descriptors(), descriptors);
}

/* The worker that users get has none of this: to it such a file is just no media file. */
static void test_real_worker_knows_no_attack(void **state)
{
    (void)state;
    struct harness harness;
    harness_open(&harness, WORKER, 1, 2);
    harness_submit_text(&harness, 0, "ATTACK:segv\n");
    harness_submit_text(&harness, 1, "ATTACK:hang\n");
    harness_run(&harness, 2);
    assert_int_equal(harness.outcomes[0].code, FAILURE_NOT_MEDIA);
    assert_int_equal(harness.outcomes[1].code, FAILURE_NOT_MEDIA);
    harness_close(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_attack_is_charged_to_its_file),
        cmocka_unit_test(test_all_attacks_in_one_run),
        cmocka_unit_test(test_attacks_succeed_without_the_sandbox),
        cmocka_unit_test(test_descriptor_from_a_worker_is_thrown_away),
        cmocka_unit_test(test_real_worker_knows_no_attack),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
