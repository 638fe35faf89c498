#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "harness.h"
#include "tree.h"

/* One worker answers in the order of the names, and stays at a file that hangs. */
static const struct library_config stuck = {
    .worker_program = ATTACK_WORKER, .workers = 1, .file_timeout_ms = 600000, .settle_ms = 50};
static const struct library_config goes_on = {
    .worker_program = ATTACK_WORKER, .workers = 1, .file_timeout_ms = 300, .settle_ms = 50};

/* A video of which each `kind` has another content. */
static void film(const char *folder, char kind, const char *name)
{
    size_t len;
    const void *bytes = tree_video_bytes(&len);
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    copy[len] = kind;
    tree_file(folder, copy, len + 1, "%s", name);
    free(copy);
}

static const char *at(const char *folder, const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Its inode stays in use: by another film of this size and time it would be known again. */
static void gone(const char *folder, const char *name)
{
    char hidden[PATH_MAX];
    snprintf(hidden, sizeof hidden, "%s/.%s", folder, name);
    assert_int_equal(rename(at(folder, name), hidden), 0);
}

/* Number of the video at a path, 0: none is known there. */
static int64_t number_at(struct harness *harness, const char *folder, const char *name)
{
    struct video video;
    enum rl_err err = catalog_video_at(harness->reader, at(folder, name), &video);
    assert_true(err == RL_OK || err == RL_ENOTFOUND);
    int64_t number = err || video.missing_since_ms ? 0 : video.number;
    video_clear(&video);
    return number;
}

/* Until the job has told of the file. */
static void wait_for(struct harness *harness, const char *id, const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "/%s\"", name);
    for (size_t from = harness->count;;) {
        const struct library_message *message =
            harness_event(harness, from, EVENT_SCAN_PROGRESS, id);
        if (harness_says(message, text))
            return;
        while (harness->messages[from] != message)
            from++;
        from++;
    }
}

static void what_waits_is_settled_when_the_job_is_cancelled(void **state)
{
    (void)state;
    char *folder = tree_new();
    struct harness harness;
    struct job job;
    harness_start(&harness, &stuck);
    film(folder, '1', "one.mkv");
    film(folder, '2', "two.mkv");
    film(folder, '3', "three.mkv");
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.added, 3);
    job_clear(&job);
    int64_t one = number_at(&harness, folder, "one.mkv");
    gone(folder, "one.mkv");
    gone(folder, "two.mkv");
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.missing, 2);
    job_clear(&job);

    film(folder, '1', "a.mkv");
    film(folder, '2', "b.mkv");
    film(folder, '4', "c.mkv");
    tree_text(folder, "ATTACK:hang\n", "zz.mkv");
    const char *id = harness_scan(&harness, folder);
    wait_for(&harness, id, "c.mkv"); /* it needs not wait, and comes behind those that do */
    assert_int_equal(number_at(&harness, folder, "a.mkv"), 0);
    film(folder, '5', "b.mkv.fresh");
    char fresh[PATH_MAX];
    snprintf(fresh, sizeof fresh, "%s", at(folder, "b.mkv.fresh"));
    assert_int_equal(rename(fresh, at(folder, "b.mkv")), 0);
    uint64_t ticket = ++harness.ticket;
    assert_int_equal(library_cancel(harness.library, ticket, id), RL_OK);
    harness_terminal(&harness, id);
    harness_job(&harness, id, &job);
    assert_int_equal(job.status, JOB_CANCELLED);
    assert_int_equal(job.added, 1);
    assert_int_equal(job.moved, 1);
    job_clear(&job);
    assert_int_equal(number_at(&harness, folder, "a.mkv"), one);
    assert_int_equal(number_at(&harness, folder, "b.mkv"), 0); /* it had changed by then */
    harness_end(&harness);
    tree_remove(folder);
}

/* The first life of what follows: `id` gets the job's. */
static void be_killed(char *data, char *folder, const char *id_file)
{
    struct harness harness;
    struct job job;
    harness_start_in(&harness, data, &stuck);
    film(folder, '1', "m.mkv");
    film(folder, '2', "w.mkv");
    harness_scan_all(&harness, folder, &job);
    film(folder, '1', "f.mkv");
    film(folder, '4', "n.mkv");
    char from[PATH_MAX];
    snprintf(from, sizeof from, "%s", at(folder, "w.mkv"));
    assert_int_equal(rename(from, at(folder, "m.mkv")), 0);
    tree_text(folder, "ATTACK:hang\n", "zz.mkv");
    const char *id = harness_scan(&harness, folder);
    wait_for(&harness, id, "n.mkv");
    harness_job(&harness, id, &job);
    assert_int_equal(job.moved, 1);
    assert_int_equal(job.missing, 1);
    FILE *file = fopen(id_file, "w");
    fputs(id, file);
    fclose(file);
    _exit(0); /* nothing is closed, nothing is written any more */
}

static void what_was_hidden_before_a_restart_and_is_found_does_not_count_as_missing(void **state)
{
    (void)state;
    char *folder = tree_new();
    char *data = tree_new(), id_file[512], id[ID_TEXT_SIZE] = "";
    snprintf(id_file, sizeof id_file, "%s/id", data);
    pid_t child = fork();
    if (child == 0)
        be_killed(data, folder, id_file);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    FILE *file = fopen(id_file, "r");
    assert_non_null(fgets(id, sizeof id, file));
    fclose(file);

    struct harness harness;
    harness_start_in(&harness, data, &goes_on);
    harness_event(&harness, 0, EVENT_SCAN_COMPLETED, id);
    struct job job;
    harness_job(&harness, id, &job);
    assert_int_equal(job.status, JOB_COMPLETE);
    assert_int_equal(job.added, 1);
    assert_int_equal(job.moved, 2);
    assert_int_equal(job.missing, 0);
    assert_int_equal(job.error_count, 1);
    job_clear(&job);
    assert_int_equal(number_at(&harness, folder, "f.mkv"), 1);
    assert_int_equal(number_at(&harness, folder, "m.mkv"), 2);
    harness_end(&harness);
    tree_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_settled_when_the_job_is_cancelled),
        cmocka_unit_test(what_was_hidden_before_a_restart_and_is_found_does_not_count_as_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
