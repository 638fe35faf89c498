#include <stdlib.h>

#include "room.h"
#include "scan.h"
#include "stamp.h"
#include "store.h"
#include "turns.h"

bool scan_park(void *work)
{
    struct scan *scan = work;
    struct library *library = scan->library;
    batch_commit(scan);
    if (scan->err) {
        scan_end(scan, JOB_FAILED, library->why);
        return false;
    }
    scan->parked_ms = clock_mono_ms();
    library->running = NULL;
    return true;
}

void scan_go_on(void *work)
{
    struct scan *scan = work;
    if (scan->deadline_ms != INT64_MAX)
        scan->deadline_ms += clock_mono_ms() - scan->parked_ms;
    /* What was known when it was parked may be known better now. */
    known_free(scan->known);
    known_free(scan->again);
    scan->known = scan->again = NULL;
    scan->stale = scan->candidates.count;
    missing_again(scan);
    scan->library->running = scan->entry;
    turns_changed(scan->library, scan->entry);
}

bool scan_tend(void *work)
{
    struct scan *scan = work;
    struct library *library = scan->library;
    batch_commit(scan);
    if (scan->err) {
        store_flush(library);
        scan_end(scan, JOB_FAILED, library->why);
        return false;
    }
    scan_say_counters(scan, clock_mono_ms());
    return true;
}

/* What the catalogue knows of the task's file now; NULL: nothing, or it cannot say. */
static const struct known_file *known_now(struct scan *scan, const struct file_task *task)
{
    if (!scan->again || scan->again_directory != task->directory) {
        known_free(scan->again);
        scan->again = NULL;
        const char *inside = scan_path(scan, task->directory, "");
        if (!inside)
            return NULL;
        if (scan->path.len > 1)
            scan->path.data[scan->path.len - 1] = '\0'; /* the slash at its end */
        if (catalog_known(scan->library->catalog, inside, scan->library->pool_now.version,
                          &scan->again)) {
            scan->again = NULL;
            return NULL;
        }
        scan->again_directory = task->directory;
    }
    return known_find(scan->again, task->name);
}

bool scan_decided_meanwhile(struct scan *scan, struct file_task *task)
{
    struct job *job = scan->job;
    const struct known_file *known = known_now(scan, task);
    if (!known || !stamp_equal(&known->stamp, &task->stamp))
        return false;
    bool retry = known->failure_stale || (job->retry_failed && known->job <= job->number);
    if (known->failure == FAILURE_NONE) {
        job->processed++;
        job->skipped++;
        scan->unchanged[OUTCOME_SKIPPED]++;
    } else if (known->job == 0) {
        job->total--; /* no video at all: it never counted */
    } else if (retry) {
        return false;
    } else {
        const char *path = scan_path(scan, task->directory, task->name);
        if (path)
            batch_again(scan, path, known->failure, known->error);
    }
    scan->unsaid = true;
    free(task);
    return true;
}

void scan_file_flies(struct file_task *task)
{
    struct library *library = task->scan->library;
    task->flying = library->flying;
    library->flying = task;
}

/* What the running scan knows of files may be known better when one of another scan has come back. */
static void forget_known(const struct scan *other)
{
    struct job_entry *entry = other->library->running;
    if (!entry || entry->kind != &scan_kind || entry == other->entry)
        return;
    struct scan *running = entry->work;
    known_free(running->again);
    running->again = NULL;
}

void scan_file_landed(struct file_task *task)
{
    struct file_task **at = &task->scan->library->flying;
    while (*at && *at != task)
        at = &(*at)->flying;
    if (*at)
        *at = task->flying;
    task->flying = NULL;
    forget_known(task->scan);
}

bool scan_file_elsewhere(const struct scan *scan, const struct file_task *task)
{
    const struct file_task *other = scan->library->flying;
    while (other && (other->scan == scan || !stamp_unmoved(&other->stamp, &task->stamp)))
        other = other->flying;
    return other != NULL;
}
