#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ignore_read.h"
#include "walk_private.h"

/* Directories nearest to the leaf that stay open; the others are opened again when the walk comes
 * back to them. */
enum { WALK_OPEN_MAX = 32 };

/* What a directory that was there a moment ago says when it was removed or replaced. */
static bool gone(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

/* Makes the open directory `fd` the present one. Takes fd in any case. */
static enum rl_err frame_push(struct walk *walk, int fd, const struct stat *stat, const char *name)
{
    if (walk->depth == walk->cap) {
        size_t cap = walk->cap ? walk->cap * 2 : 16;
        struct frame *frames = realloc(walk->frames, cap * sizeof *frames);
        if (!frames) {
            close(fd);
            return RL_ENOMEM;
        }
        walk->frames = frames;
        walk->cap = cap;
    }
    size_t before = walk->path.len;
    size_t name_at = before;
    if (name) {
        if (before == 0 || walk->path.data[before - 1] != '/')
            buf_append(&walk->path, "/", 1);
        name_at = walk->path.len;
        buf_puts(&walk->path, name);
    }
    if (walk->path.failed || (name && ignore_enter(&walk->ignore, name))) {
        walk->path.failed = false;
        walk->path.len = before;
        if (walk->path.data)
            walk->path.data[before] = '\0';
        close(fd);
        return RL_ENOMEM;
    }
    walk->frames[walk->depth++] = (struct frame){.fd = fd,
                                                 .device = stat->st_dev,
                                                 .inode = stat->st_ino,
                                                 .name_at = name_at,
                                                 .path_len = walk->path.len};
    if (walk->depth - walk->open_from > WALK_OPEN_MAX) {
        struct frame *far = &walk->frames[walk->open_from++];
        close(far->fd);
        far->fd = -1;
    }
    names_clear(&walk->files);
    walk->next_file = 0;
    walk->passed_over = walk->has_rules = false;
    walk->state = WALK_READING;
    if (walk->options.entered)
        walk->options.entered(walk->options.ctx, fd, walk->path.data);
    return RL_OK;
}

/* Takes up what the folders above the walk's own say. */
static enum rl_err look_above(struct walk *walk)
{
    const struct walk_options *options = &walk->options;
    struct ignore_way way = {.top = options->top,
                             .from = options->path,
                             .path = options->path,
                             .directory = true,
                             .keep = options->keep};
    struct ignore_reason reason;
    enum rl_err err = ignore_read_above(&walk->ignore, &way, &reason);
    walk->passed_over = !err && reason.why == IGNORE_BY_ALL_FILE;
    return err;
}

enum rl_err walk_new(struct beneath *root, const struct walk_options *options, struct walk **out)
{
    struct walk *walk = calloc(1, sizeof *walk);
    if (!walk)
        return RL_ENOMEM;
    walk->root = root;
    walk->options = *options;
    buf_puts(&walk->path, options->path);
    size_t len = walk->path.len;
    walk->relative = len && options->path[len - 1] == '/' ? len : len + 1;

    struct stat stat;
    int fd = fcntl(root->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0 || fstat(fd, &stat) < 0 || walk->path.failed) {
        if (fd >= 0)
            close(fd);
        walk_free(walk);
        return RL_EIO;
    }
    enum rl_err err = frame_push(walk, fd, &stat, NULL);
    if (!err && root->follow && !seen_add(&walk->seen, &stat))
        err = RL_ENOMEM;
    if (!err && options->single && !names_add(&walk->files, options->single))
        err = RL_ENOMEM;
    if (!err && options->top && !options->single)
        err = look_above(walk);
    if (err)
        walk_free(walk);
    else
        *out = walk;
    return err;
}

static struct frame *top(struct walk *walk)
{
    return &walk->frames[walk->depth - 1];
}

/* Whether the rules let `name` through; else `kind` says WALK_BUSY, or WALK_PAUSE when it is passed
 * over: rules may be so many that the caller wants to stop after each name. */
static bool judge(struct walk *walk, const char *name, bool directory, enum walk_kind *kind)
{
    struct ignore_verdict verdict;
    enum rl_err err = ignore_judge(&walk->ignore, name, directory, &verdict);
    *kind = err ? WALK_BUSY : WALK_PAUSE;
    return !err && !verdict.ignored;
}

static void next_file(struct walk *walk, struct walk_entry *out)
{
    if (walk->problem) {
        out->kind = WALK_PROBLEM;
        out->error = walk->problem;
        walk->problem = 0;
        return;
    }
    while (walk->next_file < walk->files.count) {
        const char *name = walk->files.sorted[walk->next_file];
        if (!judge(walk, name, false, &out->kind)) {
            walk->next_file += out->kind == WALK_PAUSE;
            return;
        }
        int error = walk_stat(walk, name, &out->stat);
        out->kind = WALK_BUSY;
        if (walk_out_of_resources(error))
            return;
        walk->next_file++;
        if (gone(error) || (!error && S_ISDIR(out->stat.st_mode)))
            continue;
        out->kind = error ? WALK_PROBLEM : WALK_FILE;
        out->error = error;
        out->name = name;
        return;
    }
    walk->state = WALK_DESCENDING;
    out->kind = WALK_PAUSE;
}

/* Opens the directory above `child` again, which is the present one after this; false: it is not
 * there any more. */
static bool reopen(struct walk *walk, struct frame *frame, int child)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    struct stat stat;
    int fd = openat(child, "..", flags);
    if (fd < 0 || fstat(fd, &stat) < 0 || stat.st_dev != frame->device ||
        stat.st_ino != frame->inode) {
        if (fd >= 0)
            close(fd);
        const char *relative =
            walk->path.len > walk->relative ? walk->path.data + walk->relative : "";
        fd = beneath_open(walk->root, relative, flags);
    }
    frame->fd = fd;
    return fd >= 0;
}

