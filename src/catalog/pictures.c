#include <stdlib.h>
#include <string.h>

#include "private.h"

/* ---- versions ------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

uint64_t content_version(uint64_t fingerprint, int64_t size, int64_t mtime_ns)
{
    uint64_t hash = mix(mix(mix(1, fingerprint), (uint64_t)size), (uint64_t)mtime_ns);
    return hash ? hash : 1;
}

static void sql_content_version(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    uint64_t version =
        content_version((uint64_t)sqlite3_value_int64(values[0]), sqlite3_value_int64(values[1]),
                        sqlite3_value_int64(values[2]));
    int64_t bits;
    memcpy(&bits, &version, sizeof bits);
    sqlite3_result_int64(context, bits);
}

enum rl_err picture_functions(sqlite3 *db)
{
    int rc = sqlite3_create_function_v2(db, "content_version", 3,
                                        SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
                                        sql_content_version, NULL, NULL, NULL);
    return statement_error(db, rc);
}

/* ---- reading ------------------------------------------------------------------------------- */

#define SUBJECT_COLUMNS                                                                            \
    "v.number, v.id, d.path, v.name, v.size, v.mtime_ns, v.device, v.inode, v.missing_since, "     \
    "v.version, v.thumbnail, v.thumbnail_width, f.code, f.error, f.worker_version"

void picture_subject_clear(struct picture_subject *subject)
{
    free(subject->path);
    *subject = (struct picture_subject){0};
}

void picture_subjects_clear(struct picture_subjects *list)
{
    for (size_t i = 0; i < list->count; i++)
        picture_subject_clear(&list->subjects[i]);
    free(list->subjects);
    *list = (struct picture_subjects){0};
}

static enum rl_err read_subject(sqlite3_stmt *statement, struct picture_subject *out)
{
    struct row row = {.statement = statement};
    *out = (struct picture_subject){.number = row_int(&row)};
    row_id(&row, out->id);
    out->path = row_path(&row);
    out->stamp.size = row_int(&row);
    out->stamp.mtime_ns = row_int(&row);
    out->stamp.device = row_unsigned(&row);
    out->stamp.inode = row_unsigned(&row);
    out->missing_since_ms = row_int(&row);
    out->version = row_unsigned(&row);
    out->thumbnail = row_int32(&row);
    out->thumbnail_width = row_int32(&row);
    out->failure = words_parse_failure(row_word(&row), FAILURE_NONE);
    row_text(&row, out->error, sizeof out->error);
    row_text(&row, out->worker_version, sizeof out->worker_version);
    /* A word that is not known any more is a failure all the same. */
    if (out->thumbnail == THUMBNAIL_FAILED && out->failure == FAILURE_NONE)
        out->failure = FAILURE_CORRUPT;
    return out->path ? RL_OK : RL_ENOMEM;
}

enum rl_err catalog_picture_get(struct catalog *catalog, const char *id,
                                struct picture_subject *out)
{
    catalog_enter(catalog);
    *out = (struct picture_subject){0};
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, ST_PICTURE_GET,
                                    "SELECT " SUBJECT_COLUMNS " FROM videos v JOIN directories d"
                                    " ON d.id = v.directory LEFT JOIN picture_failures f"
                                    " ON f.video = v.number WHERE v.id = ?1",
                                    &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_id(&binder, id);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK)
        err = read_subject(get, out);
    sqlite3_reset(get);
    return err;
}

static enum rl_err read_list(struct catalog *catalog, sqlite3_stmt *list, int limit,
                             struct picture_subjects *out)
{
    out->subjects = calloc((size_t)limit, sizeof *out->subjects);
    enum rl_err err = out->subjects ? RL_OK : RL_ENOMEM;
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        err = read_subject(list, &out->subjects[out->count++]);
        if (out->count == (size_t)limit)
            break;
    }
    sqlite3_reset(list);
    if (err == RL_OK || err == RL_ENOTFOUND)
        return RL_OK;
    picture_subjects_clear(out);
    return err;
}

