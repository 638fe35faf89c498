/* walk: what lies below a folder, directory by directory, in the order of the names, without what
 * is to be ignored (ignore.h). It holds a bounded number of descriptors at any depth, and does a
 * little at a time: the caller may stop between any two calls. Symbolic links are followed only
 * when root->follow says so, each directory being entered once: by the way that comes first. Job
 * thread.
 */
#ifndef REELD_LIBRARY_WALK_H
#define REELD_LIBRARY_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "reeld/base.h"

#include "beneath.h"
#include "names.h"

struct walk;

enum walk_kind {
    WALK_END,
    WALK_PAUSE,     /* some of a directory was read; nothing to say yet */
    WALK_BUSY,      /* out of descriptors or memory: try again in a moment */
    WALK_DIRECTORY, /* a directory was read; its files come next */
    WALK_FILE,      /* an entry with an extension that is looked for; not a directory */
    WALK_PROBLEM,   /* `name` in `directory` could not be looked at, for the errno `error` */
};

struct walk_entry {
    enum walk_kind kind;
    const char *directory; /* absolute, bytes; valid until the next call */
    const char *name;      /* likewise */
    int error;
    struct stat stat; /* of a WALK_FILE; when it is a link, of what that leads to. Of a
                         WALK_DIRECTORY only st_dev */
};

struct walk_options {
    const char *path;         /* absolute path of the folder `root` */
    const char *single;       /* NULL, or the one name in the folder to look at */
    const struct names *some; /* NULL, or the names in the folder to look at, sorted: files, and
                                 folders with all that is in them, as the rules let them
                                 through */
    bool recursive;           /* sub-directories too */
    const char *const *extensions; /* NULL-terminated, lower case */
    const char *top;   /* rules of the folders above `path` hold from here on; NULL: none do */
    unsigned int keep; /* of enum ignored_name */
    void (*entered)(void *ctx, int fd, const char *path); /* before a folder is read; or NULL */
    void *ctx;
};

/* Strings and `root` are the caller's and must outlive the walk. Of the file system it reads only
 * the rules above the folder. Neither extensions nor anything to ignore are asked of `single`, nor
 * anything to ignore of the names of the folder itself: somebody asked for them. */
enum rl_err walk_new(struct beneath *root, const struct walk_options *options, struct walk **out);

/* Does the next small piece of work and says what came of it. Entries that vanish while the walk
 * comes to them are passed over in silence. */
void walk_next(struct walk *walk, struct walk_entry *out);

/* The present directory as steps from the folder: walk_depth() names, outermost first, each of
 * `len` bytes without a NUL. `mark` is a number that the caller may keep with the step; it starts
 * as 0. */
size_t walk_depth(const struct walk *walk);
const char *walk_step(struct walk *walk, size_t index, size_t *len, uint32_t **mark);

/* Descriptors that the walk holds just now. */
size_t walk_descriptors(const struct walk *walk);

void walk_free(struct walk *walk);

/* Whether `name` has one of the extensions. */
bool walk_wants(const char *const *extensions, const char *name);

#endif
