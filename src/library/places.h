/* places: what changed on disk, as absolute paths; the same one may be added many times. Job
 * thread. */
#ifndef REELD_LIBRARY_PLACES_H
#define REELD_LIBRARY_PLACES_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: none. */
struct places {
    char **paths; /* owned */
    size_t count, cap;
};

/* False: out of memory. */
bool places_add(struct places *places, const char *path);

/* Orders them by folder, then by name, and drops doubles. */
void places_sort(struct places *places);

/* Whether `path`, or a folder that it lies in, is one of them; after places_sort. It is cut and
 * mended meanwhile. */
bool places_hold(const struct places *places, char *path);

/* The folder of place number `at`: so many bytes of its path; 1 for "/". */
size_t places_folder(const struct places *places, size_t at);

/* After places_sort: the number behind the last place that lies in the same folder as `at`. */
size_t places_same_folder(const struct places *places, size_t at);

void places_free(struct places *places);

#endif
