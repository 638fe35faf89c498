/* body: a JSON object from outside, checked member by member. Pure; any thread. */
#ifndef REELD_SERVER_BODY_H
#define REELD_SERVER_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "problem.h"

struct json_object;

enum { BODY_DEPTH_MAX = 16 };

enum body_type {
    BODY_TEXT,   /* out: const char *, without NUL bytes, as long-lived as the parsed object */
    BODY_BOOL,   /* out: bool */
    BODY_NUMBER, /* out: double between min and max; any JSON number */
    BODY_OBJECT, /* out: struct json_object *, borrowed likewise */
    BODY_LIST,   /* the same, of an array */
};

struct body_field {
    const char *name;
    enum body_type type;
    bool required;
    double min, max;
    void *out; /* left alone when the member is not there */
};

/* Parses `len` bytes strictly (RFC 8259: UTF-8, nothing behind the value, no member named twice) as
 * an object that has only members of `fields`. On success the caller owns *out. On failure
 * `problem` says what is wrong: 400 where it is not JSON, 422 where a member is. */
bool body_parse(const char *bytes, size_t len, const struct body_field *fields, size_t n_fields,
                struct json_object **out, struct problem *problem);

/* The same checks of the members of an object within: one that was read as BODY_OBJECT. */
bool body_members(struct json_object *json, const struct body_field *fields, size_t n_fields,
                  struct problem *problem);

#endif
