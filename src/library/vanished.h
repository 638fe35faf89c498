/* vanished: what a walk did not come by of what is known below its folder. Job thread. */
#ifndef REELD_LIBRARY_VANISHED_H
#define REELD_LIBRARY_VANISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "names.h"

/* All zero: nothing. Each function that returns bool: false, out of memory. */
struct vanished {
    int64_t *numbers; /* of videos; owned */
    size_t count, cap;
    uint64_t *walked; /* a bit for each folder's id in the catalogue; owned */
    size_t words;
    struct names closed; /* paths of what could not be read */
    bool sealed;
    struct names failures; /* paths of files that failed once and are gone; sealed too */
    int64_t *folders;      /* ids of folders that are gone with such files; owned */
    size_t n_folders, cap_folders;
};

bool vanished_add(struct vanished *vanished, int64_t number);

/* The walk was in the folder of this id; and whether it was. 0: it is not known, nothing to note.
 */
bool vanished_walked(struct vanished *vanished, int64_t folder);
bool vanished_was_walked(const struct vanished *vanished, int64_t folder);

/* What is at `path`, or below it, could not be read; and, once all is added and sealed, whether
 * `path` is or lies below such a one, or lies below one. */
bool vanished_close(struct vanished *vanished, const char *path);
bool vanished_seal(struct vanished *vanished);
bool vanished_is_closed(const struct vanished *vanished, const char *path);
bool vanished_is_inside(const struct vanished *vanished, const char *path);

/* Remembered failures that are to be forgotten. Of single files only so many are kept as fit into a
 * megabyte: the next scan finds the others. */
bool vanished_failure(struct vanished *vanished, const char *path);
bool vanished_folder_failures(struct vanished *vanished, int64_t folder);

void vanished_free(struct vanished *vanished);

#endif
