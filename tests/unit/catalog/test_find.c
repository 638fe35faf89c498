#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"

/* Lists and counts of a reader that lives on while thousands of random changes are made, against a
 * plain look at every row of the tables. */

enum { MANY = 4200, WIDE = 300, ROUNDS = 40, ASKED = 12 };

static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#define PICK(random, list) ((list)[next(random) % (sizeof(list) / sizeof *(list))])

/* ---- holding the two together -----------------------------------------------------------------
 */

static void check_facet(const struct lines *lines, const struct video_filter *filter,
                        enum facet facet, const struct facet_counts *counts)
{
    int64_t all = 0, counted = 0;
    for (size_t i = 0; i < lines->count; i++) {
        if (!plain_passes(&lines->at[i], filter, facet))
            continue;
        int64_t languages = 1;
        for (const char *at = lines->at[i].languages; *at; at++)
            languages += *at == ',';
        all += facet == FACET_LANGUAGE ? languages : 1;
    }
    for (size_t k = 0; k < counts->count; k++) {
        int64_t count = 0;
        for (size_t i = 0; i < lines->count; i++)
            count += plain_passes(&lines->at[i], filter, facet) &&
                     plain_has(&lines->at[i], facet, counts->values[k].word);
        assert_int_equal(counts->values[k].count, count);
        assert_true(count > 0);
        counted += count;
    }
    assert_int_equal(counted, all);
}

static void check_stats(struct catalog *reader, const struct lines *lines,
                        const struct video_filter *filter)
{
    struct video_stats stats;
    int64_t videos = 0, size = 0, duration_us = 0, missing = 0;
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *line = &lines->at[i];
        missing += line->missing;
        if (!plain_passes(line, filter, FACETS))
            continue;
        videos++;
        size += line->size;
        duration_us += line->duration_us == MEDIA_UNKNOWN ? 0 : line->duration_us;
    }
    assert_ok(reader, catalog_stats(reader, filter, &stats));
    assert_int_equal(stats.videos, videos);
    assert_int_equal(stats.size, size);
    assert_int_equal(stats.duration_us, duration_us);
    assert_int_equal(stats.missing, missing);
    for (int facet = 0; facet < FACETS; facet++)
        check_facet(lines, filter, (enum facet)facet, &stats.facets[facet]);
    video_stats_clear(&stats);
}

static void check_rows(const struct video_page *page, const struct line *const *wanted,
                       size_t count, size_t from, bool descending)
{
    assert_int_equal(page->total, count);
    for (size_t i = 0; i < page->count; i++) {
        size_t at = descending ? count - 1 - from - i : from + i;
        assert_int_equal(page->videos[i].number, wanted[at]->number);
        assert_string_equal(path_name(page->videos[i].path), wanted[at]->name);
    }
}

/* A page from anywhere in the list, and the one after it. */
static void check_page(struct catalog *reader, const struct lines *lines,
                       const struct video_filter *filter, enum video_sort sort, uint32_t *random)
{
    const struct line **wanted = calloc(lines->count + 1, sizeof *wanted);
    size_t count = 0;
    assert_non_null(wanted);
    for (size_t i = 0; i < lines->count; i++) {
        if (plain_passes(&lines->at[i], filter, FACETS))
            wanted[count++] = &lines->at[i];
    }
    if (sort != SORT_ADDED)
        qsort(wanted, count, sizeof *wanted, sort == SORT_SIZE ? plain_by_size : plain_by_name);
    struct video_query query = {
        .filter = *filter, .sort = sort, .descending = next(random) % 2, .limit = 30};
    size_t from = count ? next(random) % count : 0;
    struct video_page page, after;
    query.offset = (int64_t)from;
    assert_ok(reader, catalog_videos(reader, &query, &page));
    assert_int_equal(page.count, count - from < 30 ? count - from : 30);
    check_rows(&page, wanted, count, from, query.descending);
    assert_int_equal(page.next_cursor[0] != 0, count > from + 30);
    query.offset = 0;
    query.cursor = page.next_cursor;
    if (page.next_cursor[0]) {
        assert_ok(reader, catalog_videos(reader, &query, &after));
        assert_int_equal(after.count, count - from - 30 < 30 ? count - from - 30 : 30);
        check_rows(&after, wanted, count, from + 30, query.descending);
        video_page_clear(&after);
    }
    video_page_clear(&page);
    free(wanted);
}

