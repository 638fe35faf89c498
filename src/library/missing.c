#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "missing.h"
#include "root_refused.h"
#include "root_table.h"
#include "scan.h"
#include "watch.h"

enum {
    FOLDERS = 256,    /* known folders of one query */
    PLACES = 64,      /* of a watched root in one go */
    GROUP = 200,      /* videos or failures that are written in one transaction */
    CLOCK_EVERY = 16, /* videos between two looks at the clock */
    SLICE_NS = 5000000,
};

bool missing_over(const struct scan *scan)
{
    return scan->missing.stage == MISSING_OVER;
}

static void cannot_read(struct scan *scan, enum rl_err err)
{
    struct library *library = scan->library;
    snprintf(library->why, sizeof library->why, "the catalogue cannot be read: %s",
             catalog_error(library->catalog));
    scan->err = err;
}

/* ---- the folders that the walk was not in -------------------------------------------------- */

static enum rl_err take_folder(struct scan *scan, const struct known_folder *folder)
{
    struct vanished *vanished = &scan->missing.vanished;
    if (vanished_was_walked(vanished, folder->id) || vanished_is_closed(vanished, folder->path))
        return RL_OK;
    struct known_directory *known;
    struct library *library = scan->library;
    enum rl_err err =
        catalog_known(library->catalog, folder->path, library->pool_now.version, &known);
    if (err)
        return err;
    const struct known_file *file;
    bool failures = false, kept = true;
    size_t at = 0;
    while (kept && (file = known_unmarked(known, &at))) {
        failures |= file->failure != FAILURE_NONE;
        kept = !file->number || vanished_add(vanished, file->number);
    }
    known_free(known);
    if (failures)
        kept = kept && vanished_folder_failures(vanished, folder->id);
    if (scan->entry->watched) /* other places may lead to it too */
        kept = kept && vanished_walked(vanished, folder->id);
    return kept ? RL_OK : RL_ENOMEM;
}

/* The same for the place at `path`, if it is a folder. */
static enum rl_err take_place(struct scan *scan, const char *path)
{
    struct known_directory *known;
    enum rl_err err = catalog_known(scan->library->catalog, path, "", &known);
    if (err)
        return err;
    struct known_folder folder = {.id = known_id(known), .path = (char *)(uintptr_t)path};
    known_free(known);
    return folder.id ? take_folder(scan, &folder) : RL_OK;
}

static void step_folders(struct scan *scan)
{
    struct missing *missing = &scan->missing;
    struct folder_list list;
    enum rl_err err = RL_OK;
    const struct scan_round *round = &scan->round;
    const char *above = scan->folder;
    if (scan->entry->watched) {
        above = round->looked < round->places.count ? round->places.paths[round->looked] : NULL;
    }
    if (!above || scan->single || !scan->job->recursive) {
        missing->stage = MISSING_LOOK;
        return;
    }
    if (!vanished_seal(&missing->vanished))
        err = RL_ENOMEM;
    /* A place may itself be a folder that is gone. */
    if (!err && scan->entry->watched && !missing->after)
        err = take_place(scan, above);
    if (!err)
        err = catalog_folders_below(scan->library->catalog, above, missing->after, FOLDERS, &list);
    if (err) {
        cannot_read(scan, err);
        return;
    }
    for (size_t i = 0; !err && i < list.count; i++)
        err = take_folder(scan, &list.folders[i]);
    if (err)
        cannot_read(scan, err);
    bool last = list.count < FOLDERS;
    if (!err && last && scan->entry->watched)
        scan->round.looked++;
    else if (!err && last)
        missing->stage = MISSING_LOOK;
    free(missing->after);
    missing->after = NULL;
    if (list.count && !(last && scan->entry->watched)) {
        missing->after = list.folders[list.count - 1].path;
        list.folders[list.count - 1].path = NULL;
    }
    folder_list_clear(&list);
}

/* ---- what is still gone -------------------------------------------------------------------- */

static enum look look_at(struct scan *scan, int64_t number, struct sight *sight)
{
    struct missing *missing = &scan->missing;
    *sight = (struct sight){.look = LOOK_THERE};
    if (plan_has_moved(scan, number))
        return LOOK_THERE;
    enum rl_err err = look_again(&missing->looker, number, sight);
    if (err) {
        cannot_read(scan, err);
        return LOOK_THERE;
    }
    /* It may have moved on since it was found here: the next round knows where to. */
    if (sight->look == LOOK_GONE && scan->entry->watched &&
        watch_comes_by(scan->entry->watched, sight->place.path))
        return LOOK_THERE;
    /* A folder that cannot be read in the file's own place hides no file. */
    if (sight->look != LOOK_THERE && vanished_is_inside(&missing->vanished, sight->place.path))
        return LOOK_THERE;
    return sight->look;
}

