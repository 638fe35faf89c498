#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "harness.h"
#include "tree.h"

/* One worker, and a file that holds it until somebody ends that. */
static const struct library_config stuck = {
    .worker_program = ATTACK_WORKER, .workers = 1, .file_timeout_ms = 600000, .settle_ms = 50};

/* A folder whose scan indexes `videos` files and then hangs. */
static char *hanging_tree(int videos)
{
    char *folder = tree_new();
    for (int i = 0; i < videos; i++)
        tree_video(folder, "%d.mkv", i);
    tree_text(folder, "ATTACK:hang\n", "zz.mkv");
    return folder;
}

/* Scans it, and waits until all that can be done is done. */
static const char *scan_until_stuck(struct harness *harness, const char *folder, int videos)
{
    const char *id = harness_scan(harness, folder);
    size_t from = 0;
    for (int i = 0; i < videos; i++) {
        const struct library_message *message =
            harness_event(harness, from, EVENT_VIDEO_ADDED, NULL);
        while (harness->messages[from] != message)
            from++;
        from++;
    }
    return id;
}

static enum rl_err cancel(struct harness *harness, const char *id)
{
    uint64_t ticket = ++harness->ticket;
    assert_int_equal(library_cancel(harness->library, ticket, id), RL_OK);
    return harness_reply(harness, ticket)->err;
}

static void cancel_while_a_worker_hangs(void **state)
{
    (void)state;
    char *folder = hanging_tree(3), *other = tree_new();
    tree_video(other, "film.mkv");
    struct harness harness;
    harness_start(&harness, &stuck);
    const char *id = scan_until_stuck(&harness, folder, 3);
    assert_int_equal(cancel(&harness, id), RL_OK);
    assert_int_equal(harness_terminal(&harness, id)->event->type, EVENT_SCAN_CANCELLED);
    struct job job;
    harness_job(&harness, id, &job);
    assert_int_equal(job.status, JOB_CANCELLED);
    assert_int_equal(job.added, 3);
    job_clear(&job);
    assert_int_equal(cancel(&harness, id), RL_ECONFLICT);
    assert_int_equal(cancel(&harness, "018f0000-0000-7000-8000-000000000000"), RL_ENOTFOUND);
    assert_int_equal(cancel(&harness, "nonsense"), RL_ENOTFOUND);
    harness_scan_all(&harness, other, &job); /* the worker was replaced */
    assert_int_equal(job.added, 1);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
    tree_remove(other);
}

static void a_queued_job_is_cancelled_at_once(void **state)
{
    (void)state;
    char *folder = hanging_tree(1), *other = tree_new();
    struct harness harness;
    harness_start(&harness, &stuck);
    const char *first = scan_until_stuck(&harness, folder, 1);
    const char *second = harness_scan(&harness, other);
    struct job_list list;
    assert_int_equal(library_jobs(harness.library, &list), RL_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.jobs[0].id, first);
    assert_int_equal(list.jobs[0].status, JOB_RUNNING);
    assert_int_equal(list.jobs[1].status, JOB_PENDING);
    job_list_clear(&list);
    assert_int_equal(cancel(&harness, second), RL_OK);
    const struct library_message *end = harness_terminal(&harness, second);
    assert_int_equal(end->event->type, EVENT_SCAN_CANCELLED);
    struct library_status status;
    library_status(harness.library, &status);
    assert_int_equal(status.jobs_running, 1);
    assert_int_equal(cancel(&harness, first), RL_OK);
    harness_terminal(&harness, first);
    harness_end(&harness);
    tree_remove(folder);
    tree_remove(other);
}

