#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOG_ROOM "library"
#include "jobs.h"
#include "outbox.h"
#include "reach.h"
#include "store.h"
#include "turns.h"
#include "watch.h"

/* Pending jobs beyond this are refused: each costs memory, and nobody waits for so many. */
enum { JOBS_MAX = 10000, WRITE_AGAIN_MS = 3000 };

static enum rl_err entry_add(struct library *library, struct job_entry *entry)
{
    struct job_queue *jobs = &library->jobs;
    if (jobs->count == jobs->cap) {
        size_t cap = jobs->cap ? jobs->cap * 2 : 8;
        struct job_entry **entries = realloc(jobs->entries, cap * sizeof(struct job_entry *));
        if (!entries)
            return RL_ENOMEM;
        jobs->entries = entries;
        jobs->cap = cap;
    }
    enum rl_err err = snapshot_add(&library->snapshot, &entry->job);
    if (!err)
        jobs->entries[jobs->count++] = entry;
    return err;
}

static void entry_remove(struct library *library, struct job_entry *entry)
{
    struct job_queue *jobs = &library->jobs;
    size_t at = 0;
    while (at < jobs->count && jobs->entries[at] != entry)
        at++;
    if (at < jobs->count) {
        jobs->count--;
        memmove(&jobs->entries[at], &jobs->entries[at + 1],
                (jobs->count - at) * sizeof(struct job_entry *));
    }
    snapshot_remove(&library->snapshot, entry->job.id);
    job_clear(&entry->job);
    free(entry);
}

void jobs_take_up(struct job_entry *entry)
{
    struct job *job = &entry->job;
    if (job->status != JOB_RUNNING && job->started_at_ms == 0)
        return;
    watch_job_over(entry); /* all of its root, then */
    /* Whatever its counters do, what was said of its progress holds. */
    double progress = job_progress(job);
    if (progress > job->progress_floor)
        job->progress_floor = progress;
    entry->resumed = true;
    job->trigger = TRIGGER_RESUME;
    job->status = JOB_PENDING;
    job->phase = PHASE_QUEUED;
    entry->kind->take_up(job);
}

enum rl_err jobs_load(struct library *library)
{
    struct job_list list = {0};
    enum rl_err err = catalog_jobs_unfinished(library->catalog, &list);
    for (size_t i = 0; !err && i < list.count; i++) {
        struct job_entry *entry = calloc(1, sizeof *entry);
        if (!entry) {
            err = RL_ENOMEM;
            break;
        }
        entry->job = list.jobs[i];
        list.jobs[i] = (struct job){0};
        entry->kind = work_kind_of(entry->job.type);
        entry->rank = entry->kind->rank;
        jobs_take_up(entry);
        entry->job.rank = entry->job.paused ? JOB_RANK_NONE : entry->rank;
        err = entry_add(library, entry);
        if (err) {
            job_clear(&entry->job);
            free(entry);
        }
    }
    if (!err && list.count)
        log_info("%zu unfinished jobs are taken up again", list.count);
    job_list_clear(&list);
    return err;
}

void jobs_free(struct library *library)
{
    for (size_t i = 0; i < library->jobs.count; i++) {
        job_clear(&library->jobs.entries[i]->job);
        free(library->jobs.entries[i]);
    }
    free(library->jobs.entries);
    library->jobs = (struct job_queue){0};
}

/* A job that has not looked at anything yet and will do all that `command` asks for. */
static struct job_entry *find_same(struct library *library, const struct command *command,
                                   int64_t timeout_ms)
{
    for (size_t i = 0; i < library->jobs.count; i++) {
        struct job_entry *entry = library->jobs.entries[i];
        const struct job *job = &entry->job;
        bool untouched = job->status == JOB_PENDING || (job->status == JOB_RUNNING && entry->work &&
                                                        !entry->kind->begun(entry->work));
        if (!untouched || job->paused || entry->watched || job->type != JOB_TYPE_SCAN ||
            job->retry_failed != command->retry_failed || job->dry_run != command->dry_run ||
            job->timeout_ms != timeout_ms)
            continue;
        if (strcmp(job->path, command->path) == 0 && job->recursive == command->recursive)
            return entry;
        if (job->recursive && reach_sure(library, job->path, command->path))
            return entry;
    }
    return NULL;
}

static bool is_file(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) == 0 && S_ISREG(stat.st_mode);
}

