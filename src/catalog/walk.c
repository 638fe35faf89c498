#include <stdlib.h>
#include <string.h>

#include "find.h"

/* A list goes through its order block by block and takes the numbers that are wanted. Where these
 * are few they are sorted instead; in the order of names, which no key in memory gives, the blocks
 * that have none are passed over. The order of coming is that of the numbers: its blocks are parts
 * of the set itself. */

enum { FEW = 4096 };

struct pair {
    int64_t key;
    uint32_t number;
};

struct walk {
    struct catalog *catalog;
    const struct video_query *query;
    const struct position *cursor; /* NULL: from the beginning, or in another block */
    const struct matches *wanted;
    bool all; /* whatever there is, is wanted */
    size_t blocks;
    struct bits passed; /* ids of the blocks of names that have some; empty: not known */
    struct numbers *out;
    int64_t skip; /* of the offset, yet to be passed over */
};

/* ---- taking -------------------------------------------------------------------------------- */

/* Takes the next number of the list. */
static void take(struct walk *walk, uint32_t number)
{
    struct numbers *out = walk->out;
    if (walk->skip > 0)
        walk->skip--;
    else if (out->count < (size_t)walk->query->limit)
        out->at[out->count++] = number;
    else
        out->more = true;
}

/* Whether a place in an order by number is behind the cursor. */
static bool behind(const struct walk *walk, int64_t key, uint32_t number)
{
    const struct position *cursor = walk->cursor;
    if (!cursor)
        return true;
    int64_t tie = number;
    if (walk->query->descending)
        return key != cursor->key ? key < cursor->key : tie < cursor->tie;
    return key != cursor->key ? key > cursor->key : tie > cursor->tie;
}

/* ---- few ----------------------------------------------------------------------------------- */

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *one = a, *other = b;
    if (one->key != other->key)
        return one->key < other->key ? -1 : 1;
    return (one->number > other->number) - (one->number < other->number);
}

static enum rl_err walk_few(struct walk *walk)
{
    const struct columns *columns = &walk->catalog->find->columns;
    const struct matches *wanted = walk->wanted;
    struct pair *pairs = calloc((size_t)wanted->count + 1, sizeof *pairs);
    size_t n = 0;
    if (!pairs)
        return RL_ENOMEM;
    for (size_t word = wanted->from; word < wanted->to; word++) {
        for (uint64_t left = wanted->bits.words[word]; left; left &= left - 1) {
            uint32_t number = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);
            int64_t key = order_key(columns, walk->query->sort, number);
            if (behind(walk, key, number))
                pairs[n++] = (struct pair){key, number};
        }
    }
    qsort(pairs, n, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < n && !walk->out->more; i++)
        take(walk, pairs[walk->query->descending ? n - 1 - i : i].number);
    free(pairs);
    return RL_OK;
}

/* ---- blocks -------------------------------------------------------------------------------- */

static struct block *block_at(const struct walk *walk, size_t index)
{
    const struct find *find = walk->catalog->find;
    enum video_sort sort = walk->query->sort;
    return sort == SORT_NAME ? find->names.blocks[index] : find->orders[sort].blocks[index];
}

static size_t count_words(const struct bits *bits, size_t index)
{
    size_t count = 0;
    for (size_t i = 0; i < BLOCK / 64; i++)
        count += (size_t)__builtin_popcountll(bits_word(bits, index * (BLOCK / 64) + i));
    return count;
}

/* How many of a block are wanted. */
static size_t count_wanted(const struct walk *walk, size_t index)
{
    if (walk->query->sort == SORT_ADDED)
        return count_words(&walk->wanted->bits, index);
    const struct block *block = block_at(walk, index);
    if (walk->all)
        return block->count;
    size_t count = 0;
    for (size_t i = 0; i < block->count; i++)
        count += bits_has(&walk->wanted->bits, block->numbers[i]);
    return count;
}

