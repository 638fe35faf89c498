/* accept: taking what a scan refused for missing all the same, a group at a time between other
 * work. Job thread. */
#ifndef REELD_LIBRARY_ACCEPT_H
#define REELD_LIBRARY_ACCEPT_H

#include "room.h"

/* Begins with what the command's root and token stand for, or answers it at once. */
void accept_missing(struct library *library, const struct command *command);

/* Does some of it, and answers the command at its end. Cheap when there is nothing to do. */
void accept_step(struct library *library);

void accept_free(struct library *library);

#endif
