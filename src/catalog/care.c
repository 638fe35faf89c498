/* Whether the file is sound. meta's `clean` is 1 after a clean close; the first commit of a writer
 * makes it 0 in its own transaction, so that it costs none. A file without it is one that was never
 * closed cleanly. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_ROOM "catalog"
#include "private.h"

enum {
    PROGRESS_STEPS = 100000, /* virtual machine steps between two looks at the clock */
    PROGRESS_MS = 5000,      /* between two lines of the log */
    LARGE_MIB = 256,         /* a check of more than this is announced: it takes a while */
    FOLDER_MAX = 4096,       /* entries beside the database that are looked at */
};

/* ---- words --------------------------------------------------------------------------------- */

/* Whether the file begins as a catalogue does (file format, section 1.3: the magic string, and the
 * application id at offset 68); then its time. */
static bool is_catalogue(int folder, const char *name, int64_t *mtime_ms)
{
    static const char magic[16] = "SQLite format 3";
    static const unsigned char application[] = {
        (unsigned char)(APPLICATION_ID >> 24), (unsigned char)(APPLICATION_ID >> 16 & 0xff),
        (unsigned char)(APPLICATION_ID >> 8 & 0xff), (unsigned char)(APPLICATION_ID & 0xff)};
    unsigned char head[100];
    struct stat info;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool is = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
              pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
              memcmp(head, magic, sizeof magic) == 0 &&
              memcmp(head + 68, application, sizeof application) == 0;
    if (is)
        *mtime_ms = (int64_t)info.st_mtim.tv_sec * 1000;
    close(fd);
    return is;
}

/* The newest other catalogue in the folder of `path`: a backup, or a copy made before an upgrade.
 */
static bool newest_copy(const char *path, char name[256], int64_t *mtime_ms)
{
    char folder_path[4096];
    snprintf(folder_path, sizeof folder_path, "%.*s", (int)(path_name(path) - path), path);
    DIR *folder = opendir(*folder_path ? folder_path : ".");
    bool found = false;
    for (int i = 0; folder && i < FOLDER_MAX; i++) {
        const struct dirent *entry = readdir(folder);
        int64_t mtime = 0;
        if (!entry)
            break;
        if (strcmp(entry->d_name, path_name(path)) == 0 ||
            !is_catalogue(dirfd(folder), entry->d_name, &mtime) || (found && mtime <= *mtime_ms))
            continue;
        found = true;
        *mtime_ms = mtime;
        snprintf(name, 256, "%s", entry->d_name);
    }
    if (folder)
        closedir(folder);
    return found;
}

enum rl_err care_damaged(const char *path, const char *detail, char why[CATALOG_WHY_SIZE])
{
    char name[256], time[CLOCK_TEXT_SIZE], copy[360] = "no copy stands beside it";
    int64_t mtime_ms = 0;
    if (newest_copy(path, name, &mtime_ms)) {
        clock_rfc3339(mtime_ms, time);
        snprintf(copy, sizeof copy, "the newest beside it is %s of %.10s", name, time);
    }
    snprintf(why, CATALOG_WHY_SIZE,
             "the database %.200s is damaged (%.160s) and was left as it is. Move it and its -wal "
             "file away, then put a backup in its place (%s), or begin anew with a scan; where "
             "your sqlite3 has .recover, it may save what is not in a backup: "
             "sqlite3 DAMAGED .recover | sqlite3 NEW",
             path, detail, copy);
    return RL_EIO;
}

/* ---- checking ------------------------------------------------------------------------------ */

struct check {
    sqlite3 *db;
    const char *path;
    int64_t page_size, pages, began_ms, said_ms;
};

