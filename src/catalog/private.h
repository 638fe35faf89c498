/* private: what the files of the catalogue room share. Not for other rooms. */
#ifndef REELD_CATALOG_PRIVATE_H
#define REELD_CATALOG_PRIVATE_H

#include <sqlite3.h>

#include "reeld/base.h"
#include "reeld/catalog.h"
#include "statement_slots.h"

/* ---- the handle ---------------------------------------------------------------------------- */

/* Case folding exactly as the search index does it: FTS5's own trigram tokenizer. */
struct fold {
    fts5_tokenizer methods;
    Fts5Tokenizer *tokenizer;
};

struct search {
    struct fold fold;
    struct buf needle;  /* folded */
    struct buf scratch; /* folded text of the row at hand */
};

/* Numbers of videos by a key of theirs, for the videos that the tables of identity do not have yet:
 * chains of entries, counted from 1. What it has may be out of date: whoever finds a number looks
 * at the row. */
struct keys {
    uint32_t *heads; /* `cap` of them */
    struct keys_entry {
        uint64_t key;
        int64_t number;
        uint32_t next;
    } * entries; /* room for `cap` */
    size_t cap;
    uint32_t count;
};

/* Videos that a page has to sort as it is read: at this many they go into the order of names. The
 * more, the cheaper is an insert; a page pays about half a microsecond for each. Those that are
 * found in memory by their file cost 56 bytes each, and twice that from 65,536 on. */
enum { SETTLE_AT = 4096, IDENTIFY_AT = 60000 };

struct catalog {
    sqlite3 *db;
    enum catalog_mode mode;
    int lock_fd; /* the writer's; -1 */
    char id[24];
    char error[CATALOG_WHY_SIZE];
    sqlite3_stmt *statements[STATEMENTS];

    int64_t slice_ns, slice_until_ns; /* how long a call may search; until when this one may */

    bool opened;  /* all the way */
    bool clean;   /* the file says that it was closed cleanly */
    bool damaged; /* SQLite met what cannot be so: nothing is written any more */
    bool in_transaction;
    enum rl_err
        broken;        /* why the transaction was rolled back before its commit; RL_OK: it stands */
    int64_t sequence;  /* last number given */
    int64_t committed; /* last number that is durable */
    int64_t newest;    /* highest videos.number ever given */
    int64_t newest_committed;
    int64_t settled;                  /* up to which number the order of names is complete */
    int64_t identified;               /* up to which number order_inode and order_fingerprint are */
    int64_t settle_at, identify_at;   /* how many more there may be: SETTLE_AT, IDENTIFY_AT */
    struct keys inodes, fingerprints; /* of the videos above it; the writer's */
    bool no_missing, no_failures;     /* the writer's: there are no such rows: none is looked for */
    struct buf directory;             /* path of the directory used last, and its id; empty: none */
    int64_t directory_id;
    struct {
        int64_t directory;
        char name[256];
    } vacant;          /* where this transaction has just found no video; directory 0: nowhere */
    int64_t unindexed; /* the first directory that the search index does not have yet; 0: none */
    struct buf text;   /* scratch */

    uint64_t seen_commits; /* the sequence after so many commits; 0: not known yet */
    int64_t seen_sequence;

    int64_t budget_ns;   /* for one reading call; 0: none */
    int64_t deadline_ns; /* of the call at hand; INT64_MAX: none */
    int64_t
        late_thread_ns; /* processor time of the thread when it was first seen past it; 0: not */
    struct search search;
    struct find *find; /* see find.h */
};

/* ---- catalog.c ----------------------------------------------------------------------------- */

/* Every public function that reads begins with it: forgets the last error, starts the budget. */
void catalog_enter(struct catalog *catalog);

/* Every public function that writes begins with it. RL_EINVAL outside a transaction; the error that
 * broke the transaction, if it is broken. */
enum rl_err catalog_enter_write(struct catalog *catalog);

