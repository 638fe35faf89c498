#include <stdlib.h>
#include <string.h>

#include "accept.h"
#include "look_again.h"
#include "outbox.h"
#include "root_table.h"
#include "store.h"

enum { GROUP = 200 }; /* videos of one transaction */

struct accept {
    struct accept *next; /* asked for later */
    uint64_t ticket;
    char correlation_id[CORRELATION_SIZE];
    int64_t root;
    char *folder;     /* owned */
    int64_t *numbers; /* owned */
    size_t count, at;
    int64_t hidden;
    struct onlooker looker;
};

static void free_one(struct accept *accept)
{
    onlooker_free(&accept->looker);
    free(accept->folder);
    free(accept->numbers);
    free(accept);
}

void accept_free(struct library *library)
{
    while (library->accepting) {
        struct accept *accept = library->accepting;
        library->accepting = accept->next;
        free_one(accept);
    }
}

/* Takes what was refused over from the root, whose token is stale from then on. */
static struct accept *take_over(struct library *library, struct root_entry *entry,
                                const struct command *command)
{
    struct accept *accept = calloc(1, sizeof *accept);
    if (!accept)
        return NULL;
    accept->ticket = command->ticket;
    memcpy(accept->correlation_id, command->correlation_id, sizeof accept->correlation_id);
    accept->root = entry->state.root.number;
    accept->folder = entry->refused_in;
    accept->numbers = entry->refused;
    accept->count = entry->n_refused;
    accept->looker = (struct onlooker){
        .library = library, .folder = accept->folder, .single = entry->refused_single};
    entry->refused_in = NULL;
    entry->refused = NULL;
    roots_forget_refused(library, entry);
    return accept;
}

void accept_missing(struct library *library, const struct command *command)
{
    struct root_entry *entry = roots_number(library, command->number);
    if (!entry) {
        outbox_reply(library, command->ticket, RL_ENOTFOUND, NULL, "there is no such root");
        return;
    }
    const char *token = entry->state.refusal.token;
    if (!entry->refused || !token[0] || strcmp(token, command->id) != 0) {
        outbox_reply(library, command->ticket, RL_ECONFLICT, NULL,
                     "nothing is refused under this token any more: a later scan found otherwise, "
                     "it was accepted already, or the service was started anew");
        return;
    }
    struct accept *accept = take_over(library, entry, command);
    if (!accept) {
        outbox_reply(library, command->ticket, RL_ENOMEM, NULL, NULL);
        return;
    }
    struct accept **end = &library->accepting;
    while (*end)
        end = &(*end)->next;
    *end = accept;
}

/* Hides one video if it is still gone; *event is what there is to say after the commit, if any. */
static enum rl_err hide(struct accept *accept, int64_t number, struct event **event)
{
    struct library *library = accept->looker.library;
    struct catalog *catalog = library->catalog;
    struct sight sight;
    struct video video = {0};
    enum rl_err err = look_again(&accept->looker, number, &sight);
    bool gone = !err && sight.look != LOOK_THERE;
    if (gone)
        err = catalog_video_missing(catalog, number, 0, &video);
    if (gone && !err)
        err = catalog_failure_forget(catalog, sight.place.path);
    if (gone && !err && sight.elsewhere) {
        /* Where it lay there is another file system now: from now on that is as it should be. */
        size_t len = strlen(sight.place.path) - strlen(path_name(sight.place.path));
        sight.place.path[len > 1 ? len - 1 : len] = '\0';
        err = catalog_folder_device(catalog, sight.place.path, sight.device);
    }
    if (gone && !err) {
        struct event_source source = outbox_source(library, video.sequence, accept->correlation_id);
        *event = event_video(EVENT_VIDEO_MISSING, &source, &video, NULL);
        err = *event ? RL_OK : RL_ENOMEM;
    }
    video_clear(&video);
    sight_clear(&sight);
    return err;
}

static enum rl_err hide_group(struct accept *accept)
{
    struct library *library = accept->looker.library;
    struct event *events[GROUP];
    size_t count = 0;
    size_t end = accept->count - accept->at > GROUP ? accept->at + GROUP : accept->count;
    enum rl_err err = store_begin(library);
    if (err)
        return err;
    for (; !err && accept->at < end; accept->at++) {
        events[count] = NULL;
        err = hide(accept, accept->numbers[accept->at], &events[count]);
        count += events[count] != NULL;
    }
    err = store_check(library, err);
    if (!err)
        err = store_commit(library, count);
    for (size_t i = 0; i < count; i++) {
        if (err) {
            event_unref(events[i]);
            continue;
        }
        event_stamp(events[i]);
        outbox_event(library, events[i]);
    }
    accept->hidden += err ? 0 : (int64_t)count;
    return err;
}

/* All of it is done: the root is whole again, unless a scan refused something anew meanwhile. */
static enum rl_err end_well(struct accept *accept)
{
    struct library *library = accept->looker.library;
    struct root_entry *entry = roots_number(library, accept->root);
    if (entry->state.refusal.root)
        return RL_OK;
    return roots_accepted(library, entry, accept->correlation_id);
}

void accept_step(struct library *library)
{
    struct accept *accept = library->accepting;
    if (!accept)
        return;
    enum rl_err err = accept->at < accept->count ? hide_group(accept) : RL_OK;
    if (!err && accept->at < accept->count)
        return;
    if (!err)
        err = end_well(accept);
    if (err)
        outbox_reply(library, accept->ticket, err, NULL, library->why);
    else
        outbox_count(library, accept->ticket, accept->hidden);
    library->accepting = accept->next;
    free_one(accept);
}