static void a_job_has_a_time_limit(void **state)
{
    (void)state;
    char *folder = hanging_tree(2);
    struct harness harness;
    harness_start(&harness, &stuck);
    struct scan_request request = {.path = folder, .recursive = true, .timeout_ms = 6500};
    const char *id = harness_scan_with(&harness, &request);
    const struct library_message *end = harness_terminal(&harness, id);
    assert_int_equal(end->event->type, EVENT_SCAN_TIMEOUT);
    struct job job;
    harness_job(&harness, id, &job);
    assert_int_equal(job.status, JOB_TIMEOUT);
    assert_int_equal(job.added, 2);
    assert_int_equal(job.total, 3);
    assert_non_null(strstr(job.error, "6.5 s"));
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

static void equal_scans_merge(void **state)
{
    (void)state;
    char *folder = hanging_tree(1), *other = tree_new();
    tree_video(other, "sub/film.mkv");
    tree_video(other, ".hidden/film.mkv");
    tree_video(other, "sub/film.data");
    tree_text(other, "ruled/\n", ".reeldignore");
    tree_video(other, "ruled/film.mkv");
    char sub[512], hidden[512], film[512], data[512], ruled[512];
    snprintf(sub, sizeof sub, "%s/sub", other);
    snprintf(hidden, sizeof hidden, "%s/.hidden", other);
    snprintf(film, sizeof film, "%s/sub/film.mkv", other);
    snprintf(data, sizeof data, "%s/sub/film.data", other);
    snprintf(ruled, sizeof ruled, "%s/ruled", other);
    struct harness harness;
    harness_start(&harness, &stuck);
    const char *running = scan_until_stuck(&harness, folder, 1);
    assert_string_not_equal(harness_scan(&harness, folder), running); /* it walked already */
    const char *id = harness_scan(&harness, other);
    assert_string_equal(harness_scan(&harness, other), id);
    assert_string_equal(harness_scan(&harness, sub), id);
    assert_string_equal(harness_scan(&harness, film), id);
    assert_string_not_equal(harness_scan(&harness, hidden), id); /* the walk passes these over */
    assert_string_not_equal(harness_scan(&harness, data), id);
    assert_string_not_equal(harness_scan(&harness, ruled), id);
    struct scan_request request = {
        .path = sub, .recursive = true, .retry_failed = true, .timeout_ms = -1};
    assert_string_not_equal(harness_scan_with(&harness, &request), id);
    request = (struct scan_request){.path = sub, .recursive = true, .timeout_ms = 99000};
    assert_string_not_equal(harness_scan_with(&harness, &request), id);
    request = (struct scan_request){.path = other, .recursive = false, .timeout_ms = -1};
    assert_string_equal(harness_scan_with(&harness, &request), id);
    size_t queued = 0;
    for (size_t i = 0; i < harness.count; i++)
        queued +=
            harness.messages[i]->event && harness.messages[i]->event->type == EVENT_JOB_QUEUED;
    assert_int_equal(queued, 8);
    harness_end(&harness);
    tree_remove(folder);
    tree_remove(other);
}

static void a_folder_that_is_gone_fails_in_words(void **state)
{
    (void)state;
    char *folder = tree_new();
    char path[512];
    snprintf(path, sizeof path, "%s/gone", folder);
    struct harness harness;
    harness_start(&harness, &stuck);
    struct job job;
    harness_scan_all(&harness, path, &job);
    assert_int_equal(job.status, JOB_FAILED);
    assert_non_null(strstr(job.error, "gone"));
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

static void a_video_is_forgotten(void **state)
{
    (void)state;
    char *folder = tree_new();
    tree_video(folder, "film.mkv");
    struct harness harness;
    harness_start(&harness, &stuck);
    struct job job;
    harness_scan_all(&harness, folder, &job);
    job_clear(&job);
    struct video_query query = {.limit = 1};
    struct video_page page;
    assert_int_equal(catalog_videos(harness.reader, &query, &page), RL_OK);
    assert_int_equal(page.total, 1);
    uint64_t ticket = ++harness.ticket;
    library_video_delete(harness.library, ticket, page.videos[0].id, NULL);
    assert_int_equal(harness_reply(&harness, ticket)->err, RL_OK);
    harness_event(&harness, 0, EVENT_VIDEO_REMOVED, NULL);
    ticket = ++harness.ticket;
    library_video_delete(harness.library, ticket, page.videos[0].id, NULL);
    assert_int_equal(harness_reply(&harness, ticket)->err, RL_ENOTFOUND);
    video_page_clear(&page);
    char path[512];
    snprintf(path, sizeof path, "%s/film.mkv", folder);
    assert_int_equal(access(path, F_OK), 0);
    harness_end(&harness);
    tree_remove(folder);
}

/* Kills the workers of this process, which has no other children. */
static void kill_workers(void)
{
    glob_t found;
    assert_int_equal(glob("/proc/self/task/*/children", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *file = fopen(found.gl_pathv[i], "r");
        int pid;
        while (file && fscanf(file, "%d", &pid) == 1)
            kill(pid, SIGKILL);
        if (file)
            fclose(file);
    }
    globfree(&found);
}

/* No file of this process may grow: writing to the catalogue fails as on a broken disk. */
static void a_catalogue_that_cannot_be_written(void **state)
{
    (void)state;
    char *folder = hanging_tree(5);
    struct harness harness;
    harness_start(&harness, &stuck);
    const char *id = scan_until_stuck(&harness, folder, 5);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    harness.unwritable = true;
    kill_workers(); /* the file that hangs fails, which cannot be written */
    const struct library_message *end = harness_terminal(&harness, id);
    assert_int_equal(end->event->type, EVENT_SCAN_FAILED);
    assert_int_equal(end->event->sequence, 0);
    struct job job;
    assert_int_equal(library_job(harness.library, id, &job), RL_OK);
    assert_int_equal(job.status, JOB_FAILED);
    assert_int_equal(job.added, 5);
    assert_int_equal(job.error_count, 0);
    assert_non_null(strstr(job.error, "cannot be written"));
    job_clear(&job);
    uint64_t ticket = ++harness.ticket;
    struct scan_request request = {.path = folder, .recursive = true, .timeout_ms = -1};
    assert_int_equal(library_scan(harness.library, ticket, &request), RL_OK);
    assert_int_not_equal(harness_reply(&harness, ticket)->err, RL_OK);
    struct library_status status;
    library_status(harness.library, &status);
    assert_false(status.database_ok);
    assert_true(status.database_error[0] != '\0');

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    harness.unwritable = false;
    const char *next = harness_scan(&harness, folder); /* waits for the end of the first */
    harness_event(&harness, 0, EVENT_SCAN_STARTED, next);
    harness_job(&harness, id, &job);
    assert_int_equal(job.status, JOB_FAILED);
    assert_int_equal(job.added, 5);
    job_clear(&job);
    library_status(harness.library, &status);
    assert_true(status.database_ok);
    harness_end(&harness);
    tree_remove(folder);
}

static void paths_are_resolved_beneath_the_roots(void **state)
{
    (void)state;
    char *folder = tree_new(), *outside = tree_new();
    tree_text(folder, "x", "root/sub/film.mkv");
    tree_text(folder, "x", "rootless/film.mkv");
    char root[512], path[600], *real;
    snprintf(root, sizeof root, "%s/root", folder);
    const char *roots[] = {root, NULL};
    struct library_config config = stuck;
    config.roots = roots;
    struct harness harness;
    harness_start(&harness, &config);
    struct library *library = harness.library;
    snprintf(path, sizeof path, "%s/root/link", folder);
    assert_int_equal(symlink(outside, path), 0);
    assert_int_equal(library_resolve(library, path, &real), RL_EPERM); /* it leads out */
    snprintf(path, sizeof path, "%s/rootless", folder);
    assert_int_equal(library_resolve(library, path, &real),
                     RL_EPERM); /* "root" is no prefix of it */
    snprintf(path, sizeof path, "%s/root/../rootless", folder);
    assert_int_equal(library_resolve(library, path, &real), RL_EPERM);
    snprintf(path, sizeof path, "%s/root/none", folder);
    assert_int_equal(library_resolve(library, path, &real), RL_ENOTFOUND);
    assert_int_equal(library_resolve(library, "/nowhere/at/all", &real), RL_EPERM);
    assert_int_equal(library_resolve(library, "sub", &real), RL_EINVAL);
    snprintf(path, sizeof path, "%s/root/fifo", folder);
    assert_int_equal(mkfifo(path, 0644), 0);
    assert_int_equal(library_resolve(library, path, &real), RL_EINVAL);
    snprintf(path, sizeof path, "%s/root/./sub//film.mkv", folder);
    assert_int_equal(library_resolve(library, path, &real), RL_OK);
    snprintf(path, sizeof path, "%s/root/sub/film.mkv", folder);
    assert_string_equal(real, path);
    free(real);
    assert_int_equal(library_resolve(library, root, &real), RL_OK);
    free(real);
    harness_end(&harness);
    tree_remove(folder);
    tree_remove(outside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancel_while_a_worker_hangs),
        cmocka_unit_test(a_queued_job_is_cancelled_at_once),
        cmocka_unit_test(a_job_has_a_time_limit),
        cmocka_unit_test(equal_scans_merge),
        cmocka_unit_test(a_folder_that_is_gone_fails_in_words),
        cmocka_unit_test(a_video_is_forgotten),
        cmocka_unit_test(a_catalogue_that_cannot_be_written),
        cmocka_unit_test(paths_are_resolved_beneath_the_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