static struct video_filter random_filter(uint32_t *random)
{
    static const char *const folders[] = {NULL,   "/m",        "/m/many",  "/m/wide", "/m/wide/7",
                                          "/m/1", "/m/1/deep", "/nowhere", "/",       "/m/wid"};
    static const char *const codecs[] = {NULL, NULL, "h264", "H264,av1", "none,hevc"};
    static const char *const languages[] = {NULL, NULL, "eng", "fra,none", "xxx"};
    static const char *const classes[] = {NULL, NULL, "sd", "1080p,720p"};
    static const char *const texts[] = {NULL, NULL, NULL, "mkv", "1", "many", "deep", "23"};
    struct video_filter filter = {
        .folder = PICK(random, folders),
        .video_codec = PICK(random, codecs),
        .language = PICK(random, languages),
        .resolution = PICK(random, classes),
        .search = PICK(random, texts),
        .hdr = next(random) % 4 == 0 ? CHOICE_NO : CHOICE_ANY,
        .subtitles = next(random) % 4 == 0 ? CHOICE_YES : CHOICE_ANY,
        .missing = next(random) % 5 == 0 ? CHOICE_YES : CHOICE_ANY,
        .width_min = next(random) % 4 == 0 ? 700 : 0,
        .duration_min_us = next(random) % 4 == 0 ? 40000 : 0,
    };
    /* Often only one part, so that what is quick for one part is met. */
    if (next(random) % 3 == 0)
        filter = (struct video_filter){.folder = filter.folder, .missing = filter.missing};
    else if (next(random) % 3 == 0)
        filter.folder = filter.search = NULL, filter.width_min = filter.duration_min_us = 0;
    return filter;
}

static void check(struct fixture *fixture, struct lines *lines, uint32_t *random)
{
    static const enum video_sort sorts[] = {SORT_NAME, SORT_NAME, SORT_ADDED, SORT_SIZE};
    plain_read(fixture->path, lines);
    for (int i = 0; i < ASKED; i++) {
        struct video_filter filter = random_filter(random);
        check_stats(fixture->reader, lines, &filter);
        check_page(fixture->reader, lines, &filter, PICK(random, sorts), random);
    }
}

/* ---- changes ------------------------------------------------------------------------------- */

static void put(struct fixture *fixture, uint32_t *random, const char *path)
{
    static const char *const codecs[] = {"h264", "hevc", "av1", ""};
    static const char *const containers[] = {"matroska,webm", "mpegts"};
    static const char *const languages[] = {"eng", "fra", "jpn", ""};
    static const int heights[] = {480, 720, 1080, 0};
    struct video video;
    enum outcome outcome;
    video_make(&video, path, next(random) % 90000);
    struct media_summary *summary = &video.info.summary;
    summary->height = PICK(random, heights);
    summary->width = summary->height * 4 / 3;
    summary->rotation = 0;
    summary->subtitle_count = next(random) % 2;
    if (next(random) % 9 == 0)
        summary->duration_us = MEDIA_UNKNOWN;
    snprintf(summary->video_codec, sizeof summary->video_codec, "%s", PICK(random, codecs));
    snprintf(summary->container, sizeof summary->container, "%s", PICK(random, containers));
    snprintf(summary->hdr, sizeof summary->hdr, "%s", next(random) % 3 ? "" : "hlg");
    for (uint32_t i = 0; i < video.info.n_streams; i++)
        snprintf(video.info.streams[i].language, sizeof video.info.streams[i].language, "%s",
                 PICK(random, languages));
    assert_ok(fixture->writer, catalog_video_put(fixture->writer, &video, 7, &outcome));
    video_clear(&video);
}

static void random_path(uint32_t *random, char path[64])
{
    uint32_t number = next(random);
    switch (next(random) % 5) {
    case 0:
        snprintf(path, 64, "/m/many/%u.mkv", number % (MANY + 20));
        break;
    case 1:
        snprintf(path, 64, "/m/wide/%u/x.mkv", number % (WIDE + 20));
        break;
    case 2: /* below the few folders that a filter looks into, and above them */
        snprintf(path, 64, "/m/%u/new %u/%u.mkv", number % 3, number % 200, number % 7);
        break;
    default:
        snprintf(path, 64, "/m/%u/%s%u.mkv", number % 3, number % 2 ? "deep/" : "", number % 40);
    }
}

