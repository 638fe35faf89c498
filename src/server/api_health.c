#include "api.h"
#include "members.h"
#include "room.h"

void api_health_live(struct exchange *exchange)
{
    struct members json = members_new();
    members_text(&json, "status", "ok");
    answer_json(&exchange->answer, 200, members_done(&json));
}

static const char *sandbox_word(enum pool_sandbox sandbox)
{
    switch (sandbox) {
    case POOL_SANDBOX_UNKNOWN:
        return "unknown";
    case POOL_SANDBOX_FULL:
        return "full";
    case POOL_SANDBOX_NO_LANDLOCK:
        return "no-landlock";
    case POOL_SANDBOX_FAILED:
        return "failed";
    }
    return "unknown";
}

static struct json_object *check(bool ok, const char *reason)
{
    struct members json = members_new();
    members_text(&json, "status", ok ? "ok" : "degraded");
    if (reason && *reason)
        members_text(&json, "reason", reason);
    return members_done(&json);
}

/* Just after the start none may have come up yet: that is no fault. */
static bool workers_ok(const struct pool_status *pool)
{
    bool starting = pool->sandbox == POOL_SANDBOX_UNKNOWN && !pool->sandbox_error[0];
    return pool->sandbox != POOL_SANDBOX_FAILED && (pool->alive > 0 || starting);
}

static struct json_object *check_workers(const struct pool_status *pool, bool ok)
{
    const char *reason = pool->sandbox_error;
    if (!ok && !*reason)
        reason = pool->sandbox == POOL_SANDBOX_FAILED ? "no worker could confine itself"
                                                      : "no worker is running";
    struct members json = {.json = check(ok, reason)};
    json.failed = !json.json;
    members_int(&json, "workers", pool->workers);
    members_int(&json, "alive", pool->alive);
    members_text(&json, "sandbox", sandbox_word(pool->sandbox));
    members_text(&json, "version", pool->version[0] ? pool->version : NULL);
    return members_done(&json);
}

static struct json_object *check_loop(const struct server *server)
{
    struct members json = {.json = check(true, NULL)};
    json.failed = !json.json;
    members_text(&json, "backend", server->uv ? "libuv" : "poll");
    return members_done(&json);
}

void api_health_ready(struct exchange *exchange)
{
    struct server *server = exchange->server;
    struct library_status status;
    library_status(server->library, &status);
    const char *database_error = status.database_error;
    bool database = status.database_ok;
    if (database && catalog_ping(server->reader)) {
        database = false;
        database_error = catalog_error(server->reader);
    }
    bool workers = workers_ok(&status.pool);
    bool ok = database && workers && status.pictures.ok;
    struct members json = members_new(), checks = members_new();
    members_text(&json, "status", ok ? "ok" : "degraded");
    members_add(&checks, "database", check(database, database ? NULL : database_error));
    members_add(&checks, "workers", check_workers(&status.pool, workers));
    members_add(&checks, "pictures", check(status.pictures.ok, status.pictures.error));
    members_add(&checks, "loop", check_loop(server));
    members_add(&json, "checks", members_done(&checks));
    answer_json(&exchange->answer, ok ? 200 : 503, members_done(&json));
}

void api_metrics(struct exchange *exchange)
{
    struct answer *answer = &exchange->answer;
    metrics_print(exchange->server, &answer->body);
    answer->status = 200;
    answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
    if (answer->body.failed)
        answer_failure(answer, RL_ENOMEM, NULL);
}

void api_upgrade_required(struct exchange *exchange)
{
    answer_error(&exchange->answer, 426, "UPGRADE_REQUIRED", NULL, "this is a WebSocket");
    answer_header(&exchange->answer, "upgrade:", "websocket");
}
