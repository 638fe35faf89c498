/* reach: whether one scan does what another asks for. Job thread. */
#ifndef REELD_LIBRARY_REACH_H
#define REELD_LIBRARY_REACH_H

#include "room.h"

/* Whether a recursive scan of the folder `above` comes by `path` for certain. */
bool reach_sure(const struct library *library, const char *above, const char *path);

/* Whether a walk of the folder `above` comes by the folder `path`, as far as the rules say. */
bool reach_folder(const struct library *library, const char *above, const char *path);

#endif
