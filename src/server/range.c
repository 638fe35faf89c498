#include "range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Reads digits; false: there is none. What is too large is INT64_MAX. */
static bool read_number(const char **at, int64_t *out)
{
    const char *start = *at;
    int64_t value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        int digit = **at - '0';
        value = value > (INT64_MAX - digit) / 10 ? INT64_MAX : value * 10 + digit;
    }
    *out = value;
    return *at != start;
}

/* One range-spec. False: malformed. length 0: it has nothing of the file. */
static bool read_range(const char **at, int64_t size, struct range *out)
{
    int64_t first, last = INT64_MAX;
    *out = (struct range){0};
    if (**at == '-') {
        ++*at;
        if (!read_number(at, &last))
            return false;
        int64_t length = last < size ? last : size;
        *out = (struct range){size - length, length};
        return true;
    }
    if (!read_number(at, &first) || *(*at)++ != '-')
        return false;
    bool closed = read_number(at, &last);
    if (!closed)
        last = INT64_MAX;
    if (last < first)
        return false;
    if (first < size)
        *out = (struct range){first, (last < size ? last + 1 : size) - first};
    return true;
}

static bool join(struct range *a, const struct range *b)
{
    int64_t a_end = a->offset + a->length, b_end = b->offset + b->length;
    if (b->offset - a_end >= RANGES_GAP || a->offset - b_end >= RANGES_GAP)
        return false;
    int64_t start = a->offset < b->offset ? a->offset : b->offset;
    *a = (struct range){start, (a_end > b_end ? a_end : b_end) - start};
    return true;
}

/* Adds a range that overlaps none: it takes the place of the first that it is joined with, and what
 * that makes may reach others. */
static void add(struct range_set *set, struct range range)
{
    size_t place = set->count;
    for (size_t i = 0; i < set->count;) {
        if (!join(&range, &set->ranges[i])) {
            i++;
            continue;
        }
        if (i < place)
            place = i;
        memmove(&set->ranges[i], &set->ranges[i + 1], (set->count - i - 1) * sizeof set->ranges[0]);
        set->count--;
        i = 0;
    }
    if (place > set->count)
        place = set->count;
    memmove(&set->ranges[place + 1], &set->ranges[place],
            (set->count - place) * sizeof set->ranges[0]);
    set->ranges[place] = range;
    set->count++;
}

enum range_verdict range_parse(const char *header, int64_t size, struct range_set *out)
{
    static const char unit[] = "bytes=";
    out->count = 0;
    if (strncasecmp(header, unit, sizeof unit - 1) != 0)
        return RANGE_NONE;
    size_t asked = 0;
    for (const char *at = header + sizeof unit - 1;;) {
        /* Empty elements of a list are passed over (RFC 9110 §5.6.1.2). */
        at += strspn(at, ", \t");
        if (!*at)
            break;
        struct range range;
        if (!read_range(&at, size, &range))
            return RANGE_NONE;
        at += strspn(at, " \t");
        if (*at && *at != ',')
            return RANGE_NONE;
        if (++asked <= RANGES_MAX && range.length)
            add(out, range);
    }
    if (asked == 0)
        return RANGE_NONE;
    if (asked > RANGES_MAX)
        return RANGE_TOO_MANY;
    if (size == 0)
        return RANGE_NONE;
    return out->count ? RANGE_SOME : RANGE_UNSATISFIABLE;
}
