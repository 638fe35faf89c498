#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { VIDEOS = 400, QUERIES = 1500 };

/* Letters of which both forms are known, marks that mean something to SQL, LIKE or FTS5, control
 * bytes, and bytes that are not UTF-8. */
static const char *const pieces[] = {
    "a",
    "A",
    "b",
    "B",
    "m",
    "k",
    "v",
    ".",
    " ",
    "1",
    "\"",
    "'",
    "*",
    "%",
    "_",
    "\\",
    "-",
    "^",
    "(",
    ")",
    ":",
    "+",
    "{",
    ";",
    "\x01",
    "\x1f",
    "\t",
    "\n",
    "NEAR",
    "AND",
    "OR ",
    "NOT",
    "\xc3\x84",
    "\xc3\xa4",
    "\xd0\x96",
    "\xd0\xb6",
    "\xce\xa3",
    "\xcf\x83",
    "\xe6\x97\xa5",
    "\xe6\x9c\xac",
    "\xf0\x9f\x8e\xac",
    "\xf0\x9f\x91\xa9",
    "\xff",
    "\xc3",
    "\xef\xbf\xbd",
    "name:",
    "title",
    "\"\"",
    "e\xcc\x81",
};
enum { PIECES = sizeof pieces / sizeof pieces[0] };

static void append_random(struct buf *out, int count)
{
    for (int i = 0; i < count; i++)
        buf_puts(out, pieces[rand() % PIECES]);
}

/* The oracle's folding: ASCII, and the pairs above. */
static char *fold(const char *text)
{
    static const char *const pairs[][2] = {
        {"\xc3\x84", "\xc3\xa4"}, {"\xd0\x96", "\xd0\xb6"}, {"\xce\xa3", "\xcf\x83"}};
    struct buf lossy = {0};
    utf8_append_lossy(&lossy, text, strlen(text));
    buf_puts(&lossy, "");
    for (char *at = lossy.data; *at; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + 32);
        for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
            if (strncmp(at, pairs[i][0], 2) == 0)
                memcpy(at, pairs[i][1], 2);
        }
    }
    return buf_steal(&lossy);
}

struct texts {
    char *folder, *name, *title; /* folded */
    char *raw;                   /* the path */
};

static void fill(struct fixture *fixture, struct texts *texts)
{
    for (uint32_t i = 0; i < VIDEOS; i++) {
        struct buf path = {0}, title = {0};
        struct video video;
        enum outcome outcome;
        if (i % 20 == 0)
            assert_ok(fixture->writer, catalog_begin(fixture->writer));
        buf_puts(&path, "/");
        /* Twenty folders, some of one letter. */
        srand(i % 20);
        append_random(&path, rand() % 6);
        buf_printf(&path, "~%u/", i % 20);
        srand(1000 + i);
        append_random(&path, 1 + rand() % 12);
        buf_printf(&path, "~%u", i);
        append_random(&title, rand() % 8);
        video_make(&video, path.data, i);
        struct buf lossy = {0};
        utf8_append_lossy(&lossy, title.len ? title.data : "", title.len);
        snprintf(video.info.summary.title, sizeof video.info.summary.title, "%s",
                 lossy.len ? lossy.data : "");
        assert_ok(fixture->writer, catalog_video_put(fixture->writer, &video, 1, &outcome));
        texts[i].name = fold(path_name(path.data));
        texts[i].title = fold(video.info.summary.title);
        texts[i].raw = strdup(path.data);
        char *slash = strrchr(path.data, '/');
        *slash = '\0';
        texts[i].folder = fold(path.data);
        buf_free(&path);
        buf_free(&title);
        buf_free(&lossy);
        video_clear(&video);
        if (i % 20 == 19)
            assert_ok(fixture->writer, catalog_commit(fixture->writer));
    }
}

static void free_texts(struct texts *texts)
{
    for (size_t i = 0; i < VIDEOS; i++) {
        free(texts[i].folder);
        free(texts[i].name);
        free(texts[i].title);
        free(texts[i].raw);
    }
}

static bool oracle(const struct texts *texts, const char *needle)
{
    return strstr(texts->name, needle) || strstr(texts->folder, needle) ||
           strstr(texts->title, needle);
}

/* Returns how many were found. */
static size_t check(struct catalog *catalog, const struct texts *texts, const char *search)
{
    struct video_query query = {.filter.search = search, .limit = 1000};
    struct video_page page;
    assert_ok(catalog, catalog_videos(catalog, &query, &page));
    char *needle = fold(search);
    size_t expected = 0;
    for (size_t i = 0; i < VIDEOS; i++)
        expected += oracle(&texts[i], needle);
    if (page.count != expected || page.total != (int64_t)expected)
        fail_msg("'%s': %zu found, total %lld, expected %zu", search, page.count,
                 (long long)page.total, expected);
    for (size_t i = 0; i < page.count; i++) {
        size_t at = 0;
        while (at < VIDEOS && strcmp(texts[at].raw, page.videos[i].path) != 0)
            at++;
        assert_true(at < VIDEOS);
        assert_true(oracle(&texts[at], needle));
    }
    free(needle);
    video_page_clear(&page);
    return expected;
}

