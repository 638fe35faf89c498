#include <stdatomic.h>

#include "find.h"

/* A catalogue has one writer, which is in this process. Counted before a commit returns: nobody has
 * heard of what is in it until then. */
static _Atomic uint64_t commits = 1;

uint64_t catalog_commits(void)
{
    return atomic_load_explicit(&commits, memory_order_acquire);
}

static enum rl_err run(struct catalog *catalog, int slot, const char *sql)
{
    sqlite3_stmt *statement;
    enum rl_err err = statement_get(catalog, slot, sql, &statement);
    return err == RL_OK ? statement_run(catalog, statement) : err;
}

/* Takes everything back and keeps the words of the error that led here. */
static void take_back(struct catalog *catalog)
{
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_reset(catalog->statements[i]);
    /* Some errors have rolled back by themselves. */
    if (!sqlite3_get_autocommit(catalog->db))
        sqlite3_exec(catalog->db, "ROLLBACK", NULL, NULL, NULL);
    catalog->sequence = catalog->committed;
    catalog->newest = catalog->newest_committed;
    find_rolled_back(catalog);
    buf_clear(&catalog->directory);
    catalog->vacant.directory = 0;
    catalog->unindexed = 0;
}

enum rl_err catalog_begin(struct catalog *catalog)
{
    catalog_enter(catalog);
    if (catalog->mode != CATALOG_WRITER)
        return catalog_fail(catalog, RL_EPERM, "this handle only reads");
    if (catalog->in_transaction)
        return catalog_fail(catalog, RL_ECONFLICT, "a transaction is open already");
    if (catalog->damaged)
        return catalog_fail(catalog, RL_EIO, CATALOG_DAMAGED);
    enum rl_err err = run(catalog, ST_BEGIN, "BEGIN IMMEDIATE");
    if (err == RL_OK) {
        catalog->in_transaction = true;
        catalog->vacant.directory = 0;
        catalog->broken = RL_OK;
        catalog->sequence = catalog->committed;
    }
    return err;
}

static enum rl_err put_meta(struct catalog *catalog, const char *key, int64_t value)
{
    sqlite3_stmt *put;
    enum rl_err err =
        statement_get(catalog, ST_META_PUT, "UPDATE meta SET value = ?2 WHERE key = ?1", &put);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = put};
    bind_text(&binder, key);
    bind_int(&binder, value);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, put) : err;
}

static enum rl_err write_sequence(struct catalog *catalog)
{
    if (catalog->sequence == catalog->committed)
        return RL_OK;
    return put_meta(catalog, "sequence", catalog->sequence);
}

/* Brings the order of names (schema_steps.c) up to date: all that is new goes in sorted, so that
 * every page is touched once, not once a video. */
static enum rl_err settle(struct catalog *catalog)
{
    enum rl_err err = run(catalog, ST_SETTLE,
                          "INSERT INTO order_name SELECT natural_key(name), number"
                          " FROM videos WHERE missing_since = 0 AND number >"
                          " (SELECT value FROM meta WHERE key = 'settled') ORDER BY 1, 2");
    return err == RL_OK ? put_meta(catalog, "settled", catalog->newest) : err;
}

/* The same for where a video is found by its file. */
static enum rl_err identify(struct catalog *catalog)
{
#define NEW " number > (SELECT value FROM meta WHERE key = 'identified') ORDER BY 1, 2"
    enum rl_err err = run(catalog, ST_IDENTIFY_INODES,
                          "INSERT INTO order_inode SELECT inode, number FROM videos WHERE" NEW);
    if (err == RL_OK)
        err = run(catalog, ST_IDENTIFY_FINGERPRINTS,
                  "INSERT INTO order_fingerprint SELECT fingerprint, number FROM videos"
                  " WHERE fingerprint <> 0 AND" NEW);
#undef NEW
    return err == RL_OK ? put_meta(catalog, "identified", catalog->newest) : err;
}

static void identified(struct catalog *catalog)
{
    catalog->identified = catalog->newest;
    keys_clear(&catalog->inodes);
    keys_clear(&catalog->fingerprints);
}

enum rl_err catalog_commit(struct catalog *catalog)
{
    if (!catalog->in_transaction)
        return catalog_fail(catalog, RL_EINVAL, "no transaction is open");
    enum rl_err err = catalog->broken;
    if (err == RL_OK) {
        catalog->error[0] = '\0';
        bool full = catalog->newest - catalog->settled >= catalog->settle_at;
        /* Not both at once: whoever waits for this commit would wait twice as long. */
        bool many = !full && catalog->newest - catalog->identified >= catalog->identify_at;
        err = write_sequence(catalog);
        if (err == RL_OK)
            err = directories_index(catalog);
        if (err == RL_OK && full)
            err = settle(catalog);
        if (err == RL_OK && many)
            err = identify(catalog);
        if (err == RL_OK)
            err = care_mark(catalog);
        if (err == RL_OK)
            err = run(catalog, ST_COMMIT, "COMMIT");
        /* Also after one that failed: it may have been written all the same. */
        atomic_fetch_add_explicit(&commits, 1, memory_order_acq_rel);
        if (err != RL_OK)
            take_back(catalog);
        else if (full)
            catalog->settled = catalog->newest;
        else if (many)
            identified(catalog);
    }
    catalog->in_transaction = false;
    catalog->broken = RL_OK;
    if (err == RL_OK) {
        catalog->committed = catalog->sequence;
        catalog->unindexed = 0;
        catalog->newest_committed = catalog->newest;
        catalog->clean = false;
        /* What memory it has not got it does without: then some moves are not seen as such. */
        identity_tidy(catalog);
    }
    return err;
}

void catalog_rollback(struct catalog *catalog)
{
    if (!catalog->in_transaction)
        return;
    take_back(catalog);
    catalog->in_transaction = false;
    catalog->broken = RL_OK;
}

int64_t catalog_next_sequence(struct catalog *catalog)
{
    return ++catalog->sequence;
}

enum rl_err catalog_enter_write(struct catalog *catalog)
{
    if (!catalog->in_transaction) {
        catalog->error[0] = '\0';
        return catalog_fail(catalog, RL_EINVAL, "no transaction is open");
    }
    if (catalog->broken == RL_OK)
        catalog->error[0] = '\0';
    return catalog->broken;
}

enum rl_err catalog_leave_write(struct catalog *catalog, enum rl_err err)
{
    if (err != RL_OK && catalog->broken == RL_OK) {
        take_back(catalog);
        catalog->broken = err;
    }
    return err;
}

enum rl_err catalog_snapshot_begin(struct catalog *catalog, bool *begun)
{
    *begun = false;
    if (catalog->in_transaction)
        return RL_OK;
    enum rl_err err = run(catalog, ST_SNAPSHOT, "BEGIN");
    *begun = err == RL_OK;
    return err;
}

void catalog_snapshot_end(struct catalog *catalog, bool begun)
{
    if (!begun)
        return;
    /* Past the budget too the snapshot must end: it would keep the log from being emptied. */
    catalog->deadline_ns = INT64_MAX;
    sqlite3_stmt *end;
    if (statement_get(catalog, ST_ROLLBACK, "ROLLBACK", &end) == RL_OK) {
        sqlite3_step(end);
        sqlite3_reset(end);
    }
}
