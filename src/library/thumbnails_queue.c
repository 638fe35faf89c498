/* When the thumbnails job is wanted. */
#include <stdlib.h>
#include <string.h>

#include "pictures.h"
#include "thumbnails_work.h"

/* So long it waits for those that are made ahead: most likely they are all. */
enum { AHEAD_MS = 250 };

void thumbnails_after(struct library *library, const struct job *scan)
{
    struct pictures *pictures = library->pictures;
    if (scan->dry_run || !library->config.thumbnails)
        return;
    pictures->wanted = true;
    pictures->wanted_at_ms = pictures_ahead_busy(library) ? clock_mono_ms() + AHEAD_MS : 0;
    pictures->trigger = scan->trigger;
    memcpy(pictures->correlation_id, scan->correlation_id, sizeof pictures->correlation_id);
}

static bool one_is_queued(const struct library *library)
{
    for (size_t i = 0; i < library->jobs.count; i++) {
        const struct job_entry *entry = library->jobs.entries[i];
        if (entry->job.type == JOB_TYPE_THUMBNAILS && !entry->unwritten)
            return true;
    }
    return false;
}

static struct job_entry *entry_new(const struct pictures *pictures)
{
    struct job_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    struct job *job = &entry->job;
    id_new(job->id);
    job->type = JOB_TYPE_THUMBNAILS;
    job->trigger = pictures->trigger;
    job->path = strdup("/"); /* wherever they are */
    job->recursive = true;
    job->submitted_at_ms = clock_wall_ms();
    memcpy(job->correlation_id, pictures->correlation_id, sizeof job->correlation_id);
    entry->kind = &thumbnails_kind;
    entry->rank = JOB_RANK_LAST;
    if (!job->path) {
        free(entry);
        return NULL;
    }
    return entry;
}

static enum rl_err any_due(struct library *library, bool *any)
{
    const char *version = library->pool_now.version;
    struct picture_subjects stale = {0};
    enum rl_err err = catalog_pictures_any(library->catalog, any);
    if (!err && !*any && version[0])
        err = catalog_pictures_stale(library->catalog, version, 0, 1, &stale);
    *any = *any || stale.count > 0;
    picture_subjects_clear(&stale);
    return err;
}

void thumbnails_queue(struct library *library)
{
    struct pictures *pictures = library->pictures;
    /* Right after the start it waits for the workers' version, but not for ever. */
    bool ready = clock_mono_ms() >= pictures->wanted_at_ms ||
                 (pictures->trigger == TRIGGER_START && library->pool_now.version[0]);
    if (!pictures->wanted || !ready)
        return;
    pictures_commit(library); /* what is made already is not due */
    bool any = false;
    enum rl_err err = RL_OK;
    if (!one_is_queued(library))
        err = any_due(library, &any);
    struct job_entry *entry = any ? entry_new(pictures) : NULL;
    if (any)
        err = entry ? jobs_add(library, entry) : RL_ENOMEM;
    pictures->wanted = err != RL_OK;
    pictures->wanted_at_ms = err ? clock_mono_ms() + THUMBNAILS_AGAIN_MS : 0;
}