static struct job_entry *entry_new(const struct command *command, int64_t timeout_ms)
{
    struct job_entry *entry = calloc(1, sizeof *entry);
    char *path = strdup(command->path);
    if (!entry || !path) {
        free(entry);
        free(path);
        return NULL;
    }
    struct job *job = &entry->job;
    id_new(job->id);
    job->type = JOB_TYPE_SCAN;
    job->trigger = TRIGGER_API;
    job->path = path;
    job->recursive = command->recursive;
    job->retry_failed = command->retry_failed;
    job->dry_run = command->dry_run;
    job->timeout_ms = timeout_ms;
    job->submitted_at_ms = clock_wall_ms();
    entry->kind = work_kind_of(job->type);
    entry->rank = entry->kind->rank;
    entry->small = !job->recursive || is_file(path);
    snprintf(job->correlation_id, sizeof job->correlation_id, "%s", command->correlation_id);
    return entry;
}

static enum rl_err insert(struct library *library, struct job_entry *entry, int64_t *sequence)
{
    enum rl_err err = store_begin(library);
    if (err)
        return err;
    *sequence = catalog_next_sequence(library->catalog);
    err = store_check(library, catalog_job_insert(library->catalog, &entry->job));
    return err ? err : store_commit(library, 1);
}

enum rl_err jobs_add(struct library *library, struct job_entry *entry)
{
    store_flush(library);
    int64_t sequence;
    enum rl_err err = insert(library, entry, &sequence);
    /* Where it cannot be added its row is there: the next start takes it up. */
    if (!err)
        err = entry_add(library, entry);
    if (err) {
        job_clear(&entry->job);
        free(entry);
        return err;
    }
    turns_ask(library, entry);
    struct job said = entry->job;
    said.place = snapshot_place(&library->snapshot, said.id);
    struct event_source source = outbox_source(library, sequence, said.correlation_id);
    outbox_event(library, event_job(&source, &said));
    return RL_OK;
}

void jobs_submit(struct library *library, const struct command *command)
{
    int64_t timeout_ms =
        command->timeout_ms < 0 ? library->config.job_timeout_ms : command->timeout_ms;
    struct job_entry *entry = find_same(library, command, timeout_ms);
    if (entry) {
        turns_ask(library, entry);
        outbox_reply(library, command->ticket, RL_OK, entry->job.id, NULL);
        return;
    }
    if (library->jobs.count >= JOBS_MAX) {
        outbox_reply(library, command->ticket, RL_EBUSY, NULL, "too many jobs are waiting");
        return;
    }
    entry = entry_new(command, timeout_ms);
    if (!entry) {
        outbox_reply(library, command->ticket, RL_ENOMEM, NULL, NULL);
        return;
    }
    char id[ID_TEXT_SIZE];
    memcpy(id, entry->job.id, sizeof id);
    enum rl_err err = jobs_add(library, entry);
    outbox_reply(library, command->ticket, err, err ? NULL : id,
                 err == RL_ENOMEM ? NULL : library->why);
}

enum rl_err jobs_start(struct library *library, const char *path, enum job_trigger trigger,
                       struct watch_root *watched, struct job_entry **out)
{
    size_t len = strlen(path) + 1;
    struct command *command = calloc(1, sizeof *command + len);
    if (!command)
        return RL_ENOMEM;
    command->recursive = true;
    memcpy(command->path, path, len);
    *out = watched ? NULL : find_same(library, command, 0);
    struct job_entry *entry = *out ? NULL : entry_new(command, 0);
    free(command);
    if (*out)
        return RL_OK;
    if (!entry)
        return RL_ENOMEM;
    entry->job.trigger = trigger;
    entry->watched = watched;
    entry->small |= watched != NULL;
    enum rl_err err = jobs_add(library, entry);
    if (!err)
        *out = entry;
    return err;
}

void jobs_say(struct library *library, const struct job *job)
{
    struct event_source source = outbox_source(library, 0, job->correlation_id);
    outbox_event(library,
                 event_job_progress(&source, job, NULL, OUTCOME_NONE, NULL, FAILURE_NONE, NULL));
}

/* Whether the catalogue knows the job `id`, as one that is over. */
static enum rl_err finished(struct library *library, const char *id)
{
    struct job job = {0};
    enum rl_err err = catalog_job_get(library->catalog, id, &job);
    if (!err)
        err = RL_ECONFLICT;
    job_clear(&job);
    return err;
}

struct job_entry *jobs_find(const struct library *library, const char *id)
{
    for (size_t i = 0; i < library->jobs.count; i++) {
        if (strcmp(library->jobs.entries[i]->job.id, id) == 0)
            return library->jobs.entries[i];
    }
    return NULL;
}

struct job_entry *jobs_asked_for(struct library *library, const struct command *command)
{
    struct job_entry *entry = jobs_find(library, command->id);
    if (entry && !entry->unwritten)
        return entry;
    enum rl_err err = entry ? RL_ECONFLICT : finished(library, command->id);
    outbox_reply(library, command->ticket, err, command->id,
                 err == RL_ECONFLICT ? "the job is over already" : NULL);
    return NULL;
}

