/* find: what lists and counts are answered from, in the memory of a handle that asks for them. Not
 * for other rooms.
 *
 * Videos are known by their numbers (videos.number), which are dense: what a filter or an order
 * compares stands in columns indexed by them, sets of them are bits. Missing videos are in all of
 * it too and are left out by a set, so that going and coming back moves nothing. */
#ifndef REELD_CATALOG_FIND_PRIVATE_H
#define REELD_CATALOG_FIND_PRIVATE_H

#include "columns.h"

/* ---- blocks.c: the parts of an order --------------------------------------------------------- */

enum { BLOCK = 512 }; /* numbers in one, at most */

struct block {
    uint32_t *numbers;
    uint16_t count, cap;
    uint16_t sorted; /* of the order of names only: how many at the front are in their order */
    uint32_t id;     /* likewise: counted from 1 */
};

/* An empty one with room for some; NULL: out of memory. */
struct block *block_new(size_t room);
bool block_reserve(struct block *block, size_t room); /* false: out of memory */
void block_fit(struct block *block); /* gives back the room that it has no use for */
void block_free(struct block *block);

/* How full the blocks of an order are made as it is built. Not all the same: what comes later is
 * often spread evenly, and would fill them all at one time. */
static inline size_t block_fill(size_t index)
{
    return 352 + index * 37 % 128;
}

/* ---- orders.c, orders_build.c: the orders by a number ---------------------------------------- */

/* All that is in a block is at its fence or after it, and before the next one; the first fence
 * stands before everything. It stays where it is when videos come and go. */
struct fence {
    int64_t key;
    uint32_t number;
};

struct order {
    struct block **blocks;
    struct fence *fences;
    size_t count, cap;
};

/* The sorts that have one: all but SORT_NAME and SORT_ADDED. */
static inline bool sort_has_order(enum video_sort sort)
{
    return sort != SORT_NAME && sort != SORT_ADDED;
}

int64_t order_key(const struct columns *columns, enum video_sort sort, size_t number);
bool order_insert(struct order *order, const struct columns *columns, enum video_sort sort,
                  uint32_t number);

/* To be called while the columns have the key with which it went in. */
void order_erase(struct order *order, const struct columns *columns, enum video_sort sort,
                 uint32_t number);
void order_free(struct order *order);

/* The block where a position is or would be. */
size_t order_seek(const struct order *order, int64_t key, uint32_t number);

/* Appends a block with room for block_fill; NULL: out of memory. */
struct block *order_append(struct order *order, int64_t key, uint32_t number);

/* Builds an order of everything in the columns, a step of some milliseconds at a time. */
struct build;
struct build *build_new(const struct columns *columns, enum video_sort sort, struct order *order);
enum rl_err build_step(struct build *build, bool *done);
void build_free(struct build *build);

/* ---- ranks.c: the order of folders by their paths ---------------------------------------------
 */

struct ranks {
    uint64_t *at;    /* by directories.id; 0: none */
    uint32_t *tails; /* likewise, words: the last two letters of the paths */
    size_t cap;
    int64_t seen; /* the folders up to this id are in here */
    bool behind;  /* all are to be ranked anew */
};

/* Gives the folders that came since a rank, and tells the searches of them. RL_EBUSY: there are
 * more. */
enum rl_err ranks_follow(struct catalog *catalog, int64_t until_ns);
void ranks_free(struct ranks *ranks);

static inline uint64_t rank_of(const struct ranks *ranks, uint32_t folder)
{
    return folder < ranks->cap ? ranks->at[folder] : 0;
}

/* ---- paths.c -----------------------------------------------------------------------------------
 */

struct paths;

/* Keeps the path of a folder, if there is room; *kept: NULL at first. */
void paths_add(struct paths **kept, uint32_t id, const char *path, size_t len);

/* NULL: it is not kept. `paths` may be NULL. */
const char *paths_get(const struct paths *paths, int64_t id, size_t *len);
void paths_free(struct paths **kept);

/* ---- names.c, names_sort.c, names_load.c: the order of names -----------------------------------
 */

/* A place in the order of names: natural key, folder (by its rank), number. */
struct name_place {
    const char *key;
    size_t len;
    uint32_t folder, number;
};

/* A number that comes stands behind those of its block that are in order, and is put among them
 * when a list comes by: then its name and theirs must be read. */
struct names {
    struct block **blocks;
    struct name_place *fences; /* keys are owned; the first stands before everything */
    uint32_t *ids;             /* of the blocks, in their order */
    size_t count, cap;
    struct block **by_id;
};

