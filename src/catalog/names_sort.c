#include <stdlib.h>
#include <string.h>

#include "find.h"

/* Names are not in memory: a block is put in order, and searched, by reading them from their rows.
 * As few as can be, since each costs as much as a row of a page. */

/* ---- reading names ------------------------------------------------------------------------- */

enum rl_err name_read(struct catalog *catalog, uint32_t number, struct buf *keys,
                      struct name_place *out, bool *found)
{
    struct find *find = catalog->find;
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, ST_NAME_GET,
                                    "SELECT name, sequence FROM videos WHERE number = ?1", &get);
    *found = false;
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, number);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    *found = err == RL_OK && sqlite3_column_int64(get, 1) <= find->applied;
    if (*found) {
        size_t before = keys->len;
        struct row row = {.statement = get};
        char *name = row_bytes(&row);
        buf_append(keys, "", 0);
        if (name)
            natural_key(keys, name);
        *out = (struct name_place){
            .len = keys->len - before,
            .folder = COLUMN(&find->columns, number, folder),
            .number = number,
        };
        err = !name || keys->failed ? RL_ENOMEM : RL_OK;
        free(name);
    }
    sqlite3_reset(get);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

enum rl_err named_read(struct catalog *catalog, const uint32_t *numbers, size_t count,
                       struct named **out)
{
    struct named *named = malloc(sizeof *named);
    enum rl_err err = named ? RL_OK : RL_ENOMEM;
    *out = named;
    if (!named)
        return err;
    named->count = named->n_dropped = 0;
    named->keys = (struct buf){0};
    for (size_t i = 0; err == RL_OK && i < count; i++) {
        bool found;
        err = name_read(catalog, numbers[i], &named->keys, &named->at[named->count], &found);
        if (err == RL_OK && found)
            named->count++;
        else if (err == RL_OK)
            named->dropped[named->n_dropped++] = numbers[i];
    }
    const char *key = named->keys.data;
    for (size_t i = 0; i < named->count; key += named->at[i++].len)
        named->at[i].key = key;
    return err;
}

void named_free(struct named *named)
{
    if (named)
        buf_free(&named->keys);
    free(named);
}

static int compare_places(const void *a, const void *b, void *ranks)
{
    return name_compare(ranks, a, b);
}

static enum rl_err read_sorted(struct catalog *catalog, const uint32_t *numbers, size_t count,
                               struct named **out)
{
    enum rl_err err = named_read(catalog, numbers, count, out);
    if (err == RL_OK)
        qsort_r((*out)->at, (*out)->count, sizeof *(*out)->at, compare_places,
                &catalog->find->ranks);
    return err;
}

/* ---- putting in order ------------------------------------------------------------------------ */

/* How many of those that are in order, from `from` on, stand before a place (or, `and_it`, are it).
 * *sound: false where one that was looked at has changed since. */
static enum rl_err seek(struct catalog *catalog, const struct block *block,
                        const struct name_place *place, size_t from, bool and_it, size_t *out,
                        bool *sound)
{
    struct buf key = {0};
    enum rl_err err = RL_OK;
    size_t low = from, high = block->sorted;
    while (err == RL_OK && *sound && low < high) {
        struct name_place other;
        size_t middle = low + (high - low) / 2;
        buf_clear(&key);
        err = name_read(catalog, block->numbers[middle], &key, &other, sound);
        other.key = key.data;
        int order = err == RL_OK && *sound ? name_compare(&catalog->find->ranks, &other, place) : 0;
        if (order < 0 || (order == 0 && and_it))
            low = middle + 1;
        else
            high = middle;
    }
    buf_free(&key);
    *out = low;
    return err;
}

static void forget(struct find *find, const struct named *named)
{
    for (size_t i = 0; i < named->n_dropped; i++)
        COLUMN(&find->columns, named->dropped[i], name_block) = 0;
}

