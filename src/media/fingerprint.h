/* fingerprint: tells whether two files have the same content, cheaply: their size and both ends. */
#ifndef REELD_MEDIA_FINGERPRINT_H
#define REELD_MEDIA_FINGERPRINT_H

#include <stdint.h>

#include "fd_io.h"

/* XXH3-64 (seed 0) of the size as eight little-endian bytes, the first 64 KiB and the last 64 KiB.
 * Of a smaller file both are the whole file; the two may overlap. 0, AVERROR(ENOMEM), or
 * AVERROR(EIO) when the file cannot be read or has become shorter. */
int fingerprint_make(struct fd_io *io, uint64_t *out);

#endif
