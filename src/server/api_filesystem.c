/* The folder picker: sub-directories, inside the roots only. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "members.h"
#include "query.h"
#include "reeld/events.h"
#include "room.h"

/* A folder with more entries than this is listed as far as it was read: the loop may not wait. */
enum { ENTRIES_MAX = 100000, LIMIT_DEFAULT = 200, LIMIT_MAX = 1000 };

struct names {
    char **names;
    size_t count, room;
};

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
}

static bool names_add(struct names *names, const char *name)
{
    if (names->count == names->room) {
        size_t room = names->room ? names->room * 2 : 64;
        char **grown = realloc(names->names, room * sizeof *grown);
        if (!grown)
            return false;
        names->names = grown;
        names->room = room;
    }
    char *copy = strdup(name);
    if (copy)
        names->names[names->count++] = copy;
    return copy != NULL;
}

static int by_name(const void *a, const void *b)
{
    return natural_compare(*(char *const *)a, *(char *const *)b);
}

/* Whether the entry is a directory, or a link to one that may be looked into. */
static bool is_directory(struct server *server, int dir, const char *path,
                         const struct dirent *entry)
{
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return false;
    if (entry->d_type == DT_DIR)
        return true;
    struct stat stat;
    if ((entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) ||
        fstatat(dir, entry->d_name, &stat, 0) != 0 || !S_ISDIR(stat.st_mode))
        return false;
    struct buf full = {0};
    char *real = NULL;
    path_join(&full, path, entry->d_name);
    bool allowed = !full.failed && library_resolve(server->library, full.data, &real) == RL_OK;
    free(real);
    buf_free(&full);
    return allowed;
}

static enum rl_err read_directory(struct server *server, const char *path, struct names *out)
{
    DIR *dir = opendir(path);
    if (!dir)
        return errno == EACCES ? RL_EPERM : errno == ENOTDIR ? RL_EINVAL : RL_EIO;
    enum rl_err err = RL_OK;
    struct dirent *entry;
    for (int n = 0; n < ENTRIES_MAX && !err && (entry = readdir(dir)); n++) {
        if (is_directory(server, dirfd(dir), path, entry) && !names_add(out, entry->d_name))
            err = RL_ENOMEM;
    }
    closedir(dir);
    if (out->count)
        qsort(out->names, out->count, sizeof *out->names, by_name);
    return err;
}

static struct json_object *directory_json(const char *name, const char *path)
{
    struct members json = members_new();
    struct buf text = {0};
    utf8_append_lossy(&text, name, strlen(name));
    if (text.failed || !*name)
        json.failed = text.failed;
    members_text(&json, "name", text.data ? text.data : "");
    buf_free(&text);
    if (!json.failed)
        json_add_path(json.json, "path", path);
    members_bool(&json, "readable", access(path, R_OK | X_OK) == 0);
    return members_done(&json);
}

/* The folder above, or NULL at the top of what may be seen. The caller frees it. */
static char *parent_of(const struct server *server, const char *path)
{
    const char *const *roots = server->config.roots;
    if (strcmp(path, "/") == 0)
        return NULL;
    const char *slash = strrchr(path, '/');
    char *parent = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    bool allowed = !roots || !roots[0];
    for (size_t i = 0; parent && roots && roots[i]; i++)
        allowed = allowed || path_beneath(roots[i], parent);
    if (!allowed) {
        free(parent);
        return NULL;
    }
    return parent;
}

struct page {
    int64_t limit, offset;
};

/* `path` NULL: the names are the roots themselves. */
static void answer_directories(struct exchange *exchange, const char *path,
                               const struct names *names, const struct page *page)
{
    struct members json = members_new();
    struct json_object *list = json_object_new_array();
    char *parent = path ? parent_of(exchange->server, path) : NULL;
    if (!json.failed) {
        json_add_path(json.json, "path", path ? path : "/");
        if (parent)
            json_add_path(json.json, "parent", parent);
        else
            members_add_or_null(&json, "parent", NULL);
    }
    free(parent);
    for (size_t i = (size_t)page->offset;
         i < names->count && i < (size_t)(page->offset + page->limit); i++) {
        struct buf full = {0};
        if (path)
            path_join(&full, path, names->names[i]);
        else
            buf_puts(&full, names->names[i]);
        members_append(&json, list,
                       full.failed ? NULL : directory_json(path_name(names->names[i]), full.data));
        buf_free(&full);
    }
    members_add(&json, "directories", list);
    members_int(&json, "total", (int64_t)names->count);
    members_int(&json, "limit", page->limit);
    members_int(&json, "offset", page->offset);
    answer_json(&exchange->answer, 200, members_done(&json));
}

static bool list_folder(struct exchange *exchange, const char *path, const struct page *page,
                        struct problem *problem)
{
    struct names names = {0};
    char *real = NULL;
    bool ok = api_resolve(exchange->server, path, &real, problem);
    if (!ok && problem->status == 400 && strcmp(problem->code, "PATH_NOT_FOUND") == 0)
        problem->status = 404;
    if (ok) {
        enum rl_err err = read_directory(exchange->server, real, &names);
        if (err == RL_EPERM)
            ok =
                problem_set(problem, 403, "PATH_NOT_ALLOWED", "path", "the folder may not be read");
        else if (err == RL_EINVAL)
            ok = problem_set(problem, 400, "NOT_A_FOLDER", "path", "that is not a folder");
        else if (err)
            ok = problem_set(problem, 503, "PATH_FAILED", "path", "the folder could not be read");
        else
            answer_directories(exchange, real, &names, page);
    }
    names_free(&names);
    free(real);
    return ok;
}

static void list_roots(struct exchange *exchange, const struct page *page)
{
    const char *const *roots = exchange->server->config.roots;
    struct names names = {0};
    bool ok = true;
    for (size_t i = 0; ok && roots[i]; i++)
        ok = names_add(&names, roots[i]);
    if (ok)
        answer_directories(exchange, NULL, &names, page);
    else
        answer_failure(&exchange->answer, RL_ENOMEM, NULL);
    names_free(&names);
}

void api_directories(struct exchange *exchange)
{
    const char *path = NULL, *path_uri = NULL;
    struct page page = {.limit = LIMIT_DEFAULT};
    const struct query_field fields[] = {
        {"path", QUERY_BYTES, 0, 0, &path},
        {"path_uri", QUERY_BYTES, 0, 0, &path_uri},
        {"limit", QUERY_INTEGER, 1, LIMIT_MAX, &page.limit},
        {"offset", QUERY_INTEGER, 0, INT32_MAX, &page.offset},
    };
    const char *const *roots = exchange->server->config.roots;
    struct problem problem;
    struct buf decoded = {0};
    bool ok = query_read(&exchange->request, fields, sizeof fields / sizeof *fields, &problem);
    if (ok && path && path_uri)
        ok = problem_set(&problem, 400, "CONFLICTING_PARAMETERS", "path",
                         "give path or path_uri, not both");
    if (ok && path_uri) {
        ok = path_uri_decode(&decoded, path_uri) == RL_OK ||
             problem_set(&problem, 400, "BAD_PARAMETER", "path_uri",
                         "path_uri has a bad percent escape");
        path = decoded.data ? decoded.data : "";
    }
    if (ok && !path && roots && roots[0])
        list_roots(exchange, &page);
    else if (ok)
        ok = list_folder(exchange, path ? path : "/", &page, &problem);
    if (!ok)
        answer_problem(&exchange->answer, &problem);
    buf_free(&decoded);
}
