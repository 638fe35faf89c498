#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ignore_read.h"
#include "walk_private.h"

enum { SOME_AT_ONCE = 64 };

bool walk_wants(const char *const *extensions, const char *name)
{
    char extension[32];
    path_extension(name, extension, sizeof extension);
    if (!extension[0])
        return false;
    for (const char *const *e = extensions; *e; e++) {
        if (strcmp(*e, extension) == 0)
            return true;
    }
    return false;
}

bool walk_out_of_resources(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN;
}

static struct frame *top(struct walk *walk)
{
    return &walk->frames[walk->depth - 1];
}

int walk_stat(struct walk *walk, const char *name, struct stat *out)
{
    int dir = top(walk)->fd;
    if (fstatat(dir, name, out, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
        return errno;
    if (!S_ISLNK(out->st_mode))
        return 0;
    int fd = beneath_follow(walk->root, dir, name, O_PATH);
    int error = fd < 0 || fstat(fd, out) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error;
}

/* "." and "..", and the two names that say something of the directory itself. */
static bool take_dot_name(struct walk *walk, const char *name)
{
    unsigned int keep = walk->options.keep;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return true;
    if (strcmp(name, IGNORE_ALL_FILE) == 0 && !(keep & IGNORED_NOMEDIA))
        return walk->passed_over = true;
    if (strcmp(name, IGNORE_RULES_FILE) == 0 && !(keep & IGNORED_RULES))
        return walk->has_rules = true;
    return false;
}

/* Puts one entry of the present directory where it belongs. False: it could not just now. */
static bool take_name(struct walk *walk, const char *name, unsigned char type)
{
    if (name[0] == '.' && take_dot_name(walk, name))
        return true;
    bool wanted = walk_wants(walk->options.extensions, name);
    if (!wanted && (!walk->options.recursive || type == DT_REG))
        return true;
    if (ignore_name(walk->options.keep, name))
        return true;
    if (type == DT_UNKNOWN || type == DT_LNK) {
        struct stat stat;
        int error = walk->root->follow || type != DT_LNK ? walk_stat(walk, name, &stat) : ELOOP;
        if (error)
            return !walk_out_of_resources(error);
        type = S_ISDIR(stat.st_mode) ? DT_DIR : DT_REG;
    }
    if (type == DT_DIR)
        return !walk->options.recursive || names_add(&top(walk)->subs, name);
    return !wanted || names_add(&walk->files, name);
}

/* The names of the directory are known: what it says of itself can be looked at. */
static bool take_own_word(struct walk *walk)
{
    if (walk->passed_over) {
        names_clear(&walk->files);
        names_clear(&top(walk)->subs);
    } else if (walk->has_rules) {
        enum rl_err err =
            ignore_read(&walk->ignore, top(walk)->fd, walk->path.data, walk->path.len);
        if (err)
            return false;
    }
    walk->has_rules = false;
    return names_sort(&walk->files) && names_sort(&top(walk)->subs);
}

/* The directory was read, for what `error` says: its files come next. False: not just now. */
static bool read_over(struct walk *walk, int error, struct walk_entry *out)
{
    if (!take_own_word(walk))
        return false;
    out->kind = WALK_DIRECTORY;
    out->stat.st_dev = top(walk)->device;
    walk->problem = error != ENOENT ? error : 0; /* ENOENT: removed while it was read */
    walk->state = WALK_FILES;
    return true;
}

/* In the place of a listing: the names that were asked for, and the two that say something of the
 * directory itself. */
static void read_some(struct walk *walk, struct walk_entry *out)
{
    static const char *const own[] = {IGNORE_ALL_FILE, IGNORE_RULES_FILE};
    const struct names *some = walk->options.some;
    out->kind = WALK_BUSY;
    for (size_t n = 0; n < SOME_AT_ONCE && walk->next_some < some->count; n++) {
        if (!take_name(walk, some->sorted[walk->next_some], DT_UNKNOWN))
            return;
        walk->next_some++;
    }
    out->kind = WALK_PAUSE;
    if (walk->next_some < some->count)
        return;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (faccessat(top(walk)->fd, own[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            take_dot_name(walk, own[i]);
    }
    out->kind = WALK_BUSY;
    read_over(walk, 0, out);
}

void walk_read(struct walk *walk, struct walk_entry *out)
{
    if (walk->options.some && walk->depth == 1) {
        read_some(walk, out);
        return;
    }
    out->kind = WALK_BUSY;
    int error = 0;
    if (walk->read_at == walk->read_len && !walk->options.single) {
        walk->read_at = walk->read_len = 0;
        ssize_t len = getdents64(top(walk)->fd, walk->buffer, sizeof walk->buffer);
        error = len < 0 ? errno : 0;
        if (walk_out_of_resources(error))
            return;
        walk->read_len = len < 0 ? 0 : len;
    }
    bool over = walk->read_len == 0;
    while (walk->read_at < walk->read_len) {
        /* The sizes in the buffer are the kernel's (getdents64(2)). */
        const struct dirent64 *entry =
            (const struct dirent64 *)(const void *)(walk->buffer + walk->read_at);
        if (!take_name(walk, entry->d_name, entry->d_type))
            return;
        walk->read_at += entry->d_reclen;
    }
    if (over)
        read_over(walk, error, out);
    else
        out->kind = WALK_PAUSE;
}
