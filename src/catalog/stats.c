#include <stdlib.h>
#include <string.h>

#include "find.h"

/* Counts are made by combination of traits, and the facets' counts from those: a facet takes the
 * combinations that fail no other facet's part of the filter. */

void video_stats_clear(struct video_stats *stats)
{
    for (int i = 0; i < FACETS; i++)
        free(stats->facets[i].values);
    *stats = (struct video_stats){0};
}

static int64_t narrow(wide value)
{
    return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

/* What is let through but for the facets' parts, by combination of traits. */
struct tally {
    int64_t *videos;        /* of each combination */
    uint8_t *fails;         /* NULL: no facet restricts */
    wide size, duration_us; /* of those that fail no facet */
};

/* ---- counting ------------------------------------------------------------------------------ */

/* Whether a filter restricts nothing but traits. */
static bool is_of_facets(const struct video_filter *filter)
{
    struct video_filter rest = *filter;
    rest.video_codec = rest.container = rest.language = rest.resolution = rest.hdr_format = NULL;
    rest.hdr = rest.subtitles = CHOICE_ANY;
    return filter_is_empty(&rest);
}

/* All that are there. */
static void count_all(const struct traits_table *table, struct tally *tally)
{
    for (uint32_t i = 0; i < table->count; i++) {
        tally->videos[i] = table->sums[i].videos;
        if (tally->fails && tally->fails[i])
            continue;
        tally->size += table->sums[i].size;
        tally->duration_us += table->sums[i].duration_us;
    }
}

/* Adds the videos of a word, or takes them away (`sign`). */
static void count_word_of(const struct columns *columns, size_t index, uint64_t word, int sign,
                          struct tally *tally)
{
    const struct chunk *chunk = columns_chunk(columns, index * 64);
    wide size = 0, duration_us = 0;
    for (uint64_t left = word; left; left &= left - 1) {
        size_t at = (index * 64 + (size_t)__builtin_ctzll(left)) & (CHUNK - 1);
        uint32_t traits = chunk->traits[at];
        tally->videos[traits] += sign;
        if (tally->fails && tally->fails[traits])
            continue;
        size += chunk->size[at];
        if (chunk->duration_us[at] != MEDIA_UNKNOWN)
            duration_us += chunk->duration_us[at];
    }
    tally->size += sign * size;
    tally->duration_us += sign * duration_us;
}

/* The videos of a set. Where these are most of those that are there, the others are taken away from
 * all: there are fewer of them to look at. */
static void count_set(const struct find *find, const struct matches *set, bool there,
                      struct tally *tally)
{
    const struct columns *columns = &find->columns;
    bool most = there && set->count > columns->n_present / 2;
    if (most)
        count_all(&find->traits, tally);
    size_t from = most ? 0 : set->from, to = most ? columns->known.cap / 64 : set->to;
    for (size_t i = from; i < to; i++) {
        uint64_t word = bits_word(&set->bits, i);
        if (most)
            word ^= bits_word(&columns->present, i);
        if (word)
            count_word_of(columns, i, word, most ? -1 : 1, tally);
    }
}

static enum rl_err count_traits(struct catalog *catalog, const struct video_filter *filter,
                                struct tally *tally)
{
    struct find *find = catalog->find;
    if (is_of_facets(filter)) {
        count_all(&find->traits, tally);
        return RL_OK;
    }
    struct matches set = {0};
    enum rl_err err = filter_run(catalog, filter, NULL, &set);
    if (err == RL_OK)
        count_set(find, &set, filter->missing != CHOICE_YES, tally);
    bits_free(&set.bits);
    return err;
}

/* What has nothing to do with the filter. */
static enum rl_err count_whole(struct catalog *catalog, struct video_stats *out)
{
    const struct columns *columns = &catalog->find->columns;
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, ST_FIND_COUNTS,
                                    "SELECT (SELECT count(*) FROM failures WHERE job <> 0),"
                                    " (SELECT count(*) FROM twins)",
                                    &get);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err != RL_OK)
        return err;
    out->failed = sqlite3_column_int64(get, 0);
    out->duplicates = sqlite3_column_int64(get, 1);
    sqlite3_reset(get);
    out->missing = columns->n_known - columns->n_present;
    out->sequence = catalog->find->moment.sequence;
    return RL_OK;
}

