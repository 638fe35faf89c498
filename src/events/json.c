#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { JSON_ADD_FLAGS = JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT };

void json_add(struct json_object *object, const char *key, struct json_object *value, bool *failed)
{
    if (!object || json_object_object_add_ex(object, key, value, JSON_ADD_FLAGS) != 0) {
        json_object_put(value);
        *failed = true;
    }
}

void json_add_text(struct json_object *object, const char *key, const char *text, bool *failed)
{
    struct json_object *value = NULL;
    if (text && *text) {
        value = json_object_new_string(text);
        if (!value)
            *failed = true;
    }
    json_add(object, key, value, failed);
}

void json_add_int(struct json_object *object, const char *key, int64_t value, bool *failed)
{
    struct json_object *number = json_object_new_int64(value);
    if (!number)
        *failed = true;
    json_add(object, key, number, failed);
}

void json_add_known(struct json_object *object, const char *key, int64_t value, bool *failed)
{
    if (value == MEDIA_UNKNOWN)
        json_add(object, key, NULL, failed);
    else
        json_add_int(object, key, value, failed);
}

void json_add_seconds(struct json_object *object, const char *key, int64_t us, bool *failed)
{
    struct json_object *number = NULL;
    if (us != MEDIA_UNKNOWN) {
        char text[40];
        uint64_t size = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
        int len = snprintf(text, sizeof text, "%s%" PRIu64 ".%06" PRIu64, us < 0 ? "-" : "",
                           size / 1000000, size % 1000000);
        while (len > 2 && text[len - 1] == '0' && text[len - 2] != '.')
            text[--len] = '\0';
        number = json_object_new_double_s((double)us / 1e6, text);
        if (!number)
            *failed = true;
    }
    json_add(object, key, number, failed);
}

void json_add_path_checked(struct json_object *object, const char *key, const char *path,
                           bool *failed)
{
    struct buf text = {0};
    size_t len = strlen(path);
    utf8_append_lossy(&text, path, len);
    json_add_text(object, key, text.data, failed);
    if (!utf8_valid(path, len)) {
        char uri_key[32];
        snprintf(uri_key, sizeof uri_key, "%s_uri", key);
        buf_clear(&text);
        path_uri_encode(&text, path);
        struct json_object *uri = text.failed ? NULL : json_object_new_string(text.data);
        if (!object || !uri || json_object_object_add(object, uri_key, uri) != 0) {
            json_object_put(uri);
            *failed = true;
        }
    }
    *failed |= text.failed;
    buf_free(&text);
}

void json_add_path(struct json_object *object, const char *key, const char *path)
{
    bool failed = false;
    json_add_path_checked(object, key, path, &failed);
}

struct json_object *json_time(int64_t wall_ms)
{
    if (wall_ms == 0 || wall_ms == MEDIA_UNKNOWN)
        return NULL;
    char text[CLOCK_TEXT_SIZE];
    clock_rfc3339(wall_ms, text);
    return json_object_new_string(text);
}

struct json_object *json_event_id(const char *catalog_id, int64_t sequence)
{
    char text[CATALOG_ID_SIZE + 24];
    snprintf(text, sizeof text, "%s:%" PRId64, catalog_id, sequence);
    return json_object_new_string(text);
}
