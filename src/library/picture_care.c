#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_ROOM "library"
#include "picture_store.h"

enum {
    STEP_FILES = 256,     /* in one go, so that commands and workers do not wait */
    OLDEST_MAX = 4096,    /* files that one pass can remove because of the limit */
    AGAIN_MS = 60 * 1000, /* after a pass that failed, or did not help */
    KEEP_OF_TEN = 9, /* tenths of the limit that are left, so that not each file needs a pass */
};

/* A file, and when it was used last. */
struct aged {
    int64_t used_ns;
    int64_t size;
    struct picture_key key;
};

struct picture_care {
    struct picture_store *store;
    DIR *top;      /* the folder of folders */
    DIR *folder;   /* in which it is, or NULL */
    char name[24]; /* of that */
    int64_t first; /* the lowest number of a video in it */
    bool empty;    /* nothing was left in it */
    uint64_t versions[PICTURE_FOLDER_VIDEOS];
    int64_t bytes;
    uint64_t orphans;
    struct aged *oldest; /* a heap whose first is the youngest; NULL: nothing is too much */
    size_t n_oldest;
    bool removing; /* the files were counted; `oldest` is sorted, from `at` on to be removed */
    size_t at;
    bool helped; /* one was removed */
};

void picture_care_free(struct picture_care *care)
{
    if (!care)
        return;
    if (care->folder)
        closedir(care->folder);
    if (care->top)
        closedir(care->top);
    free(care->oldest);
    free(care);
}

/* ---- the oldest ---------------------------------------------------------------------------- */

static void swap(struct aged *a, struct aged *b)
{
    struct aged other = *a;
    *a = *b;
    *b = other;
}

static void sink(struct aged *heap, size_t count)
{
    for (size_t at = 0;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < count && heap[child + 1].used_ns > heap[child].used_ns)
            child++;
        if (child >= count || heap[child].used_ns <= heap[at].used_ns)
            return;
        swap(&heap[at], &heap[child]);
        at = child;
    }
}

static void keep_oldest(struct picture_care *care, const struct aged *aged)
{
    struct aged *heap = care->oldest;
    if (care->n_oldest == OLDEST_MAX) {
        if (aged->used_ns >= heap[0].used_ns)
            return;
        heap[0] = *aged;
        sink(heap, care->n_oldest);
        return;
    }
    size_t at = care->n_oldest++;
    heap[at] = *aged;
    for (; at > 0 && heap[(at - 1) / 2].used_ns < heap[at].used_ns; at = (at - 1) / 2)
        swap(&heap[(at - 1) / 2], &heap[at]);
}

static int compare_age(const void *a, const void *b)
{
    const struct aged *one = a, *other = b;
    return (one->used_ns > other->used_ns) - (one->used_ns < other->used_ns);
}

/* ---- going through ------------------------------------------------------------------------- */

