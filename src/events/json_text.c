#include "json_text.h"

/* As json-c escapes: 0, the byte stands for itself; 'u', \u00xx; otherwise the letter behind the
 * backslash. */
static const char escapes[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b',         't',           'n', 'u',
    'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u',         'u',           'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\',
};

static char *escape(char *at, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    *at++ = '\\';
    *at++ = escapes[byte];
    if (escapes[byte] != 'u')
        return at;
    *at++ = '0';
    *at++ = '0';
    *at++ = hex[byte >> 4];
    *at++ = hex[byte & 15];
    return at;
}

void json_put_quoted(struct buf *out, const char *text, size_t len)
{
    enum { ESCAPED_MAX = 6 }; /* bytes that one may become */
    if (len > (SIZE_MAX / 2 - 2) / ESCAPED_MAX) {
        out->failed = true;
        return;
    }
    char *at = json_room(out, ESCAPED_MAX * len + 2);
    if (!at)
        return;
    *at++ = '"';
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (escapes[byte])
            at = escape(at, byte);
        else
            *at++ = (char)byte;
    }
    *at++ = '"';
    out->len = (size_t)(at - out->data);
}

void json_put_text(struct buf *out, const char *text)
{
    if (text && *text)
        json_put_quoted(out, text, strlen(text));
    else
        JSON_PUT(out, "null");
}

/* Digits into the end of `text`; how many. */
static size_t digits(uint64_t value, char text[20])
{
    size_t n = 0;
    do {
        text[20 - ++n] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return n;
}

static void put_unsigned(struct buf *out, uint64_t value)
{
    char text[20];
    size_t n = digits(value, text);
    json_put(out, text + 20 - n, n);
}

void json_put_int(struct buf *out, int64_t value)
{
    if (value < 0)
        JSON_PUT(out, "-");
    put_unsigned(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_put_known(struct buf *out, int64_t value)
{
    if (value == MEDIA_UNKNOWN)
        JSON_PUT(out, "null");
    else
        json_put_int(out, value);
}

void json_put_seconds(struct buf *out, int64_t us)
{
    if (us == MEDIA_UNKNOWN) {
        JSON_PUT(out, "null");
        return;
    }
    uint64_t size = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    if (us < 0)
        JSON_PUT(out, "-");
    put_unsigned(out, size / 1000000);
    char fraction[7] = ".";
    size_t n = 7;
    for (uint64_t rest = size % 1000000; n > 1; rest /= 10)
        fraction[--n] = (char)('0' + rest % 10);
    for (n = 7; n > 2 && fraction[n - 1] == '0'; n--)
        ;
    json_put(out, fraction, n);
}

void json_put_time(struct buf *out, int64_t wall_ms)
{
    if (wall_ms == 0 || wall_ms == MEDIA_UNKNOWN) {
        JSON_PUT(out, "null");
        return;
    }
    char text[CLOCK_TEXT_SIZE];
    clock_rfc3339(wall_ms, text);
    JSON_PUT(out, "\"");
    json_put(out, text, strlen(text));
    JSON_PUT(out, "\"");
}

void json_put_lossy(struct buf *out, const char *bytes, bool valid)
{
    if (valid) {
        json_put_text(out, bytes);
        return;
    }
    struct buf text = {0};
    utf8_append_lossy(&text, bytes, strlen(bytes));
    if (text.failed)
        out->failed = true;
    else
        json_put_text(out, text.data);
    buf_free(&text);
}

bool json_put_path(struct buf *out, const char *key, const char *uri_key, const char *path)
{
    bool valid = utf8_valid(path, strlen(path));
    json_put(out, key, strlen(key));
    json_put_lossy(out, path, valid);
    if (!valid) {
        struct buf uri = {0};
        path_uri_encode(&uri, path);
        json_put(out, uri_key, strlen(uri_key));
        if (uri.failed)
            out->failed = true;
        else
            json_put_quoted(out, uri.data, uri.len);
        buf_free(&uri);
    }
    return valid;
}