static void change(struct fixture *fixture, uint32_t *random, const struct lines *lines)
{
    struct catalog *writer = fixture->writer;
    const struct line *line = &lines->at[next(random) % lines->count];
    struct video_place place;
    struct file_stamp stamp = {.size = next(random) % 5000, .mtime_ns = 5, .inode = next(random)};
    char path[64];
    random_path(random, path);
    switch (next(random) % 6) {
    case 0:
    case 1:
        put(fixture, random, path);
        break;
    case 2:
        catalog_video_place(writer, line->number, path, &stamp, 7, OUTCOME_MOVED, NULL);
        break;
    case 3:
    case 4:
        catalog_video_missing(writer, line->number, 0, NULL);
        break;
    default:
        if (catalog_place_get(writer, line->number, &place) == RL_OK) {
            catalog_video_delete(writer, place.id, NULL);
            video_place_clear(&place);
        }
    }
}

static void fill(struct fixture *fixture, uint32_t *random)
{
    char path[64];
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "/m/many/%u.mkv", i);
        put(fixture, random, path);
    }
    for (uint32_t i = 0; i < WIDE; i++) {
        snprintf(path, sizeof path, "/m/wide/%u/x.mkv", i);
        put(fixture, random, path);
    }
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
}

/* From then on more are missing than there. */
static void hide_most(struct fixture *fixture, const struct lines *lines)
{
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    for (size_t i = 0; i < lines->count; i++) {
        if (i % 4)
            catalog_video_missing(fixture->writer, lines->at[i].number, 0, NULL);
    }
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
}

static void test_lists_and_counts_follow(void **state)
{
    struct fixture *fixture = *state;
    uint32_t random = 88172645;
    struct lines lines = {.at = calloc(PLAIN_MAX, sizeof *lines.at)};
    assert_non_null(lines.at);
    fill(fixture, &random);
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    check(fixture, &lines, &random);
    for (int round = 0; round < ROUNDS; round++) {
        if (round == ROUNDS / 2)
            hide_most(fixture, &lines);
        assert_ok(fixture->writer, catalog_begin(fixture->writer));
        for (uint32_t n = next(&random) % 60; n > 0; n--)
            change(fixture, &random, &lines);
        if (next(&random) % 6 == 0)
            catalog_rollback(fixture->writer);
        else
            assert_ok(fixture->writer, catalog_commit(fixture->writer));
        check(fixture, &lines, &random);
    }
    free(lines.at);
}

/* Thousands of folders between two that were there: each after the last one, before it, or
 * anywhere. Their files have one name, so that the folders' order is that of the list. */
static void test_folders_come_between(void **state)
{
    static const char *const folders[] = {NULL, "/m/b", "/m/c", "/m/d"};
    struct fixture *fixture = *state;
    uint32_t random = 2463534242;
    struct lines lines = {.at = calloc(PLAIN_MAX, sizeof *lines.at)};
    assert_non_null(lines.at);
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    put(fixture, &random, "/m/a/x.mkv");
    put(fixture, &random, "/m/e/x.mkv");
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    for (uint32_t n = 0; n < 1000;) {
        char path[64];
        assert_ok(fixture->writer, catalog_begin(fixture->writer));
        for (uint32_t last = n + 20; n < last; n++) {
            snprintf(path, sizeof path, "/m/b/%05u/x.mkv", n);
            put(fixture, &random, path);
            snprintf(path, sizeof path, "/m/c/%05u/x.mkv", 99999 - n);
            put(fixture, &random, path);
            snprintf(path, sizeof path, "/m/d/%08x/x.mkv", next(&random));
            put(fixture, &random, path);
        }
        assert_ok(fixture->writer, catalog_commit(fixture->writer));
        plain_read(fixture->path, &lines);
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
            struct video_filter filter = {.folder = folders[i]};
            check_page(fixture->reader, &lines, &filter, SORT_NAME, &random);
        }
    }
    free(lines.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lists_and_counts_follow, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_folders_come_between, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
