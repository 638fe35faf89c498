/* ignore_rule: one line of a .reeldignore file and what it matches, as gitignore(5) says. Pure. */
#ifndef REELD_LIBRARY_IGNORE_RULE_H
#define REELD_LIBRARY_IGNORE_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "reeld/base.h"

/* A rule; its parts, one a name of the path, are kept in a text that many rules share. */
struct ignore_rule {
    size_t at, end; /* of its parts in the text */
    unsigned int line;
    bool negative;       /* takes back what a rule before it said */
    bool directory_only; /* it ended in '/' */
    bool anywhere;       /* it has no '/': only the last name of a path counts, at any depth */
};

/* Appends the parts of `line` to `text`; the line has no line end in it, and its trailing spaces
 * are cut off in place. False: a comment, an empty line, or one that can match nothing. After it
 * text->failed may be set. */
bool ignore_rule_parse(char *line, struct buf *text, struct ignore_rule *out);

/* Whether the rule, whose parts are in `text`, matches a path: the names from `path` to `end`, each
 * with its NUL, beginning in the folder of the rule; `name` is the last one of them. */
bool ignore_rule_matches(const struct ignore_rule *rule, const char *text, const char *path,
                         const char *end, const char *name, bool directory);

#endif
