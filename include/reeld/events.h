/* events: what reeld says. A record (job, video) becomes JSON here and nowhere else, so that a REST
 * answer and an event payload are the same object; an event becomes one immutable WebSocket frame;
 * the ring keeps the frames that clients may still be due. json-c is used here and in server. */
#ifndef REELD_EVENTS_H
#define REELD_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeld/base.h"
#include "reeld/catalog.h"
#include "reeld/vocabulary.h"

struct json_object;

/* ---- words (any thread; static strings) ---------------------------------------------------- */

const char *event_type_word(enum event_type type);
enum event_topic event_type_topic(enum event_type type);
bool event_type_durable(enum event_type type);
bool event_type_progress(enum event_type type);       /* <JOB TYPE>_PROGRESS */
const char *event_topic_word(enum event_topic topic); /* "meta", "jobs", "library" */
const char *job_status_word(enum job_status status);
bool job_status_terminal(enum job_status status);
const char *job_type_word(enum job_type type);
const char *job_phase_word(enum job_phase phase);
const char *job_trigger_word(enum job_trigger trigger);
const char *outcome_word(enum outcome outcome);   /* NULL for OUTCOME_NONE */
const char *failure_word(enum failure_code code); /* NULL for FAILURE_NONE */
const char *failure_meaning(enum failure_code code);
const char *path_status_word(enum path_status status);
bool job_status_parse(const char *word, enum job_status *out);
bool job_type_parse(const char *word, enum job_type *out);

/* The event type that tells that a job of `type` reached `status` (running or terminal);
 * EVENT_JOB_QUEUED for pending. */
enum event_type event_type_for_job(enum job_type type, enum job_status status);

/* ---- records as JSON (any thread). The caller owns the object (json_object_put); NULL when out of
 *      memory. ------------------------------------------------------------------------------- */

/* contract §3. A terminal job has `result`, with job->failures as its errors: at most
 * JOB_RESULT_ERRORS_MAX and 256 KiB of them, or null where they were not read. A dry run's has
 * `plan` too, from job->plan in the same way. Every job has `counts` {new, updated, moved, skipped,
 * missing, failed}: what was decided so far, for a client that joins late or only polls. */
struct json_object *json_job(const struct job *job);
struct json_object *
json_job_failure(const struct job_failure *failure); /* {path, path_uri?, code, error} */

/* The job's progress as clients see it: processed/total, at least progress_floor; -1 while not
 * known. */
double job_progress(const struct job *job);

/* contract §1: the summary (lists, events), or with every stream and chapter (`full`). */
struct json_object *json_video(const struct video *video, bool full);

/* Appends the summary as JSON text, the same bytes as json_video's in plain style, without a tree
 * of objects: lists are long and many. out->failed: out of memory. */
void json_video_append(struct buf *out, const struct video *video);

/* Which members of the full object differ between two states of a video (but updated_at, which
 * always does): static names in a NULL-terminated array to free(). NULL when out of memory. */
const char **video_changes(const struct video *before, const struct video *after);

/* "<catalogue>:<sequence>": a point of the stream; sequence 0 is its beginning. */
struct json_object *json_event_id(const char *catalog_id, int64_t sequence);

/* Adds `path` (UTF-8, lossy) and, where it is not UTF-8, `path_uri` (lossless) under `key` and
 * key_uri. */
void json_add_path(struct json_object *object, const char *key, const char *path);

/* A time as RFC 3339 text, or JSON null for 0 and MEDIA_UNKNOWN. */
struct json_object *json_time(int64_t wall_ms);

/* ---- pictures: what they are called (any thread) -------------------------------------------- */

enum picture_form {
    PICTURE_FORM_THUMBNAIL,        /* JPEG */
    PICTURE_FORM_STORYBOARD,       /* JPEG */
    PICTURE_FORM_STORYBOARD_INDEX, /* WebVTT */
    PICTURE_FORMS
};

/* One file of a video. Its name changes with the content of the video and never comes again. */
struct picture_key {
    int64_t number;   /* of the video */
    uint64_t version; /* of its content, not 0 */
    enum picture_form form;
    int32_t width; /* of a thumbnail, as it was asked for */
};

enum { PICTURE_PATH_SIZE = 96, PICTURE_VERSION_SIZE = 17, PICTURE_FOLDER_VIDEOS = 1000 };

/* Where it is kept, below the data directory: pictures/F/NUMBER-VERSION-FORM, F being NUMBER /
 * PICTURE_FOLDER_VIDEOS. */
void picture_path(const struct picture_key *key, char out[PICTURE_PATH_SIZE]);

/* The number and version in such a file's name, without its folder. False: it is none. */
bool picture_parse(const char *name, struct picture_key *out);

/* A version as 16 hexadecimal digits, as addresses have it. */
void picture_version_text(uint64_t version, char out[PICTURE_VERSION_SIZE]);

/* ---- event: one finished frame ------------------------------------------------------------- */

/* Immutable and counted; made by one thread, given to another. */
struct event {
    enum event_type type;
    int64_t sequence;          /* 0: not durable */
    char job_id[ID_TEXT_SIZE]; /* the job it is about, or empty */
    bool terminal;             /* it ends that job */
    int64_t made_ns;           /* clock_mono_ns() at its making, i.e. just after the commit */
    const uint8_t *frame; /* a whole WebSocket text frame as a server sends it (RFC 6455 §5.2) */
    size_t frame_len;
    const char *json; /* the frame's payload; not NUL-terminated */
    size_t json_len;
};