/* Ends a public function that writes: any failure of the store takes the whole transaction back,
 * since half of a row must never be committed. Returns `err`. */
enum rl_err catalog_leave_write(struct catalog *catalog, enum rl_err err);

/* Begins and ends a snapshot in which several queries see the same state. In a write transaction
 * nothing is needed, and nothing is done. */
enum rl_err catalog_snapshot_begin(struct catalog *catalog, bool *begun);
void catalog_snapshot_end(struct catalog *catalog, bool begun);

/* Sets how long one reading call may take; 0: without limit. */
void catalog_set_budget(struct catalog *catalog, int64_t budget_ms);

/* Words for catalog_error; returns `err`. */
enum rl_err catalog_fail(struct catalog *catalog, enum rl_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Value of meta's `key`; RL_ENOTFOUND. */
enum rl_err catalog_meta_int(struct catalog *catalog, const char *key, int64_t *out);

/* ---- place.c: the file and its lock -------------------------------------------------------- */

/* Looks at the place before SQLite does, so that `why` can say what to do. */
enum rl_err place_check(const char *path, enum catalog_mode mode, char why[CATALOG_WHY_SIZE]);

/* Takes the writer's lock beside the file; *fd holds it until it is closed or the process dies.
 * RL_EBUSY: another process has it. */
enum rl_err place_lock(const char *path, int *fd, char why[CATALOG_WHY_SIZE]);

/* The kind of file system (statfs f_type) where a database is not safe, in words; NULL: none. */
const char *place_network(uint32_t type);

/* Says so in the log where that is the file's. */
void place_warn(const char *path);

/* Makes a file that was written durable: itself and its name in the folder. */
enum rl_err place_sync(const char *path);

/* ---- care.c: whether the file is sound ----------------------------------------------------- */

/* What a handle says once it has met damage. */
#define CATALOG_DAMAGED                                                                            \
    "the database is damaged; start reeld again: it checks it and says what to do"

/* Checks the whole file unless its last writer closed it (*clean), and says in the log how far it
 * is. RL_EIO: it is damaged. The file must be a catalogue. */
enum rl_err care_check(sqlite3 *db, const char *path, bool *clean, char why[CATALOG_WHY_SIZE]);

/* Says what is wrong and what can be done; returns RL_EIO. */
enum rl_err care_damaged(const char *path, const char *detail, char why[CATALOG_WHY_SIZE]);

/* Says in the transaction at hand that the file is in use. */
enum rl_err care_mark(struct catalog *catalog);

/* Says that the file was closed cleanly, or that it must be checked: the last that a handle does.
 */
void care_close(struct catalog *catalog);

/* ---- schema.c ------------------------------------------------------------------------------ */

/* One step of the ladder: its SQL, in order; NULL after the last. */
enum { SCHEMA_PARTS = 8 };
struct schema_step {
    const char *sql[SCHEMA_PARTS];
};

/* schema_steps.c */
extern const struct schema_step schema_steps[];
extern const int schema_version;

/* "reel": PRAGMA application_id of a catalogue file. */
enum { APPLICATION_ID = 0x7265656c };

/* The first column of the first row: SQLITE_OK, SQLITE_DONE (no row) or the error. */
int schema_query(sqlite3 *db, const char *sql, int64_t *out);

/* What the file is: its version, or 0 for a file that is still empty. RL_EVERSION: another program
 * made it, or a newer one. */
enum rl_err schema_read(sqlite3 *db, const char *path, int count, int *version,
                        char why[CATALOG_WHY_SIZE]);

/* Brings the file from the step it is at to step `count`, each step in one transaction. A file that
 * holds an earlier version is copied to `<path>.v<version>` first. */
enum rl_err schema_upgrade(sqlite3 *db, const char *path, const struct schema_step *steps,
                           int count, char why[CATALOG_WHY_SIZE]);

/* Gives the handle the SQL functions that the schema, its triggers and its steps use. */
enum rl_err schema_functions(sqlite3 *db);

/* Says in words why the file cannot be used, for an SQLite result code; returns its error. */
enum rl_err schema_fail(sqlite3 *db, const char *path, int rc, char why[CATALOG_WHY_SIZE]);

/* For a reader: the file must be at `count` exactly. */
enum rl_err schema_check(sqlite3 *db, const char *path, int count, char why[CATALOG_WHY_SIZE]);

/* ---- statements.c: prepared statements, binding, reading ----------------------------------- */

/* The error for an SQLite result code of this connection. */
enum rl_err statement_error(sqlite3 *db, int rc);

/* The statement of a slot, prepared at its first use and reset; RL_OK or the error, with words. */
enum rl_err statement_get(struct catalog *catalog, int slot, const char *sql, sqlite3_stmt **out);

/* One step. RL_OK: a row is there. RL_ENOTFOUND: no (more) row. Otherwise the error, with words.
 * But for RL_OK the statement is reset. */
enum rl_err statement_step(struct catalog *catalog, sqlite3_stmt *statement);

/* Runs a statement that gives no row to its end and resets it. */
enum rl_err statement_run(struct catalog *catalog, sqlite3_stmt *statement);

/* Binds the parameters from left to right. A failure (out of memory) sticks in `rc`. */
struct binder {
    sqlite3_stmt *statement;
    int column, rc;
};
void bind_int(struct binder *binder, int64_t value);
void bind_unsigned(struct binder *binder, uint64_t value); /* the same 64 bits */
void bind_known(struct binder *binder, int64_t value);     /* MEDIA_UNKNOWN is NULL */
void bind_real(struct binder *binder, double value);
void bind_text(struct binder *binder, const char *text); /* NULL or empty is NULL */
void bind_bytes(struct binder *binder, const void *bytes, size_t len);
void bind_id(struct binder *binder, const char *id); /* 16 bytes; NULL when malformed */
enum rl_err bind_done(struct catalog *catalog, const struct binder *binder);

/* Reads the columns of a row from left to right. `failed`: out of memory. */
struct row {
    sqlite3_stmt *statement;
    int column;
    bool failed;
};
int64_t row_int(struct row *row);
int32_t row_int32(struct row *row); /* clamped */
uint64_t row_unsigned(struct row *row);
uint32_t row_uint32(struct row *row); /* clamped */
double row_real(struct row *row);
int64_t row_known(struct row *row);
void row_text(struct row *row, char *out, size_t size); /* cut to fit */
const char *row_word(struct row *row);                  /* borrowed until the next step; NULL */
void row_id(struct row *row, char out[ID_TEXT_SIZE]);
char *row_bytes(struct row *row); /* malloc, NUL-terminated */
char *row_path(struct row *row);  /* a folder's path and a name, two columns, joined; malloc */
void row_append(struct row *row, struct buf *out); /* the bytes of a column */

/* ---- words.c: how enums are kept, independent of their order -------------------------------- */

const char *words_status(enum job_status status);
const char *words_type(enum job_type type);
const char *words_phase(enum job_phase phase);
const char *words_trigger(enum job_trigger trigger);
const char *words_outcome(enum outcome outcome);   /* NULL for OUTCOME_NONE */
const char *words_failure(enum failure_code code); /* NULL for FAILURE_NONE */
const char *words_kind(int32_t kind);              /* of enum media_kind */
/* A word that is not known (any more, or NULL) gives the second value. */
enum job_status words_parse_status(const char *word, enum job_status otherwise);
enum job_type words_parse_type(const char *word, enum job_type otherwise);
enum job_phase words_parse_phase(const char *word, enum job_phase otherwise);
enum job_trigger words_parse_trigger(const char *word, enum job_trigger otherwise);
enum outcome words_parse_outcome(const char *word, enum outcome otherwise);
enum failure_code words_parse_failure(const char *word, enum failure_code otherwise);
int32_t words_parse_kind(const char *word);
bool words_status_terminal(enum job_status status);

/* ---- directories.c ------------------------------------------------------------------------- */

/* An absolute path taken apart: its folder's bytes and its name. RL_EINVAL: not absolute, or no
 * name. */
struct path_parts {
    const char *directory;
    size_t directory_len;
    const char *name;
};
enum rl_err directory_split(const char *path, struct path_parts *out);

/* The id of a directory; RL_ENOTFOUND. */
enum rl_err directory_find(struct catalog *catalog, const char *path, size_t len, int64_t *out);

/* The id of a directory, which is added when it is not there yet. */
enum rl_err directory_need(struct catalog *catalog, const char *path, size_t len, int64_t *out);

/* Puts those that the transaction added into the search index, at its end: in between, statements
 * that may fail halfway would have the index write what it has each time. */
enum rl_err directories_index(struct catalog *catalog);

/* ---- video_row.c, streams.c ---------------------------------------------------------------- */

/* The columns that video_row_read wants, of `videos v` and `directories d`; `folder` is "d.path".
 */
#define VIDEO_COLUMNS VIDEO_COLUMNS_IN("d.path")
#define VIDEO_COLUMNS_IN(folder)                                                                   \
    "v.number, v.id, " folder ", v.name, v.size, v.mtime_ns, v.device, v.inode, v.created_at, "    \
    "v.updated_at, v.missing_since, v.sequence, v.thumbnail, v.duration_us, v.frames, "            \
    "v.bit_rate, v.taken_at, v.fingerprint, v.rate_num, v.rate_den, v.width, v.height, "           \
    "v.rotation, v.video_index, v.audio_index, v.video_count, v.audio_count, v.subtitle_count, "   \
    "v.data_count, v.attachment_count, v.stream_count, v.chapter_count, v.container, "             \
    "v.video_codec, v.audio_codec, v.hdr, v.title, v.version, v.thumbnail_width"

/* Fills a video from a row of VIDEO_COLUMNS; its streams and chapters stay empty. */
enum rl_err video_row_read(sqlite3_stmt *statement, int64_t *number, struct video *out);

/* Fills the zeroed out[0 … count-1] from the rows of these numbers, at most 1,000, in their order
 * and with their subtitle streams. To be called in the snapshot in which the numbers were read. */
enum rl_err video_rows_read(struct catalog *catalog, const int64_t *numbers, size_t count,
                            struct video *out);

/* The same of one, outside of a page. RL_ENOTFOUND: there is no such number. */
enum rl_err video_row_get(struct catalog *catalog, int64_t number, struct video *out);

/* Binds what a put writes: stamp, job, outcome, times, sequence, thumbnail, summary, languages. */
void video_row_bind(struct binder *binder, const struct video *video, int64_t job,
                    enum outcome outcome, const char *languages);

enum rl_err streams_put(struct catalog *catalog, int64_t video, const struct media_info *info);
enum rl_err streams_delete(struct catalog *catalog, int64_t video);
enum rl_err streams_get(struct catalog *catalog, int64_t video, struct media_info *info);

/* The subtitle streams of a page's videos. */
enum rl_err streams_subtitles(struct catalog *catalog, const int64_t *numbers, struct video *videos,
                              size_t count);

/* ---- keys.c, identity.c, twins.c ------------------------------------------------------------ */

/* RL_ENOMEM: it is not in there. */
enum rl_err keys_add(struct keys *keys, uint64_t key, int64_t number);

/* The latest entry of a key, the one before it, 0 at the end; and its number. One number may come
 * more than once. */
uint32_t keys_first(const struct keys *keys, uint64_t key);
uint32_t keys_next(const struct keys *keys, uint32_t at);
int64_t keys_number(const struct keys *keys, uint32_t at);
void keys_clear(struct keys *keys);
void keys_free(struct keys *keys);

/* The SQL function natural_key(name), which the schema's triggers use. */
enum rl_err identity_functions(sqlite3 *db);

/* Fills the writer's keys from the rows that the tables do not have. */
enum rl_err identity_load(struct catalog *catalog);

/* A row has this inode and fingerprint from now on. */
enum rl_err identity_note(struct catalog *catalog, int64_t number, uint64_t inode,
                          uint64_t fingerprint);

/* After a commit: where rows that change again and again have left too much behind, begins anew. */
enum rl_err identity_tidy(struct catalog *catalog);

/* A video with this content is there from now on (to be called when its row says so, and it was in
 * none); or it is not there any more, or with another content. */
enum rl_err twins_join(struct catalog *catalog, int64_t number, int64_t size, uint64_t fingerprint);
enum rl_err twins_leave(struct catalog *catalog, int64_t number);

/* The distinct languages of the streams, sorted, with commas between; "": none. */
void languages_of(const struct media_info *info, struct buf *out);

/* plans.c: the lines of a dry run's plan; clearing it. */
enum rl_err plan_of_job(struct catalog *catalog, int64_t job, struct job_plan_line **out,
                        size_t *count);
enum rl_err plan_clear(struct catalog *catalog, int64_t job);

/* folders.c: the range of paths below `path`, both ends excluded. */
enum rl_err folder_range(const char *path, struct buf *from, struct buf *to);

/* What the catalogue holds under a path. */
struct existing {
    bool found;
    int64_t number, created_at_ms, missing_since_ms, job, size;
    uint64_t fingerprint, version;
    int32_t thumbnail, thumbnail_width;
    enum outcome outcome;
    char id[ID_TEXT_SIZE];
    char title[sizeof((struct media_summary *)0)->title];
};

/* videos.c: the video that is there, else the one that is missing since the latest time. */
enum rl_err video_find(struct catalog *catalog, int64_t directory, const char *name,
                       struct existing *out);

/* videos.c: takes the name out of the search index, and in again. */
enum rl_err video_renamed(struct catalog *catalog, int64_t number, const char *before,
                          const char *after, const char *title);

/* ---- pictures.c ----------------------------------------------------------------------------- */

/* The SQL function content_version(fingerprint, size, mtime_ns), and what it gives. */
enum rl_err picture_functions(sqlite3 *db);
uint64_t content_version(uint64_t fingerprint, int64_t size, int64_t mtime_ns);

/* The video has another content: why it had no picture is of the past. */
enum rl_err picture_forget_failure(struct catalog *catalog, int64_t number);

/* ---- failures.c ---------------------------------------------------------------------------- */

enum rl_err failure_forget(struct catalog *catalog, int64_t directory, const char *name);
enum rl_err failures_of_job(struct catalog *catalog, int64_t job, int64_t offset, int limit,
                            struct job_failure **out, size_t *count);

/* ---- fold.c, search.c, cursor.c ------------------------------------------------------------ */

enum rl_err fold_open(sqlite3 *db, struct fold *fold);
void fold_close(struct fold *fold);

/* Appends `text` (bytes; ill-formed parts count as U+FFFD), folded. False: out of memory. */
bool fold_append(const struct fold *fold, const char *text, size_t len, struct buf *out);

/* Prepares the handle for searching. What searches is in find.h. */
enum rl_err search_open(struct catalog *catalog);
void search_close(struct catalog *catalog);

/* Where a page ended. */
struct position {
    int64_t key; /* value of an integer sort; for the name sort videos.number */
    int64_t tie; /* videos.number; for the name sort directories.id */
    char
        name[512]; /* for the name sort: its natural key, two bytes longer for each run of digits */
    size_t name_len;
};
enum { CURSOR_SIZE = sizeof((struct video_page *)0)->next_cursor };
void cursor_write(const struct video_query *query, const struct position *position,
                  char out[CURSOR_SIZE]);
enum rl_err cursor_read(const struct video_query *query, struct position *out);

#endif
