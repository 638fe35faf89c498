#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ignore_read.h"
#include "media_file.h"
#include "room.h"
#include "roots.h"
#include "stamp.h"
#include "walk.h"

/* What is explained, and how far the look at it has come. */
struct question {
    const struct library_config *config;
    const char *path, *top; /* the outermost root */
    const char *from;       /* the innermost one: a scan of that comes by `path`, or does not */
    struct beneath links;
    int fd; /* of what the first `len` bytes of the path name; -1: nothing is open */
    size_t len;
    struct stat stat; /* of that */
    size_t closed;    /* length of the first folder that may not be listed; 0: none */
};

static enum rl_err resources(int error)
{
    return error == ENOMEM ? RL_ENOMEM : error == EMFILE || error == ENFILE ? RL_EBUSY : RL_OK;
}

static bool tidy(const char *path)
{
    struct buf text = {0};
    bool same = path_tidy(&text, path) == RL_OK && strcmp(text.data, path) == 0;
    buf_free(&text);
    return same;
}

static bool deeper(const char *root, const char *than, const char *path)
{
    return path_beneath(root, path) && (!than || strlen(root) > strlen(than));
}

/* The innermost root that holds the path: one that is configured, else one that was scanned; NULL:
 * none. The caller frees it. */
static enum rl_err innermost(struct library *library, const char *path, char **out)
{
    const char *const *roots = library->config.roots;
    const char *found = NULL;
    struct root_states states = {0};
    enum rl_err err = RL_OK;
    for (; roots && *roots; roots++) {
        if (deeper(*roots, found, path))
            found = *roots;
    }
    if (!found)
        err = library_roots(library, &states);
    for (size_t i = 0; i < states.count; i++) {
        if (deeper(states.states[i].root.path, found, path))
            found = states.states[i].root.path;
    }
    *out = found ? strdup(found) : NULL;
    if (found && !*out)
        err = RL_ENOMEM;
    root_states_clear(&states);
    return err;
}

/* Whether what is open may be used so (access(2)); it is not opened for that. */
static bool allowed(int fd, int mode)
{
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return faccessat(AT_FDCWD, link, mode, AT_EACCESS) == 0;
}

/* Looks at the step `name` of the open folder, which ends at `len`. 0, or an errno: ELOOP for a
 * link that is not to be followed. */
