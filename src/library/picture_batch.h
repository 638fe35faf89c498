/* picture_batch: what came of pictures, until it is in the catalogue. Job thread. */
#ifndef REELD_LIBRARY_PICTURE_BATCH_H
#define REELD_LIBRARY_PICTURE_BATCH_H

#include "reeld/base.h"

struct picture_batch;

enum rl_err picture_batch_new(struct picture_batch **out);
void picture_batch_free(struct picture_batch *batch);

/* When it is to be committed, in clock_mono_ms(); INT64_MAX: it is empty. */
int64_t picture_batch_due(const struct picture_batch *batch);

/* What is in it is to be committed at the thread's next turn. */
void picture_batch_hurry(struct picture_batch *batch);

#endif
