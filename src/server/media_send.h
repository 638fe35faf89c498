/* media_send: parts of a video's file on their way to a client. What the page cache has is read on
 * the loop (preadv2, RWF_NOWAIT); for the rest a thread waits (disk.h). The bytes go to the socket
 * past libwebsockets, which would keep what it cannot send: a client that does not read costs no
 * memory but its request's. Loop thread. */
#ifndef REELD_SERVER_MEDIA_SEND_H
#define REELD_SERVER_MEDIA_SEND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "range.h"
#include "reeld/base.h"

struct exchange;
struct media;

enum { MEDIA_PIECE = 256 * 1024 /* bytes of a file in one write */ };

enum media_sending {
    MEDIA_FAILED = -1, /* the client is gone, or the file is not any more what it was */
    MEDIA_MORE,        /* call again when the socket can take it */
    MEDIA_WAITING,     /* the disk is waited for; the exchange is told */
    MEDIA_DONE,
};

/* The ranges of the file `fd`, whose state is `stat`: one as it is, several as multipart/byteranges
 * (RFC 9110 §14.6), each headed with `type`; `boundary` stands between them. Takes over `fd`. NULL:
 * out of memory, and the file is closed. */
struct media *media_new(int fd, const struct stat *stat, const struct range_set *ranges,
                        const char *type, const char *boundary);
void media_free(struct media *media); /* harmless when there is none */

int64_t media_length(const struct media *media); /* of all that is sent */

/* Sends at most one piece to the exchange's socket; its answer has the media. *sent: how many bytes
 * the socket took. */
enum media_sending media_send(struct exchange *exchange, int64_t *sent);

#endif
