/* Clients of every kind on rings of every size, against the model: no gap, no duplicate, in order;
 * a replay is exact; a superseded frame is left out when the client lags and never else; progress
 * that was held back comes. */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "feed_model.h"

enum { SEEDS = 60, ROUNDS = 250, CLIENTS = 6, SCRATCH = 128 * 1024, NS_PER_MS = 1000000 };

/* One client as the test follows it. */
struct client {
    struct feed feed;
    size_t start;      /* the first event that could be due */
    size_t replay_end; /* before it only durable events are due */
    int64_t after;     /* durable events up to it are not due */
    bool resumed;      /* its poll goes on where another ended */
    size_t sent[MODEL_EVENTS];
    int64_t sent_ns[MODEL_EVENTS];
    size_t n_sent;
};

static struct model model;
static struct client clients[CLIENTS];
static uint8_t scratch[SCRATCH];

static bool is_due(const struct client *client, size_t index)
{
    const struct model_event *event = &model.events[index];
    if (index < client->replay_end && !event_type_durable(event->type))
        return false;
    if (event->sequence && event->sequence <= client->after)
        return false;
    return model_wants(event, &client->feed.wanted, client->feed.form);
}

/* Whether it may be left out. */
static bool is_conflated(size_t index)
{
    return model_behind(&model, index) > model.ring_bytes / 4 && model_superseded(&model, index);
}

static bool is_paced(const struct client *client, size_t index)
{
    return client->feed.wanted.progress_ns > 0 && event_type_progress(model.events[index].type);
}

/* The index of the event that stands at `at`: it says its number. A comment does not: it is the
 * next heartbeat from `from` on. */
static size_t index_at(const struct client *client, const uint8_t *at, size_t left, size_t from)
{
    if (at[0] == ':') {
        while (model.events[from].type != EVENT_HEARTBEAT || !is_due(client, from) ||
               is_conflated(from))
            from++;
        return from;
    }
    const uint8_t *number = memmem(at, left, "\"n\":", 4);
    assert_non_null(number);
    return (size_t)strtoul((const char *)number + 4, NULL, 10);
}

/* What the run holds, as indices; each byte of it is checked. */
static size_t read_run(const struct client *client, const struct feed_run *run, size_t from,
                       size_t *indices)
{
    static uint8_t expected[FEED_TEST_ROOM];
    size_t at = 0, count = 0;
    while (at < run->len) {
        if (count > 0 && client->feed.form == FEED_JSON)
            assert_int_equal(run->bytes[at++], ',');
        size_t index = index_at(client, run->bytes + at, run->len - at, from);
        assert_true(index < model.count);
        size_t len = model_form(&model, index, client->feed.form, expected);
        assert_true(at + len <= run->len);
        assert_memory_equal(run->bytes + at, expected, len);
        at += len;
        indices[count++] = index;
        if (index >= from)
            from = index + 1;
    }
    assert_int_equal(count, run->frames);
    return count;
}

/* That the frames from `from` to `to` gave exactly these, but for paced progress. Returns how many
 * were left out. */
static size_t check_exact(const struct client *client, size_t from, size_t to,
                          const size_t *indices, size_t count)
{
    size_t at = 0, conflated = 0;
    for (size_t i = from; i < to; i++) {
        if (!is_due(client, i))
            continue;
        if (is_conflated(i)) {
            conflated++;
            continue;
        }
        if (is_paced(client, i))
            continue;
        while (at < count && is_paced(client, indices[at]))
            at++;
        assert_true(at < count);
        assert_int_equal(indices[at++], i);
    }
    while (at < count && is_paced(client, indices[at]))
        at++;
    assert_int_equal(at, count);
    return conflated;
}

/* Progress goes forwards, not before its time and never behind the job's end. */
static void check_paced(const struct client *client, size_t index)
{
    const struct model_event *event = &model.events[index];
    assert_true(is_due(client, index));
    assert_true(index >= client->start);
    for (size_t i = client->n_sent; i-- > 0;) {
        const struct model_event *before = &model.events[client->sent[i]];
        if (strcmp(before->job, event->job) != 0)
            continue;
        assert_false(before->terminal);
        if (!event_type_progress(before->type))
            continue;
        assert_true(client->sent[i] < index);
        size_t tail = (size_t)ring_tail(model.ring);
        bool in_danger = tail > 0 && index < tail + (model.count - tail) / 4;
        if (!in_danger && !client->resumed && !client->after)
            assert_true(model.now_ns - client->sent_ns[i] >= client->feed.wanted.progress_ns);
        return;
    }
}

