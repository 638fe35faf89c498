#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_ROOM "library"
#include "origin.h"
#include "plan.h"
#include "room.h"
#include "scan.h"
#include "stamp.h"

/* Whole folders move at once. Somebody may be at it right now, so that what was seen is soon old;
 * what comes of a look that is a moment too old is put right by the next scan. */
enum { FOLDER_MS = 20 };

unsigned int origin_rank(const struct video_place *place, const char *path)
{
    bool same_path = strcmp(place->path, path) == 0;
    bool same_name = strcmp(path_name(place->path), path_name(path)) == 0;
    return (place->missing_since_ms ? 0U : 1U) + (same_path ? 0U : same_name ? 2U : 4U);
}

/* Whether `place` comes after `last` (NULL: the beginning) and before `best` (NULL: the end). */
static bool between(const struct video_place *place, const struct video_place *last,
                    const struct video_place *best, const char *path)
{
    unsigned int own = origin_rank(place, path);
    if (last) {
        unsigned int done = origin_rank(last, path);
        if (own < done || (own == done && place->number <= last->number))
            return false;
    }
    if (!best)
        return true;
    unsigned int other = origin_rank(best, path);
    return own < other || (own == other && place->number < best->number);
}

const struct video_place *origin_choose(const struct place_list *places, const char *path,
                                        origin_left *left, void *ctx)
{
    for (size_t i = 0; i < places->count; i++) {
        const struct video_place *place = &places->places[i];
        if (!place->missing_since_ms && strcmp(place->path, path) == 0)
            return NULL;
    }
    const struct video_place *last = NULL;
    for (size_t tried = 0; tried < places->count; tried++) {
        const struct video_place *best = NULL;
        for (size_t i = 0; i < places->count; i++) {
            if (between(&places->places[i], last, best, path))
                best = &places->places[i];
        }
        if (!best || best->missing_since_ms || left(ctx, best))
            return best;
        last = best;
    }
    return NULL;
}

/* What the look at an old path is to tell apart. */
struct looker {
    struct scan *scan;
    const struct file_stamp *stamp; /* of the file that was found elsewhere */
    enum origin_by by;
};

static size_t folder_len(const char *path)
{
    size_t len = (size_t)(path_name(path) - path);
    return len > 1 ? len - 1 : len;
}

/* The folder of an old path, if it was looked at a moment ago. */
static const struct origin_folder *folder_seen(const struct scan *scan, const char *path)
{
    const struct origin_folder *folder = &scan->old_folder;
    size_t len = folder_len(path);
    bool seen = clock_mono_ms() < folder->until_ms && folder->path.len == len &&
                memcmp(folder->path.data, path, len) == 0;
    return seen ? folder : NULL;
}

/* The folder of an old path, and the device that it is on or was a moment ago. NULL: out of memory.
 */
static const struct origin_folder *look_at_folder(struct scan *scan, const char *path)
{
    const struct origin_folder *seen = folder_seen(scan, path);
    if (seen)
        return seen;
    struct origin_folder *folder = &scan->old_folder;
    size_t len = folder_len(path);
    buf_clear(&folder->path);
    buf_append(&folder->path, path, len);
    folder->until_ms = 0;
    if (folder->path.failed) {
        folder->path.failed = false;
        return NULL;
    }
    dev_t device = 0;
    bool whole = true;
    folder->device_known = beneath_device_above(&scan->root, path, &device, &whole) == 0;
    folder->device = device;
    folder->gone = folder->device_known && !whole;
    folder->until_ms = clock_mono_ms() + FOLDER_MS;
    return folder;
}

/* Where there is nothing, the file may also be on a disk that is not mounted: then the folder that
 * is left is on another device than the video's folder was. */
static bool disk_is_there(const struct looker *looker, const struct video_place *place)
{
    const struct origin_folder *folder = look_at_folder(looker->scan, place->path);
    if (!folder || !folder->device_known)
        return false;
    /* Device numbers may be others since a reboot. The very file, found on the device that the old
     * folder is on now, has moved within it. */
    return place->folder_device == 0 || folder->device == place->folder_device ||
           (looker->by == ORIGIN_BY_STAMP && folder->device == looker->stamp->device);
}

static bool has_left(void *ctx, const struct video_place *place)
{
    const struct looker *looker = ctx;
    struct stat stat;
    const struct origin_folder *folder = folder_seen(looker->scan, place->path);
    if (folder && folder->gone)
        return disk_is_there(looker, place);
    /* The file before its folder: mostly it is there, and there is nothing more to ask. */
    int error = beneath_look(&looker->scan->root, place->path, &stat);
    if (error)
        return beneath_nothing(error) && disk_is_there(looker, place);
    if (stat.st_ino == place->stamp.inode)
        return false;
    if (!S_ISREG(stat.st_mode))
        return true;
    /* Another file. Found by its stamp, ours is known to have gone from there. Found by its content
     * alone, it may be a copy of what was written anew there under the same name, unless that has
     * another size, or was looked into and has another content. */
    return looker->by == ORIGIN_BY_STAMP || stat.st_size != place->stamp.size ||
           undecided_at(looker->scan, place->path);
}

