#include <stdlib.h>
#include <string.h>

#include "private.h"

/* All texts lie in `text`; while it grows, the entries hold offsets, kept beside them. */
struct known_directory {
    struct known_file *files;
    bool *marked; /* one for each file */
    size_t count;
    struct buf text;
    int64_t id;
    uint64_t device;
};

/* A list under construction. Offset 0 is a NUL: no text. */
struct draft {
    struct known_file *files;
    size_t *names, *errors;
    size_t count, cap;
    struct buf text;
};

static bool draft_grow(struct draft *draft)
{
    size_t cap = draft->cap ? draft->cap * 2 : 64;
    struct known_file *files = reallocarray(draft->files, cap, sizeof *files);
    if (files)
        draft->files = files;
    size_t *names = reallocarray(draft->names, cap, sizeof *names);
    if (names)
        draft->names = names;
    size_t *errors = reallocarray(draft->errors, cap, sizeof *errors);
    if (errors)
        draft->errors = errors;
    if (!files || !names || !errors)
        return false;
    draft->cap = cap;
    return true;
}

static size_t draft_text(struct draft *draft, const void *bytes, int len)
{
    if (!bytes)
        return 0;
    size_t at = draft->text.len;
    buf_append(&draft->text, bytes, (size_t)len);
    buf_append(&draft->text, "", 1);
    return at;
}

/* Columns of both queries: name, size, mtime_ns, device, inode, job; then outcome and number, or
 * code, error, worker_version. */
static enum rl_err draft_add(struct draft *draft, sqlite3_stmt *statement,
                             const char *worker_version)
{
    if (draft->count == draft->cap && !draft_grow(draft))
        return RL_ENOMEM;
    struct known_file *file = &draft->files[draft->count];
    *file = (struct known_file){0};
    const void *name = sqlite3_column_blob(statement, 0);
    draft->names[draft->count] =
        draft_text(draft, name ? name : "", sqlite3_column_bytes(statement, 0));
    draft->errors[draft->count] = 0;
    struct row row = {.statement = statement, .column = 1};
    file->stamp.size = row_int(&row);
    file->stamp.mtime_ns = row_int(&row);
    file->stamp.device = row_unsigned(&row);
    file->stamp.inode = row_unsigned(&row);
    file->job = row_int(&row);
    if (!worker_version) {
        file->outcome = words_parse_outcome(row_word(&row), OUTCOME_NONE);
        file->number = row_int(&row);
    } else {
        /* A code that no longer exists was given by an older judge. */
        file->failure = words_parse_failure(row_word(&row), FAILURE_NONE);
        file->failure_stale = file->failure == FAILURE_NONE;
        if (file->failure_stale)
            file->failure = FAILURE_NOT_MEDIA;
        const char *error = row_word(&row);
        draft->errors[draft->count] = draft_text(draft, error, error ? (int)strlen(error) : 0);
        const char *judge = row_word(&row);
        if (strcmp(judge ? judge : "", worker_version) != 0)
            file->failure_stale = true;
        file->outcome = OUTCOME_FAILED;
    }
    draft->count++;
    return draft->text.failed ? RL_ENOMEM : RL_OK;
}

