#include <stdio.h>
#include <stdlib.h>

#include "api.h"
#include "body.h"
#include "members.h"
#include "reeld/events.h"
#include "room.h"

enum { JOB_TIMEOUT_MAX_S = 30 * 24 * 3600 };

static void on_scan_reply(struct exchange *exchange, const struct library_message *message)
{
    struct answer *answer = &exchange->answer;
    if (message->err) {
        answer_failure(answer, message->err, message->detail);
        return;
    }
    /* The same scan may have been on its way already. */
    struct job job;
    enum job_status status = JOB_PENDING;
    if (library_job(exchange->server->library, message->job_id, &job) == RL_OK) {
        status = job.status;
        job_clear(&job);
    }
    struct members json = members_new();
    members_text(&json, "job_id", message->job_id);
    members_text(&json, "status", job_status_word(status));
    char location[80];
    snprintf(location, sizeof location, "/api/v1/jobs/%s", message->job_id);
    answer_json(answer, 202, members_done(&json));
    answer_header(answer, "location:", location);
}

/* Gives the bytes of the path that was asked, by `path` or `path_uri`. */
bool api_requested_path(const char *path, const char *path_uri, struct buf *out,
                        struct problem *problem)
{
    if (!path == !path_uri)
        return problem_set(problem, 422, path ? "CONFLICTING_FIELDS" : "MISSING_FIELD", "path",
                           path ? "give path or path_uri, not both" : "path must be given");
    if (path) {
        buf_puts(out, path);
        return !out->failed || problem_set(problem, 503, "OUT_OF_MEMORY", NULL, "out of memory");
    }
    enum rl_err err = path_uri_decode(out, path_uri);
    if (err == RL_EINVAL)
        return problem_set(problem, 422, "BAD_VALUE", "path_uri",
                           "path_uri has a bad percent escape");
    return !err || problem_set(problem, 503, "OUT_OF_MEMORY", NULL, "out of memory");
}

bool api_resolve(struct server *server, const char *path, char **real, struct problem *problem)
{
    switch (library_resolve(server->library, path, real)) {
    case RL_OK:
        return true;
    case RL_ENOTFOUND:
        return problem_set(problem, 400, "PATH_NOT_FOUND", "path",
                           "there is no such file or folder");
    case RL_EPERM:
        return problem_set(problem, 403, "PATH_NOT_ALLOWED", "path",
                           "the path is outside the allowed roots, or may not be read");
    case RL_EINVAL:
        return problem_set(problem, 400, "BAD_PATH", "path",
                           "the path must be absolute, and a folder or a regular file");
    default:
        return problem_set(problem, 503, "PATH_FAILED", "path", "the path could not be looked at");
    }
}

struct scan_body {
    const char *path, *path_uri;
    bool recursive, retry_failed, dry_run;
    double timeout_s; /* -1: the default */
};

/* Up to the next millisecond: any limit is more than 0, which is none. */
static int64_t timeout_ms(double timeout_s)
{
    return timeout_s < 0 ? -1 : (int64_t)(timeout_s * 1000 + 0.999999);
}

static bool submit(struct exchange *exchange, const struct scan_body *body, struct problem *problem)
{
    struct server *server = exchange->server;
    struct buf path = {0};
    char *real = NULL;
    bool ok = api_requested_path(body->path, body->path_uri, &path, problem) &&
              api_resolve(server, path.data ? path.data : "", &real, problem);
    if (ok) {
        struct scan_request request = {
            .path = real,
            .recursive = body->recursive,
            .retry_failed = body->retry_failed,
            .dry_run = body->dry_run,
            .timeout_ms = timeout_ms(body->timeout_s),
            .correlation_id = exchange->request.id,
        };
        uint64_t ticket = pending_ticket(server);
        ok = library_scan(server->library, ticket, &request) == RL_OK ||
             problem_set(problem, 503, "OUT_OF_MEMORY", NULL, "out of memory");
        if (ok)
            exchange_await_reply(exchange, ticket, on_scan_reply);
    }
    buf_free(&path);
    free(real);
    return ok;
}

void api_scan(struct exchange *exchange)
{
    struct scan_body body = {.recursive = true, .timeout_s = -1};
    const struct body_field fields[] = {
        {.name = "path", .type = BODY_TEXT, .out = &body.path},
        {.name = "path_uri", .type = BODY_TEXT, .out = &body.path_uri},
        {.name = "recursive", .type = BODY_BOOL, .out = &body.recursive},
        {.name = "retry_failed", .type = BODY_BOOL, .out = &body.retry_failed},
        {.name = "dry_run", .type = BODY_BOOL, .out = &body.dry_run},
        {.name = "timeout_s",
         .type = BODY_NUMBER,
         .max = JOB_TIMEOUT_MAX_S,
         .out = &body.timeout_s},
    };
    const struct buf *bytes = &exchange->request.body;
    struct json_object *json = NULL;
    struct problem problem;
    if (!api_no_args(exchange))
        return;
    bool ok = body_parse(bytes->data ? bytes->data : "", bytes->len, fields,
                         sizeof fields / sizeof *fields, &json, &problem) &&
              submit(exchange, &body, &problem);
    if (!ok)
        answer_problem(&exchange->answer, &problem);
    json_object_put(json);
}