int name_compare(const struct ranks *ranks, const struct name_place *a, const struct name_place *b);
enum rl_err names_insert(struct catalog *catalog, uint32_t number, const char *name);
void names_erase(struct find *find, uint32_t number);
size_t names_seek(const struct find *find, const struct name_place *place);
struct block *names_append(struct find *find, const struct name_place *fence);
void names_drop(struct names *names);

/* Numbers with the keys of their names. */
struct named {
    struct name_place at[BLOCK];
    size_t count;
    struct buf keys;
    uint32_t dropped[BLOCK]; /* those that were left out */
    size_t n_dropped;
};

/* Reads the name of a number and appends its key to `keys`, where the place has its length, but not
 * its key. One that changed after what was applied is not *found: its change is yet to come and
 * will put it where it belongs. */
enum rl_err name_read(struct catalog *catalog, uint32_t number, struct buf *keys,
                      struct name_place *out, bool *found);

/* Reads the names of numbers, into a `named` that is to be freed with named_free. */
enum rl_err named_read(struct catalog *catalog, const uint32_t *numbers, size_t count,
                       struct named **out);
void named_free(struct named *named);

/* Puts all of a block in order; one that changed after what was applied leaves it. */
enum rl_err names_order(struct catalog *catalog, struct block *block);

/* What of `wanted` (NULL: all) is in a block and, where `place` is not NULL, beyond it in the
 * direction of the list; ascending. RL_EBUSY, … : names could not be read. */
enum rl_err names_gather(struct catalog *catalog, struct block *block, const struct matches *wanted,
                         const struct name_place *place, bool descending, uint32_t out[BLOCK],
                         size_t *count);

/* Reads the order that is on disk, until `until_ns`. Then all but the unsettled and the missing are
 * in it. */
struct names_load {
    struct buf key; /* the last one that was read */
    int64_t number;
    uint32_t *run; /* the numbers with that key, yet to be put in */
    size_t n_run, cap_run;
};
enum rl_err names_load(struct catalog *catalog, int64_t until_ns, bool *done);
void names_load_free(struct names_load *load);

/* ---- search.c, search_index.c
 * ------------------------------------------------------------------------------ */

/* What a search found: videos by name or title, folders by path. It is kept for the next time, and
 * followed. */
struct finding {
    struct buf needle; /* folded; empty: none */
    struct bits videos, folders;
    bool in_folders; /* it found any */
    uint64_t used;
    struct finding_at {
        int stage;     /* 0: videos, 1: folders */
        int64_t after; /* number, or folder, that it has come to */
        char term[16]; /* of a short text: the trigram that it is at */
    } at;
};
enum { FINDING_TAILS = 2, FINDING_DONE };

enum { FINDINGS = 12 };

struct searches {
    struct finding at[FINDINGS];
    uint64_t uses;
    struct buf name, title; /* scratch */
};

/* The videos, missing ones too, with `text` in name or title, and the folders. *out: NULL where it
 * does not restrict anything; borrowed until the next call. */
enum rl_err search_run(struct catalog *catalog, const char *text, const struct finding **out);

/* Asks the indexes for the needle of a finding and goes on where it was. RL_EBUSY, RL_EAGAIN: it is
 * not over. */
enum rl_err search_index(struct catalog *catalog, struct finding *finding);

/* A video or folder is new, or its texts are others (bytes). */
enum rl_err search_note_video(struct catalog *catalog, size_t number, const char *name,
                              const char *title);
enum rl_err search_note_folder(struct catalog *catalog, size_t id, const char *path, size_t len);

/* The last two letters of a text, folded. False: out of memory. */
enum { TAIL_SIZE = 9 };
bool search_tail(struct catalog *catalog, const char *text, size_t len, char out[TAIL_SIZE]);
void searches_free(struct searches *searches);

/* ---- load.c, follow.c
 * ------------------------------------------------------------------------------ */

/* What a set or a count that SQL made is true for: nobody has written since. */
struct moment {
    int64_t sequence;
    int64_t others, own; /* what counts the commits of other handles, and the changes of this one */
};

static inline bool moment_is(const struct moment *a, const struct moment *b)
{
    return a->sequence == b->sequence && a->others == b->others && a->own == b->own;
}

enum find_state { FIND_NONE, FIND_ROWS, FIND_ORDERS, FIND_NAMES, FIND_REST, FIND_READY };

struct find {
    enum find_state state;
    int64_t at; /* number that FIND_ROWS and FIND_REST have come to */
    int sort;   /* that FIND_ORDERS is at */
    struct build *build;
    struct names_load names_load;

