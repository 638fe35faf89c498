#include <errno.h>
#include <inttypes.h>
#include <libavutil/error.h>
#include <libavutil/intreadwrite.h>
#include <stdio.h>
#include <string.h>

#include "container.h"
#include "damage.h"

/* What the outermost structure of a file says of itself. */
struct extent {
    int64_t claimed;    /* bytes that the file should have at least; 0: it does not say */
    const char *within; /* the part that goes on past the end */
    bool no_index;      /* an MP4 without the box that describes its content */
};

/* ISO/IEC 14496-12, 4.2: size and type of each box; size 1: 64 bits follow; size 0: to the end. */
static struct extent mp4_extent(struct fd_io *io)
{
    enum { BOXES_MAX = 4096 };
    struct extent extent = {.no_index = true};
    int64_t at = 0;
    for (int i = 0; i < BOXES_MAX && at < io->size; i++) {
        unsigned char head[16];
        if (io->size - at < 8 || !fd_io_read_at(io, at, head, 8)) {
            extent.claimed = at + 8;
            extent.within = "the head of a box";
            break;
        }
        uint64_t size = AV_RB32(head);
        if (size == 1) {
            if (!fd_io_read_at(io, at + 8, head + 8, 8))
                break;
            size = AV_RB64(head + 8);
        } else if (size == 0) {
            size = (uint64_t)(io->size - at);
        }
        if (size < 8 || size > (uint64_t)(INT64_MAX - at))
            break;
        bool index = memcmp(head + 4, "moov", 4) == 0;
        if ((int64_t)size > io->size - at) {
            extent.claimed = at + (int64_t)size;
            extent.within = index                              ? "its index (moov)"
                            : memcmp(head + 4, "mdat", 4) == 0 ? "its media data (mdat)"
                                                               : "one of its boxes";
        }
        extent.no_index = extent.no_index && !index;
        at += (int64_t)size;
    }
    return extent;
}

/* The RIFF header: "RIFF", then the size of what follows. */
static struct extent riff_extent(struct fd_io *io)
{
    struct extent extent = {.within = "its RIFF chunk"};
    unsigned char head[8];
    if (fd_io_read_at(io, 0, head, sizeof head) && memcmp(head, "RIFF", 4) == 0)
        extent.claimed = 8 + (int64_t)AV_RL32(head + 4);
    return extent;
}

/* RFC 8794, 4: a number whose leading zero bits tell its length. Returns that length, 0 when it is
 * not one; *value is -1 for "unknown". */
static int ebml_number(const unsigned char *bytes, size_t len, int64_t *value)
{
    int n = 1;
    while (n <= 8 && len > 0 && !(bytes[0] & (0x80 >> (n - 1))))
        n++;
    if (n > 8 || (size_t)n > len)
        return 0;
    uint64_t v = bytes[0] & (0xffu >> n);
    uint64_t ones = 0xffu >> n;
    for (int i = 1; i < n; i++) {
        v = v << 8 | bytes[i];
        ones = ones << 8 | 0xff;
    }
    *value = v == ones ? -1 : (int64_t)v;
    return n;
}

/* RFC 9559: an EBML header (4-byte id), then one Segment (4-byte id) that holds all the rest. */
static struct extent matroska_extent(struct fd_io *io)
{
    const int64_t sane = INT64_C(1) << 50; /* beyond it, the size itself is damaged */
    struct extent extent = {.within = "its segment"};
    unsigned char head[12];
    int64_t at = 0, size = 0;
    for (int element = 0; element < 2; element++) {
        size_t len = io->size - at < 12 ? (size_t)(io->size - at) : sizeof head;
        if (len < 5 || !fd_io_read_at(io, at, head, len)) {
            extent.claimed = at + 5;
            extent.within = "its header";
            return extent;
        }
        int n = ebml_number(head + 4, len - 4, &size);
        if (n == 0 || size < 0 || size > sane)
            return extent;
        at += 4 + n + size;
        if (at > io->size) {
            extent.claimed = at;
            return extent;
        }
    }
    return extent;
}

static struct extent extent_read(struct fd_io *io, const AVInputFormat *format)
{
    if (container_is(format, "mov"))
        return mp4_extent(io);
    if (container_is(format, "avi"))
        return riff_extent(io);
    if (container_is(format, "matroska"))
        return matroska_extent(io);
    return (struct extent){0};
}

static bool extent_explain(const struct extent *extent, int64_t size, char error[MEDIA_ERROR_SIZE])
{
    if (extent->claimed <= size)
        return false;
    snprintf(error, MEDIA_ERROR_SIZE,
             "it ends within %s: at least %" PRId64 " of %" PRId64 " bytes are missing",
             extent->within, extent->claimed - size, extent->claimed);
    return true;
}

bool damage_is_truncated(struct fd_io *io, const AVInputFormat *format,
                         char error[MEDIA_ERROR_SIZE])
{
    struct extent extent = extent_read(io, format);
    return !io->read_error && extent_explain(&extent, io->size, error);
}

enum failure_code damage_judge(struct fd_io *io, const AVInputFormat *format, int av_error,
                               char error[MEDIA_ERROR_SIZE])
{
    if (av_error == AVERROR(ENOMEM)) {
        snprintf(error, MEDIA_ERROR_SIZE, "there was not enough memory to read it");
        return FAILURE_OOM;
    }
    struct extent extent = extent_read(io, format);
    if (io->read_error) {
        snprintf(error, MEDIA_ERROR_SIZE, "it cannot be read: %s", strerror(io->read_error));
        return FAILURE_IO_ERROR;
    }
    if (extent_explain(&extent, io->size, error))
        return FAILURE_TRUNCATED;
    if (extent.no_index) {
        snprintf(error, MEDIA_ERROR_SIZE,
                 "it has no index (moov); perhaps the recording was not finished");
        return FAILURE_TRUNCATED;
    }
    /* Matroska's demuxer calls the end an I/O error; there was none, or it would be known above. */
    if (av_error == AVERROR_EOF || av_error == AVERROR(EIO)) {
        snprintf(error, MEDIA_ERROR_SIZE, "it ends before its headers do");
        return FAILURE_TRUNCATED;
    }
    if (av_error) {
        char text[AV_ERROR_MAX_STRING_SIZE] = "";
        av_strerror(av_error, text, sizeof text);
        snprintf(error, MEDIA_ERROR_SIZE, "its headers cannot be read: %s", text);
    } else {
        snprintf(error, MEDIA_ERROR_SIZE, "no stream can be found in it");
    }
    return FAILURE_CORRUPT;
}
