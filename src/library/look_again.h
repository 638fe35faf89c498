/* look_again: whether a known video is still gone when it is looked at once more, just before it is
 * hidden. Job thread. */
#ifndef REELD_LIBRARY_LOOK_AGAIN_H
#define REELD_LIBRARY_LOOK_AGAIN_H

#include "beneath.h"
#include "room.h"

enum look {
    LOOK_THERE,   /* its file is there, or that cannot be said, or it is no video that is there */
    LOOK_GONE,    /* nothing is at its path, or no regular file */
    LOOK_IGNORED, /* its file is there, but a scan of the folder passes it over */
};

/* Who looks. All zero but for `library` and `folder`, which must outlive it. */
struct onlooker {
    struct library *library;
    const char *folder; /* the one that was scanned: rules are asked for what is below it */
    bool single;        /* somebody asked for this one file: no rules are asked */
    bool ready;
    struct beneath ground; /* how paths are looked at */
    struct buf ignored;    /* a folder that is passed over with all that is in it */
};

/* What was seen of one video. */
struct sight {
    enum look look;
    bool elsewhere;           /* LOOK_GONE: the nearest folder above it is on another device */
    uint64_t device;          /* that one's */
    struct video_place place; /* owned; its path is NULL where there is none */
};

/* Looks without going through symbolic links, unless they are followed. */
enum rl_err look_again(struct onlooker *looker, int64_t number, struct sight *out);
void sight_clear(struct sight *sight);

void onlooker_free(struct onlooker *looker);

#endif
