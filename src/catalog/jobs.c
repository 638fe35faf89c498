#include <stdlib.h>
#include <string.h>

#include "private.h"

#define JOB_COLUMNS                                                                                \
    "id, type, status, phase, trigger, path, recursive, retry_failed, paused, total_known, "       \
    "timeout_ms, processed, total, added, updated, moved, skipped, missing, error_count, "         \
    "submitted_at, started_at, finished_at, error, correlation_id, progress_floor, dry_run, "      \
    "refused_root, refused_count, refused_reason, refused_token"

enum { JOBS_LIMIT_MAX = 1000, JOBS_UNFINISHED_MAX = 100000 };

static void bind_job(struct binder *binder, const struct job *job)
{
    bind_id(binder, job->id);
    bind_text(binder, words_type(job->type));
    bind_text(binder, words_status(job->status));
    bind_text(binder, words_phase(job->phase));
    bind_text(binder, words_trigger(job->trigger));
    bind_bytes(binder, job->path, strlen(job->path));
    bind_int(binder, job->recursive);
    bind_int(binder, job->retry_failed);
    bind_int(binder, job->paused);
    bind_int(binder, job->total_known);
    bind_int(binder, job->timeout_ms);
    bind_int(binder, job->processed);
    bind_int(binder, job->total);
    bind_int(binder, job->added);
    bind_int(binder, job->updated);
    bind_int(binder, job->moved);
    bind_int(binder, job->skipped);
    bind_int(binder, job->missing);
    bind_int(binder, job->error_count);
    bind_int(binder, job->submitted_at_ms);
    bind_int(binder, job->started_at_ms);
    bind_int(binder, job->finished_at_ms);
    bind_text(binder, job->error);
    bind_text(binder, job->correlation_id);
    bind_real(binder, job->progress_floor);
    bind_int(binder, job->dry_run);
    bind_int(binder, job->refusal.root);
    bind_int(binder, job->refusal.count);
    bind_text(binder, job->refusal.reason);
    bind_text(binder, job->refusal.token);
}

static enum rl_err read_job(sqlite3_stmt *statement, struct job *job)
{
    *job = (struct job){0};
    struct row row = {.statement = statement};
    job->number = row_int(&row);
    row_id(&row, job->id);
    /* Words that no longer exist: a job of a kind that nobody runs any more has ended. */
    job->type = words_parse_type(row_word(&row), JOB_TYPE_SCAN);
    job->status = words_parse_status(row_word(&row), JOB_FAILED);
    job->phase = words_parse_phase(row_word(&row), PHASE_FINISHED);
    job->trigger = words_parse_trigger(row_word(&row), TRIGGER_API);
    job->path = row_bytes(&row);
    job->recursive = row_int(&row) != 0;
    job->retry_failed = row_int(&row) != 0;
    job->paused = row_int(&row) != 0;
    job->total_known = row_int(&row) != 0;
    job->timeout_ms = row_int(&row);
    job->processed = row_int(&row);
    job->total = row_int(&row);
    job->added = row_int(&row);
    job->updated = row_int(&row);
    job->moved = row_int(&row);
    job->skipped = row_int(&row);
    job->missing = row_int(&row);
    job->error_count = row_int(&row);
    job->submitted_at_ms = row_int(&row);
    job->started_at_ms = row_int(&row);
    job->finished_at_ms = row_int(&row);
    row_text(&row, job->error, sizeof job->error);
    row_text(&row, job->correlation_id, sizeof job->correlation_id);
    job->progress_floor = row_real(&row);
    job->dry_run = row_int(&row) != 0;
    job->refusal.root = row_int(&row);
    job->refusal.count = row_int(&row);
    row_text(&row, job->refusal.reason, sizeof job->refusal.reason);
    row_text(&row, job->refusal.token, sizeof job->refusal.token);
    return row.failed ? RL_ENOMEM : RL_OK;
}

