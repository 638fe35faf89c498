/* range: the Range header, as what of a file is asked for (RFC 9110 §14). Pure; any thread. */
#ifndef REELD_SERVER_RANGE_H
#define REELD_SERVER_RANGE_H

#include <stddef.h>
#include <stdint.h>

enum {
    RANGES_MAX = 32, /* that one request may ask for */
    /* Parts nearer to each other than what stands between two parts of an answer are sent as one
     * (RFC 9110 §15.3.7.2). */
    RANGES_GAP = 128,
};

struct range {
    int64_t offset, length; /* bytes; length is above 0 */
};

struct range_set {
    struct range ranges[RANGES_MAX]; /* in the order they were asked for; none overlap */
    size_t count;                    /* at least 1 */
};

enum range_verdict {
    /* No header, another unit, malformed (§14.2), or of an empty file: as if it were not there. */
    RANGE_NONE,
    RANGE_SOME,          /* *out has them; else it has nothing that counts */
    RANGE_UNSATISFIABLE, /* none of them has a byte of the file (§15.5.17) */
    RANGE_TOO_MANY,      /* well-formed, and more than RANGES_MAX */
};

/* What `header` ("" where there is none) asks for of a file of `size` bytes. Numbers that do not
 * fit stand for the largest that does. Ranges that overlap, or nearly touch, are joined. */
enum range_verdict range_parse(const char *header, int64_t size, struct range_set *out);

#endif
