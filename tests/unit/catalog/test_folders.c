#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

static void test_folders(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    put(fixture, "/m/a.mkv", 1, 1);
    put(fixture, "/m/x/a.mkv", 2, 2);
    put(fixture, "/m/x/y/a.mkv", 3, 3);
    put(fixture, "/m/x-1/a.mkv", 4, 4);
    put(fixture, "/m2/a.mkv", 5, 5);
    assert_ok(fixture->writer, catalog_video_missing(fixture->writer, 3, 0, NULL));
    assert_ok(fixture->writer, catalog_folder_device(fixture->writer, "/m/x", UINT64_MAX));
    commit(fixture);
    struct folder_list list;
    assert_ok(fixture->writer, catalog_folders_below(fixture->writer, "/m", NULL, 10, &list));
    assert_int_equal(list.count, 3);
    assert_string_equal(list.folders[0].path, "/m/x");
    assert_true(list.folders[0].device == UINT64_MAX);
    assert_string_equal(list.folders[1].path, "/m/x-1");
    folder_list_clear(&list);
    assert_ok(fixture->writer, catalog_folders_below(fixture->writer, "/m", "/m/x-1", 10, &list));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.folders[0].path, "/m/x/y");
    folder_list_clear(&list);
    assert_ok(fixture->writer, catalog_folders_below(fixture->writer, "/", NULL, 10, &list));
    assert_int_equal(list.count, 5);
    folder_list_clear(&list);
    int64_t count;
    assert_ok(fixture->writer, catalog_count_below(fixture->writer, "/m", &count));
    assert_int_equal(count, 3);
    assert_ok(fixture->writer, catalog_count_below(fixture->writer, "/m/x", &count));
    assert_int_equal(count, 1);
    assert_ok(fixture->writer, catalog_count_below(fixture->writer, "/", &count));
    assert_int_equal(count, 4);
}

static void test_roots(void **state)
{
    struct fixture *fixture = *state;
    char path[] = "/m/\xfe";
    struct root root = {.path = path, .device = UINT64_MAX, .scanned_at_ms = 5};
    struct root_list list;
    begin(fixture);
    assert_ok(fixture->writer, catalog_root_put(fixture->writer, &root));
    int64_t number = root.number;
    root.offline_since_ms = 9;
    strcpy(root.reason, "empty");
    assert_ok(fixture->writer, catalog_root_put(fixture->writer, &root));
    assert_int_equal(root.number, number);
    commit(fixture);
    assert_ok(fixture->writer, catalog_roots(fixture->writer, &list));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.roots[0].path, path);
    assert_true(list.roots[0].device == UINT64_MAX);
    assert_int_equal(list.roots[0].offline_since_ms, 9);
    assert_string_equal(list.roots[0].reason, "empty");
    root_list_clear(&list);
    char relative[] = "m";
    struct root wrong = {.path = relative}, nowhere = {0};
    begin(fixture);
    assert_int_equal(catalog_root_put(fixture->writer, &wrong), RL_EINVAL);
    assert_int_equal(catalog_root_put(fixture->writer, &nowhere), RL_EINVAL);
    commit(fixture);
}

static void test_about(void **state)
{
    struct fixture *fixture = *state;
    struct path_about about;
    struct file_stamp failed = stamp(77);
    begin(fixture);
    put(fixture, "/m/a.mkv", 11, 1);
    assert_ok(fixture->writer,
              catalog_failure_put(fixture->writer, "/m/a.mkv", &failed, "1", FAILURE_TRUNCATED,
                                  "short", fixture->job.number));
    assert_ok(fixture->writer, catalog_ignored_put(fixture->writer, "/m/b.ts", &failed, "1"));
    commit(fixture);
    assert_ok(fixture->writer, catalog_path_about(fixture->writer, "/m/a.mkv", &about));
    assert_true(id_valid(about.video_id));
    assert_int_equal(about.stamp.inode, 11);
    assert_int_equal(about.failure, FAILURE_TRUNCATED);
    assert_false(about.not_media);
    assert_string_equal(about.error, "short");
    assert_ok(fixture->writer, catalog_path_about(fixture->writer, "/m/b.ts", &about));
    assert_true(about.not_media);
    assert_string_equal(about.video_id, "");
    assert_ok(fixture->writer, catalog_path_about(fixture->writer, "/", &about));
    assert_string_equal(about.video_id, "");
}

