#include "find.h"

/* Some milliseconds for a million: kept for the next page. */
static enum rl_err read_total(struct catalog *catalog, int64_t *total)
{
    struct find *find = catalog->find;
    enum rl_err err = find_moment(catalog);
    if (err != RL_OK || moment_is(&find->early_at, &find->moment)) {
        *total = find->early_total;
        return err;
    }
    sqlite3_stmt *count;
    err = statement_get(catalog, ST_EARLY_COUNT,
                        "SELECT (SELECT count(*) FROM videos) -"
                        " (SELECT count(*) FROM videos WHERE missing_since <> 0)",
                        &count);
    if (err == RL_OK)
        err = statement_step(catalog, count);
    if (err != RL_OK)
        return err;
    *total = find->early_total = sqlite3_column_int64(count, 0);
    find->early_at = find->moment;
    sqlite3_reset(count);
    return RL_OK;
}

/* ?1 limit, ?2 offset, ?3 to ?5 where the page before ended: key, folder, number. */
static void added_sql(bool descending, bool cursor, struct buf *sql)
{
    buf_puts(sql, "SELECT number FROM videos WHERE missing_since = 0");
    if (cursor)
        buf_printf(sql, " AND number %s ?5", descending ? "<" : ">");
    buf_printf(sql, " ORDER BY number %s LIMIT ?1 OFFSET ?2", descending ? "DESC" : "ASC");
}

static void name_half(const char *key, const char *from, bool descending, bool cursor,
                      struct buf *sql)
{
    const char *after = descending ? "<" : ">";
    buf_printf(sql,
               "SELECT v.number AS n, %s AS k, d.path AS p FROM %s"
               " CROSS JOIN directories d ON d.id = v.directory WHERE true",
               key, from);
    if (cursor)
        buf_printf(sql,
                   " AND %s %s= ?3 AND (%s %s ?3 OR (d.path, v.number) %s"
                   " ((SELECT path FROM directories WHERE id = ?4), ?5))",
                   key, after, key, after, after);
}

/* The order's table and the videos that are not in it yet, merged. */
static void name_sql(bool descending, bool cursor, struct buf *sql)
{
    const char *order = descending ? "DESC" : "ASC";
    name_half("o.key", "order_name o CROSS JOIN videos v ON v.number = o.number", descending,
              cursor, sql);
    buf_puts(sql, " UNION ALL ");
    name_half("natural_key(v.name)", "videos v", descending, cursor, sql);
    buf_puts(sql, " AND v.number > (SELECT value FROM meta WHERE key = 'settled')"
                  " AND v.missing_since = 0");
    buf_printf(sql, " ORDER BY k %s, p %s, n %s LIMIT ?1 OFFSET ?2", order, order, order);
}

static enum rl_err early_statement(struct catalog *catalog, const struct video_query *query,
                                   bool cursor, sqlite3_stmt **out)
{
    bool by_name = query->sort == SORT_NAME;
    int slot = ST_EARLY + (by_name ? 4 : 0) + (query->descending ? 2 : 0) + (cursor ? 1 : 0);
    struct buf sql = {0};
    if (by_name)
        name_sql(query->descending, cursor, &sql);
    else
        added_sql(query->descending, cursor, &sql);
    enum rl_err err = sql.failed ? RL_ENOMEM : statement_get(catalog, slot, sql.data, out);
    buf_free(&sql);
    return err;
}

enum rl_err page_early(struct catalog *catalog, const struct video_query *query,
                       const struct position *cursor, struct numbers *out, int64_t *total)
{
    sqlite3_stmt *list;
    enum rl_err err = read_total(catalog, total);
    if (err == RL_OK)
        err = early_statement(catalog, query, cursor != NULL, &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, (int64_t)query->limit + 1);
    bind_int(&binder, query->offset);
    if (cursor && query->sort == SORT_NAME) {
        bind_bytes(&binder, cursor->name, cursor->name_len);
        bind_int(&binder, cursor->tie);
        bind_int(&binder, cursor->key);
    } else if (cursor) {
        binder.column = 4;
        bind_int(&binder, cursor->tie);
    }
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        out->more = out->count == (size_t)query->limit;
        if (out->more)
            break;
        out->at[out->count++] = sqlite3_column_int64(list, 0);
    }
    sqlite3_reset(list);
    sqlite3_clear_bindings(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}
