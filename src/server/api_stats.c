#include <inttypes.h>
#include <stdio.h>

#include "api.h"
#include "lists.h"
#include "members.h"
#include "reeld/events.h"
#include "room.h"
#include "video_query.h"

static const char *const facet_words[FACETS] = {
    [FACET_VIDEO_CODEC] = "video_codec", [FACET_CONTAINER] = "container",
    [FACET_RESOLUTION] = "resolution",   [FACET_HDR] = "hdr",
    [FACET_SUBTITLES] = "subtitles",     [FACET_LANGUAGE] = "language",
};

static struct json_object *facet_json(const struct facet_counts *facet)
{
    struct members failure = {0};
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < facet->count; i++) {
        const struct facet_value *value = &facet->values[i];
        struct members json = members_new();
        members_text(&json, "value", value->word[0] ? value->word : NULL);
        members_int(&json, "count", value->count);
        members_append(&failure, list, members_done(&json));
    }
    if (failure.failed) {
        json_object_put(list);
        return NULL;
    }
    return list;
}

static struct json_object *seconds_json(int64_t us)
{
    char text[40];
    if (us < 0)
        us = 0;
    snprintf(text, sizeof text, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
    return json_object_new_double_s((double)us / 1e6, text);
}

static struct json_object *stats_json(const struct exchange *exchange,
                                      const struct video_stats *stats)
{
    struct members json = members_new(), by = members_new();
    members_int(&json, "videos", stats->videos);
    members_add(&json, "duration_s", seconds_json(stats->duration_us));
    members_int(&json, "size", stats->size);
    members_int(&json, "missing", stats->missing);
    members_int(&json, "failed", stats->failed);
    members_int(&json, "duplicates", stats->duplicates);
    for (int i = 0; i < FACETS; i++)
        members_add(&by, facet_words[i], facet_json(&stats->facets[i]));
    members_add(&json, "by", members_done(&by));
    members_add(
        &json, "event_id",
        json_event_id(catalog_id(exchange->server->reader), list_event(exchange, stats->sequence)));
    return members_done(&json);
}

void api_stats(struct exchange *exchange)
{
    struct video_request asked;
    struct problem problem;
    if (!video_filter_read(&exchange->request, &asked, &problem)) {
        answer_problem(&exchange->answer, &problem);
    } else if (!list_unchanged(exchange) && !list_must_wait(exchange, &asked.query.filter)) {
        struct video_stats stats;
        enum rl_err err = catalog_stats(exchange->server->reader, &asked.query.filter, &stats);
        if (err) {
            list_failure(exchange, err);
        } else {
            answer_json(&exchange->answer, 200, stats_json(exchange, &stats));
            list_tag(exchange, stats.sequence);
            video_stats_clear(&stats);
        }
    }
    video_request_clear(&asked);
}
