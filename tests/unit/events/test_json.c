#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "../test.h"
#include "reeld/events.h"

static struct json_object *member(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    assert_true(json_object_object_get_ex(object, key, &value));
    return value;
}

static const char *text(struct json_object *object, const char *key)
{
    return json_object_get_string(member(object, key));
}

/* Parses the frame as a client would: header, length form, payload. */
static struct json_object *parse_frame(const struct event *event)
{
    assert_int_equal(event->frame[0], 0x81);
    size_t len = event->frame[1], head = 2;
    if (len == 126) {
        len = (size_t)event->frame[2] << 8 | event->frame[3];
        head = 4;
        assert_true(len >= 126);
    } else if (len == 127) {
        len = 0;
        for (int i = 0; i < 8; i++)
            len = len << 8 | event->frame[2 + i];
        head = 10;
        assert_true(len > 0xffff);
    }
    assert_int_equal(head + len, event->frame_len);
    assert_int_equal(len, event->json_len);
    assert_ptr_equal(event->frame + head, event->json);
    char *json = strndup(event->json, event->json_len);
    struct json_object *object = json_tokener_parse(json);
    assert_non_null(object);
    free(json);
    return object;
}

static void envelopes_have_all_five_members(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 10, 60, 100, 200, 65000, 65400, 66000, 200000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *filler = calloc(1, sizes[i] + 1);
        memset(filler, 'x', sizes[i]);
        struct json_object *payload = json_object_new_object();
        json_object_object_add(payload, "filler", json_object_new_string(filler));
        struct event_source source = {.catalog_id = "7f3a9c", .sequence = 1042};
        struct event *event = event_new(EVENT_HELLO, &source, "", payload);
        struct json_object *envelope = parse_frame(event);
        assert_int_equal(json_object_object_length(envelope), 5);
        assert_string_equal(text(envelope, "event_id"), "7f3a9c:1042");
        assert_string_equal(text(envelope, "type"), "HELLO");
        assert_null(member(envelope, "correlation_id"));
        assert_int_equal(strlen(text(member(envelope, "payload"), "filler")), sizes[i]);
        json_object_put(envelope);
        event_unref(event_ref(event));
        event_unref(event);
        free(filler);
    }
}

static struct job sample_job(enum job_status status)
{
    struct job job = {.type = JOB_TYPE_SCAN, .status = status, .phase = PHASE_PROBING};
    strcpy(job.id, "0190a0b0-0000-7000-8000-000000000000");
    job.path = strdup("/media/caf\xe9");
    job.added = 3;
    job.skipped = 4;
    job.error_count = 2;
    job.processed = 9;
    job.total = 12;
    job.submitted_at_ms = job.started_at_ms = 1000;
    return job;
}

static void progress_is_null_then_grows_and_is_one_only_at_the_end(void **state)
{
    (void)state;
    struct job job = sample_job(JOB_RUNNING);
    assert_true(job_progress(&job) < 0);
    struct json_object *object = json_job(&job);
    assert_null(member(object, "progress"));
    assert_null(member(object, "result"));
    assert_string_equal(text(object, "path"), "/media/caf\xef\xbf\xbd");
    assert_string_equal(text(object, "path_uri"), "/media/caf%E9");
    json_object_put(object);
    job.total_known = true;
    assert_true(job_progress(&job) == 0.75);
    job.progress_floor = 0.9;
    assert_true(job_progress(&job) == 0.9);
    job.progress_floor = 0;
    job.processed = 11999;
    job.total = 12000;
    object = json_job(&job);
    assert_string_equal(text(object, "progress"), "0.9999");
    json_object_put(object);
    job.status = JOB_COMPLETE;
    assert_true(job_progress(&job) == 1.0);
    job_clear(&job);
}

static void results_add_up_and_are_bounded(void **state)
{
    (void)state;
    struct job job = sample_job(JOB_CANCELLED);
    job.finished_at_ms = 3500;
    job.n_failures = 3000;
    job.failures = calloc(job.n_failures, sizeof *job.failures);
    for (size_t i = 0; i < job.n_failures; i++)
        job.failures[i] = (struct job_failure){strdup("/media/a\nb"), FAILURE_CRASH, strdup("x")};
    struct json_object *object = json_job(&job);
    struct json_object *result = member(object, "result");
    assert_int_equal(json_object_get_int64(member(result, "scanned")), 9);
    assert_int_equal(json_object_get_int64(member(result, "error_count")), 2);
    assert_int_equal(json_object_get_int64(member(result, "duration_ms")), 2500);
    struct json_object *errors = member(result, "errors");
    assert_int_equal(json_object_array_length(errors), JOB_RESULT_ERRORS_MAX);
    struct json_object *first = json_object_array_get_idx(errors, 0);
    assert_string_equal(text(first, "code"), "CRASH");
    assert_string_equal(text(first, "path"), "/media/a\nb");
    json_object_put(object);
    job_clear(&job);
    job = sample_job(JOB_COMPLETE);
    object = json_job(&job);
    assert_null(member(member(object, "result"), "errors"));
    json_object_put(object);
    job_clear(&job);
}