/* A dry run changes no row: what it said to have moved is not there for a second file. */
static void leave_out_planned(struct scan *scan, struct place_list *places)
{
    size_t kept = 0;
    for (size_t i = 0; i < places->count; i++) {
        if (plan_has_moved(scan, places->places[i].number))
            video_place_clear(&places->places[i]);
        else
            places->places[kept++] = places->places[i];
    }
    places->count = kept;
}

static enum rl_err choose(struct scan *scan, struct place_list *places, const char *path,
                          struct looker *looker, struct video_place *out)
{
    if (scan->job->dry_run)
        leave_out_planned(scan, places);
    const struct video_place *chosen = origin_choose(places, path, has_left, looker);
    if (!chosen)
        return RL_ENOTFOUND;
    struct video_place *place = &places->places[chosen - places->places];
    *out = *place;
    place->path = NULL;
    return RL_OK;
}

static enum rl_err fail(struct scan *scan, enum rl_err err)
{
    struct library *library = scan->library;
    snprintf(library->why, sizeof library->why, "the catalogue cannot be read: %s",
             catalog_error(library->catalog));
    scan->err = err;
    return err;
}

enum rl_err origin_by_stamp(struct scan *scan, const char *path, const struct file_stamp *stamp,
                            struct video_place *out)
{
    struct place_list places;
    enum rl_err err = catalog_places_by_stamp(scan->library->catalog, stamp, &places);
    if (err)
        return fail(scan, err);
    struct looker looker = {.scan = scan, .stamp = stamp, .by = ORIGIN_BY_STAMP};
    err = choose(scan, &places, path, &looker, out);
    place_list_clear(&places);
    return err;
}

enum rl_err origin_by_content(struct scan *scan, const char *path, const struct file_stamp *stamp,
                              uint64_t fingerprint, struct video_place *out)
{
    struct place_list places;
    enum rl_err err =
        catalog_places_by_content(scan->library->catalog, stamp->size, fingerprint, &places);
    if (err)
        return fail(scan, err);
    struct looker looker = {.scan = scan, .stamp = stamp, .by = ORIGIN_BY_CONTENT};
    err = choose(scan, &places, path, &looker, out);
    place_list_clear(&places);
    return err;
}

/* Whether the video's file is in its place for certain, as it was. */
static bool surely_there(struct scan *scan, const struct video_place *place)
{
    struct stat stat;
    if (place->missing_since_ms || beneath_look(&scan->root, place->path, &stat))
        return false;
    struct file_stamp now = stamp_of(&stat);
    return stamp_equal(&place->stamp, &now);
}

bool origin_depends(struct scan *scan, const char *path, const struct file_stamp *stamp,
                    uint64_t fingerprint)
{
    struct catalog *catalog = scan->library->catalog;
    struct place_list places;
    struct path_about about;
    enum rl_err err = catalog_places_by_content(catalog, stamp->size, fingerprint, &places);
    bool here = false, gone = false;
    for (size_t i = 0; !err && !here && i < places.count; i++)
        here = !places.places[i].missing_since_ms && strcmp(places.places[i].path, path) == 0;
    for (size_t i = 0; !err && !here && !gone && i < places.count; i++)
        gone = !surely_there(scan, &places.places[i]);
    place_list_clear(&places);
    if (!err && !here && !gone)
        err = catalog_path_about(catalog, path, &about);
    if (err)
        return fail(scan, err) == RL_OK;
    if (here || gone)
        return gone;
    return about.video_id[0] && (about.missing_since_ms || about.stamp.inode != stamp->inode);
}

/* The number of the video with this id, whose file had this stamp; 0: it is not found so. */
static int64_t number_of(struct catalog *catalog, const struct path_about *about)
{
    struct place_list places;
    int64_t number = 0;
    if (catalog_places_by_stamp(catalog, &about->stamp, &places))
        return 0;
    for (size_t i = 0; i < places.count; i++) {
        if (strcmp(places.places[i].id, about->video_id) == 0)
            number = places.places[i].number;
    }
    place_list_clear(&places);
    return number;
}

/* The same for one that is there, among all of its folder. */
static int64_t number_in_folder(struct scan *scan, const char *path)
{
    const char *name = path_name(path);
    size_t len = (size_t)(name - path);
    char *folder = strndup(path, len > 1 ? len - 1 : len);
    struct known_directory *known;
    if (!folder || catalog_known(scan->library->catalog, folder, "", &known)) {
        free(folder);
        return 0;
    }
    const struct known_file *file = known_find(known, name);
    int64_t number = file ? file->number : 0;
    known_free(known);
    free(folder);
    return number;
}

int64_t origin_number_at(struct scan *scan, const char *path, bool missing_too)
{
    struct path_about about;
    if (catalog_path_about(scan->library->catalog, path, &about) || !about.video_id[0] ||
        (about.missing_since_ms && !missing_too))
        return 0;
    int64_t number = number_of(scan->library->catalog, &about);
    /* More files may have the same stamp than are told: hard links. */
    return number || about.missing_since_ms ? number : number_in_folder(scan, path);
}
