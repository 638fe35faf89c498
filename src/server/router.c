#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api.h"
#include "guard.h"
#include "room.h"
#include "router.h"

static const struct route routes[] = {
    {METHOD_POST, false, "/api/v1/videos/scan", api_scan},
    {METHOD_POST, false, "/api/v1/videos/purge", api_videos_purge},
    {METHOD_GET, false, "/api/v1/videos", api_videos_list},
    {METHOD_GET, false, "/api/v1/videos/search", api_videos_search},
    {METHOD_GET, false, "/api/v1/videos/{id}", api_videos_get},
    {METHOD_GET, false, "/api/v1/videos/{id}/duplicates", api_videos_duplicates},
    {METHOD_GET, false, "/api/v1/videos/{id}/thumbnail", api_videos_picture},
    {METHOD_GET, false, "/api/v1/videos/{id}/storyboard.jpg", api_videos_picture},
    {METHOD_GET, false, "/api/v1/videos/{id}/storyboard.vtt", api_videos_picture},
    {METHOD_GET, false, "/api/v1/videos/{id}/file", api_videos_file},
    {METHOD_DELETE, false, "/api/v1/videos/{id}", api_videos_delete},
    {METHOD_GET, false, "/api/v1/stats", api_stats},
    {METHOD_GET, false, "/api/v1/jobs", api_jobs_list},
    {METHOD_GET, false, "/api/v1/jobs/{id}", api_jobs_get},
    {METHOD_GET, false, "/api/v1/jobs/{id}/wait", api_jobs_wait},
    {METHOD_POST, false, "/api/v1/jobs/{id}/cancel", api_jobs_cancel},
    {METHOD_POST, false, "/api/v1/jobs/{id}/pause", api_jobs_pause},
    {METHOD_POST, false, "/api/v1/jobs/{id}/resume", api_jobs_resume},
    {METHOD_GET, false, "/api/v1/jobs/{id}/failures", api_jobs_failures},
    {METHOD_GET, false, "/api/v1/changes", api_changes},
    {METHOD_GET, false, "/api/v1/events", api_events},
    {METHOD_GET, false, "/api/v1/backup", api_backup},
    {METHOD_GET, false, "/api/v1/explain", api_explain},
    {METHOD_GET, false, "/api/v1/roots", api_roots},
    {METHOD_POST, false, "/api/v1/roots", api_roots_add},
    {METHOD_DELETE, false, "/api/v1/roots/{id}", api_roots_delete},
    {METHOD_POST, false, "/api/v1/roots/{id}/accept-missing", api_roots_accept},
    {METHOD_GET, false, "/api/v1/filesystem/directories", api_directories},
    {METHOD_POST, true, "/api/v1/session", api_session},
    {METHOD_GET, false, "/api/v1/openapi.json", files_openapi},
    {METHOD_GET, false, "/api/v1/asyncapi.json", files_asyncapi},
    {METHOD_GET, true, "/health/live", api_health_live},
    {METHOD_GET, true, "/health/ready", api_health_ready},
    {METHOD_GET, false, "/metrics", api_metrics},
    {METHOD_GET, false, "/ws", api_upgrade_required},
};

enum { ROUTES = sizeof routes / sizeof *routes };
_Static_assert((int)ROUTES < (int)METRICS_ROUTES,
               "the metrics have a row for each route and one for none");

size_t router_count(void)
{
    return ROUTES;
}

size_t router_index(const struct route *route)
{
    return route ? (size_t)(route - routes) : ROUTES;
}

const char *router_pattern(size_t index)
{
    return index < ROUTES ? routes[index].pattern : "other";
}

bool router_match(const char *pattern, const char *path, char *param, size_t size)
{
    static const char hole[] = "{id}";
    const char *open = strstr(pattern, hole);
    if (!open)
        return strcmp(pattern, path) == 0;
    size_t head = (size_t)(open - pattern);
    if (strncmp(pattern, path, head) != 0)
        return false;
    size_t len = strcspn(path + head, "/");
    if (len == 0 || len >= size || strcmp(open + sizeof hole - 1, path + head + len) != 0)
        return false;
    memcpy(param, path + head, len);
    param[len] = '\0';
    return true;
}

/* The route of path and method, and into *allow the methods that the path has. A pattern without
 * {id} goes before one with it: "search" is not an id. */
