#include <stdlib.h>
#include <string.h>

#include "find.h"

int64_t order_key(const struct columns *columns, enum video_sort sort, size_t number)
{
    switch (sort) {
    case SORT_MODIFIED:
        return COLUMN(columns, number, mtime_ns);
    case SORT_DURATION:
        return COLUMN(columns, number, duration_us);
    case SORT_SIZE:
        return COLUMN(columns, number, size);
    case SORT_RESOLUTION:
        return (int64_t)COLUMN(columns, number, width) * COLUMN(columns, number, height);
    case SORT_BIT_RATE:
        return COLUMN(columns, number, bit_rate);
    default:
        return (int64_t)number;
    }
}

/* Whether (key, number) comes before (other_key, other). */
static bool before(int64_t key, uint32_t number, int64_t other_key, uint32_t other)
{
    return key != other_key ? key < other_key : number < other;
}

size_t order_seek(const struct order *order, int64_t key, uint32_t number)
{
    size_t low = 0, high = order->count; /* the last whose fence is not beyond */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (before(key, number, order->fences[middle].key, order->fences[middle].number))
            high = middle;
        else
            low = middle;
    }
    return low;
}

/* Where in its block it is or would be. */
static size_t place_in(const struct block *block, const struct columns *columns,
                       enum video_sort sort, int64_t key, uint32_t number)
{
    size_t low = 0, high = block->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t other = block->numbers[middle];
        if (before(order_key(columns, sort, other), other, key, number))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Puts an empty block with its fence at `index`. */
static struct block *add_block(struct order *order, size_t index, size_t room, int64_t key,
                               uint32_t number)
{
    if (order->count == order->cap) {
        size_t cap = order->cap ? 2 * order->cap : 64;
        struct block **blocks = reallocarray(order->blocks, cap, sizeof(struct block *));
        if (blocks)
            order->blocks = blocks;
        struct fence *fences = reallocarray(order->fences, cap, sizeof *fences);
        if (fences)
            order->fences = fences;
        if (!blocks || !fences)
            return NULL;
        order->cap = cap;
    }
    struct block *block = block_new(room);
    if (!block)
        return NULL;
    size_t behind = order->count - index;
    memmove(&order->blocks[index + 1], &order->blocks[index], behind * sizeof(struct block *));
    memmove(&order->fences[index + 1], &order->fences[index], behind * sizeof *order->fences);
    order->blocks[index] = block;
    order->fences[index] = (struct fence){key, number};
    order->count++;
    return block;
}

struct block *order_append(struct order *order, int64_t key, uint32_t number)
{
    return add_block(order, order->count, block_fill(order->count), key, number);
}

/* The upper half of a full block becomes one of its own. What comes in ascending order fills the
 * blocks: at the very end nothing is moved. */
static bool split(struct order *order, size_t index, const struct columns *columns,
                  enum video_sort sort, size_t at, uint32_t number)
{
    bool end = index + 1 == order->count && at == BLOCK;
    uint32_t first = end ? number : order->blocks[index]->numbers[BLOCK / 2];
    struct block *upper =
        add_block(order, index + 1, BLOCK / 2 + 1, order_key(columns, sort, first), first);
    if (!upper)
        return false;
    if (!end) {
        struct block *lower = order->blocks[index];
        upper->count = lower->count = BLOCK / 2;
        memcpy(upper->numbers, lower->numbers + BLOCK / 2, BLOCK / 2 * sizeof *upper->numbers);
        block_fit(lower);
    }
    return true;
}

bool order_insert(struct order *order, const struct columns *columns, enum video_sort sort,
                  uint32_t number)
{
    int64_t key = order_key(columns, sort, number);
    if (!order->count && !add_block(order, 0, 1, INT64_MIN, 0))
        return false;
    size_t index = order_seek(order, key, number);
    struct block *block = order->blocks[index];
    size_t at = place_in(block, columns, sort, key, number);
    if (block->count == BLOCK) {
        if (!split(order, index, columns, sort, at, number))
            return false;
        block = order->blocks[order_seek(order, key, number)];
        at = place_in(block, columns, sort, key, number);
    }
    if (!block_reserve(block, block->count + 1u))
        return false;
    memmove(&block->numbers[at + 1], &block->numbers[at],
            (block->count - at) * sizeof *block->numbers);
    block->numbers[at] = number;
    block->count++;
    return true;
}

void order_erase(struct order *order, const struct columns *columns, enum video_sort sort,
                 uint32_t number)
{
    if (!order->count)
        return;
    int64_t key = order_key(columns, sort, number);
    struct block *block = order->blocks[order_seek(order, key, number)];
    size_t at = place_in(block, columns, sort, key, number);
    if (at == block->count || block->numbers[at] != number)
        return;
    block->count--;
    memmove(&block->numbers[at], &block->numbers[at + 1],
            (block->count - at) * sizeof *block->numbers);
}

void order_free(struct order *order)
{
    for (size_t i = 0; i < order->count; i++)
        block_free(order->blocks[i]);
    free(order->blocks);
    free(order->fences);
    *order = (struct order){0};
}