static bool job_sound(const struct job *job)
{
    return id_valid(job->id) && job->path && words_type(job->type) && words_status(job->status) &&
           words_phase(job->phase) && words_trigger(job->trigger) &&
           utf8_valid(job->error, strlen(job->error)) &&
           utf8_valid(job->correlation_id, strlen(job->correlation_id));
}

enum rl_err catalog_job_insert(struct catalog *catalog, struct job *job)
{
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    if (!job_sound(job))
        return catalog_fail(catalog, RL_EINVAL, "not a complete job");
    sqlite3_stmt *add;
    err = statement_get(catalog, ST_JOB_INSERT,
                        "INSERT INTO jobs (" JOB_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                        " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        &add);
    if (err == RL_OK) {
        struct binder binder = {.statement = add};
        bind_job(&binder, job);
        err = bind_done(catalog, &binder);
    }
    if (err == RL_OK)
        err = statement_run(catalog, add);
    if (err == RL_OK)
        job->number = sqlite3_last_insert_rowid(catalog->db);
    return catalog_leave_write(catalog, err);
}

enum rl_err catalog_job_update(struct catalog *catalog, const struct job *job)
{
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    if (!job_sound(job))
        return catalog_fail(catalog, RL_EINVAL, "not a complete job");
    sqlite3_stmt *set;
    err = statement_get(catalog, ST_JOB_UPDATE,
                        "UPDATE jobs SET (" JOB_COLUMNS ") = (?1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                        " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?1",
                        &set);
    if (err == RL_OK) {
        struct binder binder = {.statement = set};
        bind_job(&binder, job);
        err = bind_done(catalog, &binder);
    }
    if (err == RL_OK)
        err = statement_run(catalog, set);
    err = catalog_leave_write(catalog, err);
    if (err == RL_OK && sqlite3_changes(catalog->db) == 0)
        return catalog_fail(catalog, RL_ENOTFOUND, "no job has this id");
    return err;
}

/* How far back it is looked for jobs that said the same: beyond that they stay. */
#define SAME_WITHIN "1000"

enum rl_err catalog_jobs_forget_same(struct catalog *catalog, const struct job *job,
                                     int64_t before_ms)
{
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    sqlite3_stmt *forget;
    err = statement_get(
        catalog, ST_JOBS_FORGET,
        "DELETE FROM jobs WHERE number < ?1 AND number > ?1 - " SAME_WITHIN " AND status = ?2"
        " AND finished_at < ?3 AND path = ?4 AND type = ?5 AND trigger = ?6 AND error_count = ?7"
        " AND added = 0 AND updated = 0 AND moved = 0 AND missing = 0 AND dry_run = 0"
        " AND error IS NULL AND refused_root = 0"
        " AND NOT EXISTS (SELECT path, code FROM job_failures WHERE job = jobs.number"
        " EXCEPT SELECT path, code FROM job_failures WHERE job = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM failures WHERE job = jobs.number)",
        &forget);
    if (err == RL_OK) {
        struct binder binder = {.statement = forget};
        bind_int(&binder, job->number);
        bind_text(&binder, words_status(JOB_COMPLETE));
        bind_int(&binder, before_ms);
        bind_bytes(&binder, job->path, strlen(job->path));
        bind_text(&binder, words_type(job->type));
        bind_text(&binder, words_trigger(job->trigger));
        bind_int(&binder, job->error_count);
        err = bind_done(catalog, &binder);
    }
    if (err == RL_OK)
        err = statement_run(catalog, forget);
    return catalog_leave_write(catalog, err);
}

/* ---- reading ------------------------------------------------------------------------------- */

static enum rl_err get_job(struct catalog *catalog, const char *id, struct job *out)
{
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, ST_JOB_GET,
                                    "SELECT number, " JOB_COLUMNS " FROM jobs WHERE id = ?1", &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_id(&binder, id);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK) {
        err = read_job(get, out);
        sqlite3_reset(get);
    }
    if (err == RL_OK && words_status_terminal(out->status))
        err = failures_of_job(catalog, out->number, 0, JOB_RESULT_ERRORS_MAX, &out->failures,
                              &out->n_failures);
    if (err == RL_OK && out->dry_run && words_status_terminal(out->status))
        err = plan_of_job(catalog, out->number, &out->plan, &out->n_plan);
    return err;
}

