#include <errno.h>
#include <libavutil/error.h>
#include <stdlib.h>
#include <xxhash.h>

#include "fingerprint.h"

enum { FINGERPRINT_END = 64 * 1024 };

int fingerprint_make(struct fd_io *io, uint64_t *out)
{
    int64_t end = io->size < FINGERPRINT_END ? io->size : FINGERPRINT_END;
    size_t len = (size_t)end;
    int err = 0;
    unsigned char size[8];
    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)((uint64_t)io->size >> (8 * i));

    char *bytes = malloc(2 * FINGERPRINT_END);
    XXH3_state_t *state = XXH3_createState();
    if (!bytes || !state) {
        err = AVERROR(ENOMEM);
        goto out;
    }
    if (!fd_io_read_at(io, 0, bytes, len) || !fd_io_read_at(io, io->size - end, bytes + len, len)) {
        err = AVERROR(EIO);
        goto out;
    }
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, size, sizeof size);
    XXH3_64bits_update(state, bytes, 2 * len);
    *out = XXH3_64bits_digest(state);
out:
    XXH3_freeState(state);
    free(bytes);
    return err;
}
