/* query: the arguments of a request, checked one by one. Pure. What a wrong one is answered with
 * says what would be right. */
#ifndef REELD_SERVER_QUERY_H
#define REELD_SERVER_QUERY_H

#include "http.h"

enum query_type {
    QUERY_TEXT,    /* out: const char *, UTF-8, as long-lived as the request */
    QUERY_BYTES,   /* out: const char *, any bytes, likewise */
    QUERY_INTEGER, /* out: int64_t between min and max; digits only */
    QUERY_CHOICE,  /* out: enum choice; true or false */
    QUERY_SECONDS, /* out: int64_t, microseconds between min and max; 90, 12.5 */
    QUERY_TIME,    /* out: int64_t, milliseconds since 1970; RFC 3339, or seconds since 1970 */
};

struct query_field {
    const char *name;
    enum query_type type;
    int64_t min, max;
    void *out; /* left alone when the argument is not there */
};

/* Unknown, repeated or malformed arguments: false, and `problem` (400) says which. */
bool query_read(const struct request *request, const struct query_field *fields, size_t n_fields,
                struct problem *problem);

/* The same where a further reader has its own: arguments whose names are in `others`
 * (NULL-terminated, or NULL) are neither looked at nor complained of. */
bool query_read_beside(const struct request *request, const char *const *others,
                       const struct query_field *fields, size_t n_fields, struct problem *problem);

#endif
