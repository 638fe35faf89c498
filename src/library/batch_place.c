#include <stdlib.h>
#include <string.h>

#include "batch_private.h"
#include "origin.h"
#include "outbox.h"
#include "plan.h"
#include "room.h"
#include "scan.h"

/* Whether the job took the video for missing before the daemon was started anew. */
static bool hidden_before(const struct scan *scan, const struct video_place *place)
{
    return scan->entry->resumed && place->missing_since_ms && place->outcome == OUTCOME_NONE &&
           place->job == scan->job->number;
}

/* A video that this job had taken for missing, because another one's file is where its own was, is
 * found elsewhere: it never was. What was not said yet stays unsaid. */
static void take_back(struct scan *scan, const struct video_place *place, struct batch_entry *entry)
{
    if (!number_set_remove(&scan->displaced, (uint64_t)place->number)) {
        entry->back = hidden_before(scan, place);
        return;
    }
    for (size_t i = 0; i < scan->batch.count; i++) {
        struct batch_entry *other = &scan->batch.entries[i];
        if (other->outcome != OUTCOME_NONE || other->withdrawn || other == entry ||
            strcmp(other->video_id, place->id) != 0)
            continue;
        other->withdrawn = true;
        return;
    }
    entry->back = true;
}

/* The event of a video that was placed. Where it is at its old path it was missing. */
static struct event *place_event(struct scan *scan, const struct video_place *place,
                                 enum outcome outcome, const struct video *video)
{
    struct event_source source =
        outbox_source(scan->library, video->sequence, scan->job->correlation_id);
    if (outcome == OUTCOME_MOVED)
        return event_video_moved(&source, video, place->path);
    const char *changed[3] = {"missing_since"};
    if (place->stamp.mtime_ns / 1000000 != video->stamp.mtime_ns / 1000000)
        changed[1] = "modified_at";
    return event_video(EVENT_VIDEO_UPDATED, &source, video, changed);
}

/* Makes room at `path`, where another video is. */
static enum rl_err displace(struct scan *scan, const char *path)
{
    int64_t number = origin_number_at(scan, path, false);
    if (!number)
        return RL_EIO;
    if (!number_set_add(&scan->displaced, (uint64_t)number))
        return RL_ENOMEM;
    batch_missing(scan, number);
    return scan->err;
}

void batch_place(struct scan *scan, const struct video_place *place, const char *path,
                 const struct file_stamp *stamp)
{
    struct catalog *catalog = scan->library->catalog;
    bool same_path = strcmp(place->path, path) == 0;
    enum outcome outcome = same_path ? OUTCOME_UPDATED : OUTCOME_MOVED;
    struct video video = {0};
    if (!batch_open(scan))
        return;
    enum rl_err err = catalog_video_place(catalog, place->number, path, stamp, scan->job->number,
                                          outcome, &video);
    if (err == RL_EEXIST && !(err = displace(scan, path)))
        err = catalog_video_place(catalog, place->number, path, stamp, scan->job->number, outcome,
                                  &video);
    if (scan->err)
        return;
    struct batch_entry *entry = batch_written(scan, err) ? batch_entry(scan, path) : NULL;
    if (entry) {
        entry->outcome = outcome;
        memcpy(entry->video_id, video.id, sizeof entry->video_id);
        entry->event = place_event(scan, place, outcome, &video);
        take_back(scan, place, entry);
        if (!number_set_add(&scan->plan.moved, (uint64_t)place->number))
            scan->err = RL_ENOMEM;
        scan->batch.moves++;
    }
    video_clear(&video);
}

void batch_plan(struct scan *scan, enum outcome outcome, const char *path, const char *from)
{
    if (batch_open(scan))
        batch_written(scan, catalog_job_plan_add(scan->library->catalog, scan->job->number, outcome,
                                                 path, from));
}
