#include "private.h"

/* twins: the videos that are there with the content of another one that is there. Kept as rows come
 * and go, so that a list of them need not compare a million fingerprints. */

/* Two statements: one that may replace a row could fail halfway, and before each such one the text
 * index writes what it has gathered. */
static enum rl_err add(struct catalog *catalog, int64_t number, int64_t size, uint64_t fingerprint)
{
    sqlite3_stmt *drop, *put;
    enum rl_err err =
        statement_get(catalog, ST_TWIN_DROP, "DELETE FROM twins WHERE number = ?1", &drop);
    if (err == RL_OK)
        err = statement_get(catalog, ST_TWIN_ADD,
                            "INSERT INTO twins (number, fingerprint, size) VALUES (?1, ?2, ?3)",
                            &put);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = drop};
    bind_int(&binder, number);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_run(catalog, drop);
    if (err != RL_OK)
        return err;
    binder = (struct binder){.statement = put};
    bind_int(&binder, number);
    bind_unsigned(&binder, fingerprint);
    bind_int(&binder, size);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, put) : err;
}

/* The first number that a query for the content gives; 0: none. It has the fingerprint as ?1, the
 * size as ?2 and `number` as ?3. */
static enum rl_err first(struct catalog *catalog, int slot, const char *sql, uint64_t fingerprint,
                         int64_t size, int64_t number, int64_t *out)
{
    sqlite3_stmt *find;
    *out = 0;
    enum rl_err err = statement_get(catalog, slot, sql, &find);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = find};
    bind_unsigned(&binder, fingerprint);
    bind_int(&binder, size);
    bind_int(&binder, number);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, find);
    if (err == RL_OK)
        *out = sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

/* Another video that is there with the content; -1: there are two already, which know of each
 * other; 0: there is none. */
static enum rl_err find_other(struct catalog *catalog, int64_t number, int64_t size,
                              uint64_t fingerprint, int64_t *out)
{
    const struct keys *keys = &catalog->fingerprints;
    enum rl_err err = first(catalog, ST_TWIN_FIND,
                            "SELECT CASE WHEN EXISTS (SELECT 1 FROM twins WHERE fingerprint = ?1"
                            " AND size = ?2) THEN -1 ELSE (SELECT v.number"
                            " FROM order_fingerprint o CROSS JOIN videos v ON v.number = o.number"
                            " WHERE o.fingerprint = ?1 AND v.size = ?2 AND v.missing_since = 0"
                            " AND v.number <> ?3) END",
                            fingerprint, size, number, out);
    for (uint32_t at = keys_first(keys, fingerprint); err == RL_OK && *out == 0 && at;
         at = keys_next(keys, at)) {
        int64_t other = keys_number(keys, at);
        if (other != number)
            err = first(catalog, ST_TWIN_LOOK,
                        "SELECT number FROM videos WHERE number = ?3 AND size = ?2"
                        " AND fingerprint = ?1 AND missing_since = 0",
                        fingerprint, size, other, out);
    }
    return err;
}

enum rl_err twins_join(struct catalog *catalog, int64_t number, int64_t size, uint64_t fingerprint)
{
    if (!fingerprint)
        return RL_OK;
    int64_t other;
    enum rl_err err = find_other(catalog, number, size, fingerprint, &other);
    if (err == RL_OK && other > 0)
        err = add(catalog, other, size, fingerprint);
    if (err == RL_OK && other)
        err = add(catalog, number, size, fingerprint);
    return err;
}

enum rl_err twins_leave(struct catalog *catalog, int64_t number)
{
    sqlite3_stmt *take, *rest;
    enum rl_err err = statement_get(catalog, ST_TWIN_DELETE,
                                    "DELETE FROM twins WHERE number = ?1"
                                    " RETURNING fingerprint, size",
                                    &take);
    if (err == RL_OK)
        err = statement_get(catalog, ST_TWIN_REST,
                            "DELETE FROM twins WHERE fingerprint = ?1 AND size = ?2 AND 1 ="
                            " (SELECT count(*) FROM (SELECT 1 FROM twins WHERE fingerprint = ?1"
                            " AND size = ?2 LIMIT 2))",
                            &rest);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = take};
    bind_int(&binder, number);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, take);
    if (err != RL_OK)
        return err == RL_ENOTFOUND ? RL_OK : err;
    binder = (struct binder){.statement = rest};
    bind_int(&binder, sqlite3_column_int64(take, 0));
    bind_int(&binder, sqlite3_column_int64(take, 1));
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_run(catalog, take);
    /* Whoever is left alone is none any more. */
    return err == RL_OK ? statement_run(catalog, rest) : err;
}
