#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_ROOM "library"
#include "outbox.h"
#include "reach.h"
#include "reeld/base.h"
#include "watch_private.h"

enum {
    PENDING_MAX = 100000, /* that wait for one root; then it is scanned as a whole */
    AGAIN_MS = 3000,      /* when a job could not be queued */
    LIMITS_MS = 10000,    /* between two looks at the system's limits, while they matter */
    LOOK_MS = 2000,       /* between two looks for roots that are not there */
};

/* ---- what waits ------------------------------------------------------------------------------ */

bool watch_pending(const struct watch_root *root)
{
    return root->pending.count > 0;
}

void watch_take(struct watch_root *root, struct places *out)
{
    places_free(out);
    *out = root->pending;
    root->pending = (struct places){0};
}

bool watch_comes_by(struct watch_root *root, char *path)
{
    struct watch *watch = root->library->watch;
    watch_events_read(watch);
    for (size_t i = 0; i < watch->n_moves; i++) {
        if (path_beneath(watch->moves[i].path, path))
            return true;
    }
    places_sort(&root->pending);
    return places_hold(&root->pending, path);
}

void watch_rescan(struct watch_root *root, enum job_trigger trigger)
{
    if (root->rescan)
        return;
    root->rescan = true;
    root->trigger = trigger;
    root->rescan_at_ms = 0;
}

void watch_place(struct watch_root *root, const char *path)
{
    struct places *pending = &root->pending;
    if (pending->count >= PENDING_MAX)
        places_sort(pending);
    if (pending->count >= PENDING_MAX || !places_add(pending, path)) {
        places_free(pending);
        watch_rescan(root, TRIGGER_WATCH);
    }
}

bool watch_reaches(const struct library *library, const char *path)
{
    const struct watch *watch = library->watch;
    for (size_t i = 0; i < watch->n_roots; i++) {
        const char *root = watch->roots[i]->entry->state.root.path;
        if (path_beneath(root, path))
            return reach_folder(library, root, path);
    }
    return false;
}

void watch_job_over(struct job_entry *entry)
{
    if (entry->watched)
        entry->watched->job = NULL;
    entry->watched = NULL;
}

/* ---- start and end --------------------------------------------------------------------------- */

enum rl_err watch_open(struct library *library)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return RL_ENOMEM;
    library->watch = watch;
    watch->library = library;
    watch->table.left = watch_node_left;
    watch->table.ctx = watch;
    watch->look_at_ms = watch->allowed_at_ms = INT64_MAX;
    watch->allowed = watch_fs_allowed(library->config.watch_max);
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (library->config.fanotify != WATCH_FAN_NO) {
        watch->fan = watch_fan_new();
        watch->fan_error = watch->fan ? 0 : errno;
    }
    watch->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    enum rl_err err = RL_OK;
    for (size_t i = 0; !err && i < library->roots.count; i++) {
        struct root_entry *entry = library->roots.entries[i];
        if (entry->state.watch.mode != WATCH_MODE_OFF)
            err = watch_root_set(library, entry);
    }
    /* Which of them lie in others is known only now. */
    for (size_t i = 0; !err && i < watch->n_roots; i++) {
        watch_decide(watch, watch->roots[i]);
        watch->roots[i]->rescan = watch->roots[i]->entry->state.watch.how != WATCH_MODE_OFF;
    }
    return err;
}

