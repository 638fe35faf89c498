#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#include "harness.h"
#include "tree.h"

/* Files that hang hold a worker each, until somebody ends that. */
static const struct library_config config = {
    .worker_program = ATTACK_WORKER, .workers = 3, .file_timeout_ms = 600000, .settle_ms = 50};

enum { MANY = 600, TRIES = 10, NEWCOMERS = 40, NEWCOMERS_MAX = 16 };

static char *tree_of(int videos)
{
    char *folder = tree_new();
    for (int i = 0; i < videos; i++)
        tree_video(folder, "%04d.mkv", i);
    return folder;
}

/* A folder whose scan lasts until tree_release. */
static char *held_tree(int videos)
{
    char *folder = tree_of(videos - 1);
    tree_held(folder);
    return folder;
}

/* A folder whose scan indexes that many files and then hangs. */
static char *hanging_tree(int videos)
{
    char *folder = tree_of(videos);
    tree_text(folder, "ATTACK:hang\n", "zz.mkv");
    return folder;
}

static const char *scan_until_stuck(struct harness *harness, const char *folder)
{
    size_t from = harness->count;
    const char *id = harness_scan(harness, folder);
    harness_event(harness, from, EVENT_VIDEO_ADDED, NULL);
    return id;
}

typedef enum rl_err (*command)(struct library *library, uint64_t ticket, const char *job_id);

static enum rl_err say(struct harness *harness, command ask, const char *id)
{
    uint64_t ticket = ++harness->ticket;
    assert_int_equal(ask(harness->library, ticket, id), RL_OK);
    return harness_reply(harness, ticket)->err;
}

static void active_job(struct harness *harness, const char *id, struct job *out)
{
    assert_int_equal(library_job(harness->library, id, out), RL_OK);
}

static int64_t place_of(struct harness *harness, const char *id)
{
    struct job job;
    active_job(harness, id, &job);
    int64_t place = job.place;
    job_clear(&job);
    return place;
}