/* ---- facets -------------------------------------------------------------------------------- */

/* A facet's counts by the number of a word. */
struct counts {
    struct lexicon words;
    int64_t *at;
    uint32_t cap;
};

static bool count_word(struct counts *counts, const char *word, int64_t videos)
{
    uint32_t index = lexicon_add(&counts->words, word);
    if (index == UINT32_MAX)
        return false;
    if (index >= counts->cap) {
        uint32_t cap = counts->cap ? counts->cap : 32;
        while (cap <= index)
            cap *= 2;
        int64_t *at = reallocarray(counts->at, cap, sizeof *at);
        if (!at)
            return false;
        memset(at + counts->cap, 0, (cap - counts->cap) * sizeof *at);
        counts->at = at;
        counts->cap = cap;
    }
    counts->at[index] += videos;
    return true;
}

/* Whether a word of a list stands in it before `word` too: what a file calls a language may be a
 * list of its own ("fra,fra"). */
static bool stands_before(const char *list, const char *word, size_t len)
{
    for (size_t n; list < word; list += n + 1) {
        n = strcspn(list, ",");
        if (n == len && memcmp(list, word, len) == 0)
            return true;
    }
    return false;
}

/* A video of several languages counts for each. */
static bool count_languages(struct counts *counts, const char *languages, int64_t videos)
{
    char word[64];
    const char *at = languages;
    if (!*languages)
        return count_word(counts, "", videos);
    for (size_t len; *at; at += len + (at[len] != '\0')) {
        len = strcspn(at, ",");
        size_t kept = len < sizeof word ? len : sizeof word - 1;
        memcpy(word, at, kept);
        word[kept] = '\0';
        if (len && !stands_before(languages, at, len) && !count_word(counts, word, videos))
            return false;
    }
    return true;
}

/* What a facet counts by, as a number; and that number's word. */
static uint32_t number_of(const struct traits *traits, enum facet facet)
{
    switch (facet) {
    case FACET_VIDEO_CODEC:
        return traits->video_codec;
    case FACET_CONTAINER:
        return traits->container;
    case FACET_RESOLUTION:
        return traits->resolution;
    case FACET_HDR:
        return traits->hdr;
    case FACET_SUBTITLES:
        return traits->subtitles;
    default:
        return traits->languages;
    }
}

static const char *word_of(const struct lexicon *lexicon, uint32_t number, enum facet facet)
{
    if (facet == FACET_RESOLUTION)
        return resolution_word((enum resolution_class)number);
    if (facet == FACET_SUBTITLES)
        return number ? "true" : "false";
    return lexicon->words[number];
}

static int compare_values(const void *a, const void *b)
{
    const struct facet_value *one = a, *other = b;
    if (one->count != other->count)
        return one->count > other->count ? -1 : 1;
    return strcmp(one->word, other->word);
}

