/* explain_words: what a person reads about one path. Pure; any thread. */
#ifndef REELD_SERVER_EXPLAIN_WORDS_H
#define REELD_SERVER_EXPLAIN_WORDS_H

#include "reeld/catalog.h"
#include "reeld/library.h"

/* What is known of a path, on the disk and in the catalogue, and what follows from it. */
struct path_finding {
    const char *path;
    struct path_explanation disk; /* owned */
    struct path_about known;
    enum path_status status;
    bool changed; /* something is known of the file, and it is not in that state any more */
    enum failure_code code;
};

/* Fills status, changed and code from what was found out. */
void finding_decide(struct path_finding *finding);

/* Why it is so and what can be done, as one line; UTF-8. out->failed: out of memory. */
void finding_words(const struct path_finding *finding, struct buf *out);

#endif
