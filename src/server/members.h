/* members: a JSON object put together member by member, with one check at the end. Any thread. */
#ifndef REELD_SERVER_MEMBERS_H
#define REELD_SERVER_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

/* `failed` sticks after the first allocation failure. Keys are copied. */
struct members {
    struct json_object *json;
    bool failed;
};

struct members members_new(void);

/* Adds `value` and owns it, also on failure. NULL: could not be made. */
void members_add(struct members *members, const char *key, struct json_object *value);

/* As members_add, but NULL is JSON null. */
void members_add_or_null(struct members *members, const char *key, struct json_object *value);

void members_text(struct members *members, const char *key, const char *value); /* NULL: null */
void members_int(struct members *members, const char *key, int64_t value);
void members_bool(struct members *members, const char *key, bool value);

/* Appends `value` to the array `array` and owns it; NULL: could not be made. */
void members_append(struct members *members, struct json_object *array, struct json_object *value);

/* The finished object, the caller's; NULL when anything failed. */
struct json_object *members_done(struct members *members);

#endif
