/* feed: what one client is due of the ring: a cursor, and what it asked for. The same for every
 * transport; no I/O here, and nothing is queued for a client. Loop thread. */
#ifndef REELD_SERVER_FEED_H
#define REELD_SERVER_FEED_H

#include "reeld/events.h"
#include "subscription.h"

enum feed_form {
    FEED_FRAMES, /* WebSocket frames, as they lie in the ring */
    FEED_SSE,    /* Server-Sent Events (WHATWG HTML §9.2): "id: …\ndata: …\n\n", a comment for
                    HEARTBEAT */
    FEED_JSON,   /* JSON texts with a comma between them; topic meta is left out */
};

#define HELD_NONE UINT64_MAX

/* Jobs whose progress is held back for one client at a time; that of further ones is not. */
enum { FEED_JOBS_MAX = 4 };

/* For a client that wants progress at most every so often: when the next of this job may go, and
 * what had to wait. */
struct feed_pace {
    uint64_t job;    /* 0: a free place */
    int64_t next_ns; /* clock_mono_ns() */
    uint64_t held;   /* position of the newest one that waits; HELD_NONE: none does */
    uint64_t first;  /* of the first one that had to, when one does */
};

struct feed {
    struct subscription wanted;
    uint64_t cursor;     /* position of the next frame to be looked at */
    uint64_t replay_end; /* before it only durable events are due */
    int64_t after;       /* durable events up to this sequence are not due: the client has them */
    enum feed_form form;
    bool resumed; /* it goes on where an earlier poll of the client ended */
    struct feed_pace pace[FEED_JOBS_MAX];
};

/* Everything, from now on. */
void feed_start(struct feed *feed, const struct ring *ring, enum feed_form form);

/* What is wanted from here on. Without `since` the client goes on where it is. With it, what
 * follows is every durable event after it in order, then what comes live; nothing of it twice.
 * Returns whether that is so (`recovered`); false: the ring does not reach back that far, or the
 * position is of another catalogue or ahead of `newest`, the catalogue's last sequence: live from
 * now on. `epoch` and `catalog`: this process's. */
bool feed_subscribe(struct feed *feed, const struct ring *ring, const struct subscribe *subscribe,
                    const char *catalog, uint32_t epoch, int64_t newest);

/* Whether there may be something to take: frames not looked at, or a held one whose time came. */
bool feed_pending(const struct feed *feed, const struct ring *ring, int64_t now_ns);

/* Whether the tail passed the cursor: the client was overtaken and nothing can be taken. */
bool feed_overtaken(const struct feed *feed, const struct ring *ring);

/* clock_mono_ns() at which a held frame is due; INT64_MAX: none is held. */
int64_t feed_next_ns(const struct feed *feed);

struct feed_run {
    const uint8_t *bytes; /* in the ring or in the scratch; valid until the next append or take */
    bool in_ring;         /* not in the scratch */
    size_t len;           /* 0: nothing of what was looked at was due */
    size_t frames;
    size_t replayed;   /* of them, from before the subscription */
    size_t conflated;  /* superseded frames left out because the client lags */
    int64_t oldest_ns; /* made_ns of the oldest live one; 0: none */
};

/* Takes what is due next, whole frames of at most `max` bytes together but at least one, and moves
 * the cursor behind it and behind what is not due. All that the client wants unchanged is not
 * copied: `bytes` is in the ring. The rest is put together in `scratch` of `size` bytes (it must
 * hold the largest frame of the ring in any form: see feed_room). A client that is more than a
 * quarter of the ring behind lags: it gets no superseded frames. */
void feed_take(struct feed *feed, const struct ring *ring, const char *catalog, int64_t now_ns,
               size_t max, uint8_t *scratch, size_t size, struct feed_run *out);

/* Only the first `sent` bytes of the run just taken went out. Those of its frames of which nothing
 * did come again with the next take; `run` then ends with the frame that went out in part, whose
 * rest is the caller's to send. What lies in the scratch stays taken. */
void feed_put_back(struct feed *feed, const struct ring *ring, struct feed_run *run, size_t sent);

/* Scratch bytes for one frame of `frame_len` in any form. */
size_t feed_room(size_t frame_len);

/* Where the client is now, for its next `since`: behind all that was taken. Progress that is held
 * comes again there, unless something else would come twice. */
void feed_position(const struct feed *feed, const struct ring *ring, const char *catalog,
                   uint32_t epoch, struct position *out);

#endif
