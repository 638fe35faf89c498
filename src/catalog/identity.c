#include <stdlib.h>
#include <string.h>

#include "private.h"

/* Which video a file is. The tables order_inode and order_fingerprint have most of them; the writer
 * keeps the latest in memory until there are enough to put them in at once (transaction.c). */

#define PLACE_COLUMNS                                                                              \
    "v.number, v.id, d.path, v.name, v.size, v.mtime_ns, v.device, v.inode, d.device,"             \
    " v.missing_since, v.job, v.outcome"

void video_place_clear(struct video_place *place)
{
    free(place->path);
    *place = (struct video_place){0};
}

void place_list_clear(struct place_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        video_place_clear(&list->places[i]);
    free(list->places);
    *list = (struct place_list){0};
}

/* ---- the SQL function ---------------------------------------------------------------------- */

static void sql_natural_key(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    char name[256];
    const void *bytes = sqlite3_value_blob(values[0]);
    size_t len = (size_t)sqlite3_value_bytes(values[0]);
    len = len < sizeof name ? len : sizeof name - 1;
    if (bytes)
        memcpy(name, bytes, len);
    name[bytes ? len : 0] = '\0';
    struct buf key = {0};
    buf_puts(&key, "");
    natural_key(&key, name);
    if (key.failed)
        sqlite3_result_error_nomem(context);
    else
        sqlite3_result_blob64(context, key.data, key.len, SQLITE_TRANSIENT);
    buf_free(&key);
}

enum rl_err identity_functions(sqlite3 *db)
{
    int rc = sqlite3_create_function_v2(db, "natural_key", 1,
                                        SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
                                        sql_natural_key, NULL, NULL, NULL);
    return statement_error(db, rc);
}

/* ---- the writer's memory ------------------------------------------------------------------- */

enum rl_err identity_note(struct catalog *catalog, int64_t number, uint64_t inode,
                          uint64_t fingerprint)
{
    if (number <= catalog->identified)
        return RL_OK; /* the triggers did it */
    enum rl_err err = keys_add(&catalog->inodes, inode, number);
    if (err == RL_OK && fingerprint)
        err = keys_add(&catalog->fingerprints, fingerprint, number);
    return err;
}

enum rl_err identity_load(struct catalog *catalog)
{
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, ST_IDENTITY_LOAD,
                                    "SELECT number, inode, fingerprint FROM videos"
                                    " WHERE number > ?1 ORDER BY number",
                                    &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, catalog->identified);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        struct row row = {.statement = list};
        int64_t number = row_int(&row);
        uint64_t inode = row_unsigned(&row);
        err = identity_note(catalog, number, inode, row_unsigned(&row));
    }
    sqlite3_reset(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

enum rl_err identity_tidy(struct catalog *catalog)
{
    int64_t rows = catalog->newest - catalog->identified;
    size_t fair = 4096 + 4 * (size_t)(rows > 0 ? rows : 0);
    if (catalog->inodes.count <= fair && catalog->fingerprints.count <= fair)
        return RL_OK;
    keys_clear(&catalog->inodes);
    keys_clear(&catalog->fingerprints);
    return identity_load(catalog);
}

/* ---- places -------------------------------------------------------------------------------- */

static enum rl_err read_place(sqlite3_stmt *statement, struct video_place *out)
{
    struct row row = {.statement = statement};
    *out = (struct video_place){.number = row_int(&row)};
    row_id(&row, out->id);
    out->path = row_path(&row);
    out->stamp.size = row_int(&row);
    out->stamp.mtime_ns = row_int(&row);
    out->stamp.device = row_unsigned(&row);
    out->stamp.inode = row_unsigned(&row);
    out->folder_device = row_unsigned(&row);
    out->missing_since_ms = row_int(&row);
    out->job = row_int(&row);
    out->outcome = words_parse_outcome(row_word(&row), OUTCOME_NONE);
    return out->path ? RL_OK : RL_ENOMEM;
}

/* What is sought. The queries have the key as ?1, the size as ?2, then ?3 mtime or nothing, and ?4
 * the number of a row that may be it. */
struct sought {
    uint64_t key;
    int64_t size, mtime_ns;
    int table_slot, row_slot;
    const char *table_sql, *row_sql;
    const struct keys *keys;
    size_t max;
};

static enum rl_err bind_sought(struct catalog *catalog, int slot, const char *sql,
                               const struct sought *sought, int64_t number, sqlite3_stmt **out)
{
    enum rl_err err = statement_get(catalog, slot, sql, out);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = *out};
    bind_unsigned(&binder, sought->key);
    bind_int(&binder, sought->size);
    bind_int(&binder, sought->mtime_ns);
    if (number)
        bind_int(&binder, number);
    return bind_done(catalog, &binder);
}

