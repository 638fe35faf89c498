/* base: helpers that know no other room. Errors, log, buffer, path and UTF-8, clock, ids, queue.
 * Unless a function says otherwise it keeps no state and may be called from any thread. */
#ifndef REELD_BASE_H
#define REELD_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- errors -------------------------------------------------------------------------------- */

/* What a function that can fail returns; 0 is success. Results go through the last parameters. */
enum rl_err {
    RL_OK = 0,
    RL_ENOMEM,    /* out of memory */
    RL_EINVAL,    /* an argument or a value from outside is malformed */
    RL_ENOTFOUND, /* no such row, file or job */
    RL_EEXIST,    /* it is there already */
    RL_ECONFLICT, /* the thing is in a state that does not allow this (job already terminal) */
    RL_EPERM,     /* not allowed (outside the roots, permission denied) */
    RL_EBUSY,     /* over a budget or a limit now; may work later */
    RL_EAGAIN,    /* a part is done: the same call again goes on with it */
    RL_EFULL,     /* disk or quota full */
    RL_EIO,       /* reading or writing failed */
    RL_EVERSION,  /* made by a newer or another program */
};

/* A static lower-case description of `err`, never NULL. */
const char *rl_err_text(enum rl_err err);

/* ---- log ----------------------------------------------------------------------------------- */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Sets the most talkative level that is printed (default: info). Call before threads start. */
void log_set_level(enum log_level level);

/* Parses "error", "warn", "info" or "debug"; RL_EINVAL otherwise. */
enum rl_err log_level_parse(const char *text, enum log_level *out);

/* Writes one line to standard error: RFC 3339 time, level, room, message. Control characters are
 * shown as '?', so that a file name can never forge a line. Any thread; one write(2) a line. */
void log_write(enum log_level level, const char *room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A .c file that logs defines LOG_ROOM before it includes this header. */
#define log_error(...) log_write(LOG_LEVEL_ERROR, LOG_ROOM, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, LOG_ROOM, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, LOG_ROOM, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, LOG_ROOM, __VA_ARGS__)

/* ---- buf: a growing byte buffer ------------------------------------------------------------ */

/* `data` is owned by the buffer and, once something was appended, ends in a NUL that `len` does not
 * count. `failed` sticks after the first allocation failure, so that a caller may check once. */
struct buf {
    char *data;
    size_t len;
    size_t cap;
    bool failed;
};

/* Appends `len` bytes (a string; formatted text). On failure sets `failed` and changes nothing. */
void buf_append(struct buf *buf, const void *bytes, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for `more` further bytes and a NUL; false (and `failed`) when out of memory. */
bool buf_reserve(struct buf *buf, size_t more);

/* Empties the buffer and keeps its memory; also clears `failed`. */
void buf_clear(struct buf *buf);

/* Hands the bytes to the caller, who free()s them, and leaves the buffer empty. NULL when `failed`
 * or when nothing was ever appended and nothing could be allocated. */
char *buf_steal(struct buf *buf);

void buf_free(struct buf *buf);

/* ---- path and UTF-8 ------------------------------------------------------------------------ */

/* A path is bytes on disk: any byte but NUL. */

/* True when `path` is `root` or lies below it; compares bytes at '/' boundaries and resolves
 * nothing: give it real paths. "/" is the root of all. */
bool path_beneath(const char *root, const char *path);

/* Appends `dir` + '/' + `name` to `out` (no doubled '/'). */
void path_join(struct buf *out, const char *dir, const char *name);

/* Appends the absolute `path` without empty steps, "." and "..", each of which takes the step
 * before it away: as text, whatever links there are. RL_EINVAL: it is not absolute; RL_ENOMEM. */
enum rl_err path_tidy(struct buf *out, const char *path);

/* The part after the last '/', never NULL; points into `path`. */
const char *path_name(const char *path);

/* The bytes after the last '.' of the last component, lower case, into `out` (cut to fit); empty
 * when there is none or the name starts with its only '.'. */
void path_extension(const char *path, char *out, size_t size);

/* Whether `len` bytes are well-formed UTF-8 (Unicode 15, table 3-7; no NUL check). */
bool utf8_valid(const char *bytes, size_t len);

/* Appends `len` bytes as well-formed UTF-8: each maximal ill-formed part becomes one U+FFFD. */
void utf8_append_lossy(struct buf *out, const char *bytes, size_t len);

/* The order in which people expect names: compares like strcmp, but runs of digits by their value
 * and ASCII letters without case; names that are equal so are ordered by their bytes. */
int natural_compare(const char *a, const char *b);

/* Appends bytes that order, compared by memcmp, as natural_compare does but for its last rule. */
void natural_key(struct buf *out, const char *name);

/* Appends `path` percent-encoded (RFC 3986): all but unreserved characters and '/'. */
void path_uri_encode(struct buf *out, const char *path);

/* Undoes path_uri_encode; RL_EINVAL for a bad escape or %00. '+' is an ordinary character. */
enum rl_err path_uri_decode(struct buf *out, const char *uri);

/* ---- clock --------------------------------------------------------------------------------- */

int64_t clock_wall_ms(void); /* milliseconds since 1970-01-01 UTC */
int64_t clock_mono_ns(void); /* nanoseconds, never steps */
int64_t clock_mono_ms(void);
int64_t clock_thread_ns(void); /* processor time that the calling thread has used */

enum { CLOCK_TEXT_SIZE = 32 };

/* "2026-11-22T15:10:00.123Z" (RFC 3339, UTC, milliseconds) and its NUL into `out`. Years outside
 * 0000-9999 are clamped. */
void clock_rfc3339(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);

/* ---- ids ----------------------------------------------------------------------------------- */

enum { ID_TEXT_SIZE = 37, ID_BYTES = 16 };

/* A new UUIDv7 (RFC 9562 §5.7) as lower-case text: 48 bits of wall clock in milliseconds, the rest
 * random. Ids made in one process sort by the time of their making, to the ms. */
void id_new(char out[ID_TEXT_SIZE]);

/* Whether `text` has the 36-character form of a UUID in lower case. */
bool id_valid(const char *text);

/* The 16 bytes of an id, for keeping it small, and its text again. False: not an id (id_valid). */
bool id_parse(const char *text, uint8_t out[ID_BYTES]);
void id_text(const uint8_t bytes[ID_BYTES], char out[ID_TEXT_SIZE]);

/* ---- queue: many producers, one consumer --------------------------------------------------- */

/* A message carries its own link: embed a node, and find the message back with QUEUE_ITEM. */
struct queue_node {
    struct queue_node *next;
};

#define QUEUE_ITEM(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

struct queue;

/* `wake` (may be NULL) is called with `arg` by the pushing thread, outside the lock, each time the
 * queue goes from empty to non-empty. NULL when out of memory. */
struct queue *queue_new(void (*wake)(void *arg), void *arg);

/* Appends; the queue never owns the message. Any thread. */
void queue_push(struct queue *queue, struct queue_node *node);

/* Takes everything, oldest first, as a list linked by `next`; NULL when empty. Consumer thread. */
struct queue_node *queue_take(struct queue *queue);

/* The queue must be empty or its messages owned elsewhere, and no thread may push any more. */
void queue_free(struct queue *queue);

#endif
