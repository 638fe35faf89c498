#include <stdlib.h>
#include <string.h>

#include "find.h"

int name_compare(const struct ranks *ranks, const struct name_place *a, const struct name_place *b)
{
    size_t len = a->len < b->len ? a->len : b->len;
    int order = len ? memcmp(a->key, b->key, len) : 0;
    if (order)
        return order;
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    uint64_t rank = rank_of(ranks, a->folder), other = rank_of(ranks, b->folder);
    if (rank != other)
        return rank < other ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

size_t names_seek(const struct find *find, const struct name_place *place)
{
    const struct names *names = &find->names;
    size_t low = 0, high = names->count; /* the last whose fence is not beyond */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (name_compare(&find->ranks, place, &names->fences[middle]) < 0)
            high = middle;
        else
            low = middle;
    }
    return low;
}

/* ---- blocks -------------------------------------------------------------------------------- */

static bool grow(struct names *names)
{
    if (names->count < names->cap)
        return true;
    size_t cap = names->cap ? 2 * names->cap : 64;
    struct block **blocks = reallocarray(names->blocks, cap, sizeof(struct block *));
    if (blocks)
        names->blocks = blocks;
    struct block **by_id = reallocarray(names->by_id, cap + 1, sizeof(struct block *));
    if (by_id)
        names->by_id = by_id;
    struct name_place *fences = reallocarray(names->fences, cap, sizeof *fences);
    if (fences)
        names->fences = fences;
    uint32_t *ids = reallocarray(names->ids, cap, sizeof *ids);
    if (ids)
        names->ids = ids;
    if (!blocks || !by_id || !fences || !ids)
        return false;
    names->cap = cap;
    return true;
}

static struct block *add_block(struct names *names, size_t index, size_t room,
                               const struct name_place *fence)
{
    struct block *block = grow(names) ? block_new(room) : NULL;
    char *key = block ? malloc(fence->len + 1) : NULL;
    if (!key) {
        block_free(block);
        return NULL;
    }
    if (fence->len)
        memcpy(key, fence->key, fence->len);
    size_t behind = names->count - index;
    memmove(&names->blocks[index + 1], &names->blocks[index], behind * sizeof(struct block *));
    memmove(&names->fences[index + 1], &names->fences[index], behind * sizeof *names->fences);
    memmove(&names->ids[index + 1], &names->ids[index], behind * sizeof *names->ids);
    names->blocks[index] = block;
    names->fences[index] = *fence;
    names->fences[index].key = key;
    names->count++;
    block->id = (uint32_t)names->count; /* blocks are never taken away */
    names->ids[index] = block->id;
    names->by_id[block->id] = block;
    return block;
}

struct block *names_append(struct find *find, const struct name_place *fence)
{
    return add_block(&find->names, find->names.count, block_fill(find->names.count), fence);
}

void names_drop(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        block_free(names->blocks[i]);
        free((char *)names->fences[i].key);
    }
    free(names->blocks);
    free(names->fences);
    free(names->by_id);
    free(names->ids);
    *names = (struct names){0};
}

/* ---- coming and going ---------------------------------------------------------------------- */

static void forget(struct find *find, const struct named *named)
{
    for (size_t i = 0; i < named->n_dropped; i++)
        COLUMN(&find->columns, named->dropped[i], name_block) = 0;
}

/* What stands in the upper one of two blocks from now on. */
static void move_up(struct find *find, struct block *lower, struct block *upper, size_t from)
{
    upper->count = (uint16_t)(lower->sorted - from);
    upper->sorted = upper->count;
    memcpy(upper->numbers, lower->numbers + from, upper->count * sizeof *upper->numbers);
    for (size_t i = 0; i < upper->count; i++)
        COLUMN(&find->columns, upper->numbers[i], name_block) = upper->id;
}

/* The upper half of what is in order becomes a block of its own, and each of the others goes where
 * it belongs: for as long as they are few, nothing else need be read. */