/* Those of a block that are wanted and behind the cursor, ascending. */
static enum rl_err gather(const struct walk *walk, size_t index, uint32_t out[BLOCK], size_t *count)
{
    const struct find *find = walk->catalog->find;
    enum video_sort sort = walk->query->sort;
    const struct matches *wanted = walk->all ? NULL : walk->wanted;
    *count = 0;
    if (sort == SORT_NAME) {
        const struct position *cursor = walk->cursor;
        struct name_place place = {0};
        if (cursor)
            place = (struct name_place){cursor->name, cursor->name_len, (uint32_t)cursor->tie,
                                        (uint32_t)cursor->key};
        return names_gather(walk->catalog, block_at(walk, index), wanted, cursor ? &place : NULL,
                            walk->query->descending, out, count);
    }
    if (sort == SORT_ADDED) {
        for (size_t word = index * BLOCK / 64; word < (index + 1) * BLOCK / 64; word++) {
            for (uint64_t left = bits_word(&walk->wanted->bits, word); left; left &= left - 1) {
                uint32_t number = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);
                if (behind(walk, number, number))
                    out[(*count)++] = number;
            }
        }
        return RL_OK;
    }
    const struct block *block = block_at(walk, index);
    for (size_t i = 0; i < block->count; i++) {
        uint32_t number = block->numbers[i];
        if ((!wanted || bits_has(&wanted->bits, number)) &&
            (!walk->cursor || behind(walk, order_key(&find->columns, sort, number), number)))
            out[(*count)++] = number;
    }
    return RL_OK;
}

/* The block in which the list goes on after the cursor. */
static size_t seek(const struct walk *walk)
{
    const struct find *find = walk->catalog->find;
    const struct position *cursor = walk->cursor;
    enum video_sort sort = walk->query->sort;
    uint32_t number = cursor->tie < 0            ? 0
                      : cursor->tie > UINT32_MAX ? UINT32_MAX
                                                 : (uint32_t)cursor->tie;
    if (sort == SORT_NAME) {
        struct name_place place = {cursor->name, cursor->name_len, (uint32_t)cursor->tie,
                                   (uint32_t)cursor->key};
        return names_seek(find, &place);
    }
    if (sort == SORT_ADDED)
        return number / BLOCK < walk->blocks ? number / BLOCK : walk->blocks - 1;
    return order_seek(&find->orders[sort], cursor->key, number);
}

static enum rl_err walk_blocks(struct walk *walk)
{
    uint32_t numbers[BLOCK];
    bool descending = walk->query->descending;
    size_t index = descending ? walk->blocks - 1 : 0;
    if (walk->cursor)
        index = seek(walk);
    for (size_t left = descending ? index + 1 : walk->blocks - index; left > 0; left--) {
        size_t count = 0;
        bool none = walk->passed.cap &&
                    !bits_has(&walk->passed, walk->catalog->find->names.ids[index]);
        if (!none && walk->skip > 0 && !walk->cursor) {
            count = count_wanted(walk, index);
            none = (int64_t)count <= walk->skip;
            if (none)
                walk->skip -= (int64_t)count;
        }
        if (!none) {
            enum rl_err err = gather(walk, index, numbers, &count);
            if (err != RL_OK)
                return err;
            for (size_t i = 0; i < count && !walk->out->more; i++)
                take(walk, numbers[descending ? count - 1 - i : i]);
        }
        if (walk->out->more)
            break;
        walk->cursor = NULL;
        index = descending ? index - 1 : index + 1;
    }
    return RL_OK;
}

/* The blocks of names in which one of a few is. */
static enum rl_err mark_blocks(struct walk *walk)
{
    const struct columns *columns = &walk->catalog->find->columns;
    if (!bits_reserve(&walk->passed, walk->blocks))
        return RL_ENOMEM;
    const struct matches *wanted = walk->wanted;
    for (size_t word = wanted->from; word < wanted->to; word++) {
        for (uint64_t left = wanted->bits.words[word]; left; left &= left - 1) {
            size_t number = word * 64 + (size_t)__builtin_ctzll(left);
            bits_set(&walk->passed, COLUMN(columns, number, name_block));
        }
    }
    return RL_OK;
}

enum rl_err walk_page(struct catalog *catalog, const struct video_query *query,
                      const struct position *cursor, const struct matches *wanted,
                      struct numbers *out)
{
    const struct find *find = catalog->find;
    const int64_t count = wanted->count;
    struct walk walk = {
        .catalog = catalog,
        .query = query,
        .cursor = cursor,
        .wanted = wanted,
        .all = count == find->columns.n_known,
        .out = out,
        .skip = query->offset,
    };
    if (query->offset >= count)
        return RL_OK;
    if (query->sort == SORT_NAME)
        walk.blocks = find->names.count;
    else if (query->sort == SORT_ADDED)
        walk.blocks = wanted->bits.cap / BLOCK + 1;
    else
        walk.blocks = find->orders[query->sort].count;
    bool few = count <= FEW && count < find->columns.n_known / 2;
    enum rl_err err = RL_OK;
    if (few && sort_has_order(query->sort))
        return walk_few(&walk);
    if (few && query->sort == SORT_NAME)
        err = mark_blocks(&walk);
    if (err == RL_OK && walk.blocks)
        err = walk_blocks(&walk);
    bits_free(&walk.passed);
    return err;
}
