#include <stdlib.h>
#include <string.h>

#include "batch_private.h"
#include "outbox.h"
#include "pictures.h"
#include "room.h"
#include "scan.h"
#include "store.h"

/* A transaction takes a few milliseconds of fsync whatever its size, which the workers' pipelines
 * bridge; the events of a group wait for each other, so that a larger one would only be later. Of
 * videos that moved or are missing there may be many at once, and nothing else takes time then. */
enum { BATCH_ENTRIES = 80, BATCH_MOVES = 2000, BATCH_ROWS = 4000, BATCH_MS = 100 };

static void entry_clear(struct batch_entry *entry)
{
    free(entry->path);
    event_unref(entry->event);
    free(entry->error);
}

bool batch_open(struct scan *scan)
{
    struct batch *batch = &scan->batch;
    if (scan->err || batch->open)
        return !scan->err;
    scan->err = store_begin(scan->library);
    if (scan->err)
        return false;
    scan->library->writing = scan;
    batch->open = true;
    batch->due_ms = clock_mono_ms() + BATCH_MS;
    return true;
}

static void close_batch(struct scan *scan)
{
    scan->batch.open = false;
    scan->library->writing = NULL;
}

bool batch_written(struct scan *scan, enum rl_err err)
{
    scan->err = store_check(scan->library, err);
    if (scan->err) {
        close_batch(scan);
        return false;
    }
    scan->batch.rows++;
    return true;
}

struct batch_entry *batch_entry(struct scan *scan, const char *path)
{
    struct batch *batch = &scan->batch;
    if (batch->count == batch->cap) {
        size_t cap = batch->cap ? batch->cap * 2 : 32;
        struct batch_entry *entries = realloc(batch->entries, cap * sizeof *entries);
        if (entries) {
            batch->entries = entries;
            batch->cap = cap;
        }
    }
    char *copy = batch->count < batch->cap ? strdup(path) : NULL;
    if (!copy) {
        batch_written(scan, RL_ENOMEM);
        return NULL;
    }
    struct batch_entry *entry = &batch->entries[batch->count++];
    *entry = (struct batch_entry){.path = copy};
    return entry;
}

/* Under which number the row is written, so that a job that is taken up again knows what it had
 * put. A watched root's job is never taken up as such, and may well put a file again that it has
 * put. */
static int64_t put_under(const struct scan *scan)
{
    return scan->entry->watched ? -clock_wall_ms() : scan->job->number;
}

/* Writes the video's row and makes its event: what is made before the commit need not be made while
 * clients wait for it. */
static enum rl_err put_video(struct scan *scan, struct batch_entry *entry, struct video *video)
{
    struct library *library = scan->library;
    struct video before;
    const char **changed = NULL;
    enum rl_err known = catalog_video_at(library->catalog, video->path, &before);
    enum rl_err err = known == RL_ENOTFOUND ? RL_OK : known;
    if (!err)
        err = catalog_video_put(library->catalog, video, put_under(scan), &entry->outcome);
    if (!err && entry->outcome == OUTCOME_UPDATED && !known &&
        !(changed = video_changes(&before, video)))
        err = RL_ENOMEM;
    if (!err) {
        struct event_source source =
            outbox_source(library, video->sequence, scan->job->correlation_id);
        memcpy(entry->video_id, video->id, sizeof entry->video_id);
        entry->number = video->number;
        entry->stale = !known && before.version != video->version ? before.version : 0;
        entry->event =
            event_video(entry->outcome == OUTCOME_NEW ? EVENT_VIDEO_ADDED : EVENT_VIDEO_UPDATED,
                        &source, video, changed);
    }
    free(changed);
    video_clear(&before);
    return err;
}

void batch_video(struct scan *scan, const char *path, const struct file_stamp *stamp,
                 struct media_info *info)
{
    struct batch_entry *entry = batch_open(scan) ? batch_entry(scan, path) : NULL;
    if (!entry)
        return;
    struct video video = {.path = strdup(path), .stamp = *stamp, .info = *info};
    *info = (struct media_info){0};
    batch_written(scan, video.path ? put_video(scan, entry, &video) : RL_ENOMEM);
    video_clear(&video);
}

