/* The ring against a model that keeps every frame: whatever is between tail and head must read back
 * as it was appended, in order and in contiguous runs. */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "reeld/events.h"

enum { RING_BYTES = 64 * 1024, RING_FRAMES = 256, FRAME_MAX = 40000 };

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static size_t frame_length(uint32_t number)
{
    uint32_t seed = number;
    uint32_t kind = random_next(&seed) % 10;
    uint32_t limit = kind == 0 ? RING_BYTES / 2 : kind < 3 ? 4000 : 400;
    return 1 + random_next(&seed) % limit;
}

static void fill_frame(uint8_t *bytes, size_t len, uint32_t number)
{
    uint32_t seed = number * 7 + 1;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)random_next(&seed);
}

static void append_number(struct ring *ring, uint32_t number)
{
    static uint8_t bytes[FRAME_MAX];
    size_t len = frame_length(number);
    fill_frame(bytes, len, number);
    struct event event = {
        .frame = bytes, .frame_len = len, .sequence = number, .type = EVENT_HELLO};
    assert_int_equal(ring_append(ring, &event), RL_OK);
}

static void check_all_kept(const struct ring *ring)
{
    static uint8_t expected[FRAME_MAX];
    uint64_t position = ring_tail(ring);
    size_t total = 0;
    while (position < ring_head(ring)) {
        const uint8_t *bytes;
        size_t len;
        uint64_t next = ring_run(ring, position, 8000, &bytes, &len);
        assert_true(next > position);
        assert_true(len <= 8000 || next == position + 1);
        if (next < ring_head(ring) && ring_frame_at(ring, next) == bytes + len)
            assert_true(len + ring_entry_at(ring, next)->len > 8000);
        total += len;
        for (; position < next; position++) {
            size_t one = frame_length((uint32_t)position);
            fill_frame(expected, one, (uint32_t)position);
            assert_int_equal(ring_entry_at(ring, position)->len, one);
            assert_int_equal(ring_entry_at(ring, position)->sequence, position);
            assert_memory_equal(bytes, expected, one);
            bytes += one;
            len -= one;
        }
        assert_int_equal(len, 0);
    }
    assert_int_equal(total, ring_bytes_used(ring));
}

static void what_is_kept_reads_back_as_appended(void **state)
{
    (void)state;
    struct ring *ring = ring_new(RING_BYTES, RING_FRAMES, 0);
    assert_non_null(ring);
    for (uint32_t number = 0; number < 5000; number++) {
        append_number(ring, number);
        assert_int_equal(ring_head(ring), number + 1);
        assert_true(ring_tail(ring) <= number);
        assert_true(ring_bytes_used(ring) <= RING_BYTES);
        check_all_kept(ring);
    }
    ring_free(ring);
}

static void the_ring_is_used_well(void **state)
{
    (void)state;
    struct ring *ring = ring_new(RING_BYTES, RING_FRAMES, 0);
    uint8_t bytes[1000] = {0};
    struct event event = {.frame = bytes, .frame_len = sizeof bytes};
    for (int i = 0; i < 1000; i++)
        ring_append(ring, &event);
    assert_true(ring_bytes_used(ring) > RING_BYTES * 9 / 10);
    event.frame_len = 10;
    for (int i = 0; i < 1000; i++)
        ring_append(ring, &event);
    assert_int_equal(ring_head(ring) - ring_tail(ring), RING_FRAMES);
    ring_free(ring);
}

static void an_oversized_frame_is_refused(void **state)
{
    (void)state;
    struct ring *ring = ring_new(RING_BYTES, RING_FRAMES, 0);
    static uint8_t bytes[RING_BYTES];
    struct event event = {.frame = bytes, .frame_len = RING_BYTES / 2 + 1};
    assert_int_equal(ring_append(ring, &event), RL_EINVAL);
    assert_int_equal(ring_head(ring), 0);
    const uint8_t *run;
    size_t len;
    assert_int_equal(ring_run(ring, 0, 1000, &run, &len), 0);
    assert_int_equal(len, 0);
    assert_null(ring_new(RING_BYTES, 100, 0));
    assert_null(ring_new(100, 256, 0));
    ring_free(ring);
}

/* ---- what is known of the frames ------------------------------------------------------------ */

