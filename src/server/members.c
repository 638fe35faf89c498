#include "members.h"

struct members members_new(void)
{
    struct json_object *json = json_object_new_object();
    return (struct members){.json = json, .failed = !json};
}

void members_add_or_null(struct members *members, const char *key, struct json_object *value)
{
    if (!members->failed && json_object_object_add(members->json, key, value) == 0)
        return;
    members->failed = true;
    json_object_put(value);
}

void members_add(struct members *members, const char *key, struct json_object *value)
{
    if (value)
        members_add_or_null(members, key, value);
    else
        members->failed = true;
}

void members_text(struct members *members, const char *key, const char *value)
{
    if (value)
        members_add(members, key, json_object_new_string(value));
    else
        members_add_or_null(members, key, NULL);
}

void members_int(struct members *members, const char *key, int64_t value)
{
    members_add(members, key, json_object_new_int64(value));
}

void members_bool(struct members *members, const char *key, bool value)
{
    members_add(members, key, json_object_new_boolean(value));
}

void members_append(struct members *members, struct json_object *array, struct json_object *value)
{
    if (array && value && json_object_array_add(array, value) == 0)
        return;
    members->failed = true;
    json_object_put(value);
}

struct json_object *members_done(struct members *members)
{
    if (members->failed) {
        json_object_put(members->json);
        members->json = NULL;
    }
    return members->json;
}
