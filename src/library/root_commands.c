#include "root_commands.h"

#include <stdio.h>
#include <string.h>

#include "outbox.h"
#include "root_table.h"
#include "store.h"
#include "watch.h"

/* Another root that is followed and lies in this one, or holds it. */
static const struct root_entry *overlapping(const struct library *library, const char *path)
{
    for (size_t i = 0; i < library->roots.count; i++) {
        const struct root_entry *entry = library->roots.entries[i];
        const char *other = entry->state.root.path;
        if ((entry->state.configured || entry->state.root.kept) && strcmp(other, path) != 0 &&
            (path_beneath(other, path) || path_beneath(path, other)))
            return entry;
    }
    return NULL;
}

static enum rl_err keep(struct library *library, const struct command *command,
                        struct root_entry **out, bool *news)
{
    struct root_entry *entry = roots_at(library, command->path);
    struct root next = {.path = (char *)(uintptr_t)command->path};
    if (entry)
        next = entry->state.root;
    *news = !next.kept;
    next.kept = true;
    next.mode = (enum watch_mode)command->number;
    next.poll_ms = command->timeout_ms;
    enum rl_err err = roots_write(library, &entry, &next);
    if (!err)
        err = watch_root_set(library, entry);
    *out = entry;
    return err;
}

void root_add(struct library *library, const struct command *command)
{
    struct root_entry *entry = roots_at(library, command->path);
    const struct root_entry *other = overlapping(library, command->path);
    if (entry && entry->state.configured) {
        outbox_reply(library, command->ticket, RL_EEXIST, NULL,
                     "it is a root of the configuration already");
        return;
    }
    if (other) {
        char words[128];
        snprintf(words, sizeof words, "root %lld holds it, or lies in it",
                 (long long)other->state.root.number);
        outbox_reply(library, command->ticket, RL_ECONFLICT, NULL, words);
        return;
    }
    bool news;
    enum rl_err err = keep(library, command, &entry, &news);
    if (err)
        outbox_reply(library, command->ticket, err, NULL, err == RL_ENOMEM ? NULL : library->why);
    else
        outbox_count(library, command->ticket,
                     news ? entry->state.root.number : -entry->state.root.number);
}

void root_delete(struct library *library, const struct command *command)
{
    struct root_entry *entry = roots_number(library, command->number);
    enum rl_err err = !entry ? RL_ENOTFOUND : entry->state.configured ? RL_ECONFLICT : RL_OK;
    if (!err)
        err = roots_remove(library, entry);
    outbox_reply(library, command->ticket, err, NULL,
                 err == RL_ECONFLICT ? "the configuration names this root"
                 : err               ? library->why
                                     : NULL);
}
