#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "find.h"

enum {
    READER_BUDGET_MS = 250 * REELD_SLOWNESS,
    WRITER_BUSY_MS = 5000, /* a foreign program may hold the file for a moment */
    GRACE_BUDGETS = 7,
    PROGRESS_STEPS = 1000, /* virtual machine steps between two looks at the clock */
};

/* ---- errors and budget --------------------------------------------------------------------- */

enum rl_err catalog_fail(struct catalog *catalog, enum rl_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(catalog->error, sizeof catalog->error, format, args);
    va_end(args);
    return err;
}

const char *catalog_error(const struct catalog *catalog)
{
    return catalog->error;
}

/* Ends a call for its own work, and not because the machine is busy with others': when the clock
 * says that it is time, it gets half as much again of the processor, as long as that does not take
 * GRACE_BUDGETS as long. */
static int over_budget(void *arg)
{
    struct catalog *catalog = arg;
    int64_t late_ns = clock_mono_ns() - catalog->deadline_ns;
    if (late_ns <= 0)
        return 0;
    int64_t thread_ns = clock_thread_ns();
    if (catalog->late_thread_ns == 0)
        catalog->late_thread_ns = thread_ns;
    return thread_ns - catalog->late_thread_ns > catalog->budget_ns / 2 ||
           late_ns > GRACE_BUDGETS * catalog->budget_ns;
}

void catalog_set_budget(struct catalog *catalog, int64_t budget_ms)
{
    catalog->budget_ns = budget_ms * 1000000;
    catalog->deadline_ns = INT64_MAX;
    if (budget_ms > 0)
        sqlite3_progress_handler(catalog->db, PROGRESS_STEPS, over_budget, catalog);
    else
        sqlite3_progress_handler(catalog->db, 0, NULL, NULL);
}

void catalog_set_slice(struct catalog *catalog, int64_t us)
{
    catalog->slice_ns = us * 1000;
}

void catalog_enter(struct catalog *catalog)
{
    catalog->error[0] = '\0';
    catalog->slice_until_ns = catalog->slice_ns ? clock_mono_ns() + catalog->slice_ns : INT64_MAX;
    if (catalog->budget_ns > 0)
        catalog->deadline_ns = clock_mono_ns() + catalog->budget_ns;
    catalog->late_thread_ns = 0;
}

/* ---- opening ------------------------------------------------------------------------------- */

static enum rl_err open_pragmas(struct catalog *catalog, const char *path,
                                char why[CATALOG_WHY_SIZE])
{
    /* Temporary b-trees stay in memory: a reader never writes to a disk. The page cache is bounded
     * because the daemon's memory is, and the system has the file in its own: rows go in as fast
     * with 2 MiB as with 12. */
    const char *pragmas = "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                          "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
                          "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216;"
                          "PRAGMA cache_size = -3072; PRAGMA wal_autocheckpoint = 4000;";
    sqlite3 *db = catalog->db;
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, catalog->mode == CATALOG_WRITER ? WRITER_BUSY_MS : READER_BUDGET_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    int rc = sqlite3_exec(db, pragmas, NULL, NULL, NULL);
    if (rc == SQLITE_OK && catalog->mode == CATALOG_READER)
        rc = sqlite3_exec(db, "PRAGMA query_only = ON", NULL, NULL, NULL);
    return rc == SQLITE_OK ? RL_OK : schema_fail(db, path, rc, why);
}

static enum rl_err open_wal(struct catalog *catalog, const char *path, char why[CATALOG_WHY_SIZE])
{
    sqlite3_stmt *statement = NULL;
    const char *mode = NULL;
    int rc = sqlite3_prepare_v2(catalog->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        mode = (const char *)sqlite3_column_text(statement, 0);
    enum rl_err err = RL_OK;
    if (!mode || strcmp(mode, "wal") != 0) {
        err = rc == SQLITE_ROW ? RL_EINVAL : statement_error(catalog->db, rc);
        snprintf(why, CATALOG_WHY_SIZE,
                 "%.120s cannot have a write-ahead log (%s); keep the database on a local disk",
                 path, rc == SQLITE_ROW ? "no shared memory" : sqlite3_errmsg(catalog->db));
    }
    sqlite3_finalize(statement);
    return err;
}

static enum rl_err open_newest(struct catalog *catalog)
{
    sqlite3_stmt *get;
    enum rl_err err = statement_get(
        catalog, ST_NEWEST, "SELECT max(seq) FROM sqlite_sequence WHERE name = 'videos'", &get);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK) {
        catalog->newest = catalog->newest_committed = sqlite3_column_int64(get, 0);
        sqlite3_reset(get);
    }
    return err;
}

/* Most files are new, and most catalogues have nothing to forget. */
static enum rl_err open_any(struct catalog *catalog)
{
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, ST_ANY,
                                    "SELECT EXISTS (SELECT 1 FROM videos WHERE missing_since <> 0),"
                                    " EXISTS (SELECT 1 FROM failures)",
                                    &get);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK) {
        catalog->no_missing = sqlite3_column_int(get, 0) == 0;
        catalog->no_failures = sqlite3_column_int(get, 1) == 0;
        sqlite3_reset(get);
    }
    return err;
}