    int64_t applied, buried; /* sequence up to which changes, and deletions, are in here */
    struct columns columns;
    struct lexicon lexicon;
    struct traits_table traits;
    struct order orders[VIDEO_SORTS];
    struct names names;
    struct ranks ranks;
    struct paths *paths; /* of a reader: what a transaction adds may be taken back */
    struct searches searches;

    struct moment moment; /* of the snapshot at hand */
    struct bits failed, twins;
    struct moment failed_at, twins_at;

    struct matches matches; /* what the filter found that was run last */
    struct moment matches_at;
    struct buf matches_filter, filter; /* that filter, written out; scratch */
    bool matched;

    int64_t early_total; /* how many are there, counted while the columns were not ready */
    struct moment early_at;

    struct video_stats *stats; /* the last counts, of stats_filter */
    struct moment stats_at;
    struct buf stats_filter;
};

/* Does what the present state is about, until `until_ns`, and goes on to the next state. */
enum rl_err load_step(struct catalog *catalog, int64_t until_ns);

/* Makes the handle ready to find; loads what is small. */
enum rl_err find_open(struct catalog *catalog);
void find_close(struct catalog *catalog);

/* The transaction was taken back: forgets what was only in it. */
void find_rolled_back(struct catalog *catalog);

/* What the snapshot at hand is, into find->moment. */
enum rl_err find_moment(struct catalog *catalog);

/* Brings the memory up to the snapshot at hand, until `until_ns`. RL_EBUSY: there is more to do. */
enum rl_err find_follow(struct catalog *catalog, int64_t until_ns);

/* For a list: a bounded share of the call's budget. A reader does not load here: RL_EBUSY. */
enum rl_err find_ready(struct catalog *catalog);

/* ---- below.c -------------------------------------------------------------------------------- */

/* What is in a folder or in one below it. */
struct below {
    bool few;          /* the videos are `numbers`; otherwise the folders say which they are */
    uint32_t *numbers; /* owned */
    size_t count, cap;
    uint32_t folder;    /* itself; 0: it is not known */
    uint64_t low, high; /* the ranks of those below it; low > high: none */
};

/* In the snapshot at hand; `missing`: whether those that are missing are looked for, or those that
 * are there. below_free to be called in any case. */
enum rl_err below_find(struct catalog *catalog, const char *path, bool missing, struct below *out);
void below_free(struct below *below);

static inline bool below_has(const struct ranks *ranks, const struct below *below, uint32_t folder)
{
    uint64_t rank = rank_of(ranks, folder);
    return folder == below->folder || (rank >= below->low && rank <= below->high);
}

/* ---- filter.c, facets.c
 * ------------------------------------------------------------------------------ */

/* Writes out a filter so that two are the same exactly when their bytes are. */
void filter_write(const struct video_filter *filter, struct buf *out);

bool filter_is_empty(const struct video_filter *filter);

/* For each combination of traits, one bit for each facet (1 << enum facet) whose part of the filter
 * it fails. *out is malloc'ed; NULL: no facet restricts anything. */
enum rl_err filter_facets(const struct find *find, const struct video_filter *filter,
                          uint8_t **out);

/* The videos that a filter lets through. `fails`: of filter_facets, or NULL to leave all facets'
 * parts out. In the snapshot at hand. *out: of an earlier run, or zeroed. */
enum rl_err filter_run(struct catalog *catalog, const struct video_filter *filter,
                       const uint8_t *fails, struct matches *out);

/* Puts it into find->matches unless it is there already. */
enum rl_err filter_matches(struct catalog *catalog, const struct video_filter *filter);

/* find->twins and find->failed, as they are now. */
enum rl_err filter_twins(struct catalog *catalog);
enum rl_err filter_failed(struct catalog *catalog);

/* ---- walk.c, page.c, page_early.c ----------------------------------------------------------- */

enum { PAGE_LIMIT_MAX = 1000 };

/* The numbers of a page, in order. */
struct numbers {
    int64_t *at; /* room for the page's limit */
    size_t count;
    bool more; /* there are others behind it */
};

/* The page of a query among `wanted`; `cursor` may be NULL. */
enum rl_err walk_page(struct catalog *catalog, const struct video_query *query,
                      const struct position *cursor, const struct matches *wanted,
                      struct numbers *out);

/* A list of everything by name or coming, straight from the tables: for the time until the memory
 * is ready. */
enum rl_err page_early(struct catalog *catalog, const struct video_query *query,
                       const struct position *cursor, struct numbers *out, int64_t *total);

/* Fills in a page's videos. */
enum rl_err page_rows(struct catalog *catalog, const struct numbers *numbers,
                      struct video_page *out);

#endif