static enum rl_err open_folder(struct picture_care *care, struct catalog *catalog, const char *name)
{
    char *end;
    long long folder = strtoll(name, &end, 10);
    if (*name < '0' || *name > '9' || *end || strlen(name) >= sizeof care->name ||
        folder > INT64_MAX / PICTURE_FOLDER_VIDEOS - 1)
        return RL_OK;
    int fd = openat(dirfd(care->top), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    care->folder = fd < 0 ? NULL : fdopendir(fd);
    if (!care->folder) {
        if (fd >= 0)
            close(fd);
        return RL_OK;
    }
    memcpy(care->name, name, strlen(name) + 1);
    care->first = folder * PICTURE_FOLDER_VIDEOS;
    care->empty = true;
    return catalog_picture_versions(catalog, care->first, PICTURE_FOLDER_VIDEOS, care->versions);
}

static void close_folder(struct picture_care *care)
{
    closedir(care->folder);
    care->folder = NULL;
    if (care->empty)
        unlinkat(dirfd(care->top), care->name, AT_REMOVEDIR);
}

static void look_at_file(struct picture_care *care, const char *name)
{
    struct aged aged;
    struct stat stat;
    int folder = dirfd(care->folder);
    bool known = picture_parse(name, &aged.key) && aged.key.number >= care->first &&
                 aged.key.number < care->first + PICTURE_FOLDER_VIDEOS &&
                 care->versions[aged.key.number - care->first] == aged.key.version;
    if (!known) {
        bool removed = unlinkat(folder, name, 0) == 0;
        care->orphans += removed;
        care->empty = care->empty && removed;
        return;
    }
    care->empty = false;
    if (aged.key.form == PICTURE_FORM_THUMBNAIL)
        picture_store_width(care->store, aged.key.width);
    if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    care->bytes += stat.st_size;
    aged.size = stat.st_size;
    aged.used_ns = (int64_t)stat.st_atim.tv_sec * 1000000000 + stat.st_atim.tv_nsec;
    if (care->oldest)
        keep_oldest(care, &aged);
}

/* False: it is at the end. */
static bool go_on(struct picture_care *care, struct catalog *catalog, enum rl_err *err)
{
    DIR *folder = care->folder ? care->folder : care->top;
    struct dirent *entry = readdir(folder);
    if (!entry && folder == care->top)
        return false;
    if (!entry)
        close_folder(care);
    else if (entry->d_name[0] == '.' && (!entry->d_name[1] || strcmp(entry->d_name, "..") == 0))
        return true;
    else if (folder == care->top)
        *err = open_folder(care, catalog, entry->d_name);
    else
        look_at_file(care, entry->d_name);
    return true;
}

/* ---- the pass ------------------------------------------------------------------------------ */

static void begin(struct picture_store *store)
{
    store->care_at_ms = INT64_MAX;
    if (!store->config->data)
        return;
    struct picture_care *care = calloc(1, sizeof *care);
    struct buf path = {0};
    path_join(&path, store->config->data, "pictures");
    if (care)
        care->store = store;
    if (care && !path.failed)
        care->top = opendir(path.data);
    bool nothing = care && !path.failed && !care->top && errno == ENOENT;
    int64_t limit = store->config->pictures_max_bytes;
    if (care && care->top && limit > 0)
        care->oldest = malloc(OLDEST_MAX * sizeof *care->oldest);
    buf_free(&path);
    if (nothing) {
        store->bytes = 0;
    } else if (care && care->top) {
        unlinkat(dirfd(care->top), "part", 0); /* what an earlier process was at */
        store->care = care;
        return;
    } else {
        store->care_at_ms = clock_mono_ms() + AGAIN_MS;
    }
    picture_care_free(care);
}

static void end(struct picture_store *store, bool well)
{
    struct picture_care *care = store->care;
    int64_t limit = store->config->pictures_max_bytes;
    if (care->orphans)
        log_info("%llu pictures of videos that are not known any more were removed",
                 (unsigned long long)care->orphans);
    bool more = well && limit > 0 && store->bytes > limit;
    /* One pass removes so many; where it could remove none, another would not either. */
    store->care_at_ms = !well || (more && !care->helped) ? clock_mono_ms() + AGAIN_MS
                        : more                           ? 0
                                                         : INT64_MAX;
    picture_care_free(care);
    store->care = NULL;
}

static void remove_oldest(struct picture_store *store)
{
    struct picture_care *care = store->care;
    int64_t goal = store->config->pictures_max_bytes / 10 * KEEP_OF_TEN;
    for (int n = 0; n < STEP_FILES; n++) {
        if (store->bytes <= goal || care->at == care->n_oldest) {
            end(store, true);
            return;
        }
        const struct aged *aged = &care->oldest[care->at++];
        char name[PICTURE_PATH_SIZE];
        picture_path(&aged->key, name);
        /* Below "pictures/". */
        if (unlinkat(dirfd(care->top), strchr(name, '/') + 1, 0) == 0) {
            store->bytes -= aged->size;
            store->removed++;
            care->helped = true;
        }
    }
}

void picture_care_step(struct picture_store *store, struct catalog *catalog)
{
    if (!store->care && clock_mono_ms() >= store->care_at_ms)
        begin(store);
    struct picture_care *care = store->care;
    if (!care)
        return;
    if (care->removing) {
        remove_oldest(store);
        return;
    }
    enum rl_err err = RL_OK;
    bool more = true;
    for (int n = 0; n < STEP_FILES && more && !err; n++)
        more = go_on(care, catalog, &err);
    if (err) {
        end(store, false);
        return;
    }
    if (more)
        return;
    store->bytes = care->bytes;
    int64_t limit = store->config->pictures_max_bytes;
    if (!care->oldest || store->bytes <= limit) {
        end(store, true);
        return;
    }
    qsort(care->oldest, care->n_oldest, sizeof *care->oldest, compare_age);
    care->removing = true;
}

int64_t picture_care_due(const struct picture_store *store)
{
    return store->care ? 0 : store->care_at_ms;
}
