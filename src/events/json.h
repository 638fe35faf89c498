/* Small steps towards json-c objects, shared by the files of this room. Any thread. */
#ifndef REELD_EVENTS_JSON_H
#define REELD_EVENTS_JSON_H

#include <json-c/json.h>

#include "reeld/events.h"

/* Adds `value` under `key` (a string literal: not copied) and owns it; NULL is JSON null. Sets
 * *failed when memory ran out. `object` may be NULL after an earlier failure. */
void json_add(struct json_object *object, const char *key, struct json_object *value, bool *failed);

/* `text`, or null when it is NULL or empty. */
void json_add_text(struct json_object *object, const char *key, const char *text, bool *failed);

void json_add_int(struct json_object *object, const char *key, int64_t value, bool *failed);

/* As json_add_int, but null for MEDIA_UNKNOWN. */
void json_add_known(struct json_object *object, const char *key, int64_t value, bool *failed);

/* Microseconds as a decimal number of seconds without rounding noise; null for MEDIA_UNKNOWN. */
void json_add_seconds(struct json_object *object, const char *key, int64_t us, bool *failed);

/* What json_add_path does, telling of failure. */
void json_add_path_checked(struct json_object *object, const char *key, const char *path,
                           bool *failed);

/* A progress from 0 to 1, as it is written. */
void json_progress_text(double progress, char out[16]);

#endif
