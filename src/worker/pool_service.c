#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_ROOM "worker"
#include "pool.h"
#include "reply.h"

/* At least all the pieces of a picture. */
enum { POOL_MESSAGES_A_TURN = PICTURE_BYTES_MAX / WIRE_PIECE_MAX + 4 * POOL_DEPTH };

/* ---- ends ---------------------------------------------------------------------------------- */

/* The worker closed its end; its exit status follows. */
static void slot_end(struct slot *slot)
{
    close(slot->channel);
    slot->channel = -1;
    slot->state = SLOT_ENDED;
    slot->since_ns = clock_mono_ns();
}

/* Charges the head with the death of its worker, and sets the others free. `words` follow "the
 * worker ". */
static void slot_charge(struct pool *pool, struct slot *slot, enum failure_code code,
                        const char *words)
{
    char error[MEDIA_ERROR_SIZE];
    snprintf(error, sizeof error, "the worker %s", words);
    struct pool_file *head = slot_take_head(slot);
    slot_clear(pool, slot, head == NULL);
    if (!head) {
        log_warn("%s while it had nothing to do", error);
        return;
    }
    if (!head->forgotten) {
        pool->status.crashes += code == FAILURE_CRASH;
        pool->status.ooms += code == FAILURE_OOM;
        pool->status.timeouts += code == FAILURE_TIMEOUT;
        log_info("%s", error);
    }
    pool_answer_failure(pool, head, code, error);
}

/* A worker that never became ready. */
static void slot_give_up(struct pool *pool, struct slot *slot, const char *words)
{
    slot_start_failed(pool, words);
    slot_clear(pool, slot, true);
}

static void slot_judge(struct pool *pool, struct slot *slot, int status)
{
    char words[WIRE_WORDS_SIZE];
    process_words(status, words, sizeof words);
    bool killed = status != PROCESS_STATUS_UNKNOWN && WIFSIGNALED(status) &&
                  WTERMSIG(status) == SIGKILL; /* not by us: ours are corpses */
    if (!slot->greeted && slot->words[0]) {
        slot_give_up(pool, slot, slot->words);
    } else if (!slot->greeted) {
        char before[WIRE_WORDS_SIZE + 32];
        snprintf(before, sizeof before, "%s before it was ready", words);
        slot_give_up(pool, slot, before);
    } else if (killed) {
        slot_charge(pool, slot, FAILURE_OOM,
                    "was stopped by SIGKILL, as the system does when memory runs out");
    } else {
        slot_charge(pool, slot, FAILURE_CRASH, words);
    }
}

/* ---- messages ------------------------------------------------------------------------------ */

/* The worker talks nonsense: it is replaced, and the file that it was at pays. What repeats an
 * answer already given was provoked by that file, which has its result: then nobody pays. */
static void slot_nonsense(struct pool *pool, struct slot *slot, const char *why, uint64_t number)
{
    if (slot->state == SLOT_STARTING) {
        slot_give_up(pool, slot, "talked nonsense before it was ready");
        return;
    }
    bool repeated = number > 0 && number <= slot->answered;
    struct pool_file *head = repeated ? NULL : slot_take_head(slot);
    log_warn("a worker gave %s and is replaced", why);
    pool->status.bad_replies++;
    slot_clear(pool, slot, !head && slot->n_files == 0);
    if (head) {
        char error[MEDIA_ERROR_SIZE];
        snprintf(error, sizeof error, "the worker gave %s", why);
        pool_answer_failure(pool, head, FAILURE_BAD_REPLY, error);
    }
}

static void slot_hear_hello(struct pool *pool, struct slot *slot, size_t len)
{
    struct wire_hello hello;
    const char *why;
    enum rl_err err = reply_read_hello(pool->message, len, &hello, &why);
    if (err) {
        char words[WIRE_WORDS_SIZE];
        snprintf(words, sizeof words, "cannot be used: %s", err == RL_ENOMEM ? "no memory" : why);
        slot_give_up(pool, slot, words);
        return;
    }
    if (hello.sandbox == WIRE_SANDBOX_FAILED) { /* it ends now; the exit code follows */
        snprintf(slot->words, sizeof slot->words, "could not confine itself: %.90s", hello.words);
        return;
    }
    struct pool_status *status = &pool->status;
    status->sandbox =
        hello.sandbox == WIRE_SANDBOX_FULL ? POOL_SANDBOX_FULL : POOL_SANDBOX_NO_LANDLOCK;
    snprintf(status->sandbox_error, sizeof status->sandbox_error, "%s", hello.words);
    snprintf(status->version, sizeof status->version, "%s", hello.version);
    slot->state = SLOT_READY;
    slot->greeted = true;
    pool->start_failures = 0;
}

