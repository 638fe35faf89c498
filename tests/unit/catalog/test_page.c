#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { ROWS = 5000 };

/* A catalogue with many equal keys, of which some rows are in the orders' tables already and some,
 * the last, are not. */
static void fill(struct fixture *fixture)
{
    uint32_t random = 12345;
    for (uint32_t i = 0; i < ROWS; i++) {
        char path[96];
        random = random * 1664525 + 1013904223;
        if (i % 200 == 0)
            assert_ok(fixture->writer, catalog_begin(fixture->writer));
        /* The folders' names and the order of their coming disagree. */
        snprintf(path, sizeof path, "/m/%c%u/%u.mkv", 'z' - (char)(i / 40 % 26), i / 40,
                 (random >> 16) % 90 + i % 40 * 100);
        put_video(fixture->writer, path, (random >> 8) % 70, fixture->job.number, NULL);
        if (i % 200 == 199)
            assert_ok(fixture->writer, catalog_commit(fixture->writer));
    }
}

struct all {
    char (*ids)[ID_TEXT_SIZE];
    struct video *videos;
    size_t count;
};

/* The whole list by offset paging. */
static void read_all(struct catalog *catalog, struct video_query query, struct all *out)
{
    *out = (struct all){0};
    out->ids = calloc(ROWS, sizeof *out->ids);
    out->videos = calloc(ROWS, sizeof *out->videos);
    assert_non_null(out->ids);
    assert_non_null(out->videos);
    query.limit = 1000;
    for (;;) {
        struct video_page page;
        assert_ok(catalog, catalog_videos(catalog, &query, &page));
        for (size_t i = 0; i < page.count; i++) {
            assert_true(out->count < ROWS);
            memcpy(out->ids[out->count], page.videos[i].id, ID_TEXT_SIZE);
            out->videos[out->count++] = page.videos[i];
        }
        page.count = 0; /* the videos are ours now */
        bool end = page.next_cursor[0] == '\0';
        video_page_clear(&page);
        if (end)
            return;
        query.offset += query.limit;
    }
}

static void free_all(struct all *all)
{
    for (size_t i = 0; i < all->count; i++)
        video_clear(&all->videos[i]);
    free(all->videos);
    free(all->ids);
}

static int compare(const struct video *a, const struct video *b, enum video_sort sort)
{
    int64_t left = 0, right = 0;
    int order;
    switch (sort) {
    case SORT_ADDED:
        left = a->created_at_ms;
        right = b->created_at_ms;
        break;
    case SORT_MODIFIED:
        left = a->stamp.mtime_ns;
        right = b->stamp.mtime_ns;
        break;
    case SORT_DURATION:
        left = a->info.summary.duration_us;
        right = b->info.summary.duration_us;
        break;
    case SORT_SIZE:
        left = a->stamp.size;
        right = b->stamp.size;
        break;
    case SORT_RESOLUTION:
        left = (int64_t)a->info.summary.width * a->info.summary.height;
        right = (int64_t)b->info.summary.width * b->info.summary.height;
        break;
    case SORT_BIT_RATE:
        left = a->info.summary.bit_rate;
        right = b->info.summary.bit_rate;
        break;
    default:
        order = natural_compare(path_name(a->path), path_name(b->path));
        return order ? order : strcmp(a->path, b->path);
    }
    return (left > right) - (left < right);
}

static void check_walk(struct catalog *catalog, struct video_query query, size_t expected)
{
    struct all all;
    read_all(catalog, query, &all);
    assert_int_equal(all.count, expected);
    for (size_t i = 1; i < all.count; i++) {
        int order = compare(&all.videos[i - 1], &all.videos[i], query.sort);
        assert_true(query.descending ? order >= 0 : order <= 0);
        if (query.sort == SORT_NAME)
            assert_int_not_equal(order, 0);
    }
    char cursor[768] = "";
    size_t at = 0;
    do {
        struct video_page page;
        query.limit = 137;
        query.cursor = cursor[0] ? cursor : NULL;
        assert_ok(catalog, catalog_videos(catalog, &query, &page));
        assert_int_equal(page.total, all.count);
        for (size_t i = 0; i < page.count; i++, at++)
            assert_string_equal(page.videos[i].id, all.ids[at]);
        memcpy(cursor, page.next_cursor, sizeof cursor);
        video_page_clear(&page);
    } while (cursor[0]);
    assert_int_equal(at, all.count);
    free_all(&all);
}

