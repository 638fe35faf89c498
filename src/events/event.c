#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

enum { FRAME_HEADER_MAX = 10 };

/* In an envelope; no value before it can hold the quotes. */
static const char time_key[] = "\"timestamp\":\"";

/* The public part comes first, so that one pointer serves both. */
struct counted_event {
    struct event event;
    atomic_uint references;
    uint8_t *time; /* within bytes: where the text of the timestamp is; its length never changes */
    uint8_t bytes[];
};

/* RFC 6455 §5.2: FIN and opcode 1 (text), no mask from a server, the shortest length form. */
static size_t frame_header(uint8_t out[FRAME_HEADER_MAX], size_t payload)
{
    out[0] = 0x81;
    if (payload < 126) {
        out[1] = (uint8_t)payload;
        return 2;
    }
    size_t bytes = payload <= 0xffff ? 2 : 8;
    out[1] = bytes == 2 ? 126 : 127;
    for (size_t i = 0; i < bytes; i++)
        out[2 + i] = (uint8_t)((uint64_t)payload >> (8 * (bytes - 1 - i)));
    return 2 + bytes;
}

static struct json_object *event_envelope(enum event_type type, const struct event_source *source,
                                          struct json_object *payload)
{
    bool failed = false;
    if (!payload)
        payload = json_object_new_object();
    struct json_object *envelope = json_object_new_object();
    json_add(envelope, "event_id",
             source->sequence ? json_event_id(source->catalog_id, source->sequence) : NULL,
             &failed);
    json_add_text(envelope, "type", event_type_word(type), &failed);
    struct json_object *time = json_time(clock_wall_ms());
    failed |= !time;
    json_add(envelope, "timestamp", time, &failed);
    json_add_text(envelope, "correlation_id", source->correlation_id, &failed);
    json_add(envelope, "payload", payload, &failed);
    if (failed) {
        json_object_put(envelope);
        return NULL;
    }
    return envelope;
}

struct event *event_new(enum event_type type, const struct event_source *source, const char *job_id,
                        struct json_object *payload)
{
    struct json_object *envelope = event_envelope(type, source, payload);
    if (!envelope)
        return NULL;
    struct counted_event *counted = NULL;
    size_t len = 0;
    const char *json = json_object_to_json_string_length(
        envelope, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    if (json)
        counted = malloc(sizeof *counted + FRAME_HEADER_MAX + len + 1);
    if (counted) {
        size_t head = frame_header(counted->bytes, len);
        memcpy(counted->bytes + head, json, len + 1);
        counted->event = (struct event){
            .type = type,
            .sequence = source->sequence,
            .made_ns = clock_mono_ns(),
            .frame = counted->bytes,
            .frame_len = head + len,
            .json = (const char *)counted->bytes + head,
            .json_len = len,
        };
        counted->time =
            (uint8_t *)strstr((char *)counted->bytes + head, time_key) + strlen(time_key);
        if (job_id)
            strncpy(counted->event.job_id, job_id, ID_TEXT_SIZE - 1);
        atomic_init(&counted->references, 1);
    }
    json_object_put(envelope);
    return counted ? &counted->event : NULL;
}

void event_stamp(struct event *event)
{
    struct counted_event *counted = QUEUE_ITEM(event, struct counted_event, event);
    char text[CLOCK_TEXT_SIZE];
    clock_rfc3339(clock_wall_ms(), text);
    memcpy(counted->time, text, strlen(text));
    event->made_ns = clock_mono_ns();
}

struct event *event_ref(const struct event *event)
{
    struct counted_event *counted = QUEUE_ITEM(event, struct counted_event, event);
    atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);
    return &counted->event;
}

void event_unref(struct event *event)
{
    if (!event)
        return;
    struct counted_event *counted = QUEUE_ITEM(event, struct counted_event, event);
    if (atomic_fetch_sub_explicit(&counted->references, 1, memory_order_acq_rel) == 1)
        free(counted);
}

struct event *event_job(const struct event_source *source, const struct job *job)
{
    struct json_object *payload = json_job(job);
    if (!payload)
        return NULL;
    struct event *event =
        event_new(event_type_for_job(job->type, job->status), source, job->id, payload);
    if (event)
        event->terminal = job_status_terminal(job->status);
    return event;
}

