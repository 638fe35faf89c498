/* The reader's columns (catalog_warm): read in slices after a start, between which requests are
 * served, and kept up with what changes, so that no list has much to catch up. */
#define LOG_ROOM "server"
#include "room.h"

enum {
    SLICE_MS = 5,
    /* Events come in groups of up to 80 rows, hundreds of groups a second at most. */
    CATCH_UP_MS = 20,
};

static void on_warm(lws_sorted_usec_list_t *timer)
{
    struct server *server = lws_container_of(timer, struct server, warm.timer);
    struct warm *warm = &server->warm;
    bool ready = false;
    warm->due = false;
    if (server->stopping)
        return;
    enum rl_err err = catalog_warm(server->reader, SLICE_MS, &ready);
    if (err && err != RL_EBUSY) {
        /* A list that needs it says so; the next change tries again. */
        log_warn("the catalogue cannot be read ahead: %s", catalog_error(server->reader));
        return;
    }
    if (ready && !warm->ready)
        log_info("the catalogue is read");
    warm->ready = warm->ready || ready;
    if (!ready)
        warm_in(server, 0);
}

void warm_in(struct server *server, int64_t ms)
{
    if (server->warm.due)
        return;
    server->warm.due = true;
    lws_sul_schedule(server->context, 0, &server->warm.timer, on_warm, ms * LWS_US_PER_MS + 1);
}

void warm_after(struct server *server, const struct event *event)
{
    if (event_type_topic(event->type) == TOPIC_LIBRARY)
        warm_in(server, CATCH_UP_MS);
}
