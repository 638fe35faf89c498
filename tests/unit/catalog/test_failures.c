#include <stdio.h>
#include <string.h>

#include "support.h"

static const struct file_stamp stamp = {.size = 5, .mtime_ns = 6, .device = 7, .inode = 8};

static void put_failure(struct fixture *fixture, const char *path, enum failure_code code,
                        const char *error)
{
    assert_ok(fixture->writer, catalog_failure_put(fixture->writer, path, &stamp, "worker 1", code,
                                                   error, fixture->job.number));
}

static void test_remembered(void **state)
{
    struct fixture *fixture = *state;
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    put_failure(fixture, "/m/b.mkv", FAILURE_TRUNCATED, "no moov atom");
    put_failure(fixture, "/m/d.mkv", FAILURE_EMPTY, NULL);
    put_video(fixture->writer, "/m/a.mkv", 1, 3, NULL);
    put_video(fixture->writer, "/m/c.mkv", 2, 3, NULL);
    assert_ok(fixture->writer, catalog_commit(fixture->writer));

    struct known_directory *known;
    assert_ok(fixture->writer, catalog_known(fixture->writer, "/m", "worker 1", &known));
    const struct known_file *file = known_find(known, "b.mkv");
    assert_non_null(file);
    assert_int_equal(file->failure, FAILURE_TRUNCATED);
    assert_string_equal(file->error, "no moov atom");
    assert_false(file->failure_stale);
    assert_int_equal(file->outcome, OUTCOME_FAILED);
    assert_int_equal(file->job, fixture->job.number);
    assert_memory_equal(&file->stamp, &stamp, sizeof stamp);
    file = known_find(known, "d.mkv");
    assert_non_null(file);
    assert_null(file->error);
    assert_int_equal(known_find(known, "a.mkv")->failure, FAILURE_NONE);
    assert_int_equal(known_find(known, "c.mkv")->job, 3);
    known_free(known);

    assert_ok(fixture->writer, catalog_known(fixture->writer, "/m", "worker 2", &known));
    assert_true(known_find(known, "b.mkv")->failure_stale);
    known_free(known);
}

/* A file that was indexed and then broke: the failure is about its later state; the video stays. */
static void test_failure_of_known_video(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT_SIZE];
    struct known_directory *known;
    struct video video;
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    put_video(fixture->writer, "/m/a.mkv", 1, 3, id);
    put_video(fixture->writer, "/m/b.mkv", 1, 3, NULL);
    put_failure(fixture, "/m/a.mkv", FAILURE_CORRUPT, "bits");
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_ok(fixture->writer, catalog_known(fixture->writer, "/m", "worker 1", &known));
    assert_int_equal(known_find(known, "a.mkv")->failure, FAILURE_CORRUPT);
    assert_int_equal(known_find(known, "a.mkv")->stamp.size, 5);
    assert_int_equal(known_find(known, "b.mkv")->failure, FAILURE_NONE);
    known_free(known);
    assert_ok(fixture->writer, catalog_video_get(fixture->writer, id, &video));
    video_clear(&video);

    /* Repaired: the failure is forgotten. */
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_int_equal(put_video(fixture->writer, "/m/a.mkv", 2, 4, NULL), OUTCOME_UPDATED);
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_ok(fixture->writer, catalog_known(fixture->writer, "/m", "worker 1", &known));
    assert_int_equal(known_find(known, "a.mkv")->failure, FAILURE_NONE);
    assert_int_equal(known_find(known, "a.mkv")->stamp.size, 2);
    known_free(known);
}

static void test_failure_again(void **state)
{
    struct fixture *fixture = *state;
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    put_failure(fixture, "/m/a.mkv", FAILURE_TIMEOUT, "30 s");
    put_failure(fixture, "/m/a.mkv", FAILURE_CRASH, "signal 11");
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM failures"), 1);
    struct known_directory *known;
    assert_ok(fixture->writer, catalog_known(fixture->writer, "/m", "worker 1", &known));
    assert_int_equal(known_find(known, "a.mkv")->failure, FAILURE_CRASH);
    known_free(known);
}

static void test_list_of_job(void **state)
{
    struct fixture *fixture = *state;
    struct job_failure *failures;
    size_t count;
    int64_t job = fixture->job.number;
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    for (int i = 0; i < 1500; i++) {
        char path[64];
        snprintf(path, sizeof path, "/m/\xff%d", i);
        assert_ok(fixture->writer,
                  catalog_job_failure_add(fixture->writer, job, path,
                                          (enum failure_code)(1 + i % (FAILURES - 1)),
                                          i % 2 ? "bad \xff word" : NULL));
    }
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM failures"), 0);

    int seen = 0;
    do {
        assert_ok(fixture->writer,
                  catalog_job_failures(fixture->writer, job, seen, 400, &failures, &count));
        for (size_t i = 0; i < count; i++, seen++) {
            char path[64];
            snprintf(path, sizeof path, "/m/\xff%d", seen);
            assert_string_equal(failures[i].path, path);
            assert_int_equal(failures[i].code, 1 + seen % (FAILURES - 1));
            assert_string_equal(failures[i].error, seen % 2 ? "bad \xef\xbf\xbd word" : "");
        }
        job_failures_free(failures, count);
    } while (count > 0);
    assert_int_equal(seen, 1500);

    struct job read;
    assert_ok(fixture->writer, catalog_job_get(fixture->writer, fixture->job.id, &read));
    assert_int_equal(read.n_failures, 0);
    job_clear(&read);
    fixture->job.status = JOB_FAILED;
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_ok(fixture->writer, catalog_job_update(fixture->writer, &fixture->job));
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_ok(fixture->writer, catalog_job_get(fixture->writer, fixture->job.id, &read));
    assert_int_equal(read.n_failures, JOB_RESULT_ERRORS_MAX);
    struct job copy;
    assert_int_equal(job_copy(&copy, &read), RL_OK);
    job_clear(&read);
    assert_int_equal(copy.n_failures, JOB_RESULT_ERRORS_MAX);
    assert_string_equal(copy.failures[999].path, "/m/\xff"
                                                 "999");
    job_clear(&copy);

    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_ok(fixture->writer, catalog_job_failures_clear(fixture->writer, job));
    assert_ok(fixture->writer, catalog_job_failure_add(fixture->writer, job, "/x", 1, "again"));
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_ok(fixture->writer,
              catalog_job_failures(fixture->writer, job, 0, 10, &failures, &count));
    assert_int_equal(count, 1);
    job_failures_free(failures, count);
}

static void test_refusals(void **state)
{
    struct fixture *fixture = *state;
    struct job_failure *failures;
    size_t count;
    assert_int_equal(catalog_job_failures(fixture->writer, 1, -1, 10, &failures, &count),
                     RL_EINVAL);
    assert_int_equal(catalog_job_failures(fixture->writer, 1, 0, 0, &failures, &count), RL_EINVAL);
    assert_int_equal(catalog_job_failure_add(fixture->writer, 1, "/x", FAILURE_EMPTY, NULL),
                     RL_EINVAL);
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_int_equal(catalog_job_failure_add(fixture->writer, 1, "/x", FAILURE_NONE, NULL),
                     RL_EINVAL);
    /* A job that is not there: a mistake of the caller, which takes the transaction back. */
    assert_int_equal(catalog_job_failure_add(fixture->writer, 999, "/x", FAILURE_EMPTY, NULL),
                     RL_EINVAL);
    assert_int_equal(catalog_commit(fixture->writer), RL_EINVAL);
    assert_true(catalog_error(fixture->writer)[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_remembered, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_failure_of_known_video, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_failure_again, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_list_of_job, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refusals, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
