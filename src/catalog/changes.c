#include <stdlib.h>
#include <string.h>

#include "private.h"

/* The change feed is no log of its own: a video stands in it once, at its last change, which the
 * index videos_sequence orders; the tombstones say what is gone. So it reaches back to the
 * beginning and its length is that of the catalogue, however much has changed. */

enum { CHANGES_LIMIT_MAX = 1000 };

void change_list_clear(struct change_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        video_clear(&list->changes[i].video);
    free(list->changes);
    *list = (struct change_list){0};
}

/* Reads one row of the feed: a video's number into *number, or the id of a removed one. */
static void read_change(sqlite3_stmt *statement, struct change *out, int64_t *number)
{
    struct row row = {.statement = statement};
    out->sequence = row_int(&row);
    *number = row_int(&row);
    out->removed = *number == 0;
    if (out->removed)
        row_id(&row, out->id);
}

/* Fills out->changes but for the videos' own members; their numbers go into `numbers`, 0 for a
 * removed one. Both have room for `limit`. */
static enum rl_err read_feed(struct catalog *catalog, int64_t since, int limit,
                             struct change_list *out, int64_t *numbers)
{
    sqlite3_stmt *list;
    enum rl_err err = statement_get(catalog, ST_CHANGES,
                                    "SELECT sequence, number, NULL FROM videos WHERE sequence > ?1"
                                    " UNION ALL"
                                    " SELECT sequence, 0, id FROM tombstones WHERE sequence > ?1"
                                    " ORDER BY 1 LIMIT ?2",
                                    &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, since);
    bind_int(&binder, (int64_t)limit + 1);
    err = bind_done(catalog, &binder);
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        if (out->count == (size_t)limit) {
            out->more = true;
            break;
        }
        read_change(list, &out->changes[out->count], &numbers[out->count]);
        out->count++;
    }
    sqlite3_reset(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

/* Fills in the videos, in one query for all. */
static enum rl_err read_videos(struct catalog *catalog, struct change_list *list, int64_t *numbers)
{
    struct video *videos = calloc(list->count + 1, sizeof *videos);
    if (!videos)
        return RL_ENOMEM;
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!list->changes[i].removed)
            numbers[count++] = numbers[i];
    }
    enum rl_err err = video_rows_read(catalog, numbers, count, videos);
    const struct video *next = videos;
    for (size_t i = 0; i < list->count; i++) {
        struct change *change = &list->changes[i];
        if (change->removed)
            continue;
        change->video = *next++;
        memcpy(change->id, change->video.id, sizeof change->id);
    }
    free(videos);
    return err;
}

/* Everything inside one snapshot. */
static enum rl_err read_changes(struct catalog *catalog, int64_t since, int limit,
                                struct change_list *out)
{
    int64_t *numbers = calloc((size_t)limit, sizeof *numbers);
    out->changes = calloc((size_t)limit, sizeof *out->changes);
    enum rl_err err = numbers && out->changes ? RL_OK : RL_ENOMEM;
    if (err == RL_OK)
        err = catalog_meta_int(catalog, "sequence", &out->sequence);
    if (err == RL_OK)
        err = read_feed(catalog, since, limit, out, numbers);
    if (err == RL_OK)
        err = read_videos(catalog, out, numbers);
    free(numbers);
    return err;
}

enum rl_err catalog_changes(struct catalog *catalog, int64_t since, int limit,
                            struct change_list *out)
{
    catalog_enter(catalog);
    *out = (struct change_list){0};
    if (since < 0 || limit < 1 || limit > CHANGES_LIMIT_MAX)
        return catalog_fail(catalog, RL_EINVAL, "since or limit out of range");
    bool begun;
    enum rl_err err = catalog_snapshot_begin(catalog, &begun);
    if (err == RL_OK)
        err = read_changes(catalog, since, limit, out);
    catalog_snapshot_end(catalog, begun);
    if (err != RL_OK)
        change_list_clear(out);
    return err;
}
