/* feed_form: a frame of the ring in the form that a transport sends. Pure. */
#ifndef REELD_SERVER_FEED_FORM_H
#define REELD_SERVER_FEED_FORM_H

#include "feed.h"

/* Writes the frame at `position` to `out`, where feed_room() of its length must be; returns how
 * many bytes. `first`: nothing stands before it in this piece of output. */
size_t feed_form_write(uint8_t *out, enum feed_form form, const struct ring *ring,
                       uint64_t position, const char *catalog, bool first);

#endif