/* What is known of a folder, and what of it was met again. */
static void test_marks(void **state)
{
    struct fixture *fixture = *state;
    struct known_directory *known;
    struct file_stamp failed = stamp(77);
    begin(fixture);
    put(fixture, "/m/a.mkv", 1, 1);
    put(fixture, "/m/b.mkv", 2, 2);
    assert_ok(fixture->writer,
              catalog_failure_put(fixture->writer, "/m/b.mkv", &failed, "1", FAILURE_TRUNCATED,
                                  "short", fixture->job.number));
    assert_ok(fixture->writer,
              catalog_failure_put(fixture->writer, "/m/c.mkv", &failed, "1", FAILURE_TRUNCATED,
                                  "short", fixture->job.number));
    assert_ok(fixture->writer, catalog_folder_device(fixture->writer, "/m/", 5));
    commit(fixture);
    assert_ok(fixture->writer, catalog_known(fixture->writer, "/m", "1", &known));
    assert_true(known_id(known) > 0);
    assert_int_equal(known_device(known), 5);
    known_mark(known, known_find(known, "a.mkv"));
    size_t at = 0;
    const struct known_file *file = known_unmarked(known, &at);
    assert_string_equal(file->name, "b.mkv");
    assert_int_equal(file->number, 2);
    assert_int_equal(file->failure, FAILURE_TRUNCATED);
    file = known_unmarked(known, &at);
    assert_string_equal(file->name, "c.mkv");
    assert_int_equal(file->number, 0);
    assert_null(known_unmarked(known, &at));
    known_free(known);
}

static void test_plan(void **state)
{
    struct fixture *fixture = *state;
    struct job job;
    begin(fixture);
    fixture->job.dry_run = true;
    fixture->job.refusal = (struct job_refusal){.root = 3, .count = 12, .reason = "many"};
    fixture->job.status = JOB_COMPLETE;
    assert_ok(fixture->writer, catalog_job_plan_add(fixture->writer, fixture->job.number,
                                                    OUTCOME_MOVED, "/m/b", "/m/a"));
    assert_ok(fixture->writer, catalog_job_plan_add(fixture->writer, fixture->job.number,
                                                    OUTCOME_NONE, "/m/c", NULL));
    assert_ok(fixture->writer, catalog_job_update(fixture->writer, &fixture->job));
    commit(fixture);
    assert_ok(fixture->writer, catalog_job_get(fixture->writer, fixture->job.id, &job));
    assert_true(job.dry_run);
    assert_int_equal(job.refusal.count, 12);
    assert_string_equal(job.refusal.reason, "many");
    assert_int_equal(job.n_plan, 2);
    assert_int_equal(job.plan[0].outcome, OUTCOME_MOVED);
    assert_string_equal(job.plan[0].from, "/m/a");
    assert_int_equal(job.plan[1].outcome, OUTCOME_NONE);
    assert_null(job.plan[1].from);
    job_clear(&job);
}