static int take_step(struct question *question, const char *name, size_t len)
{
    int fd = openat(question->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int error = fd < 0 || fstat(fd, &question->stat) < 0 ? errno : 0;
    if (!error && S_ISLNK(question->stat.st_mode)) {
        close(fd);
        fd = beneath_follow(&question->links, question->fd, name, O_PATH);
        error = fd < 0 || fstat(fd, &question->stat) < 0 ? errno : 0;
        if (fd < 0)
            error = resources(error) ? error : ELOOP;
    }
    if (error && fd >= 0)
        close(fd);
    if (error != EACCES)
        question->len = len;
    if (error)
        return error;
    close(question->fd);
    question->fd = fd;
    return 0;
}

/* Goes down to the path. 0, or the errno at question->len. */
static int go_down(struct question *question)
{
    const char *path = question->path;
    size_t at = strlen(question->top);
    question->fd = open(question->top, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    question->len = at;
    int error = question->fd < 0 || fstat(question->fd, &question->stat) < 0 ? errno : 0;
    while (!error) {
        char name[NAME_MAX + 1];
        at += strspn(path + at, "/");
        size_t len = strcspn(path + at, "/");
        if (len == 0)
            break;
        if (!S_ISDIR(question->stat.st_mode) || len > NAME_MAX) {
            question->len = at + len;
            return ENOENT;
        }
        if (!question->closed && !allowed(question->fd, R_OK))
            question->closed = question->len;
        memcpy(name, path + at, len);
        name[len] = '\0';
        at += len;
        error = take_step(question, name, at);
    }
    return error;
}

/* The line `number` of the rules in the folder that the first `len` bytes of the path name. */
static void read_rule(struct question *question, size_t len, unsigned int number, char *out,
                      size_t size)
{
    struct buf file = {0};
    struct beneath top;
    size_t from = strlen(question->top);
    from += question->path[from] == '/';
    buf_append(&file, question->path + from, len > from ? len - from : 0);
    if (file.len)
        buf_puts(&file, "/");
    buf_puts(&file, IGNORE_RULES_FILE);
    if (beneath_open_root(&top, question->top)) {
        buf_free(&file);
        return;
    }
    top.follow = question->links.follow;
    top.roots = question->links.roots;
    int fd = file.failed ? -1 : beneath_open(&top, file.data, O_RDONLY | O_NONBLOCK);
    beneath_close(&top);
    buf_clear(&file);
    ssize_t got = 0;
    if (fd >= 0 && buf_reserve(&file, IGNORE_FILE_MAX))
        got = pread(fd, file.data, IGNORE_FILE_MAX, 0);
    if (fd >= 0)
        close(fd);
    const char *line = file.data, *end = got > 0 ? file.data + got : file.data;
    for (; line < end && number > 1; number--) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        line = next ? next + 1 : end;
    }
    if (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t width = (size_t)((stop ? stop : end) - line);
        width -= width > 0 && line[width - 1] == '\r';
        snprintf(out, size, "%.*s", (int)width, line);
    }
    buf_free(&file);
}

/* How long the part of the path is that goes `folders` below its topmost folder. */
static size_t folder_len(const struct question *question, size_t folders)
{
    const char *path = question->path;
    size_t len = strlen(question->top);
    for (; folders > 0; folders--) {
        len += strspn(path + len, "/");
        len += strcspn(path + len, "/");
    }
    return len;
}

static const char *const name_patterns[] = {
#define IGNORED_NAME_PATTERN(name, pattern) [IGNORED_INDEX_##name] = pattern,
    IGNORED_NAMES(IGNORED_NAME_PATTERN)
#undef IGNORED_NAME_PATTERN
};

static enum rl_err name_file(const struct question *question, size_t len, const char *name,
                             struct path_explanation *out)
{
    struct buf file = {0};
    buf_append(&file, question->path, len);
    struct buf full = {0};
    path_join(&full, file.data ? file.data : "/", name);
    bool failed = file.failed || full.failed;
    buf_free(&file);
    out->rule_file = failed ? NULL : buf_steal(&full);
    buf_free(&full);
    return out->rule_file ? RL_OK : RL_ENOMEM;
}

static enum rl_err take_reason(struct question *question, const struct ignore_reason *reason,
                               struct path_explanation *out)
{
    out->verdict = PATH_IGNORED;
    out->at = reason->len;
    switch (reason->why) {
    case IGNORE_BY_NAME:
        for (size_t i = 0; i < sizeof name_patterns / sizeof *name_patterns; i++) {
            if (reason->name & (1u << i))
                snprintf(out->rule, sizeof out->rule, "%s", name_patterns[i]);
        }
        return RL_OK;
    case IGNORE_BY_RULE: {
        size_t len = folder_len(question, reason->verdict.folders);
        out->rule_line = reason->verdict.line;
        read_rule(question, len, out->rule_line, out->rule, sizeof out->rule);
        return name_file(question, len, IGNORE_RULES_FILE, out);
    }
    case IGNORE_BY_ALL_FILE:
        snprintf(out->rule, sizeof out->rule, "%s", IGNORE_ALL_FILE);
        return name_file(question, reason->len, IGNORE_ALL_FILE, out);
    case IGNORE_NOT:
        break;
    }
    return RL_OK;
}

/* Whether a walk from the innermost root passes the path over. */
static enum rl_err ask_rules(struct question *question, bool directory,
                             struct path_explanation *out)
{
    struct ignore_way way = {.top = question->top,
                             .from = question->from,
                             .path = question->path,
                             .directory = directory,
                             .keep = question->config->keep,
                             .links = &question->links};
    struct ignore ignore = {0};
    struct ignore_reason reason;
    struct stat stat;
    enum rl_err err = ignore_read_above(&ignore, &way, &reason);
    ignore_free(&ignore);
    if (err && err != RL_ENOTFOUND)
        return err;
    if (reason.why == IGNORE_NOT && directory && !(way.keep & IGNORED_NOMEDIA) &&
        fstatat(question->fd, IGNORE_ALL_FILE, &stat, AT_SYMLINK_NOFOLLOW) == 0)
        reason = (struct ignore_reason){.why = IGNORE_BY_ALL_FILE, .len = strlen(way.path)};
    return reason.why == IGNORE_NOT ? RL_OK : take_reason(question, &reason, out);
}

/* A time in the future says nothing. */
static bool settling(const struct library_config *config, const struct stat *stat)
{
    int64_t age = clock_wall_ms() - stamp_of(stat).mtime_ns / 1000000;
    return age >= 0 && age < config->settle_ms;
}

/* What a walk that comes by the path makes of it. */
static void judge(const struct question *question, struct path_explanation *out)
{
    const struct stat *stat = &question->stat;
    out->verdict = PATH_WANTED;
    if (question->closed) {
        out->verdict = PATH_UNREADABLE;
        out->at = question->closed;
    } else if (S_ISDIR(stat->st_mode)) {
        out->verdict = allowed(question->fd, R_OK | X_OK) ? PATH_FOLDER : PATH_UNREADABLE;
    } else if (!walk_wants(question->config->extensions, question->path)) {
        out->verdict = PATH_NOT_A_VIDEO;
    } else if (!S_ISREG(stat->st_mode)) {
        out->verdict = PATH_NOT_A_FILE;
    } else if (!allowed(question->fd, R_OK)) {
        out->verdict = PATH_UNREADABLE;
    } else if (settling(question->config, stat)) {
        out->verdict = PATH_SETTLING;
    }
}

static enum rl_err answer(struct question *question, struct path_explanation *out)
{
    int error = go_down(question);
    enum rl_err err = resources(error);
    out->at = question->len;
    out->verdict = error ? media_file_verdict(error) : PATH_WANTED;
    if (!error)
        out->stamp = stamp_of(&question->stat);
    if (!err && out->verdict != PATH_GONE)
        err = ask_rules(question, !error && S_ISDIR(question->stat.st_mode), out);
    if (!err && !error && out->verdict != PATH_IGNORED)
        judge(question, out);
    if (question->fd >= 0)
        close(question->fd);
    return err;
}

void path_explanation_clear(struct path_explanation *explanation)
{
    free(explanation->rule_file);
    *explanation = (struct path_explanation){0};
}

/* Thread: any. */
enum rl_err library_explain(struct library *library, const char *path, struct path_explanation *out)
{
    const struct library_config *config = &library->config;
    *out = (struct path_explanation){.verdict = PATH_OUTSIDE, .at = strlen(path)};
    if (!tidy(path))
        return RL_EINVAL;
    if (!roots_allow(config->roots, path))
        return RL_OK;
    char *from;
    enum rl_err err = innermost(library, path, &from);
    struct question question = {
        .config = config,
        .path = path,
        .top = roots_top(config->roots, path),
        .from = from ? from : "/",
        .links = {.fd = -1, .follow = config->follow_symlinks, .roots = config->roots},
        .fd = -1};
    if (!err)
        err = answer(&question, out);
    free(from);
    if (err)
        path_explanation_clear(out);
    return err;
}
