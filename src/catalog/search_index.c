#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find.h"

/* A text of three letters and more comes from the trigram indexes. A shorter one begins one of the
 * index's trigrams wherever it stands, unless it stands at the very end of a text: therefore the
 * last two letters of names and titles are among the traits of a video, and those of paths are
 * beside the ranks of folders. */

enum {
    TRIGRAM = 3,
    PHRASE_MAX = 64, /* letters given to the index; what is beyond is checked on the rows found */
    TERM_SIZE = sizeof((struct finding_at *)0)->term,
    SLICE = 64, /* rows between two looks at the clock */
};

static enum rl_err look_at_clock(const struct catalog *catalog)
{
    return catalog->slice_until_ns < INT64_MAX && clock_mono_ns() > catalog->slice_until_ns
               ? RL_EAGAIN
               : RL_OK;
}

/* Adds every number beyond `*after` that the query gives for a phrase, in their order. *after: how
 * far it came; 0 at the end. */
static enum rl_err collect(struct catalog *catalog, int slot, const char *sql, const char *phrase,
                           int64_t *after, struct bits *out)
{
    sqlite3_stmt *statement;
    enum rl_err err = statement_get(catalog, slot, sql, &statement);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = statement};
    bind_text(&binder, phrase);
    bind_int(&binder, *after);
    err = bind_done(catalog, &binder);
    for (int i = 1; err == RL_OK && (err = statement_step(catalog, statement)) == RL_OK; i++) {
        int64_t number = sqlite3_column_int64(statement, 0);
        if (number < 1 || number > UINT32_MAX || !bits_set(out, (size_t)number))
            err = RL_ENOMEM;
        else
            *after = number;
        if (err == RL_OK && i % SLICE == 0)
            err = look_at_clock(catalog);
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (err != RL_ENOTFOUND)
        return err;
    *after = 0;
    return RL_OK;
}

static size_t letters(const char *text, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* The first PHRASE_MAX letters as one FTS5 string: in quotes, with quotes doubled, nothing in it is
 * an operator. */
static bool phrase_of(const char *text, size_t len, struct buf *out)
{
    size_t count = 0;
    buf_clear(out);
    buf_puts(out, "\"");
    for (size_t i = 0; i < len; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80 && ++count > PHRASE_MAX)
            break;
        buf_append(out, text + i, 1);
        if (text[i] == '"')
            buf_puts(out, "\"");
    }
    buf_puts(out, "\"");
    return !out->failed;
}

/* One of the two indexes, and the slots of its statements. */
struct text_index {
    int list, match, check;
    const char *list_sql, *match_sql, *check_sql;
};

static const struct text_index indexes[] = {
    {
        ST_SEARCH_TRIGRAMS,
        ST_SEARCH_TEXT,
        ST_SEARCH_TEXT_LONG,
        "SELECT term FROM temp.trigrams WHERE term >= ?1 AND term < ?2 LIMIT 1",
        "SELECT rowid FROM videos_text WHERE videos_text MATCH ?1 AND rowid > ?2 ORDER BY rowid",
        "SELECT t.rowid FROM videos_text t CROSS JOIN videos v ON v.number = t.rowid"
        " WHERE t.videos_text MATCH ?1 AND t.rowid > ?2 AND (found(v.name) OR found(v.title))"
        " ORDER BY t.rowid",
    },
    {
        ST_SEARCH_FOLDER_TRIGRAMS,
        ST_SEARCH_FOLDER,
        ST_SEARCH_FOLDER_LONG,
        "SELECT term FROM temp.folder_trigrams WHERE term >= ?1 AND term < ?2 LIMIT 1",
        "SELECT rowid FROM directories_text WHERE directories_text MATCH ?1 AND rowid > ?2"
        " ORDER BY rowid",
        "SELECT t.rowid FROM directories_text t CROSS JOIN directories d ON d.id = t.rowid"
        " WHERE t.directories_text MATCH ?1 AND t.rowid > ?2 AND found(d.path) ORDER BY t.rowid",
    },
};

static enum rl_err find_phrase(struct catalog *catalog, const struct text_index *index, bool whole,
                               struct finding *finding, struct bits *out)
{
    struct buf phrase = {0};
    enum rl_err err = RL_ENOMEM;
    if (phrase_of(finding->needle.data, finding->needle.len, &phrase))
        err = collect(catalog, whole ? index->match : index->check,
                      whole ? index->match_sql : index->check_sql, phrase.data, &finding->at.after,
                      out);
    buf_free(&phrase);
    return err;
}

/* The first trigram from `from` on that begins with the needle; RL_ENOTFOUND. To step on from one
 * to the next would read through all of its places. */
