#include <stdlib.h>
#include <string.h>

#include "find.h"

/* Each change of a video has a sequence number, and each removal a tombstone: what has come since
 * the last look is applied row by row. */

enum {
    AT_ONCE = 20000, /* videos that are loaded when the handle is opened */
    SLICE = 4,       /* rows between two looks at the clock: one may have a full block to split */
    SHARE = 4,       /* part of a call's budget that following may take */
};

static bool over(int64_t until_ns)
{
    return clock_mono_ns() > until_ns;
}

/* ---- one video ----------------------------------------------------------------------------- */

static int64_t key_of(const struct facts *facts, enum video_sort sort)
{
    switch (sort) {
    case SORT_MODIFIED:
        return facts->mtime_ns;
    case SORT_DURATION:
        return facts->duration_us;
    case SORT_SIZE:
        return facts->size;
    case SORT_RESOLUTION:
        return (int64_t)facts->width * facts->height;
    case SORT_BIT_RATE:
        return facts->bit_rate;
    default:
        return 0;
    }
}

static void take_out(struct find *find, size_t number)
{
    if (!bits_has(&find->columns.known, number))
        return;
    for (enum video_sort sort = 0; sort < VIDEO_SORTS; sort++) {
        if (sort_has_order(sort))
            order_erase(&find->orders[sort], &find->columns, sort, (uint32_t)number);
    }
    names_erase(find, (uint32_t)number);
    columns_take(find, number);
}

/* Puts a row into the columns, and into the orders where its key is another one than before. */
static enum rl_err put_in(struct find *find, const struct facts *facts)
{
    struct columns *columns = &find->columns;
    uint32_t number = (uint32_t)facts->number;
    bool known = bits_has(&columns->known, number), moves[VIDEO_SORTS] = {false};
    for (enum video_sort sort = 0; sort < VIDEO_SORTS; sort++) {
        if (!sort_has_order(sort))
            continue;
        moves[sort] = !known || order_key(columns, sort, number) != key_of(facts, sort);
        if (known && moves[sort])
            order_erase(&find->orders[sort], columns, sort, number);
    }
    if (known)
        names_erase(find, number);
    if (!columns_put(find, facts))
        return RL_ENOMEM;
    for (enum video_sort sort = 0; sort < VIDEO_SORTS; sort++) {
        if (moves[sort] && !order_insert(&find->orders[sort], columns, sort, number))
            return RL_ENOMEM;
    }
    return RL_OK;
}

/* The change of a video: a row of FACT_COLUMNS. */
static enum rl_err apply(struct catalog *catalog, sqlite3_stmt *statement)
{
    struct find *find = catalog->find;
    struct facts facts;
    enum rl_err err = facts_read(catalog, statement, &facts);
    if (err == RL_OK)
        err = put_in(find, &facts);
    if (err != RL_OK)
        return err;
    find->applied = facts.sequence;
    struct row row = {.statement = statement, .column = FACT_NAME};
    char *name = row_bytes(&row);
    err = name ? names_insert(catalog, (uint32_t)facts.number, name) : RL_ENOMEM;
    if (err == RL_OK)
        err = search_note_video(catalog, (size_t)facts.number, name,
                                (const char *)sqlite3_column_text(statement, FACT_TITLE));
    free(name);
    if (err != RL_OK)
        find->applied = facts.sequence - 1; /* again, the next time */
    return err;
}

/* ---- following ----------------------------------------------------------------------------- */

/* Takes out the videos that were removed. */
static enum rl_err bury(struct catalog *catalog)
{
    struct find *find = catalog->find;
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, ST_FIND_REMOVED,
                                    "SELECT number FROM tombstones WHERE sequence > ?1", &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, find->buried);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        int64_t number = sqlite3_column_int64(list, 0);
        if (number > 0)
            take_out(find, (size_t)number);
    }
    sqlite3_reset(list);
    if (err != RL_ENOTFOUND)
        return err;
    find->buried = find->moment.sequence;
    return RL_OK;
}

static enum rl_err apply_changes(struct catalog *catalog, int64_t until_ns)
{
    struct find *find = catalog->find;
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, ST_FIND_CHANGED,
                                    "SELECT " FACT_COLUMNS " FROM videos v WHERE v.sequence > ?1"
                                    " ORDER BY v.sequence",
                                    &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, find->applied);
    err = bind_done(catalog, &binder);
    for (int i = 1; err == RL_OK && (err = statement_step(catalog, list)) == RL_OK; i++) {
        err = apply(catalog, list);
        if (err == RL_OK && i % SLICE == 0 && over(until_ns))
            err = RL_EBUSY;
    }
    sqlite3_reset(list);
    if (err != RL_ENOTFOUND)
        return err;
    find->applied = find->moment.sequence;
    return RL_OK;
}

/* ---- the moment ---------------------------------------------------------------------------- */