/* A plan is as long as a job's failures are, and goes with them. */
static void test_long_plan(void **state)
{
    struct fixture *fixture = *state;
    struct job job;
    begin(fixture);
    fixture->job.dry_run = true;
    fixture->job.status = JOB_COMPLETE;
    for (int i = 0; i < JOB_RESULT_ERRORS_MAX + 5; i++) {
        char path[32];
        snprintf(path, sizeof path, "/m/%d\xff\n", i);
        assert_ok(fixture->writer, catalog_job_plan_add(fixture->writer, fixture->job.number,
                                                        OUTCOME_NEW, path, NULL));
    }
    assert_ok(fixture->writer, catalog_job_update(fixture->writer, &fixture->job));
    commit(fixture);
    assert_ok(fixture->writer, catalog_job_get(fixture->writer, fixture->job.id, &job));
    assert_int_equal(job.n_plan, JOB_RESULT_ERRORS_MAX);
    assert_string_equal(job.plan[999].path, "/m/999\xff\n");
    struct job copy;
    assert_int_equal(job_copy(&copy, &job), RL_OK);
    assert_int_equal(copy.n_plan, job.n_plan);
    assert_string_equal(copy.plan[999].path, job.plan[999].path);
    job_clear(&copy);
    job_clear(&job);
    begin(fixture);
    assert_ok(fixture->writer, catalog_job_failures_clear(fixture->writer, fixture->job.number));
    commit(fixture);
    assert_ok(fixture->writer, catalog_job_get(fixture->writer, fixture->job.id, &job));
    assert_int_equal(job.n_plan, 0);
    job_clear(&job);
}

/* ---- what a job refused -------------------------------------------------------------------- */

static void test_refusal_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct job job;
    fixture->job.refusal = (struct job_refusal){.root = 3, .count = INT64_MAX, .reason = "device"};
    id_new(fixture->job.refusal.token);
    begin(fixture);
    assert_ok(fixture->writer, catalog_job_update(fixture->writer, &fixture->job));
    commit(fixture);
    assert_ok(fixture->writer, catalog_job_get(fixture->writer, fixture->job.id, &job));
    assert_false(job.dry_run);
    assert_int_equal(job.refusal.root, 3);
    assert_int_equal(job.refusal.count, INT64_MAX);
    assert_string_equal(job.refusal.reason, "device");
    assert_string_equal(job.refusal.token, fixture->job.refusal.token);
    job_clear(&job);
}

/* ---- odd names ----------------------------------------------------------------------------- */

/* What sorts close to the boundaries of a folder's range is not in it. */
static void test_odd_folders(void **state)
{
    static const char *const folders[] = {"/a",   "/a\n",   "/a ",         "/a.", "/a/",  "/a/\x01",
                                          "/a/b", "/a/b/c", "/a/\xff\xff", "/a0", "/a00", "/b"};
    struct fixture *fixture = *state;
    begin(fixture);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_ok(fixture->writer, catalog_folder_device(fixture->writer, folders[i], i + 1));
    assert_int_equal(catalog_folder_device(fixture->writer, "a", 1), RL_EINVAL);
    assert_int_equal(catalog_folder_device(fixture->writer, "", 1), RL_EINVAL);
    put(fixture, "/a/b/\xff.mkv", 1, 1);
    put(fixture, "/a0/x.mkv", 2, 2);
    put(fixture, "/x.mkv", 3, 3);
    commit(fixture);
    const char *below[] = {"/a/\x01", "/a/b", "/a/b/c", "/a/\xff\xff"};
    char after[64] = "";
    for (size_t i = 0; i < 4; i++) {
        struct folder_list list;
        assert_ok(fixture->writer,
                  catalog_folders_below(fixture->writer, "/a", after[0] ? after : NULL, 1, &list));
        assert_int_equal(list.count, 1);
        assert_string_equal(list.folders[0].path, below[i]);
        snprintf(after, sizeof after, "%s", list.folders[0].path);
        folder_list_clear(&list);
    }
    struct folder_list none;
    assert_ok(fixture->writer, catalog_folders_below(fixture->writer, "/a", after, 1, &none));
    assert_int_equal(none.count, 0);
    folder_list_clear(&none);
    assert_int_equal(catalog_folders_below(fixture->writer, "/a", NULL, 0, &none), RL_EINVAL);
    int64_t count;
    assert_ok(fixture->writer, catalog_count_below(fixture->writer, "/a/", &count));
    assert_int_equal(count, 1);
    assert_ok(fixture->writer, catalog_count_below(fixture->writer, "/", &count));
    assert_int_equal(count, 3);
    assert_ok(fixture->writer, catalog_count_below(fixture->writer, "/nowhere", &count));
    assert_int_equal(count, 0);
}