static enum rl_err next_trigram(struct catalog *catalog, const struct text_index *index,
                                const struct buf *from, const struct buf *end, char out[TERM_SIZE])
{
    sqlite3_stmt *get;
    enum rl_err err = statement_get(catalog, index->list, index->list_sql, &get);
    if (err != RL_OK)
        return err;
    struct binder binder = {.statement = get};
    bind_text(&binder, from->data);
    bind_text(&binder, end->data);
    err = bind_done(catalog, &binder);
    if (err == RL_OK)
        err = statement_step(catalog, get);
    if (err == RL_OK) {
        struct row row = {.statement = get};
        row_text(&row, out, TERM_SIZE);
    }
    sqlite3_reset(get);
    sqlite3_clear_bindings(get);
    return err;
}

static enum rl_err take_trigram(struct catalog *catalog, const struct text_index *index,
                                struct finding *finding, struct bits *out)
{
    struct buf phrase = {0};
    enum rl_err err = RL_ENOMEM;
    if (phrase_of(finding->at.term, strlen(finding->at.term), &phrase))
        err =
            collect(catalog, index->match, index->match_sql, phrase.data, &finding->at.after, out);
    buf_free(&phrase);
    return err;
}

/* All that is known is found: a letter that is in each name. */
static bool complete(const struct catalog *catalog, const struct finding *finding,
                     const struct bits *out)
{
    const struct bits *known = &catalog->find->columns.known;
    if (out != &finding->videos)
        return false;
    for (size_t i = 0; i < known->cap / 64; i++) {
        if (known->words[i] & ~bits_word(out, i))
            return false;
    }
    return true;
}

/* The trigrams that begin with the needle, one after another. What the finding has of the one that
 * it is at, it keeps. */
static enum rl_err find_trigrams(struct catalog *catalog, const struct text_index *index,
                                 struct finding *finding, struct bits *out)
{
    struct finding_at *at = &finding->at;
    const struct buf *needle = &finding->needle;
    struct buf from = {0}, end = {0};
    enum rl_err err = RL_OK;
    buf_append(&end, needle->data, needle->len);
    if (end.failed)
        return RL_ENOMEM;
    end.data[end.len - 1]++; /* no byte of a letter is the last there is */
    while (err == RL_OK) {
        if (at->term[0])
            err = take_trigram(catalog, index, finding, out);
        if (err == RL_OK && at->term[0] && complete(catalog, finding, out))
            break;
        /* No trigram begins with another one. */
        buf_clear(&from);
        buf_puts(&from, at->term[0] ? at->term : needle->data);
        buf_puts(&from, at->term[0] ? "\1" : "");
        if (err == RL_OK)
            err = from.failed ? RL_ENOMEM : next_trigram(catalog, index, &from, &end, at->term);
        if (err == RL_OK)
            err = look_at_clock(catalog);
    }
    buf_free(&from);
    buf_free(&end);
    if (err != RL_OK && err != RL_ENOTFOUND)
        return err;
    at->term[0] = '\0';
    at->after = 0;
    return RL_OK;
}

/* The videos of which a name or title ends in it, and the folders of which the path does. */
static enum rl_err find_tails(const struct find *find, struct finding *out)
{
    const struct columns *columns = &find->columns;
    const char *needle = out->needle.data;
    uint8_t *ends = calloc((size_t)find->traits.count + 1, 1);
    bool good = ends;
    for (uint32_t i = 0; ends && i < find->traits.count; i++) {
        const struct traits *traits = &find->traits.at[i];
        ends[i] = strstr(find->lexicon.words[traits->name_tail], needle) ||
                  strstr(find->lexicon.words[traits->title_tail], needle);
    }
    for (size_t word = 0; good && word < columns->known.cap / 64; word++) {
        for (uint64_t left = columns->known.words[word]; left; left &= left - 1) {
            size_t number = word * 64 + (size_t)__builtin_ctzll(left);
            if (ends[COLUMN(columns, number, traits)])
                good = good && bits_set(&out->videos, number);
        }
    }
    for (size_t id = 1; good && id < find->ranks.cap; id++) {
        if (strstr(find->lexicon.words[find->ranks.tails[id]], needle))
            good = bits_set(&out->folders, id);
    }
    free(ends);
    return good ? RL_OK : RL_ENOMEM;
}

enum rl_err search_index(struct catalog *catalog, struct finding *finding)
{
    size_t count = letters(finding->needle.data, finding->needle.len);
    bool brief = count < TRIGRAM, whole = count <= PHRASE_MAX;
    enum rl_err err = RL_OK;
    for (; err == RL_OK && finding->at.stage < FINDING_TAILS; finding->at.stage++) {
        const struct text_index *index = &indexes[finding->at.stage];
        struct bits *out = finding->at.stage ? &finding->folders : &finding->videos;
        err = brief ? find_trigrams(catalog, index, finding, out)
                    : find_phrase(catalog, index, whole, finding, out);
        if (err != RL_OK)
            return err;
    }
    if (brief)
        err = find_tails(catalog->find, finding);
    if (err == RL_OK)
        finding->at.stage = FINDING_DONE;
    return err;
}
