#include <stdio.h>
#include <string.h>

#include "feed.h"
#include "feed_form.h"

enum {
    LOOK_MAX = 16384, /* entries looked at in one take: it stays well under a millisecond */
    LAG_PART = 4,     /* a client that is this part of the ring behind lags */
};

/* ---- what is wanted ------------------------------------------------------------------------- */

static void forget_held(struct feed *feed)
{
    for (size_t i = 0; i < FEED_JOBS_MAX; i++)
        feed->pace[i] = (struct feed_pace){.held = HELD_NONE};
}

static void go_live(struct feed *feed, const struct ring *ring)
{
    feed->cursor = feed->replay_end = ring_head(ring);
    feed->after = 0;
    feed->resumed = false;
    forget_held(feed);
}

void feed_start(struct feed *feed, const struct ring *ring, enum feed_form form)
{
    struct subscribe all;
    subscribe_default(&all);
    *feed = (struct feed){.wanted = all.wanted, .form = form};
    go_live(feed, ring);
}

bool feed_subscribe(struct feed *feed, const struct ring *ring, const struct subscribe *subscribe,
                    const char *catalog, uint32_t epoch, int64_t newest)
{
    const struct position *since = &subscribe->since;
    feed->wanted = subscribe->wanted;
    if (!subscribe->has_since) {
        /* What was held for the old rate is due under the new one. */
        for (size_t i = 0; i < FEED_JOBS_MAX; i++)
            feed->pace[i].next_ns = 0;
        return true;
    }
    go_live(feed, ring);
    if (strcmp(since->catalog, catalog) != 0 || since->sequence > newest)
        return false;
    if (since->epoch == epoch && since->frame >= ring_tail(ring) &&
        since->frame <= ring_head(ring)) {
        feed->cursor = feed->replay_end = since->frame;
        feed->resumed = true;
    } else if (!ring_after(ring, since->sequence, &feed->cursor)) {
        return false;
    }
    if (since->sequence > ring_sequence_before(ring, feed->cursor))
        feed->after = since->sequence;
    return true;
}

static bool is_wanted(const struct feed *feed, const struct ring_entry *entry)
{
    enum event_topic topic = event_type_topic(entry->type);
    if (topic == TOPIC_META)
        return feed->form != FEED_JSON;
    if (!(feed->wanted.topics & (1u << topic)))
        return false;
    return topic != TOPIC_JOBS || !feed->wanted.job || entry->job == feed->wanted.job;
}

static bool is_due(const struct feed *feed, const struct ring_entry *entry, uint64_t position)
{
    if (position < feed->replay_end && !event_type_durable(entry->type))
        return false;
    if (entry->sequence && entry->sequence <= feed->after)
        return false;
    return is_wanted(feed, entry);
}

/* ---- progress that has to wait -------------------------------------------------------------- */

static bool is_held_due(const struct feed_pace *pace, const struct ring *ring, int64_t now_ns)
{
    if (pace->held == HELD_NONE)
        return false;
    /* Before a ring that is full drops it, it goes: when it is of the oldest quarter. */
    uint64_t tail = ring_tail(ring), kept = ring_head(ring) - tail;
    return now_ns >= pace->next_ns || (tail > 0 && pace->held < tail + kept / 4);
}

/* The place of `job`, a free one, or NULL: other jobs have them all. */
static struct feed_pace *pace_of(struct feed *feed, uint64_t job, int64_t now_ns)
{
    struct feed_pace *unused = NULL;
    for (size_t i = 0; i < FEED_JOBS_MAX; i++) {
        struct feed_pace *pace = &feed->pace[i];
        if (pace->job == job)
            return pace;
        if (pace->held == HELD_NONE && pace->next_ns <= now_ns)
            unused = pace;
    }
    if (unused)
        *unused = (struct feed_pace){.job = job, .held = HELD_NONE};
    return unused;
}

/* Whether the progress frame at `position` has to wait. */
static bool hold(struct feed *feed, const struct ring_entry *entry, uint64_t position,
                 int64_t now_ns)
{
    struct feed_pace *pace = pace_of(feed, entry->job, now_ns);
    if (!pace)
        return false;
    /* When the last one went in an earlier poll is not known; that it was before this one came is:
     * in any row of polls there is at most one in each interval, and it waits for at most one. */
    if (feed->resumed && pace->next_ns == 0)
        pace->next_ns = entry->made_ns + feed->wanted.progress_ns;
    if (now_ns >= pace->next_ns)
        return false;
    if (pace->held == HELD_NONE)
        pace->first = position;
    pace->held = position;
    return true;
}

