#include <stdlib.h>
#include <string.h>

#include "find.h"

/* An order is built in two passes, each in steps of a few milliseconds at most: the numbers of each
 * chunk are sorted by themselves (a radix sort, within the processor's cache), and these runs are
 * merged. */

enum { MERGE_BLOCKS = 32 }; /* in one step */

struct run {
    uint32_t *numbers; /* sorted */
    size_t count, at;
};

struct head {
    int64_t key;
    uint32_t number, run;
};

struct build {
    const struct columns *columns;
    enum video_sort sort;
    struct order *order;
    struct run *runs; /* one for each chunk */
    size_t sorted;    /* chunks that are */
    struct head *heap;
    size_t n_heap;
    struct block *block; /* the last of the order */
};

struct build *build_new(const struct columns *columns, enum video_sort sort, struct order *order)
{
    struct build *build = calloc(1, sizeof *build);
    if (!build)
        return NULL;
    *build = (struct build){.columns = columns, .sort = sort, .order = order};
    build->runs = calloc(columns->n_chunks + 1, sizeof *build->runs);
    build->heap = calloc(columns->n_chunks + 1, sizeof *build->heap);
    if (!build->runs || !build->heap) {
        build_free(build);
        return NULL;
    }
    return build;
}

void build_free(struct build *build)
{
    if (!build)
        return;
    for (size_t i = 0; build->runs && i < build->columns->n_chunks; i++)
        free(build->runs[i].numbers);
    free(build->runs);
    free(build->heap);
    free(build);
}

/* ---- one chunk ------------------------------------------------------------------------------- */

struct pair {
    uint64_t key;
    uint32_t number;
};

/* By one byte of the key, stably, unless all have the same. Swaps the two arrays when it sorted. */
static void sort_byte(struct pair **from, struct pair **to, size_t count, int byte)
{
    size_t starts[256] = {0};
    int shift = 8 * byte;
    for (size_t i = 0; i < count; i++)
        starts[(*from)[i].key >> shift & 0xff]++;
    size_t sum = 0;
    for (int i = 0; i < 256; i++) {
        size_t here = starts[i];
        if (here == count)
            return;
        starts[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        (*to)[starts[(*from)[i].key >> shift & 0xff]++] = (*from)[i];
    struct pair *swap = *from;
    *from = *to;
    *to = swap;
}

/* The numbers of a chunk come in ascending order, and the sort is stable: ties are in the order of
 * numbers. */
static size_t take_chunk(const struct build *build, size_t index, struct pair *out)
{
    size_t count = 0, first = index << CHUNK_BITS;
    for (size_t word = first / 64; word < (first + CHUNK) / 64; word++) {
        for (uint64_t left = bits_word(&build->columns->known, word); left; left &= left - 1) {
            size_t number = word * 64 + (size_t)__builtin_ctzll(left);
            uint64_t key = (uint64_t)order_key(build->columns, build->sort, number);
            out[count++] = (struct pair){key ^ UINT64_C(1) << 63, (uint32_t)number};
        }
    }
    return count;
}

static enum rl_err sort_chunk(struct build *build, size_t index)
{
    struct pair *room = reallocarray(NULL, 2 * CHUNK, sizeof *room);
    if (!room)
        return RL_ENOMEM;
    struct pair *from = room, *to = room + CHUNK;
    size_t count = take_chunk(build, index, from);
    for (int byte = 0; byte < 8 && count > 1; byte++)
        sort_byte(&from, &to, count, byte);
    struct run *run = &build->runs[index];
    run->count = count;
    run->numbers = reallocarray(NULL, count + 1, sizeof *run->numbers);
    for (size_t i = 0; run->numbers && i < count; i++)
        run->numbers[i] = from[i].number;
    free(room);
    return run->numbers ? RL_OK : RL_ENOMEM;
}

/* ---- the merge ------------------------------------------------------------------------------- */

static bool before(const struct head *a, const struct head *b)
{
    return a->key != b->key ? a->key < b->key : a->number < b->number;
}

static void sift_down(struct build *build, size_t at)
{
    struct head *heap = build->heap;
    for (;;) {
        size_t least = at, child = 2 * at + 1;
        for (size_t i = child; i < child + 2 && i < build->n_heap; i++) {
            if (before(&heap[i], &heap[least]))
                least = i;
        }
        if (least == at)
            return;
        struct head swap = heap[at];
        heap[at] = heap[least];
        heap[least] = swap;
        at = least;
    }
}

static void load_head(const struct build *build, uint32_t index, struct head *out)
{
    struct run *run = &build->runs[index];
    uint32_t number = run->numbers[run->at++];
    *out = (struct head){order_key(build->columns, build->sort, number), number, index};
}

static void begin_merge(struct build *build)
{
    for (uint32_t i = 0; i < build->columns->n_chunks; i++) {
        if (build->runs[i].count)
            load_head(build, i, &build->heap[build->n_heap++]);
    }
    for (size_t i = build->n_heap; i-- > 0;)
        sift_down(build, i);
}

static enum rl_err merge(struct build *build, bool *done)
{
    size_t enough = build->order->count + MERGE_BLOCKS;
    while (build->n_heap) {
        struct head *top = &build->heap[0];
        if (!build->block || build->block->count == block_fill(build->order->count - 1)) {
            if (build->order->count == enough)
                return RL_OK;
            build->block = order_append(build->order, top->key, top->number);
            if (!build->block)
                return RL_ENOMEM;
        }
        build->block->numbers[build->block->count++] = top->number;
        struct run *run = &build->runs[top->run];
        if (run->at < run->count)
            load_head(build, top->run, top);
        else
            *top = build->heap[--build->n_heap];
        sift_down(build, 0);
    }
    *done = true;
    return RL_OK;
}

enum rl_err build_step(struct build *build, bool *done)
{
    *done = false;
    if (build->sorted < build->columns->n_chunks) {
        enum rl_err err = sort_chunk(build, build->sorted++);
        if (err == RL_OK && build->sorted == build->columns->n_chunks)
            begin_merge(build);
        return err;
    }
    return merge(build, done);
}
