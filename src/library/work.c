#include "work.h"
#include "jobs.h"
#include "scan.h"
#include "store.h"
#include "thumbnails.h"

const struct work_kind *work_kind_of(enum job_type type)
{
    static const struct work_kind *const kinds[JOB_TYPES] = {
        [JOB_TYPE_SCAN] = &scan_kind,
        [JOB_TYPE_THUMBNAILS] = &thumbnails_kind,
    };
    return kinds[type];
}

void work_began(struct library *library, struct job_entry *entry, void *work)
{
    entry->work = work;
    library->running = entry;
    library->begun++;
}

void work_gone(struct library *library, struct job_entry *entry)
{
    if (library->running == entry)
        library->running = NULL;
    entry->work = NULL;
    library->begun--;
}

static bool any_parked(const struct library *library)
{
    return library->begun > (library->running != NULL);
}

void work_tend_parked(struct library *library)
{
    for (size_t i = 0; any_parked(library) && i < library->jobs.count;) {
        struct job_entry *entry = library->jobs.entries[i];
        /* One that ends takes its entry out of the list. */
        if (!entry->work || entry == library->running || entry->kind->tend(entry->work))
            i++;
    }
}

int64_t work_parked_due(const struct library *library)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; any_parked(library) && i < library->jobs.count; i++) {
        const struct job_entry *entry = library->jobs.entries[i];
        bool parked = entry->work && entry != library->running;
        int64_t tend = parked ? entry->kind->tend_due(entry->work) : INT64_MAX;
        due = tend < due ? tend : due;
    }
    return due;
}
