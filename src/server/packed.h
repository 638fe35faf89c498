/* packed: files of the page as gzip. Each is packed when it is first asked for that way, and kept
 * until the file is another: the page's folder is small, and what is made once costs no later
 * request anything. Loop thread. */
#ifndef REELD_SERVER_PACKED_H
#define REELD_SERVER_PACKED_H

#include <stdbool.h>
#include <stddef.h>

#include "reeld/base.h"

enum {
    PACKED_FILES_MAX = 256,        /* beyond these, files go out as they are */
    PACKED_FILE_MAX = 1024 * 1024, /* bytes; a larger file would hold the loop for too long */
    PACKED_TAG_SIZE = 64,
};

struct packed_file {
    char *path;                /* real path; owned */
    char tag[PACKED_TAG_SIZE]; /* which state of the file it is */
    struct buf body;           /* empty: gzip makes nothing smaller of it */
};

/* Zeroed, it is empty. */
struct packed {
    struct packed_file *files; /* owned */
    size_t n;
};

/* Whether an Accept-Encoding header (RFC 9110 §12.5.3) admits gzip. An empty one does not: who
 * sends none may know of no coding. */
bool packed_admitted(const char *accept_encoding);

/* What is kept of the file at that real path in the state that `tag` names; NULL: nothing. It is
 * the table's, until the next packed_add. */
const struct buf *packed_find(const struct packed *packed, const char *path, const char *tag);

/* Packs `plain`, the file's content, and keeps it in the place of what there was of that file.
 * NULL: there is no room for it, or no memory. Otherwise as packed_find. */
const struct buf *packed_add(struct packed *packed, const char *path, const char *tag,
                             const struct buf *plain);

void packed_free(struct packed *packed);

#endif