static int say_progress(void *arg)
{
    struct check *check = arg;
    int64_t now_ms = clock_mono_ms();
    if (now_ms - check->said_ms < PROGRESS_MS)
        return 0;
    check->said_ms = now_ms;
    int read = 0, highest;
    sqlite3_db_status(check->db, SQLITE_DBSTATUS_CACHE_MISS, &read, &highest, 0);
    log_info("checking %s: %" PRId64 " s so far, %" PRId64 " MiB read; it has %" PRId64,
             check->path, (now_ms - check->began_ms) / 1000, read * check->page_size >> 20,
             check->pages * check->page_size >> 20);
    return 0;
}

/* What the check found, as one line. */
static void take_finding(const unsigned char *text, char out[160])
{
    const char *line = text ? (const char *)text : "its check gave nothing";
    const char *head = strncmp(line, "***", 3) == 0 ? strchr(line, '\n') : NULL;
    line = head ? head + 1 : line;
    snprintf(out, 160, "%.*s", (int)strcspn(line, "\n"), line);
}

static enum rl_err check_all(struct check *check, char why[CATALOG_WHY_SIZE])
{
    char finding[160] = "";
    sqlite3_stmt *statement = NULL;
    sqlite3_progress_handler(check->db, PROGRESS_STEPS, say_progress, check);
    int rc = sqlite3_prepare_v2(check->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        take_finding(sqlite3_column_text(statement, 0), finding);
    sqlite3_progress_handler(check->db, 0, NULL, NULL);
    enum rl_err err = RL_OK;
    if (rc != SQLITE_ROW)
        err = schema_fail(check->db, check->path, rc, why);
    else if (strcmp(finding, "ok") != 0)
        err = care_damaged(check->path, finding, why);
    sqlite3_finalize(statement);
    return err;
}

enum rl_err care_check(sqlite3 *db, const char *path, bool *clean, char why[CATALOG_WHY_SIZE])
{
    int64_t value = 0;
    int rc = schema_query(db, "SELECT value FROM meta WHERE key = 'clean'", &value);
    if (rc != SQLITE_OK && rc != SQLITE_DONE)
        return schema_fail(db, path, rc, why);
    *clean = rc == SQLITE_OK && value == 1;
    if (*clean)
        return RL_OK;
    struct check check = {.db = db, .path = path, .began_ms = clock_mono_ms()};
    check.said_ms = check.began_ms;
    rc = schema_query(db, "PRAGMA page_size", &check.page_size);
    if (rc == SQLITE_OK)
        rc = schema_query(db, "PRAGMA page_count", &check.pages);
    if (rc != SQLITE_OK)
        return schema_fail(db, path, rc, why);
    int64_t mib = check.pages * check.page_size >> 20;
    log_info("%s was not closed cleanly: checking it (%" PRId64 " MiB%s)", path, mib,
             mib >= LARGE_MIB ? "; this takes a while" : "");
    enum rl_err err = check_all(&check, why);
    if (err == RL_OK)
        log_info("%s is sound; the check took %" PRId64 " ms", path,
                 clock_mono_ms() - check.began_ms);
    return err;
}

/* ---- the mark ------------------------------------------------------------------------------ */

enum rl_err care_mark(struct catalog *catalog)
{
    if (!catalog->clean)
        return RL_OK;
    sqlite3_stmt *mark;
    enum rl_err err =
        statement_get(catalog, ST_MARK, "UPDATE meta SET value = 0 WHERE key = 'clean'", &mark);
    return err == RL_OK ? statement_run(catalog, mark) : err;
}

void care_close(struct catalog *catalog)
{
    /* Where it cannot be written, the next start checks once more than it had to. A reader that met
     * damage tells the next start: what it read may be what nobody writes. */
    if (catalog->damaged)
        sqlite3_exec(catalog->db,
                     "PRAGMA query_only = OFF; UPDATE meta SET value = 0 WHERE key = 'clean'", NULL,
                     NULL, NULL);
    else if (catalog->mode == CATALOG_WRITER && !catalog->clean)
        sqlite3_exec(catalog->db, "INSERT OR REPLACE INTO meta VALUES ('clean', 1)", NULL, NULL,
                     NULL);
}
