/* root_guard: whether so much is gone, or gone so, that it is more likely that a disk is not there
 * than that somebody deleted it all. Job thread. */
#ifndef REELD_LIBRARY_ROOT_GUARD_H
#define REELD_LIBRARY_ROOT_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeld/base.h"

enum {
    GUARD_MANY = 10,         /* so many may always go … */
    GUARD_MANY_PERCENT = 20, /* … and up to so much of a root */
};

enum guard_reason { GUARD_NONE, GUARD_GONE, GUARD_EMPTY, GUARD_DEVICE, GUARD_TOO_MANY };

/* What the disk says of a root. */
struct root_look {
    bool gone;       /* it is not there, or cannot be read */
    bool empty;      /* it has no entry at all */
    uint64_t device; /* st_dev; 0: gone */
};

/* RL_EBUSY: out of descriptors or memory. */
enum rl_err root_look(const char *path, struct root_look *out);

/* What a scan found. */
struct guard_case {
    struct root_look look;
    uint64_t device;  /* that the root had when it was seen whole; 0: never */
    int64_t vanished; /* videos that would become missing */
    int64_t ignored;  /* those of them whose file is there, but passed over by now */
    int64_t present; /* videos of the root that are there, the vanished ones among them; only looked
                        at when they may be too many */
    bool elsewhere;  /* the nearest folder of one of them is not on the device that it was on */
    bool single;     /* somebody asked for this one file */
};

/* Whether `present` is needed to decide. */
bool guard_wants_present(const struct guard_case *found);

/* Why nothing is to become missing; GUARD_NONE: it may. Pure. */
enum guard_reason guard_decide(const struct guard_case *found);

/* As in struct root.reason; "" for GUARD_NONE. */
const char *guard_word(enum guard_reason reason);

/* The other way round; GUARD_NONE for what is none. */
enum guard_reason guard_of(const char *word);

/* Whether a look at the root alone tells that this reason is over. */
bool guard_shows(const char *word);

/* The refusal in one sentence, into `size` bytes (JOB_ERROR_SIZE), UTF-8. */
void guard_sentence(enum guard_reason reason, const char *root, int64_t count, char *out,
                    size_t size);

#endif
