#include <string.h>
#include <sys/socket.h>

#include "wsload.h"

enum { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

/* The number behind `key` in a text. Texts of one server are alike: looks first where it was in the
 * last one. 0: it is not there. */
static uint64_t number_after(const char *key, size_t *at, const uint8_t *text, size_t len)
{
    size_t key_len = strlen(key);
    if (*at + key_len >= len || memcmp(text + *at, key, key_len) != 0) {
        const uint8_t *found = memmem(text, len, key, key_len);
        if (!found)
            return 0;
        *at = (size_t)(found - text);
    }
    uint64_t number = 0;
    for (size_t i = *at + key_len; i < len && text[i] >= '0' && text[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(text[i] - '0');
    return number;
}

static void take_text(struct load *load, struct client *client, const uint8_t *text, size_t len,
                      int64_t now_ns)
{
    struct load_counters *counters = &load->counters;
    uint64_t sequence = number_after("\"seq\":", &load->number_at, text, len);
    if (!sequence) {
        counters->others++;
        return;
    }
    counters->events++;
    if (sequence <= client->sequence)
        counters->repeated++;
    else if (client->sequence)
        counters->missing += sequence - client->sequence - 1;
    client->sequence = sequence;
    if (load->options.latency) {
        uint64_t made = number_after("\"ts\":", &load->time_at, text, len);
        if (made)
            histogram_add(&counters->latency, now_ns - (int64_t)made);
    }
}

/* RFC 6455 §5.5.3: the ping's payload, masked; with a mask of zeros it stays as it is. */
static void send_pong(const struct client *client, const uint8_t *payload, size_t len)
{
    uint8_t frame[6 + 125] = {0x80 | OP_PONG, (uint8_t)(0x80 | len)};
    memcpy(frame + 6, payload, len);
    (void)!send(client->fd, frame, 6 + len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* False: the connection ends. */
static bool take_control(struct load *load, const struct client *client, unsigned opcode,
                         const uint8_t *payload, size_t len)
{
    if (opcode == OP_PING && len <= 125)
        send_pong(client, payload, len);
    if (opcode == OP_CLOSE && len >= 2)
        load->close_code = payload[0] << 8 | payload[1];
    return opcode == OP_PING || opcode == OP_PONG;
}

/* RFC 6455 §5.2, as a server sends: not masked. */
static long take_websocket(struct load *load, struct client *client, const uint8_t *bytes,
                           size_t len, int64_t now_ns)
{
    size_t at = 0;
    while (len - at >= 2) {
        const uint8_t *frame = bytes + at;
        size_t head = 2, body = frame[1];
        if (body > 127)
            return -1;
        if (body >= 126) {
            size_t digits = body == 126 ? 2 : 8;
            head += digits;
            if (len - at < head)
                break;
            body = 0;
            for (size_t i = 2; i < head; i++)
                body = body << 8 | frame[i];
        }
        if (len - at < head || len - at - head < body)
            break;
        unsigned opcode = frame[0] & 15;
        if (opcode == OP_TEXT)
            take_text(load, client, frame + head, body, now_ns);
        else if (!take_control(load, client, opcode, frame + head, body))
            return -1;
        at += head + body;
    }
    return (long)at;
}

/* WHATWG HTML §9.2: a message ends with an empty line. */
static long take_messages(struct load *load, struct client *client, const uint8_t *bytes,
                          size_t len, int64_t now_ns)
{
    size_t at = 0;
    const uint8_t *end;
    while ((end = memmem(bytes + at, len - at, "\n\n", 2))) {
        size_t next = (size_t)(end - bytes) + 2;
        take_text(load, client, bytes + at, next - at, now_ns);
        at = next;
    }
    return (long)at;
}

long frames_take(struct load *load, struct client *client, const uint8_t *bytes, size_t len,
                 int64_t now_ns)
{
    return load->options.sse ? take_messages(load, client, bytes, len, now_ns)
                             : take_websocket(load, client, bytes, len, now_ns);
}
