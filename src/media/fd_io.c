#include <errno.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <stdio.h>
#include <unistd.h>

#include "fd_io.h"

/* Large enough for most headers in one read, small enough not to read much past them. */
enum { FD_IO_BUFFER = 32 * 1024 };

/* At most `len` bytes at `offset`: their number, 0 at the end, -1 on an error. */
static ssize_t fd_io_pread(struct fd_io *io, int64_t offset, void *bytes, size_t len)
{
    if (offset < 0 || offset >= io->size)
        return 0;
    if ((int64_t)len > io->size - offset)
        len = (size_t)(io->size - offset);
    ssize_t n;
    do {
        n = pread(io->fd, bytes, len, offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && !io->read_error)
        io->read_error = errno;
    return n;
}

static int fd_io_read(void *opaque, uint8_t *bytes, int len)
{
    struct fd_io *io = opaque;
    if (len < 0)
        return AVERROR(EINVAL);
    ssize_t n = fd_io_pread(io, io->position, bytes, (size_t)len);
    if (n < 0)
        return AVERROR(io->read_error);
    if (n == 0)
        return AVERROR_EOF;
    io->position += n;
    return (int)n;
}

static int64_t fd_io_seek(void *opaque, int64_t offset, int whence)
{
    struct fd_io *io = opaque;
    int64_t base = 0;
    switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
        return io->size;
    case SEEK_SET:
        break;
    case SEEK_CUR:
        base = io->position;
        break;
    case SEEK_END:
        base = io->size;
        break;
    default:
        return AVERROR(EINVAL);
    }
    if (offset > INT64_MAX - base || base + offset < 0)
        return AVERROR(EINVAL);
    io->position = base + offset;
    return io->position;
}

int fd_io_open(struct fd_io *io, int fd, int64_t size)
{
    *io = (struct fd_io){.fd = fd, .size = size};
    uint8_t *buffer = av_malloc(FD_IO_BUFFER);
    if (!buffer)
        return AVERROR(ENOMEM);
    io->avio = avio_alloc_context(buffer, FD_IO_BUFFER, 0, io, fd_io_read, NULL, fd_io_seek);
    if (!io->avio) {
        av_free(buffer);
        return AVERROR(ENOMEM);
    }
    return 0;
}

void fd_io_close(struct fd_io *io)
{
    if (!io->avio)
        return;
    /* libavformat may have replaced the buffer by a larger one. */
    av_freep(&io->avio->buffer);
    avio_context_free(&io->avio);
}

bool fd_io_read_at(struct fd_io *io, int64_t offset, void *bytes, size_t len)
{
    char *to = bytes;
    while (len > 0) {
        ssize_t n = fd_io_pread(io, offset, to, len);
        if (n <= 0)
            return false;
        to += n;
        offset += n;
        len -= (size_t)n;
    }
    return true;
}
