/* GET /api/v1/videos/{id}/thumbnail, …/storyboard.jpg and …/storyboard.vtt. A picture that is kept
 * is sent from its file; any other is made first, while the request waits. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "query.h"
#include "room.h"

enum { PICTURE_WAIT_MS = 5000 }; /* then the client is told to come back */

/* Whoever names the version may keep what it gets for ever: another content has another address. */
static const char cache_for_ever[] = "private, max-age=31536000, immutable";
static const char cache_asking[] = "private, no-cache";

struct wanted {
    struct picture_key key;
    bool current; /* the address names this version */
};

static enum picture_form form_of(const struct request *request)
{
    const char *name = path_name(request->path);
    return strcmp(name, "thumbnail") == 0        ? PICTURE_FORM_THUMBNAIL
           : strcmp(name, "storyboard.jpg") == 0 ? PICTURE_FORM_STORYBOARD
                                                 : PICTURE_FORM_STORYBOARD_INDEX;
}

/* The next of the widths that are kept; 0: none was asked for. */
static int32_t width_step(int64_t width)
{
    static const int32_t steps[] = {160, 320, 640, 960, PICTURE_WIDTH_MAX};
    size_t i = 0;
    while (width > steps[i])
        i++;
    return width ? steps[i] : 0;
}

/* What is asked for, of which video. False: it is answered. */
static bool read_request(struct exchange *exchange, struct wanted *out)
{
    struct server *server = exchange->server;
    struct answer *answer = &exchange->answer;
    enum picture_form form = form_of(&exchange->request);
    int64_t width = 0;
    const char *version = "";
    const struct query_field fields[] = {
        {"v", QUERY_TEXT, 0, 0, &version},
        {"w", QUERY_INTEGER, 1, PICTURE_WIDTH_MAX, &width},
    };
    struct problem problem;
    const char *id = api_id(exchange);
    if (!id)
        return false;
    size_t n_fields = form == PICTURE_FORM_THUMBNAIL ? 2 : 1;
    if (!query_read(&exchange->request, fields, n_fields, &problem)) {
        answer_problem(answer, &problem);
        return false;
    }
    struct picture_found found;
    enum rl_err err = picture_lookup(&server->pictures, server->reader, id, &found);
    if (err == RL_ENOTFOUND)
        answer_error(answer, 404, "NOT_FOUND", NULL, "there is no video of this id");
    else if (err)
        answer_failure(answer, err, catalog_error(server->reader));
    if (err)
        return false;
    char text[PICTURE_VERSION_SIZE];
    picture_version_text(found.version, text);
    *out = (struct wanted){.key = {.number = found.number, .version = found.version, .form = form},
                           .current = strcmp(version, text) == 0};
    if (form == PICTURE_FORM_THUMBNAIL)
        out->key.width = width                   ? width_step(width)
                         : found.thumbnail_width ? found.thumbnail_width
                                                 : server->config.thumbnail_width;
    return true;
}

/* The head of an answer with `size` bytes of the picture; true: the client has them already. */
static bool describe(struct exchange *exchange, const struct wanted *wanted, int64_t size)
{
    struct answer *answer = &exchange->answer;
    char text[PICTURE_VERSION_SIZE], tag[64];
    picture_version_text(wanted->key.version, text);
    snprintf(tag, sizeof tag, "\"%s-%" PRId32 "-%" PRIx64 "\"", text, wanted->key.width,
             (uint64_t)size);
    bool has = request_has(&exchange->request, tag);
    answer->status = has ? 304 : 200;
    if (!has)
        answer->content_type = wanted->key.form == PICTURE_FORM_STORYBOARD_INDEX
                                   ? "text/vtt; charset=utf-8"
                                   : "image/jpeg";
    answer_tag(answer, tag);
    answer->cache = wanted->current ? cache_for_ever : cache_asking;
    return has;
}

