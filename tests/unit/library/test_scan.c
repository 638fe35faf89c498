#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "test.h"

#include "harness.h"
#include "tree.h"

static const struct library_config plain = {.settle_ms = 200};

/* The code of the failure at `name` in the job, or FAILURE_NONE. */
static enum failure_code failure_of(const struct job *job, const char *name)
{
    for (size_t i = 0; i < job->n_failures; i++) {
        if (strcmp(path_name(job->failures[i].path), name) == 0)
            return job->failures[i].code;
    }
    return FAILURE_NONE;
}

static void every_file_has_one_outcome(void **state)
{
    (void)state;
    char *folder = tree_new();
    for (int i = 0; i < 30; i++)
        tree_video(folder, "d%d/e/%d.mkv", i % 5, i);
    tree_text(folder, "no film", "broken.mp4");
    tree_text(folder, "", "empty.mp4");
    tree_text(folder, "", "empty.ts");
    tree_text(folder, "let a: number = 1;\n", "script.ts");
    tree_file(folder, "\0\1\2\3 binary", 11, "binary.ts");
    char path[512];
    snprintf(path, sizeof path, "%s/fifo.mp4", folder);
    assert_int_equal(mkfifo(path, 0644), 0);

    struct harness harness;
    harness_start(&harness, &plain);
    struct job job;
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.status, JOB_COMPLETE);
    assert_int_equal(job.added, 30);
    assert_int_equal(job.error_count, 3);
    assert_int_equal(failure_of(&job, "broken.mp4"), FAILURE_NOT_MEDIA);
    assert_int_equal(failure_of(&job, "empty.mp4"), FAILURE_EMPTY);
    assert_int_equal(failure_of(&job, "fifo.mp4"), FAILURE_NOT_A_FILE);
    size_t said[EVENT_TYPES] = {0}, videos = 0;
    for (size_t i = 0; i < harness.count; i++) {
        const struct event *event = harness.messages[i]->event;
        if (event)
            said[event->type]++;
        videos += event && event->type == EVENT_SCAN_PROGRESS &&
                  harness_says(harness.messages[i], "\"outcome\":\"new\"");
    }
    assert_int_equal(said[EVENT_JOB_QUEUED], 1);
    assert_int_equal(said[EVENT_SCAN_STARTED], 1);
    assert_int_equal(said[EVENT_VIDEO_ADDED], 30);
    assert_int_equal(said[EVENT_SCAN_COMPLETED], 1);
    assert_int_equal(videos, 30);
    job_clear(&job);

    struct library_status status;
    library_status(harness.library, &status);
    uint64_t probed = status.pool.probed;
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.skipped, 30);
    assert_int_equal(job.error_count, 3);
    job_clear(&job);
    library_status(harness.library, &status);
    assert_int_equal(status.pool.probed, probed);

    struct scan_request retry = {
        .path = folder, .recursive = true, .retry_failed = true, .timeout_ms = -1};
    const char *id = harness_scan_with(&harness, &retry);
    harness_terminal(&harness, id);
    library_status(harness.library, &status);
    assert_int_equal(status.pool.probed, probed + 1); /* broken.mp4 alone */
    harness_end(&harness);
    tree_remove(folder);
}

static void changed_files_are_updated(void **state)
{
    (void)state;
    char *folder = tree_new();
    tree_video(folder, "a.mkv");
    tree_video(folder, "b.mkv");
    struct harness harness;
    harness_start(&harness, &plain);
    struct job job;
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.added, 2);
    job_clear(&job);
    char path[512];
    snprintf(path, sizeof path, "%s/a.mkv", folder);
    const struct timeval times[2] = {{.tv_sec = 1100000000}, {.tv_sec = 1100000000}};
    utimes(path, times);
    size_t from = harness.count;
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.updated, 1);
    assert_int_equal(job.skipped, 1);
    harness_event(&harness, from, EVENT_VIDEO_UPDATED, NULL);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

static void names_of_any_bytes(void **state)
{
    (void)state;
    char *folder = tree_new();
    char longest[256];
    memset(longest, 'n', 255);
    memcpy(longest + 251, ".mkv", 5);
    const char *names[] = {"new\nline.mkv", "quote'\".mkv", "bad \xff\xfe.mkv", longest,
                           "a/\xe9/b.mkv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        tree_video(folder, "%s", names[i]);
    struct harness harness;
    harness_start(&harness, &plain);
    struct job job;
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.added, 5);
    job_clear(&job);
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.skipped, 5);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

static void deeper_than_the_longest_path(void **state)
{
    (void)state;
    char *folder = tree_new();
    char command[2048];
    tree_video(folder, "top.mkv");
    snprintf(command, sizeof command,
             "cd '%s' && for i in $(seq 60); do d=$(printf 'd%%0100d' $i); mkdir $d; cd -P $d; done"
             " && cp '%s/top.mkv' deep.mkv && touch -d 2001-01-01 deep.mkv",
             folder, folder);
    assert_int_equal(system(command), 0);
    struct harness harness;
    harness_start(&harness, &plain);
    struct job job;
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.added, 2);
    job_clear(&job);
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.skipped, 2);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

