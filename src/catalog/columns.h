/* What stands in memory of each video: sets of numbers, words by number, and columns of what filters
 * and orders compare. Not for other rooms. */
#ifndef REELD_CATALOG_COLUMNS_PRIVATE_H
#define REELD_CATALOG_COLUMNS_PRIVATE_H

#include "private.h"

/* ---- bits.c: sets of numbers --------------------------------------------------------------- */

struct bits {
    uint64_t *words;
    size_t cap; /* numbers below it have a bit; a multiple of 64 */
};

/* False: out of memory. */
bool bits_reserve(struct bits *bits, size_t number);
bool bits_set(struct bits *bits, size_t number);
void bits_drop(struct bits *bits, size_t number);
void bits_clear(struct bits *bits);
void bits_free(struct bits *bits);
int64_t bits_count(const struct bits *bits);

static inline bool bits_has(const struct bits *bits, size_t number)
{
    return number < bits->cap && (bits->words[number / 64] >> (number % 64) & 1);
}

/* The 64 numbers from 64 * `index` on. */
static inline uint64_t bits_word(const struct bits *bits, size_t index)
{
    return index < bits->cap / 64 ? bits->words[index] : 0;
}

/* The videos that a filter lets through. */
struct matches {
    struct bits bits;
    size_t from, to; /* words of it outside [from, to) are empty */
    int64_t count;
};

/* ---- lexicon.c: words by number, and what videos have in common ------------------------------ */

/* Each word once; 0 is the empty one. */
struct lexicon {
    char **words;
    uint32_t count, cap;
    uint32_t *slots; /* a hash table of numbers + 1 */
    uint32_t n_slots;
};

/* UINT32_MAX: out of memory. */
uint32_t lexicon_add(struct lexicon *lexicon, const char *word);
void lexicon_free(struct lexicon *lexicon);

/* A combination that few values make: videos hold its number only, and a filter judges it once. */
struct traits {
    uint32_t video_codec, container, hdr, languages; /* words */
    uint32_t name_tail, title_tail; /* words: the last two letters, folded; see search.c */
    uint16_t resolution;            /* enum resolution_class */
    uint16_t subtitles;             /* 0 or 1 */
};

/* Wide enough for the sum of any sizes. */
__extension__ typedef __int128 wide;

/* The videos that are there and have a combination, together. */
struct traits_sum {
    wide size, duration_us;
    int64_t videos;
};

struct traits_table {
    struct traits *at;
    struct traits_sum *sums;
    uint32_t count, cap;
    uint32_t *slots;
    uint32_t n_slots;
};

uint32_t traits_add(struct traits_table *table, const struct traits *traits);
void traits_free(struct traits_table *table);

/* ---- columns.c ----------------------------------------------------------------------------- */

enum { CHUNK_BITS = 16, CHUNK = 1 << CHUNK_BITS };

/* 48 bytes a video. Pages of it in which there is none are never touched. */
struct chunk {
    int64_t mtime_ns[CHUNK], duration_us[CHUNK], size[CHUNK];
    uint32_t created_s[CHUNK]; /* since 1970 */
    uint32_t bit_rate[CHUNK];  /* clamped; 0: not known */
    uint32_t folder[CHUNK], traits[CHUNK];
    uint32_t name_block[CHUNK];           /* where it is in the order of names; 0: nowhere */
    uint16_t width[CHUNK], height[CHUNK]; /* as displayed; clamped; 0: not known */
};

struct columns {
    struct chunk **chunks; /* NULL where no video was */
    size_t n_chunks;
    struct bits known, present;
    int64_t n_known, n_present;
};

/* What the columns want of a row. */
struct facts {
    int64_t number, sequence, mtime_ns, duration_us, size;
    uint32_t created_s, bit_rate, folder, traits;
    uint16_t width, height;
    bool present;
};

#define FACT_COLUMNS                                                                               \
    "v.number, v.sequence, v.created_at, v.mtime_ns, v.duration_us, v.size, v.bit_rate, v.width, " \
    "v.height, v.rotation, v.directory, v.missing_since, v.subtitle_count, v.video_codec, "        \
    "v.container, v.hdr, v.languages, v.title, v.name"
enum { FACT_TITLE = 17, FACT_NAME = 18 }; /* places of these two in it */

struct find;

/* Reads a row of FACT_COLUMNS. RL_EINVAL: its number is beyond what fits. */
enum rl_err facts_read(struct catalog *catalog, sqlite3_stmt *statement, struct facts *out);

bool columns_put(struct find *find, const struct facts *facts);
void columns_take(struct find *find, size_t number);
void columns_free(struct columns *columns);

static inline struct chunk *columns_chunk(const struct columns *columns, size_t number)
{
    return columns->chunks[number >> CHUNK_BITS];
}
#define COLUMN(columns, number, name)                                                              \
    (columns_chunk((columns), (number))->name[(number) & (CHUNK - 1)])

#endif
