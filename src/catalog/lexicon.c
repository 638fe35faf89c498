#include <stdlib.h>
#include <string.h>

#include "find.h"

/* FNV-1a, 32 bits. */
static uint32_t hash_of(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * UINT32_C(16777619);
    return hash;
}

/* Room for one more in a table that is to be half empty; entries are hashed anew by `hash`. */
static bool grow_slots(uint32_t **slots, uint32_t *n_slots, uint32_t count,
                       uint32_t (*hash)(const void *table, uint32_t index), const void *table)
{
    if (*n_slots > 2 * count)
        return true;
    uint32_t size = *n_slots ? 2 * *n_slots : 64;
    uint32_t *wider = calloc(size, sizeof *wider);
    if (!wider)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = hash(table, i) & (size - 1);
        while (wider[at])
            at = (at + 1) & (size - 1);
        wider[at] = i + 1;
    }
    free(*slots);
    *slots = wider;
    *n_slots = size;
    return true;
}

/* ---- words --------------------------------------------------------------------------------- */

static uint32_t hash_word(const void *table, uint32_t index)
{
    const struct lexicon *lexicon = table;
    return hash_of(lexicon->words[index], strlen(lexicon->words[index]));
}

static uint32_t word_new(struct lexicon *lexicon, const char *word)
{
    if (lexicon->count == lexicon->cap) {
        uint32_t cap = lexicon->cap ? 2 * lexicon->cap : 64;
        char **words = reallocarray(lexicon->words, cap, sizeof *words);
        if (!words)
            return UINT32_MAX;
        lexicon->words = words;
        lexicon->cap = cap;
    }
    char *copy = strdup(word);
    if (!copy)
        return UINT32_MAX;
    lexicon->words[lexicon->count] = copy;
    return lexicon->count++;
}

uint32_t lexicon_add(struct lexicon *lexicon, const char *word)
{
    if (!lexicon->count && word_new(lexicon, "") == UINT32_MAX)
        return UINT32_MAX;
    if (!word || !*word)
        return 0;
    if (!grow_slots(&lexicon->slots, &lexicon->n_slots, lexicon->count, hash_word, lexicon))
        return UINT32_MAX;
    uint32_t at = hash_of(word, strlen(word)) & (lexicon->n_slots - 1);
    for (; lexicon->slots[at]; at = (at + 1) & (lexicon->n_slots - 1)) {
        if (strcmp(lexicon->words[lexicon->slots[at] - 1], word) == 0)
            return lexicon->slots[at] - 1;
    }
    uint32_t index = word_new(lexicon, word);
    if (index != UINT32_MAX)
        lexicon->slots[at] = index + 1;
    return index;
}

void lexicon_free(struct lexicon *lexicon)
{
    for (uint32_t i = 0; i < lexicon->count; i++)
        free(lexicon->words[i]);
    free(lexicon->words);
    free(lexicon->slots);
    *lexicon = (struct lexicon){0};
}

/* ---- traits -------------------------------------------------------------------------------- */

static uint32_t hash_traits(const void *table, uint32_t index)
{
    const struct traits_table *traits = table;
    return hash_of(&traits->at[index], sizeof traits->at[index]);
}

static uint32_t traits_new(struct traits_table *table, const struct traits *traits)
{
    if (table->count == table->cap) {
        uint32_t cap = table->cap ? 2 * table->cap : 64;
        struct traits *all = reallocarray(table->at, cap, sizeof *all);
        if (all)
            table->at = all;
        struct traits_sum *sums = reallocarray(table->sums, cap, sizeof *sums);
        if (sums)
            table->sums = sums;
        if (!all || !sums)
            return UINT32_MAX;
        table->cap = cap;
    }
    table->at[table->count] = *traits;
    table->sums[table->count] = (struct traits_sum){0};
    return table->count++;
}

uint32_t traits_add(struct traits_table *table, const struct traits *traits)
{
    _Static_assert(sizeof *traits == 6 * sizeof(uint32_t) + 2 * sizeof(uint16_t),
                   "compared by their bytes: no padding");
    if (!grow_slots(&table->slots, &table->n_slots, table->count, hash_traits, table))
        return UINT32_MAX;
    uint32_t at = hash_of(traits, sizeof *traits) & (table->n_slots - 1);
    for (; table->slots[at]; at = (at + 1) & (table->n_slots - 1)) {
        if (memcmp(&table->at[table->slots[at] - 1], traits, sizeof *traits) == 0)
            return table->slots[at] - 1;
    }
    uint32_t index = traits_new(table, traits);
    if (index != UINT32_MAX)
        table->slots[at] = index + 1;
    return index;
}

void traits_free(struct traits_table *table)
{
    free(table->at);
    free(table->sums);
    free(table->slots);
    *table = (struct traits_table){0};
}
