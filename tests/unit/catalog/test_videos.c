#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static void assert_same_video(const struct video *a, const struct video *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->path, b->path);
    assert_memory_equal(&a->stamp, &b->stamp, sizeof a->stamp);
    assert_int_equal(a->created_at_ms, b->created_at_ms);
    assert_int_equal(a->updated_at_ms, b->updated_at_ms);
    assert_int_equal(a->missing_since_ms, b->missing_since_ms);
    assert_int_equal(a->sequence, b->sequence);
    assert_int_equal(a->thumbnail, b->thumbnail);
    assert_memory_equal(&a->info.summary, &b->info.summary, sizeof a->info.summary);
    assert_int_equal(a->info.n_streams, b->info.n_streams);
    assert_int_equal(a->info.n_chapters, b->info.n_chapters);
    assert_memory_equal(a->info.streams, b->info.streams,
                        a->info.n_streams * sizeof *a->info.streams);
    assert_memory_equal(a->info.chapters, b->info.chapters,
                        a->info.n_chapters * sizeof *a->info.chapters);
}

static void begin(struct fixture *fixture)
{
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
}

static void commit(struct fixture *fixture)
{
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
}

static void test_put_and_get(void **state)
{
    struct fixture *fixture = *state;
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    struct video video, read;
    enum outcome outcome;
    video_make(&video, "/media/films/a.mkv", 12345);
    begin(fixture);
    assert_ok(fixture->writer, catalog_video_put(fixture->writer, &video, 7, &outcome));
    assert_int_equal(outcome, OUTCOME_NEW);
    assert_true(id_valid(video.id));
    assert_int_equal(video.sequence, 1);
    assert_int_equal(video.thumbnail, THUMBNAIL_PENDING);
    assert_int_equal(video.created_at_ms, video.updated_at_ms);
    assert_int_equal(catalog_video_get(fixture->reader, video.id, &read), RL_ENOTFOUND);
    commit(fixture);
    assert_ok(fixture->reader, catalog_video_get(fixture->reader, video.id, &read));
    assert_same_video(&video, &read);
    video_clear(&read);
    assert_int_equal(catalog_video_get(fixture->reader, "no id", &read), RL_ENOTFOUND);
    assert_int_equal(catalog_video_get(fixture->reader, "", &read), RL_ENOTFOUND);
    assert_null(read.path);
    video_clear(&video);
}

static void test_put_again(void **state)
{
    struct fixture *fixture = *state;
    struct video video, read;
    enum outcome outcome;
    char id[ID_TEXT_SIZE];
    begin(fixture);
    assert_int_equal(put_video(fixture->writer, "/m/a.mkv", 1, 7, id), OUTCOME_NEW);
    /* The same job meets it again, as after a restart. */
    assert_int_equal(put_video(fixture->writer, "/m/a.mkv", 2, 7, NULL), OUTCOME_NEW);
    assert_int_equal(put_video(fixture->writer, "/m/a.mkv", 3, 8, NULL), OUTCOME_UPDATED);
    assert_int_equal(put_video(fixture->writer, "/m/a.mkv", 4, 8, NULL), OUTCOME_UPDATED);
    commit(fixture);
    assert_ok(fixture->writer, catalog_video_get(fixture->writer, id, &read));
    int64_t created = read.created_at_ms;
    video_clear(&read);

    begin(fixture);
    video_make(&video, "/m/a.mkv", 99);
    video.info.n_streams = 1;
    video.info.n_chapters = 0;
    snprintf(video.info.summary.title, sizeof video.info.summary.title, "Entirely new");
    assert_ok(fixture->writer, catalog_video_put(fixture->writer, &video, 9, &outcome));
    commit(fixture);
    assert_string_equal(video.id, id);
    assert_int_equal(video.created_at_ms, created);
    assert_int_equal(video.sequence, 5);
    assert_ok(fixture->writer, catalog_video_get(fixture->writer, id, &read));
    assert_same_video(&video, &read);
    video_clear(&read);
    video_clear(&video);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM videos"), 1);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM streams"), 1);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM chapters"), 0);
}

