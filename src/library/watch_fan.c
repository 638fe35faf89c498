#include "watch_fan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/statfs.h>
#include <unistd.h>
#define HASH_NONFATAL_OOM 1 /* what could not be added has no table */
#include <uthash.h>

#include "reeld/base.h"

_Static_assert(FAN_CREATE == IN_CREATE && FAN_MODIFY == IN_MODIFY && FAN_ATTRIB == IN_ATTRIB &&
                   FAN_CLOSE_WRITE == IN_CLOSE_WRITE && FAN_DELETE == IN_DELETE &&
                   FAN_DELETE_SELF == IN_DELETE_SELF && FAN_MOVE_SELF == IN_MOVE_SELF &&
                   FAN_Q_OVERFLOW == IN_Q_OVERFLOW && FAN_ONDIR == IN_ISDIR,
               "a mask is told as it comes");

enum {
    MOUNTS_MAX = 64,
    KEY_MAX = 16 + 128, /* fsid, type and bytes of a handle */
};

static const uint64_t marked =
    FAN_CREATE | FAN_MODIFY | FAN_ATTRIB | FAN_CLOSE_WRITE | FAN_DELETE | FAN_RENAME | FAN_ONDIR;

struct fan_folder {
    int number;
    UT_hash_handle by_number, by_key;
    uint32_t len;
    unsigned char key[];
};

struct fan_mount {
    int id;    /* of name_to_handle_at(2) */
    int error; /* an errno: it cannot be marked */
    fsid_t fsid;
};

struct watch_fan {
    int fd;
    int last;        /* number that was given */
    uint32_t cookie; /* of the last rename */
    struct fan_mount mounts[MOUNTS_MAX];
    size_t n_mounts;
    struct fan_folder *by_number, *by_key;
};

struct watch_fan *watch_fan_new(void)
{
    struct watch_fan *fan = calloc(1, sizeof *fan);
    if (!fan)
        return NULL;
    fan->fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME,
                            O_RDONLY);
    if (fan->fd >= 0)
        return fan;
    int saved = errno;
    free(fan);
    errno = saved;
    return NULL;
}

static void forget(struct watch_fan *fan, struct fan_folder *folder)
{
    HASH_DELETE(by_number, fan->by_number, folder);
    HASH_DELETE(by_key, fan->by_key, folder);
    free(folder);
}

void watch_fan_free(struct watch_fan *fan)
{
    if (!fan)
        return;
    while (fan->by_number)
        forget(fan, fan->by_number);
    close(fan->fd);
    free(fan);
}

int watch_fan_fd(const struct watch_fan *fan)
{
    return fan->fd;
}

void watch_fan_remounted(struct watch_fan *fan)
{
    fan->n_mounts = 0;
}

/* ---- folders ------------------------------------------------------------------------------- */

/* Returns how many bytes. */
static uint32_t key_write(unsigned char key[KEY_MAX], const void *fsid, int type,
                          const void *handle, uint32_t len)
{
    memcpy(key, fsid, 8);
    memcpy(key + 8, &type, sizeof type);
    memcpy(key + 12, handle, len);
    return 12 + len;
}

static struct fan_mount *mount_of(struct watch_fan *fan, int id, int fd)
{
    for (size_t i = 0; i < fan->n_mounts; i++) {
        if (fan->mounts[i].id == id)
            return &fan->mounts[i];
    }
    struct statfs fs;
    int error = fstatfs(fd, &fs) < 0 ||
                        fanotify_mark(fan->fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, marked, fd, NULL)
                    ? errno
                    : 0;
    struct fan_mount *mount = &fan->mounts[fan->n_mounts < MOUNTS_MAX ? fan->n_mounts++ : 0];
    *mount = (struct fan_mount){.id = id, .error = error};
    if (!error)
        mount->fsid = fs.f_fsid;
    return mount;
}

static int folder_add(struct watch_fan *fan, const unsigned char *key, uint32_t len)
{
    struct fan_folder *folder;
    HASH_FIND(by_key, fan->by_key, key, len, folder);
    if (folder)
        return folder->number;
    errno = ENOMEM;
    folder = calloc(1, sizeof *folder + len);
    if (!folder)
        return 0;
    folder->number = fan->last - 1;
    folder->len = len;
    memcpy(folder->key, key, len);
    HASH_ADD(by_number, fan->by_number, number, sizeof folder->number, folder);
    if (folder->by_number.tbl)
        HASH_ADD_KEYPTR(by_key, fan->by_key, folder->key, len, folder);
    if (!folder->by_number.tbl || !folder->by_key.tbl) {
        if (folder->by_number.tbl)
            HASH_DELETE(by_number, fan->by_number, folder);
        free(folder);
        return 0;
    }
    fan->last--;
    return folder->number;
}