void batch_failure(struct scan *scan, const char *path, const struct file_stamp *stamp,
                   enum failure_code code, const char *error)
{
    struct batch_entry *entry = batch_open(scan) ? batch_entry(scan, path) : NULL;
    if (!entry)
        return;
    struct library *library = scan->library;
    entry->outcome = OUTCOME_FAILED;
    entry->code = code;
    entry->error = strdup(error);
    enum rl_err err = entry->error ? RL_OK : RL_ENOMEM;
    if (!err && stamp)
        err = catalog_failure_put(library->catalog, path, stamp, library->pool_now.version, code,
                                  error, scan->job->number);
    else if (!err)
        err = catalog_job_failure_add(library->catalog, scan->job->number, path, code, error);
    batch_written(scan, err);
}

void batch_again(struct scan *scan, const char *path, enum failure_code code, const char *error)
{
    if (batch_open(scan) &&
        batch_written(scan, catalog_job_failure_add(scan->library->catalog, scan->job->number, path,
                                                    code, error ? error : "")))
        scan->batch.again[code]++;
}

void batch_ignored(struct scan *scan, const char *path, const struct file_stamp *stamp)
{
    if (batch_open(scan))
        batch_written(scan, catalog_ignored_put(scan->library->catalog, path, stamp,
                                                scan->library->pool_now.version));
}

void batch_missing(struct scan *scan, int64_t number)
{
    struct library *library = scan->library;
    struct video video = {0};
    enum rl_err err = batch_open(scan) ? catalog_video_missing(library->catalog, number,
                                                               scan->job->number, &video)
                                       : RL_ENOTFOUND;
    if (err == RL_ENOTFOUND)
        return;
    struct batch_entry *entry = NULL;
    if (batch_written(scan, err) && (entry = batch_entry(scan, video.path))) {
        struct event_source source =
            outbox_source(library, video.sequence, scan->job->correlation_id);
        memcpy(entry->video_id, video.id, sizeof entry->video_id);
        entry->event = event_video(EVENT_VIDEO_MISSING, &source, &video, NULL);
        scan->batch.moves++;
    }
    video_clear(&video);
}

void batch_folder(struct scan *scan, const char *path, uint64_t device)
{
    if (batch_open(scan))
        batch_written(scan, catalog_folder_device(scan->library->catalog, path, device));
}

void batch_forget(struct scan *scan, const char *path)
{
    if (batch_open(scan))
        batch_written(scan, catalog_failure_forget(scan->library->catalog, path));
}

void batch_forget_folder(struct scan *scan, int64_t folder)
{
    if (batch_open(scan))
        batch_written(scan, catalog_folder_failures_forget(scan->library->catalog, folder));
}

void batch_touch(struct scan *scan)
{
    if (batch_open(scan))
        scan->batch.due_ms = 0;
}

bool batch_full(const struct batch *batch)
{
    return batch->count - batch->moves >= BATCH_ENTRIES || batch->moves >= BATCH_MOVES ||
           batch->rows >= BATCH_ROWS;
}

static void count(struct job *job, enum outcome outcome, int64_t files)
{
    if (outcome == OUTCOME_NONE) {
        job->missing += files;
        return;
    }
    job->processed += files;
    if (outcome == OUTCOME_NEW)
        job->added += files;
    else if (outcome == OUTCOME_UPDATED)
        job->updated += files;
    else if (outcome == OUTCOME_MOVED)
        job->moved += files;
    else
        job->error_count += files;
}

static void count_entry(struct job *job, const struct batch_entry *entry)
{
    if (entry->withdrawn)
        return;
    count(job, entry->outcome, 1);
    job->missing -= entry->back;
}

