#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "json_text.h"

enum { FRAME_HEADER_MAX = 10 };

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

/* Everything before the payload; *time: where the text of the timestamp begins. */
static void put_head(struct buf *out, enum event_type type, const struct event_source *source,
                     size_t *time)
{
    char now[CLOCK_TEXT_SIZE];
    clock_rfc3339(clock_wall_ms(), now);
    if (source->sequence) {
        JSON_PUT(out, "{\"event_id\":\"");
        json_put(out, source->catalog_id, strlen(source->catalog_id));
        JSON_PUT(out, ":");
        json_put_int(out, source->sequence);
        JSON_PUT(out, "\",\"type\":");
    } else {
        JSON_PUT(out, "{\"event_id\":null,\"type\":");
    }
    json_put_text(out, event_type_word(type));
    JSON_PUT(out, ",\"timestamp\":\"");
    *time = out->len;
    json_put(out, now, strlen(now));
    JSON_PUT(out, "\",\"correlation_id\":");
    json_put_text(out, source->correlation_id);
    JSON_PUT(out, ",\"payload\":");
}

/* `payload`: the text of an object. */
static struct event *event_of(enum event_type type, const struct event_source *source,
                              const char *job_id, const char *payload, size_t payload_len)
{
    struct buf head = {0};
    size_t time = 0;
    put_head(&head, type, source, &time);
    size_t len = head.len + payload_len + 1;
    struct counted_event *counted =
        head.failed ? NULL : malloc(sizeof *counted + FRAME_HEADER_MAX + len + 1);
    if (counted) {
        size_t begin = frame_header(counted->bytes, len);
        char *json = (char *)counted->bytes + begin;
        memcpy(json, head.data, head.len);
        memcpy(json + head.len, payload, payload_len);
        memcpy(json + len - 1, "}", 2);
        counted->event = (struct event){
            .type = type,
            .sequence = source->sequence,
            .made_ns = clock_mono_ns(),
            .frame = counted->bytes,
            .frame_len = begin + len,
            .json = json,
            .json_len = len,
        };
        counted->time = (uint8_t *)json + time;
        if (job_id)
            strncpy(counted->event.job_id, job_id, ID_TEXT_SIZE - 1);
        atomic_init(&counted->references, 1);
    }
    buf_free(&head);
    return counted ? &counted->event : NULL;
}

/* Frees the payload. */
static struct event *event_of_text(enum event_type type, const struct event_source *source,
                                   const char *job_id, struct buf *payload)
{
    struct event *event =
        payload->failed ? NULL : event_of(type, source, job_id, payload->data, payload->len);
    buf_free(payload);
    return event;
}

struct event *event_new(enum event_type type, const struct event_source *source, const char *job_id,
                        struct json_object *payload)
{
    if (!payload)
        return event_of(type, source, job_id, "{}", 2);
    size_t len = 0;
    const char *json = json_object_to_json_string_length(
        payload, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    struct event *event = json ? event_of(type, source, job_id, json, len) : NULL;
    json_object_put(payload);
    return event;
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

static void put_progress(struct buf *out, const struct job *job)
{
    double progress = job_progress(job);
    char text[16];
    if (progress < 0) {
        JSON_PUT(out, "null");
        return;
    }
    json_progress_text(progress, text);
    json_put(out, text, strlen(text));
}

static void put_counts(struct buf *out, const struct job *job)
{
    JSON_PUT(out, "{\"new\":");
    json_put_int(out, job->added);
    JSON_PUT(out, ",\"updated\":");
    json_put_int(out, job->updated);
    JSON_PUT(out, ",\"moved\":");
    json_put_int(out, job->moved);
    JSON_PUT(out, ",\"skipped\":");
    json_put_int(out, job->skipped);
    JSON_PUT(out, ",\"missing\":");
    json_put_int(out, job->missing);
    JSON_PUT(out, ",\"failed\":");
    json_put_int(out, job->error_count);
    JSON_PUT(out, "}");
}

/* As text, as videos are: a scan says it of each file. */
struct event *event_job_progress(const struct event_source *source, const struct job *job,
                                 const char *path, enum outcome outcome, const char *video_id,
                                 enum failure_code code, const char *error)
{
    struct buf text = {0};
    JSON_PUT(&text, "{\"job_id\":");
    json_put_text(&text, job->id);
    if (path)
        json_put_path(&text, ",\"path\":", ",\"path_uri\":", path);
    else
        JSON_PUT(&text, ",\"path\":null");
    JSON_PUT(&text, ",\"outcome\":");
    json_put_text(&text, outcome_word(outcome));
    JSON_PUT(&text, ",\"video_id\":");
    json_put_text(&text, video_id);
    if (code != FAILURE_NONE) {
        JSON_PUT(&text, ",\"code\":");
        json_put_text(&text, failure_word(code));
        JSON_PUT(&text, ",\"error\":");
        json_put_text(&text, error && *error ? error : failure_meaning(code));
    }
    JSON_PUT(&text, ",\"paused\":");
    json_put(&text, job->paused ? "true" : "false", job->paused ? 4 : 5);
    JSON_PUT(&text, ",\"processed\":");
    json_put_int(&text, job->processed);
    JSON_PUT(&text, ",\"total\":");
    json_put_int(&text, job->total);
    JSON_PUT(&text, ",\"progress\":");
    put_progress(&text, job);
    JSON_PUT(&text, ",\"counts\":");
    put_counts(&text, job);
    JSON_PUT(&text, "}");
    enum event_type type =
        job->type == JOB_TYPE_SCAN ? EVENT_SCAN_PROGRESS : EVENT_THUMBNAILS_PROGRESS;
    return event_of_text(type, source, job->id, &text);
}

/* A video's summary, to which members can be added before its closing brace. */
static void put_open_video(struct buf *out, const struct video *video)
{
    json_video_append(out, video);
    if (!out->failed)
        out->len--;
}

struct event *event_video(enum event_type type, const struct event_source *source,
                          const struct video *video, const char *const *changed)
{
    struct buf text = {0};
    put_open_video(&text, video);
    if (changed) {
        JSON_PUT(&text, ",\"changed\":[");
        for (const char *const *word = changed; *word; word++) {
            if (word != changed)
                JSON_PUT(&text, ",");
            json_put_quoted(&text, *word, strlen(*word));
        }
        JSON_PUT(&text, "]");
    }
    JSON_PUT(&text, "}");
    return event_of_text(type, source, NULL, &text);
}

struct event *event_video_moved(const struct event_source *source, const struct video *video,
                                const char *from)
{
    struct buf text = {0};
    put_open_video(&text, video);
    json_put_path(&text, ",\"from\":", ",\"from_uri\":", from);
    JSON_PUT(&text, "}");
    return event_of_text(EVENT_VIDEO_MOVED, source, NULL, &text);
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
