#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "members.h"
#include "problem.h"
#include "reeld/base.h"

static const struct {
    int status;
    const char *title;
} titles[] = {
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {507, "Insufficient Storage"},
};

const char *problem_title(int status)
{
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        if (titles[i].status == status)
            return titles[i].title;
    }
    return "Error";
}

/* Copies `text` as well-formed UTF-8, cut at a character. */
static void copy_text(char *out, size_t size, const char *text)
{
    struct buf lossy = {0};
    utf8_append_lossy(&lossy, text, strlen(text));
    size_t len = lossy.failed ? 0 : lossy.len;
    if (len >= size)
        len = size - 1;
    while (len > 0 && !utf8_valid(lossy.data, len))
        len--;
    if (len)
        memcpy(out, lossy.data, len);
    out[len] = '\0';
    buf_free(&lossy);
}

bool problem_set(struct problem *problem, int status, const char *code, const char *field,
                 const char *format, ...)
{
    char detail[PROBLEM_DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    problem->status = status;
    problem->code = code;
    copy_text(problem->field, sizeof problem->field, field ? field : "");
    copy_text(problem->detail, sizeof problem->detail, detail);
    return false;
}

struct json_object *problem_json(const struct problem *problem)
{
    struct members json = members_new();
    members_text(&json, "type", "about:blank");
    members_text(&json, "title", problem_title(problem->status));
    members_int(&json, "status", problem->status);
    members_text(&json, "detail", problem->detail);
    members_text(&json, "code", problem->code);
    members_text(&json, "message", problem->detail);
    if (problem->field[0])
        members_text(&json, "field", problem->field);
    return members_done(&json);
}