static void say(struct scan *scan, struct job *said, struct batch_entry *entry)
{
    struct library *library = scan->library;
    if (entry->withdrawn)
        return;
    if (entry->outcome != OUTCOME_FAILED) {
        if (entry->event)
            event_stamp(entry->event);
        outbox_event(library, entry->event);
        entry->event = NULL;
    }
    count_entry(said, entry);
    scan->unsaid = entry->outcome == OUTCOME_NONE;
    if (scan->unsaid)
        return;
    struct event_source source = outbox_source(library, 0, said->correlation_id);
    outbox_event(library,
                 event_job_progress(&source, said, entry->path, entry->outcome,
                                    entry->outcome == OUTCOME_FAILED ? NULL : entry->video_id,
                                    entry->code, entry->error));
}

/* Counts what is committed now, in the job and in the statistics. */
static void settle_counts(struct scan *scan, const struct job *after)
{
    struct library *library = scan->library;
    for (size_t i = 0; !after->dry_run && i < scan->batch.count; i++) {
        const struct batch_entry *entry = &scan->batch.entries[i];
        if (entry->outcome != OUTCOME_NONE)
            snapshot_counted(&library->snapshot, entry->outcome, entry->code, 1);
    }
    for (int code = 0; !after->dry_run && code < FAILURES; code++) {
        if (scan->batch.again[code])
            snapshot_counted(&library->snapshot, OUTCOME_FAILED, (enum failure_code)code,
                             (uint64_t)scan->batch.again[code]);
    }
    *scan->job = *after;
    snapshot_update(&library->snapshot, scan->job);
}

/* What came into a watched root, a few at a time and with nothing right behind it, gets its
 * pictures now: the job of the pictures begins only when this one has seen the end of the burst. */
static void make_pictures(struct scan *scan)
{
    if (!scan->entry->watched || scan->walk || scan->candidates.count || scan->in_flight ||
        scan_round_more(scan))
        return;
    for (size_t i = 0; i < scan->batch.count; i++) {
        const struct batch_entry *entry = &scan->batch.entries[i];
        if (!entry->withdrawn &&
            (entry->outcome == OUTCOME_NEW || entry->outcome == OUTCOME_UPDATED))
            pictures_ahead(scan->library, entry->video_id);
    }
}

void batch_commit(struct scan *scan)
{
    struct batch *batch = &scan->batch;
    if (!batch->open)
        return;
    struct job said = *scan->job;
    if (!scan->walk && !scan->entry->watched) {
        said.total_known = true;
        said.phase = PHASE_PROBING;
    }
    for (int code = 0; code < FAILURES; code++)
        count(&said, OUTCOME_FAILED, batch->again[code]);
    struct job after = said;
    for (size_t i = 0; i < batch->count; i++)
        count_entry(&after, &batch->entries[i]);

    if (!batch_written(scan, catalog_job_update(scan->library->catalog, &after)))
        return;
    close_batch(scan);
    scan->err = store_commit(scan->library, batch->rows);
    if (scan->err)
        return;
    settle_counts(scan, &after);
    make_pictures(scan);
    for (size_t i = 0; i < batch->count; i++) {
        say(scan, &said, &batch->entries[i]);
        if (batch->entries[i].stale)
            pictures_gone(scan->library, batch->entries[i].number, batch->entries[i].stale);
        entry_clear(&batch->entries[i]);
    }
    if (batch->count)
        scan->said_ms = clock_mono_ms();
    else
        scan->unsaid = true;
    batch->count = batch->moves = batch->rows = 0;
    memset(batch->again, 0, sizeof batch->again);
}

void batch_drop(struct scan *scan)
{
    if (scan->batch.open) {
        catalog_rollback(scan->library->catalog);
        close_batch(scan);
    }
    for (size_t i = 0; i < scan->batch.count; i++)
        entry_clear(&scan->batch.entries[i]);
    scan->batch.count = 0;
}

void batch_free(struct batch *batch)
{
    free(batch->entries);
    *batch = (struct batch){0};
}
