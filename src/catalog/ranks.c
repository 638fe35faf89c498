#include <stdlib.h>
#include <string.h>

#include "find.h"

/* Folders have ranks with gaps between them, so that one that comes gets a rank without a touch to
 * the others, and two are compared without their paths. Where a gap is used up, its neighbourhood
 * is spread anew: all of a large catalogue would take as long as some hundred requests. */

enum {
    ONE_BY_ONE = 64, /* new folders, and */
    SHARE = 32,      /* this part of all: if more are new, all are ranked anew */
    NEAR = 64,       /* folders on each side that are spread, or four and sixteen times as many */
    NEAR_MOST = 1024,
    GAP_LEAST = 1 << 16, /* between two that are spread */
    SLICE = 64,          /* folders between two looks at the clock */
};

static const uint64_t spacing = UINT64_C(1) << 40; /* room for 16 million folders */

static bool reserve(struct ranks *ranks, int64_t id)
{
    size_t cap = ranks->cap ? ranks->cap : 1024;
    if (id < 1 || id > UINT32_MAX - 1)
        return false;
    if ((size_t)id < ranks->cap)
        return true;
    while (cap <= (size_t)id)
        cap += cap / 2;
    uint64_t *at = reallocarray(ranks->at, cap, sizeof *at);
    if (!at)
        return false;
    memset(at + ranks->cap, 0, (cap - ranks->cap) * sizeof *at);
    ranks->at = at;
    uint32_t *tails = reallocarray(ranks->tails, cap, sizeof *tails);
    if (!tails)
        return false;
    memset(tails + ranks->cap, 0, (cap - ranks->cap) * sizeof *tails);
    ranks->tails = tails;
    ranks->cap = cap;
    return true;
}

/* Folders are never taken out: those that are new have the highest ids. */
static enum rl_err find_newest(struct catalog *catalog, int64_t *out)
{
    sqlite3_stmt *get;
    enum rl_err err =
        statement_get(catalog, ST_RANK_NEWEST, "SELECT max(id) FROM directories", &get);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK) {
        *out = sqlite3_column_int64(get, 0);
        sqlite3_reset(get);
    }
    return err;
}

static enum rl_err rank_all(struct catalog *catalog)
{
    struct ranks *ranks = &catalog->find->ranks;
    sqlite3_stmt *list;
    enum rl_err err =
        statement_get(catalog, ST_RANK_ALL, "SELECT id FROM directories ORDER BY path", &list);
    uint64_t rank = 0;
    while (err == RL_OK && (err = statement_step(catalog, list)) == RL_OK) {
        int64_t id = sqlite3_column_int64(list, 0);
        if (!reserve(ranks, id))
            err = RL_ENOMEM;
        else
            ranks->at[id] = rank += spacing;
    }
    if (err == RL_ENOTFOUND)
        return RL_OK;
    if (list)
        sqlite3_reset(list);
    return err;
}

/* Folders that have a rank, the nearest one first. */
struct near {
    uint32_t ids[NEAR_MOST];
    size_t count;
};

