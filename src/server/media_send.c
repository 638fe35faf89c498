#include "media_send.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "room.h"

struct media_part {
    size_t head_at, head_len; /* in `heads`: what stands before it */
    struct range range;
};

struct media {
    int fd; /* owned, but while an abandoned reading has it */
    struct stat stat;
    struct buf heads;
    struct media_part parts[RANGES_MAX + 1]; /* the last may be what ends the others: a head only */
    size_t n_parts, part;
    int64_t at; /* bytes of the present part that are sent, its head included */
    int64_t length;
    struct reading *reading; /* a thread is at it, or its bytes are to be sent; NULL */
};

/* What a thread reads for the loop. */
struct reading {
    struct disk_task task;
    struct media *media; /* NULL: nobody wants it any more, and the descriptor is its own */
    struct exchange *exchange;
    int fd;
    bool over;
    int64_t offset;
    ssize_t got; /* -1: failed */
    size_t len;
    unsigned char bytes[];
};

/* ---- what is sent ---------------------------------------------------------------------------- */

static void add_part(struct media *media, struct range range, size_t head_at)
{
    media->parts[media->n_parts++] =
        (struct media_part){head_at, media->heads.len - head_at, range};
    media->length += range.length + (int64_t)(media->heads.len - head_at);
}

struct media *media_new(int fd, const struct stat *stat, const struct range_set *ranges,
                        const char *type, const char *boundary)
{
    struct media *media = calloc(1, sizeof *media);
    if (!media) {
        close(fd);
        return NULL;
    }
    media->fd = fd;
    media->stat = *stat;
    for (size_t i = 0; i < ranges->count; i++) {
        struct range range = ranges->ranges[i];
        size_t head_at = media->heads.len;
        if (ranges->count > 1)
            buf_printf(&media->heads,
                       "\r\n--%s\r\ncontent-type: %s\r\n"
                       "content-range: bytes %" PRId64 "-%" PRId64 "/%" PRId64 "\r\n\r\n",
                       boundary, type, range.offset, range.offset + range.length - 1,
                       (int64_t)stat->st_size);
        add_part(media, range, head_at);
    }
    if (ranges->count > 1) {
        size_t head_at = media->heads.len;
        buf_printf(&media->heads, "\r\n--%s--\r\n", boundary);
        add_part(media, (struct range){0}, head_at);
    }
    if (media->heads.failed) {
        media_free(media);
        return NULL;
    }
    return media;
}

void media_free(struct media *media)
{
    if (!media)
        return;
    struct reading *reading = media->reading;
    if (reading && !reading->over)
        reading->media = NULL; /* freed, and the file closed, when the thread is back */
    else
        close(media->fd);
    if (reading && reading->over)
        free(reading);
    buf_free(&media->heads);
    free(media);
}

int64_t media_length(const struct media *media)
{
    return media->length;
}

/* ---- waiting for the disk -------------------------------------------------------------------- */

static void reading_work(struct disk_task *task)
{
    struct reading *reading = (struct reading *)task;
    do
        reading->got = pread(reading->fd, reading->bytes, reading->len, reading->offset);
    while (reading->got < 0 && errno == EINTR);
}

static void reading_done(struct disk_task *task)
{
    struct reading *reading = (struct reading *)task;
    if (!reading->media) {
        close(reading->fd);
        free(reading);
        return;
    }
    reading->over = true;
    exchange_disk_over(reading->exchange);
}

static enum media_sending wait_for(struct exchange *exchange, int64_t offset, size_t len)
{
    struct media *media = exchange->answer.media;
    struct reading *reading = malloc(sizeof *reading + len);
    if (!reading)
        return MEDIA_FAILED;
    *reading = (struct reading){.task = {NULL, reading_work, reading_done},
                                .media = media,
                                .exchange = exchange,
                                .fd = media->fd,
                                .offset = offset,
                                .len = len};
    if (disk_do(exchange->server->disk, &reading->task)) {
        free(reading);
        return MEDIA_FAILED;
    }
    media->reading = reading;
    exchange_disk_wait(exchange);
    return MEDIA_WAITING;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Whether the file is still the one whose head was sent: what was read just now is of it. Never
 * asks a server far away. */
static bool same_version(const struct media *media)
{
    struct statx now;
    return statx(media->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE | STATX_MTIME,
                 &now) == 0 &&
           (int64_t)now.stx_size == media->stat.st_size &&
           now.stx_mtime.tv_sec == media->stat.st_mtim.tv_sec &&
           now.stx_mtime.tv_nsec == (unsigned)media->stat.st_mtim.tv_nsec;
}

/* Sends what the socket takes now, also nothing. False: the connection is broken. */
static bool push(struct exchange *exchange, const void *bytes, size_t len, int64_t *sent)
{
    ssize_t n;
    do
        n = send(lws_get_socket_fd(exchange->wsi), bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    *sent = n > 0 ? n : 0;
    return n >= 0 || errno == EAGAIN;
}

static enum media_sending send_data(struct exchange *exchange, int64_t offset, int64_t left,
                                    int64_t *sent)
{
    struct media *media = exchange->answer.media;
    struct reading *reading = media->reading;
    unsigned char *bytes = exchange->server->scratch;
    size_t wanted = left < MEDIA_PIECE ? (size_t)left : MEDIA_PIECE;
    ssize_t got;
    if (reading) {
        media->reading = NULL;
        bytes = reading->bytes;
        got = reading->got;
    } else {
        struct iovec piece = {bytes, wanted};
        got = preadv2(media->fd, &piece, 1, offset, RWF_NOWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP || errno == EINTR))
            return wait_for(exchange, offset, wanted);
    }
    bool ok = got > 0 && same_version(media) && push(exchange, bytes, (size_t)got, sent);
    /* What the socket did not take is read again, then from the page cache: no client keeps it. */
    free(reading);
    /* One fast reader would keep the processor for whole slices of time, which the job thread has
     * to share with the loop where there is one processor for both. */
    sched_yield();
    return ok ? MEDIA_MORE : MEDIA_FAILED;
}

enum media_sending media_send(struct exchange *exchange, int64_t *sent)
{
    struct media *media = exchange->answer.media;
    *sent = 0;
    if (media->reading && !media->reading->over)
        return MEDIA_WAITING;
    if (media->part == media->n_parts)
        return MEDIA_DONE;
    const struct media_part *part = &media->parts[media->part];
    int64_t in_data = media->at - (int64_t)part->head_len;
    enum media_sending result = MEDIA_MORE;
    if (in_data >= 0 && part->range.length > in_data) {
        result =
            send_data(exchange, part->range.offset + in_data, part->range.length - in_data, sent);
    } else if (in_data < 0 && !push(exchange, media->heads.data + part->head_at + media->at,
                                    (size_t)-in_data, sent)) {
        result = MEDIA_FAILED;
    }
    if (result != MEDIA_MORE)
        return result;
    media->at += *sent;
    if (media->at == (int64_t)part->head_len + part->range.length) {
        media->at = 0;
        media->part++;
    }
    return media->part == media->n_parts ? MEDIA_DONE : MEDIA_MORE;
}
