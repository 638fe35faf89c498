#include <stdio.h>
#include <stdlib.h>

#define LOG_ROOM "library"
#include "outbox.h"
#include "pictures.h"
#include "purge.h"
#include "store.h"

enum {
    PURGE_ROWS = 32, /* in one transaction */
    PURGE_EVERY_MS = 3600 * 1000,
};

struct purge {
    struct purge *next; /* asked for later */
    uint64_t ticket;    /* 0: nobody waits for it */
    int64_t before_ms;  /* clock_wall_ms() */
    int64_t count;      /* forgotten until now */
    char correlation_id[CORRELATION_SIZE];
};

static struct purge *purge_add(struct library *library, int64_t before_ms)
{
    struct purge *purge = calloc(1, sizeof *purge);
    if (!purge)
        return NULL;
    purge->before_ms = before_ms;
    struct purge **end = &library->purges;
    while (*end)
        end = &(*end)->next;
    *end = purge;
    return purge;
}

/* Begins the one that is due by itself. */
static void purge_by_age(struct library *library)
{
    int64_t age = library->config.purge_missing_ms, now = clock_mono_ms();
    if (age <= 0 || now < library->purge_at_ms)
        return;
    library->purge_at_ms = now + PURGE_EVERY_MS;
    purge_add(library, clock_wall_ms() - age);
}

void purge_ask(struct library *library, const struct command *command)
{
    purge_by_age(library);
    struct purge *purge = purge_add(library, command->number);
    if (!purge) {
        outbox_reply(library, command->ticket, RL_ENOMEM, NULL, NULL);
        return;
    }
    purge->ticket = command->ticket;
    snprintf(purge->correlation_id, sizeof purge->correlation_id, "%s", command->correlation_id);
}

/* The oldest is over. */
static void finish(struct library *library, enum rl_err err)
{
    struct purge *purge = library->purges;
    if (purge->ticket && err)
        outbox_reply(library, purge->ticket, err, NULL, library->why);
    else if (purge->ticket)
        outbox_count(library, purge->ticket, purge->count);
    else if (purge->count)
        log_info("%lld videos were missing for long and are forgotten", (long long)purge->count);
    library->purges = purge->next;
    free(purge);
}

static enum rl_err cannot_read(struct library *library, enum rl_err err)
{
    snprintf(library->why, sizeof library->why, "the catalogue cannot be read: %s",
             catalog_error(library->catalog));
    return err;
}

/* Forgets some in the open transaction: `videos` are what they were. */
static enum rl_err delete_some(struct library *library, int64_t before_ms, struct video *videos,
                               size_t *count)
{
    struct id_list list = {0};
    enum rl_err err = catalog_missing_before(library->catalog, before_ms, PURGE_ROWS, &list);
    for (size_t i = 0; !err && i < list.count; i++) {
        err = catalog_video_delete(library->catalog, list.ids[i], &videos[*count]);
        if (!err)
            ++*count;
        else if (err == RL_ENOTFOUND)
            err = RL_OK;
    }
    id_list_clear(&list);
    return store_check(library, err);
}

static enum rl_err forget_some(struct library *library, struct purge *purge)
{
    struct video *videos = calloc(PURGE_ROWS, sizeof *videos);
    size_t count = 0;
    enum rl_err err = videos ? store_begin(library) : RL_ENOMEM;
    if (!err)
        err = delete_some(library, purge->before_ms, videos, &count);
    if (!err)
        err = store_commit(library, count);
    for (size_t i = 0; i < count; i++) {
        struct event_source source =
            outbox_source(library, videos[i].sequence, purge->correlation_id);
        if (!err) {
            outbox_event(library, event_video(EVENT_VIDEO_REMOVED, &source, &videos[i], NULL));
            pictures_gone(library, videos[i].number, videos[i].version);
        }
        video_clear(&videos[i]);
    }
    free(videos);
    if (!err)
        purge->count += (int64_t)count;
    return err;
}

/* Whether there are any. A transaction that turns out to be for nothing would end the batch of the
 * scan that runs. */
static enum rl_err any_left(struct library *library, const struct purge *purge, bool *any)
{
    struct id_list list = {0};
    enum rl_err err = catalog_missing_before(library->catalog, purge->before_ms, 1, &list);
    *any = list.count > 0;
    id_list_clear(&list);
    return err ? cannot_read(library, err) : RL_OK;
}

void purge_step(struct library *library)
{
    purge_by_age(library);
    if (!library->purges)
        return;
    bool any;
    enum rl_err err = any_left(library, library->purges, &any);
    if (!err && any)
        err = forget_some(library, library->purges);
    if (err || !any)
        finish(library, err);
}

int64_t purge_due(const struct library *library)
{
    if (library->purges)
        return clock_mono_ms();
    return library->config.purge_missing_ms > 0 ? library->purge_at_ms : INT64_MAX;
}

void purge_free(struct library *library)
{
    while (library->purges) {
        struct purge *next = library->purges->next;
        free(library->purges);
        library->purges = next;
    }
}
