/* Progress that is held back, step by step. */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "feed.h"

enum { MS = 1000000, EPOCH = 7, FRAMES = 16 };

#define CATALOG "7f3a9c01"

static const char job_a[] = "018f4b2e-7c1a-7e3d-9a55-0123456789ab";
static const char job_b[] = "018f4b2e-7c1a-7e3d-9a55-0123456789ac";

static struct ring *ring;
static struct feed feed;

/* Publishes an event whose JSON is one letter. */
static void publish(char letter, enum event_type type, const char *job, int64_t sequence,
                    int64_t made_ns)
{
    uint8_t frame[] = {0x81, 1, (uint8_t)letter};
    struct event event = {.type = type,
                          .sequence = sequence,
                          .terminal = type == EVENT_SCAN_COMPLETED,
                          .made_ns = made_ns,
                          .frame = frame,
                          .frame_len = sizeof frame};
    strcpy(event.job_id, job);
    assert_int_equal(ring_append(ring, &event), RL_OK);
}

static void progress(char letter, const char *job, int64_t made_ns)
{
    publish(letter, EVENT_SCAN_PROGRESS, job, 0, made_ns);
}

/* That exactly these letters are due at `now_ns`. */
static void check_due(int64_t now_ns, const char *letters)
{
    static uint8_t scratch[4096];
    char heard[64];
    size_t count = 0;
    while (feed_pending(&feed, ring, now_ns)) {
        struct feed_run run;
        feed_take(&feed, ring, CATALOG, now_ns, sizeof scratch, scratch, sizeof scratch, &run);
        for (size_t i = 0; i < run.len; i++) {
            if (run.bytes[i] >= 'A' && run.bytes[i] <= 'z')
                heard[count++] = (char)run.bytes[i];
        }
    }
    heard[count] = '\0';
    assert_string_equal(heard, letters);
}

static void ask(enum feed_form form, int64_t progress_ms)
{
    struct subscribe subscribe;
    subscribe_default(&subscribe);
    subscribe.wanted.progress_ns = progress_ms * MS;
    feed_start(&feed, ring, form);
    assert_true(feed_subscribe(&feed, ring, &subscribe, CATALOG, EPOCH, 0));
}

/* The poll is answered; the next one comes with its `next`. */
static void poll_again(void)
{
    struct subscribe subscribe = {.wanted = feed.wanted, .has_since = true};
    feed_position(&feed, ring, CATALOG, EPOCH, &subscribe.since);
    feed_start(&feed, ring, FEED_JSON);
    assert_true(feed_subscribe(&feed, ring, &subscribe, CATALOG, EPOCH, 100));
}

static int open_ring(void **state)
{
    (void)state;
    ring = ring_new(64 * 1024, FRAMES, 0);
    return ring ? 0 : -1;
}

static int close_ring(void **state)
{
    (void)state;
    ring_free(ring);
    return 0;
}

static void the_newest_goes_when_its_time_comes(void **state)
{
    (void)state;
    ask(FEED_FRAMES, 100);
    progress('a', job_a, 1);
    check_due(1 * MS, "a");
    assert_int_equal(feed_next_ns(&feed), INT64_MAX);
    progress('b', job_a, 1);
    publish('V', EVENT_VIDEO_ADDED, "", 1, 1);
    progress('c', job_a, 1);
    check_due(50 * MS, "V");
    assert_int_equal(feed_next_ns(&feed), 101 * MS);
    check_due(101 * MS, "c");
    check_due(1000 * MS, "");
}

static void a_later_one_goes_in_its_stead(void **state)
{
    (void)state;
    ask(FEED_FRAMES, 100);
    progress('a', job_a, 1);
    check_due(1 * MS, "a");
    progress('b', job_a, 1);
    check_due(2 * MS, "");
    progress('c', job_a, 1);
    check_due(200 * MS, "c");
    progress('d', job_a, 1);
    check_due(201 * MS, "");
    publish('E', EVENT_SCAN_COMPLETED, job_a, 1, 1);
    check_due(202 * MS, "E");
    check_due(1000 * MS, "");
}

static void each_job_has_its_own_time(void **state)
{
    (void)state;
    ask(FEED_FRAMES, 100);
    progress('a', job_a, 1);
    check_due(1 * MS, "a");
    progress('b', job_b, 1);
    check_due(50 * MS, "b");
    progress('c', job_b, 1);
    progress('d', job_a, 1);
    check_due(60 * MS, "");
    check_due(101 * MS, "d");
    check_due(150 * MS, "c");
}

static void another_rate_lets_go_of_it(void **state)
{
    (void)state;
    struct subscribe subscribe;
    subscribe_default(&subscribe);
    ask(FEED_FRAMES, 100);
    progress('a', job_a, 1);
    progress('b', job_a, 1);
    check_due(1 * MS, "a");
    feed_subscribe(&feed, ring, &subscribe, CATALOG, EPOCH, 0);
    check_due(1 * MS, "b");
    progress('c', job_a, 1);
    progress('d', job_a, 1);
    check_due(1 * MS, "cd");
}

static void it_goes_before_the_ring_drops_it(void **state)
{
    (void)state;
    char heard[] = "a";
    ask(FEED_FRAMES, 60000);
    progress('x', job_a, 1);
    check_due(1 * MS, "x");
    progress('y', job_a, 1);
    check_due(1 * MS, "");
    for (int i = 0; i < FRAMES - 2; i++, heard[0]++) {
        publish(heard[0], EVENT_VIDEO_ADDED, "", i + 1, 1);
        check_due(1 * MS, heard);
    }
    assert_int_equal(ring_tail(ring), 0);
    publish('z', EVENT_VIDEO_ADDED, "", 90, 1);
    check_due(1 * MS, "yz");
}

static void a_poll_finds_it_again(void **state)
{
    (void)state;
    ask(FEED_JSON, 100);
    progress('a', job_a, 0);
    check_due(1 * MS, "a");
    progress('b', job_a, 10 * MS);
    publish('V', EVENT_VIDEO_ADDED, "", 1, 10 * MS);
    progress('c', job_a, 20 * MS);
    check_due(20 * MS, "V");
    poll_again();
    check_due(30 * MS, "");
    publish('W', EVENT_VIDEO_ADDED, "", 2, 40 * MS);
    check_due(40 * MS, "W");
    poll_again();
    check_due(109 * MS, "");
    assert_int_equal(feed_next_ns(&feed), 110 * MS); /* it waits from the making of b on */
    check_due(110 * MS, "c");
    poll_again();
    check_due(1000 * MS, "");
}

/* What was sent may not come twice, so what waits behind it is left to the job's next progress. */
static void a_poll_gives_nothing_twice(void **state)
{
    (void)state;
    ask(FEED_JSON, 100);
    progress('a', job_a, 0);
    check_due(1 * MS, "a");
    progress('b', job_a, 1 * MS);
    progress('c', job_b, 1 * MS);
    check_due(2 * MS, "c");
    poll_again();
    check_due(1000 * MS, "");
}

#define PACE_TEST(name) cmocka_unit_test_setup_teardown(name, open_ring, close_ring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PACE_TEST(the_newest_goes_when_its_time_comes), PACE_TEST(a_later_one_goes_in_its_stead),
        PACE_TEST(each_job_has_its_own_time),           PACE_TEST(another_rate_lets_go_of_it),
        PACE_TEST(it_goes_before_the_ring_drops_it),    PACE_TEST(a_poll_finds_it_again),
        PACE_TEST(a_poll_gives_nothing_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
