#include "members.h"
#include "room.h"

static struct event *meta_event(struct channel *channel, enum event_type type,
                                struct json_object *payload)
{
    struct event_source source = {.catalog_id = catalog_id(channel->server->reader)};
    return event_new(type, &source, NULL, payload);
}

struct event *hello_event(struct channel *channel)
{
    struct server *server = channel->server;
    struct members hello = members_new(), about = members_new();
    struct json_object *jobs = json_object_new_array();
    struct job_list active = {0};
    members_text(&about, "name", "reeld");
    members_text(&about, "version", REELD_VERSION);
    members_add(&hello, "server", members_done(&about));
    members_add(&hello, "event_id", channel_event_id(channel));
    members_int(&hello, "heartbeat_ms", server->config.heartbeat_ms);
    if (library_jobs(server->library, &active))
        hello.failed = true;
    for (size_t i = 0; i < active.count; i++)
        members_append(&hello, jobs, json_job(&active.jobs[i]));
    job_list_clear(&active);
    members_add(&hello, "jobs", jobs);
    struct json_object *payload = members_done(&hello);
    return payload ? meta_event(channel, EVENT_HELLO, payload) : NULL;
}

struct event *subscribed_event(struct channel *channel, const struct session *session,
                               bool recovered)
{
    struct members payload = members_new();
    members_add(&payload, "topics", subscription_topics(&session->feed.wanted));
    members_bool(&payload, "recovered", recovered);
    struct json_object *json = members_done(&payload);
    return json ? meta_event(channel, EVENT_SUBSCRIBED, json) : NULL;
}

struct event *error_event(struct channel *channel, const char *code, const char *message)
{
    struct members payload = members_new();
    members_text(&payload, "code", code);
    members_text(&payload, "message", message);
    struct json_object *json = members_done(&payload);
    return json ? meta_event(channel, EVENT_ERROR, json) : NULL;
}

struct event *heartbeat_event(struct channel *channel)
{
    return meta_event(channel, EVENT_HEARTBEAT, NULL);
}