/* Waits until the job is at that place; 0: it does not wait. */
static void wait_for_place(struct harness *harness, const char *id, int64_t place)
{
    for (int i = 0; place_of(harness, id) != place; i++) {
        assert_true(i < 6000);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
}

static size_t index_of(const struct harness *harness, const struct library_message *message)
{
    size_t at = 0;
    while (harness->messages[at] != message)
        at++;
    return at;
}

/* No file was done twice: that would count as updated. */
static void check_complete(struct harness *harness, const char *id, int64_t added, int64_t skipped)
{
    struct job job;
    harness_job(harness, id, &job);
    assert_int_equal(job.status, JOB_COMPLETE);
    assert_int_equal(job.added, added);
    assert_int_equal(job.skipped, skipped);
    assert_int_equal(job.updated, 0);
    assert_int_equal(job.error_count, 0);
    assert_int_equal(job.total, added + skipped);
    assert_false(job.paused);
    job_clear(&job);
}

static void a_small_scan_goes_ahead_of_a_large_one(void **state)
{
    (void)state;
    char *folder = held_tree(MANY), *other = tree_of(1), file[512];
    snprintf(file, sizeof file, "%s/0000.mkv", other);
    struct harness harness;
    harness_start(&harness, &config);
    const char *large = scan_until_stuck(&harness, folder);
    const char *small = harness_scan(&harness, file);
    size_t small_end = index_of(&harness, harness_terminal(&harness, small));
    tree_release(folder);
    size_t large_end = index_of(&harness, harness_terminal(&harness, large));
    assert_true(small_end < large_end);
    check_complete(&harness, small, 1, 0);
    check_complete(&harness, large, MANY, 0);
    size_t started = 0;
    for (size_t i = 0; i < harness.count; i++)
        started +=
            harness.messages[i]->event && harness.messages[i]->event->type == EVENT_SCAN_STARTED;
    assert_int_equal(started, 2);
    harness_end(&harness);
    tree_remove(folder);
    tree_remove(other);
}

/* Whether the newcomer decided on the last file, or came too late for that. */
static bool newcomer_decided(void)
{
    char *folder = tree_of(MANY), file[512];
    snprintf(file, sizeof file, "%s/%04d.mkv", folder, MANY - 1);
    struct harness harness;
    harness_start(&harness, &config);
    const char *large = scan_until_stuck(&harness, folder);
    const char *small = harness_scan(&harness, file);
    harness_terminal(&harness, large);
    harness_terminal(&harness, small);
    struct job job;
    harness_job(&harness, small, &job);
    bool decided = job.added == 1;
    job_clear(&job);
    check_complete(&harness, small, decided, !decided);
    check_complete(&harness, large, MANY - decided, decided);
    harness_end(&harness);
    tree_remove(folder);
    return decided;
}

static void what_a_newcomer_decided_is_not_done_again(void **state)
{
    (void)state;
    for (int tries = 1; !newcomer_decided(); tries++)
        assert_true(tries < TRIES);
}

static void a_paused_job_rests_and_goes_on(void **state)
{
    (void)state;
    char *folder = held_tree(MANY), *other = tree_of(2);
    struct harness harness;
    harness_start(&harness, &config);
    const char *large = scan_until_stuck(&harness, folder);
    size_t from = harness.count;
    assert_int_equal(say(&harness, library_pause, large), RL_OK);
    struct job job;
    harness_job(&harness, large, &job); /* the row says so already */
    assert_true(job.paused);
    job_clear(&job);
    const struct library_message *message;
    do {
        message = harness_event(&harness, from, EVENT_SCAN_PROGRESS, large);
        from = index_of(&harness, message) + 1;
    } while (!harness_says(message, "\"paused\":true"));
    assert_true(harness_says(message, "\"outcome\":null"));
    assert_int_equal(say(&harness, library_pause, large), RL_OK);

    harness_terminal(&harness, harness_scan(&harness, other));
    active_job(&harness, large, &job);
    assert_int_equal(job.status, JOB_RUNNING);
    assert_true(job.paused);
    assert_int_equal(job.place, 0);
    assert_true(job.processed < MANY);
    job_clear(&job);
    tree_release(folder);
    assert_int_equal(say(&harness, library_resume, large), RL_OK);
    assert_int_equal(say(&harness, library_resume, large), RL_OK);
    harness_terminal(&harness, large);
    check_complete(&harness, large, MANY, 0);
    assert_int_equal(say(&harness, library_pause, large), RL_ECONFLICT);
    assert_int_equal(say(&harness, library_resume, large), RL_ECONFLICT);
    assert_int_equal(say(&harness, library_pause, "nonsense"), RL_ENOTFOUND);
    harness_end(&harness);
    tree_remove(folder);
    tree_remove(other);
}

static void a_paused_job_in_line_is_passed_over(void **state)
{
    (void)state;
    char *folder = hanging_tree(1), *one = tree_of(1), *two = tree_of(1);
    struct harness harness;
    harness_start(&harness, &config);
    const char *stuck = scan_until_stuck(&harness, folder);
    const char *first = harness_scan(&harness, one), *second = harness_scan(&harness, two);
    assert_int_equal(place_of(&harness, stuck), 0);
    assert_int_equal(place_of(&harness, first), 1);
    assert_int_equal(place_of(&harness, second), 2);
    assert_int_equal(say(&harness, library_pause, first), RL_OK);
    assert_int_equal(place_of(&harness, first), 0);
    assert_int_equal(place_of(&harness, second), 1);
    assert_string_not_equal(harness_scan(&harness, one), first); /* what rests takes nothing over */
    assert_int_equal(say(&harness, library_cancel, stuck), RL_OK);
    harness_terminal(&harness, second);
    struct job job;
    active_job(&harness, first, &job);
    assert_int_equal(job.status, JOB_PENDING);
    assert_true(job.paused);
    job_clear(&job);
    assert_int_equal(say(&harness, library_cancel, first), RL_OK);
    assert_int_equal(harness_terminal(&harness, first)->event->type, EVENT_SCAN_CANCELLED);
    harness_job(&harness, first, &job);
    assert_false(job.paused);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
    tree_remove(one);
    tree_remove(two);
}

static void a_paused_running_job_is_cancelled(void **state)
{
    (void)state;
    char *folder = held_tree(MANY);
    struct harness harness;
    harness_start(&harness, &config);
    const char *id = scan_until_stuck(&harness, folder);
    assert_int_equal(say(&harness, library_pause, id), RL_OK);
    assert_int_equal(say(&harness, library_cancel, id), RL_OK);
    assert_int_equal(harness_terminal(&harness, id)->event->type, EVENT_SCAN_CANCELLED);
    harness_end(&harness);
    tree_remove(folder);
}

static void the_time_limit_does_not_run_in_a_pause(void **state)
{
    (void)state;
    char *folder = hanging_tree(1);
    struct harness harness;
    harness_start(&harness, &config);
    struct scan_request request = {.path = folder, .recursive = true, .timeout_ms = 8000};
    const char *id = harness_scan_with(&harness, &request);
    harness_event(&harness, 0, EVENT_VIDEO_ADDED, NULL);
    assert_int_equal(say(&harness, library_pause, id), RL_OK);
    nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    assert_int_equal(say(&harness, library_resume, id), RL_OK);
    assert_int_equal(harness_terminal(&harness, id)->event->type, EVENT_SCAN_TIMEOUT);
    struct job job;
    harness_job(&harness, id, &job);
    assert_true(job.finished_at_ms - job.started_at_ms >= 9900); /* both, but for rounding */
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

static void newcomers_leave_a_turn_to_the_one_in_line(void **state)
{
    (void)state;
    char *folder = hanging_tree(1), *files = tree_of(NEWCOMERS);
    struct harness harness;
    harness_start(&harness, &config);
    const char *large = scan_until_stuck(&harness, folder);
    for (int i = 0; i < NEWCOMERS; i++) {
        char file[512];
        snprintf(file, sizeof file, "%s/%04d.mkv", files, i);
        struct scan_request request = {.path = file, .recursive = true, .timeout_ms = -1};
        assert_int_equal(library_scan(harness.library, ++harness.ticket, &request), RL_OK);
    }
    size_t from = 0;
    for (int i = 0; i < NEWCOMERS_MAX; i++)
        from = index_of(&harness, harness_event(&harness, from, EVENT_SCAN_COMPLETED, NULL)) + 1;
    wait_for_place(&harness, large, 0);
    struct library_status status;
    library_status(harness.library, &status);
    assert_true(status.jobs_pending >= NEWCOMERS - NEWCOMERS_MAX);
    for (int i = NEWCOMERS_MAX; i < NEWCOMERS; i++)
        from = index_of(&harness, harness_event(&harness, from, EVENT_SCAN_COMPLETED, NULL)) + 1;
    assert_int_equal(say(&harness, library_cancel, large), RL_OK);
    harness_end(&harness);
    tree_remove(folder);
    tree_remove(files);
}

/* A large newcomer goes ahead after a while, and is in line after another. */
static void a_large_newcomer_has_its_time(void **state)
{
    (void)state;
    char *folder = hanging_tree(1), *other = hanging_tree(1);
    struct harness harness;
    harness_start(&harness, &config);
    const char *first = scan_until_stuck(&harness, folder);
    const char *second = harness_scan(&harness, other);
    wait_for_place(&harness, first, 1);
    assert_int_equal(place_of(&harness, second), 0);
    wait_for_place(&harness, first, 0);
    assert_int_equal(place_of(&harness, second), 1);
    struct library_status status;
    library_status(harness.library, &status);
    assert_int_equal(status.jobs_running, 2);
    harness_end(&harness);
    tree_remove(folder);
    tree_remove(other);
}

enum { PAUSED = 6, JOBS = PAUSED + 2, EACH = 20, HANGING_WORKERS = JOBS + 2 };

/* One life of a daemon that is killed: one job runs, one is parked, others are paused, most of them
 * in the middle. */
static void be_killed(char *data, char *const *folders, const char *file)
{
    struct harness harness;
    struct library_config first_life = config;
    first_life.workers = HANGING_WORKERS; /* also what rests has a file that hangs */
    harness_start_in(&harness, data, &first_life);
    FILE *ids = fopen(file, "w");
    for (int i = 0; i < PAUSED; i++) {
        const char *id = scan_until_stuck(&harness, folders[i]);
        assert_int_equal(say(&harness, library_pause, id), RL_OK);
        fprintf(ids, "%s\n", id);
    }
    const char *first = scan_until_stuck(&harness, folders[PAUSED]);
    const char *second = harness_scan(&harness, folders[PAUSED + 1]);
    wait_for_place(&harness, first, 1);
    fprintf(ids, "%s\n%s\n", first, second);
    fclose(ids);
    _exit(0); /* nothing is closed, nothing is written any more */
}

static void parked_and_paused_jobs_outlive_a_kill(void **state)
{
    (void)state;
    char *folders[JOBS], *data = tree_new(), file[512];
    snprintf(file, sizeof file, "%s/ids", data);
    for (int i = 0; i < JOBS; i++)
        folders[i] = hanging_tree(EACH);
    pid_t child = fork();
    if (child == 0)
        be_killed(data, folders, file);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);

    struct library_config second_life = config;
    second_life.file_timeout_ms = 600;
    struct harness harness;
    harness_start_in(&harness, data, &second_life);
    char ids[JOBS][ID_TEXT_SIZE + 1];
    FILE *list = fopen(file, "r");
    for (int i = 0; i < JOBS; i++) {
        assert_non_null(fgets(ids[i], sizeof ids[i], list));
        ids[i][ID_TEXT_SIZE - 1] = '\0';
    }
    fclose(list);
    for (int i = JOBS - 1; i >= 0; i--) {
        struct job job;
        if (i < PAUSED) {
            active_job(&harness, ids[i], &job);
            assert_true(job.paused);
            job_clear(&job);
            assert_int_equal(say(&harness, library_resume, ids[i]), RL_OK);
        }
        harness_terminal(&harness, ids[i]);
        harness_job(&harness, ids[i], &job);
        assert_int_equal(job.status, JOB_COMPLETE);
        assert_int_equal(job.added, EACH);
        assert_int_equal(job.error_count, 1);
        assert_int_equal(job.total, EACH + 1);
        job_clear(&job);
    }
    harness_end(&harness);
    for (int i = 0; i < JOBS; i++)
        tree_remove(folders[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* It forks: before there was any thread. */
        cmocka_unit_test(parked_and_paused_jobs_outlive_a_kill),
        cmocka_unit_test(a_small_scan_goes_ahead_of_a_large_one),
        cmocka_unit_test(what_a_newcomer_decided_is_not_done_again),
        cmocka_unit_test(a_paused_job_rests_and_goes_on),
        cmocka_unit_test(a_paused_job_in_line_is_passed_over),
        cmocka_unit_test(a_paused_running_job_is_cancelled),
        cmocka_unit_test(the_time_limit_does_not_run_in_a_pause),
        cmocka_unit_test(newcomers_leave_a_turn_to_the_one_in_line),
        cmocka_unit_test(a_large_newcomer_has_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
