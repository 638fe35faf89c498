#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "../../../src/catalog/private.h"
#include "files.h"

/* ---- finding ------------------------------------------------------------------------------- */

static void test_by_stamp(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    put(fixture, "/m/a.mkv", 11, 1);
    put(fixture, "/m/b.mkv", 12, 2);
    put(fixture, "/m/c.mkv", 11, 3); /* a hard link */
    commit(fixture);
    struct place_list list;
    struct file_stamp sought = stamp(11);
    assert_ok(fixture->writer, catalog_places_by_stamp(fixture->writer, &sought, &list));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.places[0].path, "/m/a.mkv");
    assert_string_equal(list.places[1].path, "/m/c.mkv");
    place_list_clear(&list);
    sought.mtime_ns++;
    assert_ok(fixture->writer, catalog_places_by_stamp(fixture->writer, &sought, &list));
    assert_int_equal(list.count, 0);
    sought.mtime_ns--;
    sought.size++;
    assert_ok(fixture->writer, catalog_places_by_stamp(fixture->writer, &sought, &list));
    assert_int_equal(list.count, 0);
}

static void test_by_content(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    put(fixture, "/m/a.mkv", 11, UINT64_MAX);
    put(fixture, "/m/b.mkv", 12, 0);
    put(fixture, "/m/c.mkv", 13, UINT64_MAX);
    commit(fixture);
    struct place_list list;
    assert_ok(fixture->writer, catalog_places_by_content(fixture->writer, 1000, UINT64_MAX, &list));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.places[0].path, "/m/a.mkv");
    place_list_clear(&list);
    assert_ok(fixture->writer, catalog_places_by_content(fixture->writer, 999, UINT64_MAX, &list));
    assert_int_equal(list.count, 0);
    assert_ok(fixture->writer, catalog_places_by_content(fixture->writer, 1000, 0, &list));
    assert_int_equal(list.count, 0);
}

/* ---- moving -------------------------------------------------------------------------------- */

static void test_place(void **state)
{
    struct fixture *fixture = *state;
    struct video before, after;
    char id[ID_TEXT_SIZE];
    struct file_stamp there = stamp(11);
    begin(fixture);
    put_video(fixture->writer, "/m/a.mkv", 3, 7, id);
    put_video(fixture->writer, "/m/taken.mkv", 4, 7, NULL);
    commit(fixture);
    assert_ok(fixture->writer, catalog_video_get(fixture->writer, id, &before));
    begin(fixture);
    assert_int_equal(
        catalog_video_place(fixture->writer, 1, "/m/taken.mkv", &there, 8, OUTCOME_MOVED, NULL),
        RL_EEXIST);
    assert_ok(fixture->writer,
              catalog_failure_put(fixture->writer, "/n/\xff\n.mkv", &there, "1", FAILURE_TRUNCATED,
                                  "short", fixture->job.number));
    assert_ok(fixture->writer, catalog_video_place(fixture->writer, 1, "/n/\xff\n.mkv", &there, 8,
                                                   OUTCOME_MOVED, &after));
    commit(fixture);
    assert_string_equal(after.id, id);
    assert_string_equal(after.path, "/n/\xff\n.mkv");
    assert_int_equal(after.created_at_ms, before.created_at_ms);
    assert_int_equal(after.info.summary.fingerprint, before.info.summary.fingerprint);
    assert_true(after.sequence > before.sequence);
    assert_int_equal(after.stamp.inode, 11);
    video_clear(&before);
    video_clear(&after);
    assert_int_equal(catalog_video_at(fixture->writer, "/m/a.mkv", &before), RL_ENOTFOUND);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM failures"), 0);
    /* Found by its new name, not by its old one. */
    struct video_query query = {.filter.search = "a.mkv", .limit = 5};
    struct video_page page;
    assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
    assert_int_equal(page.total, 0);
    query.filter.search = "/n";
    assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
    assert_int_equal(page.total, 1);
    video_page_clear(&page);
    begin(fixture);
    assert_int_equal(
        catalog_video_place(fixture->writer, 99, "/m/z.mkv", &there, 8, OUTCOME_MOVED, NULL),
        RL_ENOTFOUND);
    commit(fixture);
}

/* Two names that change places: one of them is nowhere for a moment. */
static void test_swap(void **state)
{
    struct fixture *fixture = *state;
    struct file_stamp one = stamp(11), other = stamp(12);
    struct video video;
    begin(fixture);
    put(fixture, "/m/a.mkv", 11, 1);
    put(fixture, "/m/b.mkv", 12, 2);
    commit(fixture);
    begin(fixture);
    assert_ok(fixture->writer, catalog_video_missing(fixture->writer, 1, 0, NULL));
    assert_ok(fixture->writer,
              catalog_video_place(fixture->writer, 2, "/m/a.mkv", &other, 8, OUTCOME_MOVED, NULL));
    assert_ok(fixture->writer,
              catalog_video_place(fixture->writer, 1, "/m/b.mkv", &one, 8, OUTCOME_MOVED, &video));
    commit(fixture);
    assert_int_equal(video.missing_since_ms, 0);
    video_clear(&video);
    assert_ok(fixture->writer, catalog_video_at(fixture->writer, "/m/a.mkv", &video));
    assert_int_equal(video.stamp.inode, 12);
    video_clear(&video);
}

