#include <stdio.h>
#include <string.h>

#include "../../../src/catalog/private.h"
#include "files.h"

/* Which videos are due a picture, and what becomes of that when files and pictures come and go. */

static const struct picture_subject *only(const struct picture_subjects *list)
{
    assert_int_equal(list->count, 1);
    return list->subjects;
}

static int64_t due(struct fixture *fixture, const char *worker)
{
    int64_t count;
    assert_ok(fixture->writer, catalog_pictures_count(fixture->writer, worker, &count));
    return count;
}

static struct picture_outcome ready(const struct video *video)
{
    return (struct picture_outcome){.number = video->number,
                                    .version = video->version,
                                    .thumbnail = THUMBNAIL_READY,
                                    .width = 320};
}

static struct picture_outcome failed(const struct video *video, const char *worker)
{
    return (struct picture_outcome){.number = video->number,
                                    .version = video->version,
                                    .thumbnail = THUMBNAIL_FAILED,
                                    .failure = FAILURE_NO_PICTURE,
                                    .error = "nothing to see",
                                    .worker_version = worker};
}

static void at(struct fixture *fixture, const char *path, struct video *out)
{
    assert_ok(fixture->writer, catalog_video_at(fixture->writer, path, out));
}

/* Keeps an outcome; gives the state before, or -1: there was nothing to be done. */
static int keep(struct fixture *fixture, const struct picture_outcome *outcome, struct video *out)
{
    int32_t before = -1;
    begin(fixture);
    enum rl_err err = catalog_picture_put(fixture->writer, outcome, &before, out);
    if (err != RL_ENOTFOUND)
        assert_ok(fixture->writer, err);
    commit(fixture);
    return before;
}

static void test_due_until_made(void **state)
{
    struct fixture *fixture = *state;
    char path[32];
    begin(fixture);
    for (int i = 0; i < 10; i++) {
        snprintf(path, sizeof path, "/m/%d.mkv", i);
        put(fixture, path, (uint64_t)i + 1, (uint64_t)i + 1);
    }
    commit(fixture);
    assert_int_equal(due(fixture, "w1"), 10);
    struct picture_subjects list;
    assert_ok(fixture->writer, catalog_pictures_pending(fixture->writer, 0, 4, &list));
    assert_int_equal(list.count, 4);
    int64_t last = list.subjects[3].number;
    picture_subjects_clear(&list);
    assert_ok(fixture->writer, catalog_pictures_pending(fixture->writer, last, 100, &list));
    assert_int_equal(list.count, 6);
    assert_string_equal(list.subjects[0].path, "/m/4.mkv");
    assert_int_equal(list.subjects[0].stamp.inode, 5);
    picture_subjects_clear(&list);

    struct video video, after;
    at(fixture, "/m/4.mkv", &video);
    struct picture_outcome outcome = ready(&video);
    assert_int_equal(keep(fixture, &outcome, &after), THUMBNAIL_PENDING);
    assert_int_equal(after.thumbnail, THUMBNAIL_READY);
    assert_int_equal(after.thumbnail_width, 320);
    assert_true(after.sequence > video.sequence);
    video_clear(&after);
    assert_int_equal(keep(fixture, &outcome, &after), -1); /* known already */
    assert_int_equal(due(fixture, "w1"), 9);
    struct change_list changes;
    assert_ok(fixture->writer, catalog_changes(fixture->writer, video.sequence + 5, 100, &changes));
    assert_string_equal(changes.changes[changes.count - 1].id, video.id);
    assert_int_equal(changes.changes[changes.count - 1].video.thumbnail, THUMBNAIL_READY);
    change_list_clear(&changes);
    struct picture_subject subject;
    assert_ok(fixture->writer, catalog_picture_get(fixture->writer, video.id, &subject));
    assert_int_equal(subject.version, video.version);
    assert_int_equal(subject.thumbnail_width, 320);
    picture_subject_clear(&subject);
    video_clear(&video);
}

