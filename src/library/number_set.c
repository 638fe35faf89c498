#include <stdlib.h>

#include "number_set.h"

/* Numbers that count up, or by even steps, shall spread as well (Fibonacci hashing). */
static size_t place_of(const struct number_set *set, uint64_t number)
{
    return (size_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (set->cap - 1);
}

/* Where the number is, or the free slot where it would be. */
static size_t find(const struct number_set *set, uint64_t number)
{
    size_t at = place_of(set, number);
    while (set->slots[at] && set->slots[at] != number)
        at = (at + 1) & (set->cap - 1);
    return at;
}

static bool grow(struct number_set *set)
{
    struct number_set larger = {.count = set->count, .cap = set->cap ? set->cap * 2 : 64};
    larger.slots = calloc(larger.cap, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < set->cap; i++) {
        if (set->slots[i])
            larger.slots[find(&larger, set->slots[i])] = set->slots[i];
    }
    free(set->slots);
    *set = larger;
    return true;
}

bool number_set_add(struct number_set *set, uint64_t number)
{
    if (set->count + 1 > set->cap / 2 && !grow(set))
        return false;
    size_t at = find(set, number);
    set->count += set->slots[at] == 0;
    set->slots[at] = number;
    return true;
}

bool number_set_has(const struct number_set *set, uint64_t number)
{
    return set->count && set->slots[find(set, number)] == number;
}

bool number_set_remove(struct number_set *set, uint64_t number)
{
    if (!number_set_has(set, number))
        return false;
    size_t mask = set->cap - 1, hole = find(set, number);
    /* Those behind it that would no longer be found come forward. */
    for (size_t at = (hole + 1) & mask; set->slots[at]; at = (at + 1) & mask) {
        size_t home = place_of(set, set->slots[at]);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            set->slots[hole] = set->slots[at];
            hole = at;
        }
    }
    set->slots[hole] = 0;
    set->count--;
    return true;
}

void number_set_free(struct number_set *set)
{
    free(set->slots);
    *set = (struct number_set){0};
}