/* The job's progress was sent, or its end. */
static void release(struct feed *feed, const struct ring_entry *entry, int64_t now_ns)
{
    for (size_t i = 0; i < FEED_JOBS_MAX; i++) {
        struct feed_pace *pace = &feed->pace[i];
        if (pace->job != entry->job || !entry->job)
            continue;
        pace->held = HELD_NONE;
        pace->next_ns = now_ns + feed->wanted.progress_ns;
        if (entry->terminal)
            *pace = (struct feed_pace){.held = HELD_NONE};
    }
}

/* ---- where the client is -------------------------------------------------------------------- */

bool feed_pending(const struct feed *feed, const struct ring *ring, int64_t now_ns)
{
    if (feed->cursor != ring_head(ring))
        return true;
    for (size_t i = 0; i < FEED_JOBS_MAX; i++) {
        if (is_held_due(&feed->pace[i], ring, now_ns))
            return true;
    }
    return false;
}

bool feed_overtaken(const struct feed *feed, const struct ring *ring)
{
    return feed->cursor < ring_tail(ring);
}

int64_t feed_next_ns(const struct feed *feed)
{
    int64_t next_ns = INT64_MAX;
    for (size_t i = 0; i < FEED_JOBS_MAX; i++) {
        if (feed->pace[i].held != HELD_NONE && feed->pace[i].next_ns < next_ns)
            next_ns = feed->pace[i].next_ns;
    }
    return next_ns;
}

/* Whether the frame before the cursor is progress that still waits. */
static bool is_waiting(const struct feed *feed, const struct ring_entry *entry, uint64_t position)
{
    for (size_t i = 0; i < FEED_JOBS_MAX; i++) {
        const struct feed_pace *pace = &feed->pace[i];
        if (pace->held != HELD_NONE && pace->job == entry->job && pace->first <= position)
            return event_type_progress(entry->type);
    }
    return false;
}

/* The first frame that waits, when nothing behind it would come twice: durable events do not,
 * their sequence tells. */
static uint64_t resume_frame(const struct feed *feed, const struct ring *ring)
{
    uint64_t from = feed->cursor;
    for (size_t i = 0; i < FEED_JOBS_MAX; i++) {
        if (feed->pace[i].held != HELD_NONE && feed->pace[i].first < from)
            from = feed->pace[i].first;
    }
    if (from < ring_tail(ring) || feed->cursor - from > LOOK_MAX)
        return feed->cursor;
    for (uint64_t position = from; position < feed->cursor; position++) {
        const struct ring_entry *entry = ring_entry_at(ring, position);
        if (!entry->sequence && is_wanted(feed, entry) && !is_waiting(feed, entry, position))
            return feed->cursor;
    }
    return from;
}

void feed_position(const struct feed *feed, const struct ring *ring, const char *catalog,
                   uint32_t epoch, struct position *out)
{
    *out = (struct position){.epoch = epoch, .frame = feed->cursor, .sequence = feed->after};
    snprintf(out->catalog, sizeof out->catalog, "%s", catalog);
    if (feed_overtaken(feed, ring))
        return;
    int64_t sequence = ring_sequence_before(ring, feed->cursor);
    if (sequence > out->sequence)
        out->sequence = sequence;
    out->frame = resume_frame(feed, ring);
}

/* ---- taking --------------------------------------------------------------------------------- */

struct gathering {
    struct feed *feed;
    const struct ring *ring;
    const char *catalog;
    int64_t now_ns;
    size_t max;
    uint8_t *scratch;
    size_t size;
    struct feed_run *run;
};

/* False: there is no room for it in this run. */
static bool add_frame(struct gathering *gathering, uint64_t position)
{
    struct feed_run *run = gathering->run;
    const struct ring_entry *entry = ring_entry_at(gathering->ring, position);
    if (gathering->size - run->len < feed_room(entry->len))
        return false;
    size_t len = feed_form_write(gathering->scratch + run->len, gathering->feed->form,
                                 gathering->ring, position, gathering->catalog, run->frames == 0);
    if (run->frames > 0 && run->len + len > gathering->max)
        return false;
    run->len += len;
    run->frames++;
    return true;
}

/* The held frame that is due and came first, or NULL. */
static struct feed_pace *next_held(struct gathering *gathering)
{
    struct feed_pace *next = NULL;
    for (size_t i = 0; i < FEED_JOBS_MAX; i++) {
        struct feed_pace *pace = &gathering->feed->pace[i];
        if (is_held_due(pace, gathering->ring, gathering->now_ns) &&
            (!next || pace->held < next->held))
            next = pace;
    }
    return next;
}