static const struct route *find_route(struct request *request, unsigned *allow)
{
    const struct route *found = NULL;
    char param[sizeof request->param];
    bool literal = false;
    *allow = 0;
    for (size_t i = 0; i < ROUTES; i++) {
        const struct route *route = &routes[i];
        if (!router_match(route->pattern, request->path, param, sizeof param))
            continue;
        if (strchr(route->pattern, '{')) {
            if (literal)
                continue;
            strcpy(request->param, param);
        } else {
            literal = true;
        }
        *allow |= (unsigned)route->method;
        if (route->method == request->method)
            found = route;
    }
    return found;
}

static void refuse_method(struct answer *answer, unsigned allow)
{
    static const struct {
        enum method method;
        const char *words;
    } words[] = {{METHOD_GET, "GET, HEAD"}, {METHOD_POST, "POST"}, {METHOD_DELETE, "DELETE"}};
    char list[64] = "";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (allow & (unsigned)words[i].method) {
            size_t len = strlen(list);
            snprintf(list + len, sizeof list - len, "%s%s", len ? ", " : "", words[i].words);
        }
    }
    answer_error(answer, 405, "METHOD_NOT_ALLOWED", NULL, "this takes %s", list);
    answer_header(answer, "allow:", list);
}

/* Whether `path` belongs to the service and not to the page. */
static bool is_service_path(const char *path)
{
    static const char *const tops[] = {"/api", "/health", "/metrics", "/ws"};
    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++) {
        if (path_beneath(tops[i], path))
            return true;
    }
    return false;
}

static bool authorized(const struct server *server, const struct request *request)
{
    if (!server->config.token)
        return true;
    const char *bearer = guard_bearer(request->authorization);
    return (bearer && guard_secret_equal(server->config.token, bearer)) ||
           guard_secret_equal(server->token_cookie, request->cookie);
}

bool router_admit(struct exchange *exchange, bool open, bool changes)
{
    const struct server *server = exchange->server;
    const struct request *request = &exchange->request;
    struct answer *answer = &exchange->answer;
    struct guard guard = {server->config.listen, server->port, server->config.hosts};
    if (!guard_host_allowed(&guard, request->host)) {
        answer_error(answer, 421, "HOST_NOT_ALLOWED", NULL,
                     "the Host header does not name this service; name it in the configuration's "
                     "hosts if it is meant to");
        return false;
    }
    if (changes && (!guard_origin_allowed(request->origin, request->host) ||
                    !guard_site_allowed(request->fetch_site))) {
        answer_error(answer, 403, "ORIGIN_NOT_ALLOWED", NULL, "a page of another origin asks");
        return false;
    }
    if (!open && !authorized(server, request)) {
        answer_error(answer, 401, "TOKEN_REQUIRED", NULL,
                     "this service asks for a token: Authorization: Bearer, or the session cookie");
        answer_header(answer, "www-authenticate:", "Bearer realm=\"reeld\"");
        return false;
    }
    return true;
}

static bool body_type_allowed(const struct request *request)
{
    static const char json[] = "application/json";
    const char *type = request->content_type;
    size_t len = sizeof json - 1;
    return strncasecmp(type, json, len) == 0 && strchr("; \t", type[len]) != NULL;
}

static void call_route(struct exchange *exchange, const struct route *route)
{
    struct request *request = &exchange->request;
    exchange->route = route;
    if (request->method == METHOD_POST && request->body.len && !body_type_allowed(request)) {
        answer_error(&exchange->answer, 415, "JSON_REQUIRED", "content-type",
                     "the body must be application/json");
        return;
    }
    route->handle(exchange);
}

void router_dispatch(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    struct answer *answer = &exchange->answer;
    unsigned allow;
    const struct route *route = find_route(request, &allow);
    bool page = !allow && !is_service_path(request->path);
    bool changes = request->method != METHOD_GET;
    if (page)
        allow = METHOD_GET;
    if (router_admit(exchange, page || (route && route->open), changes)) {
        if (!allow)
            answer_error(answer, 404, "NOT_FOUND", NULL, "there is no such route");
        else if (route)
            call_route(exchange, route);
        else if (page && request->method == METHOD_GET)
            files_page(exchange);
        else
            refuse_method(answer, allow);
    }
    if (exchange->state == EXCHANGE_RECEIVING)
        exchange->state = EXCHANGE_READY;
}