enum rl_err catalog_job_get(struct catalog *catalog, const char *id, struct job *out)
{
    catalog_enter(catalog);
    *out = (struct job){0};
    bool begun;
    enum rl_err err = catalog_snapshot_begin(catalog, &begun);
    if (err == RL_OK)
        err = get_job(catalog, id, out);
    catalog_snapshot_end(catalog, begun);
    if (err != RL_OK)
        job_clear(out);
    return err;
}

static enum rl_err read_list(struct catalog *catalog, sqlite3_stmt *statement, struct job_list *out)
{
    size_t cap = 0;
    enum rl_err err;
    while ((err = statement_step(catalog, statement)) == RL_OK) {
        if (out->count == cap) {
            cap = cap ? cap * 2 : 16;
            struct job *grown = reallocarray(out->jobs, cap, sizeof *grown);
            if (!grown) {
                err = RL_ENOMEM;
                break;
            }
            out->jobs = grown;
        }
        err = read_job(statement, &out->jobs[out->count++]);
        if (err != RL_OK)
            break;
    }
    sqlite3_reset(statement);
    if (err == RL_ENOTFOUND)
        return RL_OK;
    job_list_clear(out);
    return err;
}

/* One more than the limit was asked for: it says only that there is more. */
static void cut_list(struct job_list *list, size_t limit)
{
    list->more = list->count > limit;
    if (list->more)
        job_clear(&list->jobs[--list->count]);
}

enum rl_err catalog_jobs(struct catalog *catalog, int status, int type, int64_t before, int limit,
                         struct job_list *out)
{
    catalog_enter(catalog);
    *out = (struct job_list){0};
    if (limit < 1 || limit > JOBS_LIMIT_MAX || before < 0 || status < -1 ||
        status >= JOB_STATUSES || type < -1 || type >= JOB_TYPES)
        return catalog_fail(catalog, RL_EINVAL, "status, type, before or limit out of range");
    sqlite3_stmt *list;
    /* Two statements: with a status the index leads to the few that have it. */
    enum rl_err err =
        status < 0 ? statement_get(catalog, ST_JOBS_LIST,
                                   "SELECT number, " JOB_COLUMNS " FROM jobs WHERE ?1 IS NULL"
                                   " AND (?2 IS NULL OR type = ?2)"
                                   " AND number < ?3 ORDER BY number DESC LIMIT ?4",
                                   &list)
                   : statement_get(catalog, ST_JOBS_LIST_STATUS,
                                   "SELECT number, " JOB_COLUMNS " FROM jobs WHERE status = ?1"
                                   " AND (?2 IS NULL OR type = ?2)"
                                   " AND number < ?3 ORDER BY number DESC LIMIT ?4",
                                   &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_text(&binder, status < 0 ? NULL : words_status((enum job_status)status));
    bind_text(&binder, type < 0 ? NULL : words_type((enum job_type)type));
    bind_int(&binder, before ? before : INT64_MAX);
    bind_int(&binder, limit + 1);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = read_list(catalog, list, out);
    if (err == RL_OK)
        cut_list(out, (size_t)limit);
    return err;
}

enum rl_err catalog_jobs_unfinished(struct catalog *catalog, struct job_list *out)
{
    catalog_enter(catalog);
    *out = (struct job_list){0};
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, ST_JOBS_UNFINISHED,
                                    "SELECT number, " JOB_COLUMNS " FROM jobs"
                                    " WHERE status IN (?1, ?2) ORDER BY number LIMIT ?3",
                                    &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_text(&binder, words_status(JOB_PENDING));
    bind_text(&binder, words_status(JOB_RUNNING));
    bind_int(&binder, JOBS_UNFINISHED_MAX);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? read_list(catalog, list, out) : err;
}
