/* The inside of the ring: ring.c keeps the frames, ring_index.c finds among them. Loop thread. */
#ifndef REELD_EVENTS_RING_PRIVATE_H
#define REELD_EVENTS_RING_PRIVATE_H

#include "reeld/events.h"

#define NO_POSITION UINT64_MAX

enum { RING_JOBS = 16 };

/* One frame. The two running totals make every question about a stretch of the ring a matter of two
 * slots, or of a bisection. */
struct slot {
    struct ring_entry entry;
    size_t offset;   /* in ring.bytes */
    uint64_t before; /* bytes of all frames that were appended before it */
    int64_t last;    /* the highest sequence up to and with it */
};

/* The last progress frame of a job that is still running. */
struct ring_progress {
    uint64_t job; /* 0: a free place */
    uint64_t position;
};

/* Frames lie one behind the other in `bytes`; one that does not fit before the end starts again at
 * 0, so every frame is contiguous. `slots` says where each lies, by position modulo its size. */
struct ring {
    uint8_t *bytes;
    struct slot *slots;
    size_t size, mask;
    size_t write;        /* where the next frame goes, unless it has to wrap */
    size_t used;         /* bytes of frames kept */
    uint64_t total;      /* bytes of all frames that were ever appended */
    uint64_t head, tail; /* positions */
    int64_t last;        /* the highest sequence that was appended or lost */
    int64_t floor;       /* the highest sequence that is no longer here */
    bool unnumbered;     /* behind it a durable event without a number was dropped */
    uint64_t heartbeat;  /* position of the last one, or NO_POSITION */
    struct ring_progress progress[RING_JOBS];
};

static inline struct slot *ring_slot(const struct ring *ring, uint64_t position)
{
    return &ring->slots[position & ring->mask];
}

/* Marks what the frame at `position`, which was just appended, makes superfluous. */
void ring_supersede(struct ring *ring, const struct ring_entry *entry, uint64_t position);

#endif