static void decide(struct scan *scan);

static void step_look(struct scan *scan)
{
    struct missing *missing = &scan->missing;
    struct vanished *vanished = &missing->vanished;
    int64_t end_ns = clock_mono_ns() + SLICE_NS;
    if (!vanished_seal(vanished)) {
        scan->err = RL_ENOMEM;
        return;
    }
    while (!scan->err && missing->at < vanished->count) {
        int64_t number = vanished->numbers[missing->at];
        struct sight sight;
        enum look look = look_at(scan, number, &sight);
        sight_clear(&sight);
        if (scan->err)
            return;
        missing->at++;
        if (look != LOOK_THERE) {
            vanished->numbers[missing->gone++] = number;
            missing->ignored += look == LOOK_IGNORED;
            missing->elsewhere |= look == LOOK_GONE && sight.elsewhere;
        }
        if (missing->at % CLOCK_EVERY == 0 && clock_mono_ns() >= end_ns)
            return;
    }
    if (!scan->err)
        decide(scan);
}

/* ---- the guard ----------------------------------------------------------------------------- */

/* Whether it goes through all that is below its folder. */
static bool sees_below(const struct scan *scan)
{
    return scan->job->recursive && !scan->single && !scan->entry->watched;
}

/* What the scan says of the root that it was in. */
static struct root_scan seen_of(const struct scan *scan, const struct root_look *look)
{
    return (struct root_scan){.folder = scan->folder,
                              .recursive = sees_below(scan),
                              .look = *look,
                              .correlation_id = scan->job->correlation_id};
}

/* Leaves everything as it is. */
static void refuse(struct scan *scan, const char *root, enum guard_reason reason)
{
    struct missing *missing = &scan->missing;
    struct vanished *vanished = &missing->vanished;
    struct job_refusal *refusal = &scan->job->refusal;
    missing->stage = MISSING_OVER;
    if (scan->job->dry_run) {
        guard_sentence(reason, root, (int64_t)missing->gone, missing->words, sizeof missing->words);
        const struct root_entry *entry = roots_at(scan->library, root);
        *refusal = (struct job_refusal){.root = entry ? entry->state.root.number : -1,
                                        .count = (int64_t)missing->gone};
        snprintf(refusal->reason, sizeof refusal->reason, "%s", guard_word(reason));
        return;
    }
    struct root_refused refused = {.folder = scan->folder,
                                   .recursive = sees_below(scan),
                                   .single = scan->single != NULL,
                                   .reason = reason,
                                   .numbers = vanished->numbers,
                                   .count = missing->gone,
                                   .correlation_id = scan->job->correlation_id};
    vanished->numbers = NULL;
    vanished->count = vanished->cap = 0;
    scan->err = roots_refuse(scan->library, root, &refused, refusal);
    guard_sentence(reason, root, refusal->count, missing->words, sizeof missing->words);
}

/* All that is still gone is known: the first missing->gone numbers. */
static void decide(struct scan *scan)
{
    struct missing *missing = &scan->missing;
    struct library *library = scan->library;
    const char *root = roots_path_of(library, scan->folder);
    const struct root_entry *entry = roots_at(library, root);
    struct guard_case found = {.device = entry ? entry->state.root.device : 0,
                               .vanished = (int64_t)missing->gone,
                               .ignored = missing->ignored,
                               .elsewhere = missing->elsewhere,
                               .single = scan->single != NULL};
    scan->err = root_look(root, &found.look);
    if (scan->err) {
        snprintf(library->why, sizeof library->why, "out of descriptors or memory");
        return;
    }
    if (guard_wants_present(&found)) {
        enum rl_err err = catalog_count_below(library->catalog, root, &found.present);
        if (err) {
            cannot_read(scan, err);
            return;
        }
    }
    enum guard_reason reason = guard_decide(&found);
    struct root_scan seen = seen_of(scan, &found.look);
    /* Of a root that is offline nothing is hidden by and by, part after part of it. */
    if (reason == GUARD_NONE && missing->gone && entry && entry->state.root.offline_since_ms &&
        !root_over(entry, &seen))
        reason = guard_of(entry->state.root.reason);
    if (reason != GUARD_NONE) {
        refuse(scan, root, reason);
        return;
    }
    missing->vanished.count = missing->gone;
    missing->at = 0;
    missing->stage = MISSING_HIDE;
}

