#include <stdlib.h>
#include <string.h>

#include "look_again.h"
#include "root_refused.h"

enum { LOOKS_MAX = 20000 }; /* in one go: about a tenth of a second */

/* The folder that a scan has to go through to see all that was refused. */
static const char *refused_in(const struct root_entry *entry)
{
    return entry->refused_in ? entry->refused_in : entry->state.root.path;
}

static bool sees_all(const struct root_entry *entry, const char *folder, bool recursive)
{
    return recursive && path_beneath(folder, refused_in(entry));
}

bool root_over(const struct root_entry *entry, const struct root_scan *scan)
{
    const struct root *root = &entry->state.root;
    if (sees_all(entry, scan->folder, scan->recursive))
        return true;
    return guard_shows(root->reason) && !scan->look.gone && !scan->look.empty &&
           (!root->device || root->device == scan->look.device);
}

static int by_number(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
    return (one > other) - (one < other);
}

/* Adds the numbers of before to those of `all`, each once. */
static enum rl_err add_numbers(struct root_refused *all, const struct root_entry *entry)
{
    size_t count = all->count + entry->n_refused, kept = 0;
    int64_t *numbers = reallocarray(all->numbers, count + 1, sizeof *numbers);
    if (!numbers)
        return RL_ENOMEM;
    if (entry->n_refused)
        memcpy(numbers + all->count, entry->refused, entry->n_refused * sizeof *numbers);
    qsort(numbers, count, sizeof *numbers, by_number);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || numbers[i] != numbers[kept - 1])
            numbers[kept++] = numbers[i];
    }
    all->numbers = numbers;
    all->count = kept;
    return RL_OK;
}

enum rl_err root_refused_join(const struct root_entry *entry, const struct root_refused *refused,
                              struct root_refused *all, char **folder, bool *same)
{
    *all = *refused;
    *same = false;
    bool joins = entry && entry->state.root.offline_since_ms &&
                 !sees_all(entry, refused->folder, refused->recursive);
    enum rl_err err = RL_OK;
    if (joins) {
        const char *before = refused_in(entry);
        if (path_beneath(before, refused->folder))
            all->folder = before;
        else if (!path_beneath(refused->folder, before))
            all->folder = entry->state.root.path;
        all->single = refused->single && entry->refused_single;
        err = add_numbers(all, entry);
        *same = !err && entry->refused && all->count == entry->n_refused &&
                strcmp(entry->state.root.reason, guard_word(refused->reason)) == 0;
    }
    *folder = err ? NULL : strdup(all->folder);
    if (*folder)
        return RL_OK;
    free(all->numbers);
    return RL_ENOMEM;
}

/* Takes off what is not gone any more, from the end, until one is. */
static enum rl_err take_off(struct library *library, struct root_entry *entry)
{
    struct onlooker looker = {
        .library = library, .folder = entry->refused_in, .single = entry->refused_single};
    enum rl_err err = RL_OK;
    for (int looks = 0; !err && entry->n_refused && looks < LOOKS_MAX; looks++) {
        struct sight sight;
        err = look_again(&looker, entry->refused[entry->n_refused - 1], &sight);
        bool there = !err && sight.look == LOOK_THERE;
        if (!err)
            sight_clear(&sight);
        if (!there)
            break;
        entry->n_refused--;
    }
    onlooker_free(&looker);
    return err;
}

enum rl_err roots_look_again(struct library *library, const char *correlation_id)
{
    enum rl_err err = RL_OK;
    for (size_t i = 0; !err && i < library->roots.count; i++) {
        struct root_entry *entry = library->roots.entries[i];
        if (!entry->refused || guard_of(entry->state.root.reason) != GUARD_TOO_MANY)
            continue;
        err = take_off(library, entry);
        if (!err && entry->n_refused == 0)
            err = roots_accepted(library, entry, correlation_id);
    }
    return err;
}
