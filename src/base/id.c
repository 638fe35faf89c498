#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

#include "reeld/base.h"

/* Random bytes are asked of the kernel for several ids at once, since each request and each row
 * takes one; libuuid's own way is seven system calls. A process that forks without exec must make
 * no ids in its child. */
static void take_random(uint8_t out[ID_BYTES])
{
    static _Thread_local uint8_t pool[16 * ID_BYTES]; /* 256: is given whole, or not at all */
    static _Thread_local size_t left;
    if (left == 0) {
        if (getrandom(pool, sizeof pool, 0) != (ssize_t)sizeof pool) {
            uuid_generate_random(out);
            return;
        }
        left = sizeof pool;
    }
    left -= ID_BYTES;
    memcpy(out, pool + left, ID_BYTES);
}

void id_new(char out[ID_TEXT_SIZE])
{
    /* Debian 12's libuuid has no version 7 yet. RFC 9562 §5.7 says where time and version go; the
     * other 74 bits are random. */
    uuid_t uuid;
    take_random(uuid);
    uint64_t ms = (uint64_t)clock_wall_ms();
    for (int i = 0; i < 6; i++)
        uuid[i] = (unsigned char)(ms >> (40 - 8 * i));
    uuid[6] = (unsigned char)((uuid[6] & 0x0f) | 0x70);
    uuid[8] = (unsigned char)((uuid[8] & 0x3f) | 0x80);
    uuid_unparse_lower(uuid, out);
}

bool id_parse(const char *text, uint8_t out[ID_BYTES])
{
    return strlen(text) == ID_TEXT_SIZE - 1 && !strpbrk(text, "ABCDEF") &&
           uuid_parse(text, out) == 0;
}

bool id_valid(const char *text)
{
    uuid_t uuid;
    return id_parse(text, uuid);
}

void id_text(const uint8_t bytes[ID_BYTES], char out[ID_TEXT_SIZE])
{
    uuid_unparse_lower(bytes, out);
}
