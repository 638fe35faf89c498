/* What the kernel says about a worker at work: the walls are really there. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pool_harness.h"
#include "worker/sanitizer.h"

#define MEMORY (UINT64_C(768) << 20)

struct fixture {
    struct harness harness;
    int pid;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    struct pool_config config = {.program = WORKER, .workers = 1, .memory_limit = MEMORY};
    harness_open_with(&fixture->harness, &config, 1);
    harness_until(&fixture->harness, harness_idle);
    assert_int_equal(harness_children(&fixture->pid, 1), 1);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    harness_close(&fixture->harness);
    free(fixture);
    return 0;
}

/* The file /proc/PID/name; "" when we may not read it. */
static void proc_read(const struct fixture *fixture, const char *name, char *out, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", fixture->pid, name);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(out, 1, size - 1, file) : 0;
    out[len] = '\0';
    if (file)
        fclose(file);
}

/* The words after `key` on its line. */
static void line_expect(const char *text, const char *key, const char *wanted)
{
    const char *line = strstr(text, key);
    if (!line)
        fail_msg("no %s in\n%s", key, text);
    line += strlen(key);
    line += strspn(line, " \t");
    if (strncmp(line, wanted, strlen(wanted)) != 0)
        fail_msg("%s is %.40s, not %s", key, line, wanted);
}

static void test_the_filter_is_on(void **state)
{
    char status[4096];
    proc_read(*state, "status", status, sizeof status);
    line_expect(status, "\nSeccomp:", "2\n");
    line_expect(status, "\nNoNewPrivs:", "1\n");
    line_expect(status, "\nThreads:", "1\n");
}

static void test_the_pool_reports_it(void **state)
{
    const struct fixture *fixture = *state;
    struct pool_status status;
    pool_status(fixture->harness.pool, &status);
    assert_true(status.sandbox == POOL_SANDBOX_FULL || status.sandbox == POOL_SANDBOX_NO_LANDLOCK);
    if (status.sandbox == POOL_SANDBOX_FULL)
        assert_string_equal(status.sandbox_error, "");
    else
        assert_non_null(strstr(status.sandbox_error, "Landlock"));
}

static void test_the_limits_are_set(void **state)
{
    char limits[4096];
    proc_read(*state, "limits", limits, sizeof limits);
    line_expect(limits, "Max core file size", "0 ");
    line_expect(limits, "Max file size", "0 ");
    line_expect(limits, "Max processes", "0 ");
    line_expect(limits, "Max open files", "32 ");
    if (!REELD_SANITIZED) {
        char memory[32];
        snprintf(memory, sizeof memory, "%llu ", (unsigned long long)MEMORY);
        line_expect(limits, "Max address space", memory);
    }
}

static void test_it_yields_to_others(void **state)
{
    const struct fixture *fixture = *state;
    assert_int_equal(getpriority(PRIO_PROCESS, (id_t)fixture->pid), 10);
    char score[32];
    proc_read(fixture, "oom_score_adj", score, sizeof score);
    assert_true(atoi(score) >= 500);
}

/* Needs the right to look into an undumpable process, which root has. */
static void test_it_holds_nothing_but_its_channel(void **state)
{
    const struct fixture *fixture = *state;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", fixture->pid);
    DIR *dir = opendir(path);
    if (!dir && errno == EACCES) {
        skip();
        return;
    }
    assert_non_null(dir);
    const struct dirent *entry;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] != '.')
            assert_in_range(atoi(entry->d_name), 0, 3);
    }
    closedir(dir);
    char environment[256];
    proc_read(fixture, "environ", environment, sizeof environment);
    assert_string_equal(environment, "");
}

/* Closed to debuggers of the same user: /proc/PID belongs to root. */
static void test_it_cannot_be_traced(void **state)
{
    const struct fixture *fixture = *state;
    char command[4096];
    proc_read(fixture, "cmdline", command, sizeof command);
    assert_true(strlen(command) > 0);
    if (geteuid() == 0) {
        skip();
        return;
    }
    char memory[64];
    snprintf(memory, sizeof memory, "/proc/%d/mem", fixture->pid);
    assert_null(fopen(memory, "re"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_filter_is_on),
        cmocka_unit_test(test_the_pool_reports_it),
        cmocka_unit_test(test_the_limits_are_set),
        cmocka_unit_test(test_it_yields_to_others),
        cmocka_unit_test(test_it_holds_nothing_but_its_channel),
        cmocka_unit_test(test_it_cannot_be_traced),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
