/* The inside of a walk: walk.c goes through the tree, walk_read.c reads a directory. */
#ifndef REELD_LIBRARY_WALK_PRIVATE_H
#define REELD_LIBRARY_WALK_PRIVATE_H

#include "ignore.h"
#include "names.h"
#include "seen.h"
#include "walk.h"

enum { WALK_READ_SIZE = 32768 };

enum walk_state { WALK_READING, WALK_FILES, WALK_DESCENDING };

struct frame {
    int fd; /* -1: closed for the time being */
    dev_t device;
    ino_t inode;
    size_t name_at, path_len; /* its name in walk->path, and where its path ends there */
    uint32_t mark;
    struct names subs; /* sub-directories still to come: from subs.sorted[next] */
    size_t next;
};

struct walk {
    struct beneath *root;
    struct walk_options options;
    struct buf path; /* of the present directory */
    size_t relative; /* where the part below the folder starts in it */
    struct frame *frames;
    size_t depth, cap, open_from; /* frames before open_from are closed */
    enum walk_state state;
    struct ignore ignore;
    struct seen seen;   /* directories that were entered; only when links are followed */
    bool passed_over;   /* the present directory is, with all that is in it */
    bool has_rules;     /* it has a file of rules, which was not read yet */
    struct names files; /* of the present directory */
    size_t next_file;
    size_t next_some;          /* of options.some */
    int problem;               /* errno of a directory that could not be read to its end */
    ssize_t read_at, read_len; /* what of `buffer` was not taken yet */
    char buffer[WALK_READ_SIZE] __attribute__((aligned(8)));
};

/* What a system call says that may work later. */
bool walk_out_of_resources(int error);

/* The state of an entry of the present directory: of what it leads to when it is a symbolic link
 * and links are followed. 0, or an errno: that of a link which is not to be followed is ELOOP. */
int walk_stat(struct walk *walk, const char *name, struct stat *out);

/* Reads some of the present directory: WALK_PAUSE, WALK_BUSY or, at its end, WALK_DIRECTORY. */
void walk_read(struct walk *walk, struct walk_entry *out);

#endif
