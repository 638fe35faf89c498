/* Files of the page, read whole: they are small. Text goes out as gzip to who takes it. Nothing
 * outside the page's folder is given, also not by a link in it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "room.h"

enum { FILE_MAX = 16 * 1024 * 1024 };

struct type {
    const char *extension, *type;
    bool text; /* gzip makes it smaller */
};

static const struct type *type_of(const char *path)
{
    static const struct type types[] = {
        {"html", "text/html; charset=utf-8", true},
        {"js", "text/javascript; charset=utf-8", true},
        {"css", "text/css; charset=utf-8", true},
        {"json", "application/json", true},
        {"map", "application/json", true},
        {"webmanifest", "application/manifest+json", true},
        {"svg", "image/svg+xml", true},
        {"png", "image/png", false},
        {"jpg", "image/jpeg", false},
        {"webp", "image/webp", false},
        {"ico", "image/x-icon", false},
        {"woff2", "font/woff2", false},
        {"txt", "text/plain; charset=utf-8", true},
    };
    static const struct type other = {"", "application/octet-stream", false};
    char extension[16];
    path_extension(path, extension, sizeof extension);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].extension, extension) == 0)
            return &types[i];
    }
    return &other;
}

static bool read_all(int fd, size_t size, struct buf *out)
{
    if (!buf_reserve(out, size))
        return false;
    while (out->len < size) {
        ssize_t got = pread(fd, out->data + out->len, size - out->len, (off_t)out->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false; /* it was cut while it was read */
        out->len += (size_t)got;
    }
    return true;
}

/* An open file of the page. */
struct page_file {
    int fd;
    size_t size;
    const char *real;                               /* its real path */
    char state[PACKED_TAG_SIZE - sizeof "\"-gz\""]; /* what its tags are made of */
};

/* The file as gzip, made now if it must be; NULL: it goes out as it is. */
static const struct buf *packed_of(struct exchange *exchange, const struct page_file *file)
{
    struct packed *packed = &exchange->server->packed;
    const struct buf *body = packed_find(packed, file->real, file->state);
    if (!body) {
        struct buf plain = {0};
        if (read_all(file->fd, file->size, &plain))
            body = packed_add(packed, file->real, file->state, &plain);
        buf_free(&plain);
    }
    return body && body->len ? body : NULL;
}

static void answer_content(struct exchange *exchange, const struct page_file *file,
                           const struct type *type)
{
    struct answer *answer = &exchange->answer;
    const bool packs = type->text && file->size <= PACKED_FILE_MAX;
    const struct buf *gzip = packs && packed_admitted(exchange->request.accept_encoding)
                                 ? packed_of(exchange, file)
                                 : NULL;
    /* Two forms of one thing: each has its own tag (RFC 9110 §8.8.3.3). */
    char tag[PACKED_TAG_SIZE];
    snprintf(tag, sizeof tag, "\"%s%s\"", file->state, gzip ? "-gz" : "");
    if (request_has(&exchange->request, tag)) {
        answer->status = 304;
    } else {
        if (gzip)
            buf_append(&answer->body, gzip->data, gzip->len);
        else if (!read_all(file->fd, file->size, &answer->body))
            answer->body.failed = true;
        if (answer->body.failed) {
            answer_error(answer, 503, "FILE_CHANGED", NULL, "the file changed while it was read");
            return;
        }
        answer->status = 200;
        answer->content_type = type->type;
        if (gzip)
            answer_header(answer, "content-encoding:", "gzip");
    }
    if (packs)
        answer_header(answer, "vary:", "accept-encoding");
    answer_tag(answer, tag);
}

static bool answer_open_file(struct exchange *exchange, int fd, const char *real, const char *path)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_size > FILE_MAX)
        return false;
    struct page_file file = {.fd = fd, .size = (size_t)stat.st_size, .real = real};
    snprintf(file.state, sizeof file.state, "%" PRIx64 "-%" PRIx64 "%09lx", (uint64_t)stat.st_size,
             (uint64_t)stat.st_mtim.tv_sec, (unsigned long)stat.st_mtim.tv_nsec);
    exchange->answer.page = true;
    answer_content(exchange, &file, type_of(path));
    return true;
}

/* Answers with the file at `path` ("/…", decoded) of the page's folder; false: there is none. */
static bool answer_file(struct exchange *exchange, const char *path)
{
    const char *web = exchange->server->web;
    if (!web || strstr(path, "/."))
        return false;
    struct buf full = {0};
    buf_puts(&full, web);
    buf_puts(&full, path);
    char *real = full.failed ? NULL : realpath(full.data, NULL);
    bool done = false;
    if (real && path_beneath(web, real)) {
        int fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd >= 0) {
            done = answer_open_file(exchange, fd, real, path);
            close(fd);
        }
    }
    free(real);
    buf_free(&full);
    return done;
}

void files_page(struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    const char *path = strcmp(request->path, "/") == 0 ? "/index.html" : request->path;
    if (answer_file(exchange, path))
        return;
    /* A place inside the page, opened directly. */
    if (strstr(request->accept, "text/html") && answer_file(exchange, "/index.html"))
        return;
    answer_error(&exchange->answer, 404, "NOT_FOUND", NULL, "there is no such file");
}

static void answer_document(struct exchange *exchange, const char *path)
{
    if (!api_no_args(exchange))
        return;
    if (!answer_file(exchange, path))
        answer_error(&exchange->answer, 404, "NOT_FOUND", NULL, "the document is not installed");
    exchange->answer.page = false;
}

void files_openapi(struct exchange *exchange)
{
    answer_document(exchange, "/api/openapi.json");
}

void files_asyncapi(struct exchange *exchange)
{
    answer_document(exchange, "/api/asyncapi.json");
}