/* Who and where an event comes from. */
struct event_source {
    const char *catalog_id;
    int64_t sequence;           /* 0: event_id is null */
    const char *correlation_id; /* NULL or empty: null */
};

/* Each returns an event with one reference, or NULL when out of memory. Any thread. */

/* Any type with a payload; takes `payload` (NULL: {}), even on failure. */
struct event *event_new(enum event_type type, const struct event_source *source, const char *job_id,
                        struct json_object *payload);

/* JOB_QUEUED, or the terminal event that job->status says; payload: the job object. */
struct event *event_job(const struct event_source *source, const struct job *job);

/* <JOB TYPE>_STARTED: {job_id, path, recursive, trigger}. */
struct event *event_job_started(const struct event_source *source, const struct job *job);

/* <JOB TYPE>_PROGRESS. `path` NULL and OUTCOME_NONE: only the counters moved. `video_id` may be
 * NULL; `error` the words for `code`. Counters are taken from `job`. */
struct event *event_job_progress(const struct event_source *source, const struct job *job,
                                 const char *path, enum outcome outcome, const char *video_id,
                                 enum failure_code code, const char *error);

/* VIDEO_ADDED, _UPDATED (with `changed`: NULL-terminated member names, NULL: not said), _MISSING,
 * _REMOVED. */
struct event *event_video(enum event_type type, const struct event_source *source,
                          const struct video *video, const char *const *changed);

/* VIDEO_MOVED: the video, and `from` where its file was (bytes). */
struct event *event_video_moved(const struct event_source *source, const struct video *video,
                                const char *from);

/* ROOT_OFFLINE or ROOT_ONLINE: {root, reason}; `reason` NULL or empty: null. */
struct event *event_root(enum event_type type, const struct event_source *source, const char *root,
                         const char *reason);

/* Gives an event that was made ahead the time at which it became true: now. Only before it is
 * published, by the thread that made it. */
void event_stamp(struct event *event);

struct event *event_ref(const struct event *event); /* one more reference to the same */
void event_unref(struct event *event);              /* NULL is fine */

/* The key of a job in the ring and in filters: 64 of the random bits of its id. 0: `job_id` is
 * empty or not an id. */
uint64_t event_job_key(const char *job_id);

/* ---- ring: loop thread --------------------------------------------------------------------- */

/* One shared, bounded run of wire bytes. A position counts frames since the ring was made and is
 * never used again; a client is a cursor: the position of the next frame that it is due. */
struct ring;

/* `bytes` of frames (at least 64 KiB) and `frames` index entries (a power of two). `sequence`: the
 * last durable event before the ring's beginning. NULL: out of memory. */
struct ring *ring_new(size_t bytes, size_t frames, int64_t sequence);
void ring_free(struct ring *ring);

/* Copies the event's frame in, dropping the oldest frames as needed, and marks what it supersedes:
 * a progress frame by a later one of its job or by the job's terminal event, a HEARTBEAT by the
 * next. RL_EINVAL: larger than half the ring (then see ring_lost). */
enum rl_err ring_append(struct ring *ring, const struct event *event);

/* Events up to `sequence` happened that are not in the ring: it no longer reaches back before that.
 * It is empty then, and every cursor was overtaken, so that each client learns of the gap. */
void ring_lost(struct ring *ring, int64_t sequence);

uint64_t ring_head(const struct ring *ring); /* position of the next frame to be appended */
uint64_t ring_tail(const struct ring *ring); /* position of the oldest frame kept; == head: empty */

/* The sequence of the last durable event that was appended (or lost, or before the beginning). */
int64_t ring_sequence(const struct ring *ring);

/* The longest contiguous run of whole frames from `position`, of at most `max` bytes but at least
 * one frame: *bytes and *len, valid until the next append. Returns the position after the run;
 * `position` itself when there is nothing (it is the head). `position` must not be before the tail:
 * that client was overtaken. */
uint64_t ring_run(const struct ring *ring, uint64_t position, size_t max, const uint8_t **bytes,
                  size_t *len);

/* Bytes of frames from `position` (tail <= position <= head) to the head: how far a client there is
 * behind. */
uint64_t ring_behind(const struct ring *ring, uint64_t position);

/* The highest sequence of a durable event before `position` (tail <= position <= head). */
int64_t ring_sequence_before(const struct ring *ring, uint64_t position);

/* Whether every durable event after `sequence` is still here; then *position is that of the first
 * frame behind the last one that is not after it (the head, where nothing came since, also when
 * `sequence` is ahead of the ring: its events are on their way). By bisection. */
bool ring_after(const struct ring *ring, int64_t sequence, uint64_t *position);

/* What is at `position` (tail <= position < head), for filters and replay. */
struct ring_entry {
    int64_t sequence; /* 0: not durable */
    int64_t made_ns;
    uint64_t job; /* event_job_key of the job it is about; 0: none */
    enum event_type type;
    uint32_t len;
    bool superseded; /* a later frame in the ring says more */
    bool terminal;
};
const struct ring_entry *ring_entry_at(const struct ring *ring, uint64_t position);

/* The frame at `position` and its payload (JSON text, not NUL-terminated). */
const uint8_t *ring_frame_at(const struct ring *ring, uint64_t position);
const char *ring_json_at(const struct ring *ring, uint64_t position, size_t *len);

size_t ring_bytes_used(const struct ring *ring);
size_t ring_bytes_size(const struct ring *ring);

#endif
