/* root_commands: roots that are added and forgotten while the service runs. Job thread. */
#ifndef REELD_LIBRARY_ROOT_COMMANDS_H
#define REELD_LIBRARY_ROOT_COMMANDS_H

#include "room.h"

/* Each answers the command: library_root_add, library_root_delete. */
void root_add(struct library *library, const struct command *command);
void root_delete(struct library *library, const struct command *command);

#endif
