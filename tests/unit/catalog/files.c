#include "files.h"

#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "../../../src/catalog/private.h"

void begin(struct fixture *fixture)
{
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
}

void commit(struct fixture *fixture)
{
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
}

struct file_stamp stamp(uint64_t inode)
{
    return (struct file_stamp){.size = 1000, .mtime_ns = 5, .device = 2, .inode = inode};
}

void put_file(struct fixture *fixture, const char *path, const struct file_stamp *file,
              uint64_t print)
{
    struct video video;
    enum outcome outcome;
    video_make(&video, path, 1);
    video.stamp = *file;
    video.info.summary.fingerprint = print;
    assert_ok(fixture->writer, catalog_video_put(fixture->writer, &video, 7, &outcome));
    video_clear(&video);
}

void put(struct fixture *fixture, const char *path, uint64_t inode, uint64_t print)
{
    struct file_stamp file = stamp(inode);
    put_file(fixture, path, &file, print);
}

/* Through the writer's own connection, which has the function that the order of names needs. */
static sqlite3_stmt *prepare(struct catalog *writer, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(writer->db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(writer->db));
    return statement;
}

static void check_same(struct catalog *writer, const char *one, const char *other)
{
    char sql[2048];
    snprintf(sql, sizeof sql,
             "SELECT (SELECT count(*) FROM (SELECT * FROM (%s) EXCEPT SELECT * FROM (%s))),"
             " (SELECT count(*) FROM (SELECT * FROM (%s) EXCEPT SELECT * FROM (%s)))",
             one, other, other, one);
    sqlite3_stmt *statement = prepare(writer, sql);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    if (sqlite3_column_int(statement, 0) || sqlite3_column_int(statement, 1))
        fail_msg("%d too many, %d too few: %s", sqlite3_column_int(statement, 0),
                 sqlite3_column_int(statement, 1), one);
    sqlite3_finalize(statement);
}

void check_tables(struct catalog *writer)
{
    check_same(writer, "SELECT key, number FROM order_name",
               "SELECT natural_key(name), number FROM videos WHERE missing_since = 0"
               " AND number <= (SELECT value FROM meta WHERE key = 'settled')");
    check_same(writer, "SELECT inode, number FROM order_inode",
               "SELECT inode, number FROM videos"
               " WHERE number <= (SELECT value FROM meta WHERE key = 'identified')");
    check_same(writer, "SELECT fingerprint, number FROM order_fingerprint",
               "SELECT fingerprint, number FROM videos WHERE fingerprint <> 0"
               " AND number <= (SELECT value FROM meta WHERE key = 'identified')");
    check_same(writer, "SELECT number, fingerprint, size FROM twins",
               "SELECT number, fingerprint, size FROM videos v WHERE missing_since = 0"
               " AND fingerprint <> 0 AND (SELECT count(*) FROM videos w WHERE w.missing_since = 0"
               " AND w.size = v.size AND w.fingerprint = v.fingerprint) > 1");
}

/* The list against what the query gives for ?1, both in the order of coming. */
static void check_list(struct catalog *writer, const char *sql, uint64_t value, size_t max,
                       const struct place_list *list)
{
    sqlite3_stmt *statement = prepare(writer, sql);
    sqlite3_bind_int64(statement, 1, (int64_t)value);
    size_t count = 0;
    while (count < max && sqlite3_step(statement) == SQLITE_ROW) {
        assert_true(count < list->count);
        assert_int_equal(list->places[count].number, sqlite3_column_int64(statement, 0));
        assert_int_equal(list->places[count].missing_since_ms, sqlite3_column_int64(statement, 1));
        count++;
    }
    assert_int_equal(list->count, count);
    sqlite3_finalize(statement);
}

void check_places(struct catalog *writer, uint64_t inodes, uint64_t prints)
{
    struct place_list list;
    for (uint64_t inode = 0; inode < inodes; inode++) {
        struct file_stamp sought = stamp(inode);
        assert_ok(writer, catalog_places_by_stamp(writer, &sought, &list));
        check_list(writer,
                   "SELECT number, missing_since FROM videos WHERE inode = ?1 AND size = 1000"
                   " AND mtime_ns = 5 ORDER BY number",
                   inode, PLACES_MAX, &list);
        place_list_clear(&list);
    }
    for (uint64_t print = 0; print < prints; print++) {
        assert_ok(writer, catalog_places_by_content(writer, 1000, print, &list));
        check_list(writer,
                   "SELECT number, missing_since FROM videos WHERE fingerprint = ?1"
                   " AND fingerprint <> 0 AND size = 1000 ORDER BY number",
                   print, CONTENT_PLACES_MAX, &list);
        place_list_clear(&list);
    }
}
