/* worker: the daemon's side of the worker processes: a pool that hands open files to confined
 * processes and gives back what they say. All functions: job thread (or the test's one thread). */
#ifndef REELD_WORKER_H
#define REELD_WORKER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "reeld/base.h"
#include "reeld/media_info.h"
#include "reeld/media_picture.h"
#include "reeld/vocabulary.h"

struct pool;

enum { POOL_POLLFDS_MAX = 64 }; /* pool_pollfds never fills more */

/* What is asked for with a better rank overtakes all that only waits, also what a worker has at
 * hand already; it waits for nothing but the file that the worker is at. */
enum pool_rank { POOL_ON_DEMAND, POOL_PROBE, POOL_BACKGROUND, POOL_RANKS };

/* What became of one file. */
struct pool_result {
    void *tag; /* as submitted */
    enum failure_code
        code; /* FAILURE_NONE: `info` or `picture` is filled, and the callee owns it */
    struct media_info info; /* of pool_submit; else empty */
    struct picture picture; /* of pool_submit_picture; else empty */
    char error[MEDIA_ERROR_SIZE];
};

struct pool_config {
    const char *program;   /* path of reeld-worker; must outlive the pool */
    int workers;           /* 1 to 16 processes */
    int64_t deadline_ms;   /* for one file, from the moment its worker turns to it; 0: none */
    uint64_t memory_limit; /* address space of a worker in bytes; 0: none (sanitizer builds) */
    const char *test_mode; /* NULL, or what an attack worker shall do (tests only) */
    /* Called from pool_submit, pool_cancel and pool_service; may call pool_submit itself. */
    void (*done)(void *ctx, struct pool_result *result);
    void *ctx;
};

enum pool_sandbox {
    POOL_SANDBOX_UNKNOWN,
    POOL_SANDBOX_FULL,
    POOL_SANDBOX_NO_LANDLOCK,
    POOL_SANDBOX_FAILED
};

struct pool_status {
    int workers, alive, busy;
    enum pool_sandbox sandbox; /* as the workers reported it; FAILED: none could confine itself */
    char sandbox_error[128];   /* what could not be set up; empty when all is well */
    /* since the pool was opened; `probed` and `pictures`: files that were answered, for good or bad
     */
    uint64_t started, probed, pictures, timeouts, crashes, ooms, bad_replies;
    uint32_t queued, in_flight;
    char version[64]; /* media_version() as the workers report it; empty before the first report */
};

/* Starts the workers; they die with the thread that calls this and pool_service. RL_OK also when a
 * worker cannot be started just now: it is tried again with back-off and shows in the status; files
 * submitted meanwhile wait. */
enum rl_err pool_open(const struct pool_config *config, struct pool **out);

/* Kills the workers and frees the pool; files not yet answered are closed without a result. */
void pool_close(struct pool *pool);

/* Whether a file submitted to be probed now would go to a worker at once (its pipeline has room).
 * The job thread keeps the workers fed by submitting while this is true. */
bool pool_has_room(const struct pool *pool);

/* The same for a picture of that rank. A pipeline is shorter for pictures, which take longer: each
 * that waits elsewhere can still be given up or overtaken. */
bool pool_has_room_for_picture(const struct pool *pool, enum pool_rank rank);

/* Queues a file. Takes `fd` in any case. `name_hint` as in media_probe, copied. `owner` groups
 * files for pool_cancel. RL_ENOMEM: nothing will be reported for it. */
enum rl_err pool_submit(struct pool *pool, int fd, const char *name_hint, enum pool_rank rank,
                        uint64_t owner, void *tag);

/* The same for a picture of the file, as media_picture makes it. RL_EINVAL: a kind or width that is
 * none; nothing will be reported. */
enum rl_err pool_submit_picture(struct pool *pool, int fd, const char *name_hint,
                                const struct picture_request *request, enum pool_rank rank,
                                uint64_t owner, void *tag);

/* Forgets the files of `owner`: no result will be reported for them; `drop` is called with each
 * tag and may not call the pool. Workers that are stuck on one of them are replaced. */
void pool_cancel(struct pool *pool, uint64_t owner, void (*drop)(void *ctx, void *tag), void *ctx);

/* Fills at most `max` poll entries (POLLIN); returns how many. */
int pool_pollfds(const struct pool *pool, struct pollfd *fds, int max);

/* Milliseconds until the pool wants pool_service without an fd being ready; -1: never. */
int pool_timeout_ms(const struct pool *pool);

/* Reads replies, notices deaths, kills workers past their deadline, respawns, hands out files. Call
 * after every poll. */
void pool_service(struct pool *pool);

void pool_status(const struct pool *pool, struct pool_status *out);

#endif