/* The head has its answer. */
static void slot_answer_head(struct pool *pool, struct slot *slot, struct pool_result *result)
{
    struct pool_file *file = slot_take_head(slot);
    slot->answered = file->number;
    slot->backoff_ns = 0;
    if (!file->forgotten) { /* another worker may have it a second time */
        pool->status.probed += !file->wants_picture;
        pool->status.pictures += file->wants_picture;
    }
    if (result->code == FAILURE_OOM) {
        /* Its heap is at the limit and in pieces: the next file would be charged for this one. */
        pool->status.ooms++;
        slot_clear(pool, slot, false);
    }
    pool_answer(pool, file, result);
}

/* A piece of a picture, or all of it. RL_OK with arrived < arriving.len: more is to come. */
static enum rl_err slot_read_picture(struct pool *pool, struct slot *slot, size_t len,
                                     struct pool_result *result, const char **why)
{
    const struct pool_file *head = TAILQ_FIRST(&slot->files);
    if (slot->arriving.bytes)
        return reply_read_piece(pool->message, len, head->number, &slot->arriving, &slot->arrived,
                                why);
    enum rl_err err = reply_read_pictured(pool->message, len, head->number, &head->picture, result,
                                          &slot->arrived, why);
    slot->arriving = result->picture;
    result->picture = (struct picture){0};
    return err;
}

/* The worker gives the head back unread, as it does when what waits behind is more urgent. */
static bool slot_may_return(const struct slot *slot)
{
    const struct pool_file *head = TAILQ_FIRST(&slot->files), *file = head;
    bool better = false;
    while ((file = TAILQ_NEXT(file, link)))
        better = better || file->rank < head->rank;
    return better && !slot->arriving.bytes;
}

static void slot_hear_answer(struct pool *pool, struct slot *slot, size_t len)
{
    const struct pool_file *head = TAILQ_FIRST(&slot->files);
    uint64_t number = reply_number(pool->message, len);
    if (!head) {
        slot_nonsense(pool, slot, "an answer that nobody asked for", number);
        return;
    }
    if (slot_may_return(slot) && reply_is_returned(pool->message, len, head->number)) {
        slot->answered = number;
        slot_return_head(pool, slot);
        return;
    }
    struct pool_result result = {0};
    const char *why = "";
    enum rl_err err = head->wants_picture
                          ? slot_read_picture(pool, slot, len, &result, &why)
                          : reply_read_probed(pool->message, len, head->number, &result, &why);
    if (err == RL_ENOMEM) {
        result = (struct pool_result){.code = FAILURE_OOM};
        snprintf(result.error, sizeof result.error, "the service itself has no memory left");
    } else if (err) {
        slot_nonsense(pool, slot, why, number);
        return;
    } else if (slot->arrived < slot->arriving.len) {
        return;
    }
    result.picture = slot->arriving;
    slot->arriving = (struct picture){0};
    slot_answer_head(pool, slot, &result);
}

/* Whether a read of nothing means that the worker is gone, not that it sent an empty message. */
static bool channel_closed(int channel)
{
    struct pollfd fd = {.fd = channel, .events = POLLRDHUP};
    return poll(&fd, 1, 0) == 1 && (fd.revents & (POLLHUP | POLLRDHUP | POLLERR));
}

