#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOG_ROOM "library"
#include "origin.h"
#include "room.h"
#include "scan.h"
#include "stamp.h"
#include "watch.h"

enum {
    REST_MS = 50,     /* when descriptors or memory ran out */
    CLOCK_EVERY = 32, /* entries between two looks at the clock */
};

bool scan_walk_ready(const struct scan *scan, int64_t now_ms)
{
    if (!scan->walk || scan->err || scan->candidates.bytes >= CANDIDATES_BYTES ||
        batch_full(&scan->batch))
        return false;
    /* Before anything was walked it may be waiting for a worker's version. */
    return now_ms >= scan->walk_after_ms ||
           (!scan->begun && scan->library->pool_now.version[0] != '\0');
}

/* The absolute path of an entry; NULL: out of memory, and the job cannot go on. */
static const char *entry_path(struct scan *scan, const struct walk_entry *entry)
{
    buf_clear(&scan->path);
    if (entry->name)
        path_join(&scan->path, entry->directory, entry->name);
    else
        buf_puts(&scan->path, entry->directory);
    if (scan->path.failed)
        scan->err = RL_ENOMEM;
    return scan->path.failed ? NULL : scan->path.data;
}

/* Numbers the walk's present directory, and those above it that have no number yet. */
static enum rl_err directory_number(struct scan *scan, uint32_t *out)
{
    uint32_t number = scan->round.number;
    for (size_t i = 0; i < walk_depth(scan->walk); i++) {
        uint32_t *mark;
        size_t len;
        const char *name = walk_step(scan->walk, i, &len, &mark);
        if (!*mark) {
            enum rl_err err = candidates_directory(&scan->candidates, number, name, len, mark);
            if (err)
                return err;
        }
        number = *mark;
    }
    *out = number;
    return RL_OK;
}

/* Where another file than the known one has the name, the video may have moved, which the rest of
 * the walk tells: such a file is looked into after it. */
static bool may_have_moved(const struct known_file *known, const struct file_stamp *stamp)
{
    return known && known->number &&
           (known->failure != FAILURE_NONE || known->stamp.inode != stamp->inode);
}

static void add_candidate(struct scan *scan, const struct walk_entry *entry, bool late)
{
    uint32_t directory;
    bool wait = late && scan->late.bytes < CANDIDATES_BYTES;
    enum rl_err err = directory_number(scan, &directory);
    if (!err)
        err = candidates_add(wait ? &scan->late : &scan->candidates, directory, entry->name);
    if (err)
        scan->err = err;
    else
        scan->job->total++;
}

static void count_unchanged(struct scan *scan, enum outcome outcome)
{
    struct job *job = scan->job;
    job->total++;
    job->processed++;
    if (outcome == OUTCOME_NEW)
        job->added++;
    else if (outcome == OUTCOME_UPDATED)
        job->updated++;
    else if (outcome == OUTCOME_MOVED)
        job->moved++;
    else
        job->skipped++;
    scan->unsaid = true;
    scan->unchanged[outcome] += !job->dry_run;
}

/* A file whose present state was judged before. True: that judgement stands. */
static bool decided(struct scan *scan, const struct walk_entry *entry,
                    const struct known_file *known)
{
    /* What this job had decided before the daemon was stopped counts as it did then. */
    bool mine = scan->entry->resumed && known->job == scan->job->number;
    if (known->failure != FAILURE_NONE && known->job == 0)
        return true; /* no video at all */
    if (known->failure == FAILURE_NONE) {
        count_unchanged(scan, mine ? known->outcome : OUTCOME_SKIPPED);
        return true;
    }
    bool stale = known->failure_stale && scan->library->pool_now.version[0];
    if (!mine && (stale || scan->job->retry_failed))
        return false;
    const char *path = entry_path(scan, entry);
    if (path) {
        scan->job->total++;
        batch_again(scan, path, known->failure, known->error);
    }
    return true;
}

/* A file that is no other than that of a known video which was elsewhere, or missing. */
static bool take_moved(struct scan *scan, const struct walk_entry *entry,
                       const struct known_file *known, const struct file_stamp *stamp)
{
    const char *path = entry_path(scan, entry);
    struct video_place place;
    if (!path || origin_by_stamp(scan, path, stamp, &place))
        return scan->err != RL_OK;
    scan->job->total++;
    if (scan->job->dry_run)
        plan_place(scan, &place, path, known ? known->number : 0);
    else
        batch_place(scan, &place, path, stamp);
    video_place_clear(&place);
    return true;
}

