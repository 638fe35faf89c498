#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_ROOM "library"
#include "outbox.h"
#include "room.h"
#include "roots.h"
#include "scan.h"
#include "store.h"
#include "thumbnails.h"
#include "turns.h"
#include "watch.h"

enum {
    SAY_MS = 100,      /* counters of unchanged files are said at most this often */
    VERSION_MS = 1000, /* how long to wait for a worker to say its version: see scan_start */
    START_AGAIN_MS = 3000,
};

/* How long a walk may keep commands and workers waiting: less while workers are busy. */
static const int64_t slice_ns = 5000000, slice_busy_ns = 1000000;

static bool scan_begun(const void *work)
{
    const struct scan *scan = work;
    return scan->begun;
}

static void scan_free(struct scan *scan)
{
    if (!scan)
        return;
    work_gone(scan->library, scan->entry);
    walk_free(scan->walk);
    known_free(scan->known);
    known_free(scan->again);
    missing_free(&scan->missing);
    candidates_free(&scan->candidates);
    candidates_free(&scan->late);
    scan_round_free(&scan->round);
    number_set_free(&scan->displaced);
    plan_free(&scan->plan);
    buf_free(&scan->old_folder.path);
    settle_free(&scan->settle);
    undecided_free(&scan->undecided);
    free(scan->held);
    if (scan->directory_fd >= 0)
        close(scan->directory_fd);
    beneath_close(&scan->root);
    buf_free(&scan->path);
    batch_free(&scan->batch);
    free(scan->folder);
    free(scan->single);
    free(scan);
}

/* Opens the folder of the job, or the one that its file lies in. 0, or an errno. */
static int open_folder(struct scan *scan)
{
    scan->folder = strdup(scan->job->path);
    if (!scan->folder)
        return ENOMEM;
    if (scan->entry->watched)
        return 0; /* it is opened anew for each round */
    int error = beneath_open_root(&scan->root, scan->folder);
    if (error == ENOTDIR) {
        const char *name = path_name(scan->job->path);
        scan->single = strdup(name);
        size_t above = (size_t)(name - scan->job->path);
        scan->folder[above > 1 ? above - 1 : above] = '\0';
        error = scan->single ? beneath_open_root(&scan->root, scan->folder) : ENOMEM;
    }
    if (error)
        return error;
    const struct library_config *config = &scan->library->config;
    scan->root.follow = config->follow_symlinks;
    scan->root.roots = config->roots;
    struct walk_options options = {.path = scan->folder,
                                   .single = scan->single,
                                   .recursive = scan->job->recursive,
                                   .extensions = config->extensions,
                                   .top = roots_top(config->roots, scan->folder),
                                   .keep = config->keep,
                                   .entered = watch_entered,
                                   .ctx = scan->library};
    return walk_new(&scan->root, &options, &scan->walk) ? EIO : 0;
}

static struct scan *scan_new(struct library *library, struct job_entry *entry)
{
    struct scan *scan = calloc(1, sizeof *scan);
    if (!scan)
        return NULL;
    scan->library = library;
    scan->entry = entry;
    scan->job = &entry->job;
    scan->root.fd = scan->directory_fd = -1;
    int64_t now = clock_mono_ms();
    scan->deadline_ms = scan->job->timeout_ms > 0 ? now + scan->job->timeout_ms : INT64_MAX;
    /* Remembered failures are compared with the workers' version, which they tell when they have
     * started: right after the daemon's own start the walk waits for that, but not for ever. */
    if (!library->pool_now.version[0])
        scan->walk_after_ms = now + VERSION_MS;
    return scan;
}

static void scan_start(struct library *library, struct job_entry *entry)
{
    struct job *job = &entry->job;
    struct scan *scan = scan_new(library, entry);
    struct job started = *job;
    started.status = JOB_RUNNING;
    started.phase = PHASE_COUNTING;
    if (!started.started_at_ms)
        started.started_at_ms = clock_wall_ms();
    int64_t sequence;
    if (!scan) {
        library->jobs.retry_at_ms = clock_mono_ms() + START_AGAIN_MS;
        return;
    }
    if (store_job(library, &started, entry->resumed, &sequence)) {
        free(scan);
        jobs_finish(library, entry, JOB_FAILED, library->why);
        return;
    }
    work_began(library, entry, scan);
    *job = started;
    turns_changed(library, entry);
    struct event_source source = outbox_source(library, sequence, job->correlation_id);
    outbox_event(library, event_job_started(&source, job));

    int error = open_folder(scan);
    if (error) {
        char words[JOB_ERROR_SIZE], reason[128];
        missing_root_gone(scan);
        snprintf(words, sizeof words, "the folder or file is gone or cannot be read: %s",
                 strerror_r(error, reason, sizeof reason));
        scan_end(scan, JOB_FAILED, words);
    }
}

/* Thread: job; called by pool_cancel. */
static void drop_task(void *ctx, void *tag)
{
    struct scan *scan = ctx;
    scan->in_flight--;
    scan_file_landed(tag);
    free(tag);
}

void scan_end(struct scan *scan, enum job_status status, const char *words)
{
    struct library *library = scan->library;
    struct job_entry *entry = scan->entry;
    enum rl_err err = scan->err;
    pool_cancel(library->pool, (uint64_t)scan->job->number, drop_task, scan);
    undecided_finish(scan);
    batch_commit(scan);
    if (err || scan->err) {
        batch_drop(scan);
        status = JOB_FAILED;
        words = err == RL_ENOMEM ? "out of memory" : library->why;
    }
    if (status == JOB_COMPLETE) {
        scan->job->total_known = true;
        if (scan->job->processed != scan->job->total)
            log_error("job %s: %lld of %lld files have an outcome", scan->job->id,
                      (long long)scan->job->processed, (long long)scan->job->total);
    }
    scan_free(scan);
    jobs_finish(library, entry, status, words);
}