/* At most `most` of those before a path, or after it. */
static enum rl_err look_near(struct catalog *catalog, bool after, const void *path, size_t len,
                             size_t most, struct near *out)
{
    sqlite3_stmt *list;
    enum rl_err err =
        after
            ? statement_get(catalog, ST_RANK_AFTER,
                            "SELECT id FROM directories WHERE path > ?1 ORDER BY path", &list)
            : statement_get(catalog, ST_RANK_BEFORE,
                            "SELECT id FROM directories WHERE path < ?1 ORDER BY path DESC", &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_bytes(&binder, path, len);
    err = bind_done(catalog, &binder);
    out->count = 0;
    while (err == RL_OK && out->count < most && (err = statement_step(catalog, list)) == RL_OK) {
        uint32_t id = (uint32_t)sqlite3_column_int64(list, 0);
        if (rank_of(&catalog->find->ranks, id))
            out->ids[out->count++] = id;
    }
    sqlite3_reset(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

/* Spreads the folders next to a new one, and itself, evenly between those that stand next to these.
 * *room: false where they are too many for that. */
static enum rl_err spread(struct catalog *catalog, int64_t id, const void *path, size_t len,
                          bool *room)
{
    struct ranks *ranks = &catalog->find->ranks;
    struct near before, after;
    *room = false;
    for (size_t most = NEAR; !*room && most <= NEAR_MOST; most *= 4) {
        enum rl_err err = look_near(catalog, false, path, len, most, &before);
        if (err == RL_OK)
            err = look_near(catalog, true, path, len, most, &after);
        if (err != RL_OK)
            return err;
        /* The farthest stay where they are; nothing stands before the first. */
        size_t n_before = before.count < most ? before.count : before.count - 1;
        size_t n_after = after.count - 1;
        uint64_t low = before.count < most ? 0 : rank_of(ranks, before.ids[n_before]);
        uint64_t gap = (rank_of(ranks, after.ids[n_after]) - low) / (n_before + n_after + 2);
        *room = gap >= GAP_LEAST;
        for (size_t i = 0; *room && i < n_before; i++)
            ranks->at[before.ids[i]] = low + gap * (n_before - i);
        for (size_t i = 0; *room && i < n_after; i++)
            ranks->at[after.ids[i]] = low + gap * (n_before + 2 + i);
        if (*room)
            ranks->at[id] = low + gap * (n_before + 1);
    }
    return RL_OK;
}

/* *room: false when there is none left between its neighbours, and all are to be ranked anew. */
static enum rl_err rank_one(struct catalog *catalog, int64_t id, const void *path, size_t len,
                            bool *room)
{
    struct ranks *ranks = &catalog->find->ranks;
    struct near before, after;
    enum rl_err err = look_near(catalog, false, path, len, 1, &before);
    if (err == RL_OK)
        err = look_near(catalog, true, path, len, 1, &after);
    if (err != RL_OK)
        return err;
    uint64_t low = before.count ? rank_of(ranks, before.ids[0]) : 0;
    /* A scan meets folders in their order: what comes next will stand behind this one. */
    uint64_t between = after.count ? rank_of(ranks, after.ids[0]) - low : 16 * spacing;
    *room = between > 1;
    if (!*room)
        return spread(catalog, id, path, len, room);
    ranks->at[id] = low + (between / 16 ? between / 16 : 1);
    return RL_OK;
}

static enum rl_err take_folder(struct catalog *catalog, sqlite3_stmt *row)
{
    struct find *find = catalog->find;
    struct ranks *ranks = &find->ranks;
    int64_t id = sqlite3_column_int64(row, 0);
    const char *path = sqlite3_column_blob(row, 1);
    size_t len = (size_t)sqlite3_column_bytes(row, 1);
    char tail[TAIL_SIZE];
    bool room = true;
    if (!reserve(ranks, id) || !search_tail(catalog, path, len, tail))
        return RL_ENOMEM;
    ranks->tails[id] = lexicon_add(&find->lexicon, tail);
    if (ranks->tails[id] == UINT32_MAX)
        return RL_ENOMEM;
    if (catalog->mode == CATALOG_READER)
        paths_add(&find->paths, (uint32_t)id, path, len);
    enum rl_err err = ranks->behind ? RL_OK : rank_one(catalog, id, path, len, &room);
    if (err == RL_OK)
        err = search_note_folder(catalog, (size_t)id, path, len);
    if (err == RL_OK) {
        ranks->behind = ranks->behind || !room;
        ranks->seen = id;
    }
    return err;
}

static enum rl_err take_folders(struct catalog *catalog, int64_t until_ns)
{
    sqlite3_stmt *list;
    enum rl_err err = statement_get(
        catalog, ST_RANK_NEW, "SELECT id, path FROM directories WHERE id > ?1 ORDER BY id", &list);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = list};
    bind_int(&binder, catalog->find->ranks.seen);
    err = bind_done(catalog, &binder);
    for (int i = 1; err == RL_OK && (err = statement_step(catalog, list)) == RL_OK; i++) {
        err = take_folder(catalog, list);
        if (err == RL_OK && i % SLICE == 0 && clock_mono_ns() > until_ns)
            err = RL_EBUSY;
    }
    sqlite3_reset(list);
    return err == RL_ENOTFOUND ? RL_OK : err;
}

enum rl_err ranks_follow(struct catalog *catalog, int64_t until_ns)
{
    struct ranks *ranks = &catalog->find->ranks;
    int64_t newest;
    enum rl_err err = find_newest(catalog, &newest);
    if (err != RL_OK || (newest <= ranks->seen && !ranks->behind))
        return err;
    if (newest > UINT32_MAX - 1)
        return catalog_fail(catalog, RL_EINVAL, "more folders than can be listed");
    ranks->behind = ranks->behind || newest - ranks->seen > ONE_BY_ONE + ranks->seen / SHARE;
    err = take_folders(catalog, until_ns);
    if (err == RL_OK && ranks->behind)
        err = rank_all(catalog);
    if (err == RL_OK)
        ranks->behind = false;
    return err;
}

void ranks_free(struct ranks *ranks)
{
    free(ranks->at);
    free(ranks->tails);
    *ranks = (struct ranks){0};
}
