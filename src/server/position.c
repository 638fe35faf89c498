#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "position.h"

static const char digits[] = "0123456789", hex_digits[] = "0123456789abcdef";

enum { EPOCH_DIGITS = 8 };

/* Decimal digits without sign or needless zeros, up to `max`; moves *text behind them. */
static bool read_number(const char **text, uint64_t max, uint64_t *out)
{
    size_t len = strspn(*text, digits);
    if (len == 0 || (len > 1 && **text == '0'))
        return false;
    errno = 0;
    *out = strtoull(*text, NULL, 10);
    *text += len;
    return errno == 0 && *out <= max;
}

static bool read_epoch(const char **text, uint32_t *out)
{
    if (strspn(*text, hex_digits) != EPOCH_DIGITS)
        return false;
    *out = (uint32_t)strtoul(*text, NULL, 16);
    *text += EPOCH_DIGITS;
    return *out != 0;
}

bool position_parse(const char *text, struct position *out)
{
    static const char catalog_letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    struct position position = {0};
    size_t len = strspn(text, catalog_letters);
    if (len == 0 || len >= sizeof position.catalog || text[len] != ':')
        return false;
    memcpy(position.catalog, text, len);
    text += len + 1;
    uint64_t sequence;
    if (!read_number(&text, INT64_MAX, &sequence))
        return false;
    position.sequence = (int64_t)sequence;
    if (*text == ':') {
        text++;
        if (!read_epoch(&text, &position.epoch) || *text != '.')
            return false;
        text++;
        if (!read_number(&text, UINT64_MAX, &position.frame))
            return false;
    }
    if (*text)
        return false;
    *out = position;
    return true;
}

void position_print(const struct position *position, char out[POSITION_TEXT_SIZE])
{
    int len =
        snprintf(out, POSITION_TEXT_SIZE, "%s:%" PRId64, position->catalog, position->sequence);
    if (position->epoch)
        snprintf(out + len, POSITION_TEXT_SIZE - (size_t)len, ":%08" PRIx32 ".%" PRIu64,
                 position->epoch, position->frame);
}
