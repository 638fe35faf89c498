#include <stdlib.h>
#include <string.h>

#include "find.h"

/* What a search found is kept, and each new or changed row is held against it (search_note_…), so
 * that the index is asked but once for a word: one that stands in every name costs it some hundred
 * nanoseconds a video. Where that is more than a call may take (catalog_set_slice, or its budget),
 * the next one goes on with it. */

/* ---- SQL ----------------------------------------------------------------------------------- */

/* found(text): whether the text of the search at hand is in it. */
static void sql_found(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    struct search *search = sqlite3_user_data(context);
    const void *text = sqlite3_value_blob(values[0]);
    int len = sqlite3_value_bytes(values[0]);
    buf_clear(&search->scratch);
    if (!text || len <= 0) {
        sqlite3_result_int(context, 0);
        return;
    }
    if (!fold_append(&search->fold, text, (size_t)len, &search->scratch)) {
        sqlite3_result_error_nomem(context);
        return;
    }
    sqlite3_result_int(context, memmem(search->scratch.data, search->scratch.len,
                                       search->needle.data, search->needle.len) != NULL);
}

/* How many parts of one size the index lets come together before it makes one of them. Groups are
 * small, so that a merge of every 4 (FTS5's own choice) is a tenth of what a new row costs; a query
 * looks into as many parts in all. Where it cannot be written the index goes on as it was. */
static void set_merging(sqlite3 *db)
{
    static const char set[] =
        "INSERT INTO videos_text (videos_text, rank) SELECT 'automerge', 8 WHERE NOT EXISTS"
        " (SELECT 1 FROM videos_text_config WHERE k = 'automerge' AND v = 8)";
    sqlite3_exec(db, set, NULL, NULL, NULL);
}

