#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "body.h"
#include "members.h"
#include "query.h"
#include "reeld/events.h"
#include "room.h"

enum { JOBS_LIMIT_DEFAULT = 50, JOBS_LIMIT_MAX = 1000, WAIT_S_DEFAULT = 30, WAIT_S_MAX = 300 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

bool api_no_args(struct exchange *exchange)
{
    struct problem problem;
    if (query_read(&exchange->request, NULL, 0, &problem))
        return true;
    answer_problem(&exchange->answer, &problem);
    return false;
}

bool api_no_body(struct exchange *exchange)
{
    const struct buf *body = &exchange->request.body;
    struct json_object *json = NULL;
    struct problem problem;
    if (body->len && !body_parse(body->data, body->len, NULL, 0, &json, &problem)) {
        answer_problem(&exchange->answer, &problem);
        return false;
    }
    json_object_put(json);
    return true;
}

const char *api_id(struct exchange *exchange)
{
    if (id_valid(exchange->request.param))
        return exchange->request.param;
    answer_error(&exchange->answer, 404, "NOT_FOUND", NULL, "that is not an id");
    return NULL;
}

enum rl_err api_job_read(struct server *server, const char *id, struct job *out)
{
    enum rl_err err = library_job(server->library, id, out);
    return err == RL_ENOTFOUND ? catalog_job_get(server->reader, id, out) : err;
}

static void answer_job_error(struct answer *answer, enum rl_err err, const char *detail)
{
    if (err == RL_ENOTFOUND)
        answer_error(answer, 404, "NOT_FOUND", NULL, "there is no job of this id");
    else
        answer_failure(answer, err, detail);
}

/* ---- the list ------------------------------------------------------------------------------- */

static int newest_first(const void *a, const void *b)
{
    const struct job *one = a, *other = b;
    return (one->number < other->number) - (one->number > other->number);
}

static const struct job *find_job(const struct job_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->jobs[i].id, id) == 0)
            return &list->jobs[i];
    }
    return NULL;
}

struct jobs_query {
    int status, type; /* -1: any */
    int64_t limit;
    int64_t before; /* number of the last job of the page before; 0: from the newest */
};

static bool read_jobs_query(struct exchange *exchange, struct jobs_query *out)
{
    const char *status = NULL, *type = NULL;
    *out = (struct jobs_query){-1, -1, JOBS_LIMIT_DEFAULT, 0};
    const struct query_field fields[] = {
        {"status", QUERY_TEXT, 0, 0, &status},
        {"type", QUERY_TEXT, 0, 0, &type},
        {"limit", QUERY_INTEGER, 1, JOBS_LIMIT_MAX, &out->limit},
        {"cursor", QUERY_INTEGER, 1, INT64_MAX, &out->before},
    };
    struct problem problem;
    enum job_status parsed_status;
    enum job_type parsed_type;
    bool ok = query_read(&exchange->request, fields, COUNT(fields), &problem);
    if (ok && status) {
        ok = job_status_parse(status, &parsed_status) ||
             problem_set(&problem, 400, "BAD_PARAMETER", "status", "that is not a status of a job");
        if (ok)
            out->status = (int)parsed_status;
    }
    if (ok && type) {
        ok = job_type_parse(type, &parsed_type) ||
             problem_set(&problem, 400, "BAD_PARAMETER", "type", "that is not a type of job");
        if (ok)
            out->type = (int)parsed_type;
    }
    if (!ok)
        answer_problem(&exchange->answer, &problem);
    return ok;
}

/* Both lists as one, newest first. `active` was read first: a job that ended in between is in both,
 * and its row is the newer word; a job that was submitted in between is a row only. */
