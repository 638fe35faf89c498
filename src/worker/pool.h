/* pool: the inside of struct pool, shared by the files of the daemon's side. Job thread only.
 *
 * A slot is a place for one worker:
 *
 *   EMPTY → STARTING → READY → (the worker closed its end) ENDED → EMPTY
 *                 \________\____ killed by us, the process becomes a corpse ____→ EMPTY
 *
 * A slot that ended by itself waits for its exit status, which says what to charge the head with. A
 * process that we killed is of no more interest: it becomes a corpse, reaped when it is gone, and
 * its slot is free at once, even when the process hangs in the kernel (a dead network disk). */
#ifndef REELD_WORKER_POOL_H
#define REELD_WORKER_POOL_H

#include <sys/queue.h>

#include "process.h"
#include "reeld/worker.h"
#include "wire.h"

enum {
    POOL_WORKERS_MAX = 16,
    POOL_DEPTH = 8,          /* files to be probed that one worker has at hand and in its socket */
    POOL_DEPTH_PICTURES = 2, /* the same, when the next one is for a picture */
    POOL_CORPSES_PER_WORKER = 2, /* while more than these linger, no new worker is started */
    POOL_CORPSES_MAX = (POOL_CORPSES_PER_WORKER + 1) * POOL_WORKERS_MAX,
    POOL_GRACE_TIMES = 9, /* a deadline may be put off by at most so many times itself, or … */
    POOL_HOPELESS_ROUNDS = 3, /* failed starts a worker before waiting files are given up */
};

static_assert(POOL_WORKERS_MAX + POOL_CORPSES_MAX <= POOL_POLLFDS_MAX, "all can be polled");

#define POOL_NEVER INT64_MAX /* a moment that does not come, in ns as clock_mono_ns */

#define POOL_MS (INT64_C(1000000))        /* in ns */
#define POOL_START_NS (20000 * POOL_MS)   /* a worker that has not greeted by then is replaced */
#define POOL_EXIT_NS (1000 * POOL_MS)     /* from closing its end to being gone */
#define POOL_FORGOTTEN_NS (500 * POOL_MS) /* for a file that nobody waits for any more */
#define POOL_STUCK_NS (250 * POOL_MS)   /* then idle workers take over what waits behind the head */
#define POOL_GRACE_NS (60000 * POOL_MS) /* … by this, whichever is more */
#define POOL_RETRY_NS (20 * POOL_MS)    /* after a socket took no more, or without a pidfd */
#define POOL_BACKOFF_MIN_NS (100 * POOL_MS)
#define POOL_BACKOFF_MAX_NS (10000 * POOL_MS)

/* A file that was submitted: in one of the queues, or in the pipeline of one slot. The pool keeps
 * its own descriptor until the answer, so that another worker can get it. */
struct pool_file {
    TAILQ_ENTRY(pool_file) link;
    void *tag;
    uint64_t owner;
    uint64_t number; /* of the request; a file that is sent again gets a new one */
    int fd;
    enum pool_rank rank;
    bool wants_picture; /* as `picture` says; else it is probed */
    struct picture_request picture;
    bool forgotten; /* cancelled, or given to another worker: its answer is dropped; fd is -1 */
    char name_hint[WIRE_HINT_SIZE];
};

TAILQ_HEAD(file_list, pool_file);

enum slot_state { SLOT_EMPTY, SLOT_STARTING, SLOT_READY, SLOT_ENDED };

struct slot {
    enum slot_state state;
    struct process process;
    int channel;            /* -1 in EMPTY and ENDED */
    bool greeted;           /* it was READY once */
    struct file_list files; /* first is the head: the one the worker is at */
    int n_files;
    struct picture arriving; /* of the head: bytes is NULL, or some pieces of it are missing */
    size_t arrived;          /* bytes of it that are here */
    uint64_t answered;       /* number of the last request that it answered */
    int64_t since_ns;        /* STARTING: start; READY: it turned to the head; ENDED: it ended */
    int64_t asked_ns;      /* READY: when its processor time was asked for; 0: not for this head */
    int64_t ran_ns;        /* READY: the processor time that it had used then */
    int64_t grace_ns;      /* READY: that much later is the head's deadline */
    int64_t start_at_ns;   /* EMPTY: not before */
    int64_t full_until_ns; /* READY: hand it nothing before */
    int64_t backoff_ns;    /* last wait after a death without a file; 0 after a success */
    char words[WIRE_WORDS_SIZE]; /* STARTING, ENDED: what it said went wrong */
};

