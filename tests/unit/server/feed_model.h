/* feed_model: what a client of the channel must get, said as plainly as possible: everything that
 * was ever published is kept, and every question is answered by looking at all of it. */
#ifndef REELD_TEST_FEED_MODEL_H
#define REELD_TEST_FEED_MODEL_H

#include "feed.h"

enum { MODEL_EVENTS = 4000, MODEL_JOBS = 4, MODEL_EPOCH = 0x1234abcd, FEED_TEST_ROOM = 40000 };

#define MODEL_CATALOG "7f3a9c01"

struct model_event {
    enum event_type type;
    int64_t sequence, made_ns;
    char job[ID_TEXT_SIZE];
    bool terminal;
    size_t json_len, frame_len;
    size_t bytes_before; /* of the frames published before it */
    int64_t last_before; /* the highest sequence published before it */
};

/* What was published. The position of an event in the ring is its index here. */
struct model {
    struct ring *ring;
    size_t ring_bytes;
    struct model_event events[MODEL_EVENTS];
    size_t count, bytes;
    int64_t first, last; /* the sequence before the first event, and the last one published */
    char jobs[MODEL_JOBS][ID_TEXT_SIZE]; /* those that are running */
    uint32_t seed;
    int64_t now_ns;
};

uint32_t model_random(struct model *model, uint32_t below);
void model_open(struct model *model, uint32_t seed);
void model_close(struct model *model);

/* Publishes one event of a random kind and size. */
void model_publish(struct model *model);

/* Whether a later event says more than that at `index`. */
bool model_superseded(const struct model *model, size_t index);

/* Bytes of frames from `index` on. */
size_t model_behind(const struct model *model, size_t index);

/* Whether what came after `since` is all in the ring, and then where it begins. */
bool model_after(const struct model *model, int64_t since, size_t *start);

/* Whether `wanted` asks for the event, in that form. */
bool model_wants(const struct model_event *event, const struct subscription *wanted,
                 enum feed_form form);

/* The bytes of the event at `index` in a form; `out` holds FEED_TEST_ROOM. */
size_t model_form(const struct model *model, size_t index, enum feed_form form, uint8_t *out);

#endif