static enum rl_err list(struct catalog *catalog, int slot, const char *sql,
                        const char *worker_version, int64_t after, int limit,
                        struct picture_subjects *out)
{
    catalog_enter(catalog);
    *out = (struct picture_subjects){0};
    if (limit < 1 || limit > 1000)
        return catalog_fail(catalog, RL_EINVAL, "limit out of range");
    sqlite3_stmt *statement;
    enum rl_err err = statement_get(catalog, slot, sql, &statement);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = statement};
    bind_int(&binder, after);
    bind_int(&binder, limit);
    if (worker_version)
        bind_text(&binder, worker_version);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? read_list(catalog, statement, limit, out) : err;
}

/* CROSS JOIN: the order of the tables is the order of the loops. */
enum rl_err catalog_pictures_pending(struct catalog *catalog, int64_t after, int limit,
                                     struct picture_subjects *out)
{
    return list(catalog, ST_PICTURES_PENDING,
                "SELECT " SUBJECT_COLUMNS " FROM videos v INDEXED BY videos_pending"
                " CROSS JOIN directories d ON d.id = v.directory"
                " LEFT JOIN picture_failures f ON f.video = v.number"
                " WHERE v.thumbnail = 0 AND v.missing_since = 0 AND v.number > ?1"
                " ORDER BY v.number LIMIT ?2",
                NULL, after, limit, out);
}

enum rl_err catalog_pictures_stale(struct catalog *catalog, const char *worker_version,
                                   int64_t after, int limit, struct picture_subjects *out)
{
    return list(catalog, ST_PICTURES_STALE,
                "SELECT " SUBJECT_COLUMNS " FROM picture_failures f CROSS JOIN videos v"
                " ON v.number = f.video CROSS JOIN directories d ON d.id = v.directory"
                " WHERE v.thumbnail = 2 AND v.missing_since = 0 AND f.video > ?1"
                " AND f.worker_version IS NOT ?3 ORDER BY f.video LIMIT ?2",
                worker_version, after, limit, out);
}

enum rl_err catalog_pictures_count(struct catalog *catalog, const char *worker_version,
                                   int64_t *out)
{
    catalog_enter(catalog);
    sqlite3_stmt *count;
    enum rl_err err = statement_get(
        catalog, ST_PICTURES_COUNT,
        "SELECT (SELECT count(*) FROM videos INDEXED BY videos_pending"
        " WHERE thumbnail = 0 AND missing_since = 0) + (SELECT count(*) FROM picture_failures f"
        " JOIN videos v ON v.number = f.video WHERE v.thumbnail = 2 AND v.missing_since = 0"
        " AND f.worker_version IS NOT ?1)",
        &count);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = count};
    bind_text(&binder, worker_version);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, count);
    if (err == RL_OK)
        *out = sqlite3_column_int64(count, 0);
    sqlite3_reset(count);
    return err;
}

enum rl_err catalog_pictures_any(struct catalog *catalog, bool *out)
{
    catalog_enter(catalog);
    sqlite3_stmt *any;
    enum rl_err err = statement_get(catalog, ST_PICTURES_ANY,
                                    "SELECT EXISTS (SELECT 1 FROM videos INDEXED BY videos_pending"
                                    " WHERE thumbnail = 0 AND missing_since = 0)",
                                    &any);
    if (err == RL_OK)
        err = statement_step(catalog, any);
    if (err == RL_OK) {
        *out = sqlite3_column_int(any, 0) != 0;
        sqlite3_reset(any);
    }
    return err;
}

enum rl_err catalog_picture_versions(struct catalog *catalog, int64_t from, int count,
                                     uint64_t *out)
{
    catalog_enter(catalog);
    if (count < 1 || count > 10000)
        return catalog_fail(catalog, RL_EINVAL, "count out of range");
    memset(out, 0, (size_t)count * sizeof *out);
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, ST_PICTURE_VERSIONS,
                                    "SELECT number, version FROM videos"
                                    " WHERE number BETWEEN ?1 AND ?2",
                                    &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, from);
    bind_int(&binder, from > INT64_MAX - count ? INT64_MAX : from + count - 1);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        struct row row = {.statement = list};
        int64_t number = row_int(&row);
        out[number - from] = row_unsigned(&row);
    }
    sqlite3_reset(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

/* ---- writing ------------------------------------------------------------------------------- */

enum rl_err picture_forget_failure(struct catalog *catalog, int64_t number)
{
    sqlite3_stmt *forget;
    enum rl_err err = statement_get(catalog, ST_PICTURE_FAILURE_FORGET,
                                    "DELETE FROM picture_failures WHERE video = ?1", &forget);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = forget};
    bind_int(&binder, number);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, forget) : err;
}

