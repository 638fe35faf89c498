#include <stdlib.h>
#include <string.h>

#include "private.h"

static enum rl_err read_existing(struct catalog *catalog, sqlite3_stmt *find, int64_t directory,
                                 const char *name, struct existing *out)
{
    struct binder binder = {.statement = find};
    bind_int(&binder, directory);
    bind_bytes(&binder, name, strlen(name));
    enum rl_err err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, find);
    if (err != RL_OK)
        return err;
    struct row row = {.statement = find};
    out->found = true;
    out->number = row_int(&row);
    row_id(&row, out->id);
    out->created_at_ms = row_int(&row);
    out->job = row_int(&row);
    out->outcome = words_parse_outcome(row_word(&row), OUTCOME_NONE);
    out->missing_since_ms = row_int(&row);
    out->size = row_int(&row);
    out->fingerprint = row_unsigned(&row);
    row_text(&row, out->title, sizeof out->title);
    out->version = row_unsigned(&row);
    out->thumbnail = row_int32(&row);
    out->thumbnail_width = row_int32(&row);
    sqlite3_reset(find);
    return RL_OK;
}

static bool vacant(const struct catalog *catalog, int64_t directory, const char *name)
{
    return catalog->vacant.directory == directory && strcmp(catalog->vacant.name, name) == 0;
}

/* A new file's path is asked about more than once before there is a video: no other handle writes
 * while the transaction is open. */
static void note_vacant(struct catalog *catalog, int64_t directory, const char *name)
{
    size_t size = strlen(name) + 1;
    if (!catalog->in_transaction || size > sizeof catalog->vacant.name)
        return;
    catalog->vacant.directory = directory;
    memcpy(catalog->vacant.name, name, size);
}

static enum rl_err look_for(struct catalog *catalog, int64_t directory, const char *name,
                            struct existing *out)
{
    sqlite3_stmt *find;
    enum rl_err err = statement_get(
        catalog, ST_VIDEO_FIND,
        "SELECT number, id, created_at, job, outcome, missing_since, size, fingerprint, title,"
        " version, thumbnail, thumbnail_width FROM videos WHERE directory = ?1 AND name = ?2 AND "
        "missing_since = 0",
        &find);
    if (err == RL_OK)
        err = read_existing(catalog, find, directory, name, out);
    if (err != RL_ENOTFOUND || catalog->no_missing)
        return err;
    err = statement_get(
        catalog, ST_VIDEO_FIND_MISSING,
        "SELECT number, id, created_at, job, outcome, missing_since, size, fingerprint, title,"
        " version, thumbnail, thumbnail_width FROM videos WHERE directory = ?1 AND name = ?2 AND "
        "missing_since <> 0"
        " ORDER BY missing_since DESC, number DESC LIMIT 1",
        &find);
    if (err == RL_OK)
        err = read_existing(catalog, find, directory, name, out);
    return err;
}

enum rl_err video_find(struct catalog *catalog, int64_t directory, const char *name,
                       struct existing *out)
{
    *out = (struct existing){0};
    if (vacant(catalog, directory, name))
        return RL_OK;
    enum rl_err err = look_for(catalog, directory, name, out);
    if (err != RL_ENOTFOUND)
        return err;
    note_vacant(catalog, directory, name);
    return RL_OK;
}

/* ---- the search index ---------------------------------------------------------------------- */

static enum rl_err text_write(struct catalog *catalog, int slot, const char *sql, int64_t number,
                              const char *name, const char *title)
{
    sqlite3_stmt *statement;
    enum rl_err err = statement_get(catalog, slot, sql, &statement);
    if (err != RL_OK)
        return err;
    buf_clear(&catalog->text);
    utf8_append_lossy(&catalog->text, name, strlen(name));
    if (catalog->text.failed)
        return RL_ENOMEM;
    struct binder binder = {.statement = statement};
    bind_int(&binder, number);
    bind_text(&binder, catalog->text.data);
    bind_text(&binder, title);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, statement) : err;
}

