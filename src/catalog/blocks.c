#include <stdlib.h>

#include "find.h"

/* A catalogue of a million has ten thousand and more of these: one has hardly more room than it
 * needs, or half of it would be empty after all of them were split. */

enum { STEP = 32 };

struct block *block_new(size_t room)
{
    struct block *block = calloc(1, sizeof *block);
    if (block && !block_reserve(block, room)) {
        free(block);
        block = NULL;
    }
    return block;
}

static bool resize(struct block *block, size_t room)
{
    size_t cap = (room + STEP - 1) / STEP * STEP;
    uint32_t *numbers = reallocarray(block->numbers, cap, sizeof *numbers);
    if (!numbers)
        return false;
    block->numbers = numbers;
    block->cap = (uint16_t)cap;
    return true;
}

bool block_reserve(struct block *block, size_t room)
{
    return room <= block->cap || resize(block, room);
}

void block_fit(struct block *block)
{
    if (block->count + STEP < block->cap)
        resize(block, block->count + 1u);
}

void block_free(struct block *block)
{
    if (block)
        free(block->numbers);
    free(block);
}