static void test_random_searches(void **state)
{
    struct fixture *fixture = *state;
    struct texts texts[VIDEOS];
    fill(fixture, texts);
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    size_t found = 0;
    for (int i = 0; i < QUERIES; i++) {
        struct buf search = {0};
        srand(100000u + (unsigned)i);
        if (i % 2) {
            append_random(&search, 1 + rand() % 4);
        } else {
            /* A part of a path that exists: from byte to byte, even within a letter. */
            const char *raw = texts[rand() % VIDEOS].raw;
            size_t from = (size_t)rand() % strlen(raw);
            size_t len = 1 + (size_t)rand() % 8;
            buf_append(&search, raw + from, strnlen(raw + from, len));
        }
        found += check(fixture->reader, texts, search.data) > 0;
        buf_free(&search);
    }
    /* The searches were worth something. */
    assert_true(found > QUERIES / 3);
    assert_true(found < QUERIES);
    free_texts(texts);
}

/* A search that is cut into slices, between which videos come, change and go. */
static void test_sliced_searches(void **state)
{
    static const char *const needles[] = {"a", "m", "ab", ".mkv", "the", "folder", "e", "1"};
    struct fixture *fixture = *state;
    struct texts texts[VIDEOS];
    fill(fixture, texts);
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    catalog_set_slice(fixture->reader, 1);
    int again = 0;
    for (size_t i = 0; i < sizeof needles / sizeof *needles; i++) {
        struct video_query query = {.filter.search = needles[i], .limit = 1000};
        struct video_page page, whole;
        enum rl_err err;
        for (unsigned slice = 0;
             (err = catalog_videos(fixture->reader, &query, &page)) == RL_EAGAIN; slice++) {
            char path[64];
            again++;
            /* The end of one name and the beginning of another: both sides of where it is. */
            snprintf(path, sizeof path, "/the folder %zu/%c%u ab", i, "ae1m"[slice % 4], slice);
            assert_ok(fixture->writer, catalog_begin(fixture->writer));
            put_video(fixture->writer, path, slice + 1, 1, NULL);
            put_video(fixture->writer, texts[slice % VIDEOS].raw, slice + 2, 1, NULL);
            assert_ok(fixture->writer, catalog_commit(fixture->writer));
        }
        assert_ok(fixture->reader, err);
        assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &whole));
        assert_int_equal(page.total, whole.total);
        assert_int_equal(page.count, whole.count);
        for (size_t k = 0; k < page.count; k++)
            assert_string_equal(page.videos[k].path, whole.videos[k].path);
        video_page_clear(&page);
        video_page_clear(&whole);
    }
    assert_true(again > 20);
    free_texts(texts);
}

static void test_long_searches(void **state)
{
    struct fixture *fixture = *state;
    struct texts texts[VIDEOS];
    fill(fixture, texts);
    char *huge = malloc(200001);
    assert_non_null(huge);
    memset(huge, 'a', 200000);
    huge[200000] = '\0';
    check(fixture->writer, texts, huge);
    free(huge);
    free_texts(texts);

    /* Names that differ only behind what the index is asked for. */
    char path[300] = "/folder/";
    memset(path + 8, 'x', 200);
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    for (char last = 'a'; last < 'e'; last++) {
        path[208] = last;
        put_video(fixture->writer, path, 1, 1, NULL);
    }
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    struct video_page page;
    struct video_query query = {.filter.search = path + 8, .limit = 10};
    assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
    assert_int_equal(page.total, 1);
    assert_string_equal(page.videos[0].path, path);
    video_page_clear(&page);
}

static void test_title_changes(void **state)
{
    struct fixture *fixture = *state;
    struct video video;
    enum outcome outcome;
    struct video_page page;
    const char *const titles[] = {"", "Summer in Ulm", "S", "Winter"};
    for (size_t i = 0; i < 4; i++) {
        video_make(&video, "/m/\xff.mkv", 1);
        snprintf(video.info.summary.title, sizeof video.info.summary.title, "%s", titles[i]);
        assert_ok(fixture->writer, catalog_begin(fixture->writer));
        assert_ok(fixture->writer, catalog_video_put(fixture->writer, &video, 1, &outcome));
        assert_ok(fixture->writer, catalog_commit(fixture->writer));
        video_clear(&video);
        for (size_t k = 1; k < 4; k++) {
            struct video_query query = {.filter.search = titles[k], .limit = 10};
            assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
            assert_int_equal(page.total, k == i || (k == 2 && i == 1));
            video_page_clear(&page);
        }
    }
    query_exec(fixture->path, "INSERT INTO videos_text (videos_text) VALUES ('integrity-check')");
    assert_int_equal(
        query_int(fixture->path, "SELECT v FROM videos_text_config WHERE k = 'automerge'"), 8);
}

static void test_empty_search_is_none(void **state)
{
    struct fixture *fixture = *state;
    struct video_query query = {.filter.search = "", .limit = 10};
    struct video_page page;
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    put_video(fixture->writer, "/m/a.mkv", 1, 1, NULL);
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_ok(fixture->writer, catalog_videos(fixture->writer, &query, &page));
    assert_int_equal(page.total, 1);
    video_page_clear(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_searches, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_sliced_searches, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_long_searches, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_title_changes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_empty_search_is_none, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