void watch_close(struct library *library)
{
    struct watch *watch = library->watch;
    if (!watch)
        return;
    for (size_t i = 0; i < watch->n_roots; i++)
        watch_moves_drop(watch, watch->roots[i]);
    for (size_t i = 0; i < watch->n_roots; i++) {
        if (watch->roots[i]->node)
            watch_table_drop(&watch->table, watch->roots[i]->node);
        places_free(&watch->roots[i]->pending);
        free(watch->roots[i]);
    }
    free(watch->roots);
    watch_fan_free(watch->fan);
    watch_settle_free(&watch->settle);
    buf_free(&watch->path);
    if (watch->fd >= 0)
        close(watch->fd);
    if (watch->mounts_fd >= 0)
        close(watch->mounts_fd);
    free(watch);
    library->watch = NULL;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void identify(const struct watch_root *root, dev_t *device, ino_t *inode)
{
    struct stat stat;
    bool there = lstat(root->entry->state.root.path, &stat) == 0;
    *device = there ? stat.st_dev : 0;
    *inode = there ? stat.st_ino : 0;
}

/* Queues a scan of the whole root. */
static void scan_root(struct watch_root *root, int64_t now_ms)
{
    struct library *library = root->library;
    if (now_ms < root->rescan_at_ms)
        return;
    const char *path = root->entry->state.root.path;
    struct job_entry *entry;
    if (jobs_start(library, path, root->trigger, NULL, &entry)) {
        root->rescan_at_ms = now_ms + AGAIN_MS;
        return;
    }
    snprintf(root->scan_id, sizeof root->scan_id, "%s", entry->job.id);
    root->rescan = false;
    identify(root, &root->device, &root->inode);
    root->missed = false;
    watch_tell(root);
}

/* What the last scan of the whole root could not watch is known at its end. */
static void see_scan_over(struct watch_root *root)
{
    if (!root->scan_id[0] || jobs_find(root->library, root->scan_id))
        return;
    root->scan_id[0] = '\0';
    if (root->missed || !root->entry->state.watch.partly)
        return;
    pthread_mutex_lock(&root->library->roots.lock);
    root->entry->state.watch.partly = false;
    pthread_mutex_unlock(&root->library->roots.lock);
    watch_tell(root);
}

static void queue_jobs(struct watch *watch, int64_t now_ms)
{
    for (size_t i = 0; i < watch->n_roots; i++) {
        struct watch_root *root = watch->roots[i];
        see_scan_over(root);
        bool polled = now_ms >= root->poll_at_ms && !jobs_find(watch->library, root->scan_id);
        if (polled) {
            root->poll_at_ms = now_ms + root->entry->state.watch.poll_ms;
            watch_rescan(root, TRIGGER_WATCH);
        }
        if (root->rescan)
            scan_root(root, now_ms);
        if (!watch_pending(root) || root->job || now_ms < root->rescan_at_ms)
            continue;
        struct job_entry *entry;
        if (jobs_start(watch->library, root->entry->state.root.path, TRIGGER_WATCH, root, &entry))
            root->rescan_at_ms = now_ms + AGAIN_MS;
        else
            root->job = entry;
    }
}

/* ---- roots that come and go ------------------------------------------------------------------ */

/* Something was mounted or unmounted. */
static void look_at_mounts(struct watch *watch)
{
    if (watch->fan)
        watch_fan_remounted(watch->fan);
    for (size_t i = 0; i < watch->n_roots; i++) {
        struct watch_root *root = watch->roots[i];
        uint64_t mounts = watch_fs_mounts(root->entry->state.root.path);
        if (mounts == root->mounts)
            continue;
        root->mounts = mounts;
        if (watch->n_fan && root->node) /* inotify tells of what is unmounted, fanotify does not */
            watch_table_drop(&watch->table, root->node);
        watch_decide(watch, root);
        if (root->entry->state.watch.how != WATCH_MODE_OFF)
            watch_rescan(root, TRIGGER_WATCH);
    }
}

/* Roots that are watched but have no watch are looked for. */
static void look_for_roots(struct watch *watch, int64_t now_ms)
{
    bool any = false;
    for (size_t i = 0; i < watch->n_roots; i++) {
        struct watch_root *root = watch->roots[i];
        if (root->node || root->entry->state.watch.how != WATCH_MODE_WATCH)
            continue;
        any = true;
        dev_t device;
        ino_t inode;
        identify(root, &device, &inode);
        if (now_ms >= watch->look_at_ms && (device != root->device || inode != root->inode))
            watch_rescan(root, TRIGGER_WATCH);
    }
    if (!any)
        watch->look_at_ms = INT64_MAX;
    else if (watch->look_at_ms == INT64_MAX || now_ms >= watch->look_at_ms)
        watch->look_at_ms = now_ms + LOOK_MS;
}

/* More watches may be allowed than were. */
static void look_at_limits(struct watch *watch, int64_t now_ms)
{
    bool any = false;
    for (size_t i = 0; i < watch->n_roots; i++)
        any |= watch->roots[i]->entry->state.watch.partly;
    if (any && now_ms >= watch->allowed_at_ms) {
        uint32_t before = watch->allowed;
        watch->allowed = watch_fs_allowed(watch->library->config.watch_max);
        for (size_t i = 0; watch->allowed > before && i < watch->n_roots; i++) {
            if (watch->roots[i]->entry->state.watch.partly)
                watch_rescan(watch->roots[i], TRIGGER_WATCH);
        }
    }
    if (!any)
        watch->allowed_at_ms = INT64_MAX;
    else if (watch->allowed_at_ms == INT64_MAX || now_ms >= watch->allowed_at_ms)
        watch->allowed_at_ms = now_ms + LIMITS_MS;
}

/* ---- in each turn ---------------------------------------------------------------------------- */

int watch_pollfds(const struct library *library, struct pollfd *fds, int max)
{
    const struct watch *watch = library->watch;
    int count = 0;
    if (watch->fd >= 0 && count < max)
        fds[count++] = (struct pollfd){.fd = watch->fd, .events = POLLIN};
    if (watch->fan && count < max)
        fds[count++] = (struct pollfd){.fd = watch_fan_fd(watch->fan), .events = POLLIN};
    if (watch->n_roots && watch->mounts_fd >= 0 && count < max)
        fds[count++] = (struct pollfd){.fd = watch->mounts_fd, .events = POLLPRI};
    return count;
}

void watch_polled(struct library *library, const struct pollfd *fds, int count)
{
    struct watch *watch = library->watch;
    for (int i = 0; i < count; i++)
        watch->remounted |= fds[i].fd == watch->mounts_fd && fds[i].revents;
}

static void tell_events(struct watch *watch)
{
    pthread_mutex_lock(&watch->library->roots.lock);
    for (size_t i = 0; i < watch->n_roots; i++)
        watch->roots[i]->entry->state.watch.event_at_ms = watch->roots[i]->event_at_ms;
    pthread_mutex_unlock(&watch->library->roots.lock);
    snapshot_watch(&watch->library->snapshot,
                   &(struct watch_status){.watches = (uint32_t)watch->table.count,
                                          .allowed = watch->allowed,
                                          .overflows = watch->overflows,
                                          .events = watch->events});
}

void watch_service(struct library *library)
{
    struct watch *watch = library->watch;
    if (watch->n_roots == 0)
        return;
    int64_t now = clock_mono_ms();
    if (watch->remounted)
        look_at_mounts(watch);
    watch->remounted = false;
    watch_events_read(watch);
    watch_events_due(watch, now);
    look_for_roots(watch, now);
    look_at_limits(watch, now);
    queue_jobs(watch, now);
    tell_events(watch);
}

int64_t watch_due(const struct library *library)
{
    const struct watch *watch = library->watch;
    if (watch->n_roots == 0)
        return INT64_MAX;
    int64_t due = watch_events_next(watch);
    due = watch->look_at_ms < due ? watch->look_at_ms : due;
    due = watch->allowed_at_ms < due ? watch->allowed_at_ms : due;
    for (size_t i = 0; i < watch->n_roots; i++) {
        const struct watch_root *root = watch->roots[i];
        int64_t poll = root->poll_at_ms;
        if (jobs_find(library, root->scan_id))
            poll = INT64_MAX; /* after that one */
        due = poll < due ? poll : due;
        if (root->rescan || (watch_pending(root) && !root->job))
            due = root->rescan_at_ms < due ? root->rescan_at_ms : due;
    }
    return due;
}
