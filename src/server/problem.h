/* problem: what is wrong with a request, as an RFC 9457 problem document. Pure. */
#ifndef REELD_SERVER_PROBLEM_H
#define REELD_SERVER_PROBLEM_H

#include <stdbool.h>

struct json_object;

enum { PROBLEM_FIELD_SIZE = 64, PROBLEM_DETAIL_SIZE = 320 };

struct problem {
    int status;                       /* the HTTP status, 400 to 599 */
    const char *code;                 /* UPPER_SNAKE, for programs; static */
    char field[PROBLEM_FIELD_SIZE];   /* the member or parameter it is about, or empty; UTF-8 */
    char detail[PROBLEM_DETAIL_SIZE]; /* for people; UTF-8 */
};

/* Fills `problem`; `field` may be NULL. Ill-formed UTF-8 in the text is repaired, too long text is
 * cut. Returns false, so that a check can end with it. */
bool problem_set(struct problem *problem, int status, const char *code, const char *field,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The document: type, title, status, detail, code, message and, where there is one, field. The
 * caller owns it; NULL when out of memory. */
struct json_object *problem_json(const struct problem *problem);

/* The phrase of an HTTP status (RFC 9110 §15), never NULL. */
const char *problem_title(int status);

#endif
