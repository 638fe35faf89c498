/* The bytes of one connection as a client may send them, through libwebsockets and the server room.
 * Whatever they are, the server comes to rest, forgets the client when it is gone, and goes on; and
 * where they are plain whole requests and nothing else, each has exactly one answer, unless an
 * answer before it said that the connection ends there. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

enum { WAIT_SECONDS = 400, PLAIN_MAX = 8000 };

/* libFuzzer calls without an argument for it. */
static struct harness *harness;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* ---- what was asked ------------------------------------------------------------------------- */

struct text {
    const char *at, *end;
};

static struct text text_of(const struct buf *buf)
{
    return (struct text){buf->data, buf->data ? buf->data + buf->len : NULL};
}

static bool take(struct text *text, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(text->end - text->at) < len || memcmp(text->at, word, len) != 0)
        return false;
    text->at += len;
    return true;
}

static size_t take_span(struct text *text, const char *allowed, size_t max)
{
    size_t len = 0;
    while (text->at + len < text->end && len < max && text->at[len] &&
           strchr(allowed, text->at[len]))
        len++;
    text->at += len;
    return len;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Headers that mean nothing to the framing or to how long the answer takes. */
static bool take_plain_header(struct text *text)
{
    static const char *const names[] = {
        "Host: ", "X-Request-ID: ", "User-Agent: ", "Cookie: ", "Content-Type: "};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct text line = *text;
        if (!take(&line, names[i]) || take_span(&line, LETTERS DIGITS "./:-=", 60) == 0 ||
            !take(&line, "\r\n"))
            continue;
        *text = line;
        return true;
    }
    return false;
}

/* One request of the plainest kind; *head: its answer has no body. */
static bool take_plain_request(struct text *text, bool *head)
{
    bool post = take(text, "POST ");
    *head = !post && take(text, "HEAD ");
    if (!post && !*head && !take(text, "GET ") && !take(text, "DELETE "))
        return false;
    struct text stream = *text;
    if (take(&stream, "/api/v1/events") || !take(text, "/"))
        return false;
    const char *target = text->at;
    size_t len = take_span(text, LETTERS DIGITS "/?=&-_", 200);
    if (!harness_fits(target, len) || !take(text, " HTTP/1.1\r\n"))
        return false;
    char *digits_end = NULL;
    unsigned long length = 0;
    if (post) {
        if (!take(text, "Content-Length: "))
            return false;
        length = strtoul(text->at, &digits_end, 10);
        size_t digits = take_span(text, DIGITS, 4);
        if (digits == 0 || digits_end != text->at || !take(text, "\r\n"))
            return false;
    }
    while (take_plain_header(text)) {
    }
    if (!take(text, "\r\n") || (size_t)(text->end - text->at) < length)
        return false;
    text->at += length;
    return true;
}

/* ---- what was answered ---------------------------------------------------------------------- */

static size_t header_number(const char *head, const char *end, const char *name)
{
    const char *at = memmem(head, (size_t)(end - head), name, strlen(name));
    return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

/* One answer; *last: the connection ends with it. */
static bool take_answer(struct text *text, bool head, bool *last)
{
    struct text line = *text;
    if (!take(&line, "HTTP/1.1 ") || take_span(&line, DIGITS, 3) != 3)
        return false;
    const char *end = memmem(text->at, (size_t)(text->end - text->at), "\r\n\r\n", 4);
    if (!end)
        return false;
    size_t length = head ? 0 : header_number(text->at, end + 2, "\r\ncontent-length: ");
    static const char close[] = "\r\nconnection: close\r\n";
    *last = memmem(text->at, (size_t)(end + 2 - text->at), close, sizeof close - 1) != NULL;
    if ((size_t)(text->end - end - 4) < length)
        return false;
    text->at = end + 4 + length;
    return true;
}

static void check_answers(struct text asked, struct text heard)
{
    while (asked.at < asked.end) {
        bool head, last;
        if (!take_plain_request(&asked, &head) || !take_answer(&heard, head, &last))
            abort();
        if (last)
            break;
    }
    if (heard.at != heard.end)
        abort(); /* more than was asked for */
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    harness = harness_open();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct buf sent = {0};
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != HARNESS_SPLIT)
            buf_append(&sent, bytes + i, 1);
    }
    harness_connect(harness);
    harness_send_pieces(harness, bytes, len);
    const struct text asked = text_of(&sent);
    struct text rest = asked;
    bool head, plain = sent.len > 0 && sent.len < PLAIN_MAX;
    while (plain && rest.at < rest.end)
        plain = take_plain_request(&rest, &head);
    harness_wait(harness, WAIT_SECONDS);
    const struct buf *heard = harness_heard(harness);
    if (plain)
        check_answers(asked, text_of(heard));
    else if (heard->len > 0 && (heard->len < 7 || memcmp(heard->data, "HTTP/1.", 7) != 0))
        abort();
    harness_leave(harness);
    buf_free(&sent);
    return 0;
}