/* A missing video and a new one at one path; then the missing one comes back elsewhere. */
static void test_path_shared_with_missing(void **state)
{
    struct fixture *fixture = *state;
    struct file_stamp away = stamp(11);
    struct video video;
    begin(fixture);
    put(fixture, "/m/a.mkv", 11, 1);
    put(fixture, "/m/b.mkv", 12, 2);
    assert_ok(fixture->writer, catalog_video_missing(fixture->writer, 1, 0, NULL));
    assert_int_equal(catalog_video_missing(fixture->writer, 1, 0, NULL), RL_ENOTFOUND);
    struct file_stamp moved = stamp(12);
    assert_ok(fixture->writer,
              catalog_video_place(fixture->writer, 2, "/m/a.mkv", &moved, 8, OUTCOME_MOVED, NULL));
    commit(fixture);
    assert_ok(fixture->writer, catalog_video_at(fixture->writer, "/m/a.mkv", &video));
    assert_int_equal(video.stamp.inode, 12);
    video_clear(&video);
    struct id_list ids;
    assert_ok(fixture->writer, catalog_missing_before(fixture->writer, INT64_MAX, 10, &ids));
    assert_int_equal(ids.count, 1);
    id_list_clear(&ids);
    begin(fixture);
    assert_ok(fixture->writer,
              catalog_video_place(fixture->writer, 1, "/m/c.mkv", &away, 9, OUTCOME_MOVED, NULL));
    commit(fixture);
    assert_ok(fixture->writer, catalog_missing_before(fixture->writer, INT64_MAX, 10, &ids));
    assert_int_equal(ids.count, 0);
    id_list_clear(&ids);
}

/* A file that was replaced a hundred times under one inode, as file systems give them again, is
 * found by its last state, wherever its row stands. */
static void check_used_inode(struct fixture *fixture, int64_t identify_at)
{
    fixture->writer->identify_at = identify_at;
    begin(fixture);
    for (int i = 0; i < 3 * PLACES_MAX; i++) {
        char path[64];
        snprintf(path, sizeof path, "/loop/%d.mkv", i);
        struct file_stamp file = stamp(7);
        file.mtime_ns = i;
        file.size = 5000 + i;
        put_file(fixture, path, &file, 99); /* of other sizes: other contents */
    }
    commit(fixture);
    struct place_list list;
    struct file_stamp last = stamp(7);
    last.mtime_ns = 3 * PLACES_MAX - 1;
    last.size = 5000 + last.mtime_ns;
    assert_ok(fixture->writer, catalog_places_by_stamp(fixture->writer, &last, &list));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.places[0].number, 3 * PLACES_MAX);
    place_list_clear(&list);
    assert_ok(fixture->writer, catalog_places_by_content(fixture->writer, last.size, 99, &list));
    assert_int_equal(list.count, 1);
    place_list_clear(&list);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM twins"), 0);
}

static void test_used_inode_in_memory(void **state)
{
    check_used_inode(*state, 100000);
}

static void test_used_inode_in_table(void **state)
{
    check_used_inode(*state, 1);
}

/* More copies than are given: the earliest, in memory as in the tables. */
static void test_many_copies(void **state)
{
    struct fixture *fixture = *state;
    fixture->writer->identify_at = 40;
    for (int i = 0; i < 150; i++) {
        char path[64];
        snprintf(path, sizeof path, "/m/%d.mkv", i);
        begin(fixture);
        put(fixture, path, 7, 7);
        commit(fixture);
    }
    check_places(fixture->writer, 10, 10);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM twins"), 150);
    begin(fixture);
    for (int64_t number = 150; number > 1; number--)
        assert_ok(fixture->writer, catalog_video_missing(fixture->writer, number, 0, NULL));
    commit(fixture);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM twins"), 0);
    check_tables(fixture->writer);
}

/* Of several that are missing at one path, a new file there is the one that went last. */
static void test_latest_missing_comes_back(void **state)
{
    struct fixture *fixture = *state;
    char paths[3][32] = {"/m/1.mkv", "/m/2.mkv", "/m/3.mkv"};
    struct video video;
    begin(fixture);
    for (uint64_t i = 0; i < 3; i++)
        put(fixture, paths[i], i, i);
    commit(fixture);
    for (int64_t number = 1; number <= 3; number++) {
        struct file_stamp file = stamp((uint64_t)number);
        begin(fixture);
        if (number > 1)
            assert_ok(fixture->writer, catalog_video_place(fixture->writer, number, paths[0], &file,
                                                           8, OUTCOME_MOVED, NULL));
        assert_ok(fixture->writer, catalog_video_missing(fixture->writer, number, 0, NULL));
        commit(fixture);
    }
    sqlite3_exec(fixture->writer->db, "UPDATE videos SET missing_since = 10 + number % 3", NULL,
                 NULL, NULL);
    struct path_about about;
    assert_ok(fixture->writer, catalog_video_at(fixture->writer, paths[0], &video));
    assert_ok(fixture->writer, catalog_path_about(fixture->writer, paths[0], &about));
    assert_string_equal(about.video_id, video.id);
    assert_int_equal(about.missing_since_ms, 12);
    assert_int_equal(video.missing_since_ms, 12);
    char id[ID_TEXT_SIZE];
    begin(fixture);
    assert_int_equal(put_video(fixture->writer, paths[0], 9, 7, id), OUTCOME_UPDATED);
    commit(fixture);
    assert_string_equal(id, video.id);
    assert_int_equal(query_int(fixture->path, "SELECT number FROM videos WHERE missing_since = 0"),
                     2);
    video_clear(&video);
    check_tables(fixture->writer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_by_stamp),
        TEST(test_by_content),
        TEST(test_place),
        TEST(test_swap),
        TEST(test_path_shared_with_missing),
        TEST(test_used_inode_in_memory),
        TEST(test_used_inode_in_table),
        TEST(test_many_copies),
        TEST(test_latest_missing_comes_back),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
