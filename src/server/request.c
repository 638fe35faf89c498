#include <stdlib.h>
#include <string.h>

#include "room.h"

/* Copies a header; false when it is there twice or does not fit. */
static bool read_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t size)
{
    out[0] = '\0';
    int len = lws_hdr_total_length(wsi, token);
    if (len <= 0)
        return true;
    if (lws_hdr_fragment_length(wsi, token, 1) > 0 || (size_t)len >= size)
        return false;
    return lws_hdr_copy(wsi, out, (int)size, token) >= 0;
}

static void read_request_id(struct lws *wsi, char out[REQUEST_ID_SIZE])
{
    static const char name[] = "x-request-id:";
    static const char sane[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    int len = lws_hdr_custom_copy(wsi, out, REQUEST_ID_SIZE, name, sizeof name - 1);
    if (len > 0 && out[0] && strspn(out, sane) == strlen(out))
        return;
    char id[ID_TEXT_SIZE];
    id_new(id);
    memcpy(out, id, sizeof id);
}

static void read_last_event_id(struct lws *wsi, struct request *request)
{
    static const char name[] = "last-event-id:";
    char *out = request->last_event_id;
    if (lws_hdr_custom_length(wsi, name, sizeof name - 1) > 0 &&
        lws_hdr_custom_copy(wsi, out, sizeof request->last_event_id, name, sizeof name - 1) < 0)
        strcpy(out, "?");
}

static bool read_headers(struct lws *wsi, struct request *request)
{
    static const char site[] = "sec-fetch-site:";
    read_request_id(wsi, request->id);
    size_t cookie = sizeof request->cookie;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_COOKIE) <= 0 ||
        lws_http_cookie_get(wsi, "reeld_session", request->cookie, &cookie) != 0)
        request->cookie[0] = '\0';
    /* What only chooses between answers may be unreadable: it is as if it were not there. */
    if (!read_header(wsi, WSI_TOKEN_HTTP_ACCEPT, request->accept, sizeof request->accept))
        request->accept[0] = '\0';
    if (!read_header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING, request->accept_encoding,
                     sizeof request->accept_encoding))
        request->accept_encoding[0] = '\0';
    if (!read_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, request->if_none_match,
                     sizeof request->if_none_match))
        request->if_none_match[0] = '\0';
    read_last_event_id(wsi, request);
    int len = lws_hdr_custom_length(wsi, site, sizeof site - 1);
    if (len > 0 && lws_hdr_custom_copy(wsi, request->fetch_site, sizeof request->fetch_site, site,
                                       sizeof site - 1) < 0)
        return false;
    return read_header(wsi, WSI_TOKEN_HOST, request->host, sizeof request->host) &&
           read_header(wsi, WSI_TOKEN_ORIGIN, request->origin, sizeof request->origin) &&
           read_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, request->content_type,
                       sizeof request->content_type) &&
           read_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, request->authorization,
                       sizeof request->authorization);
}

bool request_conditions(const struct exchange *exchange, struct conditions *out)
{
    struct lws *wsi = exchange->wsi;
    const struct {
        enum lws_token_indexes token;
        char *out;
        size_t size;
    } headers[] = {
        {WSI_TOKEN_HTTP_IF_NONE_MATCH, out->if_none_match, sizeof out->if_none_match},
        {WSI_TOKEN_HTTP_IF_MODIFIED_SINCE, out->if_modified_since, sizeof out->if_modified_since},
        {WSI_TOKEN_HTTP_IF_UNMODIFIED_SINCE, out->if_unmodified_since,
         sizeof out->if_unmodified_since},
        {WSI_TOKEN_HTTP_RANGE, out->range, sizeof out->range},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        if (!read_header(wsi, headers[i].token, headers[i].out, headers[i].size))
            headers[i].out[0] = '\0';
    }
    if (!read_header(wsi, WSI_TOKEN_HTTP_IF_RANGE, out->if_range, sizeof out->if_range))
        out->range[0] = out->if_range[0] = '\0';
    return read_header(wsi, WSI_TOKEN_HTTP_IF_MATCH, out->if_match, sizeof out->if_match);
}

/* Takes the arguments apart: lws has split them at '&' and ';' and decoded them. */
static enum rl_err read_args(struct lws *wsi, struct request *request)
{
    int total = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS);
    if (total <= 0)
        return RL_OK;
    size_t room = (size_t)total + REQUEST_ARGS_MAX + 2; /* each with its NUL */
    char *at = request->query = malloc(room);
    if (!at)
        return RL_ENOMEM;
    for (int i = 0;; i++) {
        int len = lws_hdr_copy_fragment(wsi, at, (int)room, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len < 0)
            return RL_OK;
        /* "a=1&&b=2"; and behind the last '&' or a bare '?', where lws puts the '/' of an empty
         * path. */
        if (len == 0 || (len == 1 && *at == '/'))
            continue;
        if (request->n_args == REQUEST_ARGS_MAX || strlen(at) != (size_t)len)
            return RL_EINVAL;
        struct query_arg *arg = &request->args[request->n_args++];
        char *equals = strchr(at, '=');
        arg->name = at;
        arg->value = equals ? equals + 1 : at + len;
        if (equals)
            *equals = '\0';
        at += len + 1;
        room -= (size_t)len + 1;
    }
}

/* lws takes the target apart at each '&' and ';', also at one before the '?', and puts a NUL there,
 * but not where a segment begins, after dots too. It refuses an encoded NUL, but not there. Which
 * of the two it was is lost; no route has either in it. */
static bool copy_path(char *out, const char *uri, size_t len)
{
    bool begins = false;
    for (size_t i = 0; i < len; i++) {
        if (!uri[i] && begins)
            return false;
        begins = uri[i] == '/' || (begins && uri[i] == '.');
        out[i] = uri[i] ? uri[i] : '&';
    }
    out[len] = '\0';
    return true;
}

