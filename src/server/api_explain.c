/* Why a file is in the catalogue, or is not. */
#include <string.h>

#include "api.h"
#include "explain_words.h"
#include "members.h"
#include "query.h"
#include "reeld/events.h"
#include "room.h"

/* The path that is asked for, without what says nothing. */
static bool requested(const struct request *request, struct buf *out, struct problem *problem)
{
    const char *path = NULL, *path_uri = NULL;
    const struct query_field fields[] = {
        {"path", QUERY_BYTES, 0, 0, &path},
        {"path_uri", QUERY_BYTES, 0, 0, &path_uri},
    };
    if (!query_read(request, fields, sizeof fields / sizeof *fields, problem))
        return false;
    if (!path == !path_uri)
        return path ? problem_set(problem, 400, "CONFLICTING_PARAMETERS", "path",
                                  "give path or path_uri, not both")
                    : problem_set(problem, 400, "MISSING_PARAMETER", "path", "path must be given");
    struct buf decoded = {0};
    enum rl_err err = path_uri ? path_uri_decode(&decoded, path_uri) : RL_OK;
    if (err == RL_EINVAL) {
        buf_free(&decoded);
        return problem_set(problem, 400, "BAD_PARAMETER", "path_uri",
                           "path_uri has a bad percent escape");
    }
    const char *asked = path ? path : decoded.data ? decoded.data : "";
    err = err ? err : path_tidy(out, asked);
    buf_free(&decoded);
    if (err == RL_EINVAL)
        return problem_set(problem, 400, "BAD_PATH", path ? "path" : "path_uri",
                           "the path must be absolute: it must begin with /");
    return !err || problem_set(problem, 503, "OUT_OF_MEMORY", NULL, "out of memory");
}

static void add_path(struct members *json, const char *key, const char *path)
{
    if (!json->failed)
        json_add_path(json->json, key, path);
}

static struct json_object *rule_json(const struct path_explanation *disk)
{
    struct members json = members_new();
    struct buf pattern = {0};
    utf8_append_lossy(&pattern, disk->rule, strlen(disk->rule));
    json.failed |= pattern.failed;
    members_text(&json, "pattern", pattern.data ? pattern.data : "");
    buf_free(&pattern);
    if (disk->rule_file)
        add_path(&json, "file", disk->rule_file);
    else
        members_add_or_null(&json, "file", NULL);
    members_add_or_null(&json, "line",
                        disk->rule_line ? json_object_new_int64(disk->rule_line) : NULL);
    return members_done(&json);
}

/* The part of the path that it is about, where that is not all of it. */
static void add_at(struct members *json, const struct path_finding *finding)
{
    struct buf part = {0};
    bool whole = finding->disk.at >= strlen(finding->path);
    if (!whole)
        buf_append(&part, finding->path, finding->disk.at);
    json->failed |= part.failed;
    if (whole)
        members_add_or_null(json, "at", NULL);
    else
        add_path(json, "at", part.data ? part.data : "/");
    buf_free(&part);
}

static struct json_object *finding_json(const struct path_finding *finding)
{
    const struct path_about *known = &finding->known;
    const char *error = NULL;
    if (finding->code != FAILURE_NONE)
        error = finding->code == known->failure && known->error[0] ? known->error
                                                                   : failure_meaning(finding->code);
    struct buf words = {0};
    struct members json = members_new();
    add_path(&json, "path", finding->path);
    members_text(&json, "status", path_status_word(finding->status));
    members_text(&json, "code", failure_word(finding->code));
    members_text(&json, "error", error);
    if (finding->disk.verdict == PATH_IGNORED)
        members_add(&json, "rule", rule_json(&finding->disk));
    else
        members_add_or_null(&json, "rule", NULL);
    add_at(&json, finding);
    members_text(&json, "video_id", known->video_id[0] ? known->video_id : NULL);
    members_add_or_null(&json, "missing_since", json_time(known->missing_since_ms));
    members_bool(&json, "changed", finding->changed);
    finding_words(finding, &words);
    json.failed |= words.failed;
    members_text(&json, "message", words.data ? words.data : "");
    buf_free(&words);
    return members_done(&json);
}

void api_explain(struct exchange *exchange)
{
    struct server *server = exchange->server;
    struct answer *answer = &exchange->answer;
    struct problem problem;
    struct buf path = {0};
    if (!requested(&exchange->request, &path, &problem)) {
        answer_problem(answer, &problem);
        buf_free(&path);
        return;
    }
    struct path_finding finding = {.path = path.data};
    enum rl_err err = library_explain(server->library, path.data, &finding.disk);
    if (err) {
        answer_error(answer, 503, "PATH_FAILED", "path", "the path could not be looked at: %s",
                     rl_err_text(err));
    } else if ((err = catalog_path_about(server->reader, path.data, &finding.known))) {
        answer_failure(answer, err, catalog_error(server->reader));
    } else {
        finding_decide(&finding);
        answer_json(answer, 200, finding_json(&finding));
    }
    path_explanation_clear(&finding.disk);
    buf_free(&path);
}