/* Whether the watch takes the file up when it is whole. */
static bool left_to_watch(struct scan *scan, const struct walk_entry *entry,
                          const struct file_stamp *stamp)
{
    const char *path = entry_path(scan, entry);
    if (!path || scan->job->dry_run)
        return !path;
    if (watch_has(scan->library, path))
        return true;
    /* Of what was written in a new folder before it was watched nobody said that it is whole. */
    int64_t age = clock_wall_ms() - stamp->mtime_ns / 1000000;
    int64_t settle = scan->library->config.settle_ms;
    if (!scan->entry->watched || walk_depth(scan->walk) == 0 || age < 0 || age >= settle)
        return false;
    watch_later(scan->library, path, settle - age);
    return true;
}

/* The file was written to under one of its names: the kernel told of that one only. */
static void tell_links(struct scan *scan, const struct walk_entry *entry,
                       const struct known_file *known)
{
    struct place_list list;
    if (!scan->entry->watched || !known->number || entry->stat.st_nlink < 2 ||
        catalog_places_by_stamp(scan->library->catalog, &known->stamp, &list))
        return;
    const char *path = entry_path(scan, entry);
    for (size_t i = 0; path && i < list.count; i++) {
        const char *other = list.places[i].path;
        if (strcmp(other, path) != 0 && path_beneath(scan->folder, other))
            watch_place(scan->entry->watched, other);
    }
    place_list_clear(&list);
}

static void take_file(struct scan *scan, const struct walk_entry *entry)
{
    if (!scan->known && !missing_know(scan, entry->directory))
        return;
    struct file_stamp stamp = stamp_of(&entry->stat);
    const struct known_file *known = known_find(scan->known, entry->name);
    if (known)
        known_mark(scan->known, known);
    if (known && stamp_equal(&known->stamp, &stamp) && decided(scan, entry, known))
        return;
    if (S_ISREG(entry->stat.st_mode)) {
        /* What moved is whole. */
        if (take_moved(scan, entry, known, &stamp) || left_to_watch(scan, entry, &stamp))
            return;
        if (known)
            tell_links(scan, entry, known);
        add_candidate(scan, entry, may_have_moved(known, &stamp));
        return;
    }
    const char *path = entry_path(scan, entry);
    if (path) {
        scan->job->total++;
        batch_failure(scan, path, scan->job->dry_run ? NULL : &stamp, FAILURE_NOT_A_FILE,
                      failure_meaning(FAILURE_NOT_A_FILE));
    }
}

static void take_problem(struct scan *scan, const struct walk_entry *entry)
{
    const char *path = entry_path(scan, entry);
    if (!path)
        return;
    missing_problem(scan, path);
    enum failure_code code =
        entry->error == EACCES || entry->error == EPERM ? FAILURE_UNREADABLE : FAILURE_IO_ERROR;
    char words[MEDIA_ERROR_SIZE];
    scan_failure_words(code, entry->error, words);
    scan->job->total++;
    batch_failure(scan, path, NULL, code, words);
}

static void end_walk(struct scan *scan)
{
    missing_leave(scan);
    walk_free(scan->walk);
    scan->walk = NULL;
    scan_round_walked(scan);
    if (scan_round_more(scan))
        return;
    candidates_join(&scan->candidates, &scan->late);
    if (scan->parked_ms)
        scan->stale = scan->candidates.count; /* some were found before that */
    plan_end_walk(scan);
    if (scan->candidates.count || scan->held || scan->in_flight || scan->settle.count)
        batch_touch(scan);
}

void scan_walk(struct scan *scan, int64_t budget_ns)
{
    int64_t end_ns = clock_mono_ns() + budget_ns;
    scan->begun = true;
    for (unsigned int n = 1; scan->walk && !scan->err && !batch_full(&scan->batch); n++) {
        struct walk_entry entry;
        walk_next(scan->walk, &entry);
        switch (entry.kind) {
        case WALK_END:
            end_walk(scan);
            break;
        case WALK_BUSY:
            scan->walk_after_ms = clock_mono_ms() + REST_MS;
            return;
        case WALK_DIRECTORY:
            missing_leave(scan);
            missing_enter(scan, &entry);
            break;
        case WALK_FILE:
            take_file(scan, &entry);
            break;
        case WALK_PROBLEM:
            take_problem(scan, &entry);
            break;
        case WALK_PAUSE:
            break;
        }
        if ((n % CLOCK_EVERY == 0 || entry.kind == WALK_PAUSE) && clock_mono_ns() >= end_ns)
            return;
    }
}