/* As much of a word as there is room for, without a broken letter at its end. */
static void copy_word(char *out, size_t size, const char *word)
{
    size_t len = strlen(word);
    if (len >= size) {
        len = size - 1;
        while (len > 0 && ((unsigned char)word[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(out, word, len);
    out[len] = '\0';
}

static bool list_values(const struct counts *counts, struct facet_counts *out)
{
    out->values = calloc((size_t)counts->words.count + 1, sizeof *out->values);
    if (!out->values)
        return false;
    for (uint32_t i = 0; i < counts->words.count && i < counts->cap; i++) {
        if (!counts->at[i])
            continue;
        struct facet_value *value = &out->values[out->count++];
        copy_word(value->word, sizeof value->word, counts->words.words[i]);
        value->count = counts->at[i];
    }
    qsort(out->values, out->count, sizeof *out->values, compare_values);
    return true;
}

/* There are many combinations, and few words: these are looked at once each. */
static enum rl_err make_facet(const struct find *find, const struct tally *tally, enum facet facet,
                              struct facet_counts *out)
{
    struct counts counts = {0};
    uint32_t numbers = find->lexicon.count + RESOLUTION_CLASSES; /* more than any facet has */
    int64_t *videos = calloc(numbers, sizeof *videos);
    bool good = videos;
    for (uint32_t i = 0; good && i < find->traits.count; i++) {
        unsigned others = tally->fails ? tally->fails[i] & ~(1u << facet) : 0;
        if (!others)
            videos[number_of(&find->traits.at[i], facet)] += tally->videos[i];
    }
    for (uint32_t i = 0; good && i < numbers; i++) {
        if (!videos[i])
            continue;
        const char *word = word_of(&find->lexicon, i, facet);
        good = facet == FACET_LANGUAGE ? count_languages(&counts, word, videos[i])
                                       : count_word(&counts, word, videos[i]);
    }
    good = good && list_values(&counts, out);
    lexicon_free(&counts.words);
    free(counts.at);
    free(videos);
    return good ? RL_OK : RL_ENOMEM;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static enum rl_err make_stats(struct catalog *catalog, const struct video_filter *filter,
                              struct video_stats *out)
{
    struct find *find = catalog->find;
    struct tally tally = {.videos = calloc((size_t)find->traits.count + 1, sizeof(int64_t))};
    enum rl_err err = tally.videos ? filter_facets(find, filter, &tally.fails) : RL_ENOMEM;
    if (err == RL_OK)
        err = count_traits(catalog, filter, &tally);
    if (err == RL_OK)
        err = count_whole(catalog, out);
    for (uint32_t i = 0; err == RL_OK && i < find->traits.count; i++)
        out->videos += tally.fails && tally.fails[i] ? 0 : tally.videos[i];
    for (int i = 0; err == RL_OK && i < FACETS; i++)
        err = make_facet(find, &tally, (enum facet)i, &out->facets[i]);
    out->size = narrow(tally.size);
    out->duration_us = narrow(tally.duration_us);
    free(tally.videos);
    free(tally.fails);
    return err;
}

static enum rl_err copy_stats(const struct video_stats *from, struct video_stats *out)
{
    *out = *from;
    bool good = true;
    for (int i = 0; i < FACETS; i++) {
        size_t count = from->facets[i].count;
        out->facets[i].values = calloc(count + 1, sizeof *out->facets[i].values);
        good = good && out->facets[i].values;
        if (out->facets[i].values && count)
            memcpy(out->facets[i].values, from->facets[i].values,
                   count * sizeof *out->facets[i].values);
    }
    return good ? RL_OK : RL_ENOMEM;
}

/* The counts that were made last are kept: a page asks for them again and again. */
static enum rl_err read_stats(struct catalog *catalog, const struct video_filter *filter,
                              struct video_stats *out)
{
    struct find *find = catalog->find;
    enum rl_err err = find_ready(catalog);
    if (err != RL_OK)
        return err;
    buf_clear(&find->filter);
    filter_write(filter, &find->filter);
    if (!find->stats)
        find->stats = calloc(1, sizeof *find->stats);
    if (!find->stats || find->filter.failed)
        return RL_ENOMEM;
    if (moment_is(&find->stats_at, &find->moment) && find->stats_filter.len == find->filter.len &&
        memcmp(find->stats_filter.data, find->filter.data, find->filter.len) == 0)
        return copy_stats(find->stats, out);
    video_stats_clear(find->stats);
    find->stats_at = (struct moment){0};
    buf_clear(&find->stats_filter);
    buf_append(&find->stats_filter, find->filter.data, find->filter.len);
    err = find->stats_filter.failed ? RL_ENOMEM : make_stats(catalog, filter, find->stats);
    if (err != RL_OK)
        return err;
    find->stats_at = find->moment;
    return copy_stats(find->stats, out);
}

enum rl_err catalog_stats(struct catalog *catalog, const struct video_filter *filter,
                          struct video_stats *out)
{
    catalog_enter(catalog);
    *out = (struct video_stats){0};
    bool begun;
    enum rl_err err = catalog_snapshot_begin(catalog, &begun);
    if (err == RL_OK)
        err = read_stats(catalog, filter, out);
    catalog_snapshot_end(catalog, begun);
    if (err != RL_OK)
        video_stats_clear(out);
    return err;
}