static void test_bad_paths(void **state)
{
    struct fixture *fixture = *state;
    char name[300] = "/m/";
    memset(name + 3, 'n', 256);
    const char *paths[] = {"", "a.mkv", "m/a.mkv", "/", "/m/", name};
    struct file_stamp stamp = {0};
    begin(fixture);
    put_video(fixture->writer, "/good.mkv", 1, 7, NULL);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct video video;
        enum outcome outcome;
        video_make(&video, paths[i], 1);
        assert_int_equal(catalog_video_put(fixture->writer, &video, 7, &outcome), RL_EINVAL);
        assert_int_equal(catalog_failure_put(fixture->writer, paths[i], &stamp, "1", FAILURE_EMPTY,
                                             NULL, fixture->job.number),
                         RL_EINVAL);
        video_clear(&video);
    }
    /* What was refused has not broken the transaction. */
    commit(fixture);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM videos"), 1);
}

static const char *const odd_names[] = {
    "/m/new\nline.mkv",    "/m/quote'\".mkv",    "/m/bad\xff\xfe.mkv",
    "/m/half\xc3.mkv",     "/m/%s%n.mkv",        "/m/ space .mkv",
    "/m/\x01\x1b[31m.mkv", "/root.mkv",          "/m/\xf0\x9f\x8e\xac.mkv",
    "/\xff/\xff\xff.mkv",  "/m/back\\slash.mkv", "/m/semi;--.mkv",
};

static void test_odd_names(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = sizeof odd_names / sizeof odd_names[0] };
    char ids[COUNT][ID_TEXT_SIZE];
    struct video read;
    begin(fixture);
    for (uint32_t i = 0; i < COUNT; i++)
        put_video(fixture->writer, odd_names[i], i, 7, ids[i]);
    commit(fixture);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_ok(fixture->writer, catalog_video_get(fixture->writer, ids[i], &read));
        assert_string_equal(read.path, odd_names[i]);
        video_clear(&read);
    }
    struct known_directory *known;
    assert_ok(fixture->writer, catalog_known(fixture->writer, "/m/", "1", &known));
    for (uint32_t i = 0; i < COUNT; i++) {
        if (strncmp(odd_names[i], "/m/", 3) == 0)
            assert_non_null(known_find(known, odd_names[i] + 3));
    }
    known_free(known);
    assert_ok(fixture->writer, catalog_known(fixture->writer, "/", "1", &known));
    assert_non_null(known_find(known, "root.mkv"));
    known_free(known);
}

static void test_delete(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT_SIZE];
    struct video was;
    begin(fixture);
    put_video(fixture->writer, "/m/a.mkv", 1, 7, id);
    commit(fixture);
    begin(fixture);
    assert_ok(fixture->writer, catalog_video_delete(fixture->writer, id, &was));
    assert_string_equal(was.path, "/m/a.mkv");
    assert_string_equal(was.id, id);
    assert_int_equal(was.sequence, 2);
    assert_int_equal(was.info.n_streams, 3);
    video_clear(&was);
    assert_int_equal(catalog_video_delete(fixture->writer, id, NULL), RL_ENOTFOUND);
    commit(fixture);
    assert_int_equal(catalog_video_get(fixture->writer, id, &was), RL_ENOTFOUND);
    assert_int_equal(query_int(fixture->path, "SELECT sequence FROM tombstones"), 2);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM streams"), 0);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM chapters"), 0);
    struct video_page page;
    struct video_query query = {.filter.search = "a.mkv", .limit = 5};
    assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
    assert_int_equal(page.total, 0);
}