/* The videos that are there in one folder, and the failures of files that are gone. */
static void test_one_folder(void **state)
{
    struct fixture *fixture = *state;
    struct file_stamp failed = stamp(77);
    struct known_directory *known;
    begin(fixture);
    for (uint64_t i = 0; i < 100; i++) {
        char path[32];
        snprintf(path, sizeof path, "/m/%02u.mkv", (unsigned int)i);
        put(fixture, path, i, i);
    }
    assert_ok(fixture->writer, catalog_video_missing(fixture->writer, 50, 0, NULL));
    for (char name = 'a'; name < 'f'; name++) {
        char path[] = "/m/ .mkv";
        path[3] = name;
        assert_ok(fixture->writer,
                  catalog_failure_put(fixture->writer, path, &failed, "1", FAILURE_TRUNCATED,
                                      "short", fixture->job.number));
    }
    commit(fixture);
    assert_ok(fixture->writer, catalog_known(fixture->writer, "/m", "1", &known));
    int64_t id = known_id(known), *numbers;
    known_free(known);
    size_t count;
    assert_ok(fixture->writer, catalog_folder_videos(fixture->writer, id, &numbers, &count));
    assert_int_equal(count, 99);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(numbers[i], i < 49 ? i + 1 : i + 2);
    free(numbers);
    assert_ok(fixture->writer, catalog_folder_videos(fixture->writer, id + 99, &numbers, &count));
    assert_int_equal(count, 0);
    free(numbers);
    begin(fixture);
    assert_ok(fixture->writer, catalog_failure_forget(fixture->writer, "/m/a.mkv"));
    assert_ok(fixture->writer, catalog_failure_forget(fixture->writer, "/m/none.mkv"));
    assert_ok(fixture->writer, catalog_failure_forget(fixture->writer, "/nowhere/none.mkv"));
    assert_int_equal(catalog_failure_forget(fixture->writer, "none"), RL_EINVAL);
    commit(fixture);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM failures"), 4);
    begin(fixture);
    assert_ok(fixture->writer, catalog_folder_failures_forget(fixture->writer, id));
    commit(fixture);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM failures"), 0);
}

/* The longest that are missing come first, and no more than asked for. */
static void test_missing_before(void **state)
{
    struct fixture *fixture = *state;
    struct id_list ids;
    char first[ID_TEXT_SIZE];
    begin(fixture);
    put_video(fixture->writer, "/m/a.mkv", 1, 7, NULL);
    put_video(fixture->writer, "/m/b.mkv", 2, 7, first);
    put_video(fixture->writer, "/m/c.mkv", 3, 7, NULL);
    for (int64_t number = 1; number <= 3; number++)
        assert_ok(fixture->writer, catalog_video_missing(fixture->writer, number, 0, NULL));
    commit(fixture);
    int64_t now = clock_wall_ms();
    assert_ok(fixture->writer, catalog_missing_before(fixture->writer, now - 600000, 10, &ids));
    assert_int_equal(ids.count, 0);
    id_list_clear(&ids);
    assert_ok(fixture->writer, catalog_missing_before(fixture->writer, now + 600000, 2, &ids));
    assert_int_equal(ids.count, 2);
    assert_string_equal(ids.ids[1], first);
    id_list_clear(&ids);
    assert_int_equal(catalog_missing_before(fixture->writer, now, 0, &ids), RL_EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_folders),        TEST(test_odd_folders), TEST(test_one_folder),
        TEST(test_roots),          TEST(test_about),       TEST(test_marks),
        TEST(test_plan),           TEST(test_long_plan),   TEST(test_refusal_is_kept),
        TEST(test_missing_before),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
