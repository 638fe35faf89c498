/* Which folders are watched, by which of the two sources, and by which root. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_ROOM "library"
#include "reeld/base.h"
#include "watch_private.h"

enum {
    MASK = IN_CREATE | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO |
           IN_DELETE | IN_ONLYDIR | IN_EXCL_UNLINK,
    MASK_ROOT = MASK | IN_DELETE_SELF | IN_MOVE_SELF,
};

struct watch_root *watch_root_of(const struct watch *watch, const char *path)
{
    for (size_t i = 0; i < watch->n_roots; i++) {
        struct watch_root *root = watch->roots[i];
        if (root->entry->state.watch.how == WATCH_MODE_WATCH &&
            path_beneath(root->entry->state.root.path, path))
            return root;
    }
    return NULL;
}

static void unwatch(const struct watch *watch, int wd)
{
    if (wd < 0)
        watch_fan_drop(watch->fan, wd);
    else
        inotify_rm_watch(watch->fd, wd); /* EINVAL: the kernel has done so */
}

void watch_node_left(void *ctx, struct watch_node *node)
{
    struct watch *watch = ctx;
    struct watch_root *root = node->root;
    unwatch(watch, node->wd);
    watch->n_fan -= node->wd < 0;
    for (size_t i = 0; i < watch->n_moves; i++) {
        if (watch->moves[i].node == node)
            watch->moves[i].node = NULL;
    }
    if (root->node == node)
        root->node = NULL;
    pthread_mutex_lock(&watch->library->roots.lock);
    root->entry->state.watch.watches--;
    pthread_mutex_unlock(&watch->library->roots.lock);
}

/* The folder is to be scanned now and again, since nobody tells of its changes. */
static void unwatched(struct watch_root *root)
{
    struct root_watch *said = &root->entry->state.watch;
    root->missed = true;
    if (said->partly)
        return;
    pthread_mutex_lock(&root->library->roots.lock);
    said->partly = true;
    pthread_mutex_unlock(&root->library->roots.lock);
    log_warn("not all of %s can be watched (fs.inotify.max_user_watches): the rest is polled",
             root->entry->state.root.path);
    watch_tell(root);
}

/* Whether the node's own place still holds the folder `stat`: then that was reached in another way.
 */
static bool stays(struct watch *watch, const struct watch_node *node, const struct stat *stat)
{
    struct stat there;
    return watch_table_path(node, &watch->path) && lstat(watch->path.data, &there) == 0 &&
           there.st_dev == stat->st_dev && there.st_ino == stat->st_ino;
}

static void enter(struct watch *watch, struct watch_root *root, int wd, const char *path, int fd)
{
    struct watch_table *table = &watch->table;
    const char *top = root->entry->state.root.path;
    bool own = strcmp(top, path) == 0;
    struct watch_node *node = watch_table_wd(table, wd), *parent = NULL;
    if (node && watch_table_path(node, &watch->path) && strcmp(watch->path.data, path) == 0)
        return;
    struct stat stat;
    if (node && fstat(fd, &stat) == 0 && stays(watch, node, &stat))
        return;
    if (!own && root->node)
        parent = watch_table_at(table, root->node, top, path, (size_t)(path_name(path) - path) - 1);
    if (node)
        watch_table_cut(table, node);
    struct watch_node *there = own ? root->node : NULL;
    if (parent)
        there = watch_table_child(table, parent, path_name(path));
    if (there)
        watch_table_drop(table, there);
    if (!own && !parent) { /* the folder above has no watch */
        if (node)
            watch_table_drop(table, node);
        else
            unwatch(watch, wd);
        unwatched(root);
        return;
    }
    if (node && own) { /* a folder of the tree has become its root: begin anew */
        watch_table_drop(table, node);
        return;
    }
    if (node) {
        if (!watch_table_put(table, node, parent, path_name(path)))
            watch_table_drop(table, node);
        return;
    }
    node = watch_table_add(table, root, wd, parent, own ? path : path_name(path));
    if (!node) {
        unwatch(watch, wd);
        unwatched(root);
        return;
    }
    watch->n_fan += wd < 0;
    if (own)
        root->node = node;
    pthread_mutex_lock(&watch->library->roots.lock);
    root->entry->state.watch.watches++;
    pthread_mutex_unlock(&watch->library->roots.lock);
}

/* No more watches may be had: fanotify needs none. */
static void beyond(struct watch *watch, struct watch_root *root, const char *path, int fd)
{
    bool own = strcmp(root->entry->state.root.path, path) == 0;
    int told = watch->fan ? watch_fan_add(watch->fan, fd, own) : 0;
    if (!told) {
        unwatched(root);
        return;
    }
    if (!root->fan_beyond) {
        root->fan_beyond = true;
        pthread_mutex_lock(&watch->library->roots.lock);
        watch_why(root->entry->state.watch.why, "fanotify beyond fs.inotify.max_user_watches");
        pthread_mutex_unlock(&watch->library->roots.lock);
    }
    enter(watch, root, told, path, fd);
}

/* The root's file system has no handles, or another reason. */
static void refused(struct watch *watch, struct watch_root *root, int error)
{
    char reason[128];
    root->fan = false;
    pthread_mutex_lock(&watch->library->roots.lock);
    root->entry->state.watch.why[0] = '\0';
    watch_why(root->entry->state.watch.why, "inotify: fanotify is refused here: %s",
              strerror_r(error, reason, sizeof reason));
    pthread_mutex_unlock(&watch->library->roots.lock);
}

void watch_entered(void *ctx, int fd, const char *path)
{
    struct library *library = ctx;
    struct watch *watch = library->watch;
    struct watch_root *root = watch && watch->fd >= 0 ? watch_root_of(watch, path) : NULL;
    if (!root)
        return;
    bool own = strcmp(root->entry->state.root.path, path) == 0;
    int told = root->fan ? watch_fan_add(watch->fan, fd, own) : 0;
    if (told) {
        enter(watch, root, told, path, fd);
        return;
    }
    if (root->fan && own)
        refused(watch, root, errno);
    char link[48];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    /* One that has a watch already keeps it; of another one it is not known yet. */
    if (watch->table.count - watch->n_fan >= watch->allowed) {
        const char *top = root->entry->state.root.path;
        if (!watch_table_at(&watch->table, root->node, top, path, strlen(path)))
            beyond(watch, root, path, fd);
        return;
    }
    int wd = inotify_add_watch(watch->fd, link, own ? MASK_ROOT : MASK);
    if (wd >= 0)
        enter(watch, root, wd, path, fd);
    else if (errno == ENOSPC || errno == ENOMEM)
        beyond(watch, root, path, fd);
}
