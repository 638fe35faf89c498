#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "http.h"

void answer_clear(struct answer *answer)
{
    buf_free(&answer->body);
    shared_bytes_release(answer->shared);
    file_send_close(&answer->file);
    media_free(answer->media);
    for (size_t i = 0; i < answer->n_headers; i++)
        free(answer->headers[i].value);
    *answer = (struct answer){0};
}

void answer_header(struct answer *answer, const char *name, const char *value)
{
    if (answer->n_headers == ANSWER_HEADERS_MAX)
        return;
    size_t len = 0;
    while ((unsigned char)value[len] >= 0x20 && value[len] != 0x7f)
        len++;
    char *copy = strndup(value, len);
    if (!copy)
        return;
    answer->headers[answer->n_headers].name = name;
    answer->headers[answer->n_headers].value = copy;
    answer->n_headers++;
}

/* Also what is said when there is no memory to say more. */
static void out_of_memory(struct answer *answer)
{
    answer_clear(answer);
    answer->status = 503;
    answer_header(answer, "retry-after:", "1");
}

void answer_text(struct answer *answer, int status, struct buf *json)
{
    answer->status = status;
    answer->content_type = "application/json";
    answer->body = *json;
    *json = (struct buf){0};
    if (answer->body.failed)
        out_of_memory(answer);
}

void answer_tag(struct answer *answer, const char *tag)
{
    answer->cache = "no-cache";
    answer_header(answer, "etag:", tag);
}

bool request_has(const struct request *request, const char *tag)
{
    const char *list = request->if_none_match;
    return strcmp(list, "*") == 0 || strstr(list, strchr(tag, '"')) != NULL;
}

bool weight_zero(const char *parameters)
{
    for (const char *at = strchr(parameters, ';'); at; at = strchr(at, ';')) {
        at += 1 + strspn(at + 1, " \t");
        if (strncasecmp(at, "q=", 2) == 0)
            return strtod(at + 2, NULL) <= 0;
    }
    return false;
}

void answer_json(struct answer *answer, int status, struct json_object *json)
{
    size_t len = 0;
    const char *text =
        json ? json_object_to_json_string_length(
                   json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len)
             : NULL;
    answer->status = status;
    answer->content_type = "application/json";
    if (text)
        buf_append(&answer->body, text, len);
    if (!text || answer->body.failed)
        out_of_memory(answer);
    json_object_put(json);
}

void answer_problem(struct answer *answer, const struct problem *problem)
{
    answer_clear(answer);
    answer_json(answer, problem->status, problem_json(problem));
    if (!answer->content_type)
        return; /* out of memory, and said so */
    answer->content_type = "application/problem+json";
    if (problem->status == 503)
        answer_header(answer, "retry-after:", "1");
}

void answer_error(struct answer *answer, int status, const char *code, const char *field,
                  const char *format, ...)
{
    char detail[PROBLEM_DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    struct problem problem;
    problem_set(&problem, status, code, field, "%s", detail);
    answer_problem(answer, &problem);
}

void answer_failure(struct answer *answer, enum rl_err err, const char *detail)
{
    const char *words = detail && *detail ? detail : rl_err_text(err);
    switch (err) {
    case RL_EFULL:
        answer_error(answer, 507, "STORAGE_FULL", NULL, "%s", words);
        break;
    case RL_EBUSY:
        answer_error(answer, 503, "OVER_BUDGET", NULL, "the catalogue is busy: %s", words);
        break;
    case RL_ENOMEM:
        answer_error(answer, 503, "OUT_OF_MEMORY", NULL, "%s", words);
        break;
    default:
        answer_error(answer, 503, "CATALOGUE_FAILED", NULL, "%s", words);
        break;
    }
}
