#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define LOG_ROOM "library"
#include "ignore.h"
#include "reeld/base.h"
#include "walk.h"
#include "watch_private.h"

enum {
    MOVE_MS = 100, /* the two halves of a move come one right behind the other, but the first may
                      wake this thread before the mover gets to the second */
    READS_MAX = 8, /* in one turn, so that scans and commands do not wait */
};

/* ---- files ----------------------------------------------------------------------------------- */

bool watch_has(const struct library *library, const char *path)
{
    const struct watch *watch = library->watch;
    const struct unsettled *file = watch ? watch_settle_find(&watch->settle, path) : NULL;
    return file && file->writing;
}

void watch_later(struct library *library, const char *path, int64_t delay_ms)
{
    struct watch *watch = library->watch;
    if (!watch_settle_put(&watch->settle, path, true, clock_mono_ms() + delay_ms)) {
        struct watch_root *root = watch_root_of(watch, path);
        if (root)
            watch_rescan(root, TRIGGER_WATCH);
    }
}

/* It is being written: wait until it is quiet. */
static void writing(struct watch *watch, struct watch_root *root, const char *path)
{
    int64_t due = clock_mono_ms() + watch->library->config.settle_ms;
    if (!watch_settle_put(&watch->settle, path, true, due))
        watch_rescan(root, TRIGGER_WATCH);
}

/* It was closed, or came whole. A tool that opens and closes it for each piece is waited for. */
static void whole(struct watch *watch, struct watch_root *root, const char *path)
{
    const struct unsettled *file = watch_settle_find(&watch->settle, path);
    int64_t due = clock_mono_ms() + watch->library->config.settle_ms;
    if (file && !file->writing)
        return;
    if (file && file->again) {
        writing(watch, root, path);
        return;
    }
    watch_place(root, path);
    watch_settle_put(&watch->settle, path, false, due);
}

static bool is_rules(const struct library *library, const char *name)
{
    unsigned int keep = library->config.keep;
    return (strcmp(name, IGNORE_ALL_FILE) == 0 && !(keep & IGNORED_NOMEDIA)) ||
           (strcmp(name, IGNORE_RULES_FILE) == 0 && !(keep & IGNORED_RULES));
}

static void on_file(struct watch *watch, struct watch_node *node, uint32_t mask, const char *name)
{
    const struct library_config *config = &watch->library->config;
    struct watch_root *root = node->root;
    const char *path = watch->path.data;
    if (is_rules(watch->library, name)) {
        watch->path.data[watch->path.len - strlen(name) - 1] = '\0';
        if (node == root->node)
            watch_rescan(root, TRIGGER_WATCH);
        else
            watch_place(root, path);
        return;
    }
    bool wanted = walk_wants(config->extensions, name);
    if (ignore_name(config->keep, name) || (!wanted && !config->follow_symlinks))
        return;
    const struct unsettled *file = watch_settle_find(&watch->settle, path);
    if (mask & (IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)) {
        watch_settle_drop(&watch->settle, watch_settle_find(&watch->settle, path));
        if (mask & (IN_DELETE | IN_MOVED_TO))
            watch_place(root, path);
        /* fanotify puts what happened to one name into one event: it may be there anew. */
        if (wanted && mask & IN_CREATE && !(mask & IN_CLOSE_WRITE))
            writing(watch, root, path);
    } else if (!wanted) { /* it may be a link to a folder */
        if (mask & IN_CREATE)
            watch_place(root, path);
    } else if (mask & IN_CLOSE_WRITE) {
        whole(watch, root, path);
    } else if (mask & IN_ATTRIB && !(file && file->writing)) {
        watch_place(root, path);
    } else {
        writing(watch, root, path);
    }
}

/* ---- moves ----------------------------------------------------------------------------------- */

/* Nobody said where it went, or `moved`: that was said. */
static void move_over(struct watch *watch, struct watch_move *move, bool moved)
{
    watch_place(move->root, move->path);
    if (!moved && move->node)
        watch_table_drop(&watch->table, move->node);
    free(move->path);
    *move = watch->moves[--watch->n_moves];
}

static void moved_from(struct watch *watch, struct watch_node *node,
                       const struct inotify_event *event)
{
    const struct library_config *config = &watch->library->config;
    if (!(event->mask & IN_ISDIR) && !config->follow_symlinks &&
        !walk_wants(config->extensions, event->name))
        return;
    if (watch->n_moves == WATCH_MOVES)
        move_over(watch, &watch->moves[0], false);
    char *path = strdup(watch->path.data);
    if (!path) {
        watch_rescan(node->root, TRIGGER_WATCH);
        return;
    }
    struct watch_node *child =
        event->mask & IN_ISDIR ? watch_table_child(&watch->table, node, event->name) : NULL;
    if (child)
        watch_table_cut(&watch->table, child);
    watch->moves[watch->n_moves++] = (struct watch_move){.cookie = event->cookie,
                                                         .until_ms = clock_mono_ms() + MOVE_MS,
                                                         .path = path,
                                                         .root = node->root,
                                                         .node = child};
}