static const char job_a[] = "018f4b2e-7c1a-7e3d-9a55-0123456789ab";
static const char job_b[] = "018f4b2e-7c1a-7e3d-9a55-0123456789ac";

static void append_event(struct ring *ring, enum event_type type, const char *job, int64_t sequence,
                         size_t len)
{
    static uint8_t bytes[RING_BYTES];
    struct event event = {.type = type,
                          .sequence = sequence,
                          .frame = bytes,
                          .frame_len = len,
                          .terminal = type == EVENT_SCAN_COMPLETED};
    strcpy(event.job_id, job);
    assert_int_equal(ring_append(ring, &event), RL_OK);
}

static void later_frames_supersede(void **state)
{
    (void)state;
    static const struct {
        enum event_type type;
        const char *job;
        bool superseded; /* at the end */
    } cases[] = {
        {EVENT_SCAN_PROGRESS, job_a, true}, {EVENT_HEARTBEAT, "", true},
        {EVENT_SCAN_PROGRESS, job_b, true}, {EVENT_SCAN_STARTED, job_a, false},
        {EVENT_SCAN_PROGRESS, job_a, true}, {EVENT_SCAN_PROGRESS, job_b, false},
        {EVENT_HEARTBEAT, "", false},       {EVENT_SCAN_COMPLETED, job_a, false},
        {EVENT_SCAN_PROGRESS, "", false},   {EVENT_SCAN_PROGRESS, "", false},
    };
    enum { COUNT = sizeof cases / sizeof *cases };
    struct ring *ring = ring_new(RING_BYTES, RING_FRAMES, 0);
    for (size_t i = 0; i < COUNT; i++)
        append_event(ring, cases[i].type, cases[i].job, 0, 100);
    for (size_t i = 0; i < COUNT; i++) {
        const struct ring_entry *entry = ring_entry_at(ring, i);
        assert_int_equal(entry->superseded, cases[i].superseded);
        assert_int_equal(entry->job, event_job_key(cases[i].job));
    }
    ring_free(ring);
}

/* More jobs at once than are remembered: what is marked is superseded, if not all of it is. */
static void many_jobs_supersede_their_own_alone(void **state)
{
    (void)state;
    char jobs[40][ID_TEXT_SIZE];
    struct ring *ring = ring_new(1024 * 1024, 4096, 0);
    for (size_t i = 0; i < 40; i++)
        id_new(jobs[i]);
    uint32_t seed = 1;
    for (int i = 0; i < 4000; i++)
        append_event(ring, EVENT_SCAN_PROGRESS, jobs[random_next(&seed) % 40], 0, 10);
    size_t marked = 0;
    for (uint64_t i = 0; i < 4000; i++) {
        const struct ring_entry *entry = ring_entry_at(ring, i);
        if (!entry->superseded)
            continue;
        uint64_t later = i + 1;
        while (later < 4000 && ring_entry_at(ring, later)->job != entry->job)
            later++;
        assert_true(later < 4000);
        marked++;
    }
    assert_true(marked > 100);
    ring_free(ring);
}

static void a_sequence_is_found(void **state)
{
    (void)state;
    static const int64_t sequences[] = {0, 0, 12, 0, 15, 0, 0}; /* of positions 0 to 6 */
    struct ring *ring = ring_new(RING_BYTES, RING_FRAMES, 10);
    uint64_t position = 99;
    assert_int_equal(ring_sequence(ring), 10);
    assert_true(ring_after(ring, 10, &position));
    assert_int_equal(position, 0);
    for (size_t i = 0; i < 7; i++)
        append_event(ring, sequences[i] ? EVENT_VIDEO_ADDED : EVENT_HEARTBEAT, "", sequences[i],
                     1000);
    assert_false(ring_after(ring, 9, &position));
    static const uint64_t expected[] = {0, 0, 3, 3, 3, 5, 7}; /* after 10 to 16 */
    for (int64_t since = 10; since <= 16; since++) {
        assert_true(ring_after(ring, since, &position));
        assert_int_equal(position, expected[since - 10]);
    }
    static const int64_t before[] = {10, 10, 10, 12, 12, 15, 15, 15};
    for (uint64_t i = 0; i <= 7; i++) {
        assert_int_equal(ring_sequence_before(ring, i), before[i]);
        assert_int_equal(ring_behind(ring, i), 1000 * (7 - i));
    }
    for (int i = 0; i < 64; i++) /* until 12 is dropped and 15 is not */
        if (ring_tail(ring) < 3)
            append_event(ring, EVENT_HEARTBEAT, "", 0, 1000);
    assert_int_equal(ring_tail(ring), 3);
    assert_false(ring_after(ring, 11, &position));
    assert_true(ring_after(ring, 12, &position));
    assert_int_equal(position, 3);
    ring_free(ring);
}

