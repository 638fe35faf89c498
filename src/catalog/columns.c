#include <stdlib.h>
#include <string.h>

#include "find.h"

/* ---- reading a row ------------------------------------------------------------------------- */

static uint16_t clamp16(int64_t value)
{
    return value < 0 ? 0 : value > UINT16_MAX ? UINT16_MAX : (uint16_t)value;
}

static uint32_t clamp32(int64_t value)
{
    return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static uint16_t resolution_of(const struct facts *facts)
{
    static const uint16_t lines[RESOLUTION_CLASSES] = {
        [RESOLUTION_720P] = 720,   [RESOLUTION_1080P] = 1080, [RESOLUTION_1440P] = 1440,
        [RESOLUTION_2160P] = 2160, [RESOLUTION_4320P] = 4320,
    };
    uint16_t side = facts->width < facts->height ? facts->width : facts->height;
    uint16_t resolution = side ? RESOLUTION_SD : RESOLUTION_UNKNOWN;
    for (uint16_t i = RESOLUTION_720P; i < RESOLUTION_CLASSES; i++) {
        if (side >= lines[i])
            resolution = i;
    }
    return resolution;
}

/* The columns from `subtitle_count` on. */
static enum rl_err read_traits(struct catalog *catalog, struct row *row, struct facts *facts)
{
    struct find *find = catalog->find;
    char name_tail[TAIL_SIZE], title_tail[TAIL_SIZE];
    sqlite3_stmt *statement = row->statement;
    const char *title = (const char *)sqlite3_column_text(statement, FACT_TITLE);
    const char *name = sqlite3_column_blob(statement, FACT_NAME);
    size_t title_len = (size_t)sqlite3_column_bytes(statement, FACT_TITLE);
    size_t name_len = (size_t)sqlite3_column_bytes(statement, FACT_NAME);
    if (!search_tail(catalog, name, name_len, name_tail) ||
        !search_tail(catalog, title, title_len, title_tail))
        return RL_ENOMEM;
    struct traits traits = {.resolution = resolution_of(facts)};
    traits.subtitles = row_int(row) > 0;
    traits.video_codec = lexicon_add(&find->lexicon, row_word(row));
    traits.container = lexicon_add(&find->lexicon, row_word(row));
    traits.hdr = lexicon_add(&find->lexicon, row_word(row));
    traits.languages = lexicon_add(&find->lexicon, row_word(row));
    traits.name_tail = lexicon_add(&find->lexicon, name_tail);
    traits.title_tail = lexicon_add(&find->lexicon, title_tail);
    if (traits.video_codec == UINT32_MAX || traits.container == UINT32_MAX ||
        traits.hdr == UINT32_MAX || traits.languages == UINT32_MAX ||
        traits.name_tail == UINT32_MAX || traits.title_tail == UINT32_MAX)
        return RL_ENOMEM;
    facts->traits = traits_add(&find->traits, &traits);
    return facts->traits == UINT32_MAX ? RL_ENOMEM : RL_OK;
}

enum rl_err facts_read(struct catalog *catalog, sqlite3_stmt *statement, struct facts *out)
{
    struct row row = {.statement = statement};
    out->number = row_int(&row);
    out->sequence = row_int(&row);
    int64_t created_ms = row_int(&row);
    out->created_s = clamp32(created_ms / 1000);
    out->mtime_ns = row_int(&row);
    out->duration_us = row_int(&row);
    out->size = row_int(&row);
    out->bit_rate = clamp32(row_int(&row));
    out->width = clamp16(row_int(&row));
    out->height = clamp16(row_int(&row));
    int64_t rotation = row_int(&row);
    if (rotation == 90 || rotation == 270) {
        uint16_t width = out->width;
        out->width = out->height;
        out->height = width;
    }
    int64_t folder = row_int(&row);
    out->present = row_int(&row) == 0;
    if (out->number < 1 || out->number > UINT32_MAX - 1 || folder < 1 || folder > UINT32_MAX - 1)
        return catalog_fail(catalog, RL_EINVAL, "more videos or folders than can be listed");
    out->folder = (uint32_t)folder;
    return read_traits(catalog, &row, out);
}

/* ---- the columns --------------------------------------------------------------------------- */

static struct chunk *need_chunk(struct columns *columns, size_t number)
{
    size_t index = number >> CHUNK_BITS;
    if (index >= columns->n_chunks) {
        struct chunk **chunks = reallocarray(columns->chunks, index + 1, sizeof *chunks);
        if (!chunks)
            return NULL;
        memset(chunks + columns->n_chunks, 0, (index + 1 - columns->n_chunks) * sizeof *chunks);
        columns->chunks = chunks;
        columns->n_chunks = index + 1;
    }
    if (!columns->chunks[index])
        columns->chunks[index] = calloc(1, sizeof *columns->chunks[index]);
    return columns->chunks[index];
}

/* Adds what is there to the sum of its traits, or takes it away (`sign`). */
static void add_to_sum(struct find *find, size_t number, int sign)
{
    struct columns *columns = &find->columns;
    if (!bits_has(&columns->present, number))
        return;
    struct traits_sum *sum = &find->traits.sums[COLUMN(columns, number, traits)];
    int64_t duration_us = COLUMN(columns, number, duration_us);
    columns->n_present += sign;
    sum->videos += sign;
    sum->size += sign * (wide)COLUMN(columns, number, size);
    if (duration_us != MEDIA_UNKNOWN)
        sum->duration_us += sign * (wide)duration_us;
}

bool columns_put(struct find *find, const struct facts *facts)
{
    struct columns *columns = &find->columns;
    size_t number = (size_t)facts->number, at = number & (CHUNK - 1);
    struct chunk *chunk = need_chunk(columns, number);
    if (!chunk || !bits_reserve(&columns->known, number) ||
        !bits_reserve(&columns->present, number))
        return false;
    columns_take(find, number);
    chunk->mtime_ns[at] = facts->mtime_ns;
    chunk->duration_us[at] = facts->duration_us;
    chunk->size[at] = facts->size;
    chunk->created_s[at] = facts->created_s;
    chunk->bit_rate[at] = facts->bit_rate;
    chunk->folder[at] = facts->folder;
    chunk->traits[at] = facts->traits;
    chunk->width[at] = facts->width;
    chunk->height[at] = facts->height;
    bits_set(&columns->known, number);
    columns->n_known++;
    if (facts->present)
        bits_set(&columns->present, number);
    add_to_sum(find, number, 1);
    return true;
}

void columns_take(struct find *find, size_t number)
{
    struct columns *columns = &find->columns;
    if (!bits_has(&columns->known, number))
        return;
    add_to_sum(find, number, -1);
    bits_drop(&columns->known, number);
    bits_drop(&columns->present, number);
    columns->n_known--;
}

void columns_free(struct columns *columns)
{
    for (size_t i = 0; i < columns->n_chunks; i++)
        free(columns->chunks[i]);
    free(columns->chunks);
    bits_free(&columns->known);
    bits_free(&columns->present);
    *columns = (struct columns){0};
}
