#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_ROOM "library"
#include "outbox.h"
#include "root_refused.h"
#include "root_table.h"
#include "roots.h"
#include "store.h"
#include "watch.h"

const char *roots_path_of(const struct library *library, const char *folder)
{
    const char *const *configured = library->config.roots;
    if (configured && *configured)
        return roots_top(configured, folder);
    const char *path = NULL;
    const struct root_table *table = &library->roots;
    for (size_t i = 0; i < table->count; i++) {
        const char *known = table->entries[i]->state.root.path;
        if (path_beneath(known, folder) && (!path || path_beneath(known, path)))
            path = known;
    }
    return path ? path : folder;
}

struct root_entry *roots_at(const struct library *library, const char *path)
{
    const struct root_table *table = &library->roots;
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->entries[i]->state.root.path, path) == 0)
            return table->entries[i];
    }
    return NULL;
}

struct root_entry *roots_number(const struct library *library, int64_t number)
{
    const struct root_table *table = &library->roots;
    for (size_t i = 0; i < table->count; i++) {
        if (table->entries[i]->state.root.number == number)
            return table->entries[i];
    }
    return NULL;
}

static bool is_configured(const struct library *library, const char *path)
{
    const char *const *roots = library->config.roots;
    while (roots && *roots && strcmp(*roots, path) != 0)
        roots++;
    return roots && *roots;
}

/* How it is to be followed: what the configuration says of it, or what was asked for by REST. */
static void take_mode(const struct library *library, struct root_state *state)
{
    const struct library_config *config = &library->config;
    state->watch.mode = state->root.kept ? state->root.mode : WATCH_MODE_OFF;
    state->watch.how = WATCH_MODE_OFF;
    state->watch.poll_ms = state->root.poll_ms ? state->root.poll_ms : config->poll_ms;
    for (size_t i = 0; config->root_modes && config->roots && config->roots[i]; i++) {
        if (strcmp(config->roots[i], state->root.path) != 0)
            continue;
        state->watch.mode = config->root_modes[i];
        state->watch.poll_ms = config->poll_ms;
        break;
    }
    snprintf(state->watch.why, sizeof state->watch.why, "%s",
             state->configured || state->root.kept ? "asked for" : "it was scanned once");
}

static struct root_entry *entry_new(struct library *library, const struct root *root)
{
    struct root_table *table = &library->roots;
    struct root_entry *entry = calloc(1, sizeof *entry);
    char *path = strdup(root->path);
    if (table->count == table->cap && entry && path) {
        size_t cap = table->cap ? table->cap * 2 : 8;
        pthread_mutex_lock(&table->lock);
        struct root_entry **entries =
            reallocarray(table->entries, cap, sizeof(struct root_entry *));
        if (entries) {
            table->entries = entries;
            table->cap = cap;
        }
        pthread_mutex_unlock(&table->lock);
    }
    if (!entry || !path || table->count == table->cap) {
        free(entry);
        free(path);
        return NULL;
    }
    entry->state.root = *root;
    entry->state.root.path = path;
    entry->state.configured = is_configured(library, path);
    take_mode(library, &entry->state);
    return entry;
}

static void entry_free(struct root_entry *entry)
{
    if (!entry)
        return;
    free(entry->state.root.path);
    free(entry->refused_in);
    free(entry->refused);
    free(entry);
}

/* Others see the entry from now on. */
static void entry_show(struct library *library, struct root_entry *entry)
{
    struct root_table *table = &library->roots;
    pthread_mutex_lock(&table->lock);
    table->entries[table->count++] = entry;
    pthread_mutex_unlock(&table->lock);
}

void roots_init(struct library *library)
{
    pthread_mutex_init(&library->roots.lock, NULL);
}

enum rl_err roots_load(struct library *library)
{
    struct root_list list = {0};
    enum rl_err err = catalog_roots(library->catalog, &list);
    for (size_t i = 0; !err && i < list.count; i++) {
        struct root_entry *entry = entry_new(library, &list.roots[i]);
        err = entry ? RL_OK : RL_ENOMEM;
        if (entry)
            entry_show(library, entry);
    }
    root_list_clear(&list);
    const char *const *roots = library->config.roots;
    for (; !err && roots && *roots; roots++) {
        struct root root = {.path = (char *)(uintptr_t)*roots};
        if (roots_at(library, *roots) || store_begin(library))
            continue;
        if (store_check(library, catalog_root_put(library->catalog, &root)) ||
            store_commit(library, 1))
            continue;
        struct root_entry *entry = entry_new(library, &root);
        err = entry ? RL_OK : RL_ENOMEM;
        if (entry)
            entry_show(library, entry);
    }
    return err;
}