int watch_fan_add(struct watch_fan *fan, int fd, bool own)
{
    union {
        struct file_handle head;
        unsigned char bytes[sizeof(struct file_handle) + 128];
    } handle = {.head.handle_bytes = 128};
    int id;
    if (name_to_handle_at(fd, "", &handle.head, &id, AT_EMPTY_PATH))
        return 0;
    const struct fan_mount *mount = mount_of(fan, id, fd);
    errno = mount->error;
    if (mount->error ||
        (own && fanotify_mark(fan->fd, FAN_MARK_ADD | FAN_MARK_ONLYDIR,
                              FAN_DELETE_SELF | FAN_MOVE_SELF | FAN_ONDIR, fd, NULL)))
        return 0;
    unsigned char key[KEY_MAX];
    uint32_t len = key_write(key, &mount->fsid, handle.head.handle_type, handle.head.f_handle,
                             handle.head.handle_bytes);
    return folder_add(fan, key, len);
}

void watch_fan_drop(struct watch_fan *fan, int number)
{
    struct fan_folder *folder;
    HASH_FIND(by_number, fan->by_number, &number, sizeof number, folder);
    if (folder)
        forget(fan, folder);
    if (!fan->by_number) { /* nobody wants to hear of these file systems any more */
        fanotify_mark(fan->fd, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, NULL);
        fan->n_mounts = 0;
    }
}

/* ---- events -------------------------------------------------------------------------------- */

/* Where something happened. */
struct fan_place {
    int number;       /* of the folder; 0: none of ours */
    const char *name; /* in it; "." for itself */
};

static struct fan_place place_of(const struct watch_fan *fan,
                                 const struct fanotify_event_info_fid *info)
{
    struct fan_place place = {0};
    struct file_handle head;
    memcpy(&head, info->handle, sizeof head);
    unsigned char key[KEY_MAX];
    const unsigned char *bytes = info->handle + sizeof head;
    if (head.handle_bytes > KEY_MAX - 12)
        return place;
    uint32_t len = key_write(key, &info->fsid, head.handle_type, bytes, head.handle_bytes);
    struct fan_folder *folder;
    HASH_FIND(by_key, fan->by_key, key, len, folder);
    if (folder) {
        place.number = folder->number;
        place.name = (const char *)bytes + head.handle_bytes;
    }
    return place;
}

struct fan_told {
    watch_fan_event *tell;
    void *ctx;
};

static void tell(const struct fan_told *told, const struct fan_place *place, uint64_t mask,
                 uint32_t cookie)
{
    union {
        struct inotify_event event;
        char bytes[sizeof(struct inotify_event) + NAME_MAX + 1];
    } out = {.event = {.wd = place->number, .mask = (uint32_t)mask, .cookie = cookie}};
    size_t len = strcmp(place->name, ".") == 0 ? 0 : strlen(place->name) + 1;
    if (!place->number || len > NAME_MAX + 1)
        return;
    memcpy(out.bytes + sizeof out.event, place->name, len);
    out.event.len = (uint32_t)len;
    told->tell(told->ctx, &out.event);
}

/* The sizes are the kernel's (fanotify(7)); `bytes` are those of the event, and what is behind it.
 */
static void take(struct watch_fan *fan, const struct fanotify_event_metadata *event,
                 const char *bytes, const struct fan_told *told)
{
    struct fan_place at = {0}, from = {0}, to = {0};
    for (uint32_t n = event->metadata_len; n < event->event_len;) {
        const struct fanotify_event_info_fid *info = (const void *)(bytes + n);
        if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME ||
            info->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID)
            at = place_of(fan, info);
        else if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_OLD_DFID_NAME)
            from = place_of(fan, info);
        else if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_NEW_DFID_NAME)
            to = place_of(fan, info);
        n += info->hdr.len;
    }
    uint64_t folder = event->mask & FAN_ONDIR;
    if (event->mask & FAN_Q_OVERFLOW) {
        const struct inotify_event full = {.wd = -1, .mask = IN_Q_OVERFLOW};
        told->tell(told->ctx, &full);
    } else if (event->mask & FAN_RENAME) {
        fan->cookie++;
        if (from.number)
            tell(told, &from, IN_MOVED_FROM | folder, fan->cookie);
        if (to.number)
            tell(told, &to, IN_MOVED_TO | folder, fan->cookie);
    } else if (at.number) {
        tell(told, &at, event->mask, 0);
    }
}

bool watch_fan_read(struct watch_fan *fan, char *buffer, size_t size, watch_fan_event *event,
                    void *ctx)
{
    const struct fan_told told = {event, ctx};
    ssize_t len = read(fan->fd, buffer, size);
    if (len <= 0)
        return false;
    for (ssize_t at = 0; at + (ssize_t)sizeof(struct fanotify_event_metadata) <= len;) {
        struct fanotify_event_metadata one; /* events stand on multiples of four bytes only */
        memcpy(&one, buffer + at, sizeof one);
        if (one.vers == FANOTIFY_METADATA_VERSION)
            take(fan, &one, buffer + at, &told);
        at += one.event_len;
    }
    return true;
}