/* The socket took only a part of it: what lies in the ring goes back, but for the frame that is
 * cut. */
static void put_back(struct client *client, struct feed_run *run)
{
    size_t len = run->len, sent = model_random(&model, (uint32_t)len + 1);
    bool in_ring = run->in_ring;
    feed_put_back(&client->feed, model.ring, run, sent);
    if (!in_ring || sent == len) {
        assert_int_equal(run->len, len);
        return;
    }
    assert_true(run->len >= sent && run->len <= len);
    assert_int_equal(run->frames > 0, sent > 0);
    if (run->frames > 0)
        assert_true(run->len - sent < ring_entry_at(model.ring, client->feed.cursor - 1)->len);
}

/* One take, checked. False: nothing more is due now. */
static bool take(struct client *client, size_t max)
{
    static size_t indices[SCRATCH];
    struct feed_run run;
    size_t from = (size_t)client->feed.cursor, replayed = 0;
    if (!feed_pending(&client->feed, model.ring, model.now_ns))
        return false;
    feed_take(&client->feed, model.ring, MODEL_CATALOG, model.now_ns, max, scratch, SCRATCH, &run);
    if (model_random(&model, 2))
        put_back(client, &run);
    size_t to = (size_t)client->feed.cursor;
    assert_true(to >= from && to <= model.count);
    assert_true(run.len <= max || run.frames == 1);
    size_t count = read_run(client, &run, from, indices);
    assert_int_equal(check_exact(client, from, to, indices, count), run.conflated);
    for (size_t i = 0; i < count; i++) {
        if (is_paced(client, indices[i]))
            check_paced(client, indices[i]);
        replayed += indices[i] < client->replay_end;
        client->sent_ns[client->n_sent] = model.now_ns;
        client->sent[client->n_sent++] = indices[i];
    }
    assert_int_equal(run.replayed, replayed);
    assert_true(run.frames == replayed || run.oldest_ns > 0 || client->feed.wanted.progress_ns > 0);
    return true;
}

static void take_all(struct client *client, size_t max)
{
    while (take(client, max)) {
    }
    assert_int_equal(client->feed.cursor, model.count);
}

/* When nothing is pending: the newest progress of each job was sent, or waits for its time. */
static void check_nothing_forgotten(const struct client *client)
{
    int64_t next_ns = feed_next_ns(&client->feed);
    assert_true(next_ns > model.now_ns);
    for (size_t i = client->start; i < model.count; i++) {
        if (i < ring_tail(model.ring) || !is_paced(client, i) || !is_due(client, i) ||
            model_superseded(&model, i))
            continue;
        bool waits = false, sent = false;
        for (size_t k = 0; k < FEED_JOBS_MAX; k++)
            waits |= client->feed.pace[k].held == i;
        for (size_t k = 0; k < client->n_sent; k++)
            sent |= client->sent[k] == i;
        assert_true(waits != sent);
    }
}

/* ---- subscriptions -------------------------------------------------------------------------- */

static struct subscription random_wanted(void)
{
    struct subscribe all;
    subscribe_default(&all);
    struct subscription wanted = all.wanted;
    uint32_t kind = model_random(&model, 8);
    if (kind < 2)
        wanted.topics &= ~(1u << (kind ? TOPIC_JOBS : TOPIC_LIBRARY));
    else if (kind == 2)
        wanted.job = event_job_key(model.jobs[0]);
    if (model_random(&model, 3) == 0)
        wanted.progress_ns = (int64_t)(1 + model_random(&model, 50)) * NS_PER_MS;
    return wanted;
}

static void start_anew(struct client *client, size_t start, int64_t after)
{
    assert_int_equal(client->feed.cursor, start);
    client->start = start;
    client->replay_end = model.count;
    client->after = after;
    client->resumed = false;
    client->n_sent = 0;
}

