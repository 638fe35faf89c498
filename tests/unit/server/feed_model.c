#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../test.h"
#include "feed_model.h"

uint32_t model_random(struct model *model, uint32_t below)
{
    model->seed = model->seed * 1664525u + 1013904223u;
    return (model->seed >> 8) % below;
}

void model_open(struct model *model, uint32_t seed)
{
    memset(model, 0, sizeof *model);
    model->seed = seed;
    model->ring_bytes = (size_t)(64 + model_random(model, 128)) * 1024;
    model->first = model->last = model_random(model, 3) * 100;
    model->now_ns = 1000;
    model->ring = ring_new(model->ring_bytes, 64u << model_random(model, 6), model->first);
    assert_non_null(model->ring);
    for (size_t i = 0; i < MODEL_JOBS; i++)
        id_new(model->jobs[i]);
}

void model_close(struct model *model)
{
    ring_free(model->ring);
}

/* RFC 6455 §5.2. */
static size_t frame_head(uint8_t *out, size_t len)
{
    out[0] = 0x81;
    if (len < 126) {
        out[1] = (uint8_t)len;
        return 2;
    }
    out[1] = 126;
    out[2] = (uint8_t)(len >> 8);
    out[3] = (uint8_t)len;
    return 4;
}

/* The number of the event, and as many further characters as make its length. */
static void write_json(const struct model *model, size_t index, char *out)
{
    const struct model_event *event = &model->events[index];
    int head = snprintf(out, FEED_TEST_ROOM, "{\"n\":%zu,\"pad\":\"", index);
    memset(out + head, 'x', event->json_len - (size_t)head - 2);
    memcpy(out + event->json_len - 2, "\"}", 3);
}

size_t model_form(const struct model *model, size_t index, enum feed_form form, uint8_t *out)
{
    static char json[FEED_TEST_ROOM];
    const struct model_event *event = &model->events[index];
    write_json(model, index, json);
    if (form == FEED_FRAMES) {
        size_t head = frame_head(out, event->json_len);
        memcpy(out + head, json, event->json_len);
        return head + event->json_len;
    }
    if (form == FEED_JSON)
        return (size_t)snprintf((char *)out, FEED_TEST_ROOM, "%s", json);
    if (event->type == EVENT_HEARTBEAT)
        return (size_t)snprintf((char *)out, FEED_TEST_ROOM, ":\n\n");
    if (event->sequence)
        return (size_t)snprintf((char *)out, FEED_TEST_ROOM, "id: %s:%" PRId64 "\ndata: %s\n\n",
                                MODEL_CATALOG, event->sequence, json);
    return (size_t)snprintf((char *)out, FEED_TEST_ROOM, "data: %s\n\n", json);
}

static void choose_kind(struct model *model, struct model_event *event)
{
    static const enum event_type durable[] = {EVENT_VIDEO_ADDED, EVENT_VIDEO_REMOVED,
                                              EVENT_ROOT_OFFLINE};
    uint32_t kind = model_random(model, 20);
    char *job = model->jobs[model_random(model, MODEL_JOBS)];
    if (kind < 10) {
        event->type = kind < 8 ? EVENT_SCAN_PROGRESS : EVENT_THUMBNAILS_PROGRESS;
        memcpy(event->job, job, ID_TEXT_SIZE);
    } else if (kind == 10) {
        event->type = EVENT_HEARTBEAT;
    } else if (kind < 14) {
        event->type = kind == 13 ? EVENT_SCAN_COMPLETED : EVENT_SCAN_STARTED;
        event->terminal = kind == 13;
        memcpy(event->job, job, ID_TEXT_SIZE);
        if (event->terminal)
            id_new(job);
    } else {
        event->type = durable[model_random(model, 3)];
    }
    if (event_type_durable(event->type) && !(event->terminal && model_random(model, 4) == 0))
        event->sequence = model->last + 1 + model_random(model, 2);
}

void model_publish(struct model *model)
{
    static uint8_t frame[FEED_TEST_ROOM];
    assert_true(model->count < MODEL_EVENTS);
    struct model_event *event = &model->events[model->count];
    uint32_t size = model_random(model, 100);
    uint32_t limit = size == 0 ? 30000 : size < 10 ? 5000 : 300;
    *event = (struct model_event){.last_before = model->last, .made_ns = model->now_ns};
    event->json_len = 30 + model_random(model, limit);
    choose_kind(model, event);
    event->frame_len = model_form(model, model->count, FEED_FRAMES, frame);
    struct event made = {.type = event->type,
                         .sequence = event->sequence,
                         .terminal = event->terminal,
                         .made_ns = event->made_ns,
                         .frame = frame,
                         .frame_len = event->frame_len};
    memcpy(made.job_id, event->job, ID_TEXT_SIZE);
    assert_int_equal(ring_head(model->ring), model->count);
    assert_int_equal(ring_append(model->ring, &made), RL_OK);
    if (event->sequence)
        model->last = event->sequence;
    event->bytes_before = model->bytes;
    model->bytes += event->frame_len;
    model->count++;
}

static bool is_progress(const struct model_event *event)
{
    return event->type == EVENT_SCAN_PROGRESS || event->type == EVENT_THUMBNAILS_PROGRESS;
}

bool model_superseded(const struct model *model, size_t index)
{
    const struct model_event *event = &model->events[index];
    for (size_t i = index + 1; i < model->count; i++) {
        const struct model_event *later = &model->events[i];
        if (event->type == EVENT_HEARTBEAT && later->type == EVENT_HEARTBEAT)
            return true;
        if (is_progress(event) && strcmp(event->job, later->job) == 0 &&
            (is_progress(later) || later->terminal))
            return true;
    }
    return false;
}

size_t model_behind(const struct model *model, size_t index)
{
    return model->bytes - model->events[index].bytes_before;
}

bool model_after(const struct model *model, int64_t since, size_t *start)
{
    size_t tail = (size_t)ring_tail(model->ring);
    if (since < model->first)
        return false;
    for (size_t i = 0; i < tail; i++) {
        const struct model_event *gone = &model->events[i];
        if (gone->sequence > since)
            return false;
        if (!gone->sequence && event_type_durable(gone->type) && gone->last_before >= since)
            return false;
    }
    *start = since > model->last ? model->count : tail;
    for (size_t i = *start; i < model->count; i++) {
        if (model->events[i].sequence && model->events[i].sequence <= since)
            *start = i + 1;
    }
    return true;
}

bool model_wants(const struct model_event *event, const struct subscription *wanted,
                 enum feed_form form)
{
    enum event_topic topic = event_type_topic(event->type);
    if (topic == TOPIC_META)
        return form != FEED_JSON;
    if (topic == TOPIC_JOBS && wanted->job && event_job_key(event->job) != wanted->job)
        return false;
    return wanted->topics >> topic & 1;
}
