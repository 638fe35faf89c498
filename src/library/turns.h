/* turns: which of the jobs runs now. There are two ranks of scans: those in line, in the order of
 * their submission, and newcomers, which were asked for while others were at it and go ahead of
 * them for a while. What is the last by its kind runs when nobody of these waits. Job thread. */
#ifndef REELD_LIBRARY_TURNS_H
#define REELD_LIBRARY_TURNS_H

#include "jobs.h"

/* A job was asked for just now: gives it its rank. */
void turns_ask(struct library *library, struct job_entry *entry);

/* Something changed for this job: its rank as others see it follows. */
void turns_changed(struct library *library, struct job_entry *entry);

/* A job is over. */
void turns_ended(struct library *library, const struct job_entry *entry);

/* Parks the running job if another is to go first. */
void turns_yield(struct library *library);

/* Starts the next job, or lets it go on; none is running. */
void turns_next(struct library *library);

/* Whether a job waits to run. */
bool turns_waiting(const struct library *library);

#endif
