#include "private.h"

/* The ladder: step n brings a file of version n to n + 1. A step that was released never changes.
 *
 * Paths are BLOBs, since a name on disk is bytes. Enums of the vocabulary are words. The text
 * indexes are contentless: they hold the names as well-formed UTF-8, which the tables do not.
 * Folders have a text index of their own, so that a long path is indexed once, not once a video.
 * thumbnail: 0 pending, 1 ready, 2 failed. */
static const char catalogue[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('id', lower(hex(randomblob(4)))), ('sequence', 0), ('settled', 0);"

    "CREATE TABLE directories (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE) STRICT;"
    "CREATE VIRTUAL TABLE directories_text USING fts5"
    " (path, content='', columnsize=0, tokenize='trigram');";

static const char videos[] =
    "CREATE TABLE videos ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE,"
    " directory INTEGER NOT NULL REFERENCES directories (id), name BLOB NOT NULL,"
    " size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, device INTEGER NOT NULL,"
    " inode INTEGER NOT NULL, job INTEGER NOT NULL, outcome TEXT,"
    " created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,"
    " missing_since INTEGER NOT NULL DEFAULT 0, sequence INTEGER NOT NULL,"
    " thumbnail INTEGER NOT NULL DEFAULT 0,"
    " duration_us INTEGER NOT NULL, frames INTEGER, bit_rate INTEGER, taken_at INTEGER,"
    " fingerprint INTEGER NOT NULL, rate_num INTEGER NOT NULL, rate_den INTEGER NOT NULL,"
    " width INTEGER NOT NULL, height INTEGER NOT NULL, rotation INTEGER NOT NULL,"
    " video_index INTEGER NOT NULL, audio_index INTEGER NOT NULL,"
    " video_count INTEGER NOT NULL, audio_count INTEGER NOT NULL,"
    " subtitle_count INTEGER NOT NULL, data_count INTEGER NOT NULL,"
    " attachment_count INTEGER NOT NULL, stream_count INTEGER NOT NULL,"
    " chapter_count INTEGER NOT NULL, container TEXT, video_codec TEXT, audio_codec TEXT,"
    " hdr TEXT, title TEXT, UNIQUE (directory, name)) STRICT;"
    "CREATE INDEX videos_sequence ON videos (sequence);"
    "CREATE INDEX videos_missing ON videos (missing_since) WHERE missing_since <> 0;"
    "CREATE VIRTUAL TABLE videos_text USING fts5"
    " (name, title, content='', columnsize=0, tokenize='trigram');"
    "CREATE TABLE tombstones (sequence INTEGER PRIMARY KEY, id BLOB NOT NULL) STRICT;";

/* The orders of lists. Inserting a video into each of them touches as many pages all over the file,
 * which is most of what an insert costs: so they are brought up to date for thousands of videos at
 * once (transaction.c). meta's `settled` says up to which number; videos above it are few, and a
 * list sorts them as it is read. Below it these triggers keep the orders true, whoever writes. */
#define SORT_COLUMNS "name, directory, created_at, mtime_ns, duration_us, size, missing_since"
#define SORTS_OUT                                                                                  \
    " DELETE FROM sort_name WHERE name = old.name AND directory = old.directory"                   \
    " AND number = old.number;"                                                                    \
    " DELETE FROM sort_created_at WHERE created_at = old.created_at AND number = old.number;"      \
    " DELETE FROM sort_mtime_ns WHERE mtime_ns = old.mtime_ns AND number = old.number;"            \
    " DELETE FROM sort_duration_us WHERE duration_us = old.duration_us AND number = old.number;"   \
    " DELETE FROM sort_size WHERE size = old.size AND number = old.number;"

static const char sorts[] =
    "CREATE TABLE sort_name (name BLOB NOT NULL, directory INTEGER NOT NULL,"
    " number INTEGER NOT NULL, PRIMARY KEY (name, directory, number)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sort_created_at (created_at INTEGER NOT NULL, number INTEGER NOT NULL,"
    " PRIMARY KEY (created_at, number)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sort_mtime_ns (mtime_ns INTEGER NOT NULL, number INTEGER NOT NULL,"
    " PRIMARY KEY (mtime_ns, number)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sort_duration_us (duration_us INTEGER NOT NULL, number INTEGER NOT NULL,"
    " PRIMARY KEY (duration_us, number)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sort_size (size INTEGER NOT NULL, number INTEGER NOT NULL,"
    " PRIMARY KEY (size, number)) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER videos_sorts_delete BEFORE DELETE ON videos"
    " WHEN old.number <= (SELECT value FROM meta WHERE key = 'settled') BEGIN" SORTS_OUT " END;"
    "CREATE TRIGGER videos_sorts_out BEFORE UPDATE OF " SORT_COLUMNS " ON videos"
    " WHEN old.number <= (SELECT value FROM meta WHERE key = 'settled') BEGIN" SORTS_OUT " END;"
    "CREATE TRIGGER videos_sorts_in AFTER UPDATE OF " SORT_COLUMNS " ON videos"
    " WHEN new.number <= (SELECT value FROM meta WHERE key = 'settled')"
    " AND new.missing_since = 0 BEGIN"
    " INSERT INTO sort_name VALUES (new.name, new.directory, new.number);"
    " INSERT INTO sort_created_at VALUES (new.created_at, new.number);"
    " INSERT INTO sort_mtime_ns VALUES (new.mtime_ns, new.number);"
    " INSERT INTO sort_duration_us VALUES (new.duration_us, new.number);"
    " INSERT INTO sort_size VALUES (new.size, new.number); END;";

static const char streams[] =
    "CREATE TABLE streams ("
    " video INTEGER NOT NULL REFERENCES videos (number) ON DELETE CASCADE,"
    " position INTEGER NOT NULL, stream_index INTEGER NOT NULL, kind TEXT NOT NULL,"
    " disposition INTEGER NOT NULL, rotation INTEGER NOT NULL, width INTEGER NOT NULL,"
    " height INTEGER NOT NULL, bit_depth INTEGER NOT NULL, channels INTEGER NOT NULL,"
    " sample_rate INTEGER NOT NULL, aspect_num INTEGER NOT NULL, aspect_den INTEGER NOT NULL,"
    " rate_num INTEGER NOT NULL, rate_den INTEGER NOT NULL, average_num INTEGER NOT NULL,"
    " average_den INTEGER NOT NULL, bit_rate INTEGER, duration_us INTEGER, frames INTEGER,"
    " codec TEXT, profile TEXT, language TEXT, pixel_format TEXT, color_range TEXT,"
    " color_space TEXT, color_primaries TEXT, color_transfer TEXT, channel_layout TEXT,"
    " hdr TEXT, title TEXT, PRIMARY KEY (video, position)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE chapters ("
    " video INTEGER NOT NULL REFERENCES videos (number) ON DELETE CASCADE,"
    " position INTEGER NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, title TEXT,"
    " PRIMARY KEY (video, position)) STRICT, WITHOUT ROWID;";

static const char jobs[] =
    "CREATE TABLE failures ("
    " directory INTEGER NOT NULL REFERENCES directories (id), name BLOB NOT NULL,"
    " size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, device INTEGER NOT NULL,"
    " inode INTEGER NOT NULL, job INTEGER NOT NULL, code TEXT NOT NULL, error TEXT,"
    " worker_version TEXT, PRIMARY KEY (directory, name)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE jobs ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, type TEXT NOT NULL,"
    " status TEXT NOT NULL, phase TEXT NOT NULL, trigger TEXT NOT NULL, path BLOB NOT NULL,"
    " recursive INTEGER NOT NULL, retry_failed INTEGER NOT NULL, paused INTEGER NOT NULL,"
    " total_known INTEGER NOT NULL, timeout_ms INTEGER NOT NULL, processed INTEGER NOT NULL,"
    " total INTEGER NOT NULL, added INTEGER NOT NULL, updated INTEGER NOT NULL,"
    " moved INTEGER NOT NULL, skipped INTEGER NOT NULL, missing INTEGER NOT NULL,"
    " error_count INTEGER NOT NULL, progress_floor REAL NOT NULL, submitted_at INTEGER NOT NULL,"
    " started_at INTEGER NOT NULL, finished_at INTEGER NOT NULL, error TEXT,"
    " correlation_id TEXT) STRICT;"
    "CREATE INDEX jobs_status ON jobs (status, number);"
    "CREATE TABLE job_failures ("
    " job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE, position INTEGER NOT NULL,"
    " path BLOB NOT NULL, code TEXT NOT NULL, error TEXT,"
    " PRIMARY KEY (job, position)) STRICT, WITHOUT ROWID;";

/* ---- version 2 ----------------------------------------------------------------------------- */

/* A missing video keeps its path, where another may be by now: only those that are there are alone
 * at theirs. The languages of the streams stand with the video, since lists are filtered by them.
 */
static const char paths[] =
    "DROP TRIGGER videos_sorts_delete; DROP TRIGGER videos_sorts_out; DROP TRIGGER videos_sorts_in;"
    "DROP TABLE sort_name; DROP TABLE sort_created_at; DROP TABLE sort_mtime_ns;"
    "DROP TABLE sort_duration_us; DROP TABLE sort_size;"
    "CREATE TABLE videos_2 ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE,"
    " directory INTEGER NOT NULL REFERENCES directories (id), name BLOB NOT NULL,"
    " size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, device INTEGER NOT NULL,"
    " inode INTEGER NOT NULL, job INTEGER NOT NULL, outcome TEXT,"
    " created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,"
    " missing_since INTEGER NOT NULL DEFAULT 0, sequence INTEGER NOT NULL,"
    " thumbnail INTEGER NOT NULL DEFAULT 0,"
    " duration_us INTEGER NOT NULL, frames INTEGER, bit_rate INTEGER, taken_at INTEGER,"
    " fingerprint INTEGER NOT NULL, rate_num INTEGER NOT NULL, rate_den INTEGER NOT NULL,"
    " width INTEGER NOT NULL, height INTEGER NOT NULL, rotation INTEGER NOT NULL,"
    " video_index INTEGER NOT NULL, audio_index INTEGER NOT NULL,"
    " video_count INTEGER NOT NULL, audio_count INTEGER NOT NULL,"
    " subtitle_count INTEGER NOT NULL, data_count INTEGER NOT NULL,"
    " attachment_count INTEGER NOT NULL, stream_count INTEGER NOT NULL,"
    " chapter_count INTEGER NOT NULL, container TEXT, video_codec TEXT, audio_codec TEXT,"
    " hdr TEXT, title TEXT, languages TEXT) STRICT;"
    "INSERT INTO videos_2 SELECT v.*, (SELECT group_concat(language, ',') FROM"
    " (SELECT DISTINCT language FROM streams WHERE video = v.number AND language <> ''"
    " ORDER BY 1)) FROM videos v ORDER BY number;"
    /* Numbers that were given once are not given again. */
    "DELETE FROM sqlite_sequence WHERE name = 'videos_2';"
    "INSERT INTO sqlite_sequence SELECT 'videos_2', seq FROM sqlite_sequence WHERE name = 'videos';"
    "DROP TABLE videos; ALTER TABLE videos_2 RENAME TO videos;"
    /* What another program left behind that deleted videos without minding what refers to them. */
    "DELETE FROM streams WHERE video NOT IN (SELECT number FROM videos);"
    "DELETE FROM chapters WHERE video NOT IN (SELECT number FROM videos);"
    "CREATE UNIQUE INDEX videos_path ON videos (directory, name) WHERE missing_since = 0;"
    "CREATE INDEX videos_missing_path ON videos (directory, name) WHERE missing_since <> 0;"
    "CREATE INDEX videos_sequence ON videos (sequence);"
    "CREATE INDEX videos_missing ON videos (missing_since) WHERE missing_since <> 0;"
    "ALTER TABLE directories ADD COLUMN device INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE tombstones ADD COLUMN number INTEGER NOT NULL DEFAULT 0;";

/* The order of names, and where a video is found by its file: as it was with the orders before,
 * they are brought up to date for thousands of videos at once (transaction.c); meta's `settled` and
 * `identified` say up to which number. Below it the triggers keep them true, whoever writes. Other
 * orders are in memory. `twins` has the videos that are there with the content of another one that
 * is, and by which content, so that whoever is left alone is found at once. */
#define NAME_CHANGED                                                                               \
    " AND (old.name, old.directory, old.missing_since) IS NOT"                                     \
    " (new.name, new.directory, new.missing_since)"
static const char names[] =
    "CREATE TABLE order_name (key BLOB NOT NULL, directory INTEGER NOT NULL,"
    " number INTEGER NOT NULL, PRIMARY KEY (key, directory, number)) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER videos_name_delete BEFORE DELETE ON videos"
    " WHEN old.number <= (SELECT value FROM meta WHERE key = 'settled') BEGIN"
    " DELETE FROM order_name WHERE key = natural_key(old.name) AND directory = old.directory"
    " AND number = old.number; END;"
    "CREATE TRIGGER videos_name_out BEFORE UPDATE OF name, directory, missing_since ON videos"
    " WHEN old.number <= (SELECT value FROM meta WHERE key = 'settled')" NAME_CHANGED " BEGIN"
    " DELETE FROM order_name WHERE key = natural_key(old.name) AND directory = old.directory"
    " AND number = old.number; END;"
    "CREATE TRIGGER videos_name_in AFTER UPDATE OF name, directory, missing_since ON videos"
    " WHEN new.number <= (SELECT value FROM meta WHERE key = 'settled')" NAME_CHANGED
    " AND new.missing_since = 0 BEGIN"
    " INSERT INTO order_name VALUES (natural_key(new.name), new.directory, new.number); END;"
    "INSERT INTO order_name SELECT natural_key(name), directory, number FROM videos"
    " WHERE missing_since = 0 ORDER BY 1, 2, 3;"
    "UPDATE meta SET value = (SELECT coalesce(max(number), 0) FROM videos) WHERE key = 'settled';";

static const char identity[] =
    "CREATE TABLE order_inode (inode INTEGER NOT NULL, number INTEGER NOT NULL,"
    " PRIMARY KEY (inode, number)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE order_fingerprint (fingerprint INTEGER NOT NULL, number INTEGER NOT NULL,"
    " PRIMARY KEY (fingerprint, number)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE twins (number INTEGER PRIMARY KEY, fingerprint INTEGER NOT NULL,"
    " size INTEGER NOT NULL) STRICT;"
    "CREATE INDEX twins_content ON twins (fingerprint, size);"
    "INSERT INTO meta VALUES ('identified', (SELECT coalesce(max(number), 0) FROM videos));"
    "CREATE TRIGGER videos_identity_delete BEFORE DELETE ON videos BEGIN"
    " DELETE FROM order_inode WHERE inode = old.inode AND number = old.number;"
    " DELETE FROM order_fingerprint WHERE fingerprint = old.fingerprint AND number = old.number;"
    " END;"
    "CREATE TRIGGER videos_identity_update AFTER UPDATE OF inode, fingerprint ON videos"
    " WHEN old.number <= (SELECT value FROM meta WHERE key = 'identified')"
    " AND (old.inode <> new.inode OR old.fingerprint <> new.fingerprint) BEGIN"
    " DELETE FROM order_inode WHERE inode = old.inode AND number = old.number;"
    " DELETE FROM order_fingerprint WHERE fingerprint = old.fingerprint AND number = old.number;"
    " INSERT INTO order_inode VALUES (new.inode, new.number);"
    " INSERT INTO order_fingerprint SELECT new.fingerprint, new.number WHERE new.fingerprint <> 0;"
    " END;"
    "INSERT INTO order_inode SELECT inode, number FROM videos ORDER BY 1, 2;"
    "INSERT INTO order_fingerprint SELECT fingerprint, number FROM videos WHERE fingerprint <> 0"
    " ORDER BY 1, 2;"
    "INSERT INTO twins SELECT number, fingerprint, size FROM videos JOIN (SELECT size AS s, "
    "fingerprint AS f"
    " FROM videos WHERE missing_since = 0 AND fingerprint <> 0 GROUP BY 1, 2 HAVING count(*) > 1)"
    " ON size = s AND fingerprint = f WHERE missing_since = 0;";

static const char roots[] =
    "CREATE TABLE roots (number INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB NOT NULL UNIQUE,"
    " device INTEGER NOT NULL, scanned_at INTEGER NOT NULL, offline_since INTEGER NOT NULL,"
    " reason TEXT) STRICT;"
    "ALTER TABLE jobs ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN refused_root INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN refused_count INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN refused_reason TEXT;"
    "ALTER TABLE jobs ADD COLUMN refused_token TEXT;"
    "CREATE TABLE job_plans ("
    " job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE, position INTEGER NOT NULL,"
    " outcome TEXT, path BLOB NOT NULL, origin BLOB,"
    " PRIMARY KEY (job, position)) STRICT, WITHOUT ROWID;";

/* ---- version 3 ----------------------------------------------------------------------------- */

/* version: of the content, which names pictures: that of the file which was looked into, wherever
 * it goes. thumbnail_width: of the one that is ready. Why a picture cannot be made stays until the
 * file or the worker is another. The index is of what is still to be done: it is short. */
static const char pictures[] =
    "ALTER TABLE videos ADD COLUMN version INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE videos ADD COLUMN thumbnail_width INTEGER NOT NULL DEFAULT 0;"
    "UPDATE videos SET version = content_version(fingerprint, size, mtime_ns);"
    "CREATE INDEX videos_pending ON videos (number) WHERE thumbnail = 0 AND missing_since = 0;"
    "CREATE TABLE picture_failures ("
    " video INTEGER PRIMARY KEY REFERENCES videos (number) ON DELETE CASCADE,"
    " code TEXT NOT NULL, error TEXT, worker_version TEXT) STRICT;";

/* How roots are followed that were added while the service ran; mode NULL: one that was scanned, or
 * one of the configuration. */
static const char watching[] = "ALTER TABLE roots ADD COLUMN mode TEXT;"
                               "ALTER TABLE roots ADD COLUMN poll_ms INTEGER NOT NULL DEFAULT 0;";

/* ---- version 4 ----------------------------------------------------------------------------- */

/* The order of names without the folders, by which memory sorts equal names anyway: a file that
 * only moves leaves it as it is, and so moving a folder of thousands costs half. */
#define RENAMED " AND (old.name, old.missing_since) IS NOT (new.name, new.missing_since)"
static const char renames[] =
    "DROP TRIGGER videos_name_delete; DROP TRIGGER videos_name_out; DROP TRIGGER videos_name_in;"
    "ALTER TABLE order_name RENAME TO order_name_3;"
    "CREATE TABLE order_name (key BLOB NOT NULL, number INTEGER NOT NULL,"
    " PRIMARY KEY (key, number)) STRICT, WITHOUT ROWID;"
    "INSERT INTO order_name SELECT key, number FROM order_name_3 ORDER BY 1, 2;"
    "DROP TABLE order_name_3;"
    "CREATE TRIGGER videos_name_delete BEFORE DELETE ON videos"
    " WHEN old.number <= (SELECT value FROM meta WHERE key = 'settled') BEGIN"
    " DELETE FROM order_name WHERE key = natural_key(old.name) AND number = old.number; END;"
    "CREATE TRIGGER videos_name_out BEFORE UPDATE OF name, missing_since ON videos"
    " WHEN old.number <= (SELECT value FROM meta WHERE key = 'settled')" RENAMED " BEGIN"
    " DELETE FROM order_name WHERE key = natural_key(old.name) AND number = old.number; END;"
    "CREATE TRIGGER videos_name_in AFTER UPDATE OF name, missing_since ON videos"
    " WHEN new.number <= (SELECT value FROM meta WHERE key = 'settled')" RENAMED
    " AND new.missing_since = 0 BEGIN"
    " INSERT INTO order_name VALUES (natural_key(new.name), new.number); END;";

/* The streams of a video in one BLOB (streams_pack.h). */
static const char packed[] =
    "ALTER TABLE streams RENAME TO streams_3;"
    "CREATE TABLE streams ("
    " video INTEGER PRIMARY KEY REFERENCES videos (number) ON DELETE CASCADE,"
    " packed BLOB NOT NULL) STRICT;"
    "INSERT INTO streams SELECT video, pack_streams (position, stream_index, kind, disposition,"
    " rotation, width, height, bit_depth, channels, sample_rate, aspect_num, aspect_den, rate_num,"
    " rate_den, average_num, average_den, bit_rate, duration_us, frames, codec, profile, language,"
    " pixel_format, color_range, color_space, color_primaries, color_transfer, channel_layout, hdr,"
    " title) FROM (SELECT * FROM streams_3 ORDER BY video, position) GROUP BY video;"
    "DROP TABLE streams_3;";

const struct schema_step schema_steps[] = {
    {{catalogue, videos, sorts, streams, jobs}},
    {{paths, names, identity, roots}},
    {{pictures, watching}},
    {{renames, packed}},
};
const int schema_version = (int)(sizeof schema_steps / sizeof schema_steps[0]);
