/* root_refused: the videos of a root that scans left as they were, until a scan of all of them
 * finds otherwise or they are accepted. Job thread. */
#ifndef REELD_LIBRARY_ROOT_REFUSED_H
#define REELD_LIBRARY_ROOT_REFUSED_H

#include "root_table.h"

/* Whether the scan shows that what is wrong with the root, which is offline, is over: it was one of
 * all that was refused, or the root alone tells. */
bool root_over(const struct root_entry *entry, const struct root_scan *scan);

/* What a scan refused, together with what was refused in the root before, where the scan did not
 * look at all of that. *folder is the innermost folder that holds both; owned, like all->numbers.
 * *same: nothing was added. refused->numbers are taken over in any case. */
enum rl_err root_refused_join(const struct root_entry *entry, const struct root_refused *refused,
                              struct root_refused *all, char **folder, bool *same);

/* After a scan: brings each root online of which too many were gone, and none of them is any more;
 * they were found in another root, or were put back. Looks at some thousands at most; a scan of the
 * root finds the rest. After a failure library->why says what is wrong. */
enum rl_err roots_look_again(struct library *library, const char *correlation_id);

#endif
