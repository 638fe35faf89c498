/* outbox: what the job thread says to the loop: events and replies, in order. Job thread. */
#ifndef REELD_LIBRARY_OUTBOX_H
#define REELD_LIBRARY_OUTBOX_H

#include "reeld/base.h"
#include "reeld/events.h"

struct library;

/* Takes over the event's reference; NULL (out of memory when it was made) is told in the log, since
 * a client that misses an event has to be explainable. */
void outbox_event(struct library *library, struct event *event);

/* Answers a command; `job_id` and `detail` may be NULL. */
void outbox_reply(struct library *library, uint64_t ticket, enum rl_err err, const char *job_id,
                  const char *detail);

/* Answers a command that went well with how many it was about. */
void outbox_count(struct library *library, uint64_t ticket, int64_t count);

/* Answers a wish for a picture. */
struct picture_reply {
    enum rl_err err;
    enum failure_code failure; /* as struct library_message has it */
    const char *words;         /* may be NULL */
    const void *bytes;         /* of one that could not be kept */
    size_t len;
};
void outbox_picture(struct library *library, uint64_t ticket, const struct picture_reply *reply);

/* The source of an event of this catalogue. */
struct event_source outbox_source(struct library *library, int64_t sequence,
                                  const char *correlation_id);

#endif
