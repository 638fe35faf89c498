#include <string.h>

#include "reeld/base.h"

/* Length of the well-formed sequence at p, or 0; *bad is then the length of the maximal ill-formed
 * part (Unicode 15, §3.9, table 3-7 and "substitution of maximal subparts"). */
static size_t utf8_sequence(const unsigned char *p, size_t len, size_t *bad)
{
    *bad = 1;
    if (p[0] < 0x80)
        return 1;
    size_t need;
    unsigned char low = 0x80, high = 0xbf;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        need = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        need = 3;
        low = p[0] == 0xe0 ? 0xa0 : 0x80;
        high = p[0] == 0xed ? 0x9f : 0xbf;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        need = 4;
        low = p[0] == 0xf0 ? 0x90 : 0x80;
        high = p[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    for (size_t i = 1; i < need; i++) {
        if (i >= len || p[i] < low || p[i] > high) {
            *bad = i;
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return need;
}

bool utf8_valid(const char *bytes, size_t len)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t bad;
    for (size_t i = 0; i < len;) {
        if (p[i] < 0x80) {
            i++;
            continue;
        }
        size_t n = utf8_sequence(p + i, len - i, &bad);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

void utf8_append_lossy(struct buf *out, const char *bytes, size_t len)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t start = 0, i = 0, bad;
    while (i < len) {
        size_t n = utf8_sequence(p + i, len - i, &bad);
        if (n) {
            i += n;
            continue;
        }
        buf_append(out, bytes + start, i - start);
        buf_append(out, "\xef\xbf\xbd", 3);
        i += bad;
        start = i;
    }
    buf_append(out, bytes + start, len - start);
}
