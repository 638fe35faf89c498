/* ignore_read: the files that say what a walk passes over. Job thread. */
#ifndef REELD_LIBRARY_IGNORE_READ_H
#define REELD_LIBRARY_IGNORE_READ_H

#include "beneath.h"
#include "ignore.h"

/* Adds the rules of the folder `dir` (its descriptor; `path` of `len` bytes is for the log), which
 * is the present one of `ignore`. A file that is not there or not a plain one is no rules; what
 * cannot be read, or is too much, is said in the log and left out. RL_EBUSY: out of descriptors;
 * RL_ENOMEM. */
enum rl_err ignore_read(struct ignore *ignore, int dir, const char *path, size_t len);

enum ignore_why { IGNORE_NOT, IGNORE_BY_NAME, IGNORE_BY_RULE, IGNORE_BY_ALL_FILE };

/* A way down the tree, in absolute real paths each of which lies in the one before. */
struct ignore_way {
    const char *top;  /* where the first rules are looked for */
    const char *from; /* names up to here are not judged: somebody asked for this folder */
    const char *path;
    bool directory;              /* `path` is one */
    unsigned int keep;           /* of enum ignored_name */
    const struct beneath *links; /* how those on the way are followed; NULL: they are not */
};

struct ignore_reason {
    enum ignore_why why;
    size_t len;                    /* what of way->path is ignored, with all that is in it */
    unsigned int name;             /* IGNORE_BY_NAME: which of enum ignored_name */
    struct ignore_verdict verdict; /* IGNORE_BY_RULE: whose; way->top is the topmost folder */
};

/* Reads the rules of all folders above `path`, which is the present folder of `ignore` after it
 * (`ignore` was all zero; ignore_free it in any case). `reason`: for what a walk from `from` would
 * not come by `path`; an IGNORE_ALL_FILE counts wherever above `path` it lies. RL_EBUSY, RL_ENOMEM;
 * RL_ENOTFOUND: a folder on the way is not there or may not be entered. */
enum rl_err ignore_read_above(struct ignore *ignore, const struct ignore_way *way,
                              struct ignore_reason *reason);

#endif
