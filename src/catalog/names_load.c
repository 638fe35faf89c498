#include <stdlib.h>
#include <string.h>

#include "find.h"

/* The order of names is on disk (order_name), but for the folders of equal names: such a run is
 * collected, sorted by the folders' paths, and put in. */

enum { SLICE = 256 }; /* rows between two looks at the clock */

void names_load_free(struct names_load *load)
{
    buf_free(&load->key);
    free(load->run);
    *load = (struct names_load){0};
}

static int compare_run(const void *a, const void *b, void *arg)
{
    const struct find *find = arg;
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    uint64_t rank = rank_of(&find->ranks, COLUMN(&find->columns, one, folder));
    uint64_t other_rank = rank_of(&find->ranks, COLUMN(&find->columns, other, folder));
    if (rank != other_rank)
        return rank < other_rank ? -1 : 1;
    return (one > other) - (one < other);
}

static enum rl_err put(struct find *find, uint32_t number)
{
    struct names *names = &find->names;
    struct block *block = names->count ? names->blocks[names->count - 1] : NULL;
    if (!block || block->count == block_fill(names->count - 1)) {
        struct name_place fence = {
            .key = find->names_load.key.data,
            .len = find->names_load.key.len,
            .folder = COLUMN(&find->columns, number, folder),
            .number = number,
        };
        block = names_append(find, &fence);
        if (!block)
            return RL_ENOMEM;
    }
    block->numbers[block->count++] = number;
    block->sorted = block->count;
    COLUMN(&find->columns, number, name_block) = block->id;
    return RL_OK;
}

static enum rl_err put_run(struct find *find)
{
    struct names_load *load = &find->names_load;
    enum rl_err err = RL_OK;
    if (load->n_run > 1)
        qsort_r(load->run, load->n_run, sizeof *load->run, compare_run, find);
    for (size_t i = 0; err == RL_OK && i < load->n_run; i++)
        err = put(find, load->run[i]);
    load->n_run = 0;
    return err;
}

static bool add_to_run(struct names_load *load, uint32_t number)
{
    if (load->n_run == load->cap_run) {
        size_t cap = load->cap_run ? 2 * load->cap_run : 64;
        uint32_t *run = reallocarray(load->run, cap, sizeof *run);
        if (!run)
            return false;
        load->run = run;
        load->cap_run = cap;
    }
    load->run[load->n_run++] = number;
    return true;
}

/* A row of order_name. One that the columns do not have came later; one that stands in two places
 * was renamed meanwhile. Their changes are followed afterwards. */
static enum rl_err take(struct find *find, sqlite3_stmt *statement)
{
    struct names_load *load = &find->names_load;
    const void *key = sqlite3_column_blob(statement, 0);
    size_t len = (size_t)sqlite3_column_bytes(statement, 0);
    int64_t number = sqlite3_column_int64(statement, 1);
    load->number = number;
    if (load->key.len != len || (len && memcmp(load->key.data, key, len) != 0)) {
        enum rl_err err = put_run(find);
        if (err != RL_OK)
            return err;
        buf_clear(&load->key);
        buf_append(&load->key, key, len);
        if (load->key.failed)
            return RL_ENOMEM;
    }
    if (number < 1 || !bits_has(&find->columns.known, (size_t)number) ||
        COLUMN(&find->columns, (size_t)number, name_block))
        return RL_OK;
    return add_to_run(load, (uint32_t)number) ? RL_OK : RL_ENOMEM;
}

enum rl_err names_load(struct catalog *catalog, int64_t until_ns, bool *done)
{
    struct find *find = catalog->find;
    struct names_load *load = &find->names_load;
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, ST_NAMES_LOAD,
                                    "SELECT key, number FROM order_name"
                                    " WHERE (key, number) > (?1, ?2) ORDER BY key, number",
                                    &list);
    if (err != RL_OK)
        return err;
    struct buf key = {0}; /* the bound one must outlive the changes of load->key */
    buf_append(&key, load->key.len ? load->key.data : "", load->key.len);
    struct binder binder = {.statement = list};
    bind_bytes(&binder, key.data, key.len);
    bind_int(&binder, load->number);
    err = key.failed ? RL_ENOMEM : bind_done(catalog, &binder);
    for (int i = 1; err == RL_OK && (err = statement_step(catalog, list)) == RL_OK; i++) {
        err = take(find, list);
        if (err == RL_OK && i % SLICE == 0 && clock_mono_ns() > until_ns)
            err = RL_EBUSY;
    }
    sqlite3_reset(list);
    sqlite3_clear_bindings(list);
    buf_free(&key);
    if (err != RL_ENOTFOUND)
        return err;
    *done = true;
    return put_run(find);
}