static enum rl_err split_at(struct catalog *catalog, size_t index, const struct name_place *middle,
                            size_t half)
{
    struct find *find = catalog->find;
    struct block *lower = find->names.blocks[index];
    struct named *rest = NULL;
    enum rl_err err = named_read(catalog, lower->numbers + lower->sorted,
                                 (size_t)lower->count - lower->sorted, &rest);
    struct block *upper = err == RL_OK ? add_block(&find->names, index + 1, BLOCK, middle) : NULL;
    if (err == RL_OK && !upper)
        err = RL_ENOMEM;
    if (err == RL_OK) {
        move_up(find, lower, upper, half);
        lower->count = lower->sorted = (uint16_t)half;
        for (size_t i = 0; i < rest->count; i++) {
            bool up = name_compare(&find->ranks, &rest->at[i], middle) >= 0;
            struct block *block = up ? upper : lower;
            block->numbers[block->count++] = rest->at[i].number;
            COLUMN(&find->columns, rest->at[i].number, name_block) = block->id;
        }
        block_fit(lower);
        block_fit(upper);
        forget(find, rest);
    }
    named_free(rest);
    return err;
}

/* Makes room in a full block. */
static enum rl_err split(struct catalog *catalog, size_t index)
{
    struct block *block = catalog->find->names.blocks[index];
    struct buf key = {0};
    struct name_place middle;
    bool found = false;
    enum rl_err err = RL_OK;
    if (block->sorted >= BLOCK / 2)
        err = name_read(catalog, block->numbers[block->sorted / 2], &key, &middle, &found);
    if (err == RL_OK && !found) {
        buf_clear(&key);
        err = names_order(catalog, block);
        /* Those that are left in it have not changed since. */
        if (err == RL_OK && block->count == BLOCK)
            err = name_read(catalog, block->numbers[BLOCK / 2], &key, &middle, &found);
    }
    middle.key = key.data;
    if (err == RL_OK && found)
        err = split_at(catalog, index, &middle, block->sorted / 2u);
    buf_free(&key);
    return err;
}

enum rl_err names_insert(struct catalog *catalog, uint32_t number, const char *name)
{
    struct find *find = catalog->find;
    struct names *names = &find->names;
    struct buf key = {0};
    buf_puts(&key, "");
    natural_key(&key, name);
    struct name_place place = {.key = key.data,
                               .len = key.len,
                               .folder = COLUMN(&find->columns, number, folder),
                               .number = number};
    enum rl_err err = key.failed ? RL_ENOMEM : RL_OK;
    if (err == RL_OK && !names->count && !names_append(find, &place))
        err = RL_ENOMEM;
    size_t index = err == RL_OK ? names_seek(find, &place) : 0;
    if (err == RL_OK && names->blocks[index]->count == BLOCK) {
        err = split(catalog, index);
        index = names_seek(find, &place);
    }
    if (err == RL_OK) {
        struct block *block = names->blocks[index];
        err = block_reserve(block, block->count + 1u) ? RL_OK : RL_ENOMEM;
        if (err == RL_OK) {
            if (block->count == 0)
                block->sorted = 1;
            block->numbers[block->count++] = number;
            COLUMN(&find->columns, number, name_block) = block->id;
        }
    }
    buf_free(&key);
    return err;
}

void names_erase(struct find *find, uint32_t number)
{
    uint32_t id = COLUMN(&find->columns, number, name_block);
    if (!id)
        return;
    struct block *block = find->names.by_id[id];
    size_t at = 0;
    while (at < block->count && block->numbers[at] != number)
        at++;
    COLUMN(&find->columns, number, name_block) = 0;
    if (at == block->count)
        return;
    block->count--;
    if (at < block->sorted)
        block->sorted--;
    memmove(&block->numbers[at], &block->numbers[at + 1],
            (block->count - at) * sizeof *block->numbers);
}