struct pool {
    struct pool_config config;
    struct slot slots[POOL_WORKERS_MAX];
    struct process corpses[POOL_CORPSES_MAX];
    int n_corpses;
    struct file_list queues[POOL_RANKS];
    uint32_t n_queued[POOL_RANKS];
    uint64_t next_number;
    int start_failures;        /* in a row, of all slots, since one greeted */
    bool serving;              /* pool_service is at work and will hand out at its end */
    struct pool_status status; /* counters, sandbox, words, version */
    char *message;             /* WIRE_REPLY_MAX bytes */
};

/* ---- pool_slot.c: one slot ----------------------------------------------------------------- */

/* Starts a worker in an EMPTY slot, or notes the failure and when to try again. */
void slot_start(struct pool *pool, struct slot *slot);

/* The worker turns to another head now. */
void slot_turn(struct slot *slot);

/* Files in the pipeline of `slot` that go before one of `rank`, or are of that rank. */
int slot_before(const struct slot *slot, enum pool_rank rank);

/* Takes the first file out of the pipeline (the caller owns it) and turns to the next; NULL when
 * there is none. */
struct pool_file *slot_take_head(struct slot *slot);

/* Puts the head back to the front of its queue and turns to the next. */
void slot_return_head(struct pool *pool, struct slot *slot);

/* Empties the slot, whatever its state, and lets it start again at once, or with `backoff` after a
 * growing wait. Its files go back to the front of their queues. A process that has not been reaped
 * is killed. */
void slot_clear(struct pool *pool, struct slot *slot, bool backoff);

/* Gives the files behind the head back to the queues; the worker's answers to them are dropped. */
void slot_take_back(struct pool *pool, struct slot *slot);

/* One more worker could not be made ready; `words` follow "the worker ". */
void slot_start_failed(struct pool *pool, const char *words);

/* Frees a file, closing its descriptor. */
void pool_file_free(struct pool_file *file);

/* ---- pool_hand.c: queues and pipelines ----------------------------------------------------- */

void pool_queue_last(struct pool *pool, struct pool_file *file);
void pool_queue_first(struct pool *pool, struct pool_file *file);

/* Files in all queues. */
uint32_t pool_queued(const struct pool *pool);

/* Takes the next file by rank out of the queues; NULL when they are empty. */
struct pool_file *pool_queue_take(struct pool *pool);

/* How many files a worker may have that go before one like this, or along with it. */
int pool_depth(bool wants_picture);

/* Hands queued files to workers until the queues or all pipelines are exhausted. */
void pool_hand_out(struct pool *pool);

/* Whether every attempt to start a worker has failed for so long that files shall not wait. */
bool pool_hopeless(const struct pool *pool);

/* Workers that are READY. */
int pool_ready(const struct pool *pool);

/* Reports the result of `file` (taken out of all lists) and frees it; drops both when nobody waits.
 * The callback may submit and cancel: the caller keeps no pointer into any list across it. */
void pool_answer(struct pool *pool, struct pool_file *file, struct pool_result *result);

/* Reports a failure that the pool itself found. */
void pool_answer_failure(struct pool *pool, struct pool_file *file, enum failure_code code,
                         const char *error);

/* ---- pool_time.c: when the pool wants to be woken ------------------------------------------- */

/* The time that the head of `slot` may take, in ns; POOL_NEVER: any, or there is no head. */
int64_t slot_limit(const struct pool *pool, const struct slot *slot);

/* When the head of a READY slot has had its time, as clock_mono_ns; POOL_NEVER: no limit. */
int64_t slot_deadline(const struct pool *pool, const struct slot *slot);

/* When to ask first how much processor time the worker of a READY slot gets: in the middle of the
 * head's time, so that it is asked of hardly any file. POOL_NEVER: it was, or there is no limit. */
int64_t slot_ask_at(const struct pool *pool, const struct slot *slot);

/* When other workers may take over what waits behind the head of `slot`: idle ones anything, busy
 * ones what is asked for on demand. POOL_NEVER: no such thing waits there, or there is no such
 * worker. */
int64_t slot_relief(const struct pool *pool, const struct slot *slot);

#endif