static enum rl_err text_add(struct catalog *catalog, int64_t number, const char *name,
                            const char *title)
{
    return text_write(catalog, ST_TEXT_ADD,
                      "INSERT INTO videos_text (rowid, name, title) VALUES (?1, ?2, ?3)", number,
                      name, title);
}

/* A contentless index wants to hear what was indexed in order to take it out. */
static enum rl_err text_delete(struct catalog *catalog, int64_t number, const char *name,
                               const char *title)
{
    return text_write(catalog, ST_TEXT_DELETE,
                      "INSERT INTO videos_text (videos_text, rowid, name, title)"
                      " VALUES ('delete', ?1, ?2, ?3)",
                      number, name, title);
}

enum rl_err video_renamed(struct catalog *catalog, int64_t number, const char *before,
                          const char *after, const char *title)
{
    if (strcmp(before, after) == 0)
        return RL_OK;
    enum rl_err err = text_delete(catalog, number, before, title);
    return err == RL_OK ? text_add(catalog, number, after, title) : err;
}

/* What a put writes, in the order of video_row_bind, and a place for each. */
#define WRITTEN                                                                                    \
    "size, mtime_ns, device, inode, job, outcome, created_at, updated_at, sequence, thumbnail, "   \
    "duration_us, frames, bit_rate, taken_at, fingerprint, rate_num, rate_den, width, height, "    \
    "rotation, video_index, audio_index, video_count, audio_count, subtitle_count, data_count, "   \
    "attachment_count, stream_count, chapter_count, container, video_codec, audio_codec, hdr, "    \
    "title, languages, version, thumbnail_width"
#define PLACES                                                                                     \
    "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "   \
    "?, ?, ?, ?, ?, ?, ?"

/* ---- put ----------------------------------------------------------------------------------- */

static enum rl_err insert(struct catalog *catalog, const struct video *video, int64_t directory,
                          const char *name, int64_t job, int64_t *number)
{
    sqlite3_stmt *add;
    enum rl_err err = statement_get(catalog, ST_VIDEO_INSERT,
                                    "INSERT INTO videos (" WRITTEN ", directory, name, id)"
                                    " VALUES (" PLACES ", ?, ?, ?)",
                                    &add);
    if (err != RL_OK)
        return err;
    catalog->vacant.directory = 0;
    languages_of(&video->info, &catalog->text);
    struct binder binder = {.statement = add};
    video_row_bind(&binder, video, job, OUTCOME_NEW, catalog->text.data);
    bind_int(&binder, directory);
    bind_bytes(&binder, name, strlen(name));
    bind_id(&binder, video->id);
    err = catalog->text.failed ? RL_ENOMEM : bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_run(catalog, add);
    if (err == RL_OK) {
        *number = catalog->newest = sqlite3_last_insert_rowid(catalog->db);
        err = text_add(catalog, *number, name, video->info.summary.title);
    }
    return err;
}

static enum rl_err update(struct catalog *catalog, const struct video *video, const char *name,
                          int64_t job, enum outcome outcome, const struct existing *existing)
{
    sqlite3_stmt *set;
    enum rl_err err = statement_get(
        catalog, ST_VIDEO_UPDATE,
        "UPDATE videos SET (" WRITTEN ", missing_since) = (" PLACES ", 0) WHERE number = ?", &set);
    if (err != RL_OK)
        return err;
    languages_of(&video->info, &catalog->text);
    struct binder binder = {.statement = set};
    video_row_bind(&binder, video, job, outcome, catalog->text.data);
    bind_int(&binder, existing->number);
    err = catalog->text.failed ? RL_ENOMEM : bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_run(catalog, set);
    if (err == RL_OK && strcmp(existing->title, video->info.summary.title) != 0) {
        err = text_delete(catalog, existing->number, name, existing->title);
        if (err == RL_OK)
            err = text_add(catalog, existing->number, name, video->info.summary.title);
    }
    return err == RL_OK ? streams_delete(catalog, existing->number) : err;
}

