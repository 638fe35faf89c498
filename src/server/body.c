#include <math.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "body.h"
#include "reeld/base.h"

static struct json_object *parse_object(const char *bytes, size_t len, struct problem *problem)
{
    struct json_tokener *tokener = json_tokener_new_ex(BODY_DEPTH_MAX);
    if (!tokener) {
        problem_set(problem, 503, "OUT_OF_MEMORY", NULL, "out of memory");
        return NULL;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *json = json_tokener_parse_ex(tokener, bytes, (int)len);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);
    while (error == json_tokener_success && end < len && bytes[end] &&
           strchr(" \t\r\n", bytes[end]))
        end++; /* only white space may follow */
    if (error != json_tokener_success || end < len) {
        const char *what = error == json_tokener_success    ? "there is more behind the value"
                           : error == json_tokener_continue ? "it ends too early"
                                                            : json_tokener_error_desc(error);
        problem_set(problem, 400, "MALFORMED_JSON", NULL, "it is not JSON: %s", what);
        json_object_put(json);
        return NULL;
    }
    if (!json_object_is_type(json, json_type_object)) {
        problem_set(problem, 400, "NOT_AN_OBJECT", NULL, "it must be a JSON object");
        json_object_put(json);
        return NULL;
    }
    return json;
}

/* The parser keeps the last of two members of one name. `bytes` is known to be JSON: counts the
 * colons outside of its strings, which stand one behind each name. */
static int count_names(const char *bytes, size_t len)
{
    int names = 0;
    bool in_text = false;
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (c == '"')
            in_text = !in_text;
        else if (in_text && c == '\\')
            i++;
        else if (!in_text && c == ':')
            names++;
    }
    return names;
}

/* The members of `json` and of all within it. No deeper than BODY_DEPTH_MAX. */
static int count_members(struct json_object *json)
{
    int members = 0;
    if (json_object_is_type(json, json_type_object)) {
        members = json_object_object_length(json);
        json_object_object_foreach(json, key, value)
        {
            (void)key;
            members += count_members(value);
        }
    } else if (json_object_is_type(json, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(json); i++)
            members += count_members(json_object_array_get_idx(json, i));
    }
    return members;
}

static bool read_text(const struct body_field *field, struct json_object *value,
                      struct problem *problem)
{
    if (!json_object_is_type(value, json_type_string))
        return problem_set(problem, 422, "WRONG_TYPE", field->name, "%s must be a string",
                           field->name);
    const char *text = json_object_get_string(value);
    if (strlen(text) != (size_t)json_object_get_string_len(value))
        return problem_set(problem, 422, "BAD_VALUE", field->name, "%s has a NUL character",
                           field->name);
    *(const char **)field->out = text;
    return true;
}

static bool read_number(const struct body_field *field, struct json_object *value,
                        struct problem *problem)
{
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return problem_set(problem, 422, "WRONG_TYPE", field->name, "%s must be a number",
                           field->name);
    double number = json_object_get_double(value);
    if (!isfinite(number) || number < field->min || number > field->max)
        return problem_set(problem, 422, "OUT_OF_RANGE", field->name, "%s must be from %g to %g",
                           field->name, field->min, field->max);
    *(double *)field->out = number;
    return true;
}

static bool read_field(const struct body_field *field, struct json_object *value,
                       struct problem *problem)
{
    switch (field->type) {
    case BODY_TEXT:
        return read_text(field, value, problem);
    case BODY_BOOL:
        if (!json_object_is_type(value, json_type_boolean))
            return problem_set(problem, 422, "WRONG_TYPE", field->name, "%s must be true or false",
                               field->name);
        *(bool *)field->out = json_object_get_boolean(value);
        return true;
    case BODY_NUMBER:
        return read_number(field, value, problem);
    case BODY_OBJECT:
        if (!json_object_is_type(value, json_type_object))
            return problem_set(problem, 422, "WRONG_TYPE", field->name, "%s must be an object",
                               field->name);
        *(struct json_object **)field->out = value;
        return true;
    case BODY_LIST:
        if (!json_object_is_type(value, json_type_array))
            return problem_set(problem, 422, "WRONG_TYPE", field->name, "%s must be a list",
                               field->name);
        *(struct json_object **)field->out = value;
        return true;
    }
    return false;
}

bool body_members(struct json_object *json, const struct body_field *fields, size_t n_fields,
                  struct problem *problem)
{
    json_object_object_foreach(json, key, value)
    {
        size_t i = 0;
        while (i < n_fields && strcmp(fields[i].name, key) != 0)
            i++;
        if (i == n_fields)
            return problem_set(problem, 422, "UNKNOWN_FIELD", key,
                               "there is no member of this name");
        if (!read_field(&fields[i], value, problem))
            return false;
    }
    for (size_t i = 0; i < n_fields; i++) {
        if (fields[i].required && !json_object_object_get_ex(json, fields[i].name, NULL))
            return problem_set(problem, 422, "MISSING_FIELD", fields[i].name, "%s must be given",
                               fields[i].name);
    }
    return true;
}

bool body_parse(const char *bytes, size_t len, const struct body_field *fields, size_t n_fields,
                struct json_object **out, struct problem *problem)
{
    struct json_object *json = parse_object(bytes, len, problem);
    if (!json)
        return false;
    bool ok = count_names(bytes, len) == count_members(json) ||
              problem_set(problem, 400, "DUPLICATE_FIELD", NULL, "a member is there twice");
    if (ok)
        ok = body_members(json, fields, n_fields, problem);
    if (!ok) {
        json_object_put(json);
        return false;
    }
    *out = json;
    return true;
}
