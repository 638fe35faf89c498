/* candidates: the files that a walk found to be looked into, first in, first out, in little memory:
 * a directory is kept once, as its name and the directory above it; a file is its name and the
 * number of its directory. Job thread. */
#ifndef REELD_LIBRARY_CANDIDATES_H
#define REELD_LIBRARY_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeld/base.h"

enum { CANDIDATES_BYTES = 16 << 20 }; /* so many are enough: the walk rests until some are taken */

struct directory_node;
struct candidate_block;

/* All zero: empty. Directory 0 is the folder of the walk itself. */
struct candidates {
    struct directory_node *directories;
    size_t n_directories, cap_directories;
    struct buf names; /* of the directories */
    struct candidate_block *first, *last;
    size_t count, bytes; /* candidates waiting, and the memory that they take */
};

/* Numbers the directory `name` (`len` bytes) in directory `above`. RL_ENOMEM. */
enum rl_err candidates_directory(struct candidates *candidates, uint32_t above, const char *name,
                                 size_t len, uint32_t *out);

/* Appends the path of directory number `directory`, relative to the folder ("" for 0), to `out`. */
void candidates_path(const struct candidates *candidates, uint32_t directory, struct buf *out);

/* Appends a file. RL_ENOMEM. */
enum rl_err candidates_add(struct candidates *candidates, uint32_t directory, const char *name);

/* Takes over the files of `late`, behind its own; they have the numbers of its own directories. */
void candidates_join(struct candidates *candidates, struct candidates *late);

/* The oldest file; its name is valid until candidates_drop takes it out. False: none. */
bool candidates_first(const struct candidates *candidates, uint32_t *directory, const char **name);
void candidates_drop(struct candidates *candidates);

void candidates_free(struct candidates *candidates);

#endif
