#include <stdlib.h>
#include <string.h>

#include "find.h"

/* A filter is a set of numbers, 64 at a time: those that are there, and each part of the filter
 * takes away what it does not let through. */

static void write_text(struct buf *out, const char *text)
{
    buf_append(out, text ? text : "", text ? strlen(text) + 1 : 0);
    buf_append(out, text ? "\1" : "\2", 1); /* where one ends, and whether there was one */
}

void filter_write(const struct video_filter *filter, struct buf *out)
{
    const int64_t values[] = {
        filter->hdr,
        filter->subtitles,
        filter->failed,
        filter->duplicates,
        filter->missing == CHOICE_YES,
        filter->width_min,
        filter->width_max,
        filter->height_min,
        filter->height_max,
        filter->duration_min_us,
        filter->duration_max_us,
        filter->added_since_ms,
        filter->modified_since_ms,
    };
    buf_append(out, values, sizeof values);
    write_text(out, filter->search && *filter->search ? filter->search : NULL);
    write_text(out, filter->video_codec);
    write_text(out, filter->container);
    write_text(out, filter->language);
    write_text(out, filter->resolution);
    write_text(out, filter->hdr_format);
    write_text(out, filter->folder);
}

bool filter_is_empty(const struct video_filter *filter)
{
    const struct video_filter none = {0};
    struct buf one = {0}, other = {0};
    filter_write(filter, &one);
    filter_write(&none, &other);
    bool same = !one.failed && !other.failed && one.len == other.len &&
                memcmp(one.data, other.data, one.len) == 0;
    buf_free(&one);
    buf_free(&other);
    return same;
}

/* ---- sets that SQL makes ------------------------------------------------------------------- */

static enum rl_err read_set(struct catalog *catalog, int slot, const char *sql, struct bits *out)
{
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, slot, sql, &list);
    bits_clear(out);
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        int64_t number = sqlite3_column_int64(list, 0);
        if (number > 0 && number < UINT32_MAX && !bits_set(out, (size_t)number))
            err = RL_ENOMEM;
    }
    if (err != RL_ENOTFOUND)
        return err;
    return RL_OK;
}

enum rl_err filter_twins(struct catalog *catalog)
{
    struct find *find = catalog->find;
    if (moment_is(&find->twins_at, &find->moment))
        return RL_OK;
    enum rl_err err = read_set(catalog, ST_FIND_TWINS, "SELECT number FROM twins", &find->twins);
    find->twins_at = err == RL_OK ? find->moment : (struct moment){0};
    return err;
}

/* A file that failed may be no video; then its row has no number. */
enum rl_err filter_failed(struct catalog *catalog)
{
    struct find *find = catalog->find;
    if (moment_is(&find->failed_at, &find->moment))
        return RL_OK;
    enum rl_err err =
        read_set(catalog, ST_FIND_FAILED,
                 "SELECT v.number FROM failures f LEFT JOIN videos v ON v.directory = f.directory"
                 " AND v.name = f.name AND v.missing_since = 0 WHERE f.job <> 0",
                 &find->failed);
    find->failed_at = err == RL_OK ? find->moment : (struct moment){0};
    return err;
}

/* ---- the parts of each video ------------------------------------------------------------------
 */

/* One bit for each of 64 values that is in a range. */
static uint64_t in_range_64(const int64_t *values, int64_t min, int64_t max)
{
    uint64_t word = 0;
    for (int i = 0; i < 64; i++)
        word |= (uint64_t)(values[i] >= min && values[i] <= max) << i;
    return word;
}

static uint64_t in_range_32(const uint32_t *values, int64_t min)
{
    uint64_t word = 0;
    for (int i = 0; i < 64; i++)
        word |= (uint64_t)(values[i] >= min) << i;
    return word;
}

static uint64_t in_range_16(const uint16_t *values, int64_t min, int64_t max)
{
    uint64_t word = 0;
    for (int i = 0; i < 64; i++)
        word |= (uint64_t)(values[i] >= min && values[i] <= max) << i;
    return word;
}

