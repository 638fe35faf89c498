/* undecided: files that were looked into, but of which it depends on others which video they are:
 * several may have the content of one that left its place, and what was at a path may be what is
 * found elsewhere later. They wait until all of the scan is known, and are matched then in the
 * order of their paths, so that nothing depends on which worker answered first. Job thread. */
#ifndef REELD_LIBRARY_UNDECIDED_H
#define REELD_LIBRARY_UNDECIDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeld/media_info.h"

struct scan;
struct file_task;
struct undecided_file;

enum undecided_stage { UNDECIDED_GATHER, UNDECIDED_LOOK, UNDECIDED_MATCH, UNDECIDED_PUT };

/* All zero: none. */
struct undecided {
    struct undecided_file *files; /* owned; sorted by path once they are settled */
    size_t count, cap;
    size_t bytes; /* that they hold, about */
    bool full;    /* there is no room for more until all are settled */
    enum undecided_stage stage;
    size_t at;         /* the next one at this stage */
    unsigned int rank; /* up to which places are taken in this pass */
    bool placed;       /* one was since the passes began: others may have become free */
};

/* Takes over the task, and what `info` owns, if it must wait. False: it need not, and nothing was
 * taken, or the job cannot go on (scan->err). `path` is the task's own. */
bool undecided_take(struct scan *scan, struct file_task *task, const char *path,
                    struct media_info *info);

/* Whether a file that waits is at `path`: it has another content than what is known to be there. */
bool undecided_at(const struct scan *scan, const char *path);

/* Settles them for a few milliseconds, or until the batch is full; when all are, count is 0. One
 * that has changed meanwhile is looked into again. */
void undecided_step(struct scan *scan);

/* The job ends here: settles all with what is known, committing between. */
void undecided_finish(struct scan *scan);

void undecided_free(struct undecided *undecided);

#endif