static bool scan_put_down(void *work)
{
    struct scan *scan = work;
    struct library *library = scan->library;
    pool_cancel(library->pool, (uint64_t)scan->job->number, drop_task, scan);
    batch_commit(scan);
    if (scan->err) {
        scan_end(scan, JOB_FAILED, library->why);
        return false;
    }
    scan_free(scan);
    return true;
}

/* Takes what was counted without a commit into what others may ask for. */
static void count_unchanged(struct scan *scan)
{
    struct snapshot *snapshot = &scan->library->snapshot;
    snapshot_update(snapshot, scan->job);
    for (int outcome = 0; outcome < OUTCOMES; outcome++) {
        if (scan->unchanged[outcome])
            snapshot_counted(snapshot, (enum outcome)outcome, FAILURE_NONE,
                             scan->unchanged[outcome]);
        scan->unchanged[outcome] = 0;
    }
}

void scan_say_counters(struct scan *scan, int64_t now_ms)
{
    if (!scan->unsaid || now_ms < scan->said_ms + SAY_MS)
        return;
    count_unchanged(scan);
    jobs_say(scan->library, scan->job);
    scan->unsaid = false;
    scan->said_ms = now_ms;
}

/* Whether something is under way that will come to an outcome by itself. */
static bool working(const struct scan *scan)
{
    return scan->walk || scan->candidates.count || scan->held || scan->in_flight ||
           scan_round_more(scan);
}

/* Whether there is nothing to do until more changes. */
static bool at_rest(const struct scan *scan)
{
    return scan->entry->watched && scan->round.places.count == 0;
}

static void end_by_time(struct scan *scan)
{
    char words[JOB_ERROR_SIZE];
    snprintf(words, sizeof words,
             "the time limit of %g s for the job was reached; what was done until then is kept",
             (double)scan->job->timeout_ms / 1000);
    scan_end(scan, JOB_TIMEOUT, words);
}

static void end_well(struct scan *scan)
{
    char words[JOB_ERROR_SIZE];
    memcpy(words, scan->missing.words, sizeof words);
    scan_end(scan, JOB_COMPLETE, words);
}

static void scan_step(void *work)
{
    struct scan *scan = work;
    int64_t now = clock_mono_ms();
    if (now >= scan->deadline_ms) {
        end_by_time(scan);
        return;
    }
    if (scan->entry->watched && !scan_round_step(scan))
        return;
    scan_feed(scan);
    if (scan_walk_ready(scan, now)) {
        scan_walk(scan, scan->in_flight ? slice_busy_ns : slice_ns);
        scan_feed(scan); /* so that no worker waits for the commit below */
        count_unchanged(scan);
    }
    bool known = !working(scan) && scan->settle.count == 0 && !at_rest(scan);
    if (known || scan->undecided.full)
        undecided_step(scan);
    bool decided = known && scan->undecided.count == 0 && scan->settle.count == 0;
    if (decided && !scan->err)
        missing_step(scan);
    if (scan->batch.open &&
        (batch_full(&scan->batch) || clock_mono_ms() >= scan->batch.due_ms || !working(scan)))
        batch_commit(scan);
    scan_say_counters(scan, clock_mono_ms());
    if (scan->err)
        scan_end(scan, JOB_FAILED, scan->library->why);
    else if (decided && missing_over(scan) && scan->entry->watched)
        scan_round_over(scan);
    else if (decided && missing_over(scan))
        end_well(scan);
}

static int64_t scan_say_due(const void *work)
{
    const struct scan *scan = work;
    return scan->unsaid ? scan->said_ms + SAY_MS : INT64_MAX;
}

static int64_t scan_due(const void *work)
{
    const struct scan *scan = work;
    int64_t now = clock_mono_ms();
    if (scan->err || scan->undecided.full || scan_walk_ready(scan, now) ||
        scan_feed_ready(scan, now) || (!working(scan) && scan->settle.count == 0 && !at_rest(scan)))
        return now;
    int64_t due = scan->deadline_ms;
    if (at_rest(scan)) {
        int64_t round = scan_round_due(scan);
        due = round < due ? round : due;
    } else if (scan_round_more(scan) && !scan->walk) {
        due = scan->walk_after_ms < due ? scan->walk_after_ms : due;
    }
    if (scan->walk && scan->walk_after_ms > now && scan->walk_after_ms < due)
        due = scan->walk_after_ms;
    if (scan->batch.open && scan->batch.due_ms < due)
        due = scan->batch.due_ms;
    if (scan->held && scan->held_until_ms > now && scan->held_until_ms < due)
        due = scan->held_until_ms;
    int64_t say = scan_say_due(scan);
    due = say < due ? say : due;
    int64_t settle = settle_due(&scan->settle);
    if (settle > now && settle < due)
        due = settle;
    return due;
}

static void scan_take_up(struct job *job)
{
    job->total_known = false;
    job->processed = job->total = 0;
    job->added = job->updated = job->moved = job->skipped = job->error_count = 0;
    /* What it hid is hidden: no walk comes by it again. */
    if (job->dry_run)
        job->missing = 0;
}

static void scan_end_work(void *work, enum job_status status, const char *words)
{
    scan_end(work, status, words);
}

const struct work_kind scan_kind = {
    .rank = JOB_RANK_LINE,
    .take_up = scan_take_up,
    .start = scan_start,
    .begun = scan_begun,
    .step = scan_step,
    .due = scan_due,
    .park = scan_park,
    .go_on = scan_go_on,
    .tend = scan_tend,
    .tend_due = scan_say_due,
    .end = scan_end_work,
    .put_down = scan_put_down,
    .ended = thumbnails_after,
};