static void moved_to(struct watch *watch, struct watch_node *node,
                     const struct inotify_event *event)
{
    size_t i = 0;
    while (i < watch->n_moves && watch->moves[i].cookie != event->cookie)
        i++;
    if (i == watch->n_moves)
        return;
    struct watch_node *child = watch->moves[i].node;
    if (child) {
        struct watch_node *there = watch_table_child(&watch->table, node, event->name);
        if (there && there != child)
            watch_table_drop(&watch->table, there);
        struct watch_root *from = child->root;
        if (!watch_table_put(&watch->table, child, node, event->name)) {
            watch_table_drop(&watch->table, child);
            watch_rescan(node->root, TRIGGER_WATCH);
        } else if (from != node->root) {
            watch_tell(from);
            watch_tell(node->root);
        }
    }
    move_over(watch, &watch->moves[i], true);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void overflow(struct watch *watch)
{
    watch->overflows++;
    log_warn("changes came faster than they could be taken: watched roots are scanned again");
    for (size_t i = 0; i < watch->n_roots; i++) {
        if (watch->roots[i]->entry->state.watch.how == WATCH_MODE_WATCH)
            watch_rescan(watch->roots[i], TRIGGER_WATCH);
    }
}

/* Of the folder itself: only its root is of interest, of others the folder above tells. */
static void on_self(struct watch *watch, struct watch_node *node, uint32_t mask)
{
    struct watch_root *root = node->root;
    bool own = root->node == node;
    if (mask & IN_UNMOUNT && !own && watch_table_path(node, &watch->path))
        watch_place(root, watch->path.data);
    /* inotify tells of it as the folder above hears it. */
    if (mask & IN_ATTRIB && !own && node->wd < 0 && watch_table_path(node, &watch->path))
        watch_place(root, watch->path.data);
    if (mask & (IN_IGNORED | IN_UNMOUNT) || (own && mask & (IN_DELETE_SELF | IN_MOVE_SELF)))
        watch_table_drop(&watch->table, node);
    if (own && !root->node)
        watch_rescan(root, TRIGGER_WATCH);
}

static void on_event(void *ctx, const struct inotify_event *event)
{
    struct watch *watch = ctx;
    watch->events++;
    if (event->mask & IN_Q_OVERFLOW) {
        overflow(watch);
        return;
    }
    struct watch_node *node = watch_table_wd(&watch->table, event->wd);
    if (!node)
        return;
    if (event->len == 0) {
        on_self(watch, node, event->mask);
        return;
    }
    if (!watch_table_path(node, &watch->path))
        return; /* it is on its way to where it will be read as a whole */
    node->root->event_at_ms = clock_wall_ms();
    if (watch->path.len > 1)
        buf_append(&watch->path, "/", 1);
    buf_puts(&watch->path, event->name);
    if (watch->path.failed) {
        watch->path.failed = false;
        watch_rescan(node->root, TRIGGER_WATCH);
        return;
    }
    if (event->mask & IN_MOVED_FROM)
        moved_from(watch, node, event);
    if (event->mask & IN_ISDIR) {
        bool passed = ignore_name(watch->library->config.keep, event->name);
        if (!passed && event->mask & (IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_ATTRIB))
            watch_place(node->root, watch->path.data);
    } else {
        on_file(watch, node, event->mask, event->name);
    }
    if (event->mask & IN_MOVED_TO)
        moved_to(watch, node, event);
    /* Of inotify's watches the kernel says that they are gone. One that is there again by now is
     * entered again. */
    struct watch_node *gone = (event->mask & IN_DELETE) && (event->mask & IN_ISDIR)
                                  ? watch_table_child(&watch->table, node, event->name)
                                  : NULL;
    if (gone && gone->wd < 0)
        watch_table_drop(&watch->table, gone);
}

void watch_events_read(struct watch *watch)
{
    for (int n = 0; watch->fan && n < READS_MAX; n++) {
        if (!watch_fan_read(watch->fan, watch->buffer, sizeof watch->buffer, on_event, watch))
            break;
    }
    for (int n = 0; watch->fd >= 0 && n < READS_MAX; n++) {
        ssize_t len = read(watch->fd, watch->buffer, sizeof watch->buffer);
        if (len <= 0)
            return;
        for (ssize_t at = 0; at < len;) {
            /* The sizes in the buffer are the kernel's (inotify(7)). */
            const struct inotify_event *event =
                (const struct inotify_event *)(const void *)(watch->buffer + at);
            on_event(watch, event);
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}

void watch_events_due(struct watch *watch, int64_t now_ms)
{
    while (watch->n_moves && watch->moves[0].until_ms <= now_ms)
        move_over(watch, &watch->moves[0], false);
    struct unsettled *file;
    while ((file = watch_settle_first(&watch->settle)) && file->due_ms <= now_ms) {
        struct watch_root *root = file->writing ? watch_root_of(watch, file->path) : NULL;
        if (root)
            watch_place(root, file->path);
        watch_settle_drop(&watch->settle, file);
    }
}

int64_t watch_events_next(const struct watch *watch)
{
    const struct unsettled *file = watch_settle_first(&watch->settle);
    int64_t due = file ? file->due_ms : INT64_MAX;
    for (size_t i = 0; i < watch->n_moves; i++)
        due = watch->moves[i].until_ms < due ? watch->moves[i].until_ms : due;
    return due;
}