static enum rl_err open_meta(struct catalog *catalog)
{
    sqlite3_stmt *get;
    enum rl_err err =
        statement_get(catalog, ST_META_GET, "SELECT value FROM meta WHERE key = ?1", &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_text(&binder, "id");
    err = statement_step(catalog, get);
    if (err != RL_OK)
        return err;
    struct row row = {.statement = get};
    row_text(&row, catalog->id, sizeof catalog->id);
    sqlite3_reset(get);
    err = catalog_meta_int(catalog, "sequence", &catalog->committed);
    catalog->sequence = catalog->committed;
    if (err == RL_OK)
        err = catalog_meta_int(catalog, "settled", &catalog->settled);
    if (err == RL_OK)
        err = catalog_meta_int(catalog, "identified", &catalog->identified);
    if (err == RL_OK && catalog->mode == CATALOG_WRITER)
        err = open_newest(catalog);
    if (err == RL_OK && catalog->mode == CATALOG_WRITER)
        err = open_any(catalog);
    if (err == RL_OK && catalog->mode == CATALOG_WRITER)
        err = identity_load(catalog);
    return err;
}

/* SQLite's count of its own memory takes a lock of the whole process at each piece; nobody reads
 * it.
 */
static void configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum rl_err open_file(struct catalog *catalog, const char *path, char why[CATALOG_WHY_SIZE])
{
    enum rl_err err = place_check(path, catalog->mode, why);
    if (err != RL_OK)
        return err;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (catalog->mode == CATALOG_WRITER)
        flags |= SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(path, &catalog->db, flags, NULL);
    if (rc != SQLITE_OK) {
        snprintf(why, CATALOG_WHY_SIZE, "cannot open the database %.120s: %s", path,
                 catalog->db ? sqlite3_errmsg(catalog->db) : "out of memory");
        return catalog->db ? statement_error(catalog->db, rc) : RL_ENOMEM;
    }
    /* SQLite has resolved symlinks in its name: two names of one file have one lock. */
    const char *name = sqlite3_db_filename(catalog->db, "main");
    err = schema_functions(catalog->db);
    if (err == RL_OK && catalog->mode == CATALOG_WRITER)
        err = place_lock(name, &catalog->lock_fd, why);
    if (err == RL_OK)
        err = open_pragmas(catalog, path, why);
    if (err == RL_OK && catalog->mode == CATALOG_READER)
        return schema_check(catalog->db, path, schema_version, why);
    int version = 0;
    if (err == RL_OK)
        err = schema_read(catalog->db, path, schema_version, &version, why);
    if (err == RL_OK && version > 0)
        err = care_check(catalog->db, path, &catalog->clean, why);
    if (err == RL_OK)
        err = schema_upgrade(catalog->db, name, schema_steps, schema_version, why);
    if (err == RL_OK)
        err = open_wal(catalog, path, why);
    if (err == RL_OK)
        place_warn(path);
    return err;
}

enum rl_err catalog_open(const char *path, enum catalog_mode mode, struct catalog **out,
                         char why[CATALOG_WHY_SIZE])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure);
    why[0] = '\0';
    *out = NULL;
    struct catalog *catalog = calloc(1, sizeof *catalog);
    if (!catalog) {
        snprintf(why, CATALOG_WHY_SIZE, "out of memory");
        return RL_ENOMEM;
    }
    catalog->mode = mode;
    catalog->lock_fd = -1;
    catalog->deadline_ns = INT64_MAX;
    catalog->settle_at = SETTLE_AT;
    catalog->identify_at = IDENTIFY_AT;
    enum rl_err err = open_file(catalog, path, why);
    if (err == RL_OK) {
        err = open_meta(catalog);
        if (err == RL_OK)
            err = search_open(catalog);
        if (err == RL_OK)
            err = find_open(catalog);
        if (err != RL_OK)
            snprintf(why, CATALOG_WHY_SIZE, "cannot read the database %.100s: %.100s", path,
                     catalog->error[0] ? catalog->error : rl_err_text(err));
    }
    if (err != RL_OK) {
        catalog_close(catalog);
        return err;
    }
    catalog_set_budget(catalog, mode == CATALOG_READER ? READER_BUDGET_MS : 0);
    catalog->opened = true;
    *out = catalog;
    return RL_OK;
}

void catalog_close(struct catalog *catalog)
{
    if (!catalog)
        return;
    if (catalog->in_transaction)
        catalog_rollback(catalog);
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(catalog->statements[i]);
    find_close(catalog);
    search_close(catalog);
    if (catalog->opened) {
        catalog_set_budget(catalog, 0);
        care_close(catalog);
    }
    sqlite3_close(catalog->db);
    /* Last: until here the file is ours. */
    if (catalog->lock_fd >= 0)
        close(catalog->lock_fd);
    buf_free(&catalog->directory);
    buf_free(&catalog->text);
    keys_free(&catalog->inodes);
    keys_free(&catalog->fingerprints);
    free(catalog);
}

const char *catalog_id(const struct catalog *catalog)
{
    return catalog->id;
}

enum rl_err catalog_meta_int(struct catalog *catalog, const char *key, int64_t *out)
{
    sqlite3_stmt *get;
    enum rl_err err =
        statement_get(catalog, ST_META_GET, "SELECT value FROM meta WHERE key = ?1", &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_text(&binder, key);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK) {
        struct row row = {.statement = get};
        *out = row_int(&row);
        sqlite3_reset(get);
    }
    return err;
}

enum rl_err catalog_sequence(struct catalog *catalog, int64_t *out)
{
    catalog_enter(catalog);
    uint64_t commits = catalog_commits();
    if (commits != catalog->seen_commits) {
        enum rl_err err = catalog_meta_int(catalog, "sequence", &catalog->seen_sequence);
        if (err != RL_OK)
            return err;
        catalog->seen_commits = commits;
    }
    *out = catalog->seen_sequence;
    return RL_OK;
}

enum rl_err catalog_ping(struct catalog *catalog)
{
    catalog_enter(catalog);
    if (catalog->damaged)
        return catalog_fail(catalog, RL_EIO, CATALOG_DAMAGED);
    sqlite3_stmt *ping;
    enum rl_err err = statement_get(catalog, ST_PING, "SELECT count(*) FROM meta", &ping);
    return err == RL_OK ? statement_run(catalog, ping) : err;
}
