#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

enum rl_err statement_error(sqlite3 *db, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return RL_OK;
    case SQLITE_NOMEM:
        return RL_ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
        return RL_EBUSY;
    case SQLITE_FULL:
        return RL_EFULL;
    case SQLITE_IOERR: {
        /* A quota, or no room for the shared memory of the WAL, comes as an I/O error. */
        int error = sqlite3_system_errno(db);
        return error == ENOSPC || error == EDQUOT || rc == SQLITE_IOERR_SHMSIZE ? RL_EFULL : RL_EIO;
    }
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return RL_EPERM;
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
        return RL_EINVAL;
    default:
        return RL_EIO;
    }
}

static enum rl_err statement_fail(struct catalog *catalog, int rc)
{
    enum rl_err err = statement_error(catalog->db, rc);
    if (rc == SQLITE_INTERRUPT)
        return catalog_fail(catalog, err, "the query took longer than its time limit");
    if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
        catalog->damaged = true;
    return catalog_fail(catalog, err, "%s", sqlite3_errmsg(catalog->db));
}

enum rl_err statement_get(struct catalog *catalog, int slot, const char *sql, sqlite3_stmt **out)
{
    sqlite3_stmt **kept = &catalog->statements[slot];
    if (!*kept) {
        int rc = sqlite3_prepare_v3(catalog->db, sql, -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);
        if (rc != SQLITE_OK)
            return statement_fail(catalog, rc);
    }
    *out = *kept;
    return RL_OK;
}

enum rl_err statement_step(struct catalog *catalog, sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        return RL_OK;
    enum rl_err err = rc == SQLITE_DONE ? RL_ENOTFOUND : statement_fail(catalog, rc);
    sqlite3_reset(statement);
    return err;
}

enum rl_err statement_run(struct catalog *catalog, sqlite3_stmt *statement)
{
    enum rl_err err;
    do
        err = statement_step(catalog, statement);
    while (err == RL_OK);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

/* ---- binding ------------------------------------------------------------------------------- */

static void bind_result(struct binder *binder, int rc)
{
    if (rc != SQLITE_OK)
        binder->rc = rc;
}

void bind_int(struct binder *binder, int64_t value)
{
    bind_result(binder, sqlite3_bind_int64(binder->statement, ++binder->column, value));
}

void bind_unsigned(struct binder *binder, uint64_t value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bind_int(binder, bits);
}

void bind_known(struct binder *binder, int64_t value)
{
    if (value == MEDIA_UNKNOWN)
        bind_result(binder, sqlite3_bind_null(binder->statement, ++binder->column));
    else
        bind_int(binder, value);
}

void bind_real(struct binder *binder, double value)
{
    bind_result(binder, sqlite3_bind_double(binder->statement, ++binder->column, value));
}

/* What is bound stays in place until the statement has run: the callers' texts outlive the call. */
void bind_text(struct binder *binder, const char *text)
{
    if (text && *text)
        bind_result(binder, sqlite3_bind_text(binder->statement, ++binder->column, text, -1,
                                              SQLITE_STATIC));
    else
        bind_result(binder, sqlite3_bind_null(binder->statement, ++binder->column));
}

void bind_bytes(struct binder *binder, const void *bytes, size_t len)
{
    bind_result(binder, sqlite3_bind_blob64(binder->statement, ++binder->column, len ? bytes : "",
                                            len, SQLITE_STATIC));
}

void bind_id(struct binder *binder, const char *id)
{
    uint8_t bytes[ID_BYTES];
    if (id_parse(id, bytes))
        bind_result(binder, sqlite3_bind_blob(binder->statement, ++binder->column, bytes,
                                              sizeof bytes, SQLITE_TRANSIENT));
    else
        bind_result(binder, sqlite3_bind_null(binder->statement, ++binder->column));
}

enum rl_err bind_done(struct catalog *catalog, const struct binder *binder)
{
    return binder->rc == SQLITE_OK ? RL_OK : statement_fail(catalog, binder->rc);
}

/* ---- reading ------------------------------------------------------------------------------- */

int64_t row_int(struct row *row)
{
    return sqlite3_column_int64(row->statement, row->column++);
}

int32_t row_int32(struct row *row)
{
    int64_t value = row_int(row);
    if (value > INT32_MAX)
        return INT32_MAX;
    return value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

uint64_t row_unsigned(struct row *row)
{
    return (uint64_t)row_int(row);
}

uint32_t row_uint32(struct row *row)
{
    int64_t value = row_int(row);
    if (value > UINT32_MAX)
        return UINT32_MAX;
    return value < 0 ? 0 : (uint32_t)value;
}

double row_real(struct row *row)
{
    return sqlite3_column_double(row->statement, row->column++);
}

int64_t row_known(struct row *row)
{
    if (sqlite3_column_type(row->statement, row->column) == SQLITE_NULL) {
        row->column++;
        return MEDIA_UNKNOWN;
    }
    return row_int(row);
}

void row_text(struct row *row, char *out, size_t size)
{
    /* As bytes: as text SQLite would copy it first, to have a NUL behind it. */
    const void *text = sqlite3_column_blob(row->statement, row->column);
    size_t len = text ? (size_t)sqlite3_column_bytes(row->statement, row->column) : 0;
    row->column++;
    if (len >= size)
        len = size - 1;
    if (len)
        memcpy(out, text, len);
    out[len] = '\0';
}

const char *row_word(struct row *row)
{
    const unsigned char *text = sqlite3_column_text(row->statement, row->column++);
    return (const char *)text;
}

void row_id(struct row *row, char out[ID_TEXT_SIZE])
{
    const uint8_t *bytes = sqlite3_column_blob(row->statement, row->column);
    out[0] = '\0';
    if (bytes && sqlite3_column_bytes(row->statement, row->column) == ID_BYTES)
        id_text(bytes, out);
    row->column++;
}

void row_append(struct row *row, struct buf *out)
{
    const void *bytes = sqlite3_column_blob(row->statement, row->column);
    int len = sqlite3_column_bytes(row->statement, row->column);
    if (bytes && len > 0)
        buf_append(out, bytes, (size_t)len);
    row->column++;
}

char *row_bytes(struct row *row)
{
    struct buf bytes = {0};
    buf_append(&bytes, "", 0);
    row_append(row, &bytes);
    char *text = buf_steal(&bytes);
    if (!text)
        row->failed = true;
    return text;
}

/* Joined as path_join does, in one allocation. */
char *row_path(struct row *row)
{
    struct buf path = {0};
    row_append(row, &path);
    if (path.len == 0 || path.data[path.len - 1] != '/')
        buf_append(&path, "/", 1);
    row_append(row, &path);
    return buf_steal(&path);
}