void roots_free(struct library *library)
{
    struct root_table *table = &library->roots;
    for (size_t i = 0; i < table->count; i++)
        entry_free(table->entries[i]);
    free(table->entries);
    pthread_mutex_destroy(&table->lock);
}

void roots_forget_refused(struct library *library, struct root_entry *entry)
{
    free(entry->refused_in);
    free(entry->refused);
    entry->refused_in = NULL;
    entry->refused = NULL;
    entry->n_refused = 0;
    pthread_mutex_lock(&library->roots.lock);
    entry->state.refusal = (struct job_refusal){0};
    pthread_mutex_unlock(&library->roots.lock);
}

/* What becomes of a root. */
struct turn {
    struct root *next;                 /* its state */
    const struct job_refusal *refusal; /* or NULL; its root need not be known yet */
    bool write;                        /* the state is another one than before */
    enum event_type said;              /* EVENT_TYPES: nothing */
    const char *correlation_id;
};

static enum rl_err write_turn(struct library *library, const struct turn *turn, int64_t *sequence)
{
    enum rl_err err = store_begin(library);
    if (err)
        return err;
    if (turn->said != EVENT_TYPES)
        *sequence = catalog_next_sequence(library->catalog);
    err = store_check(library, catalog_root_put(library->catalog, turn->next));
    return err ? err : store_commit(library, 1);
}

/* Into the catalogue, then for others to see, then said. *entry NULL: it is a new one. */
static enum rl_err take_turn(struct library *library, struct root_entry **entry,
                             const struct turn *turn)
{
    struct root_entry *added = *entry ? NULL : entry_new(library, turn->next);
    if (!*entry && !added) {
        snprintf(library->why, sizeof library->why, "out of memory");
        return RL_ENOMEM;
    }
    int64_t sequence = 0;
    enum rl_err err = turn->write ? write_turn(library, turn, &sequence) : RL_OK;
    if (err) {
        entry_free(added);
        return err;
    }
    if (added)
        *entry = added;
    struct root_state *state = &(*entry)->state;
    char *path = state->root.path;
    pthread_mutex_lock(&library->roots.lock);
    state->root = *turn->next;
    state->root.path = path;
    state->refusal = turn->refusal ? *turn->refusal : (struct job_refusal){0};
    if (turn->refusal)
        state->refusal.root = state->root.number;
    pthread_mutex_unlock(&library->roots.lock);
    if (added)
        entry_show(library, added);
    if (turn->said != EVENT_TYPES) {
        struct event_source source = outbox_source(library, sequence, turn->correlation_id);
        outbox_event(library, event_root(turn->said, &source, path, state->root.reason));
    }
    return RL_OK;
}

enum rl_err roots_write(struct library *library, struct root_entry **entry, const struct root *next)
{
    struct root copy = *next;
    struct job_refusal refusal = *entry ? (*entry)->state.refusal : (struct job_refusal){0};
    struct turn turn = {.next = &copy,
                        .refusal = refusal.root ? &refusal : NULL,
                        .write = true,
                        .said = EVENT_TYPES};
    enum rl_err err = take_turn(library, entry, &turn);
    if (err)
        return err;
    pthread_mutex_lock(&library->roots.lock);
    take_mode(library, &(*entry)->state);
    pthread_mutex_unlock(&library->roots.lock);
    return RL_OK;
}

enum rl_err roots_remove(struct library *library, struct root_entry *entry)
{
    struct root_table *table = &library->roots;
    enum rl_err err = store_begin(library);
    if (!err)
        err = store_check(library, catalog_root_delete(library->catalog, entry->state.root.number));
    if (!err)
        err = store_commit(library, 1);
    if (err)
        return err;
    watch_root_drop(library, entry);
    size_t at = 0;
    while (table->entries[at] != entry)
        at++;
    pthread_mutex_lock(&table->lock);
    table->count--;
    memmove(&table->entries[at], &table->entries[at + 1],
            (table->count - at) * sizeof *table->entries);
    pthread_mutex_unlock(&table->lock);
    entry_free(entry);
    return RL_OK;
}

static enum rl_err go_offline(struct library *library, const char *path, enum guard_reason reason,
                              const struct job_refusal *refusal, const char *correlation_id,
                              struct root_entry **out)
{
    struct root_entry *entry = roots_at(library, path);
    struct root next = {.path = (char *)(uintptr_t)path};
    if (entry) {
        roots_forget_refused(library, entry);
        next = entry->state.root;
    }
    bool news = next.offline_since_ms == 0;
    if (news) {
        next.offline_since_ms = clock_wall_ms();
        log_warn("the root %s is offline: %s", path, guard_word(reason));
    }
    struct turn turn = {.next = &next,
                        .refusal = refusal,
                        .write = news || strcmp(next.reason, guard_word(reason)) != 0,
                        .said = news ? EVENT_ROOT_OFFLINE : EVENT_TYPES,
                        .correlation_id = correlation_id};
    snprintf(next.reason, sizeof next.reason, "%s", guard_word(reason));
    enum rl_err err = take_turn(library, &entry, &turn);
    *out = entry;
    return err;
}

