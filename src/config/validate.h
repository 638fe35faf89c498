/* What the settings are when nobody says them, and whether they make sense together. */
#ifndef REELD_CONFIG_VALIDATE_H
#define REELD_CONFIG_VALIDATE_H

#include "reeld/config.h"

/* Fills every member. -1 after a line on standard error. */
int config_defaults(struct config *config);

/* Resolves the roots, reads the token, makes missing directories, refuses what is unsafe. -1 after
 * a line on standard error that says which key and why. */
int config_validate(struct config *config);

#endif
