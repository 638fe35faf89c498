/* missing: what a scan does about the known videos that it did not come by: notes them while it
 * walks, and when all files have their outcome, so that what moved is known, looks at each again,
 * asks the guard, and hides them. Job thread. */
#ifndef REELD_LIBRARY_MISSING_H
#define REELD_LIBRARY_MISSING_H

#include "look_again.h"
#include "room.h"
#include "vanished.h"

struct scan;
struct walk_entry;

enum missing_stage {
    MISSING_FOLDERS, /* notes the known folders below that the walk was not in */
    MISSING_LOOK,    /* looks at each again */
    MISSING_HIDE,
    MISSING_FORGET, /* the remembered failures of files that are gone */
    MISSING_OVER,
};

/* All zero: the walk begins. */
struct missing {
    struct vanished vanished;
    struct buf folder; /* the one that the walk is in; empty: none */
    uint64_t device;   /* its st_dev */
    int64_t total;     /* of the job when the walk came into it */
    enum missing_stage stage;
    char *after; /* the last folder that was looked for; owned */
    struct onlooker looker;
    size_t gone, at; /* numbers before `gone` are gone; those from `at` on are still to be done */
    int64_t ignored; /* of those that are gone */
    bool elsewhere;  /* one of them has no folder on its device */
    char words[JOB_ERROR_SIZE]; /* what was refused, if anything */
};

/* ---- while it walks: missing_walk.c -------------------------------------------------------- */

/* Asks the catalogue for what it knows of the folder, as scan->known; false: it cannot say, and the
 * job cannot go on. */
bool missing_know(struct scan *scan, const char *folder);

/* The walk came into a folder; it left it, or is over. */
void missing_enter(struct scan *scan, const struct walk_entry *entry);
void missing_leave(struct scan *scan);

/* A folder or file could not be looked at. `path` is its own. */
void missing_problem(struct scan *scan, const char *path);

/* ---- at its end: missing.c ----------------------------------------------------------------- */

/* Does a few milliseconds of it. */
void missing_step(struct scan *scan);
bool missing_over(const struct scan *scan);

/* The scan goes on after a rest: what was seen before it is looked at once more. */
void missing_again(struct scan *scan);

/* The scan could not open its folder: if it is its root that is gone, that is said. */
void missing_root_gone(struct scan *scan);

void missing_free(struct missing *missing);

#endif
