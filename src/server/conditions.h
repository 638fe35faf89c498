/* conditions: the headers with which a client says what it has already (RFC 9110 §13, §8.8). Pure;
 * any thread. */
#ifndef REELD_SERVER_CONDITIONS_H
#define REELD_SERVER_CONDITIONS_H

#include <stdbool.h>
#include <stdint.h>

/* As they came; "": there is none. */
struct conditions {
    char if_match[256], if_none_match[256], if_range[128];
    char if_modified_since[64], if_unmodified_since[64];
    char range[2048];
};

/* What the file is known by. */
struct validators {
    const char *tag;    /* a strong entity-tag, with its quotes */
    int64_t modified_s; /* Last-Modified */
};

enum condition {
    CONDITION_GO,
    CONDITION_UNCHANGED, /* 304 */
    CONDITION_FAILED,    /* 412 */
};

/* In the order of RFC 9110 §13.2.2, for GET and HEAD. A date that cannot be read is as if it were
 * not there. */
enum condition conditions_check(const struct conditions *conditions,
                                const struct validators *validators);

/* Whether the Range header counts: there is no If-Range, or it names the file as it is now. A date
 * does so only when the file is older than `now_s` by long enough for the date to be one state
 * alone (§8.8.2.2). */
bool conditions_range(const struct conditions *conditions, const struct validators *validators,
                      int64_t now_s);

/* The three forms of RFC 9110 §5.6.7. False: it is none. */
bool http_date_read(const char *text, int64_t *out_s);

enum { HTTP_DATE_SIZE = 64 };
void http_date_write(int64_t s, char out[HTTP_DATE_SIZE]);

#endif