static bool gather_held(struct gathering *gathering)
{
    struct feed *feed = gathering->feed;
    const struct ring *ring = gathering->ring;
    for (struct feed_pace *pace; (pace = next_held(gathering));) {
        uint64_t position = pace->held;
        if (position >= ring_tail(ring)) {
            const struct ring_entry *entry = ring_entry_at(ring, position);
            /* What supersedes it lies before the cursor: it goes at once in its stead. */
            if (!entry->superseded && is_wanted(feed, entry)) {
                if (!add_frame(gathering, position))
                    return false;
                release(feed, entry, gathering->now_ns);
            }
        }
        pace->held = HELD_NONE;
    }
    return true;
}

/* False: there is no room for the frame at the cursor in this run. */
static bool gather_one(struct gathering *gathering, const struct ring_entry *entry, bool lags)
{
    struct feed *feed = gathering->feed;
    struct feed_run *run = gathering->run;
    uint64_t position = feed->cursor;
    if (!is_due(feed, entry, position))
        return true;
    if (lags && entry->superseded) {
        run->conflated++;
        return true;
    }
    bool paced = feed->wanted.progress_ns && entry->job && event_type_progress(entry->type);
    if (paced && hold(feed, entry, position, gathering->now_ns))
        return true;
    if (!add_frame(gathering, position))
        return false;
    if (paced || entry->terminal)
        release(feed, entry, gathering->now_ns);
    if (position < feed->replay_end)
        run->replayed++;
    else if (!run->oldest_ns)
        run->oldest_ns = entry->made_ns;
    return true;
}

static void gather(struct gathering *gathering)
{
    struct feed *feed = gathering->feed;
    const struct ring *ring = gathering->ring;
    uint64_t head = ring_head(ring), end = head;
    if (end - feed->cursor > LOOK_MAX)
        end = feed->cursor + LOOK_MAX;
    uint64_t behind = ring_behind(ring, feed->cursor), lag = ring_bytes_size(ring) / LAG_PART;
    while (feed->cursor < end) {
        const struct ring_entry *entry = ring_entry_at(ring, feed->cursor);
        if (!gather_one(gathering, entry, behind > lag))
            return;
        if (entry->sequence > feed->after)
            feed->after = 0;
        behind -= entry->len;
        feed->cursor++;
    }
}

/* Whether all that is in the ring from the cursor on is due, in order and as it lies there. */
static bool takes_all(const struct feed *feed, const struct ring *ring)
{
    const unsigned all = 1u << TOPIC_META | 1u << TOPIC_JOBS | 1u << TOPIC_LIBRARY;
    return feed->form == FEED_FRAMES && feed->wanted.topics == all && !feed->wanted.job &&
           !feed->wanted.progress_ns && !feed->after && feed->cursor >= feed->replay_end &&
           feed_next_ns(feed) == INT64_MAX &&
           ring_behind(ring, feed->cursor) <= ring_bytes_size(ring) / LAG_PART;
}

void feed_take(struct feed *feed, const struct ring *ring, const char *catalog, int64_t now_ns,
               size_t max, uint8_t *scratch, size_t size, struct feed_run *out)
{
    *out = (struct feed_run){0};
    if (feed_overtaken(feed, ring))
        return;
    if (takes_all(feed, ring)) {
        uint64_t next = ring_run(ring, feed->cursor, max, &out->bytes, &out->len);
        out->frames = (size_t)(next - feed->cursor);
        if (out->frames)
            out->oldest_ns = ring_entry_at(ring, feed->cursor)->made_ns;
        out->in_ring = true;
        feed->cursor = next;
        return;
    }
    out->bytes = scratch;
    struct gathering gathering = {.feed = feed,
                                  .ring = ring,
                                  .catalog = catalog,
                                  .now_ns = now_ns,
                                  .max = max,
                                  .scratch = scratch,
                                  .size = size,
                                  .run = out};
    if (gather_held(&gathering))
        gather(&gathering);
}

void feed_put_back(struct feed *feed, const struct ring *ring, struct feed_run *run, size_t sent)
{
    if (!run->in_ring || sent == run->len)
        return;
    uint64_t first = feed->cursor - run->frames;
    const uint8_t *bytes;
    size_t len = 0;
    if (sent > 0)
        feed->cursor = ring_run(ring, first, sent, &bytes, &len);
    else
        feed->cursor = first;
    if (len < sent)
        len += ring_entry_at(ring, feed->cursor++)->len;
    run->len = len;
    run->frames = (size_t)(feed->cursor - first);
}
