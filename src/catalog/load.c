#include <stdlib.h>

#include "find.h"

/* Loading goes through the tables in slices, each in a snapshot of its own. What changes meanwhile
 * is no trouble: all changes since before the first slice are applied at its end, as all later ones
 * are, and to apply one twice does no harm. */

enum { SLICE = 64 }; /* rows between two looks at the clock */

static bool over(int64_t until_ns)
{
    return clock_mono_ns() > until_ns;
}

static enum rl_err load_rows(struct catalog *catalog, int64_t until_ns)
{
    struct find *find = catalog->find;
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, ST_FIND_ROWS,
                                    "SELECT " FACT_COLUMNS " FROM videos v WHERE v.number > ?1"
                                    " ORDER BY v.number",
                                    &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, find->at);
    err = bind_done(catalog, &binder);
    for (int i = 1; err == RL_OK && (err = statement_step(catalog, list)) == RL_OK; i++) {
        struct facts facts;
        err = facts_read(catalog, list, &facts);
        if (err == RL_OK && !columns_put(find, &facts))
            err = RL_ENOMEM;
        if (err == RL_OK)
            find->at = facts.number;
        if (err == RL_OK && i % SLICE == 0 && over(until_ns))
            err = RL_EBUSY;
    }
    sqlite3_reset(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

static enum rl_err load_orders(struct find *find, int64_t until_ns)
{
    while (find->sort < VIDEO_SORTS) {
        enum video_sort sort = (enum video_sort)find->sort;
        bool done = !sort_has_order(sort);
        enum rl_err err = RL_OK;
        if (!done && !find->build)
            find->build = build_new(&find->columns, sort, &find->orders[sort]);
        if (!done)
            err = find->build ? build_step(find->build, &done) : RL_ENOMEM;
        if (err != RL_OK)
            return err;
        if (done) {
            build_free(find->build);
            find->build = NULL;
            find->sort++;
        }
        if (over(until_ns))
            return RL_EBUSY;
    }
    return RL_OK;
}

/* The name of a video that the order on disk does not have: a new or a missing one. */
static enum rl_err load_name(struct catalog *catalog, uint32_t number)
{
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, ST_NAME_GET,
                                    "SELECT name, sequence FROM videos WHERE number = ?1", &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, number);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err != RL_OK)
        return err == RL_ENOTFOUND ? RL_OK : err;
    struct row row = {.statement = get};
    char *name = row_bytes(&row);
    bool changed = row_int(&row) > catalog->find->applied;
    sqlite3_reset(get);
    err = name ? RL_OK : RL_ENOMEM;
    if (err == RL_OK && !changed)
        err = names_insert(catalog, number, name);
    free(name);
    return err;
}

static enum rl_err load_rest(struct catalog *catalog, int64_t until_ns)
{
    struct find *find = catalog->find;
    enum rl_err err = RL_OK;
    while (err == RL_OK && find->at < (int64_t)find->columns.known.cap) {
        size_t number = (size_t)find->at;
        if (bits_has(&find->columns.known, number) && !COLUMN(&find->columns, number, name_block))
            err = load_name(catalog, (uint32_t)number);
        if (err == RL_OK)
            find->at++;
        if (err == RL_OK && number % SLICE == SLICE - 1 && over(until_ns))
            return RL_EBUSY;
    }
    return err;
}

enum rl_err load_step(struct catalog *catalog, int64_t until_ns)
{
    struct find *find = catalog->find;
    enum rl_err err = RL_OK;
    bool done = false;
    switch (find->state) {
    case FIND_NONE:
        find->applied = find->buried = find->moment.sequence;
        break;
    case FIND_ROWS:
        err = load_rows(catalog, until_ns);
        break;
    case FIND_ORDERS:
        err = load_orders(find, until_ns);
        break;
    case FIND_NAMES:
        err = names_load(catalog, until_ns, &done);
        if (done)
            names_load_free(&find->names_load);
        break;
    case FIND_REST:
        err = load_rest(catalog, until_ns);
        break;
    case FIND_READY:
        break;
    }
    if (err == RL_OK) {
        find->state = find->state + 1;
        find->at = 0;
    }
    return err;
}