/* Answers with what is kept; false: there is nothing. */
static bool answer_kept(struct exchange *exchange, const struct wanted *wanted)
{
    struct server *server = exchange->server;
    struct answer *answer = &exchange->answer;
    const int64_t now_ns = clock_mono_ns();
    struct shared_bytes *shared = picture_recent_get(&server->recent, &wanted->key, now_ns);
    int64_t size = shared ? (int64_t)shared->len : 0;
    int fd = -1;
    if (!shared && library_picture_open(server->library, &wanted->key, &fd, &size))
        return false;
    if (!shared)
        file_send_open(&answer->file, fd, 0, size);
    if (describe(exchange, wanted, size))
        shared_bytes_release(shared);
    else if (shared)
        answer->shared = shared;
    else
        answer->shared = picture_recent_put(&server->recent, &wanted->key, fd, size, now_ns);
    if (answer->shared || answer->status == 304)
        file_send_close(&answer->file);
    return true;
}

static void answer_later(struct exchange *exchange)
{
    answer_error(&exchange->answer, 503, "PICTURE_PENDING", NULL,
                 "the picture is still being made; ask again soon");
}

static void answer_refused(struct exchange *exchange, const struct library_message *message)
{
    struct answer *answer = &exchange->answer;
    const char *code =
        form_of(&exchange->request) == PICTURE_FORM_THUMBNAIL ? "NO_THUMBNAIL" : "NO_STORYBOARD";
    if (message->failure == FAILURE_SANDBOX)
        answer_error(answer, 503, "WORKERS_FAILED", NULL, "%s", message->detail);
    else if (message->failure == FAILURE_VANISHED)
        answer_error(answer, 410, "FILE_MISSING", NULL,
                     "the video's file is not there, and no picture of it is kept");
    else
        answer_error(answer, 404, code, NULL, "no picture can be made of the file: %s",
                     message->detail);
}

/* What could not be kept is given all the same. */
static void answer_made(struct exchange *exchange, const struct library_message *message)
{
    struct answer *answer = &exchange->answer;
    struct wanted wanted;
    if (!read_request(exchange, &wanted))
        return;
    if (message->picture.len == 0) {
        if (!answer_kept(exchange, &wanted))
            answer_later(exchange); /* it went, or the video changed, in this moment */
        return;
    }
    wanted.current = false;
    if (!describe(exchange, &wanted, (int64_t)message->picture.len))
        buf_append(&answer->body, message->picture.data, message->picture.len);
    if (answer->body.failed)
        answer_failure(answer, RL_ENOMEM, NULL);
}

static void on_picture(struct exchange *exchange, const struct library_message *message)
{
    struct answer *answer = &exchange->answer;
    switch (message->err) {
    case RL_OK:
        answer_made(exchange, message);
        break;
    case RL_ENOTFOUND:
        answer_error(answer, 404, "NOT_FOUND", NULL, "there is no video of this id");
        break;
    case RL_EINVAL:
        answer_refused(exchange, message);
        break;
    case RL_ECONFLICT:
        answer_error(answer, 404, "FILE_CHANGED", NULL, "%s", message->detail);
        break;
    case RL_EBUSY:
        answer_error(answer, 503, "PICTURES_BUSY", NULL, "%s", message->detail);
        break;
    default:
        answer_failure(answer, message->err, message->detail);
        break;
    }
}

void api_videos_picture(struct exchange *exchange)
{
    struct server *server = exchange->server;
    struct wanted wanted;
    if (!read_request(exchange, &wanted) || answer_kept(exchange, &wanted))
        return;
    const struct picture_wish wish = {.form = wanted.key.form, .width = wanted.key.width};
    uint64_t ticket = pending_ticket(server);
    enum rl_err err = library_picture(server->library, ticket, exchange->request.param, &wish);
    if (err) {
        answer_failure(&exchange->answer, err, NULL);
        return;
    }
    exchange_await_reply(exchange, ticket, on_picture);
    exchange_deadline(exchange, PICTURE_WAIT_MS, answer_later);
}
