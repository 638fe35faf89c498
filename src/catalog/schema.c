#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOG_ROOM "catalog"
#include "private.h"
#include "streams_pack.h"

enum rl_err schema_functions(sqlite3 *db)
{
    enum rl_err err = identity_functions(db);
    if (err == RL_OK)
        err = picture_functions(db);
    return err == RL_OK ? streams_functions(db) : err;
}

int schema_query(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

enum rl_err schema_fail(sqlite3 *db, const char *path, int rc, char why[CATALOG_WHY_SIZE])
{
    if ((rc & 0xff) == SQLITE_NOTADB) {
        snprintf(why, CATALOG_WHY_SIZE,
                 "%.160s is not a catalogue; move it away or choose another database", path);
        return RL_EINVAL;
    }
    if ((rc & 0xff) == SQLITE_CORRUPT) {
        char detail[160];
        snprintf(detail, sizeof detail, "%s", sqlite3_errmsg(db));
        return care_damaged(path, detail, why);
    }
    snprintf(why, CATALOG_WHY_SIZE, "cannot use the database %.120s: %s", path, sqlite3_errmsg(db));
    return statement_error(db, rc);
}

enum rl_err schema_read(sqlite3 *db, const char *path, int count, int *version,
                        char why[CATALOG_WHY_SIZE])
{
    int64_t application = 0, user_version = 0, objects = 0;
    int rc = schema_query(db, "PRAGMA application_id", &application);
    if (rc == SQLITE_OK)
        rc = schema_query(db, "PRAGMA user_version", &user_version);
    if (rc == SQLITE_OK)
        rc = schema_query(db, "SELECT count(*) FROM sqlite_schema", &objects);
    if (rc != SQLITE_OK)
        return schema_fail(db, path, rc, why);
    bool empty = application == 0 && user_version == 0 && objects == 0;
    if (!empty && (application != APPLICATION_ID || user_version < 1)) {
        snprintf(why, CATALOG_WHY_SIZE,
                 "%.160s is the database of another program; choose another name", path);
        return RL_EVERSION;
    }
    if (user_version > count) {
        snprintf(why, CATALOG_WHY_SIZE,
                 "%.120s was made by a newer reeld (version %d; this one knows %d): update reeld",
                 path, (int)user_version, count);
        return RL_EVERSION;
    }
    *version = (int)user_version;
    return RL_OK;
}

static enum rl_err schema_copy(sqlite3 *db, const char *path, int version,
                               char why[CATALOG_WHY_SIZE])
{
    struct buf name = {0}, part = {0};
    buf_printf(&name, "%s.v%d", path, version);
    buf_printf(&part, "%s.v%d.part", path, version);
    enum rl_err err = name.failed || part.failed ? RL_ENOMEM : RL_OK;
    sqlite3_stmt *statement = NULL;
    int rc = SQLITE_NOMEM;
    if (err == RL_OK) {
        /* A copy that was interrupted is in the way; VACUUM INTO overwrites nothing. */
        remove(part.data);
        rc = sqlite3_prepare_v2(db, "VACUUM INTO ?", -1, &statement, NULL);
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(statement, 1, part.data, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (err == RL_OK && rc != SQLITE_DONE) {
        err = statement_error(db, rc);
        snprintf(why, CATALOG_WHY_SIZE, "cannot copy %.120s before its upgrade: %s%s", path,
                 sqlite3_errmsg(db),
                 err == RL_EFULL ? "; it was not changed: make room for a copy and start again"
                                 : "");
        remove(part.data);
    }
    sqlite3_finalize(statement);
    if (err == RL_OK) {
        err = place_sync(part.data);
        if (err == RL_OK && rename(part.data, name.data) != 0)
            err = RL_EIO;
        if (err == RL_OK)
            err = place_sync(name.data);
        if (err != RL_OK)
            snprintf(why, CATALOG_WHY_SIZE, "cannot copy %.120s before its upgrade: %s", path,
                     rl_err_text(err));
    }
    buf_free(&name);
    buf_free(&part);
    return err;
}

static int step_up(sqlite3 *db, const struct schema_step *step, int version)
{
    char mark[96];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             (int)APPLICATION_ID, version);
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (size_t i = 0; rc == SQLITE_OK && i < SCHEMA_PARTS && step->sql[i]; i++)
        rc = sqlite3_exec(db, step->sql[i], NULL, NULL, NULL);
    int64_t astray = 0;
    if (rc == SQLITE_OK)
        rc = schema_query(db, "SELECT count(*) FROM pragma_foreign_key_check", &astray);
    if (rc == SQLITE_OK && astray > 0)
        rc = SQLITE_CONSTRAINT_FOREIGNKEY;
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, mark, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

enum rl_err schema_upgrade(sqlite3 *db, const char *path, const struct schema_step *steps,
                           int count, char why[CATALOG_WHY_SIZE])
{
    int version = 0;
    enum rl_err err = schema_read(db, path, count, &version, why);
    const bool old = err == RL_OK && version > 0 && version < count;
    const int64_t began_ms = clock_mono_ms();
    if (old) {
        log_info("%s is of version %d: it is copied to %s.v%d and brought to version %d, which "
                 "takes a while where it is large",
                 path, version, path, version, count);
        err = schema_copy(db, path, version, why);
    }
    /* A step may build a table anew: its rows go with the old one, what refers to them must not. */
    if (err == RL_OK && version < count)
        sqlite3_exec(db, "PRAGMA foreign_keys = OFF", NULL, NULL, NULL);
    for (; err == RL_OK && version < count; version++) {
        int rc = step_up(db, &steps[version], version + 1);
        if (rc == SQLITE_CONSTRAINT_FOREIGNKEY) {
            err = care_damaged(path, "rows refer to others that are not there", why);
        } else if (rc != SQLITE_OK) {
            err = schema_fail(db, path, rc, why);
        }
        if (rc != SQLITE_OK) {
            if (!sqlite3_get_autocommit(db))
                sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        }
    }
    sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
    if (old && err == RL_OK)
        log_info("%s is of version %d now; that took %" PRId64 " ms", path, version,
                 clock_mono_ms() - began_ms);
    return err;
}

enum rl_err schema_check(sqlite3 *db, const char *path, int count, char why[CATALOG_WHY_SIZE])
{
    int version = 0;
    enum rl_err err = schema_read(db, path, count, &version, why);
    if (err == RL_OK && version != count) {
        snprintf(why, CATALOG_WHY_SIZE, "%.120s is of version %d and was not brought to %d yet",
                 path, version, count);
        err = RL_EVERSION;
    }
    return err;
}
