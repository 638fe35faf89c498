#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "harness.h"
#include "tree.h"

/* The first life waits for ever at a file that hangs; the second one gives it up. */
static const struct library_config first_life = {
    .worker_program = ATTACK_WORKER, .workers = 1, .file_timeout_ms = 600000, .settle_ms = 50};
static const struct library_config second_life = {
    .worker_program = ATTACK_WORKER, .workers = 1, .file_timeout_ms = 300, .settle_ms = 50};

enum { VIDEOS = 20 };

static char *make_tree(void)
{
    char *folder = tree_new();
    for (int i = 0; i < VIDEOS; i++)
        tree_video(folder, "%02d.mkv", i);
    tree_text(folder, "no film", "10-broken.mkv");
    tree_text(folder, "ATTACK:hang\n", "zz.mkv");
    return folder;
}

/* Scans until all but the hanging file is decided. */
static const char *scan_until_stuck(struct harness *harness, const char *folder)
{
    const char *id = harness_scan(harness, folder);
    for (size_t from = 0, decided = 0; decided < VIDEOS + 1;) {
        const struct library_message *message =
            harness_event(harness, from, EVENT_SCAN_PROGRESS, id);
        while (harness->messages[from] != message)
            from++;
        from++;
        decided += !harness_says(message, "\"path\":null");
    }
    return id;
}

/* The result must be as if the job had never been interrupted. */
static void check_end(struct harness *harness, const char *id, double floor)
{
    size_t from = harness->count;
    const struct library_message *started = harness_event(harness, from, EVENT_SCAN_STARTED, id);
    assert_true(harness_says(started, "\"trigger\":\"resume\""));
    const struct library_message *end = harness_event(harness, from, EVENT_SCAN_COMPLETED, id);
    for (size_t i = from; harness->messages[i] != end; i++) {
        const struct event *event = harness->messages[i]->event;
        const char *key = "\"progress\":";
        const char *at = event && event->type == EVENT_SCAN_PROGRESS
                             ? memmem(event->json, event->json_len, key, strlen(key))
                             : NULL;
        if (at && strncmp(at + strlen(key), "null", 4) != 0)
            assert_true(strtod(at + strlen(key), NULL) >= floor - 0.0001);
    }
    struct job job;
    harness_job(harness, id, &job);
    assert_int_equal(job.status, JOB_COMPLETE);
    assert_int_equal(job.added, VIDEOS);
    assert_int_equal(job.skipped, 0);
    assert_int_equal(job.updated, 0);
    assert_int_equal(job.error_count, 2);
    assert_int_equal(job.n_failures, 2);
    job_clear(&job);
    struct video_query query = {.limit = 1};
    struct video_page page;
    assert_int_equal(catalog_videos(harness->reader, &query, &page), RL_OK);
    assert_int_equal(page.total, VIDEOS);
    video_page_clear(&page);
}

static void a_killed_daemon_goes_on_with_the_job(void **state)
{
    (void)state;
    char *folder = make_tree();
    char *data = tree_new(), path[512];
    snprintf(path, sizeof path, "%s/id", data);
    struct harness harness;
    pid_t child = fork();
    if (child == 0) {
        harness_start_in(&harness, data, &first_life);
        const char *id = scan_until_stuck(&harness, folder);
        FILE *file = fopen(path, "w");
        fputs(id, file);
        fclose(file);
        _exit(0); /* nothing is closed, nothing is written any more */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    char id[ID_TEXT_SIZE] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(fgets(id, sizeof id, file));
    fclose(file);

    harness_start_in(&harness, data, &second_life);
    check_end(&harness, id, (double)(VIDEOS + 1) / (VIDEOS + 2));
    harness_end(&harness);
    tree_remove(folder);
}

static void a_stopped_daemon_goes_on_with_the_job(void **state)
{
    (void)state;
    char *folder = make_tree();
    struct harness harness;
    harness_start(&harness, &first_life);
    char id[ID_TEXT_SIZE];
    snprintf(id, sizeof id, "%s", scan_until_stuck(&harness, folder));
    const char *later = harness_scan(&harness, "/nowhere at all");
    harness_stop(&harness);
    harness_restart(&harness, &second_life);
    struct job job;
    harness_job(&harness, id, &job);
    assert_false(job_status_terminal(job.status));
    job_clear(&job);
    check_end(&harness, id, (double)(VIDEOS + 1) / (VIDEOS + 2));
    harness_terminal(&harness, later); /* it waited through the stop */
    harness_job(&harness, later, &job);
    assert_int_equal(job.status, JOB_FAILED);
    assert_int_equal(job.trigger, TRIGGER_API);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

static void a_stop_leaves_a_pending_row(void **state)
{
    (void)state;
    char *folder = make_tree();
    struct harness harness;
    harness_start(&harness, &first_life);
    const char *id = scan_until_stuck(&harness, folder);
    harness_stop(&harness);
    char path[512], why[CATALOG_WHY_SIZE];
    snprintf(path, sizeof path, "%s/catalog.db", harness.data);
    struct catalog *reader;
    assert_int_equal(catalog_open(path, CATALOG_READER, &reader, why), RL_OK);
    struct job job;
    assert_int_equal(catalog_job_get(reader, id, &job), RL_OK);
    assert_int_equal(job.status, JOB_PENDING);
    assert_int_equal(job.added, VIDEOS);
    assert_true(job.progress_floor > 0.95); /* what was said of it may not fall again */
    job_clear(&job);
    catalog_close(reader);
    harness_end(&harness);
    tree_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_daemon_goes_on_with_the_job),
        cmocka_unit_test(a_stopped_daemon_goes_on_with_the_job),
        cmocka_unit_test(a_stop_leaves_a_pending_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
