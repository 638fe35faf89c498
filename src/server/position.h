/* position: a point of the stream as clients name it in `since`, in Last-Event-ID and in `next`. An
 * event_id is one. Pure; any thread. */
#ifndef REELD_SERVER_POSITION_H
#define REELD_SERVER_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POSITION_TEXT_SIZE = 96 };

/* "<catalogue>:<sequence>", or "<catalogue>:<sequence>:<epoch>.<frame>": the second form, which
 * only a long poll gives, also tells between two durable events, as long as this process lives. */
struct position {
    char catalog[24];
    int64_t sequence; /* every durable event up to it was received */
    uint32_t epoch;   /* of the process that gave it; 0: the first form */
    uint64_t frame;   /* position in that process's ring */
};

/* False: it is no such text (wrong form, a number too large, over-long). */
bool position_parse(const char *text, struct position *out);

/* Writes `position`, in the first form where its epoch is 0. */
void position_print(const struct position *position, char out[POSITION_TEXT_SIZE]);

#endif
