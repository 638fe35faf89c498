/* floor: a bare loop over many files in some processes, that a benchmark is measured against. */
#ifndef REELD_BENCH_FLOOR_H
#define REELD_BENCH_FLOOR_H

#include <stdbool.h>

/* `processes` share the files of `list` (one path a line, or NUL-separated: then any path) and do
 * nothing but `work` on each, which says whether that went well. Prints files a second, CPU and
 * memory after `name`; returns the exit code of the program. */
int floor_run(const char *name, int processes, const char *list, bool (*work)(const char *path));

#endif
