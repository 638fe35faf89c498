#include "picture_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox.h"
#include "pictures.h"
#include "store.h"
#include "thumbnails.h"

/* As a scan's: a group takes a few milliseconds, whatever its size. */
enum { BATCH_MAX = 80, BATCH_MS = 100 };

struct noted {
    int64_t number;
    uint64_t version;
    char id[ID_TEXT_SIZE];
    char *path; /* owned */
    enum outcome outcome;
    int32_t width;
    enum failure_code failure;
    char words[MEDIA_ERROR_SIZE];
    struct thumbnails *job;
    struct event *event; /* VIDEO_UPDATED; owned */
};

struct picture_batch {
    struct noted noted[BATCH_MAX];
    size_t count;
    int64_t due_ms;
};

enum rl_err picture_batch_new(struct picture_batch **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? RL_OK : RL_ENOMEM;
}

static void empty(struct picture_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->noted[i].path);
        event_unref(batch->noted[i].event);
    }
    batch->count = 0;
}

void picture_batch_free(struct picture_batch *batch)
{
    if (batch)
        empty(batch);
    free(batch);
}

int64_t picture_batch_due(const struct picture_batch *batch)
{
    return batch->count ? batch->due_ms : INT64_MAX;
}

void picture_batch_hurry(struct picture_batch *batch)
{
    batch->due_ms = 0;
}

bool pictures_full(const struct library *library)
{
    return library->pictures->batch->count == BATCH_MAX;
}

bool pictures_noted(const struct library *library)
{
    return library->pictures->batch->count > 0;
}

enum rl_err pictures_note(struct library *library, const struct picture_done *done)
{
    struct picture_batch *batch = library->pictures->batch;
    if (batch->count == BATCH_MAX)
        pictures_commit(library);
    char *path = strdup(done->subject->path);
    if (!path)
        return RL_ENOMEM;
    if (batch->count == 0)
        batch->due_ms = clock_mono_ms() + BATCH_MS;
    struct noted *noted = &batch->noted[batch->count++];
    *noted = (struct noted){.number = done->subject->number,
                            .version = done->subject->version,
                            .path = path,
                            .outcome = done->outcome,
                            .width = done->width,
                            .failure = done->failure,
                            .job = done->job};
    memcpy(noted->id, done->subject->id, sizeof noted->id);
    snprintf(noted->words, sizeof noted->words, "%s", done->words ? done->words : "");
    return RL_OK;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* The members that differ between a state of the picture and another. */
static const char *const *changes(int32_t before, int32_t after)
{
    static const char *const path[] = {"thumbnail", "thumbnail_path", NULL};
    static const char *const url[] = {"thumbnail", "thumbnail_url", NULL};
    static const char *const both[] = {"thumbnail", "thumbnail_path", "thumbnail_url", NULL};
    static const char *const none[] = {NULL};
    if (before == after)
        return none;
    if (before == THUMBNAIL_PENDING || after == THUMBNAIL_PENDING)
        return (before == THUMBNAIL_READY || after == THUMBNAIL_READY) ? path : url;
    return both;
}

/* The row, and its event. One that is known already, or of another content by now, is skipped. */
static enum rl_err write_state(struct library *library, struct noted *noted)
{
    bool failed = noted->outcome == OUTCOME_FAILED;
    if (noted->outcome == OUTCOME_SKIPPED || (failed && picture_failure_passes(noted->failure)))
        return RL_OK;
    struct picture_outcome outcome = {.number = noted->number,
                                      .version = noted->version,
                                      .thumbnail = failed ? THUMBNAIL_FAILED : THUMBNAIL_READY,
                                      .width = noted->width,
                                      .failure = noted->failure,
                                      .error = noted->words,
                                      .worker_version = library->pool_now.version};
    int32_t before;
    struct video video;
    enum rl_err err = catalog_picture_put(library->catalog, &outcome, &before, &video);
    if (err == RL_ENOTFOUND) {
        if (noted->outcome == OUTCOME_NEW &&
            !picture_is_known(library, noted->number, noted->version))
            picture_store_remove(&library->pictures->store, noted->number, noted->version);
        noted->outcome = OUTCOME_SKIPPED;
        return RL_OK;
    }
    if (err)
        return err;
    struct event_source source = outbox_source(
        library, video.sequence, noted->job ? thumbnails_job(noted->job)->correlation_id : NULL);
    noted->event =
        event_video(EVENT_VIDEO_UPDATED, &source, &video, changes(before, video.thumbnail));
    video_clear(&video);
    return RL_OK;
}

static void count(struct job *job, const struct noted *noted)
{
    job->processed++;
    job->added += noted->outcome == OUTCOME_NEW;
    job->skipped += noted->outcome == OUTCOME_SKIPPED;
    job->error_count += noted->outcome == OUTCOME_FAILED;
}

/* `after` (NULL: no job has a part in it) becomes the job with all of it counted. */
static enum rl_err write_all(struct library *library, struct picture_batch *batch,
                             struct job *after)
{
    enum rl_err err = RL_OK;
    for (size_t i = 0; !err && i < batch->count; i++) {
        struct noted *noted = &batch->noted[i];
        err = write_state(library, noted);
        if (!err && noted->job && noted->outcome == OUTCOME_FAILED)
            err = catalog_job_failure_add(library->catalog, after->number, noted->path,
                                          noted->failure, noted->words);
        if (!err && noted->job)
            count(after, noted);
    }
    if (!err && after)
        err = catalog_job_update(library->catalog, after);
    return err;
}

/* ---- saying -------------------------------------------------------------------------------- */

static void say_progress(struct library *library, const struct job *said, const struct noted *noted)
{
    struct event_source source = outbox_source(library, 0, said->correlation_id);
    outbox_event(library, event_job_progress(&source, said, noted->path, noted->outcome, noted->id,
                                             noted->failure, noted->words));
}

static void say_all(struct library *library, struct picture_batch *batch, struct job *said)
{
    bool unsaid = false;
    struct thumbnails *job = NULL;
    for (size_t i = 0; i < batch->count; i++) {
        struct noted *noted = &batch->noted[i];
        if (noted->event) {
            event_stamp(noted->event);
            outbox_event(library, noted->event);
            noted->event = NULL;
        }
        if (!noted->job)
            continue;
        job = noted->job;
        count(said, noted);
        snapshot_picture_made(&library->snapshot, noted->outcome == OUTCOME_NEW);
        unsaid = noted->outcome == OUTCOME_SKIPPED;
        if (!unsaid)
            say_progress(library, said, noted);
    }
    if (job)
        thumbnails_committed(job, unsaid);
}

void pictures_commit(struct library *library)
{
    struct picture_batch *batch = library->pictures->batch;
    struct thumbnails *work = NULL;
    if (batch->count == 0)
        return;
    for (size_t i = 0; i < batch->count; i++)
        work = batch->noted[i].job ? batch->noted[i].job : work;
    struct job before = {0}, after;
    if (work)
        before = *thumbnails_job(work);
    after = before;
    enum rl_err err = store_begin(library);
    if (!err) {
        err = store_check(library, write_all(library, batch, work ? &after : NULL));
        if (!err)
            err = store_commit(library, batch->count);
    }
    if (!err && work) {
        *thumbnails_job(work) = after;
        snapshot_update(&library->snapshot, &after);
    }
    if (!err)
        say_all(library, batch, &before);
    else if (work)
        thumbnails_failed(work, err);
    empty(batch);
}