static void a_dry_run_says_what_it_would_do(void **state)
{
    (void)state;
    struct job job = sample_job(JOB_COMPLETE);
    struct json_object *object = json_job(&job), *result = member(object, "result");
    assert_false(json_object_get_boolean(member(object, "dry_run")));
    assert_null(member(result, "refused"));
    assert_false(json_object_object_get_ex(result, "plan", NULL));
    json_object_put(object);
    job.dry_run = true;
    object = json_job(&job);
    assert_true(json_object_get_boolean(member(object, "dry_run")));
    assert_null(member(member(object, "result"), "plan")); /* it was not read */
    json_object_put(object);
    job.n_plan = 3;
    job.plan = calloc(job.n_plan, sizeof *job.plan);
    job.plan[0] = (struct job_plan_line){OUTCOME_NEW, strdup("/media/a"), NULL};
    job.plan[1] = (struct job_plan_line){OUTCOME_MOVED, strdup("/media/b"), strdup("/media/\xff")};
    job.plan[2] = (struct job_plan_line){OUTCOME_NONE, strdup("/media/c"), NULL};
    object = json_job(&job);
    struct json_object *plan = member(member(object, "result"), "plan");
    assert_int_equal(json_object_array_length(plan), 3);
    struct json_object *line = json_object_array_get_idx(plan, 0);
    assert_string_equal(text(line, "outcome"), "new");
    assert_string_equal(text(line, "path"), "/media/a");
    assert_false(json_object_object_get_ex(line, "from", NULL));
    line = json_object_array_get_idx(plan, 1);
    assert_string_equal(text(line, "outcome"), "moved");
    assert_string_equal(text(line, "from_uri"), "/media/%FF");
    assert_string_equal(text(json_object_array_get_idx(plan, 2), "outcome"), "missing");
    json_object_put(object);
    job_clear(&job);
    job = sample_job(JOB_COMPLETE);
    job.dry_run = true;
    job.added = 0;
    object = json_job(&job); /* nothing to be done, and so nothing to read */
    assert_int_equal(json_object_array_length(member(member(object, "result"), "plan")), 0);
    json_object_put(object);
    job_clear(&job);
}

static void plans_are_bounded(void **state)
{
    (void)state;
    struct job job = sample_job(JOB_COMPLETE);
    job.dry_run = true;
    job.n_plan = 200;
    job.plan = calloc(job.n_plan, sizeof *job.plan);
    for (size_t i = 0; i < job.n_plan; i++) {
        job.plan[i] =
            (struct job_plan_line){OUTCOME_MOVED, calloc(1, 2048 + 1), calloc(1, 2048 + 1)};
        memset(job.plan[i].path, 'p', 2048);
        memset(job.plan[i].from, 'f', 2048);
    }
    struct json_object *object = json_job(&job);
    assert_int_equal(json_object_array_length(member(member(object, "result"), "plan")),
                     256 * 1024 / (2 * 2048 + 64));
    json_object_put(object);
    job_clear(&job);
}

static void a_refusal_has_its_token(void **state)
{
    (void)state;
    struct job job = sample_job(JOB_COMPLETE);
    job.refusal = (struct job_refusal){.root = 7, .count = 12, .reason = "empty"};
    struct json_object *object = json_job(&job);
    struct json_object *refused = member(member(object, "result"), "refused");
    assert_int_equal(json_object_object_length(refused), 4);
    assert_int_equal(json_object_get_int64(member(refused, "root")), 7);
    assert_int_equal(json_object_get_int64(member(refused, "count")), 12);
    assert_string_equal(text(refused, "reason"), "empty");
    assert_null(member(refused, "token"));
    json_object_put(object);
    strcpy(job.refusal.token, job.id);
    object = json_job(&job);
    refused = member(member(object, "result"), "refused");
    assert_string_equal(text(refused, "token"), job.id);
    json_object_put(object);
    job_clear(&job);
}

static void moves_and_roots_are_told_with_their_paths(void **state)
{
    (void)state;
    struct video video = {.path = strdup("/media/b.mp4")};
    struct event_source source = {.catalog_id = "7f3a9c", .sequence = 3};
    struct event *event = event_video_moved(&source, &video, "/media/caf\xe9/a.mp4");
    assert_int_equal(event->type, EVENT_VIDEO_MOVED);
    struct json_object *envelope = parse_frame(event), *payload = member(envelope, "payload");
    assert_string_equal(text(payload, "path"), "/media/b.mp4");
    assert_string_equal(text(payload, "from"), "/media/caf\xef\xbf\xbd/a.mp4");
    assert_string_equal(text(payload, "from_uri"), "/media/caf%E9/a.mp4");
    json_object_put(envelope);
    event_unref(event);
    event = event_video_moved(&source, &video, "/media/a.mp4");
    envelope = parse_frame(event);
    assert_false(json_object_object_get_ex(member(envelope, "payload"), "from_uri", NULL));
    json_object_put(envelope);
    event_unref(event);
    free(video.path);

    event = event_root(EVENT_ROOT_OFFLINE, &source, "/media/\xff", "gone");
    envelope = parse_frame(event);
    assert_string_equal(text(envelope, "type"), "ROOT_OFFLINE");
    payload = member(envelope, "payload");
    assert_string_equal(text(payload, "root_uri"), "/media/%FF");
    assert_string_equal(text(payload, "reason"), "gone");
    json_object_put(envelope);
    event_unref(event);
    event = event_root(EVENT_ROOT_ONLINE, &source, "/media", "");
    envelope = parse_frame(event);
    payload = member(envelope, "payload");
    assert_int_equal(json_object_object_length(payload), 2);
    assert_null(member(payload, "reason"));
    json_object_put(envelope);
    event_unref(event);
}

