/* plain: what a list or a count must be, by a plain look at every row of the tables. */
#ifndef REELD_TEST_CATALOG_PLAIN_H
#define REELD_TEST_CATALOG_PLAIN_H

#include "support.h"

enum { PLAIN_MAX = 20000 };

struct line {
    int64_t number, size, duration_us;
    int width, height, subtitles;
    bool missing;
    char folder[64], name[64];
    char codec[32], container[32], hdr[16], languages[32];
};

struct lines {
    struct line *at; /* by number */
    size_t count;
};

/* All rows of the catalogue at `path`, through a connection of its own. out->at has room for
 * PLAIN_MAX. */
void plain_read(const char *path, struct lines *out);

/* Whether a filter lets a line through, one facet's part left out (FACETS: none). Of a filter's
 * parts it knows those that the tests use. */
bool plain_passes(const struct line *line, const struct video_filter *filter, enum facet but);

/* Whether a line counts for a value of a facet. */
bool plain_has(const struct line *line, enum facet facet, const char *word);

/* For qsort, of pointers to lines. */
int plain_by_size(const void *a, const void *b);
int plain_by_name(const void *a, const void *b);

#endif
