/* settle: files that are looked at again a little later, soonest first. Job thread. */
#ifndef REELD_LIBRARY_SETTLE_H
#define REELD_LIBRARY_SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeld/base.h"
#include "reeld/catalog.h"

#include "room.h"

struct scan;

/* A file on its way from the walk to its outcome. */
struct file_task {
    struct pool_task pool;    /* scan_file_done */
    struct scan *scan;        /* whose it is */
    uint32_t directory;       /* as candidates numbers it */
    bool sync_bytes;          /* it has those of a transport stream */
    bool text_name;           /* its extension may also mean a text */
    bool quiet;               /* it has not changed since it was last looked at, some time ago */
    bool looked;              /* `stamp` is from an earlier look */
    bool stale;               /* found before the scan was parked */
    struct file_task *flying; /* the next one that a worker has */
    int64_t first_ms;         /* clock_mono_ms() of its first postponement; 0: never */
    int64_t due_ms;           /* when it is looked at again */
    struct file_stamp stamp;
    char name[];
};

/* A binary heap by due_ms. All zero: empty. */
struct settle {
    struct file_task **tasks; /* owned */
    size_t count, cap;
};

/* Takes over the task. RL_ENOMEM: not taken. */
enum rl_err settle_put(struct settle *settle, struct file_task *task);

/* When the soonest is due, in clock_mono_ms(); INT64_MAX: none. */
int64_t settle_due(const struct settle *settle);

/* Takes out the soonest, which the caller owns then; there must be one. */
struct file_task *settle_take(struct settle *settle);

void settle_free(struct settle *settle);

#endif
