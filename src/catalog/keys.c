#include <stdlib.h>
#include <string.h>

#include "private.h"

enum { CAP_MIN = 1024, ALIKE = 8 };

/* Inodes count up: spread over the table (Fibonacci hashing). */
static size_t place_of(const struct keys *keys, uint64_t key)
{
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (keys->cap - 1);
}

static void link_entry(struct keys *keys, uint32_t index)
{
    uint32_t *head = &keys->heads[place_of(keys, keys->entries[index].key)];
    keys->entries[index].next = *head;
    *head = index + 1;
}

/* As many heads as there is room for entries. */
static bool grow(struct keys *keys)
{
    size_t cap = keys->cap ? keys->cap * 2 : CAP_MIN;
    struct keys_entry *entries =
        cap < UINT32_MAX ? reallocarray(keys->entries, cap, sizeof *entries) : NULL;
    if (!entries)
        return false;
    keys->entries = entries;
    uint32_t *heads = calloc(cap, sizeof *heads);
    if (!heads)
        return false;
    free(keys->heads);
    keys->heads = heads;
    keys->cap = cap;
    for (uint32_t i = 0; i < keys->count; i++)
        link_entry(keys, i);
    return true;
}

enum rl_err keys_add(struct keys *keys, uint64_t key, int64_t number)
{
    uint32_t at = keys_first(keys, key);
    for (int i = 0; at && i < ALIKE; i++, at = keys_next(keys, at)) {
        if (keys_number(keys, at) == number)
            return RL_OK;
    }
    if (keys->count == keys->cap && !grow(keys))
        return RL_ENOMEM;
    keys->entries[keys->count] = (struct keys_entry){.key = key, .number = number};
    link_entry(keys, keys->count++);
    return RL_OK;
}

/* The entry `at` or the first behind it that has the key. */
static uint32_t with_key(const struct keys *keys, uint64_t key, uint32_t at)
{
    while (at && keys->entries[at - 1].key != key)
        at = keys->entries[at - 1].next;
    return at;
}

uint32_t keys_first(const struct keys *keys, uint64_t key)
{
    return keys->cap ? with_key(keys, key, keys->heads[place_of(keys, key)]) : 0;
}

uint32_t keys_next(const struct keys *keys, uint32_t at)
{
    const struct keys_entry *entry = &keys->entries[at - 1];
    return with_key(keys, entry->key, entry->next);
}

int64_t keys_number(const struct keys *keys, uint32_t at)
{
    return keys->entries[at - 1].number;
}

void keys_clear(struct keys *keys)
{
    if (keys->heads)
        memset(keys->heads, 0, keys->cap * sizeof *keys->heads);
    keys->count = 0;
}

void keys_free(struct keys *keys)
{
    free(keys->heads);
    free(keys->entries);
    *keys = (struct keys){0};
}
