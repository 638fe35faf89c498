#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "feed_form.h"

/* The names of fields and the id of an event before its JSON, and the empty line behind it. */
enum { FORM_EXTRA = sizeof "id: " + CATALOG_ID_SIZE + 1 + 20 + sizeof "\ndata: \n\n" };

size_t feed_room(size_t frame_len)
{
    return frame_len + FORM_EXTRA;
}

static size_t write_sse(uint8_t *out, const struct ring_entry *entry, const char *json, size_t len,
                        const char *catalog)
{
    static const char data[] = "data: ", comment[] = ":\n\n";
    if (entry->type == EVENT_HEARTBEAT) {
        memcpy(out, comment, sizeof comment - 1);
        return sizeof comment - 1;
    }
    size_t at = 0;
    if (entry->sequence)
        at = (size_t)snprintf((char *)out, FORM_EXTRA, "id: %s:%" PRId64 "\n", catalog,
                              entry->sequence);
    memcpy(out + at, data, sizeof data - 1);
    at += sizeof data - 1;
    memcpy(out + at, json, len);
    at += len;
    memcpy(out + at, "\n\n", 2);
    return at + 2;
}

size_t feed_form_write(uint8_t *out, enum feed_form form, const struct ring *ring,
                       uint64_t position, const char *catalog, bool first)
{
    const struct ring_entry *entry = ring_entry_at(ring, position);
    size_t len, comma = first ? 0 : 1;
    const char *json = ring_json_at(ring, position, &len);
    switch (form) {
    case FEED_FRAMES:
        memcpy(out, ring_frame_at(ring, position), entry->len);
        return entry->len;
    case FEED_SSE:
        return write_sse(out, entry, json, len, catalog);
    case FEED_JSON:
        out[0] = ',';
        memcpy(out + comma, json, len);
        return comma + len;
    }
    return 0;
}
