/* picture_recent: the pictures that were sent a moment ago, in memory. One event tells everybody of
 * a new picture, and all of them ask for it at once: only the first costs a look at the disk.
 * Loop thread. */
#ifndef REELD_SERVER_PICTURE_RECENT_H
#define REELD_SERVER_PICTURE_RECENT_H

#include <stddef.h>
#include <stdint.h>

#include "reeld/events.h"

enum {
    PICTURE_RECENT_SLOTS = 32,
    PICTURE_RECENT_BYTES = 32 * 1024, /* the largest that is kept: thumbnails of the usual width */
    PICTURE_RECENT_MS = 2000, /* then the disk is asked again, where it may have been removed */
};

/* Bytes that several answers send; freed with its last holder. */
struct shared_bytes {
    unsigned holders;
    size_t len; /* above 0 */
    unsigned char bytes[];
};

/* All zero: nothing is kept. */
struct picture_recent {
    struct picture_recent_slot {
        struct picture_key key;
        int64_t until_ns; /* of clock_mono_ns */
        struct shared_bytes *bytes;
    } slots[PICTURE_RECENT_SLOTS];
};

/* The picture, held for the caller; NULL: it is not kept, or was for too long. */
struct shared_bytes *picture_recent_get(struct picture_recent *recent,
                                        const struct picture_key *key, int64_t now_ns);

/* Keeps the `size` bytes of the open file, which stays the caller's, in the place of another. What
 * comes back is held for the caller; NULL: it is too large, cannot be read, or there is no memory.
 */
struct shared_bytes *picture_recent_put(struct picture_recent *recent,
                                        const struct picture_key *key, int fd, int64_t size,
                                        int64_t now_ns);

void shared_bytes_release(struct shared_bytes *shared); /* NULL: nothing */

/* Lets go of all that is kept. */
void picture_recent_clear(struct picture_recent *recent);

#endif
