/* The inside of a batch: batch.c begins, commits and says it, batch_place.c places videos. */
#ifndef REELD_LIBRARY_BATCH_PRIVATE_H
#define REELD_LIBRARY_BATCH_PRIVATE_H

#include "batch.h"

/* Begins the transaction if there is none; false: it cannot be, or the job cannot go on. */
bool batch_open(struct scan *scan);

/* After a call that wrote: false, it failed, and so does the job. */
bool batch_written(struct scan *scan, enum rl_err err);

/* A new entry at the end; NULL: out of memory, and the job cannot go on. */
struct batch_entry *batch_entry(struct scan *scan, const char *path);

#endif
