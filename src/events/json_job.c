#include <stdio.h>
#include <string.h>

#include "json.h"

enum { RESULT_LIST_BYTES = 256 * 1024 };

double job_progress(const struct job *job)
{
    if (job->status == JOB_COMPLETE)
        return 1.0;
    double progress = -1;
    if (job->total_known)
        progress = job->total > 0 ? (double)job->processed / (double)job->total : 1.0;
    if (progress > 1.0)
        progress = 1.0;
    return progress >= 0 && progress < job->progress_floor ? job->progress_floor : progress;
}

void json_progress_text(double progress, char out[16])
{
    /* Cut, not rounded: 1.0 is said when the job is complete and not before. */
    int parts = (int)(progress * 10000);
    snprintf(out, 16, "%d.%04d", parts / 10000, parts % 10000);
}

static struct json_object *json_progress(const struct job *job)
{
    double progress = job_progress(job);
    if (progress < 0)
        return NULL;
    char text[16];
    json_progress_text(progress, text);
    return json_object_new_double_s(progress, text);
}

static struct json_object *json_counts(const struct job *job)
{
    bool failed = false;
    struct json_object *counts = json_object_new_object();
    json_add_int(counts, "new", job->added, &failed);
    json_add_int(counts, "updated", job->updated, &failed);
    json_add_int(counts, "moved", job->moved, &failed);
    json_add_int(counts, "skipped", job->skipped, &failed);
    json_add_int(counts, "missing", job->missing, &failed);
    json_add_int(counts, "failed", job->error_count, &failed);
    if (failed) {
        json_object_put(counts);
        return NULL;
    }
    return counts;
}

struct json_object *json_job_failure(const struct job_failure *failure)
{
    bool failed = false;
    struct json_object *object = json_object_new_object();
    json_add_path_checked(object, "path", failure->path, &failed);
    json_add_text(object, "code", failure_word(failure->code), &failed);
    json_add_text(object, "error", failure->error, &failed);
    if (failed) {
        json_object_put(object);
        return NULL;
    }
    return object;
}

/* A list of jobs is read without their failures: that is said as null, never as an empty list. */
static struct json_object *job_errors(const struct job *job, bool *failed)
{
    if (job->error_count > 0 && !job->failures)
        return NULL;
    struct json_object *errors = json_object_new_array();
    size_t bytes = 0;
    for (size_t i = 0; errors && i < job->n_failures && i < JOB_RESULT_ERRORS_MAX; i++) {
        const struct job_failure *failure = &job->failures[i];
        bytes += strlen(failure->path) + strlen(failure->error) + 64;
        if (bytes > RESULT_LIST_BYTES)
            break;
        struct json_object *object = json_job_failure(failure);
        if (!object || json_object_array_add(errors, object) != 0) {
            json_object_put(object);
            *failed = true;
            break;
        }
    }
    *failed |= !errors;
    return errors;
}

static struct json_object *plan_line(const struct job_plan_line *line, bool *failed)
{
    struct json_object *object = json_object_new_object();
    const char *outcome = line->outcome == OUTCOME_NONE ? "missing" : outcome_word(line->outcome);
    json_add_text(object, "outcome", outcome, failed);
    json_add_path_checked(object, "path", line->path, failed);
    if (line->from)
        json_add_path_checked(object, "from", line->from, failed);
    return object;
}

/* null where it was not read, as with job_errors. */
static struct json_object *job_plan(const struct job *job, bool *failed)
{
    if (job->added + job->updated + job->moved + job->missing > 0 && !job->plan)
        return NULL;
    struct json_object *plan = json_object_new_array();
    size_t bytes = 0;
    for (size_t i = 0; plan && i < job->n_plan && i < JOB_RESULT_ERRORS_MAX; i++) {
        const struct job_plan_line *line = &job->plan[i];
        bytes += strlen(line->path) + (line->from ? strlen(line->from) : 0) + 64;
        if (bytes > RESULT_LIST_BYTES)
            break;
        struct json_object *object = plan_line(line, failed);
        if (!object || json_object_array_add(plan, object) != 0) {
            json_object_put(object);
            *failed = true;
            break;
        }
    }
    *failed |= !plan;
    return plan;
}

static struct json_object *job_refused(const struct job_refusal *refusal, bool *failed)
{
    if (refusal->root == 0)
        return NULL;
    struct json_object *object = json_object_new_object();
    json_add_int(object, "root", refusal->root, failed);
    json_add_text(object, "reason", refusal->reason, failed);
    json_add_int(object, "count", refusal->count, failed);
    json_add_text(object, "token", refusal->token, failed);
    return object;
}

static struct json_object *job_result(const struct job *job, bool *failed)
{
    struct json_object *result = json_object_new_object();
    int64_t scanned = job->added + job->updated + job->moved + job->skipped + job->error_count;
    int64_t started = job->started_at_ms ? job->started_at_ms : job->finished_at_ms;
    json_add_int(result, "scanned", scanned, failed);
    json_add_int(result, "new", job->added, failed);
    json_add_int(result, "updated", job->updated, failed);
    json_add_int(result, "moved", job->moved, failed);
    json_add_int(result, "skipped", job->skipped, failed);
    json_add_int(result, "missing", job->missing, failed);
    json_add(result, "errors", job_errors(job, failed), failed);
    json_add_int(result, "error_count", job->error_count, failed);
    json_add(result, "refused", job_refused(&job->refusal, failed), failed);
    if (job->dry_run)
        json_add(result, "plan", job_plan(job, failed), failed);
    int64_t duration = job->finished_at_ms - started;
    json_add_int(result, "duration_ms", duration > 0 ? duration : 0, failed);
    return result;
}

struct json_object *json_job(const struct job *job)
{
    bool failed = false;
    struct json_object *object = json_object_new_object();
    json_add_text(object, "job_id", job->id, &failed);
    json_add_text(object, "type", job_type_word(job->type), &failed);
    json_add_text(object, "status", job_status_word(job->status), &failed);
    json_add_text(object, "phase", job_phase_word(job->phase), &failed);
    json_add_path_checked(object, "path", job->path ? job->path : "", &failed);
    json_add(object, "recursive", json_object_new_boolean(job->recursive), &failed);
    json_add(object, "dry_run", json_object_new_boolean(job->dry_run), &failed);
    json_add_text(object, "trigger", job_trigger_word(job->trigger), &failed);
    json_add(object, "paused", json_object_new_boolean(job->paused), &failed);
    json_add(object, "queue_position", job->place ? json_object_new_int64(job->place - 1) : NULL,
             &failed);
    json_add(object, "progress", json_progress(job), &failed);
    json_add_int(object, "processed", job->processed, &failed);
    json_add_int(object, "total", job->total, &failed);
    json_add(object, "counts", json_counts(job), &failed);
    json_add(object, "result", job_status_terminal(job->status) ? job_result(job, &failed) : NULL,
             &failed);
    json_add_text(object, "error", job->error, &failed);
    json_add(object, "submitted_at", json_time(job->submitted_at_ms), &failed);
    json_add(object, "started_at", json_time(job->started_at_ms), &failed);
    json_add(object, "finished_at", json_time(job->finished_at_ms), &failed);
    if (failed) {
        json_object_put(object);
        return NULL;
    }
    return object;
}
