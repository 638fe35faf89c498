/* wire: the messages between the daemon and a worker. Shared by both programs; header only.
 *
 * The two ends are a SOCK_SEQPACKET socketpair, so that one send is one message and a half message
 * does not exist. Both programs come from one build on one machine: numbers and structs travel as
 * they lie in memory. WIRE_VERSION and the layout sum in the greeting refuse a worker of another
 * build before it sees a file.
 *
 *   worker → daemon   struct wire_hello     once, when it is confined or could not be
 *   daemon → worker   struct wire_request   with the open file as SCM_RIGHTS
 *   worker → daemon   struct wire_probed    in the order of the requests, followed by n_streams
 *                                           struct media_stream and n_chapters struct media_chapter
 *   worker → daemon   struct wire_pictured  likewise, followed by the JPEG's first bytes: `size` of
 *                                           them, or WIRE_PIECE_MAX if that is less
 *   worker → daemon   struct wire_piece     after it, as often as it takes, each followed by the
 *                                           next WIRE_PIECE_MAX bytes or what is left
 *   worker → daemon   struct wire_returned  likewise in the order of the requests, for one that it
 *                                           did not turn to, since it has one with a better rank
 *
 * The worker reads what waits for it before it turns to a file. What it is at is therefore always
 * the oldest request without an answer, whatever overtook what.
 */
#ifndef REELD_WORKER_WIRE_H
#define REELD_WORKER_WIRE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "reeld/media_info.h"
#include "reeld/media_picture.h"

enum {
    WIRE_FD = 3, /* the worker's end */
    WIRE_VERSION = 2,
    WIRE_HINT_SIZE = 16,
    WIRE_VERSION_SIZE = 64,
    WIRE_WORDS_SIZE = 128,
    WIRE_HELD_MAX = 24,         /* requests without an answer that a worker takes up */
    WIRE_PIECE_MAX = 64 * 1024, /* bytes of a JPEG in one message */
};

enum wire_kind {
    WIRE_HELLO = 1,
    WIRE_PROBE,
    WIRE_PROBED,
    WIRE_PICTURE, /* a request, as WIRE_PROBE */
    WIRE_PICTURED,
    WIRE_PIECE,
    WIRE_RETURNED
};

/* How the worker is confined. */
enum wire_sandbox { WIRE_SANDBOX_FULL = 1, WIRE_SANDBOX_NO_LANDLOCK, WIRE_SANDBOX_FAILED };

/* Exit codes of the worker. It ends with WIRE_EXIT_OK when the daemon closes its end. */
enum wire_exit {
    WIRE_EXIT_OK = 0,
    WIRE_EXIT_USAGE = 2,    /* started by hand or with options that it does not know */
    WIRE_EXIT_PROTOCOL = 3, /* the daemon said something that is not in this file */
    WIRE_EXIT_SANDBOX = 77, /* it could not confine itself; said in words before */
};

struct wire_header {
    uint32_t version; /* WIRE_VERSION */
    uint32_t kind;    /* enum wire_kind */
    uint64_t number;  /* of the request, from 1; 0 in a greeting */
};

struct wire_hello {
    struct wire_header header;
    uint32_t layout;                 /* WIRE_LAYOUT of the worker */
    uint32_t sandbox;                /* enum wire_sandbox */
    char version[WIRE_VERSION_SIZE]; /* media_version() */
    char words[WIRE_WORDS_SIZE];     /* what could not be set up; empty when all is well */
};

struct wire_request {
    struct wire_header header;
    char name_hint[WIRE_HINT_SIZE]; /* as media_probe wants it */
    uint32_t rank;                  /* enum pool_rank: the lower, the sooner */
    struct picture_request picture; /* of WIRE_PICTURE */
    uint32_t reserved;              /* 0 */
};

struct wire_probed {
    struct wire_header header;
    int32_t code; /* enum failure_code; anything but FAILURE_NONE comes with no streams */
    uint32_t n_streams, n_chapters;
    uint32_t reserved; /* 0 */
    char error[MEDIA_ERROR_SIZE];
    struct media_summary summary;
};

struct wire_pictured {
    struct wire_header header;
    int32_t code;  /* as of wire_probed; anything but FAILURE_NONE comes with nothing but `error` */
    uint32_t size; /* of the JPEG */
    char error[MEDIA_ERROR_SIZE];
    int32_t width, height, columns, rows, tile_width, tile_height; /* these as in struct picture */
    uint32_t n_tiles;
    uint32_t reserved; /* 0 */
    int64_t duration_us;
    int64_t tile_start_us[STORYBOARD_TILES_MAX];
};

struct wire_piece {
    struct wire_header header;
};

struct wire_returned {
    struct wire_header header;
};

enum {
    WIRE_REPLY_MAX = sizeof(struct wire_probed) + MEDIA_STREAMS_MAX * sizeof(struct media_stream) +
                     MEDIA_CHAPTERS_MAX * sizeof(struct media_chapter),
    /* What a message may take in the socket's buffers: several of the largest. */
    WIRE_BUFFER = 4 * WIRE_REPLY_MAX,
};

/* Changes when the layout of a message changes in size. */
#define WIRE_LAYOUT                                                                                \
    ((uint32_t)(sizeof(struct wire_probed) * 1000003 + sizeof(struct media_stream) * 1009 +        \
                sizeof(struct media_chapter) * 31 + sizeof(struct wire_pictured) * 7 +             \
                sizeof(struct wire_request)))

static_assert(sizeof(struct wire_pictured) + WIRE_PIECE_MAX <= WIRE_REPLY_MAX,
              "one buffer is enough");

/* The arrays follow the fixed part without a gap. */
static_assert(sizeof(struct wire_probed) % _Alignof(struct media_stream) == 0, "streams aligned");
static_assert(sizeof(struct media_stream) % _Alignof(struct media_chapter) == 0, "and chapters");

#endif