/* From a random point, of this catalogue or another, known or not yet published. */
static void subscribe_since(struct client *client)
{
    struct subscribe subscribe = {.wanted = random_wanted(), .has_since = true};
    int64_t newest = model.last + model_random(&model, 3);
    int64_t since = model.first - 1 + model_random(&model, (uint32_t)(newest - model.first + 4));
    since = since < 0 ? 0 : since;
    bool same = model_random(&model, 10) > 0;
    strcpy(subscribe.since.catalog, same ? MODEL_CATALOG : "elsewhere");
    subscribe.since.sequence = since;
    subscribe.since.epoch = model_random(&model, 2) * 77; /* of a process that is no more */
    size_t start = model.count;
    bool expected = same && since <= newest && model_after(&model, since, &start);
    bool recovered =
        feed_subscribe(&client->feed, model.ring, &subscribe, MODEL_CATALOG, MODEL_EPOCH, newest);
    assert_int_equal(recovered, expected);
    start_anew(client, start, expected ? since : 0);
}

/* As a poll: the answer is over, the next one goes on at its `next`. */
static void poll_again(struct client *client)
{
    struct subscribe subscribe = {.wanted = client->feed.wanted, .has_since = true};
    char text[POSITION_TEXT_SIZE];
    size_t cursor = (size_t)client->feed.cursor;
    bool waits = feed_next_ns(&client->feed) != INT64_MAX;
    feed_position(&client->feed, model.ring, MODEL_CATALOG, MODEL_EPOCH, &subscribe.since);
    position_print(&subscribe.since, text);
    for (uint32_t more = model_random(&model, 20); more > 0 && model.count < MODEL_EVENTS; more--)
        model_publish(&model);
    assert_true(position_parse(text, &subscribe.since));
    size_t frame = (size_t)subscribe.since.frame;
    assert_true(frame == cursor || (client->feed.wanted.progress_ns && frame < cursor));
    feed_start(&client->feed, model.ring, client->feed.form);
    bool recovered = feed_subscribe(&client->feed, model.ring, &subscribe, MODEL_CATALOG,
                                    MODEL_EPOCH, model.last);
    if (frame >= ring_tail(model.ring)) {
        assert_true(recovered);
        assert_int_equal(client->feed.cursor, frame);
        client->replay_end = frame;
        client->after = subscribe.since.sequence;
        client->resumed = true;
        if (waits && frame == cursor) /* what waited would have brought back what was sent */
            client->start = cursor;
        return;
    }
    size_t start = model.count;
    bool expected = model_after(&model, subscribe.since.sequence, &start);
    assert_int_equal(recovered, expected);
    start_anew(client, start, expected ? subscribe.since.sequence : 0);
}

/* ---- the tests ------------------------------------------------------------------------------ */

static void client_turn(struct client *client)
{
    static const size_t sizes[] = {1, 500, 4096, 64 * 1024};
    size_t max = sizes[model_random(&model, 4)];
    if (feed_overtaken(&client->feed, model.ring)) {
        struct feed_run run;
        feed_take(&client->feed, model.ring, MODEL_CATALOG, model.now_ns, max, scratch, SCRATCH,
                  &run);
        assert_int_equal(run.len, 0);
        subscribe_since(client);
        return;
    }
    switch (model_random(&model, 8)) {
    case 0:
    case 1:
        return; /* it does not listen */
    case 2:
        if (model_random(&model, 5) == 0)
            subscribe_since(client);
        return;
    case 3:
        if (client->feed.form == FEED_JSON)
            poll_again(client);
        return;
    case 4:
    case 5:
        take(client, max);
        return;
    default:
        take_all(client, max);
        check_nothing_forgotten(client);
    }
}

static void run_seed(uint32_t seed)
{
    model_open(&model, seed);
    for (size_t i = 0; i < CLIENTS; i++) {
        feed_start(&clients[i].feed, model.ring, (enum feed_form)(i % 3));
        start_anew(&clients[i], 0, 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t burst = model_random(&model, 12);
        for (uint32_t i = 0; i < burst && model.count < MODEL_EVENTS; i++)
            model_publish(&model);
        model.now_ns += model_random(&model, 10 * NS_PER_MS);
        for (size_t i = 0; i < CLIENTS; i++)
            client_turn(&clients[i]);
    }
    model.now_ns += 60 * (int64_t)NS_PER_MS;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (feed_overtaken(&clients[i].feed, model.ring))
            continue;
        take_all(&clients[i], 4096);
        model.now_ns += 60 * (int64_t)NS_PER_MS;
        take_all(&clients[i], 4096);
        assert_int_equal(feed_next_ns(&clients[i].feed), INT64_MAX);
        check_nothing_forgotten(&clients[i]);
    }
    model_close(&model);
}

static void every_client_gets_what_it_is_due(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        print_message("seed %u\n", seed);
        run_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_client_gets_what_it_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
