/* catalog_find: lists of videos in any order, behind any filter; counts of what a filter lets
 * through; videos with the same content. A part of the catalogue's door: see catalog.h. Every call
 * is one bounded query on its handle's thread: past its budget it returns RL_EBUSY. */
#ifndef REELD_CATALOG_FIND_H
#define REELD_CATALOG_FIND_H

#include "reeld/catalog.h"

/* Equal keys are ordered by folder and coming (names), else by coming. What is not known is the
 * smallest. */
enum video_sort {
    SORT_NAME,     /* as people expect: digits by their value, letters without case */
    SORT_ADDED,    /* in the order of their coming */
    SORT_MODIFIED, /* the file's time */
    SORT_DURATION,
    SORT_SIZE,
    SORT_RESOLUTION, /* width times height, as displayed */
    SORT_BIT_RATE,
    VIDEO_SORTS
};

/* A yes-or-no question to each video; ANY: it is not asked. */
enum choice { CHOICE_ANY, CHOICE_NO, CHOICE_YES };

/* What a video must be to be found; all zero: any video that is there. Every text may be anything:
 * it is data. Lists of words are separated by commas, and one of them must be equal (ASCII case
 * aside); an empty word stands for "not known" ("none", for a language or hdr). */
struct video_filter {
    const char *search;                             /* a substring of name, folder or title */
    const char *video_codec, *container, *language; /* word lists; NULL: any */
    const char *resolution;                         /* word list of resolution classes, below */
    const char *hdr_format;                         /* word list: hdr10, hlg, … */
    enum choice hdr, subtitles, failed, duplicates; /* failed: its file failed at the last look */
    enum choice missing;                            /* ANY counts as NO: missing ones are hidden */
    int64_t width_min, width_max, height_min, height_max; /* pixels as displayed; max 0: none */
    int64_t duration_min_us, duration_max_us;             /* max 0: none */
    int64_t added_since_ms, modified_since_ms;            /* 0: any time */
    const char *folder; /* absolute path, bytes: what lies in it or below; NULL: anywhere */
};

struct video_query {
    struct video_filter filter;
    enum video_sort sort;
    bool descending;
    int limit; /* 1 to 1000 */
    int64_t offset;
    const char *cursor; /* NULL, or next_cursor of the page before (then offset must be 0) */
};

struct video_page {
    struct video *videos; /* owned; with their subtitle streams only */
    size_t count;
    int64_t total;         /* of all that matches, not of the page */
    int64_t sequence;      /* the page is true at this point of the stream */
    char next_cursor[768]; /* empty at the end */
};
void video_page_clear(struct video_page *page);

/* RL_EINVAL: the cursor is not one of this query's (or sort, limit, offset out of range). The page
 * and its total and sequence are of one state of the catalogue. Searching ignores the case of
 * letters, as Unicode's simple folding has it, and takes what is not UTF-8 for U+FFFD. RL_EBUSY
 * also right after the start of a large catalogue, until catalog_warm is done: names and the order
 * of coming can be listed at once. RL_EAGAIN: see catalog_set_slice. */
enum rl_err catalog_videos(struct catalog *catalog, const struct video_query *query,
                           struct video_page *out);

/* ---- counts -------------------------------------------------------------------------------- */

/* Lines of picture: of the smaller side as displayed, the class that it reaches. */
enum resolution_class {
    RESOLUTION_UNKNOWN,
    RESOLUTION_SD,   /* below 720 */
    RESOLUTION_720P, /* from here on */
    RESOLUTION_1080P,
    RESOLUTION_1440P,
    RESOLUTION_2160P,
    RESOLUTION_4320P,
    RESOLUTION_CLASSES
};
const char *resolution_word(enum resolution_class resolution); /* "sd", "720p" …; "" unknown */

enum facet {
    FACET_VIDEO_CODEC,
    FACET_CONTAINER,
    FACET_RESOLUTION,
    FACET_HDR,
    FACET_SUBTITLES,
    FACET_LANGUAGE,
    FACETS
};

struct facet_value {
    char word[32]; /* "" : not known, or none */
    int64_t count;
};

/* A facet's counts leave its own part of the filter out, so that they say what another choice would
 * give. Most frequent first, then by word. */
struct facet_counts {
    struct facet_value *values; /* owned */
    size_t count;
};

struct video_stats {
    int64_t videos;      /* that the filter lets through */
    int64_t duration_us; /* of those where it is known, together */
    int64_t size;
    int64_t missing, failed, duplicates; /* of the whole catalogue; failed: remembered failures */
    struct facet_counts facets[FACETS];
    int64_t sequence;
};
void video_stats_clear(struct video_stats *stats);

/* In one state of the catalogue. RL_EBUSY, RL_EAGAIN: as catalog_videos. */
enum rl_err catalog_stats(struct catalog *catalog, const struct video_filter *filter,
                          struct video_stats *out);

/* The other videos that are there with the content of video `id`, at most `limit` (1 to 1000), by
 * coming; `total` counts them all. RL_ENOTFOUND: no such video. */
enum rl_err catalog_duplicates(struct catalog *catalog, const char *id, int limit,
                               struct video_page *out);

/* What a text is found in is not known before it is asked for the first time; for a common one that
 * takes tens of milliseconds, as may what has changed since the last call. From now on a call of
 * catalog_videos, catalog_stats or catalog_duplicates does at most about `us` microseconds of it
 * and returns RL_EAGAIN: the same call again goes on. 0 (as it is opened): all of it at once. */
void catalog_set_slice(struct catalog *catalog, int64_t us);

/* ---- a reader's memory ---------------------------------------------------------------------- */

/* Lists and counts are answered from columns in memory (about 60 bytes a video), which are read
 * when the handle is opened (small catalogues) or in slices by this, and follow every change from
 * then on. Does up to `budget_ms` of that work; *ready: nothing is left. Cheap when nothing is. */
enum rl_err catalog_warm(struct catalog *catalog, int64_t budget_ms, bool *ready);

#endif
