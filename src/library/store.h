/* store: transactions of the catalogue, and what their failure means. Job thread. */
#ifndef REELD_LIBRARY_STORE_H
#define REELD_LIBRARY_STORE_H

#include "reeld/library.h"

/* Each returns what catalog_begin … said; after a failure the transaction is rolled back,
 * library->why says in words what is wrong and the status shows it until a commit succeeds. There
 * is one transaction at a time: store_begin commits the batch that a scan has open. */
enum rl_err store_begin(struct library *library);
enum rl_err store_commit(struct library *library, uint64_t rows);

/* Commits the batch that a scan has open, if any. */
void store_flush(struct library *library);

/* Passes `err` of a call between begin and commit through; a failure ends the transaction. */
enum rl_err store_check(struct library *library, enum rl_err err);

/* Writes a job's row in a transaction of its own. `sequence` may be NULL: no event will tell of it.
 * `clear_failures` also empties its list of failures. Where the watch's job is over and found
 * nothing new, the rows of those before it that did not either go. */
enum rl_err store_job(struct library *library, const struct job *job, bool clear_failures,
                      int64_t *sequence);

#endif