static void cut_path(struct walk *walk, size_t len)
{
    walk->path.len = len;
    walk->path.data[len] = '\0';
}

/* Goes back to the directory above. */
static void leave(struct walk *walk, struct walk_entry *out)
{
    struct frame *frame = top(walk);
    struct frame *above = walk->depth > 1 ? frame - 1 : NULL;
    if (above) {
        cut_path(walk, above->path_len);
        if (above->fd < 0 && above->next < above->subs.count && !reopen(walk, above, frame->fd)) {
            if (walk_out_of_resources(errno)) {
                out->kind = WALK_BUSY;
                return;
            }
            above->next = above->subs.count;
        }
    }
    if (frame->fd >= 0)
        close(frame->fd);
    names_free(&frame->subs);
    walk->depth--;
    if (above)
        ignore_leave(&walk->ignore);
    if (above && walk->open_from >= walk->depth)
        walk->open_from = above->fd >= 0 ? walk->depth - 1 : walk->depth;
}

/* Whether the directory is one that the walk is in, or, when links are followed, was in before. */
static bool entered(const struct walk *walk, const struct stat *stat)
{
    if (walk->root->follow)
        return seen_has(&walk->seen, stat);
    for (size_t i = 0; i < walk->depth; i++) {
        if (walk->frames[i].device == stat->st_dev && walk->frames[i].inode == stat->st_ino)
            return true;
    }
    return false;
}

/* Opens a sub-directory. 0, or an errno and no descriptor. */
static int open_sub(struct walk *walk, const char *name, int *fd, struct stat *stat)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    *fd = openat(top(walk)->fd, name, flags);
    if (*fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        *fd = beneath_follow(walk->root, top(walk)->fd, name, flags);
    if (*fd < 0)
        return errno;
    int error = fstat(*fd, stat) < 0 ? errno : 0;
    if (error)
        close(*fd);
    return error;
}

/* Makes the open sub-directory `fd` the present one; takes fd in any case. */
static enum rl_err enter(struct walk *walk, int fd, const struct stat *stat, const char *name)
{
    bool follow = walk->root->follow;
    if (follow && !seen_add(&walk->seen, stat)) {
        close(fd);
        return RL_ENOMEM;
    }
    enum rl_err err = frame_push(walk, fd, stat, name);
    if (err && follow)
        seen_remove(&walk->seen, stat);
    return err;
}

static void descend(struct walk *walk, struct walk_entry *out)
{
    struct frame *frame = top(walk);
    out->kind = WALK_PAUSE;
    if (frame->next == frame->subs.count) {
        leave(walk, out);
        return;
    }
    const char *name = frame->subs.sorted[frame->next];
    if (!judge(walk, name, true, &out->kind)) {
        frame->next += out->kind == WALK_PAUSE;
        return;
    }
    struct stat stat;
    int fd;
    int error = open_sub(walk, name, &fd, &stat);
    out->kind = WALK_BUSY;
    if (walk_out_of_resources(error))
        return;
    frame->next++;
    out->kind = WALK_PAUSE;
    if (error && !gone(error)) {
        out->kind = WALK_PROBLEM;
        out->error = error;
        out->name = name;
    } else if (!error && entered(walk, &stat)) {
        close(fd);
    } else if (!error && enter(walk, fd, &stat, name)) {
        top(walk)->next--;
        out->kind = WALK_BUSY;
    }
}

void walk_next(struct walk *walk, struct walk_entry *out)
{
    *out = (struct walk_entry){.kind = WALK_END};
    if (walk->depth == 0)
        return;
    switch (walk->state) {
    case WALK_READING:
        walk_read(walk, out);
        break;
    case WALK_FILES:
        next_file(walk, out);
        break;
    case WALK_DESCENDING:
        descend(walk, out);
        break;
    }
    out->directory = walk->path.data;
}

size_t walk_depth(const struct walk *walk)
{
    return walk->depth ? walk->depth - 1 : 0;
}

const char *walk_step(struct walk *walk, size_t index, size_t *len, uint32_t **mark)
{
    struct frame *frame = &walk->frames[index + 1];
    *len = frame->path_len - frame->name_at;
    *mark = &frame->mark;
    return walk->path.data + frame->name_at;
}

size_t walk_descriptors(const struct walk *walk)
{
    size_t open = 0;
    for (size_t i = 0; i < walk->depth; i++)
        open += walk->frames[i].fd >= 0;
    return open;
}

void walk_free(struct walk *walk)
{
    if (!walk)
        return;
    for (size_t i = 0; i < walk->depth; i++) {
        if (walk->frames[i].fd >= 0)
            close(walk->frames[i].fd);
        names_free(&walk->frames[i].subs);
    }
    free(walk->frames);
    names_free(&walk->files);
    ignore_free(&walk->ignore);
    seen_free(&walk->seen);
    buf_free(&walk->path);
    free(walk);
}
