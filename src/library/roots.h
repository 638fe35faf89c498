/* roots: the folders that may be scanned, as real paths, NULL-terminated. NULL or empty: every
 * folder. Any thread. */
#ifndef REELD_LIBRARY_ROOTS_H
#define REELD_LIBRARY_ROOTS_H

#include <stdbool.h>

bool roots_allow(const char *const *roots, const char *path);

/* The outermost root that holds `path`; "/" where there are none. */
const char *roots_top(const char *const *roots, const char *path);

#endif
