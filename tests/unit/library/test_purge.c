/* Videos that are missing are forgotten: those that are asked for, those that were missing for
 * long, each with its event, and no others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "harness.h"
#include "tree.h"

enum { MISSING = 150, THERE = 5 };

static const struct library_config never = {.settle_ms = 50};

/* A catalogue with videos that are missing since `*since_ms` or later, and some that are there. */
static char *filled(int64_t *since_ms)
{
    char *data = tree_new(), path[512], why[CATALOG_WHY_SIZE];
    snprintf(path, sizeof path, "%s/catalog.db", data);
    struct catalog *catalog;
    assert_int_equal(catalog_open(path, CATALOG_WRITER, &catalog, why), RL_OK);
    assert_int_equal(catalog_begin(catalog), RL_OK);
    *since_ms = clock_wall_ms();
    for (int i = 0; i < MISSING + THERE; i++) {
        snprintf(path, sizeof path, "/media/%d.mp4", i);
        struct file_stamp stamp = {.size = i + 1, .mtime_ns = 1, .inode = (uint64_t)i + 1};
        struct video video = {.path = path, .stamp = stamp};
        enum outcome outcome;
        assert_int_equal(catalog_video_put(catalog, &video, 1, &outcome), RL_OK);
        struct place_list places;
        assert_int_equal(catalog_places_by_stamp(catalog, &stamp, &places), RL_OK);
        assert_int_equal(places.count, 1);
        if (i < MISSING)
            assert_int_equal(catalog_video_missing(catalog, places.places[0].number, 0, NULL),
                             RL_OK);
        place_list_clear(&places);
    }
    assert_int_equal(catalog_commit(catalog), RL_OK);
    catalog_close(catalog);
    return data;
}

static int64_t total(struct harness *harness, enum choice missing)
{
    struct video_query query = {.limit = 1, .filter.missing = missing};
    struct video_page page;
    assert_int_equal(catalog_videos(harness->reader, &query, &page), RL_OK);
    int64_t count = page.total;
    video_page_clear(&page);
    return count;
}

static size_t removed(const struct harness *harness)
{
    size_t count = 0;
    for (size_t i = 0; i < harness->count; i++) {
        const struct event *event = harness->messages[i]->event;
        count += event && event->type == EVENT_VIDEO_REMOVED;
    }
    return count;
}

static int64_t purge(struct harness *harness, int64_t before_ms)
{
    uint64_t ticket = ++harness->ticket;
    assert_int_equal(library_purge(harness->library, ticket, before_ms, "asked"), RL_OK);
    const struct library_message *reply = harness_reply(harness, ticket);
    assert_int_equal(reply->err, RL_OK);
    return reply->count;
}

static void what_is_asked_for_goes_each_with_its_event(void **state)
{
    (void)state;
    int64_t since;
    struct harness harness;
    harness_start_in(&harness, filled(&since), &never);
    assert_int_equal(purge(&harness, since), 0);
    assert_int_equal(total(&harness, CHOICE_YES), MISSING);
    assert_int_equal(purge(&harness, INT64_MAX), MISSING);
    assert_int_equal(removed(&harness), MISSING);
    int64_t last = 0;
    for (size_t i = 0; i < harness.count; i++) {
        const struct event *event = harness.messages[i]->event;
        if (!event)
            continue;
        assert_true(event->sequence > last);
        last = event->sequence;
        assert_true(harness_says(harness.messages[i], "\"correlation_id\":\"asked\""));
    }
    assert_int_equal(total(&harness, CHOICE_YES), 0);
    assert_int_equal(total(&harness, CHOICE_NO), THERE);
    assert_int_equal(purge(&harness, INT64_MAX), 0);
    harness_end(&harness);
}

static void several_that_ask_are_answered_in_turn(void **state)
{
    (void)state;
    int64_t since;
    struct harness harness;
    harness_start_in(&harness, filled(&since), &never);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(library_purge(harness.library, i, INT64_MAX, NULL), RL_OK);
    assert_int_equal(harness_reply(&harness, 1)->count, MISSING);
    assert_int_equal(harness_reply(&harness, 2)->count, 0);
    assert_int_equal(harness_reply(&harness, 3)->count, 0);
    assert_int_equal(removed(&harness), MISSING);
    harness_end(&harness);
}

static void a_scan_goes_on_meanwhile(void **state)
{
    (void)state;
    int64_t since;
    struct harness harness;
    char *tree = tree_new();
    for (int i = 0; i < 40; i++)
        tree_video(tree, "%d.mp4", i);
    harness_start_in(&harness, filled(&since), &never);
    const char *job = harness_scan(&harness, tree);
    uint64_t ticket = ++harness.ticket;
    assert_int_equal(library_purge(harness.library, ticket, INT64_MAX, NULL), RL_OK);
    harness_terminal(&harness, job);
    assert_int_equal(harness_reply(&harness, ticket)->count, MISSING);
    assert_int_equal(total(&harness, CHOICE_NO), THERE + 40);
    harness_end(&harness);
    tree_remove(tree);
}

static void what_was_missing_for_long_goes_by_itself(void **state)
{
    (void)state;
    int64_t since;
    struct harness harness;
    struct library_config config = {.settle_ms = 50, .purge_missing_ms = 24 * 3600 * 1000};
    harness_start_in(&harness, filled(&since), &config);
    int64_t now = clock_wall_ms();
    assert_int_equal(purge(&harness, 1), 0); /* it is behind the one of the start */
    assert_int_equal(total(&harness, CHOICE_YES), MISSING);
    config.purge_missing_ms = 1;
    while (clock_wall_ms() <= now + 1) /* then the last one was, too, for more than a millisecond */
        ;
    harness_restart(&harness, &config);
    assert_int_equal(purge(&harness, 1), 0);
    assert_int_equal(removed(&harness), MISSING);
    assert_int_equal(total(&harness, CHOICE_YES), 0);
    assert_int_equal(total(&harness, CHOICE_NO), THERE);
    harness_end(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_goes_each_with_its_event),
        cmocka_unit_test(several_that_ask_are_answered_in_turn),
        cmocka_unit_test(a_scan_goes_on_meanwhile),
        cmocka_unit_test(what_was_missing_for_long_goes_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