/* Takes one message; false when there is none. */
static bool slot_listen(struct pool *pool, struct slot *slot)
{
    struct iovec part = {.iov_base = pool->message, .iov_len = WIRE_REPLY_MAX};
    /* Without room for control data the kernel throws descriptors away, and says so. */
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t got = recvmsg(slot->channel, &message, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return false;
    /* A worker that died with requests unread leaves ECONNRESET, once, before the answers that it
     * had given. */
    if (got < 0 && (errno == EINTR || errno == ECONNRESET))
        return true;
    if (got < 0 || (got == 0 && channel_closed(slot->channel)))
        slot_end(slot);
    else if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        slot_nonsense(pool, slot, "more than an answer can hold", 0);
    else if (slot->state == SLOT_STARTING)
        slot_hear_hello(pool, slot, (size_t)got);
    else
        slot_hear_answer(pool, slot, (size_t)got);
    return true;
}

/* ---- what time brings ---------------------------------------------------------------------- */

/* Workers give way to everything else on the machine. Where that keeps one from running, its file
 * is not at fault: the deadline is put off by the time that the worker stood in line. */
static bool slot_put_off(struct pool *pool, struct slot *slot)
{
    int64_t limit = slot_limit(pool, slot), now = clock_mono_ns(), ran;
    int64_t most = POOL_GRACE_TIMES * limit;
    if (most < POOL_GRACE_NS)
        most = POOL_GRACE_NS;
    if (!slot->asked_ns || slot->grace_ns >= most || !process_runnable(&slot->process, &ran))
        return false;
    int64_t in_line = now - slot->asked_ns - (ran - slot->ran_ns);
    slot->asked_ns = now;
    slot->ran_ns = ran;
    if (in_line <= limit / 20)
        return false;
    slot->grace_ns += in_line;
    return true;
}

/* STARTING too long, ENDED and not gone, or past the deadline of its head. */
static void slot_check_time(struct pool *pool, struct slot *slot)
{
    int64_t now = clock_mono_ns();
    if (slot->state == SLOT_STARTING && now >= slot->since_ns + POOL_START_NS) {
        slot_give_up(pool, slot, "did not become ready in time");
    } else if (slot->state == SLOT_ENDED && now >= slot->since_ns + POOL_EXIT_NS) {
        if (slot->greeted)
            slot_charge(pool, slot, FAILURE_CRASH, "closed its connection and did not end");
        else
            slot_give_up(pool, slot, "closed its connection before it was ready");
    } else if (now >= slot_ask_at(pool, slot)) {
        process_runnable(&slot->process, &slot->ran_ns);
        slot->asked_ns = now;
    } else if (slot->state == SLOT_READY && now >= slot_deadline(pool, slot) &&
               !slot_put_off(pool, slot)) {
        char words[WIRE_WORDS_SIZE];
        snprintf(words, sizeof words, "was still reading it after %" PRId64 " ms",
                 pool->config.deadline_ms);
        slot_charge(pool, slot, FAILURE_TIMEOUT, words);
    }
}

static void corpses_bury(struct pool *pool)
{
    int left = 0;
    for (int i = 0; i < pool->n_corpses; i++) {
        int status;
        if (!process_reap(&pool->corpses[i], &status))
            pool->corpses[left++] = pool->corpses[i];
    }
    pool->n_corpses = left;
}

/* Only what waits now: a callback may submit more, whose turn is the next call. */
static void waiting_give_up(struct pool *pool)
{
    char error[MEDIA_ERROR_SIZE];
    snprintf(error, sizeof error, "no confined worker could be started: %s",
             pool->status.sandbox_error);
    for (uint32_t count = pool_queued(pool); count > 0 && pool_queued(pool) > 0; count--)
        pool_answer_failure(pool, pool_queue_take(pool), FAILURE_SANDBOX, error);
}

static void slot_service(struct pool *pool, struct slot *slot)
{
    /* Answers before deadlines: one that came in time counts, however late we look. */
    for (int i = 0; i < POOL_MESSAGES_A_TURN && slot->channel >= 0; i++) {
        if (!slot_listen(pool, slot))
            break;
    }
    int status;
    if (slot->state == SLOT_ENDED && process_reap(&slot->process, &status)) {
        slot->process.pid = 0;
        slot_judge(pool, slot, status);
    }
    slot_check_time(pool, slot);
}

void pool_service(struct pool *pool)
{
    pool->serving = true;
    for (int i = 0; i < pool->config.workers; i++)
        slot_service(pool, &pool->slots[i]);
    corpses_bury(pool);
    if (pool_hopeless(pool))
        waiting_give_up(pool);
    for (int i = 0; i < pool->config.workers; i++) {
        struct slot *slot = &pool->slots[i];
        if (clock_mono_ns() >= slot_relief(pool, slot))
            slot_take_back(pool, slot);
    }
    for (int i = 0; i < pool->config.workers; i++) {
        struct slot *slot = &pool->slots[i];
        if (slot->state == SLOT_EMPTY && clock_mono_ns() >= slot->start_at_ns &&
            pool->n_corpses < POOL_CORPSES_PER_WORKER * pool->config.workers)
            slot_start(pool, slot);
    }
    pool->serving = false;
    pool_hand_out(pool);
}
