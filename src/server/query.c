#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "quantity.h"
#include "query.h"

enum { US_PER_SECOND = 1000000 };

static bool read_integer(const struct query_field *field, const char *text, struct problem *problem)
{
    size_t len = strlen(text);
    errno = 0;
    int64_t number = strtoll(text, NULL, 10);
    if (len == 0 || strspn(text, "0123456789") != len || errno || number < field->min ||
        number > field->max)
        return problem_set(problem, 400, "BAD_PARAMETER", field->name,
                           "%s must be a whole number from %" PRId64 " to %" PRId64, field->name,
                           field->min, field->max);
    *(int64_t *)field->out = number;
    return true;
}

static bool read_choice(const struct query_field *field, const char *text, struct problem *problem)
{
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return problem_set(problem, 400, "BAD_PARAMETER", field->name, "%s must be true or false",
                           field->name);
    *(enum choice *)field->out = yes ? CHOICE_YES : CHOICE_NO;
    return true;
}

static bool read_seconds(const struct query_field *field, const char *text, struct problem *problem)
{
    int64_t us;
    if (!quantity_decimal(text, 6, field->max, &us) || us < field->min)
        return problem_set(problem, 400, "BAD_PARAMETER", field->name,
                           "%s must be a number of seconds, such as 90 or 12.5, %s 0 and at most "
                           "%" PRId64,
                           field->name, field->min > 0 ? "above" : "at least",
                           field->max / US_PER_SECOND);
    *(int64_t *)field->out = us;
    return true;
}

static bool read_time(const struct query_field *field, const char *text, struct problem *problem)
{
    return quantity_time(text, field->out) ||
           problem_set(problem, 400, "BAD_PARAMETER", field->name,
                       "%s must be a time such as 2026-11-22T15:10:00Z, or seconds since 1970",
                       field->name);
}

static bool read_arg(const struct query_field *field, const char *text, struct problem *problem)
{
    switch (field->type) {
    case QUERY_INTEGER:
        return read_integer(field, text, problem);
    case QUERY_CHOICE:
        return read_choice(field, text, problem);
    case QUERY_SECONDS:
        return read_seconds(field, text, problem);
    case QUERY_TIME:
        return read_time(field, text, problem);
    case QUERY_TEXT:
        if (!utf8_valid(text, strlen(text)))
            return problem_set(problem, 400, "BAD_PARAMETER", field->name, "%s is not UTF-8",
                               field->name);
        break;
    case QUERY_BYTES:
        break;
    }
    *(const char **)field->out = text;
    return true;
}

/* Whether an argument of that name stands before the one at `end`. */
static bool is_repeated(const struct request *request, size_t end)
{
    for (size_t a = 0; a < end; a++) {
        if (strcmp(request->args[a].name, request->args[end].name) == 0)
            return true;
    }
    return false;
}

static bool is_among(const char *name, const char *const *names)
{
    for (; names && *names; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

bool query_read_beside(const struct request *request, const char *const *others,
                       const struct query_field *fields, size_t n_fields, struct problem *problem)
{
    for (size_t a = 0; a < request->n_args; a++) {
        const struct query_arg *arg = &request->args[a];
        if (is_among(arg->name, others))
            continue;
        size_t i = 0;
        while (i < n_fields && strcmp(fields[i].name, arg->name) != 0)
            i++;
        if (i == n_fields)
            return problem_set(
                problem, 400, "UNKNOWN_PARAMETER", arg->name,
                "there is no parameter of this name; in a value, write & as %%26 and ; as %%3B");
        if (is_repeated(request, a))
            return problem_set(problem, 400, "REPEATED_PARAMETER", arg->name,
                               "%s may be given only once", fields[i].name);
        if (!read_arg(&fields[i], arg->value, problem))
            return false;
    }
    return true;
}

bool query_read(const struct request *request, const struct query_field *fields, size_t n_fields,
                struct problem *problem)
{
    return query_read_beside(request, NULL, fields, n_fields, problem);
}
