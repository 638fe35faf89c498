#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/catalog/private.h"
#include "files.h"

/* What is kept beside the rows (order_name, order_inode, order_fingerprint, twins, the writer's
 * memory) against what the rows say, after thousands of random changes. */

enum { NAMES = 40, INODES = 50, PRINTS = 20, STEPS = 600 };

static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Names that are alike in the order of names, and bytes that are no text. */
static void random_path(uint32_t *random, char path[64])
{
    static const char *const before[] = {"", "0", "a", "A", "\xff\n", "'\"%;--"};
    static const char *const after[] = {".mkv", ".MKV", "\xc3", "9"};
    snprintf(path, 64, "/m/%u/%s%u%s", next(random) % 3, before[next(random) % 6],
             next(random) % NAMES, after[next(random) % 4]);
}

/* What a scan may do, in any order; what is refused is of no interest here. */
static void do_something(struct fixture *fixture, uint32_t *random, int64_t newest)
{
    struct catalog *writer = fixture->writer;
    char path[64];
    random_path(random, path);
    struct file_stamp file = stamp(next(random) % INODES);
    if (next(random) % 4 == 0)
        file.size++;
    int64_t number = 1 + (int64_t)(next(random) % (uint32_t)(newest + 1));
    struct video_place place;
    switch (next(random) % 6) {
    case 0:
    case 1:
        put_file(fixture, path, &file, next(random) % PRINTS);
        break;
    case 2:
        catalog_video_place(writer, number, path, &file, 7, OUTCOME_MOVED, NULL);
        break;
    case 3:
        if (catalog_place_get(writer, number, &place) == RL_OK) {
            catalog_video_place(writer, number, place.path, &file, 7, OUTCOME_UPDATED, NULL);
            video_place_clear(&place);
        }
        break;
    case 4:
        catalog_video_missing(writer, number, 0, NULL);
        break;
    default:
        if (catalog_place_get(writer, number, &place) == RL_OK) {
            catalog_video_delete(writer, place.id, NULL);
            video_place_clear(&place);
        }
    }
}

/* With small limits everything goes into the tables again and again, now and then in a transaction
 * that is taken back. */
static void live(struct fixture *fixture, uint32_t seed)
{
    uint32_t random = seed;
    for (int step = 0; step < STEPS; step++) {
        int64_t newest = fixture->writer->newest;
        begin(fixture);
        for (uint32_t n = next(&random) % 12; n > 0; n--)
            do_something(fixture, &random, newest);
        if (next(&random) % 5 == 0)
            catalog_rollback(fixture->writer);
        else
            commit(fixture);
        if (next(&random) % 500 == 0) {
            catalog_close(fixture->writer);
            fixture->writer = open_catalog(fixture->path, CATALOG_WRITER);
        }
        fixture->writer->settle_at = 90;
        fixture->writer->identify_at = 250;
        if (step % 50 == 49) {
            check_tables(fixture->writer);
            check_places(fixture->writer, INODES, PRINTS);
        }
    }
}

static void test_tables_stay_true(void **state)
{
    struct fixture *fixture = *state;
    live(fixture, 2463534242);
    live(fixture, 88172645);
    assert_true(query_int(fixture->path, "SELECT value > 200 FROM meta WHERE key = 'settled'"));
    assert_true(query_int(fixture->path, "SELECT value > 200 FROM meta WHERE key = 'identified'"));
    assert_true(query_int(fixture->path, "SELECT count(*) FROM twins") > 0);
}

/* A transaction that brings thousands and takes them away again leaves nothing to put in order. */
static void test_nothing_is_left_to_settle(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT_SIZE];
    fixture->writer->settle_at = fixture->writer->identify_at = 10;
    for (int round = 0; round < 2; round++) {
        begin(fixture);
        for (uint32_t i = 0; i < 20; i++) {
            put_video(fixture->writer, "/m/a.mkv", i, 7, id);
            assert_ok(fixture->writer, catalog_video_delete(fixture->writer, id, NULL));
        }
        commit(fixture);
        check_tables(fixture->writer);
    }
    assert_int_equal(query_int(fixture->path, "SELECT value FROM meta WHERE key = 'settled'"), 40);
    /* What was deleted last is not what the next one is called. */
    catalog_close(fixture->writer);
    fixture->writer = open_catalog(fixture->path, CATALOG_WRITER);
    begin(fixture);
    put_video(fixture->writer, "/m/a.mkv", 1, 7, NULL);
    commit(fixture);
    assert_int_equal(query_int(fixture->path, "SELECT number FROM videos"), 41);
    check_tables(fixture->writer);
}

/* Numbers that a rollback gave back are given again: they are not taken for what is in order. */
static void test_numbers_given_back(void **state)
{
    struct fixture *fixture = *state;
    fixture->writer->settle_at = fixture->writer->identify_at = 50;
    begin(fixture);
    for (uint64_t i = 0; i < 40; i++) {
        char path[32];
        snprintf(path, sizeof path, "/m/%u.mkv", (unsigned int)i);
        put(fixture, path, i, i);
    }
    catalog_rollback(fixture->writer);
    begin(fixture);
    for (uint64_t i = 0; i < 15; i++) {
        char path[32];
        snprintf(path, sizeof path, "/m/%u.mkv", (unsigned int)i + 1000);
        put(fixture, path, 200 + i, 200 + i);
    }
    commit(fixture);
    begin(fixture);
    put(fixture, "/m/last.mkv", 300, 300);
    commit(fixture);
    check_tables(fixture->writer);
    check_places(fixture->writer, 301, 301);
    assert_int_equal(fixture->writer->identified, 0);
    assert_int_equal(fixture->writer->newest, 16);
}

/* The names of languages: each once, in order, however they are spelled. */
static void test_languages(void **state)
{
    struct fixture *fixture = *state;
    static const char *const words[] = {"ger", "eng", "", "ger", "ENG", "\xc3\xa9t\xc3\xa9"};
    struct video video;
    enum outcome outcome;
    video_make(&video, "/m/a.mkv", 1);
    free(video.info.streams);
    video.info.n_streams = 6;
    video.info.streams = calloc(6, sizeof *video.info.streams);
    assert_non_null(video.info.streams);
    for (size_t i = 0; i < 6; i++)
        snprintf(video.info.streams[i].language, sizeof video.info.streams[i].language, "%s",
                 words[i]);
    begin(fixture);
    assert_ok(fixture->writer, catalog_video_put(fixture->writer, &video, 1, &outcome));
    commit(fixture);
    assert_int_equal(query_int(fixture->path, "SELECT languages = 'ENG,eng,ger,été' FROM videos"),
                     1);
    video.info.n_streams = 0;
    begin(fixture);
    assert_ok(fixture->writer, catalog_video_put(fixture->writer, &video, 1, &outcome));
    commit(fixture);
    assert_int_equal(query_int(fixture->path, "SELECT languages IS NULL FROM videos"), 1);
    video_clear(&video);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_tables_stay_true),
        TEST(test_nothing_is_left_to_settle),
        TEST(test_numbers_given_back),
        TEST(test_languages),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
