#include <stdlib.h>
#include <string.h>

#include "find.h"

enum { BITS_MIN = 4096 };

bool bits_reserve(struct bits *bits, size_t number)
{
    if (number < bits->cap)
        return true;
    size_t cap = bits->cap ? bits->cap : BITS_MIN;
    /* By a quarter: there are a dozen of these. */
    while (cap <= number)
        cap += (cap / 4 + BITS_MIN) & ~(size_t)63;
    uint64_t *words = realloc(bits->words, cap / 8);
    if (!words)
        return false;
    memset(words + bits->cap / 64, 0, (cap - bits->cap) / 8);
    bits->words = words;
    bits->cap = cap;
    return true;
}

bool bits_set(struct bits *bits, size_t number)
{
    if (!bits_reserve(bits, number))
        return false;
    bits->words[number / 64] |= UINT64_C(1) << (number % 64);
    return true;
}

void bits_drop(struct bits *bits, size_t number)
{
    if (number < bits->cap)
        bits->words[number / 64] &= ~(UINT64_C(1) << (number % 64));
}

void bits_clear(struct bits *bits)
{
    if (bits->words)
        memset(bits->words, 0, bits->cap / 8);
}

void bits_free(struct bits *bits)
{
    free(bits->words);
    *bits = (struct bits){0};
}

int64_t bits_count(const struct bits *bits)
{
    int64_t count = 0;
    for (size_t i = 0; i < bits->cap / 64; i++) {
        if (bits->words[i])
            count += __builtin_popcountll(bits->words[i]);
    }
    return count;
}
