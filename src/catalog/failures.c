#include <stdlib.h>
#include <string.h>

#include "private.h"

/* An error's words come from a worker and from strerror: kept as well-formed UTF-8, and short. */
enum { ERROR_BYTES_MAX = 1024 };

static const char *error_text(struct catalog *catalog, const char *error)
{
    buf_clear(&catalog->text);
    utf8_append_lossy(&catalog->text, error ? error : "",
                      error ? strnlen(error, ERROR_BYTES_MAX) : 0);
    return catalog->text.data;
}

static enum rl_err remember(struct catalog *catalog, const struct path_parts *parts,
                            const struct file_stamp *stamp, const char *worker_version,
                            enum failure_code code, const char *error, int64_t job)
{
    int64_t directory;
    catalog->no_failures = false;
    enum rl_err err = directory_need(catalog, parts->directory, parts->directory_len, &directory);
    sqlite3_stmt *add = NULL;
    if (err == RL_OK)
        err = statement_get(catalog, ST_FAILURE_PUT,
                            "INSERT OR REPLACE INTO failures (directory, name, size, mtime_ns,"
                            " device, inode, job, code, error, worker_version)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                            &add);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = add};
    bind_int(&binder, directory);
    bind_bytes(&binder, parts->name, strlen(parts->name));
    bind_int(&binder, stamp->size);
    bind_int(&binder, stamp->mtime_ns);
    bind_unsigned(&binder, stamp->device);
    bind_unsigned(&binder, stamp->inode);
    bind_int(&binder, job);
    bind_text(&binder, words_failure(code));
    bind_text(&binder, error_text(catalog, error));
    bind_text(&binder, worker_version);
    err = catalog->text.failed ? RL_ENOMEM : bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, add) : err;
}

static enum rl_err list_failure(struct catalog *catalog, int64_t job, const char *path,
                                enum failure_code code, const char *error)
{
    sqlite3_stmt *add;
    enum rl_err err = statement_get(
        catalog, ST_JOB_FAILURE_ADD,
        "INSERT INTO job_failures (job, position, path, code, error) VALUES (?1, (SELECT"
        " coalesce(max(position), 0) + 1 FROM job_failures WHERE job = ?1), ?2, ?3, ?4)",
        &add);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = add};
    bind_int(&binder, job);
    bind_bytes(&binder, path, strlen(path));
    bind_text(&binder, words_failure(code));
    bind_text(&binder, error_text(catalog, error));
    err = catalog->text.failed ? RL_ENOMEM : bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, add) : err;
}

enum rl_err catalog_failure_put(struct catalog *catalog, const char *path,
                                const struct file_stamp *stamp, const char *worker_version,
                                enum failure_code code, const char *error, int64_t job)
{
    struct path_parts parts;
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    if (directory_split(path, &parts) != RL_OK || !words_failure(code))
        return catalog_fail(catalog, RL_EINVAL, "not a path and a failure");
    err = remember(catalog, &parts, stamp, worker_version, code, error, job);
    if (err == RL_OK)
        err = list_failure(catalog, job, path, code, error);
    return catalog_leave_write(catalog, err);
}

enum rl_err catalog_ignored_put(struct catalog *catalog, const char *path,
                                const struct file_stamp *stamp, const char *worker_version)
{
    struct path_parts parts;
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    if (directory_split(path, &parts) != RL_OK)
        return catalog_fail(catalog, RL_EINVAL, "not a path");
    err = remember(catalog, &parts, stamp, worker_version, FAILURE_NOT_MEDIA, NULL, 0);
    return catalog_leave_write(catalog, err);
}

enum rl_err catalog_job_failure_add(struct catalog *catalog, int64_t job, const char *path,
                                    enum failure_code code, const char *error)
{
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    if (!words_failure(code))
        return catalog_fail(catalog, RL_EINVAL, "not a failure");
    return catalog_leave_write(catalog, list_failure(catalog, job, path, code, error));
}

enum rl_err catalog_job_failures_clear(struct catalog *catalog, int64_t job)
{
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    sqlite3_stmt *clear;
    err = statement_get(catalog, ST_JOB_FAILURES_CLEAR, "DELETE FROM job_failures WHERE job = ?1",
                        &clear);
    if (err == RL_OK) {
        struct binder binder = {.statement = clear};
        bind_int(&binder, job);
        err = bind_done(catalog, &binder);
    }
    if (err == RL_OK)
        err = statement_run(catalog, clear);
    if (err == RL_OK)
        err = plan_clear(catalog, job);
    return catalog_leave_write(catalog, err);
}

enum rl_err failure_forget(struct catalog *catalog, int64_t directory, const char *name)
{
    sqlite3_stmt *forget;
    if (catalog->no_failures)
        return RL_OK;
    enum rl_err err =
        statement_get(catalog, ST_FAILURE_DELETE,
                      "DELETE FROM failures WHERE directory = ?1 AND name = ?2", &forget);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = forget};
    bind_int(&binder, directory);
    bind_bytes(&binder, name, strlen(name));
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, forget) : err;
}

enum rl_err catalog_failure_forget(struct catalog *catalog, const char *path)
{
    struct path_parts parts;
    int64_t directory;
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    if (directory_split(path, &parts) != RL_OK)
        return catalog_fail(catalog, RL_EINVAL, "not a path");
    err = directory_find(catalog, parts.directory, parts.directory_len, &directory);
    if (err == RL_ENOTFOUND)
        return RL_OK;
    if (err == RL_OK)
        err = failure_forget(catalog, directory, parts.name);
    return catalog_leave_write(catalog, err);
}

enum rl_err failures_of_job(struct catalog *catalog, int64_t job, int64_t offset, int limit,
                            struct job_failure **out, size_t *count)
{
    *out = NULL;
    *count = 0;
    sqlite3_stmt *get;
    /* Positions count from 1 without gaps: an offset is a position. */
    enum rl_err err = statement_get(catalog, ST_JOB_FAILURES_GET,
                                    "SELECT path, code, error FROM job_failures WHERE job = ?1"
                                    " AND position > ?2 ORDER BY position LIMIT ?3",
                                    &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, job);
    bind_int(&binder, offset);
    bind_int(&binder, limit);
    err = bind_done(catalog, &binder);
    size_t cap = 0;
    while (err == RL_OK && (err = statement_step(catalog, get)) == RL_OK) {
        if (*count == cap) {
            cap = cap ? cap * 2 : 16;
            struct job_failure *grown = reallocarray(*out, cap, sizeof *grown);
            if (!grown) {
                err = RL_ENOMEM;
                break;
            }
            *out = grown;
        }
        struct row row = {.statement = get};
        struct job_failure *failure = &(*out)[(*count)++];
        failure->path = row_bytes(&row);
        failure->code = words_parse_failure(row_word(&row), FAILURE_IO_ERROR);
        failure->error = row_bytes(&row);
        if (row.failed)
            err = RL_ENOMEM;
    }
    sqlite3_reset(get);
    if (err == RL_ENOTFOUND)
        return RL_OK;
    job_failures_free(*out, *count);
    *out = NULL;
    *count = 0;
    return err;
}

enum rl_err catalog_job_failures(struct catalog *catalog, int64_t job, int64_t offset, int limit,
                                 struct job_failure **out, size_t *count)
{
    catalog_enter(catalog);
    *out = NULL;
    *count = 0;
    if (offset < 0 || limit < 1 || limit > JOB_RESULT_ERRORS_MAX)
        return catalog_fail(catalog, RL_EINVAL, "offset or limit out of range");
    return failures_of_job(catalog, job, offset, limit, out, count);
}