/* Which others have the content that it has now, and which had what it had before. */
static enum rl_err note_content(struct catalog *catalog, int64_t number, const struct video *video,
                                const struct existing *before)
{
    uint64_t fingerprint = video->info.summary.fingerprint;
    bool was_there = before->found && before->missing_since_ms == 0;
    if (was_there && before->size == video->stamp.size && before->fingerprint == fingerprint)
        return RL_OK;
    enum rl_err err = RL_OK;
    if (was_there)
        err = twins_leave(catalog, number);
    return err == RL_OK ? twins_join(catalog, number, video->stamp.size, fingerprint) : err;
}

/* The same content again keeps its picture, or why it has none. */
static enum rl_err put_version(struct catalog *catalog, struct video *video,
                               const struct existing *existing)
{
    video->version =
        content_version(video->info.summary.fingerprint, video->stamp.size, video->stamp.mtime_ns);
    video->thumbnail = THUMBNAIL_PENDING;
    video->thumbnail_width = 0;
    if (!existing->found)
        return RL_OK;
    if (existing->version == video->version) {
        video->thumbnail = existing->thumbnail;
        video->thumbnail_width = existing->thumbnail_width;
        return RL_OK;
    }
    return existing->thumbnail == THUMBNAIL_FAILED
               ? picture_forget_failure(catalog, existing->number)
               : RL_OK;
}

static enum rl_err put(struct catalog *catalog, struct video *video, int64_t job,
                       enum outcome *outcome)
{
    struct path_parts parts;
    struct existing existing = {0};
    int64_t directory = 0, number = 0;
    enum rl_err err = directory_split(video->path, &parts);
    if (err == RL_OK)
        err = directory_need(catalog, parts.directory, parts.directory_len, &directory);
    if (err == RL_OK)
        err = video_find(catalog, directory, parts.name, &existing);
    if (err == RL_OK)
        err = put_version(catalog, video, &existing);
    if (err != RL_OK)
        return err;

    video->updated_at_ms = clock_wall_ms();
    video->created_at_ms = existing.found ? existing.created_at_ms : video->updated_at_ms;
    video->missing_since_ms = 0;
    video->sequence = catalog_next_sequence(catalog);
    *outcome = OUTCOME_NEW;
    if (existing.found) {
        memcpy(video->id, existing.id, sizeof video->id);
        /* A job that is taken up again may meet what it has put already. */
        if (existing.missing_since_ms || existing.job != job || existing.outcome != OUTCOME_NEW)
            *outcome = OUTCOME_UPDATED;
        number = existing.number;
        err = update(catalog, video, parts.name, job, *outcome, &existing);
    } else {
        id_new(video->id);
        err = insert(catalog, video, directory, parts.name, job, &number);
    }
    video->number = number;
    if (err == RL_OK)
        err = streams_put(catalog, number, &video->info);
    if (err == RL_OK)
        err = identity_note(catalog, number, video->stamp.inode, video->info.summary.fingerprint);
    if (err == RL_OK)
        err = note_content(catalog, number, video, &existing);
    if (err == RL_OK)
        err = failure_forget(catalog, directory, parts.name);
    return err;
}

enum rl_err catalog_video_put(struct catalog *catalog, struct video *video, int64_t job,
                              enum outcome *outcome)
{
    enum rl_err err = catalog_enter_write(catalog);
    struct path_parts parts;
    if (err == RL_OK && directory_split(video->path, &parts) != RL_OK)
        return catalog_fail(catalog, RL_EINVAL, "not the absolute path of a file");
    return err == RL_OK ? catalog_leave_write(catalog, put(catalog, video, job, outcome)) : err;
}

/* ---- get and delete ------------------------------------------------------------------------ */

