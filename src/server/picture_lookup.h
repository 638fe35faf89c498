/* picture_lookup: which picture a video has now, without asking SQLite again for what was asked
 * since the last commit: the pictures of a page are asked for by all who look at it. Loop thread.
 */
#ifndef REELD_SERVER_PICTURE_LOOKUP_H
#define REELD_SERVER_PICTURE_LOOKUP_H

#include "reeld/catalog.h"

enum { PICTURE_LOOKUP_SLOTS = 256 }; /* as many as two hexadecimal digits tell apart */

/* What of a picture_subject says which file is its picture. */
struct picture_found {
    char id[ID_TEXT_SIZE];
    int64_t number;
    uint64_t version;
    int32_t thumbnail_width;
};

/* All zero: nothing is known yet. */
struct picture_lookup {
    uint64_t commits; /* what is in `slots` was read after so many (catalog_commits) */
    struct picture_found slots[PICTURE_LOOKUP_SLOTS]; /* by the end of the id; empty id: none */
};

/* Fills `out`; errors as of catalog_picture_get, and nothing is remembered of them. */
enum rl_err picture_lookup(struct picture_lookup *lookup, struct catalog *reader, const char *id,
                           struct picture_found *out);

#endif
