/* purge: forgets videos that have been missing for long, a few at a time between other work: when
 * somebody asks, and by themselves where the configuration says so. Job thread. */
#ifndef REELD_LIBRARY_PURGE_H
#define REELD_LIBRARY_PURGE_H

#include "room.h"

/* COMMAND_PURGE: begins, behind others that were asked for before; answers at the end. */
void purge_ask(struct library *library, const struct command *command);

/* Forgets the next few. */
void purge_step(struct library *library);

/* When purge_step has something to do, in clock_mono_ms(); INT64_MAX: never. */
int64_t purge_due(const struct library *library);

void purge_free(struct library *library);

#endif