static enum rl_err get(struct catalog *catalog, const char *id, int64_t *number, struct video *out)
{
    *out = (struct video){0};
    sqlite3_stmt *get_row;
    enum rl_err err = statement_get(catalog, ST_VIDEO_GET,
                                    "SELECT " VIDEO_COLUMNS " FROM videos v JOIN directories d"
                                    " ON d.id = v.directory WHERE v.id = ?1",
                                    &get_row);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get_row};
    bind_id(&binder, id);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get_row);
    if (err == RL_OK) {
        err = video_row_read(get_row, number, out);
        sqlite3_reset(get_row);
    }
    if (err == RL_OK)
        err = streams_get(catalog, *number, &out->info);
    if (err != RL_OK)
        video_clear(out);
    return err;
}

enum rl_err catalog_video_get(struct catalog *catalog, const char *id, struct video *out)
{
    catalog_enter(catalog);
    int64_t number;
    bool begun;
    *out = (struct video){0};
    enum rl_err err = catalog_snapshot_begin(catalog, &begun);
    if (err == RL_OK)
        err = get(catalog, id, &number, out);
    catalog_snapshot_end(catalog, begun);
    return err;
}

static enum rl_err get_at(struct catalog *catalog, const char *path, struct video *out)
{
    struct path_parts parts;
    struct existing existing = {0};
    int64_t directory, number;
    enum rl_err err = directory_split(path, &parts);
    if (err == RL_OK)
        err = directory_find(catalog, parts.directory, parts.directory_len, &directory);
    if (err == RL_OK)
        err = video_find(catalog, directory, parts.name, &existing);
    if (err == RL_OK && !existing.found)
        err = RL_ENOTFOUND;
    return err == RL_OK ? get(catalog, existing.id, &number, out) : err;
}

enum rl_err catalog_video_at(struct catalog *catalog, const char *path, struct video *out)
{
    catalog_enter(catalog);
    bool begun;
    *out = (struct video){0};
    enum rl_err err = catalog_snapshot_begin(catalog, &begun);
    if (err == RL_OK)
        err = get_at(catalog, path, out);
    catalog_snapshot_end(catalog, begun);
    return err;
}

static enum rl_err delete_row(struct catalog *catalog, int64_t number)
{
    sqlite3_stmt *statement;
    enum rl_err err =
        statement_get(catalog, ST_VIDEO_DELETE, "DELETE FROM videos WHERE number = ?1", &statement);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = statement};
    bind_int(&binder, number);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, statement) : err;
}

static enum rl_err tombstone(struct catalog *catalog, int64_t sequence, const char *id,
                             int64_t number)
{
    sqlite3_stmt *statement;
    enum rl_err err = statement_get(
        catalog, ST_TOMBSTONE, "INSERT INTO tombstones (sequence, id, number) VALUES (?1, ?2, ?3)",
        &statement);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = statement};
    bind_int(&binder, sequence);
    bind_id(&binder, id);
    bind_int(&binder, number);
    err = bind_done(catalog, &binder);
    return err == RL_OK ? statement_run(catalog, statement) : err;
}

enum rl_err catalog_video_delete(struct catalog *catalog, const char *id, struct video *out)
{
    if (out)
        *out = (struct video){0};
    enum rl_err err = catalog_enter_write(catalog);
    if (err != RL_OK)
        return err;
    struct video video;
    int64_t number = 0;
    err = get(catalog, id, &number, &video);
    if (err == RL_ENOTFOUND)
        return catalog_fail(catalog, err, "no video has this id");
    if (err == RL_OK) {
        video.sequence = catalog_next_sequence(catalog);
        err = text_delete(catalog, number, path_name(video.path), video.info.summary.title);
    }
    if (err == RL_OK)
        err = delete_row(catalog, number);
    if (err == RL_OK)
        err = twins_leave(catalog, number);
    if (err == RL_OK)
        err = tombstone(catalog, video.sequence, video.id, number);
    if (err == RL_OK && out)
        *out = video;
    else
        video_clear(&video);
    return catalog_leave_write(catalog, err);
}
