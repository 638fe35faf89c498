/* tour: a walk over a folder, and what it told. Every function fails the test when it cannot do
 * what it says. */
#ifndef REELD_TEST_TOUR_H
#define REELD_TEST_TOUR_H

#include "names.h"
#include "walk.h"

struct tour {
    struct beneath root;
    struct walk *walk;
    const char *folder;
    struct names
        told; /* lines "file PATH" or "problem PATH", below the folder; sorted at the end */
    size_t most_descriptors, directories;
};

/* How to walk; all zero: recursive, no links, no rules from above, nothing kept. */
struct tour_way {
    bool flat;
    bool follow;
    const char *const *roots;
    const char *top;
    unsigned int keep;
};

void tour_open(struct tour *tour, const char *folder, const struct tour_way *way);

/* One step; false at the end. */
bool tour_step(struct tour *tour);

void tour_all(struct tour *tour);
bool tour_told(const struct tour *tour, const char *line);
void tour_close(struct tour *tour);

/* The whole tour at once: what it told, each line with a '\n', for free(). */
char *tour_text(const char *folder, const struct tour_way *way);

#endif
