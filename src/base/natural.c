#include <ctype.h>
#include <string.h>

#include "reeld/base.h"

static int compare_digits(const char **a, const char **b)
{
    const char *one = *a + strspn(*a, "0"), *other = *b + strspn(*b, "0");
    size_t len = strspn(one, "0123456789"), other_len = strspn(other, "0123456789");
    *a = one + len;
    *b = other + other_len;
    if (len != other_len)
        return len < other_len ? -1 : 1;
    return strncmp(one, other, len);
}

int natural_compare(const char *a, const char *b)
{
    const char *one = a, *other = b;
    while (*one && *other) {
        int order;
        if (isdigit((unsigned char)*one) && isdigit((unsigned char)*other))
            order = compare_digits(&one, &other);
        else
            order = tolower((unsigned char)*one++) - tolower((unsigned char)*other++);
        if (order)
            return order;
    }
    if (*one || *other)
        return *one ? 1 : -1;
    return strcmp(a, b);
}

/* One run of digits: a byte that stands where digits do among other characters, how long the number
 * is without its leading zeros, and its digits. */
static const char *append_digits(const char *at, struct buf *out)
{
    at += strspn(at, "0");
    size_t len = strspn(at, "0123456789");
    char head[2] = {'0', (char)(len < 255 ? len : 255)};
    buf_append(out, head, sizeof head);
    buf_append(out, at, len);
    return at + len;
}

void natural_key(struct buf *out, const char *name)
{
    while (*name) {
        if (isdigit((unsigned char)*name)) {
            name = append_digits(name, out);
        } else {
            char letter = (char)tolower((unsigned char)*name++);
            buf_append(out, &letter, 1);
        }
    }
}
