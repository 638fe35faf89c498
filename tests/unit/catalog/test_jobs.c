#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static void fill(struct job *job)
{
    job_make(job, "/media/\xff'\n");
    job->status = JOB_TIMEOUT;
    job->phase = PHASE_COUNTING;
    job->trigger = TRIGGER_WATCH;
    job->retry_failed = job->paused = job->total_known = true;
    job->timeout_ms = 300000;
    job->processed = 1;
    job->total = 2;
    job->added = 3;
    job->updated = 4;
    job->moved = 5;
    job->skipped = 6;
    job->missing = 7;
    job->error_count = 8;
    job->progress_floor = 0.625;
    job->submitted_at_ms = 9;
    job->started_at_ms = 10;
    job->finished_at_ms = 11;
    snprintf(job->error, sizeof job->error, "took longer than 300 s");
    snprintf(job->correlation_id, sizeof job->correlation_id, "9bab51d4");
}

static void assert_same_job(const struct job *a, const struct job *b)
{
    assert_string_equal(a->path, b->path);
    struct job left = *a, right = *b;
    left.path = right.path = NULL;
    left.failures = right.failures = NULL;
    assert_memory_equal(&left, &right, sizeof left);
}

static void test_round_trip(void **state)
{
    struct fixture *fixture = *state;
    struct job job, read;
    fill(&job);
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_ok(fixture->writer, catalog_job_insert(fixture->writer, &job));
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_int_equal(job.number, fixture->job.number + 1);
    assert_ok(fixture->writer, catalog_job_get(fixture->writer, job.id, &read));
    assert_same_job(&job, &read);
    job_clear(&read);

    job.status = JOB_COMPLETE;
    job.type = JOB_TYPE_THUMBNAILS;
    job.trigger = TRIGGER_RESUME;
    job.phase = PHASE_FINISHED;
    job.recursive = job.retry_failed = job.paused = job.total_known = false;
    job.processed = INT64_MAX;
    job.progress_floor = 1.0 / 3;
    job.error[0] = '\0';
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_ok(fixture->writer, catalog_job_update(fixture->writer, &job));
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_ok(fixture->writer, catalog_job_get(fixture->writer, job.id, &read));
    memset(job.error, 0, sizeof job.error);
    assert_same_job(&job, &read);
    job_clear(&read);
    job_clear(&job);
    assert_null(job.path);
}

static void test_refusals(void **state)
{
    struct fixture *fixture = *state;
    struct job job, read;
    struct job_list list;
    assert_int_equal(catalog_job_get(fixture->writer, "nonsense", &read), RL_ENOTFOUND);
    assert_int_equal(catalog_jobs(fixture->writer, -1, -1, 0, 0, &list), RL_EINVAL);
    assert_int_equal(catalog_jobs(fixture->writer, -1, -1, 0, 1001, &list), RL_EINVAL);
    assert_int_equal(catalog_jobs(fixture->writer, JOB_STATUSES, -1, 0, 1, &list), RL_EINVAL);
    assert_int_equal(catalog_jobs(fixture->writer, -1, -1, -1, 1, &list), RL_EINVAL);
    fill(&job);
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_int_equal(catalog_job_update(fixture->writer, &job), RL_ENOTFOUND);
    job.status = JOB_STATUSES;
    assert_int_equal(catalog_job_insert(fixture->writer, &job), RL_EINVAL);
    job.status = JOB_PENDING;
    job.id[0] = 'X';
    assert_int_equal(catalog_job_insert(fixture->writer, &job), RL_EINVAL);
    id_new(job.id);
    assert_ok(fixture->writer, catalog_job_insert(fixture->writer, &job));
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    job_clear(&job);
}