static bool read_method(struct lws *wsi, struct request *request)
{
    static const enum method methods[] = {
        [LWSHUMETH_GET] = METHOD_GET,         [LWSHUMETH_POST] = METHOD_POST,
        [LWSHUMETH_OPTIONS] = METHOD_OPTIONS, [LWSHUMETH_PUT] = METHOD_PUT,
        [LWSHUMETH_PATCH] = METHOD_PATCH,     [LWSHUMETH_DELETE] = METHOD_DELETE,
        [LWSHUMETH_HEAD] = METHOD_GET,
    };
    char *uri = NULL;
    int len = 0;
    int method = lws_http_get_uri_and_method(wsi, &uri, &len);
    if (method < 0 || (size_t)method >= sizeof methods / sizeof *methods || !methods[method])
        return false;
    request->method = methods[method];
    request->head = method == LWSHUMETH_HEAD;
    request->path = malloc((size_t)len + 1);
    return request->path && copy_path(request->path, uri, (size_t)len);
}

/* RFC 9112 §6: how long the body is. lws would take any nonsense for a number, so it is decided
 * here. Sets the answer, and that the connection ends with it, where no body can be taken. */
static void check_framing(struct lws *wsi, struct exchange *exchange)
{
    struct answer *answer = &exchange->answer;
    char length[24];
    bool takes_body =
        exchange->request.method & (unsigned)(METHOD_POST | METHOD_PUT | METHOD_PATCH);
    bool readable = read_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, length, sizeof length) &&
                    strspn(length, "0123456789") == strlen(length);
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) {
        answer_error(answer, 411, "LENGTH_REQUIRED", "transfer-encoding",
                     "send the body with Content-Length");
    } else if (!readable) {
        answer_error(answer, 400, "BAD_CONTENT_LENGTH", "content-length",
                     "Content-Length must be one whole number");
    } else if (strlen(length) > 9 || atol(length) > REQUEST_BODY_MAX) {
        answer_error(answer, 413, "BODY_TOO_LONG", NULL, "the body may have at most %d bytes",
                     REQUEST_BODY_MAX);
    } else if (*length) {
        exchange->more = atol(length) > 0 || exchange->request.method == METHOD_POST;
        return;
    }
    /* lws waits for a body of these methods in any case: the connection cannot go on. */
    exchange->more = takes_body || *length;
    exchange->close = exchange->more || answer->status;
}

/* Whether the request line was one line. lws decodes the target while it looks for its end, so an
 * encoded line break ends it: what follows in the target would count as headers, a Host of the
 * sender's choice among them. Such a line never had a version behind its target, and a header that
 * poses as one is cut short by token_limits (server.c). */
static bool line_whole(struct lws *wsi, const struct request *request)
{
    char version[sizeof "HTTP/1.1"];
    if (lws_hdr_copy(wsi, version, sizeof version, WSI_TOKEN_HTTP) <= 0 ||
        (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0))
        return false;
    for (const char *at = request->path; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    }
    return true;
}

struct exchange *exchange_new(struct server *server, struct lws *wsi)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->server = server;
    exchange->wsi = wsi;
    server->n_exchanges++;
    struct request *request = &exchange->request;
    if (!read_method(wsi, request)) {
        exchange_free(exchange);
        return NULL;
    }
    bool headers = read_headers(wsi, request);
    enum rl_err args = read_args(wsi, request);
    check_framing(wsi, exchange);
    if (!line_whole(wsi, request)) {
        answer_error(&exchange->answer, 400, "MALFORMED_TARGET", NULL,
                     "the request line must be one line: METHOD /path HTTP/1.1, with no control "
                     "character in the path and no encoded line break in it or its parameters");
        exchange->close = true;
    } else if (!exchange->answer.status && !headers) {
        answer_error(&exchange->answer, 400, "BAD_HEADER", NULL,
                     "a header is there twice or is too long");
    } else if (!exchange->answer.status && args) {
        answer_error(&exchange->answer, 400, "BAD_QUERY", NULL,
                     "there are too many parameters, or one has a NUL character");
    }
    return exchange;
}

bool exchange_may_listen(struct exchange *exchange)
{
    struct server *server = exchange->server;
    if (server->stopping) {
        answer_error(&exchange->answer, 503, "STOPPING", NULL, "the service is being stopped");
    } else if (server->channel.count >= server->channel.limit) {
        server->metrics.clients_refused++;
        answer_error(&exchange->answer, 503, "TOO_MANY_CLIENTS", NULL,
                     "the channel has as many clients as it may; try again later");
    }
    return !exchange->answer.status;
}

struct session *exchange_listen(struct exchange *exchange, const struct session_kind *kind)
{
    struct session *session = exchange->session = calloc(1, sizeof *session);
    if (!session) {
        answer_failure(&exchange->answer, RL_ENOMEM, NULL);
        return NULL;
    }
    session->exchange = exchange;
    session_start(&exchange->server->channel, session, kind, exchange->wsi);
    return session;
}

void exchange_unlisten(struct exchange *exchange)
{
    if (exchange->session)
        session_end(&exchange->server->channel, exchange->session);
    free(exchange->session);
    exchange->session = NULL;
}

void exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return;
    struct server *server = exchange->server;
    lws_sul_cancel(&exchange->timer);
    pending_remove(exchange);
    quiet_end(exchange);
    exchange_unlisten(exchange);
    backup_leave(exchange);
    file_leave(exchange);
    answer_clear(&exchange->answer);
    buf_free(&exchange->request.body);
    free(exchange->request.query);
    free(exchange->request.path);
    free(exchange);
    server->n_exchanges--;
    server_check_finished(server);
}