/* ---- what is to be written ----------------------------------------------------------------- */

/* Looks once more, since others may have waited for their turn before this group. */
static void hide(struct scan *scan, int64_t number)
{
    struct sight sight;
    enum look look = look_at(scan, number, &sight);
    if (look != LOOK_THERE && scan->job->dry_run) {
        plan_add(scan, OUTCOME_NONE, sight.place.path, NULL);
    } else if (look != LOOK_THERE) {
        batch_missing(scan, number);
        batch_forget(scan, sight.place.path);
    }
    sight_clear(&sight);
}

static void step_hide(struct scan *scan)
{
    struct missing *missing = &scan->missing;
    const struct vanished *vanished = &missing->vanished;
    for (int n = 0; !scan->err && n < GROUP && missing->at < vanished->count; n++)
        hide(scan, vanished->numbers[missing->at++]);
    if (missing->at < vanished->count)
        return;
    missing->at = 0;
    missing->stage = scan->job->dry_run ? MISSING_OVER : MISSING_FORGET;
}

/* The whole scan went well: what was seen of the root holds from now on. */
static void tell_root(struct scan *scan)
{
    struct root_look look;
    enum rl_err err = root_look(roots_path_of(scan->library, scan->folder), &look);
    struct root_scan seen = seen_of(scan, &look);
    if (!err && !look.gone)
        scan->err = roots_scanned(scan->library, &seen);
    if (!scan->err && !scan->job->dry_run)
        scan->err = roots_look_again(scan->library, scan->job->correlation_id);
    scan->missing.stage = MISSING_OVER;
}

static void step_forget(struct scan *scan)
{
    struct missing *missing = &scan->missing;
    struct vanished *vanished = &missing->vanished;
    for (int n = 0; !scan->err && n < GROUP; n++) {
        if (vanished->n_folders) {
            batch_forget_folder(scan, vanished->folders[--vanished->n_folders]);
        } else if (missing->at < vanished->failures.count) {
            batch_forget(scan, vanished->failures.sorted[missing->at++]);
        } else {
            tell_root(scan);
            return;
        }
    }
}

void missing_step(struct scan *scan)
{
    struct missing *missing = &scan->missing;
    missing->looker.library = scan->library;
    missing->looker.folder = scan->folder;
    missing->looker.single = scan->single != NULL;
    switch (missing->stage) {
    case MISSING_FOLDERS:
        for (int n = 0; n < PLACES && !scan->err && missing->stage == MISSING_FOLDERS; n++)
            step_folders(scan);
        break;
    case MISSING_LOOK:
        step_look(scan);
        break;
    case MISSING_HIDE:
        step_hide(scan);
        break;
    case MISSING_FORGET:
        step_forget(scan);
        break;
    case MISSING_OVER:
        break;
    }
}

void missing_again(struct scan *scan)
{
    struct missing *missing = &scan->missing;
    struct vanished *vanished = &missing->vanished;
    if (missing->stage != MISSING_LOOK && missing->stage != MISSING_HIDE)
        return;
    size_t kept = missing->stage == MISSING_LOOK ? missing->gone : 0;
    size_t left = vanished->count - missing->at;
    if (left)
        memmove(vanished->numbers + kept, vanished->numbers + missing->at,
                left * sizeof *vanished->numbers);
    vanished->count = kept + left;
    missing->at = missing->gone = 0;
    missing->ignored = 0;
    missing->elsewhere = false;
    missing->stage = MISSING_LOOK;
    buf_clear(&missing->looker.ignored);
}

void missing_root_gone(struct scan *scan)
{
    struct library *library = scan->library;
    const char *root = roots_path_of(library, scan->job->path);
    struct root_look look;
    int64_t videos = 0;
    if (scan->job->dry_run || root_look(root, &look) || !look.gone)
        return;
    /* Whoever asks for a folder that never was there does not make it a root. */
    if (roots_at(library, root) ||
        (catalog_count_below(library->catalog, root, &videos) == RL_OK && videos > 0))
        roots_gone(library, root, scan->job->correlation_id);
}

void missing_free(struct missing *missing)
{
    vanished_free(&missing->vanished);
    onlooker_free(&missing->looker);
    buf_free(&missing->folder);
    free(missing->after);
}