/* Pages of `limit`, each from where the one before ended: gives how many jobs they have in all. */
static size_t count_in_pages(struct catalog *reader, int status, int limit)
{
    size_t count = 0;
    int64_t before = 0;
    for (bool more = true; more;) {
        struct job_list list;
        assert_ok(reader, catalog_jobs(reader, status, -1, before, limit, &list));
        assert_true(list.count <= (size_t)limit && (list.count == (size_t)limit || !list.more));
        for (size_t i = 0; i < list.count; i++) {
            assert_true(!before || list.jobs[i].number < before);
            before = list.jobs[i].number;
        }
        count += list.count;
        more = list.more;
        job_list_clear(&list);
    }
    return count;
}

static void test_lists(void **state)
{
    struct fixture *fixture = *state;
    struct job_list list;
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    for (int i = 0; i < 60; i++) {
        struct job job;
        job_make(&job, "/media");
        job.status = (enum job_status)(i % JOB_STATUSES);
        job.type = (enum job_type)(i % JOB_TYPES);
        assert_ok(fixture->writer, catalog_job_insert(fixture->writer, &job));
        job_clear(&job);
    }
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);

    assert_ok(fixture->reader, catalog_jobs(fixture->reader, -1, -1, 0, 1000, &list));
    assert_int_equal(list.count, 61);
    assert_false(list.more);
    for (size_t i = 1; i < list.count; i++)
        assert_true(list.jobs[i].number < list.jobs[i - 1].number);
    job_list_clear(&list);
    assert_ok(fixture->reader, catalog_jobs(fixture->reader, JOB_FAILED, -1, 0, 7, &list));
    assert_int_equal(list.count, 7);
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(list.jobs[i].status, JOB_FAILED);
    job_list_clear(&list);
    assert_ok(fixture->reader,
              catalog_jobs(fixture->reader, JOB_COMPLETE, JOB_TYPE_SCAN, 0, 1000, &list));
    assert_int_equal(list.count, 10);
    job_list_clear(&list);
    /* 61 are no whole number of pages of 7; of 10 that have a status the last page of 5 is full. */
    assert_int_equal(count_in_pages(fixture->reader, -1, 7), 61);
    assert_int_equal(count_in_pages(fixture->reader, -1, 61), 61);
    assert_int_equal(count_in_pages(fixture->reader, JOB_FAILED, 5), 10);
    assert_ok(fixture->reader, catalog_jobs_unfinished(fixture->reader, &list));
    assert_int_equal(list.count, 21);
    for (size_t i = 0; i < list.count; i++) {
        assert_true(list.jobs[i].status == JOB_PENDING || list.jobs[i].status == JOB_RUNNING);
        assert_true(i == 0 || list.jobs[i].number > list.jobs[i - 1].number);
    }
    job_list_clear(&list);
    assert_int_equal(list.count, 0);
}

/* The words of the file, not the numbers of an enum that grows. */
static void test_words_are_kept(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(query_int(fixture->path, "SELECT status = 'running' AND type = 'scan' AND"
                                              " phase = 'probing' AND trigger = 'api' FROM jobs"),
                     1);
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    put_video(fixture->writer, "/m/a.mkv", 1, fixture->job.number, NULL);
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_int_equal(query_int(fixture->path, "SELECT outcome = 'new' FROM videos"), 1);
    /* A word that no longer exists. */
    query_exec(fixture->path, "UPDATE jobs SET status = 'unheard', trigger = 'of'");
    struct job read;
    assert_ok(fixture->writer, catalog_job_get(fixture->writer, fixture->job.id, &read));
    assert_int_equal(read.status, JOB_FAILED);
    job_clear(&read);
}

/* A job of the watch that is over, with `more` done to it. */
static int64_t add_over(struct fixture *fixture, const char *path, const char *failing,
                        void (*more)(struct job *job))
{
    struct job job;
    job_make(&job, path);
    job.status = JOB_COMPLETE;
    job.phase = PHASE_FINISHED;
    job.trigger = TRIGGER_WATCH;
    job.skipped = 6;
    job.error_count = failing ? 1 : 0;
    job.finished_at_ms = 1000;
    if (more)
        more(&job);
    assert_ok(fixture->writer, catalog_job_insert(fixture->writer, &job));
    if (failing)
        assert_ok(fixture->writer, catalog_job_failure_add(fixture->writer, job.number, failing,
                                                           FAILURE_NOT_MEDIA, "x"));
    int64_t number = job.number;
    job_clear(&job);
    return number;
}

