#include <stdio.h>

#include "api.h"
#include "body.h"
#include "guard.h"
#include "members.h"
#include "room.h"

void api_session(struct exchange *exchange)
{
    struct server *server = exchange->server;
    struct answer *answer = &exchange->answer;
    const char *token = NULL;
    const struct body_field fields[] = {
        {.name = "token", .type = BODY_TEXT, .required = true, .out = &token},
    };
    const struct buf *bytes = &exchange->request.body;
    struct json_object *json = NULL;
    struct problem problem;
    if (!api_no_args(exchange))
        return;
    if (!body_parse(bytes->data ? bytes->data : "", bytes->len, fields, 1, &json, &problem)) {
        answer_problem(answer, &problem);
    } else if (server->config.token && !guard_secret_equal(server->config.token, token)) {
        answer_error(answer, 401, "WRONG_TOKEN", "token", "that is not the token");
        answer_header(answer, "www-authenticate:", "Bearer realm=\"reeld\"");
    } else {
        char cookie[160];
        snprintf(cookie, sizeof cookie, "reeld_session=%s; Path=/; HttpOnly; SameSite=Strict",
                 server->token_cookie);
        answer->status = 204;
        answer_header(answer, "set-cookie:", cookie);
    }
    json_object_put(json);
}
