/* seen: which files (device and inode) were come by. Job thread. */
#ifndef REELD_LIBRARY_SEEN_H
#define REELD_LIBRARY_SEEN_H

#include <stdbool.h>
#include <sys/stat.h>

/* All zero: none. */
struct seen {
    void *tree; /* of tsearch(3) */
};

bool seen_has(const struct seen *seen, const struct stat *stat);

/* False: out of memory. */
bool seen_add(struct seen *seen, const struct stat *stat);

void seen_remove(struct seen *seen, const struct stat *stat);

void seen_free(struct seen *seen);

#endif
