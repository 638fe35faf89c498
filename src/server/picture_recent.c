#include "picture_recent.h"

#include <stdlib.h>

#include "file_send.h"
#include "reeld/base.h"

/* Videos that came together have numbers in a row. */
static struct picture_recent_slot *slot_of(struct picture_recent *recent,
                                           const struct picture_key *key)
{
    return &recent->slots[(uint64_t)key->number % PICTURE_RECENT_SLOTS];
}

static bool same(const struct picture_key *a, const struct picture_key *b)
{
    return a->number == b->number && a->version == b->version && a->form == b->form &&
           a->width == b->width;
}

struct shared_bytes *picture_recent_get(struct picture_recent *recent,
                                        const struct picture_key *key, int64_t now_ns)
{
    struct picture_recent_slot *slot = slot_of(recent, key);
    if (!slot->bytes || now_ns >= slot->until_ns || !same(&slot->key, key))
        return NULL;
    slot->bytes->holders++;
    return slot->bytes;
}

struct shared_bytes *picture_recent_put(struct picture_recent *recent,
                                        const struct picture_key *key, int fd, int64_t size,
                                        int64_t now_ns)
{
    if (size < 1 || size > PICTURE_RECENT_BYTES)
        return NULL;
    struct shared_bytes *shared = malloc(sizeof *shared + (size_t)size);
    if (!shared)
        return NULL;
    *shared = (struct shared_bytes){.holders = 2, .len = (size_t)size};
    struct file_send file; /* not closed: the descriptor is the caller's */
    file_send_open(&file, fd, 0, size);
    if (file_send_read(&file, shared->bytes, shared->len) != size) {
        free(shared);
        return NULL;
    }
    struct picture_recent_slot *slot = slot_of(recent, key);
    shared_bytes_release(slot->bytes);
    *slot = (struct picture_recent_slot){
        .key = *key,
        .until_ns = now_ns + PICTURE_RECENT_MS * INT64_C(1000000),
        .bytes = shared,
    };
    return shared;
}

void shared_bytes_release(struct shared_bytes *shared)
{
    if (shared && --shared->holders == 0)
        free(shared);
}

void picture_recent_clear(struct picture_recent *recent)
{
    for (size_t i = 0; i < PICTURE_RECENT_SLOTS; i++)
        shared_bytes_release(recent->slots[i].bytes);
    *recent = (struct picture_recent){0};
}
