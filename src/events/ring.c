#include <stdlib.h>
#include <string.h>

#include "ring_private.h"

enum { RING_BYTES_MIN = 64 * 1024, FRAME_HEADER_SHORT = 2 };

struct ring *ring_new(size_t bytes, size_t frames, int64_t sequence)
{
    if (bytes < RING_BYTES_MIN || frames == 0 || (frames & (frames - 1)) != 0)
        return NULL;
    struct ring *ring = calloc(1, sizeof *ring);
    if (!ring)
        return NULL;
    ring->bytes = malloc(bytes);
    ring->slots = calloc(frames, sizeof *ring->slots);
    ring->size = bytes;
    ring->mask = frames - 1;
    ring->last = ring->floor = sequence;
    ring->heartbeat = NO_POSITION;
    if (!ring->bytes || !ring->slots) {
        ring_free(ring);
        return NULL;
    }
    return ring;
}

void ring_free(struct ring *ring)
{
    if (!ring)
        return;
    free(ring->bytes);
    free(ring->slots);
    free(ring);
}

static void ring_drop_oldest(struct ring *ring)
{
    const struct slot *slot = ring_slot(ring, ring->tail);
    if (slot->last > ring->floor) {
        ring->floor = slot->last;
        ring->unnumbered = false;
    }
    /* The end of a job that could not be written: who knows only what came before would miss it. */
    if (slot->entry.sequence == 0 && event_type_durable(slot->entry.type))
        ring->unnumbered = true;
    ring->used -= slot->entry.len;
    ring->tail++;
}

/* Whether [start, start + len) touches the oldest frame. Frames lie in order of age, so when it
 * does not, it touches none. */
static bool ring_hits_oldest(const struct ring *ring, size_t start, size_t len)
{
    if (ring->tail == ring->head)
        return false;
    const struct slot *oldest = ring_slot(ring, ring->tail);
    return oldest->offset < start + len && start < oldest->offset + oldest->entry.len;
}

/* Makes room for `len` contiguous bytes at ring->write. */
static void ring_make_room(struct ring *ring, size_t len)
{
    if (ring->write + len > ring->size) {
        /* What lies between here and the end is older than what lies at 0: it must go first, or
         * the order of age would break. */
        while (ring->tail != ring->head && ring_slot(ring, ring->tail)->offset >= ring->write)
            ring_drop_oldest(ring);
        ring->write = 0;
    }
    while (ring_hits_oldest(ring, ring->write, len) || ring->head - ring->tail > ring->mask)
        ring_drop_oldest(ring);
}

enum rl_err ring_append(struct ring *ring, const struct event *event)
{
    size_t len = event->frame_len;
    if (len > ring->size / 2)
        return RL_EINVAL;
    ring_make_room(ring, len);
    memcpy(ring->bytes + ring->write, event->frame, len);
    if (event->sequence > ring->last)
        ring->last = event->sequence;
    struct slot *slot = ring_slot(ring, ring->head);
    *slot = (struct slot){
        .entry = {.sequence = event->sequence,
                  .made_ns = event->made_ns,
                  .job = event_job_key(event->job_id),
                  .type = event->type,
                  .len = (uint32_t)len,
                  .terminal = event->terminal},
        .offset = ring->write,
        .before = ring->total,
        .last = ring->last,
    };
    ring_supersede(ring, &slot->entry, ring->head);
    ring->write += len;
    ring->used += len;
    ring->total += len;
    ring->head++;
    return RL_OK;
}

void ring_lost(struct ring *ring, int64_t sequence)
{
    while (ring->tail != ring->head)
        ring_drop_oldest(ring);
    /* Nothing has this position: also a client that waits at the head is overtaken. */
    ring->tail = ++ring->head;
    if (sequence > ring->last)
        ring->last = sequence;
    ring->floor = ring->last;
    ring->unnumbered = false;
}

uint64_t ring_head(const struct ring *ring)
{
    return ring->head;
}

uint64_t ring_tail(const struct ring *ring)
{
    return ring->tail;
}

int64_t ring_sequence(const struct ring *ring)
{
    return ring->last;
}

const struct ring_entry *ring_entry_at(const struct ring *ring, uint64_t position)
{
    return &ring_slot(ring, position)->entry;
}

const uint8_t *ring_frame_at(const struct ring *ring, uint64_t position)
{
    return ring->bytes + ring_slot(ring, position)->offset;
}

const char *ring_json_at(const struct ring *ring, uint64_t position, size_t *len)
{
    /* RFC 6455 §5.2: a length of 126 or 127 says that 2 or 8 bytes of length follow. */
    const uint8_t *frame = ring_frame_at(ring, position);
    size_t head = FRAME_HEADER_SHORT;
    if (frame[1] == 126)
        head += 2;
    else if (frame[1] == 127)
        head += 8;
    *len = ring_entry_at(ring, position)->len - head;
    return (const char *)frame + head;
}

size_t ring_bytes_used(const struct ring *ring)
{
    return ring->used;
}

size_t ring_bytes_size(const struct ring *ring)
{
    return ring->size;
}
