#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watch_private.h"

void watch_root_gone(struct watch_root *root)
{
    struct watch *watch = root->library->watch;
    if (root->node)
        watch_table_drop(&watch->table, root->node);
    places_free(&root->pending);
    root->device = 0;
    root->inode = 0;
}

void watch_tell(struct watch_root *root)
{
    struct root_watch *state = &root->entry->state.watch;
    bool polled =
        state->how == WATCH_MODE_POLL || (state->how == WATCH_MODE_WATCH && state->partly);
    int64_t due = clock_mono_ms() + state->poll_ms;
    if (!polled)
        root->poll_at_ms = INT64_MAX;
    else if (root->poll_at_ms > due)
        root->poll_at_ms = due;
}

/* The outermost other root that is followed and holds this one, or NULL. */
static const char *held_by(const struct watch *watch, const struct watch_root *root)
{
    const char *path = root->entry->state.root.path, *holder = NULL;
    for (size_t i = 0; i < watch->n_roots; i++) {
        const struct root_state *other = &watch->roots[i]->entry->state;
        if (watch->roots[i] != root && other->watch.mode != WATCH_MODE_OFF &&
            path_beneath(other->root.path, path))
            holder = other->root.path;
    }
    return holder;
}

void watch_why(char *why, const char *format, ...)
{
    size_t len = strlen(why);
    va_list args;
    va_start(args, format);
    if (len && len + 2 < ROOT_WHY_SIZE)
        len += (size_t)snprintf(why + len, ROOT_WHY_SIZE - len, "; ");
    vsnprintf(why + len, ROOT_WHY_SIZE - len, format, args);
    va_end(args);
}

/* By which means a watched root is followed, and `why`. One mark on a file system costs nothing for
 * a folder, but tells of all that happens there: it is for who has all of it. */
static bool by_fanotify(const struct watch *watch, const char *path, char *why)
{
    enum watch_fan_use use = watch->library->config.fanotify;
    char reason[128];
    bool whole = watch->fan && watch_fs_whole(path);
    if (whole)
        watch_why(why, "fanotify: the root is a whole file system");
    else if (watch->fan && use == WATCH_FAN_YES)
        watch_why(why, "fanotify, as asked for");
    else if (watch->fan)
        watch_why(why,
                  "inotify: the root is only a part of the file system that fanotify tells of");
    else if (use == WATCH_FAN_YES)
        watch_why(why, "inotify: fanotify is refused: %s",
                  strerror_r(watch->fan_error, reason, sizeof reason));
    else
        watch_why(why, "inotify");
    return whole || (watch->fan && use == WATCH_FAN_YES);
}

void watch_decide(struct watch *watch, struct watch_root *root)
{
    struct root_state *state = &root->entry->state;
    char why[ROOT_WHY_SIZE] = "asked for";
    enum watch_mode how = state->watch.mode;
    if (how == WATCH_MODE_AUTO)
        how = watch_fs_mode(state->root.path, why, sizeof why);
    if (how == WATCH_MODE_WATCH && watch->fd < 0) {
        how = WATCH_MODE_POLL;
        snprintf(why, sizeof why, "inotify cannot be had: fs.inotify.max_user_instances");
    }
    if (how != WATCH_MODE_OFF && held_by(watch, root)) {
        how = WATCH_MODE_OFF;
        snprintf(why, sizeof why, "it lies in another root");
    }
    bool fan = how == WATCH_MODE_WATCH && by_fanotify(watch, state->root.path, why);
    pthread_mutex_lock(&watch->library->roots.lock);
    bool other = state->watch.how != how || root->fan != fan;
    root->fan = fan;
    root->fan_beyond = false;
    state->watch.how = how;
    state->watch.partly = false;
    snprintf(state->watch.why, sizeof state->watch.why, "%s", why);
    pthread_mutex_unlock(&watch->library->roots.lock);
    if (other && root->node)
        watch_table_drop(&watch->table, root->node);
    watch_tell(root);
}

static struct watch_root *find(const struct watch *watch, const struct root_entry *entry)
{
    for (size_t i = 0; i < watch->n_roots; i++) {
        if (watch->roots[i]->entry == entry)
            return watch->roots[i];
    }
    return NULL;
}

enum rl_err watch_root_set(struct library *library, struct root_entry *entry)
{
    struct watch *watch = library->watch;
    struct watch_root *root = find(watch, entry);
    if (!root) {
        struct watch_root **roots =
            reallocarray(watch->roots, watch->n_roots + 1, sizeof(struct watch_root *));
        root = calloc(1, sizeof *root);
        if (roots)
            watch->roots = roots;
        if (!root || !roots) {
            free(root);
            return RL_ENOMEM;
        }
        *root = (struct watch_root){.library = library, .entry = entry, .poll_at_ms = INT64_MAX};
        watch->roots[watch->n_roots++] = root;
    }
    watch_decide(watch, root);
    root->mounts = watch_fs_mounts(entry->state.root.path);
    if (entry->state.watch.how != WATCH_MODE_OFF)
        watch_rescan(root, TRIGGER_START);
    return RL_OK;
}

void watch_moves_drop(struct watch *watch, const struct watch_root *root)
{
    for (size_t i = 0; i < watch->n_moves;) {
        struct watch_move *move = &watch->moves[i];
        if (move->root != root) {
            i++;
            continue;
        }
        if (move->node)
            watch_table_drop(&watch->table, move->node);
        free(move->path);
        *move = watch->moves[--watch->n_moves];
    }
}

static void end_job(struct library *library, struct job_entry *job)
{
    watch_job_over(job);
    jobs_cancel_entry(library, job);
}

void watch_root_drop(struct library *library, struct root_entry *entry)
{
    struct watch *watch = library->watch;
    struct watch_root *root = find(watch, entry);
    if (!root)
        return;
    if (root->job)
        end_job(library, root->job);
    struct job_entry *scan = jobs_find(library, root->scan_id);
    if (scan && scan->job.trigger != TRIGGER_API && !scan->unwritten)
        end_job(library, scan); /* or it would make a root of what it scanned */
    watch_moves_drop(watch, root);
    if (root->node)
        watch_table_drop(&watch->table, root->node);
    places_free(&root->pending);
    size_t at = 0;
    while (watch->roots[at] != root)
        at++;
    watch->roots[at] = watch->roots[--watch->n_roots];
    free(root);
}
