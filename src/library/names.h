/* names: a list of file names in one block of memory. */
#ifndef REELD_LIBRARY_NAMES_H
#define REELD_LIBRARY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "reeld/base.h"

struct names {
    struct buf bytes;    /* name NUL name NUL … */
    const char **sorted; /* after names_sort */
    size_t count;
};

bool names_add(struct names *names, const char *name);

/* Sorts by strcmp and drops doubles (a directory that changes while it is read may give a name
 * twice); nothing may be added after it. False: out of memory. */
bool names_sort(struct names *names);

/* Whether `name` is one of them, after names_sort. */
bool names_has(const struct names *names, const char *name);

void names_clear(struct names *names); /* empties, keeps some memory */
void names_free(struct names *names);

#endif