static enum rl_err draft_read(struct catalog *catalog, int slot, const char *sql, int64_t directory,
                              const char *worker_version, struct draft *draft)
{
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, slot, sql, &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, directory);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK)
        err = draft_add(draft, list, worker_version);
    sqlite3_reset(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

/* Turns offsets into pointers and merges the two sorted runs; where both have a name, the failure
 * wins, since it is about a later state of the file. */
static void draft_merge(struct draft *draft, size_t videos, struct known_file *out, size_t *count)
{
    for (size_t i = 0; i < draft->count; i++) {
        draft->files[i].name = draft->text.data + draft->names[i];
        if (draft->errors[i])
            draft->files[i].error = draft->text.data + draft->errors[i];
    }
    size_t video = 0, failure = videos;
    while (video < videos || failure < draft->count) {
        int order = video == videos ? 1
                    : failure == draft->count
                        ? -1
                        : strcmp(draft->files[video].name, draft->files[failure].name);
        out[*count] = draft->files[order < 0 ? video : failure];
        if (order == 0)
            out[*count].number = draft->files[video].number;
        ++*count;
        if (order <= 0)
            video++;
        if (order >= 0)
            failure++;
    }
}

static enum rl_err draft_finish(struct draft *draft, size_t videos, struct known_directory *out)
{
    if (draft->count == videos) {
        for (size_t i = 0; i < videos; i++)
            draft->files[i].name = draft->text.data + draft->names[i];
        out->files = draft->files;
        out->count = videos;
        draft->files = NULL;
    } else {
        out->files = calloc(draft->count, sizeof *out->files);
        if (!out->files)
            return RL_ENOMEM;
        draft_merge(draft, videos, out->files, &out->count);
    }
    out->text = draft->text;
    draft->text = (struct buf){0};
    return RL_OK;
}

static enum rl_err find_folder(struct catalog *catalog, const char *path, size_t len, int64_t *id,
                               uint64_t *device)
{
    sqlite3_stmt *find;
    enum rl_err err = statement_get(catalog, ST_KNOWN_FOLDER,
                                    "SELECT id, device FROM directories WHERE path = ?1", &find);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = find};
    bind_bytes(&binder, path, len);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, find);
    if (err == RL_OK) {
        struct row row = {.statement = find};
        *id = row_int(&row);
        *device = row_unsigned(&row);
        sqlite3_reset(find);
    }
    return err;
}

enum rl_err catalog_known(struct catalog *catalog, const char *directory,
                          const char *worker_version, struct known_directory **out)
{
    catalog_enter(catalog);
    *out = NULL;
    struct known_directory *known = calloc(1, sizeof *known);
    if (!known)
        return RL_ENOMEM;
    size_t len = strlen(directory);
    while (len > 1 && directory[len - 1] == '/')
        len--;
    int64_t id = 0;
    enum rl_err err = find_folder(catalog, directory, len, &id, &known->device);
    if (err == RL_ENOTFOUND) {
        *out = known;
        return RL_OK;
    }
    known->id = id;
    struct draft draft = {0};
    buf_append(&draft.text, "", 1);
    /* A missing video is not in the list: when its file is back, it is looked at anew. */
    if (err == RL_OK)
        err = draft_read(
            catalog, ST_KNOWN_VIDEOS,
            "SELECT name, size, mtime_ns, device, inode, job, outcome, number FROM videos"
            " WHERE directory = ?1 AND missing_since = 0 ORDER BY name",
            id, NULL, &draft);
    size_t videos = draft.count;
    if (err == RL_OK)
        err = draft_read(catalog, ST_KNOWN_FAILURES,
                         "SELECT name, size, mtime_ns, device, inode, job, code, error,"
                         " worker_version FROM failures WHERE directory = ?1 ORDER BY name",
                         id, worker_version, &draft);
    if (err == RL_OK)
        err = draft_finish(&draft, videos, known);
    known->marked = calloc(known->count + 1, sizeof *known->marked);
    if (err == RL_OK && !known->marked)
        err = RL_ENOMEM;
    free(draft.files);
    free(draft.names);
    free(draft.errors);
    buf_free(&draft.text);
    if (err == RL_OK)
        *out = known;
    else
        known_free(known);
    return err;
}

const struct known_file *known_find(const struct known_directory *known, const char *name)
{
    size_t low = 0, high = known->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, known->files[middle].name);
        if (order == 0)
            return &known->files[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

void known_mark(struct known_directory *known, const struct known_file *file)
{
    known->marked[file - known->files] = true;
}

const struct known_file *known_unmarked(const struct known_directory *known, size_t *at)
{
    while (*at < known->count) {
        size_t index = (*at)++;
        if (!known->marked[index])
            return &known->files[index];
    }
    return NULL;
}

int64_t known_id(const struct known_directory *known)
{
    return known->id;
}

uint64_t known_device(const struct known_directory *known)
{
    return known->device;
}

void known_free(struct known_directory *known)
{
    if (!known)
        return;
    free(known->files);
    free(known->marked);
    buf_free(&known->text);
    free(known);
}
