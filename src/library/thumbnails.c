#include <stdlib.h>

#define LOG_ROOM "library"
#include "outbox.h"
#include "pictures.h"
#include "store.h"
#include "thumbnails_work.h"
#include "turns.h"

enum {
    SAY_MS = 100,      /* counters alone are said at most this often */
    VERSION_MS = 1000, /* how long to wait for a worker to say its version */
};

struct job *thumbnails_job(struct thumbnails *work)
{
    return work->job;
}

void thumbnails_failed(struct thumbnails *work, enum rl_err err)
{
    work->err = err;
}

void thumbnails_committed(struct thumbnails *work, bool unsaid)
{
    work->unsaid = unsaid;
    if (!unsaid)
        work->said_ms = clock_mono_ms();
}

/* How many there are altogether. */
static void count_total(struct thumbnails *work)
{
    struct library *library = work->library;
    struct job *job = work->job;
    int64_t due = 0;
    double progress = job_progress(job);
    if (job->total_known && progress > job->progress_floor)
        job->progress_floor = progress;
    if (catalog_pictures_count(library->catalog, library->pool_now.version, &due))
        return;
    due -= (int64_t)work->passed.count;
    job->total = job->processed + (due > 0 ? due : 0);
    job->total_known = true;
}

static void free_work(struct thumbnails *work)
{
    work_gone(work->library, work->entry);
    picture_subjects_clear(&work->page);
    number_set_free(&work->passed);
    free(work);
}

/* What of it is with the workers is given up, what was made is committed. */
static void settle(struct thumbnails *work)
{
    thumbnails_give_up(work);
    pictures_commit(work->library);
}

static void end(void *arg, enum job_status status, const char *words)
{
    struct thumbnails *work = arg;
    struct library *library = work->library;
    struct job_entry *entry = work->entry;
    enum rl_err err = work->err;
    settle(work);
    if (err || work->err) {
        status = JOB_FAILED;
        words = err == RL_ENOMEM ? "out of memory" : library->why;
    }
    if (status == JOB_COMPLETE)
        work->job->total = work->job->processed;
    free_work(work);
    jobs_finish(library, entry, status, words);
}

static bool put_down(void *arg)
{
    struct thumbnails *work = arg;
    settle(work);
    if (work->err) {
        end(work, JOB_FAILED, NULL);
        return false;
    }
    work->job->error[0] = '\0';
    free_work(work);
    return true;
}

static void start(struct library *library, struct job_entry *entry)
{
    struct job started = entry->job;
    started.status = JOB_RUNNING;
    started.phase = PHASE_PROBING;
    started.error[0] = '\0';
    if (!started.started_at_ms)
        started.started_at_ms = clock_wall_ms();
    if (!library->config.thumbnails) {
        jobs_finish(library, entry, JOB_CANCELLED, "pictures are not made in the background");
        return;
    }
    struct thumbnails *work = calloc(1, sizeof *work);
    if (!work) {
        library->jobs.retry_at_ms = clock_mono_ms() + THUMBNAILS_AGAIN_MS;
        return;
    }
    int64_t sequence;
    if (store_job(library, &started, false, &sequence)) {
        free(work);
        jobs_finish(library, entry, JOB_FAILED, library->why);
        return;
    }
    *work = (struct thumbnails){.library = library, .entry = entry, .job = &entry->job};
    /* Failures are compared with the workers' version, which they tell when they have started. */
    if (!library->pool_now.version[0])
        work->wait_ms = clock_mono_ms() + VERSION_MS;
    work_began(library, entry, work);
    entry->job = started;
    count_total(work);
    turns_changed(library, entry);
    struct event_source source = outbox_source(library, sequence, started.correlation_id);
    outbox_event(library, event_job_started(&source, &entry->job));
}

static bool begun(const void *arg)
{
    const struct thumbnails *work = arg;
    return work->begun;
}

static bool over(const struct thumbnails *work)
{
    return work->stage == STAGE_DONE && !work->again && work->in_flight == 0 &&
           !pictures_noted(work->library);
}

static void say_counters(struct thumbnails *work)
{
    int64_t now = clock_mono_ms();
    if (!work->unsaid || now < work->said_ms + SAY_MS)
        return;
    jobs_say(work->library, work->job);
    work->unsaid = false;
    work->said_ms = now;
}

static void step(void *arg)
{
    struct thumbnails *work = arg;
    thumbnails_feed(work);
    /* Nothing more comes that the group could wait for. */
    if (pictures_full(work->library) || (work->stage == STAGE_DONE && work->in_flight == 0))
        pictures_commit(work->library);
    say_counters(work);
    if (work->err)
        end(work, JOB_FAILED, NULL);
    else if (over(work))
        end(work, JOB_COMPLETE, NULL);
}

static int64_t tend_due(const void *arg)
{
    const struct thumbnails *work = arg;
    return work->err ? 0 : work->unsaid ? work->said_ms + SAY_MS : INT64_MAX;
}

static int64_t due(const void *arg)
{
    const struct thumbnails *work = arg;
    int64_t now = clock_mono_ms(), say = tend_due(work);
    if (work->err || thumbnails_feed_ready(work, now) ||
        (work->stage == STAGE_DONE && !work->again && work->in_flight == 0))
        return now;
    return work->wait_ms > now && work->wait_ms < say ? work->wait_ms : say;
}

static bool park(void *arg)
{
    struct thumbnails *work = arg;
    pictures_commit(work->library);
    if (work->err) {
        end(work, JOB_FAILED, NULL);
        return false;
    }
    work->library->running = NULL;
    return true;
}

/* Scans may have left more to do, before and behind the place where it was. */
static void go_on(void *arg)
{
    struct thumbnails *work = arg;
    work->again = true;
    count_total(work);
    work->unsaid = true;
    work->library->running = work->entry;
    turns_changed(work->library, work->entry);
}

static bool tend(void *arg)
{
    struct thumbnails *work = arg;
    if (work->err) {
        end(work, JOB_FAILED, NULL);
        return false;
    }
    say_counters(work);
    return true;
}

/* Its counters were written together with what they count. */
static void take_up(struct job *job)
{
    (void)job;
}

const struct work_kind thumbnails_kind = {
    .rank = JOB_RANK_LAST,
    .take_up = take_up,
    .start = start,
    .begun = begun,
    .step = step,
    .due = due,
    .park = park,
    .go_on = go_on,
    .tend = tend,
    .tend_due = tend_due,
    .end = end,
    .put_down = put_down,
};
