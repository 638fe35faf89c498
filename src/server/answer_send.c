#include <string.h>
#include <sys/socket.h>

#include "room.h"

/* Where the head is written. */
struct head {
    unsigned char *at, *end;
    bool failed;
};

static void add(struct lws *wsi, struct head *head, const char *name, const char *value)
{
    if (!head->failed)
        head->failed = lws_add_http_header_by_name(wsi, (const unsigned char *)name,
                                                   (const unsigned char *)value, (int)strlen(value),
                                                   &head->at, head->end) != 0;
}

static void add_security(struct lws *wsi, struct head *head, const struct answer *answer)
{
    /* One header after the other, as lws would write them: it writes what it is given. */
    add(wsi, head, "x-content-type-options:",
        "nosniff\r\nreferrer-policy: no-referrer\r\ncross-origin-resource-policy: same-origin");
    if (answer->media_page)
        /* A browser shows it in a page of its own making; nothing in it shall run. */
        add(wsi, head, "content-security-policy:",
            "sandbox; default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; "
            "frame-ancestors 'none'");
    else if (answer->page)
        add(wsi, head, "content-security-policy:",
            "default-src 'self'; connect-src 'self'; object-src 'none'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    else
        add(wsi, head, "content-security-policy:", "default-src 'none'; frame-ancestors 'none'");
}

/* Everything up to the empty line. */
static bool write_head(struct exchange *exchange, struct head *head)
{
    struct lws *wsi = exchange->wsi;
    const struct answer *answer = &exchange->answer;
    head->failed =
        lws_add_http_header_status(wsi, (unsigned)answer->status, &head->at, head->end) != 0;
    if (answer->content_type)
        add(wsi, head, "content-type:", answer->content_type);
    add(wsi, head, "cache-control:", answer->cache ? answer->cache : "no-store");
    add(wsi, head, "x-request-id:", exchange->request.id);
    for (size_t i = 0; i < answer->n_headers; i++)
        add(wsi, head, answer->headers[i].name, answer->headers[i].value);
    add_security(wsi, head, answer);
    if (exchange->close)
        add(wsi, head, "connection:", "close");
    if (answer->status != 204 && answer->status != 304 && !answer->stream && !head->failed)
        head->failed = lws_add_http_header_content_length(wsi, answer_length(answer), &head->at,
                                                          head->end) != 0;
    return !head->failed && lws_finalize_http_header(wsi, &head->at, head->end) == 0;
}

uint64_t answer_length(const struct answer *answer)
{
    if (answer->media)
        return (uint64_t)media_length(answer->media);
    if (answer->shared)
        return answer->shared->len;
    return answer->file.length > 0 ? (uint64_t)answer->file.length : answer->body.len;
}

/* The next bytes of the body or file; -1: the file cannot be read. */
static int64_t next_piece(struct exchange *exchange, unsigned char *out)
{
    struct answer *answer = &exchange->answer;
    if (exchange->sent == answer_length(answer))
        return 0;
    if (answer->file.length > 0)
        return file_send_read(&answer->file, out, SCRATCH_BODY);
    const void *whole = answer->shared ? (const void *)answer->shared->bytes : answer->body.data;
    size_t piece = (size_t)(answer_length(answer) - exchange->sent);
    if (piece > SCRATCH_BODY)
        piece = SCRATCH_BODY;
    memcpy(out, (const char *)whole + exchange->sent, piece);
    return (int64_t)piece;
}

/* The next piece of a video's file, once the head is out. */
static enum sending send_media(struct exchange *exchange)
{
    int64_t sent;
    if (lws_partial_buffered(exchange->wsi))
        return SENDING_MORE;
    enum media_sending result = media_send(exchange, &sent);
    exchange->sent += (uint64_t)sent;
    if (sent)
        lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, HTTP_SEND_SECONDS);
    switch (result) {
    case MEDIA_MORE:
        return SENDING_MORE;
    case MEDIA_WAITING:
        return SENDING_WAITING;
    case MEDIA_DONE:
        return SENDING_DONE;
    case MEDIA_FAILED:
        break;
    }
    return SENDING_FAILED;
}

enum sending answer_send(struct exchange *exchange)
{
    struct server *server = exchange->server;
    const uint64_t length = answer_length(&exchange->answer);
    unsigned char *start = server->scratch + LWS_PRE;
    struct head head = {.at = start, .end = start + SCRATCH_HEAD};
    if (exchange->state == EXCHANGE_READY) {
        if (server->stopping)
            exchange->close = true;
        if (!write_head(exchange, &head))
            return SENDING_FAILED;
        exchange->state = EXCHANGE_SENDING;
        metrics_request(&server->metrics, exchange->route, exchange->answer.status);
        if (exchange->request.head)
            exchange->sent = length;
    } else if (exchange->answer.media) {
        return send_media(exchange);
    }
    int64_t piece = exchange->answer.media ? 0 : next_piece(exchange, head.at);
    if (piece < 0)
        return SENDING_FAILED;
    exchange->sent += (uint64_t)piece;
    size_t len = (size_t)(head.at - start) + (size_t)piece;
    if (len && lws_write(exchange->wsi, start, len, LWS_WRITE_HTTP) < (int)len)
        return SENDING_FAILED;
    if (exchange->sent == length && !lws_partial_buffered(exchange->wsi))
        return SENDING_DONE;
    lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, HTTP_SEND_SECONDS);
    return SENDING_MORE;
}