/* What failed is due again for another worker, or with another content. */
static void test_failures(void **state)
{
    struct fixture *fixture = *state;
    struct video video, after;
    begin(fixture);
    put(fixture, "/m/a.mkv", 1, 1);
    commit(fixture);
    at(fixture, "/m/a.mkv", &video);
    struct picture_outcome outcome = failed(&video, "w1");
    assert_int_equal(keep(fixture, &outcome, NULL), THUMBNAIL_PENDING);
    assert_int_equal(due(fixture, "w1"), 0);
    assert_int_equal(due(fixture, "w2"), 1);
    struct picture_subjects list;
    assert_ok(fixture->writer, catalog_pictures_stale(fixture->writer, "w1", 0, 10, &list));
    assert_int_equal(list.count, 0);
    picture_subjects_clear(&list);
    assert_ok(fixture->writer, catalog_pictures_stale(fixture->writer, "w2", 0, 10, &list));
    assert_int_equal(only(&list)->failure, FAILURE_NO_PICTURE);
    assert_string_equal(only(&list)->error, "nothing to see");
    assert_string_equal(only(&list)->worker_version, "w1");
    picture_subjects_clear(&list);

    /* The same file again, as after a restored inode: the failure stays. */
    struct file_stamp same = stamp(2);
    begin(fixture);
    put_file(fixture, "/m/a.mkv", &same, 1);
    commit(fixture);
    assert_int_equal(due(fixture, "w1"), 0);
    at(fixture, "/m/a.mkv", &after);
    assert_int_equal(after.version, video.version);
    video_clear(&after);

    /* Another content: what was judged of the old one counts for nothing, also when it comes late.
     */
    struct file_stamp other = stamp(2);
    other.mtime_ns = 6;
    begin(fixture);
    put_file(fixture, "/m/a.mkv", &other, 1);
    commit(fixture);
    assert_int_equal(due(fixture, "w1"), 1);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM picture_failures"), 0);
    assert_int_equal(keep(fixture, &outcome, NULL), -1);
    struct picture_outcome late = ready(&video);
    assert_int_equal(keep(fixture, &late, NULL), -1);
    at(fixture, "/m/a.mkv", &after);
    assert_int_not_equal(after.version, video.version);
    assert_int_equal(after.thumbnail, THUMBNAIL_PENDING);
    outcome = failed(&after, "w1");
    assert_int_equal(keep(fixture, &outcome, NULL), THUMBNAIL_PENDING);
    late = ready(&after);
    assert_int_equal(keep(fixture, &late, NULL), THUMBNAIL_FAILED);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM picture_failures"), 0);
    outcome = failed(&after, "w1");
    assert_int_equal(keep(fixture, &outcome, NULL), THUMBNAIL_READY);
    begin(fixture);
    assert_ok(fixture->writer, catalog_video_delete(fixture->writer, video.id, NULL));
    commit(fixture);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM picture_failures"), 0);
    assert_int_equal(keep(fixture, &outcome, NULL), -1);
    video_clear(&after);
    video_clear(&video);
}

/* A video keeps its picture wherever its file goes, and is not due one while it has none. */
static void test_moved_and_missing(void **state)
{
    struct fixture *fixture = *state;
    struct video video, moved;
    begin(fixture);
    put(fixture, "/m/a.mkv", 1, 1);
    put(fixture, "/m/b.mkv", 2, 2);
    commit(fixture);
    at(fixture, "/m/a.mkv", &video);
    struct picture_outcome outcome = ready(&video);
    keep(fixture, &outcome, NULL);
    struct file_stamp there = stamp(9);
    there.mtime_ns = 77; /* copied, and found by its content */
    begin(fixture);
    assert_ok(fixture->writer, catalog_video_place(fixture->writer, video.number, "/n/c.mkv",
                                                   &there, 3, OUTCOME_MOVED, &moved));
    commit(fixture);
    assert_int_equal(moved.version, video.version);
    assert_int_equal(moved.thumbnail, THUMBNAIL_READY);
    assert_int_equal(moved.thumbnail_width, 320);
    video_clear(&moved);
    video_clear(&video);
    at(fixture, "/m/b.mkv", &video);
    assert_int_equal(due(fixture, "w1"), 1);
    begin(fixture);
    assert_ok(fixture->writer, catalog_video_missing(fixture->writer, video.number, 0, NULL));
    commit(fixture);
    assert_int_equal(due(fixture, "w1"), 0);
    bool any;
    assert_ok(fixture->writer, catalog_pictures_any(fixture->writer, &any));
    assert_false(any);
    begin(fixture);
    assert_ok(fixture->writer, catalog_video_place(fixture->writer, video.number, video.path,
                                                   &video.stamp, 3, OUTCOME_UPDATED, NULL));
    commit(fixture);
    assert_int_equal(due(fixture, "w1"), 1);
    uint64_t versions[4];
    assert_ok(fixture->writer, catalog_picture_versions(fixture->writer, 0, 4, versions));
    assert_int_equal(versions[0], 0);
    assert_int_equal(versions[video.number], video.version);
    assert_int_equal(versions[3], 0);
    video_clear(&video);
}

/* The lists are read by the index, however many are done. */
static void test_by_the_index(void **state)
{
    struct fixture *fixture = *state;
    sqlite3_stmt *plan;
    assert_int_equal(
        sqlite3_prepare_v2(fixture->writer->db,
                           "EXPLAIN QUERY PLAN SELECT number FROM videos WHERE thumbnail = 0"
                           " AND missing_since = 0 AND number > 5 ORDER BY number LIMIT 3",
                           -1, &plan, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(plan), SQLITE_ROW);
    assert_non_null(strstr((const char *)sqlite3_column_text(plan, 3), "videos_pending"));
    assert_int_equal(sqlite3_step(plan), SQLITE_DONE);
    sqlite3_finalize(plan);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_due_until_made),
        TEST(test_failures),
        TEST(test_moved_and_missing),
        TEST(test_by_the_index),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
