/* fd_io: libavformat's view of one open file descriptor. Everything is read with pread, so that the
 * descriptor's own offset is neither used nor moved. */
#ifndef REELD_MEDIA_FD_IO_H
#define REELD_MEDIA_FD_IO_H

#include <libavformat/avio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fd_io {
    int fd;
    int64_t size;     /* bytes, as fstat said at the start; what was appended later is not read */
    int64_t position; /* of libavformat's next read */
    int read_error;   /* errno of the first read that failed; 0: none */
    AVIOContext *avio;
};

/* Starts reading `fd` at its beginning. 0, or AVERROR(ENOMEM). The descriptor stays the caller's
 * and must outlive `io`. */
int fd_io_open(struct fd_io *io, int fd, int64_t size);

/* Frees what fd_io_open made; may be called twice, or on a zeroed struct. */
void fd_io_close(struct fd_io *io);

/* Reads exactly `len` bytes at `offset`, whatever libavformat is doing. False at the end of the
 * file or on an error; the latter is kept in `read_error`. */
bool fd_io_read_at(struct fd_io *io, int64_t offset, void *bytes, size_t len);

#endif