struct event *event_job_started(const struct event_source *source, const struct job *job)
{
    bool failed = false;
    struct json_object *payload = json_object_new_object();
    json_add_text(payload, "job_id", job->id, &failed);
    json_add_path_checked(payload, "path", job->path, &failed);
    json_add(payload, "recursive", json_object_new_boolean(job->recursive), &failed);
    json_add_text(payload, "trigger", job_trigger_word(job->trigger), &failed);
    if (failed) {
        json_object_put(payload);
        return NULL;
    }
    return event_new(event_type_for_job(job->type, JOB_RUNNING), source, job->id, payload);
}

struct event *event_job_progress(const struct event_source *source, const struct job *job,
                                 const char *path, enum outcome outcome, const char *video_id,
                                 enum failure_code code, const char *error)
{
    bool failed = false;
    struct json_object *payload = json_object_new_object();
    json_add_text(payload, "job_id", job->id, &failed);
    if (path)
        json_add_path_checked(payload, "path", path, &failed);
    else
        json_add(payload, "path", NULL, &failed);
    json_add_text(payload, "outcome", outcome_word(outcome), &failed);
    json_add_text(payload, "video_id", video_id, &failed);
    if (code != FAILURE_NONE) {
        json_add_text(payload, "code", failure_word(code), &failed);
        json_add_text(payload, "error", error && *error ? error : failure_meaning(code), &failed);
    }
    json_add(payload, "paused", json_object_new_boolean(job->paused), &failed);
    json_add_int(payload, "processed", job->processed, &failed);
    json_add_int(payload, "total", job->total, &failed);
    json_add(payload, "progress", json_progress(job), &failed);
    json_add(payload, "counts", json_counts(job), &failed);
    if (failed) {
        json_object_put(payload);
        return NULL;
    }
    enum event_type type =
        job->type == JOB_TYPE_SCAN ? EVENT_SCAN_PROGRESS : EVENT_THUMBNAILS_PROGRESS;
    return event_new(type, source, job->id, payload);
}

/* Says of a video; takes `more` over, which has further members, or is NULL: none. The summary goes
 * in as text: a scan makes one for each file, and a tree of it costs several times as much. */
static struct event *video_event(enum event_type type, const struct event_source *source,
                                 const struct video *video, struct json_object *more)
{
    struct buf text = {0};
    json_video_append(&text, video);
    if (more && !text.failed) {
        const char *members = json_object_to_json_string_ext(
            more, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        text.data[text.len - 1] = ',';
        text.failed |= !members;
        buf_puts(&text, members ? members + 1 : "");
    }
    json_object_put(more);
    struct json_object *payload = json_object_new_object();
    if (text.failed || !payload) {
        json_object_put(payload);
        buf_free(&text);
        return NULL;
    }
    json_object_set_serializer(payload, json_object_userdata_to_json_string, buf_steal(&text),
                               json_object_free_userdata);
    return event_new(type, source, NULL, payload);
}

struct event *event_video(enum event_type type, const struct event_source *source,
                          const struct video *video, const char *const *changed)
{
    if (!changed)
        return video_event(type, source, video, NULL);
    bool failed = false;
    struct json_object *more = json_object_new_object(), *list = json_object_new_array();
    for (; list && *changed; changed++)
        failed |= json_object_array_add(list, json_object_new_string(*changed)) != 0;
    json_add(more, "changed", list, &failed);
    if (failed) {
        json_object_put(more);
        return NULL;
    }
    return video_event(type, source, video, more);
}

struct event *event_video_moved(const struct event_source *source, const struct video *video,
                                const char *from)
{
    bool failed = false;
    struct json_object *more = json_object_new_object();
    json_add_path_checked(more, "from", from, &failed);
    if (failed) {
        json_object_put(more);
        return NULL;
    }
    return video_event(EVENT_VIDEO_MOVED, source, video, more);
}

struct event *event_root(enum event_type type, const struct event_source *source, const char *root,
                         const char *reason)
{
    bool failed = false;
    struct json_object *payload = json_object_new_object();
    json_add_path_checked(payload, "root", root, &failed);
    json_add_text(payload, "reason", reason, &failed);
    if (failed) {
        json_object_put(payload);
        return NULL;
    }
    return event_new(type, source, NULL, payload);
}

uint64_t event_job_key(const char *job_id)
{
    /* RFC 9562 §5.7: the last 8 bytes of a UUIDv7 are random, but for the two bits of its variant:
     * two other random bits stand in for them. */
    uint8_t id[ID_BYTES];
    if (!id_parse(job_id, id))
        return 0;
    uint64_t key = (uint64_t)((id[7] & 3) << 6 | (id[8] & 0x3f));
    for (int i = 9; i < ID_BYTES; i++)
        key = key << 8 | id[i];
    return key ? key : 1;
}