static enum rl_err put_failure(struct catalog *catalog, const struct picture_outcome *outcome)
{
    sqlite3_stmt *add;
    enum rl_err err = statement_get(catalog, ST_PICTURE_FAILURE_PUT,
                                    "INSERT OR REPLACE INTO picture_failures"
                                    " (video, code, error, worker_version) VALUES (?1, ?2, ?3, ?4)",
                                    &add);
    if (err != RL_OK)
        return err;
    const char *error = outcome->error ? outcome->error : "";
    buf_clear(&catalog->text);
    utf8_append_lossy(&catalog->text, error, strnlen(error, MEDIA_ERROR_SIZE));
    struct binder binder = {.statement = add};
    bind_int(&binder, outcome->number);
    bind_text(&binder, words_failure(outcome->failure));
    bind_text(&binder, catalog->text.data);
    bind_text(&binder, outcome->worker_version);
    err = catalog->text.failed ? RL_ENOMEM : bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, add) : err;
}

/* The state before; RL_ENOTFOUND: there is nothing to be done. */
static enum rl_err read_before(struct catalog *catalog, const struct picture_outcome *outcome,
                               struct video *video)
{
    uint64_t version;
    enum rl_err err = catalog_picture_versions(catalog, outcome->number, 1, &version);
    if (err == RL_OK && version != outcome->version)
        return RL_ENOTFOUND;
    if (err == RL_OK)
        err = video_rows_read(catalog, &outcome->number, 1, video);
    bool known = video->thumbnail == THUMBNAIL_READY && outcome->thumbnail == THUMBNAIL_READY;
    return err == RL_OK && known ? RL_ENOTFOUND : err;
}

static enum rl_err set(struct catalog *catalog, const struct picture_outcome *outcome,
                       struct video *video)
{
    sqlite3_stmt *set;
    enum rl_err err = statement_get(catalog, ST_PICTURE_SET,
                                    "UPDATE videos SET (thumbnail, thumbnail_width, updated_at,"
                                    " sequence) = (?2, ?3, ?4, ?5) WHERE number = ?1",
                                    &set);
    if (err != RL_OK)
        return err;
    video->thumbnail = outcome->thumbnail;
    video->thumbnail_width = outcome->thumbnail == THUMBNAIL_READY ? outcome->width : 0;
    video->updated_at_ms = clock_wall_ms();
    video->sequence = catalog_next_sequence(catalog);
    struct binder binder = {.statement = set};
    bind_int(&binder, outcome->number);
    bind_int(&binder, video->thumbnail);
    bind_int(&binder, video->thumbnail_width);
    bind_int(&binder, video->updated_at_ms);
    bind_int(&binder, video->sequence);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, set) : err;
}

enum rl_err catalog_picture_put(struct catalog *catalog, const struct picture_outcome *outcome,
                                int32_t *before, struct video *out)
{
    struct video video = {0};
    if (out)
        *out = video;
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    bool failed = outcome->thumbnail == THUMBNAIL_FAILED;
    if (failed && !words_failure(outcome->failure))
        return catalog_fail(catalog, RL_EINVAL, "not a failure");
    err = read_before(catalog, outcome, &video);
    if (err == RL_ENOTFOUND) {
        video_clear(&video);
        return err;
    }
    *before = video.thumbnail;
    if (err == RL_OK)
        err = set(catalog, outcome, &video);
    if (err == RL_OK && failed)
        err = put_failure(catalog, outcome);
    else if (err == RL_OK && *before == THUMBNAIL_FAILED)
        err = picture_forget_failure(catalog, outcome->number);
    if (err == RL_OK && out)
        *out = video;
    else
        video_clear(&video);
    return catalog_leave_write(catalog, err);
}
