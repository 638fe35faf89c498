#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../src/catalog/private.h"
#include "files.h"

/* An earlier version becomes the present one: every video keeps what it had, and what later
 * versions keep beside the rows is there at once. */

static void copy_file(struct fixture *fixture, int version, char path[200])
{
    char command[600];
    snprintf(path, 200, "%s/old.db", fixture->folder);
    snprintf(command, sizeof command, "cp '%s/%d.db' '%s' && chmod u+w '%s'", VERSIONS, version,
             path, path);
    assert_int_equal(system(command), 0);
    assert_int_equal(query_int(path, "PRAGMA user_version"), version);
}

static void copy_version(struct fixture *fixture, char path[200])
{
    copy_file(fixture, 1, path);
}

static void upgrade(struct fixture *fixture, const char *path)
{
    catalog_close(fixture->writer);
    fixture->writer = open_catalog(path, CATALOG_WRITER);
    assert_int_equal(query_int(path, "PRAGMA user_version"), schema_version);
    assert_int_equal(query_int(path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    check_tables(fixture->writer);
    assert_int_equal(query_int(path, "SELECT value = (SELECT max(number) FROM videos) FROM meta"
                                     " WHERE key = 'settled'"),
                     1);
    assert_int_equal(query_int(path, "SELECT value = (SELECT max(number) FROM videos) FROM meta"
                                     " WHERE key = 'identified'"),
                     1);
}

static void test_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    char path[200];
    copy_version(fixture, path);
    upgrade(fixture, path);
    assert_int_equal(query_int(path, "SELECT count(*) FROM videos"), 7);
    assert_int_equal(query_int(path, "SELECT count(*) FROM streams"), 7);
    assert_int_equal(query_int(path, "SELECT count(*) FROM tombstones WHERE number = 0"), 1);
    assert_int_equal(query_int(path, "SELECT count(*) FROM order_name"), 7);
    assert_int_equal(query_int(path, "SELECT count(*) FROM order_inode"), 7);
    /* Plain.mp4 and its copy. */
    assert_int_equal(query_int(path, "SELECT count(*) FROM twins"), 2);
    assert_int_equal(query_int(path, "SELECT count(*) FROM videos WHERE languages = 'ger'"), 1);
    struct place_list list;
    assert_ok(fixture->writer, catalog_places_by_content(fixture->writer, 19223,
                                                         UINT64_C(7570713819774208863), &list));
    assert_int_equal(list.count, 2);
    place_list_clear(&list);
}

/* The last number that was given is not given again, even where its video is gone, or all are. */
static void test_numbers_are_not_given_again(void **state)
{
    struct fixture *fixture = *state;
    char path[200];
    copy_version(fixture, path);
    query_exec(path, "PRAGMA foreign_keys = ON; DELETE FROM videos");
    catalog_close(fixture->writer);
    fixture->writer = open_catalog(path, CATALOG_WRITER);
    begin(fixture);
    put(fixture, "/m/a.mkv", 1, 1);
    commit(fixture);
    assert_int_equal(query_int(path, "SELECT number FROM videos"), 9);
    check_tables(fixture->writer);
    check_places(fixture->writer, 5, 5);
}

/* What is missing stays at its path, and another may be there too now. */
static void test_missing_share_a_path(void **state)
{
    struct fixture *fixture = *state;
    char path[200];
    copy_version(fixture, path);
    query_exec(path, "UPDATE videos SET missing_since = 5 WHERE number IN (4, 6)");
    upgrade(fixture, path);
    assert_int_equal(query_int(path, "SELECT count(*) FROM twins"), 0);
    assert_int_equal(query_int(path, "SELECT count(*) FROM order_name"), 5);
    struct video_place gone, other;
    struct video video;
    assert_ok(fixture->writer, catalog_place_get(fixture->writer, 4, &gone));
    assert_ok(fixture->writer, catalog_place_get(fixture->writer, 1, &other));
    begin(fixture);
    assert_ok(fixture->writer, catalog_video_place(fixture->writer, 1, gone.path, &other.stamp, 9,
                                                   OUTCOME_MOVED, NULL));
    assert_ok(fixture->writer, catalog_video_missing(fixture->writer, 1, 0, NULL));
    commit(fixture);
    assert_ok(fixture->writer, catalog_video_at(fixture->writer, gone.path, &video));
    assert_string_equal(video.id, other.id); /* the one that went last */
    video_clear(&video);
    begin(fixture);
    assert_ok(fixture->writer, catalog_video_place(fixture->writer, 4, gone.path, &gone.stamp, 9,
                                                   OUTCOME_UPDATED, &video));
    assert_string_equal(video.id, gone.id);
    video_clear(&video);
    commit(fixture);
    check_tables(fixture->writer);
    assert_int_equal(query_int(path, "SELECT count(*) FROM twins"), 2);
    video_place_clear(&gone);
    video_place_clear(&other);
}

/* Another program may have deleted videos and left their streams: those go; a video without a
 * folder is damage, which is said and left as it is. */
static void test_what_refers_to_nothing(void **state)
{
    struct fixture *fixture = *state;
    char path[200], why[CATALOG_WHY_SIZE];
    copy_version(fixture, path);
    query_exec(path, "PRAGMA foreign_keys = OFF; DELETE FROM videos WHERE number = 4");
    assert_int_equal(query_int(path, "SELECT count(*) > 0 FROM pragma_foreign_key_check"), 1);
    upgrade(fixture, path);
    assert_int_equal(query_int(path, "SELECT count(*) FROM streams WHERE video = 4"), 0);

    catalog_close(fixture->writer);
    fixture->writer = NULL;
    copy_version(fixture, path);
    query_exec(path, "PRAGMA foreign_keys = OFF; UPDATE videos SET directory = directory + 99");
    assert_int_equal(catalog_open(path, CATALOG_WRITER, &fixture->writer, why), RL_EIO);
    assert_non_null(strstr(why, "rows refer to others that are not there"));
    assert_int_equal(query_int(path, "PRAGMA user_version"), 1);
    assert_int_equal(query_int(path, "SELECT count(*) FROM videos"), 7);
}

/* Version 2 becomes version 3: every video is due a picture, and has the version that a scan of the
 * same file would give it. */
static void test_pictures_are_due(void **state)
{
    struct fixture *fixture = *state;
    for (int version = 1; version <= 2; version++) {
        char path[200];
        int64_t due;
        copy_file(fixture, version, path);
        int64_t videos = query_int(path, "SELECT count(*) FROM videos WHERE missing_since = 0");
        assert_int_equal(videos, 7);
        catalog_close(fixture->writer);
        fixture->writer = open_catalog(path, CATALOG_WRITER);
        check_tables(fixture->writer);
        assert_ok(fixture->writer, catalog_pictures_count(fixture->writer, "worker", &due));
        assert_int_equal(due, videos);
        struct picture_subjects list;
        assert_ok(fixture->writer, catalog_pictures_pending(fixture->writer, 0, 100, &list));
        assert_int_equal(list.count, videos);
        for (size_t i = 0; i < list.count; i++) {
            struct video video;
            int64_t fingerprint;
            assert_ok(fixture->writer,
                      catalog_video_get(fixture->writer, list.subjects[i].id, &video));
            memcpy(&fingerprint, &video.info.summary.fingerprint, sizeof fingerprint);
            assert_int_equal(video.version, content_version((uint64_t)fingerprint, video.stamp.size,
                                                            video.stamp.mtime_ns));
            assert_int_equal(video.version, list.subjects[i].version);
            assert_int_equal(video.number, list.subjects[i].number);
            video_clear(&video);
        }
        picture_subjects_clear(&list);
        catalog_close(fixture->writer);
        fixture->writer = NULL;
        remove(path);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_as_it_was),
        TEST(test_numbers_are_not_given_again),
        TEST(test_missing_share_a_path),
        TEST(test_what_refers_to_nothing),
        TEST(test_pictures_are_due),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
