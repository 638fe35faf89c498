#include <string.h>

#include "find.h"

/* A cursor is opaque text: base64url (RFC 4648 §5, no padding) of a version, a hash of the filter,
 * sort and order, and the key where the page ended. */

enum {
    CURSOR_VERSION = 2,
    CURSOR_FIXED = 1 + 8 + 8 + 8,
    CURSOR_BYTES_MAX = CURSOR_FIXED + sizeof((struct position *)0)->name
};

/* FNV-1a, 64 bits: tells one query's cursors from another's; it protects nothing. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t query_hash(const struct video_query *query)
{
    unsigned char order[2] = {(unsigned char)query->sort, query->descending};
    uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), order, sizeof order);
    struct buf filter = {0};
    filter_write(&query->filter, &filter);
    hash = hash_bytes(hash, filter.data, filter.len);
    buf_free(&filter);
    return hash;
}

static void put_u64(unsigned char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(value >> (56 - 8 * i));
}

static uint64_t get_u64(const unsigned char *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(const unsigned char *bytes, size_t len, char *out)
{
    uint32_t bits = 0;
    int count = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 6; count -= 6)
            *out++ = alphabet[bits >> (count - 6) & 63];
    }
    if (count > 0)
        *out++ = alphabet[bits << (6 - count) & 63];
    *out = '\0';
}

/* The number of bytes; 0 when malformed or too long. */
static size_t decode(const char *text, unsigned char out[CURSOR_BYTES_MAX])
{
    uint32_t bits = 0;
    int count = 0;
    size_t len = 0;
    for (; *text; text++) {
        const char *at = strchr(alphabet, *text);
        if (!at)
            return 0;
        bits = bits << 6 | (uint32_t)(at - alphabet);
        count += 6;
        if (count >= 8) {
            if (len == CURSOR_BYTES_MAX)
                return 0;
            count -= 8;
            out[len++] = (unsigned char)(bits >> count);
        }
    }
    return len;
}

void cursor_write(const struct video_query *query, const struct position *position,
                  char out[CURSOR_SIZE])
{
    unsigned char bytes[CURSOR_BYTES_MAX] = {CURSOR_VERSION};
    put_u64(bytes + 1, query_hash(query));
    put_u64(bytes + 9, (uint64_t)position->key);
    put_u64(bytes + 17, (uint64_t)position->tie);
    memcpy(bytes + CURSOR_FIXED, position->name, position->name_len);
    encode(bytes, CURSOR_FIXED + position->name_len, out);
}

enum rl_err cursor_read(const struct video_query *query, struct position *out)
{
    unsigned char bytes[CURSOR_BYTES_MAX];
    size_t len = decode(query->cursor, bytes);
    if (len < CURSOR_FIXED || bytes[0] != CURSOR_VERSION || get_u64(bytes + 1) != query_hash(query))
        return RL_EINVAL;
    out->key = (int64_t)get_u64(bytes + 9);
    out->tie = (int64_t)get_u64(bytes + 17);
    out->name_len = len - CURSOR_FIXED;
    memcpy(out->name, bytes + CURSOR_FIXED, out->name_len);
    return RL_OK;
}
