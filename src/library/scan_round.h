/* scan_round: the job of a watched root. It has no folder to walk but places where something
 * changed; it takes them up in rounds, each with its own look at what is missing, and ends when
 * nothing more came for a while, so that a burst of changes is one job. Job thread. */
#ifndef REELD_LIBRARY_SCAN_ROUND_H
#define REELD_LIBRARY_SCAN_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "beneath.h"
#include "names.h"
#include "places.h"

struct scan;

/* All zero: no round was begun. */
struct scan_round {
    struct places places;  /* of this round, sorted */
    size_t at;             /* the next one to be walked */
    size_t looked;         /* the next one below which what is gone is looked for */
    struct names names;    /* that are being walked, in … */
    struct buf folder;     /* … this folder, */
    struct beneath ground; /* which is open here while it is walked, */
    uint32_t number;       /* and has this number among the candidates' directories */
    bool open;
    bool resting;     /* there is nothing to do: more may come until `until_ms` */
    int64_t until_ms; /* clock_mono_ms() */
};

/* Starts the next walk, or the next round, if it is due. False: the scan is over. */
bool scan_round_step(struct scan *scan);

/* What there was to do is done; the scan may be over after it. */
void scan_round_over(struct scan *scan);

/* Whether walks are still to come in this round. */
bool scan_round_more(const struct scan *scan);

/* The present walk is over. */
void scan_round_walked(struct scan *scan);

/* Whether of the folder `path` only scan->round.names are looked at. */
bool scan_round_part(const struct scan *scan, const char *path);

/* When scan_round_step has something to do, in clock_mono_ms(). */
int64_t scan_round_due(const struct scan *scan);

void scan_round_free(struct scan_round *round);

#endif