/* Adds what the query gives, as long as there is room. */
static enum rl_err add_places(struct catalog *catalog, int slot, const char *sql,
                              const struct sought *sought, int64_t number, struct place_list *out)
{
    sqlite3_stmt *find;
    enum rl_err err = bind_sought(catalog, slot, sql, sought, number, &find);
    while (err == RL_OK && out->count < sought->max &&
           (err = statement_step(catalog, find)) == RL_OK) {
        if (!out->places)
            out->places = calloc(sought->max, sizeof *out->places);
        err = out->places ? read_place(find, &out->places[out->count]) : RL_ENOMEM;
        if (err == RL_OK)
            out->count++;
    }
    if (err == RL_OK)
        sqlite3_reset(find);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

/* The lowest numbers above `after` that memory has for a key: sorted, each once. */
static size_t lowest(const struct keys *keys, uint64_t key, int64_t after, int64_t out[PLACES_MAX])
{
    size_t count = 0;
    for (uint32_t at = keys_first(keys, key); at; at = keys_next(keys, at)) {
        int64_t number = keys_number(keys, at);
        if (number <= after || (count == PLACES_MAX && number >= out[count - 1]))
            continue;
        size_t place = count;
        while (place > 0 && out[place - 1] > number)
            place--;
        if (place > 0 && out[place - 1] == number)
            continue;
        if (count < PLACES_MAX)
            count++;
        memmove(&out[place + 1], &out[place], (count - place - 1) * sizeof *out);
        out[place] = number;
    }
    return count;
}

/* The tables have the lower numbers. What memory has may be out of date: each row is looked at. */
static enum rl_err find_places(struct catalog *catalog, const struct sought *sought,
                               struct place_list *out)
{
    enum rl_err err = add_places(catalog, sought->table_slot, sought->table_sql, sought, 0, out);
    int64_t numbers[PLACES_MAX], after = 0;
    size_t count = PLACES_MAX;
    while (err == RL_OK && count == PLACES_MAX && out->count < sought->max) {
        count = lowest(sought->keys, sought->key, after, numbers);
        for (size_t i = 0; err == RL_OK && i < count; i++) {
            after = numbers[i];
            if (after > catalog->identified)
                err = add_places(catalog, sought->row_slot, sought->row_sql, sought, after, out);
        }
    }
    if (err != RL_OK)
        place_list_clear(out);
    return err;
}

enum rl_err catalog_places_by_stamp(struct catalog *catalog, const struct file_stamp *stamp,
                                    struct place_list *out)
{
    catalog_enter(catalog);
    *out = (struct place_list){0};
    const struct sought sought = {
        .key = stamp->inode,
        .size = stamp->size,
        .mtime_ns = stamp->mtime_ns,
        .table_slot = ST_BY_INODE,
        .table_sql = "SELECT " PLACE_COLUMNS " FROM order_inode o"
                     " CROSS JOIN videos v ON v.number = o.number"
                     " CROSS JOIN directories d ON d.id = v.directory"
                     " WHERE o.inode = ?1 AND v.size = ?2 AND v.mtime_ns = ?3 ORDER BY o.number",
        .row_slot = ST_BY_INODE_ROW,
        .row_sql = "SELECT " PLACE_COLUMNS " FROM videos v"
                   " CROSS JOIN directories d ON d.id = v.directory WHERE v.number = ?4"
                   " AND v.inode = ?1 AND v.size = ?2 AND v.mtime_ns = ?3",
        .keys = &catalog->inodes,
        .max = PLACES_MAX,
    };
    return find_places(catalog, &sought, out);
}

enum rl_err catalog_places_by_content(struct catalog *catalog, int64_t size, uint64_t fingerprint,
                                      struct place_list *out)
{
    catalog_enter(catalog);
    *out = (struct place_list){0};
    if (!fingerprint)
        return RL_OK;
    const struct sought sought = {
        .key = fingerprint,
        .size = size,
        .table_slot = ST_BY_FINGERPRINT,
        .table_sql = "SELECT " PLACE_COLUMNS " FROM order_fingerprint o"
                     " CROSS JOIN videos v ON v.number = o.number"
                     " CROSS JOIN directories d ON d.id = v.directory"
                     " WHERE o.fingerprint = ?1 AND v.size = ?2 AND ?3 = 0 ORDER BY o.number",
        .row_slot = ST_BY_FINGERPRINT_ROW,
        .row_sql = "SELECT " PLACE_COLUMNS " FROM videos v"
                   " CROSS JOIN directories d ON d.id = v.directory WHERE v.number = ?4"
                   " AND v.fingerprint = ?1 AND v.size = ?2 AND ?3 = 0",
        .keys = &catalog->fingerprints,
        .max = CONTENT_PLACES_MAX,
    };
    return find_places(catalog, &sought, out);
}

enum rl_err catalog_place_get(struct catalog *catalog, int64_t number, struct video_place *out)
{
    catalog_enter(catalog);
    *out = (struct video_place){0};
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, ST_PLACE_GET,
                                    "SELECT " PLACE_COLUMNS " FROM videos v JOIN directories d"
                                    " ON d.id = v.directory WHERE v.number = ?1",
                                    &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_int(&binder, number);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err != RL_OK)
        return err;
    err = read_place(get, out);
    sqlite3_reset(get);
    return err;
}