static enum rl_err merge_jobs(struct job_list *active, struct job_list *rows,
                              const struct jobs_query *query, struct job_list *out)
{
    *out = (struct job_list){.jobs = calloc(active->count + rows->count + 1, sizeof *out->jobs)};
    if (!out->jobs)
        return RL_ENOMEM;
    for (size_t i = 0; i < active->count; i++) {
        const struct job *job = &active->jobs[i], *row = find_job(rows, job->id);
        if ((query->status >= 0 && (int)job->status != query->status) ||
            (query->type >= 0 && (int)job->type != query->type) ||
            (query->before && job->number >= query->before) ||
            (row && job_status_terminal(row->status)))
            continue;
        out->jobs[out->count++] = *job;
        active->jobs[i] = (struct job){0};
    }
    size_t n_active = out->count;
    for (size_t i = 0; i < rows->count; i++) {
        const struct job_list live = {.jobs = out->jobs, .count = n_active};
        if (find_job(&live, rows->jobs[i].id))
            continue;
        out->jobs[out->count++] = rows->jobs[i];
        rows->jobs[i] = (struct job){0};
    }
    qsort(out->jobs, out->count, sizeof *out->jobs, newest_first);
    return RL_OK;
}

/* The first `limit` of the list. The cursor is the number of the last one: newer jobs come before
 * it and change no later page. Takes `event_id`. */
static void answer_jobs(struct exchange *exchange, const struct job_list *list, size_t limit,
                        struct json_object *event_id)
{
    struct members json = members_new();
    struct json_object *jobs = json_object_new_array();
    const size_t count = list->count < limit ? list->count : limit;
    for (size_t i = 0; i < count; i++)
        members_append(&json, jobs, json_job(&list->jobs[i]));
    members_add(&json, "jobs", jobs);
    char cursor[24] = "";
    if (count && (list->more || list->count > limit))
        snprintf(cursor, sizeof cursor, "%" PRId64, list->jobs[count - 1].number);
    members_text(&json, "next_cursor", *cursor ? cursor : NULL);
    members_add(&json, "event_id", event_id);
    answer_json(&exchange->answer, 200, members_done(&json));
}

void api_jobs_list(struct exchange *exchange)
{
    struct server *server = exchange->server;
    struct jobs_query query;
    if (!read_jobs_query(exchange, &query))
        return;
    /* Before the jobs are read: everything up to it is in the list, maybe more. */
    struct json_object *event_id = channel_event_id(&server->channel);
    struct job_list active = {0}, rows = {0}, all = {0};
    enum rl_err err = library_jobs(server->library, &active);
    if (!err)
        err = catalog_jobs(server->reader, query.status, query.type, query.before, (int)query.limit,
                           &rows);
    if (!err)
        err = merge_jobs(&active, &rows, &query, &all);
    if (err) {
        json_object_put(event_id);
        answer_failure(&exchange->answer, err, "the jobs could not be read");
    } else {
        all.more |= rows.more;
        answer_jobs(exchange, &all, (size_t)query.limit, event_id);
    }
    job_list_clear(&active);
    job_list_clear(&rows);
    job_list_clear(&all);
}

/* ---- one job -------------------------------------------------------------------------------- */

/* Reads the arguments and the job that the path names; false: the exchange is answered. */
static bool job_asked_for(struct exchange *exchange, const struct query_field *fields,
                          size_t n_fields, struct job *job)
{
    struct problem problem;
    const char *id = api_id(exchange);
    if (!id)
        return false;
    if (!query_read(&exchange->request, fields, n_fields, &problem)) {
        answer_problem(&exchange->answer, &problem);
        return false;
    }
    enum rl_err err = api_job_read(exchange->server, id, job);
    if (err)
        answer_job_error(&exchange->answer, err, "the job could not be read");
    return !err;
}

void api_jobs_get(struct exchange *exchange)
{
    struct job job;
    if (!job_asked_for(exchange, NULL, 0, &job))
        return;
    answer_json(&exchange->answer, 200, json_job(&job));
    job_clear(&job);
}

