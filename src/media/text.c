#include <stdbool.h>
#include <string.h>

#include "reeld/base.h"
#include "text.h"

/* The length up to which `text` may be kept so that no character is cut. */
static size_t text_fit(const char *text, size_t len, size_t size)
{
    if (len < size)
        return len;
    len = size - 1;
    for (int i = 0; i < 3 && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; i++)
        len--;
    return len;
}

void text_copy(char *to, size_t size, const char *from)
{
    struct buf repaired = {0};
    to[0] = '\0';
    if (!from)
        return;
    from += strspn(from, " \t\r\n");
    /* A title may be megabytes long; no more is looked at than can be kept. */
    size_t len = text_fit(from, strnlen(from, size), size);
    if (!utf8_valid(from, len)) {
        utf8_append_lossy(&repaired, from, len);
        if (repaired.failed)
            goto out;
        from = repaired.data;
        len = text_fit(from, repaired.len, size);
    }
    while (len > 0 && strchr(" \t\r\n", from[len - 1]))
        len--;
    memcpy(to, from, len);
    to[len] = '\0';
out:
    buf_free(&repaired);
}