/* The end of a job that could not be written has no number; a gap that it would fall into counts.
 */
static void an_end_without_number_is_not_lost(void **state)
{
    (void)state;
    struct ring *ring = ring_new(RING_BYTES, 16, 10);
    uint64_t position;
    append_event(ring, EVENT_SCAN_COMPLETED, job_a, 0, 100);
    assert_true(ring_after(ring, 10, &position));
    assert_int_equal(position, 0);
    for (int i = 0; i < 16; i++)
        append_event(ring, EVENT_HEARTBEAT, "", 0, 100);
    assert_int_equal(ring_tail(ring), 1);
    assert_false(ring_after(ring, 10, &position));
    append_event(ring, EVENT_VIDEO_ADDED, "", 11, 100);
    assert_true(ring_after(ring, 11, &position));
    ring_free(ring);
}

static void what_was_lost_is_a_gap(void **state)
{
    (void)state;
    struct ring *ring = ring_new(RING_BYTES, RING_FRAMES, 0);
    uint64_t position, before;
    append_event(ring, EVENT_VIDEO_ADDED, "", 1, 100);
    before = ring_head(ring);
    ring_lost(ring, 3);
    assert_true(ring_tail(ring) > before); /* whoever waited there was overtaken */
    assert_int_equal(ring_head(ring), ring_tail(ring));
    assert_int_equal(ring_bytes_used(ring), 0);
    assert_int_equal(ring_sequence(ring), 3);
    assert_false(ring_after(ring, 2, &position));
    assert_true(ring_after(ring, 3, &position));
    assert_int_equal(position, ring_head(ring));
    append_event(ring, EVENT_VIDEO_ADDED, "", 4, 100);
    assert_true(ring_after(ring, 3, &position));
    assert_int_equal(ring_entry_at(ring, position)->sequence, 4);
    assert_int_equal(ring_behind(ring, position), 100);
    ring_free(ring);
}

static void the_payload_is_found_behind_every_header(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint8_t frame[10];
        size_t head;
    } cases[] = {
        {125, {0x81, 125}, 2},
        {126, {0x81, 126, 0, 126}, 4},
        {30000, {0x81, 126, 0x75, 0x30}, 4},
        {70000, {0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70}, 10},
    };
    static uint8_t frame[70010];
    struct ring *ring = ring_new(256 * 1024, RING_FRAMES, 0);
    for (size_t i = 0; i < 4; i++) {
        memcpy(frame, cases[i].frame, cases[i].head);
        struct event event = {.frame = frame, .frame_len = cases[i].head + cases[i].len};
        assert_int_equal(ring_append(ring, &event), RL_OK);
        size_t len;
        const char *json = ring_json_at(ring, i, &len);
        assert_int_equal(len, cases[i].len);
        assert_ptr_equal(json, (const char *)ring_frame_at(ring, i) + cases[i].head);
    }
    ring_free(ring);
}

static void keys_of_jobs_differ(void **state)
{
    (void)state;
    assert_int_equal(event_job_key(""), 0);
    assert_int_equal(event_job_key("x"), 0);
    assert_int_equal(event_job_key(job_a), event_job_key(job_a));
    assert_true(event_job_key(job_a) != event_job_key(job_b));
    assert_true(event_job_key("00000000-0000-7000-8000-000000000000") != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_reads_back_as_appended),
        cmocka_unit_test(the_ring_is_used_well),
        cmocka_unit_test(an_oversized_frame_is_refused),
        cmocka_unit_test(later_frames_supersede),
        cmocka_unit_test(many_jobs_supersede_their_own_alone),
        cmocka_unit_test(a_sequence_is_found),
        cmocka_unit_test(an_end_without_number_is_not_lost),
        cmocka_unit_test(what_was_lost_is_a_gap),
        cmocka_unit_test(the_payload_is_found_behind_every_header),
        cmocka_unit_test(keys_of_jobs_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
