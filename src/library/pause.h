/* pause: lets a job rest, and go on. Job thread. */
#ifndef REELD_LIBRARY_PAUSE_H
#define REELD_LIBRARY_PAUSE_H

#include "room.h"

/* COMMAND_PAUSE or COMMAND_RESUME: does it and answers. */
void pause_job(struct library *library, const struct command *command);

#endif
