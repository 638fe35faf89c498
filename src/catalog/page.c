#include <stdlib.h>
#include <string.h>

#include "find.h"

/* A page is read in three steps: its numbers, in memory; their rows; their subtitle streams. */

enum rl_err page_rows(struct catalog *catalog, const struct numbers *numbers,
                      struct video_page *out)
{
    if (numbers->count == 0)
        return RL_OK;
    out->videos = calloc(numbers->count, sizeof *out->videos);
    if (!out->videos)
        return RL_ENOMEM;
    out->count = numbers->count;
    return video_rows_read(catalog, numbers->at, numbers->count, out->videos);
}

/* The folder of a page's video: from memory, once that is ready. */
static enum rl_err folder_of(struct catalog *catalog, int64_t number, const char *path,
                             int64_t *out)
{
    const struct find *find = catalog->find;
    if (find->state == FIND_READY) {
        *out = COLUMN(&find->columns, (size_t)number, folder);
        return RL_OK;
    }
    struct path_parts parts;
    enum rl_err err = directory_split(path, &parts);
    return err == RL_OK ? directory_find(catalog, parts.directory, parts.directory_len, out) : err;
}

/* Where the page ends: at its last video. */
static enum rl_err read_position(struct catalog *catalog, const struct video_query *query,
                                 int64_t number, const struct video *last, struct position *out)
{
    *out = (struct position){.key = number, .tie = number};
    if (query->sort == SORT_NAME) {
        struct buf key = {0};
        enum rl_err err = folder_of(catalog, number, last->path, &out->tie);
        buf_puts(&key, "");
        natural_key(&key, path_name(last->path));
        if (err == RL_OK && key.failed)
            err = RL_ENOMEM;
        out->name_len = key.len < sizeof out->name ? key.len : sizeof out->name;
        if (err == RL_OK)
            memcpy(out->name, key.data, out->name_len);
        buf_free(&key);
        return err;
    }
    if (sort_has_order(query->sort))
        out->key = order_key(&catalog->find->columns, query->sort, (size_t)number);
    return RL_OK;
}

/* The set of what is wanted, and the page's numbers. */
static enum rl_err read_numbers(struct catalog *catalog, const struct video_query *query,
                                const struct position *cursor, struct numbers *numbers,
                                int64_t *total)
{
    struct find *find = catalog->find;
    bool all = filter_is_empty(&query->filter);
    bool plain = all && !sort_has_order(query->sort);
    if (plain && catalog->mode == CATALOG_READER && find->state != FIND_READY)
        return page_early(catalog, query, cursor, numbers, total);
    enum rl_err err = find_ready(catalog);
    if (err == RL_OK && !all)
        err = filter_matches(catalog, &query->filter);
    if (err != RL_OK)
        return err;
    const struct bits *present = &find->columns.present;
    const struct matches everything = {*present, 0, present->cap / 64, find->columns.n_present};
    const struct matches *wanted = all ? &everything : &find->matches;
    *total = wanted->count;
    return walk_page(catalog, query, cursor, wanted, numbers);
}

/* Everything inside one snapshot. */
static enum rl_err read_page(struct catalog *catalog, const struct video_query *query,
                             const struct position *cursor, struct video_page *out)
{
    struct numbers numbers = {.at = calloc((size_t)query->limit, sizeof *numbers.at)};
    enum rl_err err = numbers.at ? RL_OK : RL_ENOMEM;
    if (err == RL_OK)
        err = catalog_meta_int(catalog, "sequence", &out->sequence);
    if (err == RL_OK)
        err = read_numbers(catalog, query, cursor, &numbers, &out->total);
    if (err == RL_OK)
        err = page_rows(catalog, &numbers, out);
    if (err == RL_OK && numbers.more) {
        struct position last;
        err = read_position(catalog, query, numbers.at[numbers.count - 1],
                            &out->videos[numbers.count - 1], &last);
        if (err == RL_OK)
            cursor_write(query, &last, out->next_cursor);
    }
    free(numbers.at);
    return err;
}

enum rl_err catalog_videos(struct catalog *catalog, const struct video_query *query,
                           struct video_page *out)
{
    catalog_enter(catalog);
    *out = (struct video_page){0};
    if ((int)query->sort < 0 || query->sort >= VIDEO_SORTS || query->limit < 1 ||
        query->limit > PAGE_LIMIT_MAX || query->offset < 0)
        return catalog_fail(catalog, RL_EINVAL, "sort, limit or offset out of range");
    struct position cursor;
    if (query->cursor && (query->offset != 0 || cursor_read(query, &cursor) != RL_OK))
        return catalog_fail(catalog, RL_EINVAL, "the cursor is not one of this query");
    bool begun;
    enum rl_err err = catalog_snapshot_begin(catalog, &begun);
    if (err == RL_OK)
        err = read_page(catalog, query, query->cursor ? &cursor : NULL, out);
    catalog_snapshot_end(catalog, begun);
    if (err != RL_OK)
        video_page_clear(out);
    return err;
}
