#include <stdlib.h>

#include "find.h"

/* The others with a video's content. Of one that is there they are its twins. One that is missing
 * has none, and what it is alike to may be alone by now: the table order_fingerprint has the most
 * of these; those that are not in it yet are looked for by their size, which is in memory. */

struct original {
    int64_t number, size;
    uint64_t fingerprint; /* 0: not known */
};

static enum rl_err read_original(struct catalog *catalog, const char *id, struct original *out)
{
    sqlite3_stmt *get;
    enum rl_err err =
        statement_get(catalog, ST_DUPLICATES_OF,
                      "SELECT number, size, fingerprint FROM videos WHERE id = ?1", &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_id(&binder, id);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK) {
        struct row row = {.statement = get};
        out->number = row_int(&row);
        out->size = row_int(&row);
        out->fingerprint = row_unsigned(&row);
        sqlite3_reset(get);
    }
    return err == RL_ENOTFOUND ? catalog_fail(catalog, err, "no video has this id") : err;
}

static bool is_other(const struct find *find, const struct original *original, int64_t number)
{
    return number > 0 && number != original->number &&
           bits_has(&find->columns.present, (size_t)number) &&
           COLUMN(&find->columns, (size_t)number, size) == original->size;
}

static void take(struct numbers *out, int limit, int64_t number, int64_t *total)
{
    if (*total < limit)
        out->at[out->count++] = number;
    ++*total;
}

static enum rl_err take_settled(struct catalog *catalog, const struct original *original, int limit,
                                struct numbers *out, int64_t *total)
{
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, ST_DUPLICATES_SETTLED,
                                    "SELECT number FROM order_fingerprint WHERE fingerprint = ?1"
                                    " ORDER BY number",
                                    &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_unsigned(&binder, original->fingerprint);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        int64_t number = sqlite3_column_int64(list, 0);
        if (is_other(catalog->find, original, number))
            take(out, limit, number, total);
    }
    sqlite3_reset(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

static enum rl_err has_content(struct catalog *catalog, int64_t number, uint64_t fingerprint,
                               bool *out)
{
    sqlite3_stmt *get;
    enum rl_err err =
        statement_get(catalog, ST_DUPLICATES_CHECK,
                      "SELECT 1 FROM videos WHERE number = ?1 AND fingerprint = ?2", &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, number);
    bind_unsigned(&binder, fingerprint);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    *out = err == RL_OK;
    sqlite3_reset(get);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

static enum rl_err take_new(struct catalog *catalog, const struct original *original,
                            int64_t identified, int limit, struct numbers *out, int64_t *total)
{
    const struct find *find = catalog->find;
    enum rl_err err = RL_OK;
    for (size_t number = (size_t)identified + 1; err == RL_OK && number < find->columns.present.cap;
         number++) {
        bool same;
        if (!is_other(find, original, (int64_t)number))
            continue;
        err = has_content(catalog, (int64_t)number, original->fingerprint, &same);
        if (err == RL_OK && same)
            take(out, limit, (int64_t)number, total);
    }
    return err;
}

static enum rl_err take_twins(struct catalog *catalog, const struct original *original, int limit,
                              struct numbers *out, int64_t *total)
{
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, ST_DUPLICATES_TWINS,
                                    "SELECT number FROM twins WHERE fingerprint = ?1 AND size = ?2"
                                    " AND number <> ?3 ORDER BY number",
                                    &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_unsigned(&binder, original->fingerprint);
    bind_int(&binder, original->size);
    bind_int(&binder, original->number);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK)
        take(out, limit, sqlite3_column_int64(list, 0), total);
    sqlite3_reset(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

static enum rl_err read_duplicates(struct catalog *catalog, const char *id, int limit,
                                   struct numbers *numbers, struct video_page *out)
{
    struct original original = {0};
    int64_t identified = 0;
    enum rl_err err = find_ready(catalog);
    if (err == RL_OK)
        err = read_original(catalog, id, &original);
    if (err == RL_OK)
        err = catalog_meta_int(catalog, "identified", &identified);
    bool there = bits_has(&catalog->find->columns.present, (size_t)original.number);
    if (err == RL_OK && original.fingerprint && there)
        err = take_twins(catalog, &original, limit, numbers, &out->total);
    if (err == RL_OK && original.fingerprint && !there)
        err = take_settled(catalog, &original, limit, numbers, &out->total);
    if (err == RL_OK && original.fingerprint && !there)
        err = take_new(catalog, &original, identified, limit, numbers, &out->total);
    if (err == RL_OK)
        err = page_rows(catalog, numbers, out);
    out->sequence = catalog->find->moment.sequence;
    return err;
}

enum rl_err catalog_duplicates(struct catalog *catalog, const char *id, int limit,
                               struct video_page *out)
{
    catalog_enter(catalog);
    *out = (struct video_page){0};
    if (limit < 1 || limit > PAGE_LIMIT_MAX)
        return catalog_fail(catalog, RL_EINVAL, "limit out of range");
    struct numbers numbers = {.at = calloc((size_t)limit, sizeof *numbers.at)};
    bool begun = false;
    enum rl_err err = numbers.at ? catalog_snapshot_begin(catalog, &begun) : RL_ENOMEM;
    if (err == RL_OK)
        err = read_duplicates(catalog, id, limit, &numbers, out);
    catalog_snapshot_end(catalog, begun);
    free(numbers.at);
    if (err != RL_OK)
        video_page_clear(out);
    return err;
}
