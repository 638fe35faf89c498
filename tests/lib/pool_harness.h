/* pool_harness: drives a real pool with real workers for tests: one poll loop, results kept. */
#ifndef REELD_TESTS_POOL_HARNESS_H
#define REELD_TESTS_POOL_HARNESS_H

#include <stddef.h>

#include "reeld/worker.h"

/* A valid little video: two pictures of 16 x 16, YUV4MPEG2. */
extern const char harness_video[];
extern const size_t harness_video_size;

struct harness_outcome {
    int answers; /* must end as 1 */
    enum failure_code code;
    int width;
    uint32_t streams, chapters; /* described */
    uint64_t digest;            /* of all that was said about it */
    size_t picture_size, turn;  /* of the JPEG; how many were answered before it */
    int picture_width;
    uint64_t picture_digest;
    char title[128];
    char error[MEDIA_ERROR_SIZE];
};

struct harness {
    struct pool *pool;
    struct pool_config config;
    struct harness_outcome *outcomes; /* one a file, by the index given with it */
    size_t count, answered;
};

/* Opens a pool of `workers` for `count` files; no deadline and no memory limit. */
void harness_open(struct harness *harness, const char *program, int workers, size_t count);

/* The same with everything else in `config` as it is. */
void harness_open_with(struct harness *harness, const struct pool_config *config, size_t count);

void harness_close(struct harness *harness);

/* A read-only descriptor of a file without a name that holds `size` bytes. */
int harness_file(const void *bytes, size_t size);

/* Submits file `index`; takes `fd`. */
void harness_submit(struct harness *harness, size_t index, int fd, uint64_t owner);
/* The same for a thumbnail of it. */
void harness_submit_picture(struct harness *harness, size_t index, int fd, const char *name_hint,
                            enum pool_rank rank, uint64_t owner);
void harness_submit_text(struct harness *harness, size_t index, const char *text);
void harness_submit_video(struct harness *harness, size_t index);

/* Waits as the pool asks for it and serves it once; fails the test where the pool waits for
 * nothing. */
void harness_turn(struct harness *harness);

/* The same, but waits no longer than a child of the test runs. Whether it still does; reaps it. */
bool harness_turn_beside(struct harness *harness, pid_t child);

/* Turns until `answered` files are answered; fails the test after some minutes. */
void harness_run(struct harness *harness, size_t answered);

/* Turns until condition(status) holds; fails the test after some minutes. */
void harness_until(struct harness *harness, bool (*condition)(const struct pool_status *status));

bool harness_idle(const struct pool_status *status); /* all workers ready, none at work */

/* Children of this process by /proc, zombies included; the first `max` into `pids`. */
size_t harness_children(int *pids, size_t max);

/* Turns until there are so many of them: a worker that was killed is reaped some time after another
 * stands in its place. Fails the test after some minutes. */
void harness_until_children(struct harness *harness, size_t count);

/* Open descriptors of this process. */
size_t harness_descriptors(void);

#endif