static void videos_say_what_is_unknown_as_null(void **state)
{
    (void)state;
    struct video video = {.path = strdup("/media/a.mp4")};
    struct media_summary *summary = &video.info.summary;
    summary->duration_us = 10033333;
    summary->bit_rate = summary->frames = summary->taken_at_ms = MEDIA_UNKNOWN;
    struct json_object *object = json_video(&video, true);
    assert_string_equal(json_object_to_json_string(member(object, "duration_s")), "10.033333");
    assert_null(member(object, "bit_rate"));
    assert_null(member(object, "taken_at"));
    assert_null(member(object, "video_codec"));
    assert_int_equal(json_object_array_length(member(object, "streams")), 0);
    json_object_put(object);
    summary->duration_us = -1500000;
    object = json_video(&video, false);
    assert_string_equal(json_object_to_json_string(member(object, "duration_s")), "-1.5");
    assert_false(json_object_object_get_ex(object, "streams", NULL));
    json_object_put(object);
    free(video.path);
}

static void every_word_is_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < EVENT_TYPES; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(event_type_word((enum event_type)a),
                                    event_type_word((enum event_type)b));
    for (int i = 0; i < JOB_STATUSES; i++) {
        enum job_status status;
        assert_true(job_status_parse(job_status_word((enum job_status)i), &status));
        assert_int_equal(status, i);
        enum event_type type = event_type_for_job(JOB_TYPE_SCAN, status);
        assert_true(event_type_durable(type));
        assert_int_equal(event_type_topic(type), TOPIC_JOBS);
    }
    for (int a = 0; a < PATH_STATUSES; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(path_status_word((enum path_status)a),
                                    path_status_word((enum path_status)b));
    enum job_status status;
    assert_false(job_status_parse("completed", &status));
    assert_null(failure_word(FAILURE_NONE));
    assert_null(outcome_word(OUTCOME_NONE));
}

/* A frame of progress is text that was put together by hand; REST's job comes from json-c. Of what
 * both tell they tell the same, to the byte. */
static void progress_says_what_the_job_says(void **state)
{
    (void)state;
    static const char *const same[] = {"job_id", "paused",   "processed",
                                       "total",  "progress", "counts"};
    const struct event_source source = {.catalog_id = "7f3a9c"};
    for (int i = 0; i < 300; i++) {
        struct job job = {.id = "01a204cf-a3d1-79e8-9564-ae28383d7f85",
                          .type = i % 2 ? JOB_TYPE_SCAN : JOB_TYPE_THUMBNAILS,
                          .status = JOB_RUNNING,
                          .path = (char *)(uintptr_t) "/media",
                          .paused = i % 3 == 0,
                          .total_known = i % 5 != 0,
                          .total = 299,
                          .processed = i,
                          .added = i,
                          .updated = i * INT64_C(1000000007),
                          .moved = i == 7 ? INT64_MAX : 2 + i,
                          .skipped = 3 + i,
                          .missing = 4 + i,
                          .error_count = 5 + i};
        struct event *event = event_job_progress(&source, &job, "/media/a.mkv", OUTCOME_NEW, NULL,
                                                 FAILURE_NONE, NULL);
        struct json_object *envelope = parse_frame(event), *told = json_job(&job);
        for (size_t j = 0; j < sizeof same / sizeof *same; j++) {
            struct json_object *there = member(member(envelope, "payload"), same[j]);
            assert_string_equal(json_object_to_json_string(there),
                                json_object_to_json_string(member(told, same[j])));
        }
        json_object_put(told);
        json_object_put(envelope);
        event_unref(event);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelopes_have_all_five_members),
        cmocka_unit_test(progress_is_null_then_grows_and_is_one_only_at_the_end),
        cmocka_unit_test(progress_says_what_the_job_says),
        cmocka_unit_test(results_add_up_and_are_bounded),
        cmocka_unit_test(a_dry_run_says_what_it_would_do),
        cmocka_unit_test(plans_are_bounded),
        cmocka_unit_test(a_refusal_has_its_token),
        cmocka_unit_test(moves_and_roots_are_told_with_their_paths),
        cmocka_unit_test(videos_say_what_is_unknown_as_null),
        cmocka_unit_test(every_word_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