static uint64_t passing(const uint32_t *traits, const uint8_t *fails)
{
    uint64_t word = 0;
    for (int i = 0; i < 64; i++)
        word |= (uint64_t)(fails[traits[i]] == 0) << i;
    return word;
}

/* The numbers of a range that is asked for: what is not known is in none. */
struct range {
    bool asked;
    int64_t min, max;
};

static struct range range_of(int64_t min, int64_t max, int64_t known)
{
    struct range range = {min > 0 || max > 0, min > 0 ? min : known, max > 0 ? max : INT64_MAX};
    return range;
}

struct sieve {
    const struct find *find;
    const uint8_t *fails; /* NULL: not asked */
    const struct finding *finding;
    bool missing;
    enum choice failed, duplicates;
    struct range width, height, duration;
    int64_t added_since_s, modified_since_ns; /* 0: not asked */
    bool in_folder;
    struct below below; /* where it has few videos, only these are sieved */
};

static uint64_t word_of_search(const struct sieve *sieve, const struct chunk *chunk, size_t index,
                               uint64_t word)
{
    uint64_t found = word & bits_word(&sieve->finding->videos, index);
    if (!sieve->finding->in_folders)
        return found;
    for (uint64_t left = word & ~found; left; left &= left - 1) {
        unsigned bit = (unsigned)__builtin_ctzll(left);
        size_t at = (index * 64 + bit) & (CHUNK - 1);
        found |= (uint64_t)bits_has(&sieve->finding->folders, chunk->folder[at]) << bit;
    }
    return found;
}

static uint64_t word_of_folder(const struct sieve *sieve, const struct chunk *chunk, size_t index,
                               uint64_t word)
{
    uint64_t found = 0;
    for (uint64_t left = word; left; left &= left - 1) {
        unsigned bit = (unsigned)__builtin_ctzll(left);
        uint32_t folder = chunk->folder[(index * 64 + bit) & (CHUNK - 1)];
        found |= (uint64_t)below_has(&sieve->find->ranks, &sieve->below, folder) << bit;
    }
    return found;
}

static uint64_t choose(uint64_t word, enum choice choice, uint64_t set)
{
    return choice == CHOICE_ANY ? word : choice == CHOICE_YES ? word & set : word & ~set;
}

static uint64_t sieve_word(const struct sieve *sieve, size_t index)
{
    const struct columns *columns = &sieve->find->columns;
    uint64_t word = bits_word(&columns->present, index);
    if (sieve->missing)
        word = bits_word(&columns->known, index) & ~word;
    word = choose(word, sieve->failed, bits_word(&sieve->find->failed, index));
    word = choose(word, sieve->duplicates, bits_word(&sieve->find->twins, index));
    if (!word)
        return 0;
    size_t at = (index * 64) & (CHUNK - 1);
    const struct chunk *chunk = columns_chunk(columns, index * 64);
    if (sieve->finding)
        word = word_of_search(sieve, chunk, index, word);
    if (word && sieve->fails)
        word &= passing(chunk->traits + at, sieve->fails);
    if (word && sieve->duration.asked)
        word &= in_range_64(chunk->duration_us + at, sieve->duration.min, sieve->duration.max);
    if (word && sieve->modified_since_ns)
        word &= in_range_64(chunk->mtime_ns + at, sieve->modified_since_ns, INT64_MAX);
    if (word && sieve->added_since_s)
        word &= in_range_32(chunk->created_s + at, sieve->added_since_s);
    if (word && sieve->width.asked)
        word &= in_range_16(chunk->width + at, sieve->width.min, sieve->width.max);
    if (word && sieve->height.asked)
        word &= in_range_16(chunk->height + at, sieve->height.min, sieve->height.max);
    if (word && sieve->in_folder && !sieve->below.few)
        word = word_of_folder(sieve, chunk, index, word);
    return word;
}

/* ---- running ------------------------------------------------------------------------------- */

static int64_t times(int64_t value, int64_t factor)
{
    int64_t product;
    if (__builtin_mul_overflow(value, factor, &product))
        return value < 0 ? INT64_MIN : INT64_MAX;
    return product;
}

