#include <string.h>

#include "api.h"
#include "members.h"
#include "position.h"
#include "query.h"
#include "reeld/events.h"
#include "room.h"

enum { CHANGES_LIMIT_DEFAULT = 500, CHANGES_LIMIT_MAX = 1000 };

/* Where the client is, and how much it wants; false: the exchange is answered. */
static bool read_changes_query(struct exchange *exchange, int64_t *since, int64_t *limit)
{
    const char *text = NULL;
    const struct query_field fields[] = {
        {"since", QUERY_TEXT, 0, 0, &text},
        {"limit", QUERY_INTEGER, 1, CHANGES_LIMIT_MAX, limit},
    };
    struct problem problem;
    struct position position = {.sequence = 0};
    bool ok = query_read(&exchange->request, fields, sizeof fields / sizeof *fields, &problem);
    if (ok && text) {
        ok = position_parse(text, &position) ||
             problem_set(&problem, 400, "BAD_PARAMETER", "since",
                         "since must be an event_id, or the next of an answer");
        const char *here = catalog_id(exchange->server->reader);
        if (ok && strcmp(position.catalog, here) != 0)
            ok = problem_set(&problem, 410, "RESYNC", "since",
                             "since is of another catalogue: begin anew, without since");
    }
    *since = position.sequence;
    if (!ok)
        answer_problem(&exchange->answer, &problem);
    return ok;
}

static struct json_object *change_json(const struct change *change, const char *catalog)
{
    struct members json = members_new();
    members_add(&json, "event_id", json_event_id(catalog, change->sequence));
    members_text(&json, "id", change->id);
    members_bool(&json, "removed", change->removed);
    if (change->removed)
        members_add_or_null(&json, "video", NULL);
    else
        members_add(&json, "video", json_video(&change->video, false));
    return members_done(&json);
}

/* Where the client goes on. At the end of the feed that is no later than what is published, so that
 * the same point is one of the stream; but never back. */
static int64_t next_sequence(const struct exchange *exchange, const struct change_list *list,
                             int64_t since)
{
    if (list->more)
        return list->changes[list->count - 1].sequence;
    int64_t published = ring_sequence(exchange->server->channel.ring);
    int64_t next = list->sequence < published ? list->sequence : published;
    return next < since ? since : next;
}

void api_changes(struct exchange *exchange)
{
    struct server *server = exchange->server;
    int64_t since, limit = CHANGES_LIMIT_DEFAULT;
    if (!read_changes_query(exchange, &since, &limit))
        return;
    struct change_list list;
    enum rl_err err = catalog_changes(server->reader, since, (int)limit, &list);
    if (err) {
        answer_failure(&exchange->answer, err, catalog_error(server->reader));
        return;
    }
    if (since > list.sequence) {
        answer_error(&exchange->answer, 410, "RESYNC", "since",
                     "since is ahead of this catalogue: begin anew, without since");
    } else {
        const char *catalog = catalog_id(server->reader);
        struct members json = members_new();
        struct json_object *changes = json_object_new_array();
        for (size_t i = 0; i < list.count; i++)
            members_append(&json, changes, change_json(&list.changes[i], catalog));
        members_add(&json, "changes", changes);
        members_add(&json, "next", json_event_id(catalog, next_sequence(exchange, &list, since)));
        members_bool(&json, "more", list.more);
        answer_json(&exchange->answer, 200, members_done(&json));
    }
    change_list_clear(&list);
}
