#include <inttypes.h>
#include <stdio.h>

#include "lists.h"
#include "reeld/events.h"
#include "room.h"

enum { TAG_SIZE = CATALOG_ID_SIZE + 48, ROW_TYPICAL = 1024 };

/* The catalogue's id and sequence say what is in it; what was published is in the answer too, as
 * its event_id. What was asked is the address's to say. */
static void write_tag(const struct exchange *exchange, int64_t sequence, char tag[TAG_SIZE])
{
    const struct server *server = exchange->server;
    snprintf(tag, TAG_SIZE, "W/\"%s.%" PRIx64 ".%" PRIx64 "\"", catalog_id(server->reader),
             (uint64_t)sequence, (uint64_t)ring_sequence(server->channel.ring));
}

static void set_tag(struct exchange *exchange, const char *tag)
{
    struct answer *answer = &exchange->answer;
    answer_tag(answer, tag);
    if (exchange->server->config.token)
        answer->cache = "private, no-cache";
}

bool list_unchanged(struct exchange *exchange)
{
    int64_t sequence;
    char tag[TAG_SIZE];
    if (!exchange->request.if_none_match[0] ||
        catalog_sequence(exchange->server->reader, &sequence) != RL_OK)
        return false;
    write_tag(exchange, sequence, tag);
    if (!request_has(&exchange->request, tag))
        return false;
    exchange->answer.status = 304;
    set_tag(exchange, tag);
    return true;
}

void list_tag(struct exchange *exchange, int64_t sequence)
{
    char tag[TAG_SIZE];
    if (exchange->answer.status != 200)
        return;
    write_tag(exchange, sequence, tag);
    set_tag(exchange, tag);
}

int64_t list_event(const struct exchange *exchange, int64_t sequence)
{
    int64_t published = ring_sequence(exchange->server->channel.ring);
    return sequence < published ? sequence : published;
}

void list_append_videos(struct buf *body, const struct video_page *page)
{
    buf_reserve(body, page->count * ROW_TYPICAL);
    buf_puts(body, "\"videos\":[");
    for (size_t i = 0; i < page->count; i++) {
        if (i > 0)
            buf_puts(body, ",");
        json_video_append(body, &page->videos[i]);
    }
    buf_printf(body, "],\"total\":%" PRId64, page->total);
}

bool list_must_wait(struct exchange *exchange, const struct video_filter *filter)
{
    if (!filter->search || !exchange_crowded(exchange))
        return false;
    exchange_await_slice(exchange);
    return true;
}

void list_failure(struct exchange *exchange, enum rl_err err)
{
    const struct server *server = exchange->server;
    if (err == RL_EAGAIN)
        exchange_await_slice(exchange);
    else if (err == RL_EBUSY && !server->warm.ready)
        answer_error(&exchange->answer, 503, "CATALOGUE_LOADING", NULL,
                     "the catalogue is still being read after the start; lists in the order of "
                     "names or of coming, without a filter, are there already: try again soon");
    else
        answer_failure(&exchange->answer, err, catalog_error(server->reader));
}