void api_jobs_wait(struct exchange *exchange)
{
    int64_t timeout_s = WAIT_S_DEFAULT;
    const struct query_field fields[] = {{"timeout_s", QUERY_INTEGER, 0, WAIT_S_MAX, &timeout_s}};
    struct job job;
    if (!job_asked_for(exchange, fields, COUNT(fields), &job))
        return;
    /* The snapshot and the row are written before the terminal event is published, and events are
     * taken on this thread: while the job is not terminal here, its event is still to come. */
    if (job_status_terminal(job.status))
        answer_json(&exchange->answer, 200, json_job(&job));
    else if (timeout_s == 0)
        answer_json(&exchange->answer, 408, json_job(&job));
    else
        exchange_await_job(exchange, job.id, timeout_s * 1000);
    job_clear(&job);
}

/* `status`: of the answer when it was done. */
static void answer_command(struct exchange *exchange, const struct library_message *message,
                           int status)
{
    struct answer *answer = &exchange->answer;
    if (message->err == RL_ECONFLICT) {
        answer_error(answer, 409, "JOB_ENDED", NULL, "the job has ended already");
        return;
    }
    struct job job;
    enum rl_err err = message->err;
    if (!err)
        err = api_job_read(exchange->server, exchange->request.param, &job);
    if (err) {
        answer_job_error(answer, err, message->detail);
        return;
    }
    answer_json(answer, status, json_job(&job));
    job_clear(&job);
}

static void on_asked(struct exchange *exchange, const struct library_message *message)
{
    answer_command(exchange, message, 202);
}

static void on_done(struct exchange *exchange, const struct library_message *message)
{
    answer_command(exchange, message, 200);
}

typedef enum rl_err (*job_command)(struct library *library, uint64_t ticket, const char *job_id);

static void command_job(struct exchange *exchange, job_command command, exchange_reply *on_reply)
{
    struct server *server = exchange->server;
    const char *id = api_id(exchange);
    if (!id || !api_no_args(exchange) || !api_no_body(exchange))
        return;
    uint64_t ticket = pending_ticket(server);
    enum rl_err err = command(server->library, ticket, id);
    if (err)
        answer_failure(&exchange->answer, err, NULL);
    else
        exchange_await_reply(exchange, ticket, on_reply);
}

void api_jobs_cancel(struct exchange *exchange)
{
    command_job(exchange, library_cancel, on_asked);
}

void api_jobs_pause(struct exchange *exchange)
{
    command_job(exchange, library_pause, on_done);
}

void api_jobs_resume(struct exchange *exchange)
{
    command_job(exchange, library_resume, on_done);
}

/* ---- its failures --------------------------------------------------------------------------- */

/* The cursor is the number of failures before the page: the list only grows at its end. */
static void answer_failures(struct exchange *exchange, const struct job *job, int64_t offset,
                            int64_t limit)
{
    struct job_failure *failures = NULL;
    size_t count = 0;
    enum rl_err err = catalog_job_failures(exchange->server->reader, job->number, offset,
                                           (int)limit, &failures, &count);
    if (err) {
        answer_failure(&exchange->answer, err, "the failures could not be read");
        return;
    }
    struct members json = members_new();
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++)
        members_append(&json, list, json_job_failure(&failures[i]));
    members_add(&json, "failures", list);
    members_int(&json, "total", job->error_count);
    int64_t next = offset + (int64_t)count;
    char cursor[24];
    snprintf(cursor, sizeof cursor, "%" PRId64, next);
    members_text(&json, "next_cursor", count && next < job->error_count ? cursor : NULL);
    answer_json(&exchange->answer, 200, members_done(&json));
    job_failures_free(failures, count);
}

void api_jobs_failures(struct exchange *exchange)
{
    int64_t limit = 100, offset = 0;
    const struct query_field fields[] = {
        {"limit", QUERY_INTEGER, 1, 1000, &limit},
        {"cursor", QUERY_INTEGER, 0, INT64_MAX / 2, &offset},
    };
    struct job job;
    if (!job_asked_for(exchange, fields, COUNT(fields), &job))
        return;
    answer_failures(exchange, &job, offset, limit);
    job_clear(&job);
}
