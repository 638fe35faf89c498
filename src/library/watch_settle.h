/* watch_settle: files that are being written, and those that were taken up a moment ago, each until
 * it has been quiet for so long. Job thread. */
#ifndef REELD_LIBRARY_WATCH_SETTLE_H
#define REELD_LIBRARY_WATCH_SETTLE_H

#include <stdbool.h>
#include <stdint.h>
#define HASH_NONFATAL_OOM 1 /* what could not be added has no table */
#include <uthash.h>

struct unsettled {
    int64_t due_ms; /* clock_mono_ms(): when it is settled if nothing happens to it */
    bool writing;   /* it is to be looked at then; else it was looked at, and is remembered only */
    bool again;     /* it was taken up a moment ago, and is written on */
    UT_hash_handle hh;
    char path[];
};

/* All zero: empty. In the order of due_ms. */
struct watch_settle {
    struct unsettled *files;
};

/* NULL: nothing is known of it. */
struct unsettled *watch_settle_find(const struct watch_settle *settle, const char *path);

/* It is settled at `due_ms`, which is not before what was said of others, or only a little; takes
 * the place of what was known of it. False: out of memory. */
bool watch_settle_put(struct watch_settle *settle, const char *path, bool writing, int64_t due_ms);

void watch_settle_drop(struct watch_settle *settle, struct unsettled *file);

/* The one that is due first, or NULL. */
struct unsettled *watch_settle_first(const struct watch_settle *settle);

void watch_settle_free(struct watch_settle *settle);

#endif