void jobs_cancel_entry(struct library *library, struct job_entry *entry)
{
    if (entry != library->running)
        store_flush(library);
    if (entry->work)
        entry->kind->end(entry->work, JOB_CANCELLED, NULL);
    else
        jobs_finish(library, entry, JOB_CANCELLED, NULL);
}

void jobs_cancel(struct library *library, const struct command *command)
{
    struct job_entry *entry = jobs_asked_for(library, command);
    if (!entry)
        return;
    jobs_cancel_entry(library, entry);
    outbox_reply(library, command->ticket, RL_OK, command->id, NULL);
}

/* What the catalogue has on the job's failures, and on what it would have done, for its result. */
static void read_failures(struct library *library, struct job *job)
{
    struct job row = {0};
    if (job->dry_run && !catalog_job_get(library->catalog, job->id, &row)) {
        job->plan = row.plan;
        job->n_plan = row.n_plan;
        row.plan = NULL;
        row.n_plan = 0;
    }
    job_clear(&row);
    catalog_job_failures(library->catalog, job->number, 0, JOB_RESULT_ERRORS_MAX, &job->failures,
                         &job->n_failures);
}

/* Says that it is over, with what was read, which is not needed any more after that. */
static void tell_end(struct library *library, struct job *job, int64_t sequence)
{
    struct event_source source = outbox_source(library, sequence, job->correlation_id);
    outbox_event(library, event_job(&source, job));
    job_failures_free(job->failures, job->n_failures);
    job_plan_free(job->plan, job->n_plan);
    job->failures = NULL;
    job->plan = NULL;
    job->n_failures = job->n_plan = 0;
}

void jobs_finish(struct library *library, struct job_entry *entry, enum job_status status,
                 const char *words)
{
    struct job *job = &entry->job;
    job->status = status;
    job->phase = PHASE_FINISHED;
    job->paused = false;
    job->rank = JOB_RANK_NONE;
    watch_job_over(entry);
    job->finished_at_ms = clock_wall_ms();
    snprintf(job->error, sizeof job->error, "%s", words ? words : "");
    snapshot_finished(&library->snapshot, status);
    turns_ended(library, entry);

    int64_t sequence = 0;
    enum rl_err err = store_job(library, job, false, &sequence);
    if (err) {
        /* The status must be readable before the event says it: the snapshot answers until the
         * row can be written. */
        entry->unwritten = true;
        library->jobs.retry_at_ms = clock_mono_ms() + WRITE_AGAIN_MS;
        read_failures(library, job);
        snapshot_end(&library->snapshot, job);
        tell_end(library, job, 0);
        if (entry->kind->ended)
            entry->kind->ended(library, job);
        return;
    }
    const struct work_kind *kind = entry->kind;
    struct job over = *job;
    job->path = NULL;
    entry_remove(library, entry);
    read_failures(library, &over);
    tell_end(library, &over, sequence);
    if (kind->ended)
        kind->ended(library, &over);
    job_clear(&over);
}

/* False: some end is still unwritten. */
static bool write_ends(struct library *library)
{
    for (size_t i = 0; i < library->jobs.count;) {
        struct job_entry *entry = library->jobs.entries[i];
        if (!entry->unwritten) {
            i++;
            continue;
        }
        if (clock_mono_ms() < library->jobs.retry_at_ms)
            return false;
        if (store_job(library, &entry->job, false, NULL)) {
            library->jobs.retry_at_ms = clock_mono_ms() + WRITE_AGAIN_MS;
            return false;
        }
        entry_remove(library, entry);
    }
    return true;
}

void jobs_run(struct library *library)
{
    if (library->running)
        turns_yield(library);
    if (!library->running && write_ends(library) && clock_mono_ms() >= library->jobs.retry_at_ms)
        turns_next(library);
}

void jobs_put_back(struct library *library)
{
    store_flush(library);
    for (size_t i = 0; i < library->jobs.count;) {
        struct job_entry *entry = library->jobs.entries[i];
        if (!entry->work) {
            i++;
            continue;
        }
        if (!entry->kind->put_down(entry->work))
            continue; /* its last commit failed, and the job with it */
        double progress = job_progress(&entry->job);
        if (progress > entry->job.progress_floor)
            entry->job.progress_floor = progress;
        entry->job.status = JOB_PENDING;
        entry->job.phase = PHASE_QUEUED;
        store_job(library, &entry->job, false, NULL);
    }
}

int64_t jobs_due(const struct library *library)
{
    if (library->running)
        return library->jobs.look_ms;
    for (size_t i = 0; i < library->jobs.count; i++) {
        if (library->jobs.entries[i]->unwritten)
            return library->jobs.retry_at_ms;
    }
    return turns_waiting(library) ? library->jobs.retry_at_ms : INT64_MAX;
}