enum rl_err search_open(struct catalog *catalog)
{
    struct search *search = &catalog->search;
    enum rl_err err = fold_open(catalog->db, &search->fold);
    if (err != RL_OK)
        return catalog_fail(catalog, err, "SQLite has no FTS5 with trigrams");
    int rc = sqlite3_create_function_v2(catalog->db, "found", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                        search, sql_found, NULL, NULL, NULL);
    /* The indexes' own lists of their trigrams; they store nothing. */
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(catalog->db,
                          "PRAGMA query_only = OFF;"
                          "CREATE VIRTUAL TABLE temp.trigrams USING"
                          " fts5vocab(main, videos_text, instance);"
                          "CREATE VIRTUAL TABLE temp.folder_trigrams USING"
                          " fts5vocab(main, directories_text, instance);",
                          NULL, NULL, NULL);
    if (rc == SQLITE_OK && catalog->mode == CATALOG_WRITER)
        set_merging(catalog->db);
    if (rc == SQLITE_OK && catalog->mode == CATALOG_READER)
        rc = sqlite3_exec(catalog->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
    return statement_error(catalog->db, rc);
}

void search_close(struct catalog *catalog)
{
    struct search *search = &catalog->search;
    fold_close(&search->fold);
    buf_free(&search->needle);
    buf_free(&search->scratch);
}

/* ---- running ------------------------------------------------------------------------------- */

/* One that has the needle, or else the one that was used longest ago, emptied. */
static struct finding *pick(struct searches *searches, const struct buf *needle)
{
    struct finding *oldest = &searches->at[0];
    for (size_t i = 0; i < FINDINGS; i++) {
        struct finding *finding = &searches->at[i];
        if (finding->needle.len == needle->len &&
            memcmp(finding->needle.data, needle->data, needle->len) == 0)
            return finding;
        if (finding->used < oldest->used)
            oldest = finding;
    }
    buf_clear(&oldest->needle);
    bits_clear(&oldest->videos);
    bits_clear(&oldest->folders);
    return oldest;
}

enum rl_err search_run(struct catalog *catalog, const char *text, const struct finding **out)
{
    struct search *search = &catalog->search;
    struct searches *searches = &catalog->find->searches;
    *out = NULL;
    buf_clear(&search->needle);
    if (!fold_append(&search->fold, text, strlen(text), &search->needle))
        return RL_ENOMEM;
    if (!search->needle.len)
        return RL_OK;
    struct finding *finding = pick(searches, &search->needle);
    finding->used = ++searches->uses;
    enum rl_err err = RL_OK;
    if (!finding->needle.len) {
        buf_append(&finding->needle, search->needle.data, search->needle.len);
        finding->at = (struct finding_at){0};
        err = finding->needle.failed ? RL_ENOMEM : RL_OK;
    }
    if (err == RL_OK && finding->at.stage != FINDING_DONE) {
        err = search_index(catalog, finding);
        finding->in_folders = bits_count(&finding->folders) > 0;
    }
    if (err != RL_OK && err != RL_EBUSY && err != RL_EAGAIN)
        buf_clear(&finding->needle);
    *out = err == RL_OK ? finding : NULL;
    return err;
}

/* ---- following ----------------------------------------------------------------------------- */

static bool fold_into(struct catalog *catalog, const char *text, size_t len, struct buf *out)
{
    buf_clear(out);
    return !len || fold_append(&catalog->search.fold, text, len, out);
}

static bool has(const struct buf *text, const struct buf *needle)
{
    return text->len && memmem(text->data, text->len, needle->data, needle->len);
}

enum rl_err search_note_video(struct catalog *catalog, size_t number, const char *name,
                              const char *title)
{
    struct searches *searches = &catalog->find->searches;
    if (!searches->uses)
        return RL_OK;
    if (!fold_into(catalog, name, strlen(name), &searches->name) ||
        !fold_into(catalog, title, title ? strlen(title) : 0, &searches->title))
        return RL_ENOMEM;
    for (size_t i = 0; i < FINDINGS; i++) {
        struct finding *finding = &searches->at[i];
        if (!finding->needle.len)
            continue;
        if (!has(&searches->name, &finding->needle) && !has(&searches->title, &finding->needle))
            bits_drop(&finding->videos, number);
        else if (!bits_set(&finding->videos, number))
            return RL_ENOMEM;
    }
    return RL_OK;
}

enum rl_err search_note_folder(struct catalog *catalog, size_t id, const char *path, size_t len)
{
    struct searches *searches = &catalog->find->searches;
    if (!searches->uses)
        return RL_OK;
    if (!fold_into(catalog, path, len, &searches->name))
        return RL_ENOMEM;
    for (size_t i = 0; i < FINDINGS; i++) {
        struct finding *finding = &searches->at[i];
        if (!finding->needle.len || !has(&searches->name, &finding->needle))
            continue;
        if (!bits_set(&finding->folders, id))
            return RL_ENOMEM;
        finding->in_folders = true;
    }
    return RL_OK;
}

/* The end of a name is nearly always ASCII. */
bool search_tail(struct catalog *catalog, const char *text, size_t len, char out[TAIL_SIZE])
{
    struct buf *folded = &catalog->find->searches.name;
    memset(out, 0, TAIL_SIZE);
    if (!len)
        return true;
    size_t from = len > 2 ? len - 2 : 0;
    if ((unsigned char)text[from] >= 0x80 || (unsigned char)text[len - 1] >= 0x80)
        from = 0;
    if (!fold_into(catalog, text + from, len - from, folded))
        return false;
    size_t at = folded->len;
    for (int count = 0; at > 0 && count < 2;)
        count += ((unsigned char)folded->data[--at] & 0xc0) != 0x80;
    memcpy(out, folded->data + at, folded->len - at);
    return true;
}

void searches_free(struct searches *searches)
{
    for (size_t i = 0; i < FINDINGS; i++) {
        buf_free(&searches->at[i].needle);
        bits_free(&searches->at[i].videos);
        bits_free(&searches->at[i].folders);
    }
    buf_free(&searches->name);
    buf_free(&searches->title);
    *searches = (struct searches){0};
}