enum rl_err find_moment(struct catalog *catalog)
{
    struct moment *out = &catalog->find->moment;
    sqlite3_stmt *get;
    enum rl_err err = catalog_meta_int(catalog, "sequence", &out->sequence);
    if (err == RL_OK)
        err = statement_get(catalog, ST_DATA_VERSION, "PRAGMA data_version", &get);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK) {
        out->others = sqlite3_column_int64(get, 0) + 1; /* never what an empty moment has */
        sqlite3_reset(get);
    }
    out->own = sqlite3_total_changes64(catalog->db);
    /* In a transaction the rows are ahead of the sequence that is written at its end. */
    if (catalog->in_transaction)
        out->sequence = catalog->sequence;
    return err;
}

static enum rl_err follow(struct catalog *catalog, int64_t until_ns)
{
    struct find *find = catalog->find;
    enum rl_err err = find_moment(catalog);
    bool moved = find->state != FIND_READY || find->applied != find->moment.sequence ||
                 find->buried != find->moment.sequence || find->ranks.behind;
    if (err == RL_OK && moved)
        err = ranks_follow(catalog, until_ns);
    while (err == RL_OK && find->state != FIND_READY) {
        err = load_step(catalog, until_ns);
        if (err == RL_OK && over(until_ns))
            err = RL_EBUSY;
    }
    if (err == RL_OK && find->buried != find->moment.sequence)
        err = bury(catalog);
    if (err == RL_OK && find->applied != find->moment.sequence)
        err = apply_changes(catalog, until_ns);
    return err;
}

static void forget(struct find *find)
{
    build_free(find->build);
    names_load_free(&find->names_load);
    columns_free(&find->columns);
    lexicon_free(&find->lexicon);
    traits_free(&find->traits);
    for (int i = 0; i < VIDEO_SORTS; i++)
        order_free(&find->orders[i]);
    names_drop(&find->names);
    ranks_free(&find->ranks);
    paths_free(&find->paths);
    searches_free(&find->searches);
    bits_free(&find->failed);
    bits_free(&find->twins);
    bits_free(&find->matches.bits);
    buf_free(&find->matches_filter);
    buf_free(&find->filter);
    if (find->stats)
        video_stats_clear(find->stats);
    free(find->stats);
    buf_free(&find->stats_filter);
    *find = (struct find){0};
}

enum rl_err find_follow(struct catalog *catalog, int64_t until_ns)
{
    enum rl_err err = follow(catalog, until_ns);
    /* Half of a change may be in: better to begin again than to list what is not so. */
    if (err != RL_OK && err != RL_EBUSY)
        forget(catalog->find);
    return err;
}

enum rl_err find_ready(struct catalog *catalog)
{
    bool reader = catalog->mode == CATALOG_READER;
    if (reader && catalog->find->state != FIND_READY)
        return catalog_fail(catalog, RL_EBUSY, "the catalogue is still being read");
    int64_t until_ns = catalog->slice_until_ns;
    if (catalog->budget_ns > 0 && until_ns == INT64_MAX)
        until_ns = clock_mono_ns() + catalog->budget_ns / SHARE;
    enum rl_err err = find_follow(catalog, until_ns);
    if (err == RL_EBUSY && catalog->slice_until_ns < INT64_MAX)
        return RL_EAGAIN;
    if (err == RL_EBUSY)
        return catalog_fail(catalog, err, "too much has changed since the last list");
    return err;
}

/* ---- the handle ---------------------------------------------------------------------------- */

enum rl_err find_open(struct catalog *catalog)
{
    int64_t newest = 0;
    catalog->find = calloc(1, sizeof *catalog->find);
    if (!catalog->find)
        return RL_ENOMEM;
    /* A writer that lists nothing needs none of it. */
    if (catalog->mode != CATALOG_READER)
        return RL_OK;
    sqlite3_stmt *get;
    enum rl_err err =
        statement_get(catalog, ST_FIND_NEWEST, "SELECT max(number) FROM videos", &get);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK) {
        newest = sqlite3_column_int64(get, 0);
        sqlite3_reset(get);
    }
    bool begun = false;
    if (err == RL_OK && newest <= AT_ONCE)
        err = catalog_snapshot_begin(catalog, &begun);
    if (begun)
        err = find_follow(catalog, INT64_MAX);
    catalog_snapshot_end(catalog, begun);
    return err;
}

void find_close(struct catalog *catalog)
{
    if (catalog->find)
        forget(catalog->find);
    free(catalog->find);
    catalog->find = NULL;
}

void find_rolled_back(struct catalog *catalog)
{
    struct find *find = catalog->find;
    if (find && (find->applied > catalog->committed || find->buried > catalog->committed))
        forget(find);
}

enum rl_err catalog_warm(struct catalog *catalog, int64_t budget_ms, bool *ready)
{
    catalog_enter(catalog);
    *ready = false;
    bool begun;
    int64_t until_ns = clock_mono_ns() + budget_ms * 1000000;
    enum rl_err err = catalog_snapshot_begin(catalog, &begun);
    if (err == RL_OK)
        err = find_follow(catalog, until_ns);
    catalog_snapshot_end(catalog, begun);
    *ready = err == RL_OK;
    return err == RL_EBUSY ? RL_OK : err;
}