/* Puts a few that are at the end of a block among the others. *done: false where that cannot be. */
static enum rl_err merge_few(struct catalog *catalog, struct block *block, bool *done)
{
    struct named *rest = NULL;
    uint32_t merged[BLOCK];
    size_t count = 0, taken = 0;
    enum rl_err err = read_sorted(catalog, block->numbers + block->sorted,
                                  (size_t)block->count - block->sorted, &rest);
    *done = true;
    for (size_t i = 0; err == RL_OK && *done && i < rest->count; i++) {
        size_t at = taken;
        err = seek(catalog, block, &rest->at[i], taken, false, &at, done);
        memcpy(merged + count, block->numbers + taken, (at - taken) * sizeof *merged);
        count += at - taken;
        taken = at;
        merged[count++] = rest->at[i].number;
    }
    if (err == RL_OK && *done) {
        memcpy(merged + count, block->numbers + taken, (block->sorted - taken) * sizeof *merged);
        count += block->sorted - taken;
        memcpy(block->numbers, merged, count * sizeof *merged);
        block->count = block->sorted = (uint16_t)count;
        forget(catalog->find, rest);
    }
    named_free(rest);
    return err;
}

static enum rl_err sort_all(struct catalog *catalog, struct block *block)
{
    struct named *named = NULL;
    enum rl_err err = read_sorted(catalog, block->numbers, block->count, &named);
    if (err == RL_OK) {
        for (size_t i = 0; i < named->count; i++)
            block->numbers[i] = named->at[i].number;
        block->count = block->sorted = (uint16_t)named->count;
        forget(catalog->find, named);
    }
    named_free(named);
    return err;
}

enum rl_err names_order(struct catalog *catalog, struct block *block)
{
    enum { READ_FOR_ONE = 10 }; /* names, until its place among some hundred is found */
    bool done = block->sorted == block->count;
    enum rl_err err = RL_OK;
    if (!done && (block->count - block->sorted) * READ_FOR_ONE < block->count)
        err = merge_few(catalog, block, &done);
    return err == RL_OK && !done ? sort_all(catalog, block) : err;
}

/* ---- walking ------------------------------------------------------------------------------- */

static size_t pick(const uint32_t *numbers, size_t count, const struct matches *wanted,
                   uint32_t *out)
{
    if (!wanted) {
        memcpy(out, numbers, count * sizeof *out);
        return count;
    }
    size_t n = 0, from = wanted->from * 64, span = (wanted->to - wanted->from) * 64;
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] - from < span && bits_has(&wanted->bits, numbers[i]))
            out[n++] = numbers[i];
    }
    return n;
}

/* The first of a block in order that is beyond the place, or (descending) how many are before it.
 * The place is that of a video which most often is where it was: one name is read to see it. */
static enum rl_err cut(struct catalog *catalog, const struct block *block,
                       const struct name_place *place, bool descending, size_t *out)
{
    const struct find *find = catalog->find;
    struct buf key = {0};
    struct name_place own;
    bool found = false;
    size_t at = 0;
    while (at < block->count && block->numbers[at] != place->number)
        at++;
    enum rl_err err = RL_OK;
    if (at < block->count)
        err = name_read(catalog, place->number, &key, &own, &found);
    own.key = key.data;
    found = found && err == RL_OK && name_compare(&find->ranks, &own, place) == 0;
    buf_free(&key);
    *out = descending ? at : at + 1;
    bool sound = true;
    return err == RL_OK && !found ? seek(catalog, block, place, 0, !descending, out, &sound) : err;
}

/* Where few of a block are wanted, only these are read and compared. */
static enum rl_err gather_few(struct catalog *catalog, uint32_t *numbers, size_t *count,
                              const struct name_place *place, bool descending)
{
    struct named *named = NULL;
    enum rl_err err = read_sorted(catalog, numbers, *count, &named);
    *count = 0;
    for (size_t i = 0; err == RL_OK && i < named->count; i++) {
        int order = place ? name_compare(&catalog->find->ranks, &named->at[i], place) : 0;
        if (!place || (descending ? order < 0 : order > 0))
            numbers[(*count)++] = named->at[i].number;
    }
    named_free(named);
    return err;
}

enum rl_err names_gather(struct catalog *catalog, struct block *block, const struct matches *wanted,
                         const struct name_place *place, bool descending, uint32_t out[BLOCK],
                         size_t *count)
{
    *count = pick(block->numbers, block->count, wanted, out);
    if (!*count || (block->sorted == block->count && !place))
        return RL_OK;
    if (block->sorted < block->count && *count < block->count / 4u)
        return gather_few(catalog, out, count, place, descending);
    enum rl_err err = names_order(catalog, block);
    size_t from = 0, to = block->count;
    if (err == RL_OK && place)
        err = cut(catalog, block, place, descending, descending ? &to : &from);
    if (err == RL_OK)
        *count = pick(block->numbers + from, to - from, wanted, out);
    return err;
}