static void test_cursors_equal_offsets(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    assert_true(query_int(fixture->path, "SELECT count(*) FROM order_name") > 0);
    assert_true(query_int(fixture->path, "SELECT count(*) FROM order_name") < ROWS);
    for (int sort = 0; sort < VIDEO_SORTS; sort++) {
        for (int descending = 0; descending < 2; descending++) {
            struct video_query query = {.sort = (enum video_sort)sort,
                                        .descending = descending != 0};
            check_walk(fixture->reader, query, ROWS);
            /* A search that finds all is read in the order of the list, one of few is sorted. */
            query.filter.search = ".MKV";
            check_walk(fixture->reader, query, ROWS);
            query.filter.search = "/m/z0";
            check_walk(fixture->reader, query, 40);
        }
    }
}

/* Updates and deletions below and above the mark keep every order whole. */
static void test_orders_stay_true(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    struct all all;
    struct video_query query = {.sort = SORT_ADDED};
    read_all(fixture->writer, query, &all);
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    for (size_t i = 0; i < all.count; i += 7)
        put_video(fixture->writer, all.videos[i].path, (uint32_t)(i % 1000), 99, NULL);
    for (size_t i = 3; i < all.count; i += 7)
        assert_ok(fixture->writer, catalog_video_delete(fixture->writer, all.ids[i], NULL));
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    size_t left = all.count - (all.count - 3 + 6) / 7;
    free_all(&all);
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    for (int sort = 0; sort < VIDEO_SORTS; sort++) {
        query.sort = (enum video_sort)sort;
        check_walk(fixture->reader, query, left);
    }
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM order_name"),
                     query_int(fixture->path, "SELECT count(*) FROM order_name"));
}

