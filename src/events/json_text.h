/* JSON straight as text, for what is said so often that a tree of json-c's would be most of its
 * cost. Each appends to `out`, which has failed when memory ran out. Any thread. */
#ifndef REELD_EVENTS_JSON_TEXT_H
#define REELD_EVENTS_JSON_TEXT_H

#include <string.h>

#include "reeld/events.h"

/* Room for `len` further bytes, where they are to be written; NULL: out of memory. */
static inline char *json_room(struct buf *out, size_t len)
{
    if (out->cap - out->len <= len && !buf_reserve(out, len))
        return NULL;
    return out->data + out->len;
}

static inline void json_put(struct buf *out, const char *bytes, size_t len)
{
    char *at = json_room(out, len);
    if (!at)
        return;
    memcpy(at, bytes, len);
    out->len += len;
}

#define JSON_PUT(out, literal) json_put(out, literal, sizeof(literal) - 1)

/* Puts the 0 behind the last byte that buf's other functions put by themselves. */
static inline void json_end(struct buf *out)
{
    char *at = json_room(out, 0);
    if (at)
        *at = '\0';
}

/* The bytes between quotes, whatever they are, escaped as json-c does. */
void json_put_quoted(struct buf *out, const char *text, size_t len);

/* `text`, or null when it is empty or NULL. */
void json_put_text(struct buf *out, const char *text);

/* Bytes as text: lossy where they are not UTF-8, which the caller has looked at (`valid`). */
void json_put_lossy(struct buf *out, const char *bytes, bool valid);

/* The members `key` (with quotes and colon: "\"path\":") and, where the path is not UTF-8,
 * `uri_key` (the same, with a comma before it). Whether it is. */
bool json_put_path(struct buf *out, const char *key, const char *uri_key, const char *path);

void json_put_int(struct buf *out, int64_t value);

/* As json_put_int, but null for MEDIA_UNKNOWN. */
void json_put_known(struct buf *out, int64_t value);

/* Microseconds as a decimal number of seconds without rounding noise; null for MEDIA_UNKNOWN. */
void json_put_seconds(struct buf *out, int64_t us);

/* Milliseconds since 1970 as RFC 3339; null for 0 and MEDIA_UNKNOWN. */
void json_put_time(struct buf *out, int64_t wall_ms);

#endif
