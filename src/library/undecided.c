#include <stdlib.h>
#include <string.h>

#include "origin.h"
#include "room.h"
#include "scan.h"
#include "undecided.h"

enum {
    BYTES_MAX = 8 << 20, /* a few thousand files */
    CLOCK_EVERY = 16,    /* files between two looks at the clock */
    SLICE_NS = 5000000,
};

struct undecided_file {
    struct file_task *task; /* owned; NULL: it is settled */
    char *path;             /* owned */
    struct media_info info; /* owned */
    unsigned int rank;      /* of the best place that it could have when that was asked last */
};

static size_t size_of(const struct undecided_file *file)
{
    return sizeof *file + sizeof *file->task + 2 * strlen(file->path) +
           file->info.n_streams * sizeof *file->info.streams +
           file->info.n_chapters * sizeof *file->info.chapters;
}

static void file_clear(struct undecided_file *file)
{
    free(file->task);
    free(file->path);
    media_info_clear(&file->info);
    *file = (struct undecided_file){0};
}

static bool make_room(struct undecided *undecided)
{
    if (undecided->count < undecided->cap)
        return true;
    size_t cap = undecided->cap ? undecided->cap * 2 : 16;
    struct undecided_file *files = reallocarray(undecided->files, cap, sizeof *files);
    if (!files)
        return false;
    undecided->files = files;
    undecided->cap = cap;
    return true;
}

bool undecided_take(struct scan *scan, struct file_task *task, const char *path,
                    struct media_info *info)
{
    struct undecided *undecided = &scan->undecided;
    if (!origin_depends(scan, path, &task->stamp, info->summary.fingerprint))
        return false;
    struct undecided_file file = {.path = strdup(path)};
    if (!file.path || !make_room(undecided)) {
        free(file.path);
        scan->err = RL_ENOMEM;
        return false;
    }
    file.task = task;
    file.info = *info;
    *info = (struct media_info){0};
    undecided->files[undecided->count++] = file;
    undecided->bytes += size_of(&file);
    undecided->full |= undecided->bytes >= BYTES_MAX;
    undecided->stage = UNDECIDED_GATHER;
    return true;
}

static int by_path(const void *a, const void *b)
{
    const struct undecided_file *one = a, *other = b;
    return strcmp(one->path, other->path);
}

bool undecided_at(const struct scan *scan, const char *path)
{
    const struct undecided *undecided = &scan->undecided;
    const struct undecided_file sought = {.path = (char *)(uintptr_t)path};
    if (undecided->stage == UNDECIDED_GATHER || undecided->count == 0)
        return false;
    const struct undecided_file *file =
        bsearch(&sought, undecided->files, undecided->count, sizeof sought, by_path);
    return file && file->task;
}

/* It may have waited for long. */
static void look(struct scan *scan, struct undecided_file *file)
{
    struct file_task *task = file->task;
    if (scan_file_as_it_was(scan, task))
        return;
    file->task = NULL; /* it was taken */
}

static void match(struct scan *scan, struct undecided_file *file)
{
    struct undecided *undecided = &scan->undecided;
    struct video_place place;
    if (file->rank > undecided->rank)
        return;
    if (origin_by_content(scan, file->path, &file->task->stamp, file->info.summary.fingerprint,
                          &place)) {
        file->rank = ORIGIN_RANKS;
        return;
    }
    file->rank = origin_rank(&place, file->path);
    if (file->rank <= undecided->rank) {
        batch_place(scan, &place, file->path, &file->task->stamp);
        undecided->placed = true;
        free(file->task);
        file->task = NULL;
    }
    video_place_clear(&place);
}

static void put(struct scan *scan, struct undecided_file *file)
{
    batch_video(scan, file->path, &file->task->stamp, &file->info);
    free(file->task);
    file->task = NULL;
}

static void begin_passes(struct undecided *undecided)
{
    undecided->stage = UNDECIDED_MATCH;
    undecided->rank = 0;
    undecided->placed = false;
    for (size_t i = 0; i < undecided->count; i++)
        undecided->files[i].rank = 0;
}

static void clear(struct undecided *undecided)
{
    for (size_t i = 0; i < undecided->count; i++)
        file_clear(&undecided->files[i]);
    undecided->count = undecided->bytes = 0;
    undecided->full = false;
    undecided->stage = UNDECIDED_GATHER;
}

/* All files were gone through at this stage. */
static void next_stage(struct undecided *undecided)
{
    undecided->at = 0;
    switch (undecided->stage) {
    case UNDECIDED_GATHER:
        qsort(undecided->files, undecided->count, sizeof *undecided->files, by_path);
        undecided->stage = UNDECIDED_LOOK;
        break;
    case UNDECIDED_LOOK:
        begin_passes(undecided);
        break;
    case UNDECIDED_MATCH:
        if (++undecided->rank < ORIGIN_RANKS)
            break;
        if (undecided->placed)
            begin_passes(undecided);
        else
            undecided->stage = UNDECIDED_PUT;
        break;
    case UNDECIDED_PUT:
        clear(undecided);
        break;
    }
}

void undecided_step(struct scan *scan)
{
    static void (*const work[])(struct scan *, struct undecided_file *) = {
        [UNDECIDED_LOOK] = look, [UNDECIDED_MATCH] = match, [UNDECIDED_PUT] = put};
    struct undecided *undecided = &scan->undecided;
    int64_t end_ns = clock_mono_ns() + SLICE_NS;
    for (int n = 1; undecided->count && !scan->err && !batch_full(&scan->batch); n++) {
        if (undecided->stage == UNDECIDED_GATHER || undecided->at == undecided->count) {
            next_stage(undecided);
            continue;
        }
        struct undecided_file *file = &undecided->files[undecided->at++];
        if (file->task)
            work[undecided->stage](scan, file);
        if (n % CLOCK_EVERY == 0 && clock_mono_ns() >= end_ns)
            return;
    }
}

void undecided_finish(struct scan *scan)
{
    while (scan->undecided.count && !scan->err) {
        undecided_step(scan);
        batch_commit(scan);
    }
}

void undecided_free(struct undecided *undecided)
{
    clear(undecided);
    free(undecided->files);
    *undecided = (struct undecided){0};
}
