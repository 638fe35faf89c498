#include "ring_private.h"

/* ---- what supersedes what ------------------------------------------------------------------- */

static void mark_superseded(struct ring *ring, uint64_t position)
{
    if (position != NO_POSITION && position >= ring->tail)
        ring_slot(ring, position)->entry.superseded = true;
}

/* The place of `job`; when it has none, a free one, or that of the job that was silent longest. */
static struct ring_progress *progress_place(struct ring *ring, uint64_t job)
{
    struct ring_progress *best = &ring->progress[0];
    for (size_t i = 0; i < RING_JOBS; i++) {
        struct ring_progress *place = &ring->progress[i];
        if (place->job == job)
            return place;
        if (best->job && (!place->job || place->position < best->position))
            best = place;
    }
    return best;
}

void ring_supersede(struct ring *ring, const struct ring_entry *entry, uint64_t position)
{
    if (entry->type == EVENT_HEARTBEAT) {
        mark_superseded(ring, ring->heartbeat);
        ring->heartbeat = position;
        return;
    }
    bool progress = event_type_progress(entry->type);
    if (!entry->job || (!progress && !entry->terminal))
        return;
    struct ring_progress *place = progress_place(ring, entry->job);
    bool known = place->job == entry->job;
    if (known)
        mark_superseded(ring, place->position);
    if (progress)
        *place = (struct ring_progress){.job = entry->job, .position = position};
    else if (known)
        place->job = 0;
}

/* ---- where things are ----------------------------------------------------------------------- */

/* Whether the frames `first` to `last` lie one behind the other in at most `max` bytes. Of the
 * frames kept, those behind the wrap lie before those that are older. */
static bool fits_run(const struct slot *first, const struct slot *last, size_t max)
{
    return last->offset >= first->offset && last->offset + last->entry.len - first->offset <= max;
}

uint64_t ring_run(const struct ring *ring, uint64_t position, size_t max, const uint8_t **bytes,
                  size_t *len)
{
    *bytes = NULL;
    *len = 0;
    if (position >= ring->head)
        return position;
    const struct slot *first = ring_slot(ring, position);
    /* `last` belongs to the run; `beyond` does not. Most often all that is there is due. */
    uint64_t last = position, beyond = ring->head;
    if (fits_run(first, ring_slot(ring, beyond - 1), max))
        last = beyond - 1;
    while (last + 1 < beyond) {
        uint64_t middle = last + (beyond - last) / 2;
        if (fits_run(first, ring_slot(ring, middle), max))
            last = middle;
        else
            beyond = middle;
    }
    const struct slot *end = ring_slot(ring, last);
    *bytes = ring->bytes + first->offset;
    *len = end->offset + end->entry.len - first->offset;
    return last + 1;
}

uint64_t ring_behind(const struct ring *ring, uint64_t position)
{
    return position == ring->head ? 0 : ring->total - ring_slot(ring, position)->before;
}

/* The first position whose events reach `sequence`; the head when none does. */
static uint64_t first_reaching(const struct ring *ring, int64_t sequence)
{
    uint64_t low = ring->tail, high = ring->head;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (ring_slot(ring, middle)->last >= sequence)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int64_t ring_sequence_before(const struct ring *ring, uint64_t position)
{
    return position == ring->tail ? ring->floor : ring_slot(ring, position - 1)->last;
}

bool ring_after(const struct ring *ring, int64_t sequence, uint64_t *position)
{
    if (sequence < ring->floor || (sequence == ring->floor && ring->unnumbered))
        return false;
    uint64_t next = sequence < ring->last ? first_reaching(ring, sequence + 1) : ring->head;
    if (sequence <= ring->last && next > ring->tail) {
        /* What is not durable lies between the last one that is not after it and `next`. */
        int64_t before = ring_slot(ring, next - 1)->last;
        next = first_reaching(ring, before);
        if (before > 0 && ring_entry_at(ring, next)->sequence == before)
            next++;
    }
    *position = next;
    return true;
}