static void later(struct job *job)
{
    job->finished_at_ms = 2000;
}

static void asked_for(struct job *job)
{
    job->trigger = TRIGGER_API;
}

static void added(struct job *job)
{
    job->added = 1;
}

static void updated(struct job *job)
{
    job->updated = 1;
}

static void moved(struct job *job)
{
    job->moved = 1;
}

static void missed(struct job *job)
{
    job->missing = 1;
}

static void dry(struct job *job)
{
    job->dry_run = true;
}

static void failed(struct job *job)
{
    job->status = JOB_FAILED;
}

static void said(struct job *job)
{
    snprintf(job->error, sizeof job->error, "2 of 9 would vanish");
}

static void refused(struct job *job)
{
    job->refusal.root = 1;
}

static void forget_same(struct fixture *fixture, int64_t number, const char *failing)
{
    struct job job;
    job_make(&job, "/a");
    job.trigger = TRIGGER_WATCH;
    job.number = number;
    job.error_count = failing ? 1 : 0;
    assert_ok(fixture->writer, catalog_jobs_forget_same(fixture->writer, &job, 2000));
    job_clear(&job);
}

static int64_t count_rows(const struct fixture *fixture, int64_t number)
{
    char sql[96];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM jobs WHERE number = %lld", (long long)number);
    return query_int(fixture->path, sql);
}

static void test_same_are_forgotten(void **state)
{
    static void (*const otherwise[])(struct job *) = {later,  asked_for, added,  updated, moved,
                                                      missed, dry,       failed, said,    refused};
    enum { KINDS = sizeof otherwise / sizeof otherwise[0] };
    struct fixture *fixture = *state;
    struct catalog *writer = fixture->writer;
    int64_t kept[KINDS];
    assert_ok(writer, catalog_begin(writer));
    for (size_t i = 0; i < KINDS; i++)
        kept[i] = add_over(fixture, "/a", NULL, otherwise[i]);
    int64_t elsewhere = add_over(fixture, "/a/b", NULL, NULL);
    int64_t same = add_over(fixture, "/a", NULL, NULL);
    int64_t failing = add_over(fixture, "/a", "/a/1.mp4", NULL);
    int64_t other = add_over(fixture, "/a", "/a/2.mp4", NULL);
    int64_t first = add_over(fixture, "/a", "/a/1.mp4", NULL);
    const struct file_stamp stamp = {.size = 1};
    assert_ok(writer,
              catalog_failure_put(writer, "/a/3.mp4", &stamp, "v", FAILURE_NOT_MEDIA, "x", first));
    int64_t now = add_over(fixture, "/a", NULL, NULL);
    forget_same(fixture, now, NULL);
    int64_t now_failing = add_over(fixture, "/a", "/a/1.mp4", NULL);
    forget_same(fixture, now_failing, "/a/1.mp4");
    int64_t after = add_over(fixture, "/a", NULL, NULL);
    assert_ok(writer, catalog_commit(writer));
    for (size_t i = 0; i < KINDS; i++)
        assert_int_equal(count_rows(fixture, kept[i]), 1);
    assert_int_equal(count_rows(fixture, elsewhere), 1);
    assert_int_equal(count_rows(fixture, same), 0);
    assert_int_equal(count_rows(fixture, failing), 0);
    assert_int_equal(count_rows(fixture, other), 1);
    assert_int_equal(count_rows(fixture, first), 1);
    assert_int_equal(count_rows(fixture, now), 1);
    assert_int_equal(count_rows(fixture, now_failing), 1);
    assert_int_equal(count_rows(fixture, after), 1);
    assert_int_equal(
        query_int(fixture->path,
                  "SELECT count(*) FROM job_failures WHERE job NOT IN (SELECT number FROM jobs)"),
        0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refusals, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_lists, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_words_are_kept, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_same_are_forgotten, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
