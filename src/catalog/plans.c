#include <stdlib.h>
#include <string.h>

#include "private.h"

void job_plan_free(struct job_plan_line *plan, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(plan[i].path);
        free(plan[i].from);
    }
    free(plan);
}

enum rl_err catalog_job_plan_add(struct catalog *catalog, int64_t job, enum outcome outcome,
                                 const char *path, const char *from)
{
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    sqlite3_stmt *add;
    err = statement_get(
        catalog, ST_PLAN_ADD,
        "INSERT INTO job_plans (job, position, outcome, path, origin) VALUES (?1, (SELECT"
        " coalesce(max(position), 0) + 1 FROM job_plans WHERE job = ?1), ?2, ?3, ?4)",
        &add);
    if (err == RL_OK) {
        struct binder binder = {.statement = add};
        bind_int(&binder, job);
        bind_text(&binder, words_outcome(outcome));
        bind_bytes(&binder, path, strlen(path));
        if (from)
            bind_bytes(&binder, from, strlen(from));
        else
            bind_text(&binder, NULL);
        err = bind_done(catalog, &binder);
    }
    if (err == RL_OK)
        err = statement_run(catalog, add);
    return catalog_leave_write(catalog, err);
}

enum rl_err plan_clear(struct catalog *catalog, int64_t job)
{
    sqlite3_stmt *clear;
    enum rl_err err =
        statement_get(catalog, ST_PLAN_CLEAR, "DELETE FROM job_plans WHERE job = ?1", &clear);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = clear};
    bind_int(&binder, job);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, clear) : err;
}

enum rl_err plan_of_job(struct catalog *catalog, int64_t job, struct job_plan_line **out,
                        size_t *count)
{
    *count = 0;
    *out = calloc(JOB_RESULT_ERRORS_MAX, sizeof **out);
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, ST_PLAN_GET,
                                    "SELECT outcome, path, origin FROM job_plans WHERE job = ?1"
                                    " ORDER BY position LIMIT 1000",
                                    &get);
    if (err == RL_OK && !*out)
        err = RL_ENOMEM;
    if (err == RL_OK) {
        struct binder binder = {.statement = get};
        bind_int(&binder, job);
        err = bind_done(catalog, &binder);
    }
    while (err == RL_OK && *count < JOB_RESULT_ERRORS_MAX &&
           (err = statement_step(catalog, get)) == RL_OK) {
        struct row row = {.statement = get};
        struct job_plan_line *line = &(*out)[(*count)++];
        line->outcome = words_parse_outcome(row_word(&row), OUTCOME_NONE);
        line->path = row_bytes(&row);
        if (sqlite3_column_type(get, row.column) != SQLITE_NULL)
            line->from = row_bytes(&row);
        if (row.failed)
            err = RL_ENOMEM;
    }
    if (err == RL_OK || err == RL_ENOTFOUND) {
        sqlite3_reset(get);
        return RL_OK;
    }
    job_plan_free(*out, *count);
    *out = NULL;
    *count = 0;
    return err;
}