static void test_rollback(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT_SIZE];
    struct video read;
    begin(fixture);
    put_video(fixture->writer, "/fresh/a.mkv", 1, 7, id);
    catalog_rollback(fixture->writer);
    assert_int_equal(catalog_video_get(fixture->writer, id, &read), RL_ENOTFOUND);
    /* The folder went with it; it must not be remembered by its lost id. */
    begin(fixture);
    assert_int_equal(put_video(fixture->writer, "/fresh/a.mkv", 1, 7, id), OUTCOME_NEW);
    assert_int_equal(put_video(fixture->writer, "/other/b.mkv", 2, 7, NULL), OUTCOME_NEW);
    commit(fixture);
    assert_ok(fixture->writer, catalog_video_get(fixture->writer, id, &read));
    assert_string_equal(read.path, "/fresh/a.mkv");
    assert_int_equal(read.sequence, 1);
    video_clear(&read);
}

/* A put of a missing video brings it back as it was. */
static void test_missing_comes_back(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT_SIZE], again[ID_TEXT_SIZE];
    struct video_page page;
    struct video_query query = {.limit = 5};
    struct known_directory *known;
    begin(fixture);
    put_video(fixture->writer, "/m/a.mkv", 1, 7, id);
    put_video(fixture->writer, "/m/b.mkv", 2, 7, NULL);
    assert_ok(fixture->writer, catalog_video_missing(fixture->writer, 1, 0, NULL));
    commit(fixture);
    assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
    assert_int_equal(page.total, 1);
    assert_int_equal(page.count, 1);
    assert_string_equal(page.videos[0].path, "/m/b.mkv");
    video_page_clear(&page);
    query.filter.search = "mkv";
    assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
    assert_int_equal(page.total, 1);
    video_page_clear(&page);
    assert_ok(fixture->writer, catalog_known(fixture->writer, "/m", "1", &known));
    assert_null(known_find(known, "a.mkv"));
    assert_non_null(known_find(known, "b.mkv"));
    known_free(known);
    begin(fixture);
    assert_int_equal(put_video(fixture->writer, "/m/a.mkv", 1, 8, again), OUTCOME_UPDATED);
    commit(fixture);
    assert_string_equal(again, id);
    assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
    assert_int_equal(page.total, 2);
    assert_int_equal(page.videos[0].missing_since_ms, 0);
    video_page_clear(&page);
}

static void test_known(void **state)
{
    struct fixture *fixture = *state;
    struct known_directory *known;
    assert_ok(fixture->writer, catalog_known(fixture->writer, "/nowhere", "1", &known));
    assert_null(known_find(known, "a"));
    known_free(known);
    begin(fixture);
    for (uint32_t i = 0; i < 1000; i++) {
        char path[64];
        snprintf(path, sizeof path, "/m/%u.mkv", i * 7919 % 1000);
        put_video(fixture->writer, path, i * 7919 % 1000, 7, NULL);
    }
    put_video(fixture->writer, "/m/sub/1000.mkv", 1000, 7, NULL);
    commit(fixture);
    assert_ok(fixture->writer, catalog_known(fixture->writer, "/m", "1", &known));
    for (uint32_t i = 0; i < 1000; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u.mkv", i);
        const struct known_file *file = known_find(known, name);
        assert_non_null(file);
        assert_string_equal(file->name, name);
        assert_int_equal(file->stamp.size, i);
        assert_int_equal(file->stamp.mtime_ns, INT64_C(1700000000123456789) + i);
        assert_true(file->stamp.device == UINT64_MAX - i);
        assert_true(file->stamp.inode == UINT64_C(0x8000000000000001) + i);
        assert_int_equal(file->job, 7);
        assert_int_equal(file->outcome, OUTCOME_NEW);
        assert_int_equal(file->failure, FAILURE_NONE);
        assert_null(file->error);
    }
    assert_null(known_find(known, "1000.mkv"));
    assert_null(known_find(known, ""));
    known_free(known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_put_and_get, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_put_again, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bad_paths, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_odd_names, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_delete, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_rollback, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_missing_comes_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_known, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