enum rl_err roots_gone(struct library *library, const char *path, const char *correlation_id)
{
    struct root_entry *entry;
    return go_offline(library, path, GUARD_GONE, NULL, correlation_id, &entry);
}

enum rl_err roots_refuse(struct library *library, const char *path,
                         const struct root_refused *refused, struct job_refusal *out)
{
    struct root_entry *entry = roots_at(library, path);
    struct root_refused all;
    char *folder;
    bool same;
    enum rl_err err = root_refused_join(entry, refused, &all, &folder, &same);
    if (err) {
        snprintf(library->why, sizeof library->why, "out of memory");
        return err;
    }
    if (same)
        *out = entry->state.refusal;
    if (!same) {
        *out = (struct job_refusal){.count = (int64_t)all.count};
        snprintf(out->reason, sizeof out->reason, "%s", guard_word(all.reason));
        id_new(out->token);
        err = go_offline(library, path, all.reason, out, all.correlation_id, &entry);
    }
    if (err || same) {
        free(folder);
        free(all.numbers);
        return err;
    }
    out->root = entry->state.root.number;
    entry->refused_in = folder;
    entry->refused_single = all.single;
    entry->refused = all.numbers;
    entry->n_refused = all.count;
    return RL_OK;
}

/* Brings it online, where `next` is its state with what was seen of it. */
static enum rl_err online(struct library *library, struct root_entry *entry, struct root *next,
                          const char *correlation_id)
{
    bool news = next->offline_since_ms != 0;
    next->offline_since_ms = 0;
    next->reason[0] = '\0';
    if (entry)
        roots_forget_refused(library, entry);
    if (news)
        log_info("the root %s is online again", next->path);
    struct turn turn = {.next = next,
                        .write = true,
                        .said = news ? EVENT_ROOT_ONLINE : EVENT_TYPES,
                        .correlation_id = correlation_id};
    return take_turn(library, &entry, &turn);
}

enum rl_err roots_scanned(struct library *library, const struct root_scan *scan)
{
    const char *path = roots_path_of(library, scan->folder);
    struct root_entry *entry = roots_at(library, path);
    bool whole = scan->recursive && path_beneath(scan->folder, path);
    struct root next = {.path = (char *)(uintptr_t)path};
    if (entry)
        next = entry->state.root;
    if (whole) {
        next.device = scan->look.device;
        next.scanned_at_ms = clock_wall_ms();
    }
    bool over = entry && next.offline_since_ms && root_over(entry, scan);
    if (!whole && !over)
        return RL_OK;
    return online(library, entry, &next, scan->correlation_id);
}

enum rl_err roots_accepted(struct library *library, struct root_entry *entry,
                           const char *correlation_id)
{
    struct root next = entry->state.root;
    struct root_look look;
    if (root_look(next.path, &look) == RL_OK)
        next.device = look.device;
    return online(library, entry, &next, correlation_id);
}

/* Thread: any, from here on. */

void root_states_clear(struct root_states *states)
{
    for (size_t i = 0; i < states->count; i++)
        free(states->states[i].root.path);
    free(states->states);
    *states = (struct root_states){0};
}

static int by_number(const void *a, const void *b)
{
    int64_t one = ((const struct root_state *)a)->root.number;
    int64_t other = ((const struct root_state *)b)->root.number;
    return (one > other) - (one < other);
}

enum rl_err library_roots(struct library *library, struct root_states *out)
{
    *out = (struct root_states){0};
    struct root_table *table = &library->roots;
    pthread_mutex_lock(&table->lock);
    enum rl_err err = RL_OK;
    out->states = calloc(table->count + 1, sizeof *out->states);
    if (!out->states)
        err = RL_ENOMEM;
    for (size_t i = 0; !err && i < table->count; i++) {
        struct root_state *state = &out->states[out->count];
        *state = table->entries[i]->state;
        state->root.path = strdup(state->root.path);
        err = state->root.path ? RL_OK : RL_ENOMEM;
        out->count += !err;
    }
    pthread_mutex_unlock(&table->lock);
    if (err)
        root_states_clear(out);
    else
        qsort(out->states, out->count, sizeof *out->states, by_number);
    return err;
}
