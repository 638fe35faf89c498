/* ignore: what a walk passes over. The rules of .reeldignore files hold in their folder and below
 * it, as gitignore(5) says; some names are passed over by themselves. Pure: ignore_read.h reads the
 * files. Job thread. */
#ifndef REELD_LIBRARY_IGNORE_H
#define REELD_LIBRARY_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "reeld/base.h"
#include "reeld/ignored_names.h"

#define IGNORE_RULES_FILE ".reeldignore"
#define IGNORE_ALL_FILE ".nomedia"

enum {
    IGNORE_FILE_MAX = 64 * 1024, /* bytes of one file that are read */
    IGNORE_RULES_MAX = 1000,     /* rules of one file */
    IGNORE_TEXT_MAX = 1 << 20,   /* bytes of all files that hold in one folder */
};

/* The name that `name` is passed over for, which is none of `keep` (a set); 0: none. */
unsigned int ignore_name(unsigned int keep, const char *name);

struct ignore_level;

/* Where a walk is, and the rules that hold there. All zero: in the topmost folder, without any. */
struct ignore {
    struct buf path; /* the folders below the topmost one, each with its NUL */
    struct ignore_level *levels;
    size_t count, cap;
    size_t bytes; /* of all rules that hold */
};

/* Goes into the folder `name` of the present one (RL_ENOMEM: it did not), and back. Going back from
 * the topmost folder does nothing. */
enum rl_err ignore_enter(struct ignore *ignore, const char *name);
void ignore_leave(struct ignore *ignore);

/* Adds the content of a file of the present folder; `bytes` is changed, and bytes[len] must be
 * there to be written to. RL_EFULL: rules were left out since they are too many. RL_ENOMEM: none
 * were added. */
enum rl_err ignore_add(struct ignore *ignore, char *bytes, size_t len);

/* What the rules say of an entry. */
struct ignore_verdict {
    bool ignored;
    unsigned int line; /* of the rule that decided, counted from 1; 0: none did */
    size_t folders;    /* how many folders below the topmost one its file lies */
};

/* Judges `name` in the present folder by the rules alone: the last one that matches decides, a
 * file's nearer to the entry before those further up. RL_ENOMEM. */
enum rl_err ignore_judge(struct ignore *ignore, const char *name, bool directory,
                         struct ignore_verdict *out);

void ignore_free(struct ignore *ignore);

#endif