static void test_foreign_cursors(void **state)
{
    struct fixture *fixture = *state;
    struct video_page page;
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    for (uint32_t i = 0; i < 10; i++) {
        char path[32];
        snprintf(path, sizeof path, "/m/%u.mkv", i);
        put_video(fixture->writer, path, i, 1, NULL);
    }
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    struct video_query query = {.limit = 3};
    char cursor[768];
    assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
    memcpy(cursor, page.next_cursor, sizeof cursor);
    video_page_clear(&page);
    assert_true(cursor[0]);
    assert_int_equal(strspn(cursor, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "-_"),
                     strlen(cursor));

    struct video_query others[] = {
        {.limit = 3, .cursor = cursor, .sort = SORT_SIZE},
        {.limit = 3, .cursor = cursor, .descending = true},
        {.limit = 3, .cursor = cursor, .filter.search = "m"},
        {.limit = 3, .cursor = cursor, .offset = 1},
        {.limit = 3, .cursor = ""},
        {.limit = 3, .cursor = "%%%"},
        {.limit = 3, .cursor = "AAAA"},
        {.limit = 0},
        {.limit = 1001},
        {.limit = 3, .offset = -1},
        {.limit = 3, .sort = VIDEO_SORTS},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(catalog_videos(fixture->writer, &others[i], &page), RL_EINVAL);
    /* No bent cursor does harm: refused, or read as some place in the list. */
    srand(1);
    for (int i = 0; i < 2000; i++) {
        char bent[2000];
        snprintf(bent, sizeof bent, "%s", cursor);
        bent[(size_t)rand() % strlen(bent)] = (char)(1 + rand() % 255);
        if (i % 3 == 0)
            bent[(size_t)rand() % strlen(bent)] = '\0';
        if (i % 5 == 0)
            snprintf(bent + strlen(bent), sizeof bent - strlen(bent), "%s%s", cursor, cursor);
        query.cursor = bent;
        enum rl_err err = catalog_videos(fixture->writer, &query, &page);
        assert_true(err == RL_OK || err == RL_EINVAL);
        video_page_clear(&page);
    }
}

static void test_longest_name(void **state)
{
    struct fixture *fixture = *state;
    char path[300] = "/m/";
    struct video_page page;
    struct video_query query = {.limit = 1};
    memset(path + 3, '\xff', 255);
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    for (char last = 'a'; last < 'd'; last++) {
        path[257] = last;
        put_video(fixture->writer, path, 1, 1, NULL);
    }
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    char cursor[768] = "";
    for (char last = 'a'; last < 'd'; last++) {
        query.cursor = cursor[0] ? cursor : NULL;
        assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
        assert_int_equal(page.count, 1);
        assert_int_equal(page.videos[0].path[257], last);
        memcpy(cursor, page.next_cursor, sizeof cursor);
        video_page_clear(&page);
    }
    assert_int_equal(cursor[0], '\0');
}

static void test_subtitles_of_page(void **state)
{
    struct fixture *fixture = *state;
    struct video_page page;
    struct video_query query = {.limit = 10};
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    for (uint32_t i = 0; i < 6; i++) {
        struct video video;
        enum outcome outcome;
        char path[32];
        snprintf(path, sizeof path, "/m/%u.mkv", i);
        video_make(&video, path, i);
        if (i % 2)
            video.info.summary.subtitle_count = 0, video.info.n_streams = 2;
        else
            video.info.streams[1].kind = MEDIA_SUBTITLE;
        assert_ok(fixture->writer, catalog_video_put(fixture->writer, &video, 1, &outcome));
        video_clear(&video);
    }
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
    assert_int_equal(page.count, 6);
    assert_int_equal(page.sequence, 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(page.videos[i].info.n_streams, i % 2 ? 0 : 2);
        assert_int_equal(page.videos[i].info.n_chapters, 0);
        for (uint32_t k = 0; k < page.videos[i].info.n_streams; k++) {
            assert_int_equal(page.videos[i].info.streams[k].kind, MEDIA_SUBTITLE);
            assert_int_equal(page.videos[i].info.streams[k].index, k ? 4 : 1);
        }
    }
    video_page_clear(&page);
}

/* More folders than a reader keeps the paths of. */
static void test_paths_of_folders(void **state)
{
    enum { FOLDERS = 1200, LONG = 3800 };
    struct fixture *fixture = *state;
    char path[LONG + 100];
    memset(path, 'x', LONG);
    for (size_t i = 0; i < LONG; i += 200)
        path[i] = '/';
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    put_video(fixture->writer, "/0.mkv", 1, 1, NULL);
    for (uint32_t i = 1; i < FOLDERS; i++) {
        snprintf(path + LONG, 100, "/%u/%u.mkv", i, i);
        put_video(fixture->writer, path, i, 1, NULL);
    }
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    struct video_query query = {.sort = SORT_ADDED, .limit = 1};
    for (uint32_t i = 0; i < FOLDERS; i++) {
        struct video_page page;
        query.offset = i;
        assert_ok(fixture->reader, catalog_videos(fixture->reader, &query, &page));
        assert_int_equal(page.count, 1);
        snprintf(path + LONG, 100, "/%u/%u.mkv", i, i);
        assert_string_equal(page.videos[0].path, i ? path : "/0.mkv");
        video_page_clear(&page);
    }
}

/* ---- a reader beside the writer ------------------------------------------------------------ */

struct writing {
    struct fixture *fixture;
    atomic_bool done;
};

/* Each transaction adds as many videos as it uses sequence numbers. */
static void *write_all(void *arg)
{
    struct writing *writing = arg;
    for (uint32_t i = 0; i < 6000; i++) {
        struct video video;
        enum outcome outcome;
        char path[64];
        snprintf(path, sizeof path, "/m/%u/%u.mkv", i / 100, i);
        video_make(&video, path, i);
        if (i % 50 == 0)
            catalog_begin(writing->fixture->writer);
        catalog_video_put(writing->fixture->writer, &video, 1, &outcome);
        if (i % 50 == 49)
            catalog_commit(writing->fixture->writer);
        video_clear(&video);
    }
    atomic_store(&writing->done, true);
    return NULL;
}

static void test_page_is_one_snapshot(void **state)
{
    struct fixture *fixture = *state;
    struct writing writing = {.fixture = fixture};
    pthread_t thread;
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    assert_int_equal(pthread_create(&thread, NULL, write_all, &writing), 0);
    int64_t last = 0;
    bool done;
    do {
        done = atomic_load(&writing.done);
        struct video_query query = {.limit = 20,
                                    .sort = SORT_ADDED,
                                    .descending = true,
                                    .filter.search = last % 2 ? "mkv" : NULL};
        struct video_page page;
        enum rl_err err = catalog_videos(fixture->reader, &query, &page);
        assert_ok(fixture->reader, err);
        assert_int_equal(page.total, page.sequence);
        assert_int_equal(page.total % 50, 0);
        assert_true(page.total >= last);
        for (size_t i = 0; i < page.count; i++)
            assert_true(page.videos[i].sequence <= page.sequence);
        if (page.count)
            assert_int_equal(page.videos[0].sequence, page.sequence);
        last = page.total;
        video_page_clear(&page);
    } while (!done);
    pthread_join(thread, NULL);
    assert_int_equal(last, 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cursors_equal_offsets, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_orders_stay_true, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_foreign_cursors, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_longest_name, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_subtitles_of_page, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_paths_of_folders, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_page_is_one_snapshot, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