static void one_file_whatever_its_name(void **state)
{
    (void)state;
    char *folder = tree_new();
    tree_video(folder, "film.data");
    tree_video(folder, "other.mkv");
    char path[512];
    snprintf(path, sizeof path, "%s/film.data", folder);
    struct harness harness;
    harness_start(&harness, &plain);
    struct job job;
    harness_scan_all(&harness, path, &job);
    assert_int_equal(job.added, 1);
    assert_int_equal(job.total, 1);
    job_clear(&job);
    harness_scan_all(&harness, path, &job);
    assert_int_equal(job.skipped, 1);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

static void a_fresh_failure_is_looked_at_again(void **state)
{
    (void)state;
    char *folder = tree_new();
    size_t len;
    const void *bytes = tree_video_bytes(&len);
    tree_video(folder, "film.mkv");
    tree_file(folder, bytes, 100, "growing.mkv");
    char path[512];
    snprintf(path, sizeof path, "%s/growing.mkv", folder);
    assert_int_equal(utimes(path, NULL), 0); /* written to just now */
    const struct library_config config = {
        .settle_ms = 5000}; /* as long as it may take until it is looked at first */
    struct harness harness;
    harness_start(&harness, &config);
    const char *id = harness_scan(&harness, folder);
    harness_event(&harness, 0, EVENT_VIDEO_ADDED, NULL); /* film.mkv: the other was begun, too */
    tree_file(folder, bytes, len, "growing.mkv");        /* the copy ends */
    harness_terminal(&harness, id);
    struct job job;
    harness_job(&harness, id, &job);
    assert_int_equal(job.added, 2);
    assert_int_equal(job.error_count, 0);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

static void a_time_in_the_future_ends(void **state)
{
    (void)state;
    char *folder = tree_new();
    tree_text(folder, "no film", "future.mkv");
    char path[512];
    snprintf(path, sizeof path, "%s/future.mkv", folder);
    const struct timeval times[2] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};
    assert_int_equal(utimes(path, times), 0);
    const struct library_config config = {.settle_ms = 50};
    struct harness harness;
    harness_start(&harness, &config);
    struct job job;
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.error_count, 1);
    assert_int_equal(job.failures[0].code, FAILURE_NOT_MEDIA);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

static void attacks_cost_one_entry_each(void **state)
{
    (void)state;
    char *folder = tree_new();
    for (int i = 0; i < 10; i++)
        tree_video(folder, "%d.mkv", i);
    tree_text(folder, "ATTACK:segv\n", "crash.mkv");
    tree_text(folder, "ATTACK:hang\n", "hang.mkv");
    tree_text(folder, "ATTACK:reply-noise\n", "noise.mkv");
    const struct library_config config = {
        .worker_program = ATTACK_WORKER, .file_timeout_ms = 500, .settle_ms = 50};
    struct harness harness;
    harness_start(&harness, &config);
    struct job job;
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.added, 10);
    assert_int_equal(failure_of(&job, "crash.mkv"), FAILURE_CRASH);
    assert_int_equal(failure_of(&job, "hang.mkv"), FAILURE_TIMEOUT);
    assert_int_equal(failure_of(&job, "noise.mkv"), FAILURE_BAD_REPLY);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

/* Random operations between scans: every scan accounts for every file, and the next one finds it
 * unchanged. */
static void random_trees_add_up(void **state)
{
    (void)state;
    const char *text = getenv("REELD_SEED");
    unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 10) : 20261122;
    print_message("seed %u\n", seed);
    char *folder = tree_new();
    struct harness harness;
    const struct library_config config = {.settle_ms = 10};
    harness_start(&harness, &config);
    for (int round = 0; round < 12; round++) {
        for (int k = 0; k < 15; k++) {
            int file = rand_r(&seed) % 60, at = rand_r(&seed) % 4;
            char path[512];
            snprintf(path, sizeof path, "%s/d%d/%d.mkv", folder, at, file);
            switch (rand_r(&seed) % 6) {
            case 0:
                unlink(path);
                break;
            case 1:
                tree_text(folder, "no film at all", "d%d/%d.mkv", at, file);
                break;
            case 2:
                tree_text(folder, "", "d%d/%d.mkv", at, file);
                break;
            case 3:
                tree_text(folder, "let a = 1;", "d%d/%d.ts", at, file);
                break;
            default:
                tree_video(folder, "d%d/%d.mkv", at, file);
                break;
            }
        }
        char command[600];
        snprintf(command, sizeof command, "find '%s' -name '*.mkv' | wc -l", folder);
        FILE *pipe = popen(command, "r");
        int files = -1;
        assert_int_equal(fscanf(pipe, "%d", &files), 1);
        pclose(pipe);
        struct job first, second;
        harness_scan_all(&harness, folder, &first);
        assert_int_equal(first.processed, files);
        harness_scan_all(&harness, folder, &second);
        assert_int_equal(second.processed, files);
        assert_int_equal(second.error_count, first.error_count);
        assert_int_equal(second.skipped, files - first.error_count);
        job_clear(&first);
        job_clear(&second);
    }
    harness_end(&harness);
    tree_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_has_one_outcome),
        cmocka_unit_test(changed_files_are_updated),
        cmocka_unit_test(names_of_any_bytes),
        cmocka_unit_test(deeper_than_the_longest_path),
        cmocka_unit_test(one_file_whatever_its_name),
        cmocka_unit_test(a_fresh_failure_is_looked_at_again),
        cmocka_unit_test(a_time_in_the_future_ends),
        cmocka_unit_test(attacks_cost_one_entry_each),
        cmocka_unit_test(random_trees_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
