/* Roots that are added and forgotten. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api.h"
#include "body.h"
#include "reeld/events.h"
#include "room.h"

enum { POLL_MAX_S = 10000000 };

void api_no_root(struct answer *answer)
{
    answer_error(answer, 404, "NOT_FOUND", NULL, "there is no root of this number");
}

int64_t api_root_number(const struct request *request)
{
    size_t len = strlen(request->param);
    if (len == 0 || len > 18 || strspn(request->param, "0123456789") != len)
        return 0;
    return strtoll(request->param, NULL, 10);
}

/* ---- adding ---------------------------------------------------------------------------------- */

static void on_add_reply(struct exchange *exchange, const struct library_message *message)
{
    struct answer *answer = &exchange->answer;
    int64_t number = message->count < 0 ? -message->count : message->count;
    if (message->err == RL_EEXIST)
        answer_error(answer, 409, "ROOT_CONFIGURED", "path", "%s", message->detail);
    else if (message->err == RL_ECONFLICT)
        answer_error(answer, 409, "ROOT_OVERLAPS", "path", "%s", message->detail);
    else if (message->err)
        answer_failure(answer, message->err, message->detail);
    else
        answer_json(answer, message->count < 0 ? 200 : 201, api_root(exchange->server, number));
}

static bool mode_parse(const char *word, enum watch_mode *out, struct problem *problem)
{
    static const char *const words[WATCH_MODE_COUNT] = {
#define MODE_WORD(name, word) [WATCH_MODE_##name] = word,
        WATCH_MODES(MODE_WORD)
#undef MODE_WORD
    };
    for (int i = 0; i < WATCH_MODE_COUNT; i++) {
        if (strcmp(words[i], word) == 0) {
            *out = (enum watch_mode)i;
            return true;
        }
    }
    return problem_set(problem, 422, "BAD_VALUE", "mode", "mode must be auto, watch, poll or off");
}

static bool is_folder(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) == 0 && S_ISDIR(stat.st_mode);
}

struct root_body {
    const char *path, *path_uri, *mode;
    double poll_s; /* 0: as configured */
};

static bool add(struct exchange *exchange, const struct root_body *body, struct problem *problem)
{
    struct server *server = exchange->server;
    enum watch_mode mode = WATCH_MODE_AUTO;
    struct buf path = {0};
    char *real = NULL;
    bool ok = mode_parse(body->mode, &mode, problem) &&
              api_requested_path(body->path, body->path_uri, &path, problem) &&
              api_resolve(server, path.data ? path.data : "", &real, problem);
    if (ok && !is_folder(real))
        ok = problem_set(problem, 400, "BAD_PATH", "path", "a root must be a folder");
    if (ok) {
        uint64_t ticket = pending_ticket(server);
        ok = library_root_add(server->library, ticket, real, mode,
                              (int64_t)(body->poll_s * 1000)) == RL_OK ||
             problem_set(problem, 503, "OUT_OF_MEMORY", NULL, "out of memory");
        if (ok)
            exchange_await_reply(exchange, ticket, on_add_reply);
    }
    buf_free(&path);
    free(real);
    return ok;
}

void api_roots_add(struct exchange *exchange)
{
    struct root_body body = {.mode = "auto"};
    const struct body_field fields[] = {
        {.name = "path", .type = BODY_TEXT, .out = &body.path},
        {.name = "path_uri", .type = BODY_TEXT, .out = &body.path_uri},
        {.name = "mode", .type = BODY_TEXT, .out = &body.mode},
        {.name = "poll_interval_s",
         .type = BODY_NUMBER,
         .min = 0.1,
         .max = POLL_MAX_S,
         .out = &body.poll_s},
    };
    const struct buf *bytes = &exchange->request.body;
    struct json_object *json = NULL;
    struct problem problem;
    if (!api_no_args(exchange))
        return;
    bool ok = body_parse(bytes->data ? bytes->data : "", bytes->len, fields,
                         sizeof fields / sizeof *fields, &json, &problem) &&
              add(exchange, &body, &problem);
    if (!ok)
        answer_problem(&exchange->answer, &problem);
    json_object_put(json);
}

/* ---- forgetting ------------------------------------------------------------------------------ */

static void on_delete_reply(struct exchange *exchange, const struct library_message *message)
{
    struct answer *answer = &exchange->answer;
    if (message->err == RL_ENOTFOUND)
        api_no_root(answer);
    else if (message->err == RL_ECONFLICT)
        answer_error(answer, 409, "ROOT_CONFIGURED", NULL, "%s", message->detail);
    else if (message->err)
        answer_failure(answer, message->err, message->detail);
    else
        answer->status = 204;
}

void api_roots_delete(struct exchange *exchange)
{
    struct server *server = exchange->server;
    int64_t number = api_root_number(&exchange->request);
    if (!api_no_args(exchange))
        return;
    if (!number) {
        api_no_root(&exchange->answer);
        return;
    }
    uint64_t ticket = pending_ticket(server);
    enum rl_err err = library_root_delete(server->library, ticket, number);
    if (err)
        answer_failure(&exchange->answer, err, NULL);
    else
        exchange_await_reply(exchange, ticket, on_delete_reply);
}
