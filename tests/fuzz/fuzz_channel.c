/* What a client of the channel may send once it is in, through libwebsockets' framing and the
 * server room. A test case is the query string of the upgrade, where it begins with '?', and then
 * frames; a byte says what each is (see send_frame). Whatever they are, the client hears whole
 * frames of text, HELLO first; a text of its own that is one frame has one answer, while nothing
 * else was wrong; and when it is gone it is forgotten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

enum { ANSWERED_MAX = 60, QUERY_MAX = 2000 };

enum { OP_CONTINUE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

/* libFuzzer calls without an argument for it. */
static struct harness *harness;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void insist(bool holds, const char *rule)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", rule);
    abort();
}

/* ---- what is sent --------------------------------------------------------------------------- */

/* Takes a query string of plain characters off the front. */
static bool send_upgrade(const uint8_t **bytes, size_t *len)
{
    char request[QUERY_MAX + 256], query[QUERY_MAX + 1] = "";
    size_t used = 0;
    if (*len > 0 && **bytes == '?') {
        while (used < *len && used < QUERY_MAX && (*bytes)[used] > ' ' && (*bytes)[used] < 0x7f) {
            query[used] = (char)(*bytes)[used];
            used++;
        }
        query[used] = '\0';
    }
    *bytes += used;
    *len -= used;
    int size = snprintf(request, sizeof request,
                        "GET /ws%s HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"
                        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        query);
    harness_send(harness, request, (size_t)size);
    const struct buf *heard = harness_heard(harness);
    /* lws hangs up over an encoded NUL. */
    bool answered = heard->len > 12 || strchr(query, '%') || !harness_fits(query, strlen(query));
    insist(answered, "an upgrade is answered");
    return heard->len > 12 && memcmp(heard->data, "HTTP/1.1 101", 12) == 0;
}

/* RFC 6455 §5.2, masked with zeros. */
static void send_frame_of(unsigned first, const uint8_t *payload, size_t len)
{
    struct buf frame = {0};
    uint8_t head[4] = {(uint8_t)first, (uint8_t)(0x80 | len)}, zeros[4] = {0};
    size_t size = 2;
    if (len > 125) {
        head[1] = 0x80 | 126;
        head[2] = (uint8_t)(len >> 8);
        head[3] = (uint8_t)len;
        size = 4;
    }
    buf_append(&frame, head, size);
    buf_append(&frame, zeros, sizeof zeros);
    if (len)
        buf_append(&frame, payload, len);
    harness_send(harness, frame.data, frame.len);
    buf_free(&frame);
}

/* One piece: its first byte says what it is, the rest is its payload. Returns whether an answer to
 * it is due, or sets *plain to false where from now on none can be counted on. */
static bool send_piece(const uint8_t *piece, size_t len, bool *plain)
{
    static const struct {
        char letter;
        unsigned first; /* byte of the frame */
        bool plain;     /* the connection goes on as before */
    } kinds[] = {
        {'t', 0x80 | OP_TEXT, true},    {'f', OP_TEXT, false},
        {'c', OP_CONTINUE, false},      {'e', 0x80 | OP_CONTINUE, false},
        {'b', 0x80 | OP_BINARY, false}, {'p', 0x80 | OP_PING, true},
        {'o', 0x80 | OP_PONG, true},    {'x', 0x80 | OP_CLOSE, false},
        {'r', 0xc0 | OP_TEXT, false},   {'m', 0x83, false},
    };
    if (len == 0)
        return false;
    if (*piece == 's') {
        harness_say(harness);
        return false;
    }
    if (len - 1 > 4096 || (*piece != 't' && len - 1 > 125) || !utf8_valid((const char *)piece, len))
        *plain = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].letter != (char)*piece)
            continue;
        *plain = *plain && kinds[i].plain;
        send_frame_of(kinds[i].first, piece + 1, len - 1);
        return *piece == 't';
    }
    *plain = false;
    harness_send(harness, piece, len); /* no frame at all */
    return false;
}

/* ---- what is heard -------------------------------------------------------------------------- */

struct said {
    size_t frames, answers;
    bool closed;
};

static bool names(const char *json, size_t len, const char *type)
{
    char member[40];
    int size = snprintf(member, sizeof member, "\"type\":\"%s\"", type);
    return memmem(json, len < 120 ? len : 120, member, (size_t)size) != NULL;
}

static void hear_text(struct said *said, const char *json, size_t len)
{
    insist(len > 2 && json[0] == '{' && json[len - 1] == '}' && utf8_valid(json, len),
           "a text is a JSON object");
    insist((said->frames == 0) == names(json, len, "HELLO"), "HELLO comes first and once");
    said->answers += names(json, len, "SUBSCRIBED") || names(json, len, "HEARTBEAT") ||
                     names(json, len, "ERROR");
    said->frames++;
}

/* Takes one frame as a server sends it off the front; false: that is all. */
static bool hear_frame(struct said *said, const char **at, const char *end)
{
    const uint8_t *head = (const uint8_t *)*at;
    size_t left = (size_t)(end - *at), size = 2;
    if (left < 2)
        return false;
    size_t len = head[1];
    insist(!(head[1] & 0x80), "a server does not mask");
    if (len == 126 && left >= 4) {
        len = (size_t)head[2] << 8 | head[3];
        size = 4;
    }
    if (len >= 126 && size == 2)
        return false; /* longer than anything that is kept */
    if (left < size + len)
        return false;
    unsigned op = head[0] & 0x0f;
    insist((head[0] & 0xf0) == 0x80, "frames are whole and use no extension");
    insist(op == OP_TEXT || op == OP_CLOSE || op == OP_PING || op == OP_PONG, "a known frame");
    /* lws goes on to judge the rest of a message that was refused, and may close once more; and it
     * answers pings until the connection ends. */
    insist(!said->closed || op != OP_TEXT,
           "no event comes behind the close frame (RFC 6455 §5.5.1)");
    if (op == OP_TEXT)
        hear_text(said, *at + size, len);
    said->closed = said->closed || op == OP_CLOSE;
    *at += size + len;
    return true;
}

static struct said hear_all(void)
{
    struct said said = {0};
    const struct buf *heard = harness_heard(harness);
    const char *end = heard->data + heard->len,
               *at = memmem(heard->data, heard->len, "\r\n\r\n", 4);
    insist(at != NULL, "the upgrade's answer is whole");
    at += 4;
    while (hear_frame(&said, &at, end)) {
    }
    return said;
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
    harness_connect(harness);
    bool asked = len > 0 && *bytes == '?';
    bool in = send_upgrade(&bytes, &len), plain = true;
    size_t due = 0;
    const uint8_t *end = bytes + len;
    for (const uint8_t *at = bytes, *stop; in && at < end; at = stop + 1) {
        stop = memchr(at, HARNESS_SPLIT, (size_t)(end - at));
        if (!stop)
            stop = end;
        due += send_piece(at, (size_t)(stop - at), &plain);
    }
    if (in) {
        struct said said = hear_all();
        if (plain && due <= ANSWERED_MAX) {
            insist(!harness_hung_up(harness), "who does nothing wrong stays");
            insist(said.answers - (asked && said.answers > due) == due, "each text has one answer");
        }
    }
    harness_leave(harness);
    return 0;
}
