#include <stdio.h>
#include <string.h>

#include "missing.h"
#include "scan.h"

bool missing_know(struct scan *scan, const char *folder)
{
    struct library *library = scan->library;
    enum rl_err err =
        catalog_known(library->catalog, folder, library->pool_now.version, &scan->known);
    if (!err)
        return true;
    snprintf(library->why, sizeof library->why, "the catalogue cannot be read: %s",
             catalog_error(library->catalog));
    scan->err = err;
    return false;
}

static void keep(struct scan *scan, bool kept)
{
    if (!kept)
        scan->err = RL_ENOMEM;
}

void missing_enter(struct scan *scan, const struct walk_entry *entry)
{
    struct missing *missing = &scan->missing;
    if (!missing_know(scan, entry->directory))
        return;
    buf_clear(&missing->folder);
    buf_puts(&missing->folder, entry->directory);
    missing->device = entry->stat.st_dev;
    missing->total = scan->job->total;
    keep(scan,
         !missing->folder.failed && vanished_walked(&missing->vanished, known_id(scan->known)));
}

/* What is known of the folder and was not in its listing. Returns how many videos. */
static size_t take_unmarked(struct scan *scan)
{
    struct vanished *vanished = &scan->missing.vanished;
    const struct known_file *file;
    size_t count = 0, at = 0;
    bool part = scan_round_part(scan, scan->missing.folder.data);
    while (!scan->err && (file = known_unmarked(scan->known, &at))) {
        if (scan->single && strcmp(scan->single, file->name) != 0)
            continue;
        if (part && !names_has(&scan->round.names, file->name))
            continue;
        if (file->number) {
            keep(scan, vanished_add(vanished, file->number));
            count++;
        } else {
            buf_clear(&scan->path);
            path_join(&scan->path, scan->missing.folder.data, file->name);
            keep(scan, !scan->path.failed && vanished_failure(vanished, scan->path.data));
        }
    }
    return count;
}

void missing_leave(struct scan *scan)
{
    struct missing *missing = &scan->missing;
    if (missing->folder.len == 0 || scan->err)
        return;
    /* It was forgotten while the scan rested: then all are looked at again. */
    if (!scan->known && !missing_know(scan, missing->folder.data))
        return;
    size_t vanished = take_unmarked(scan);
    /* A folder that lost something may be one that nothing is mounted on any more: what it was on
     * is kept until the guard was asked. One that has nothing in it needs no row. */
    bool used = known_id(scan->known) || scan->job->total != missing->total;
    if (vanished == 0 && used && known_device(scan->known) != missing->device &&
        !scan->job->dry_run && !scan->err)
        batch_folder(scan, missing->folder.data, missing->device);
    bool fresh = used && known_id(scan->known) == 0;
    known_free(scan->known);
    scan->known = NULL;
    /* It has its id only now. */
    if (fresh && !scan->job->dry_run && !scan->err && missing_know(scan, missing->folder.data)) {
        keep(scan, vanished_walked(&missing->vanished, known_id(scan->known)));
        known_free(scan->known);
        scan->known = NULL;
    }
    buf_clear(&missing->folder);
}

void missing_problem(struct scan *scan, const char *path)
{
    /* Of what is known at that very path a second look tells whether it is gone. */
    keep(scan, vanished_close(&scan->missing.vanished, path));
}