static enum rl_err sieve_make(struct catalog *catalog, const struct video_filter *filter,
                              const uint8_t *fails, struct sieve *out)
{
    *out = (struct sieve){
        .find = catalog->find,
        .fails = fails,
        .missing = filter->missing == CHOICE_YES,
        .failed = filter->failed,
        .duplicates = filter->duplicates,
        .width = range_of(filter->width_min, filter->width_max, 1),
        .height = range_of(filter->height_min, filter->height_max, 1),
        .duration = range_of(filter->duration_min_us, filter->duration_max_us, MEDIA_UNKNOWN + 1),
        .added_since_s = filter->added_since_ms / 1000,
        .modified_since_ns = times(filter->modified_since_ms, 1000000),
    };
    enum rl_err err = RL_OK;
    if (filter->search && *filter->search)
        err = search_run(catalog, filter->search, &out->finding);
    if (err == RL_OK && filter->failed != CHOICE_ANY)
        err = filter_failed(catalog);
    if (err == RL_OK && filter->duplicates != CHOICE_ANY)
        err = filter_twins(catalog);
    out->in_folder = filter->folder;
    if (err == RL_OK && filter->folder)
        err = below_find(catalog, filter->folder, out->missing, &out->below);
    return err;
}

static void sieve_few(const struct sieve *sieve, struct matches *out)
{
    const struct bits *bits = &out->bits;
    if (out->from < out->to)
        memset(bits->words + out->from, 0, (out->to - out->from) * sizeof *bits->words);
    out->from = out->to = 0;
    for (size_t i = 0; i < sieve->below.count; i++) {
        size_t number = sieve->below.numbers[i], index = number / 64;
        uint64_t bit = UINT64_C(1) << (number % 64);
        if (number >= bits->cap || !(sieve_word(sieve, index) & bit))
            continue;
        bits->words[index] |= bit;
        out->count++;
        out->from = index < out->from || out->to == 0 ? index : out->from;
        out->to = index >= out->to ? index + 1 : out->to;
    }
}

static void sieve_all(const struct sieve *sieve, struct matches *out)
{
    out->from = 0;
    out->to = out->bits.cap / 64;
    for (size_t i = 0; i < out->to; i++) {
        uint64_t word = sieve_word(sieve, i);
        out->bits.words[i] = word;
        out->count += word ? __builtin_popcountll(word) : 0;
    }
}

enum rl_err filter_run(struct catalog *catalog, const struct video_filter *filter,
                       const uint8_t *fails, struct matches *out)
{
    struct sieve sieve;
    enum rl_err err = sieve_make(catalog, filter, fails, &sieve);
    const struct bits *known = &catalog->find->columns.known;
    if (err == RL_OK && known->cap && !bits_reserve(&out->bits, known->cap - 1))
        err = RL_ENOMEM;
    out->count = 0;
    if (err == RL_OK && sieve.in_folder && sieve.below.few)
        sieve_few(&sieve, out);
    else if (err == RL_OK)
        sieve_all(&sieve, out);
    below_free(&sieve.below);
    return err;
}

enum rl_err filter_matches(struct catalog *catalog, const struct video_filter *filter)
{
    struct find *find = catalog->find;
    buf_clear(&find->filter);
    filter_write(filter, &find->filter);
    if (find->matched && moment_is(&find->matches_at, &find->moment) &&
        find->matches_filter.len == find->filter.len &&
        memcmp(find->matches_filter.data, find->filter.data, find->filter.len) == 0)
        return RL_OK;
    find->matched = false;
    uint8_t *fails = NULL;
    enum rl_err err = find->filter.failed ? RL_ENOMEM : filter_facets(find, filter, &fails);
    if (err == RL_OK)
        err = filter_run(catalog, filter, fails, &find->matches);
    free(fails);
    if (err != RL_OK)
        return err;
    buf_clear(&find->matches_filter);
    buf_append(&find->matches_filter, find->filter.data, find->filter.len);
    find->matched = !find->matches_filter.failed;
    find->matches_at = find->moment;
    return RL_OK;
}
