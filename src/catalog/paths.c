#include <stdlib.h>
#include <string.h>

#include "find.h"

/* The paths of folders by their ids, for the rows of pages: each row is in another folder most
 * often, and to read that too would cost a third of a page. Folders never change. As many as there
 * is room for; the others are read. */

enum { PART_BITS = 16, PART = 1 << PART_BITS, PARTS = 64 };

struct paths {
    char *parts[PARTS]; /* texts, each with its length before it in two bytes */
    size_t used;        /* bytes, of all parts */
    uint32_t *at;       /* by id: where its text is, + 1; 0: it is not here */
    size_t cap;
};

static bool reserve(struct paths *paths, size_t id)
{
    if (id < paths->cap)
        return true;
    size_t cap = id + id / 4 + 1024;
    uint32_t *at = reallocarray(paths->at, cap, sizeof *at);
    if (!at)
        return false;
    memset(at + paths->cap, 0, (cap - paths->cap) * sizeof *at);
    paths->at = at;
    paths->cap = cap;
    return true;
}

/* Room for `len` bytes in one part; NULL: there is none. */
static char *place(struct paths *paths, size_t len)
{
    if (len > PART)
        return NULL;
    if ((paths->used & (PART - 1)) + len > PART)
        paths->used = (paths->used / PART + 1) * PART;
    size_t part = paths->used / PART;
    if (part >= PARTS)
        return NULL;
    if (!paths->parts[part])
        paths->parts[part] = malloc(PART);
    return paths->parts[part] ? paths->parts[part] + (paths->used & (PART - 1)) : NULL;
}

void paths_add(struct paths **kept, uint32_t id, const char *path, size_t len)
{
    if (!*kept)
        *kept = calloc(1, sizeof **kept);
    struct paths *paths = *kept;
    uint16_t size = (uint16_t)len;
    if (!paths || len > UINT16_MAX || paths->used / PART >= PARTS || !reserve(paths, id))
        return;
    char *text = place(paths, sizeof size + len);
    if (!text)
        return;
    memcpy(text, &size, sizeof size);
    memcpy(text + sizeof size, path, len);
    paths->at[id] = (uint32_t)paths->used + 1;
    paths->used += sizeof size + len;
}

const char *paths_get(const struct paths *paths, int64_t id, size_t *len)
{
    if (!paths || id < 0 || (uint64_t)id >= paths->cap || !paths->at[id])
        return NULL;
    size_t at = paths->at[id] - 1;
    const char *text = paths->parts[at / PART] + (at & (PART - 1));
    uint16_t size;
    memcpy(&size, text, sizeof size);
    *len = size;
    return text + sizeof size;
}

void paths_free(struct paths **kept)
{
    if (!*kept)
        return;
    for (size_t i = 0; i < PARTS; i++)
        free((*kept)->parts[i]);
    free((*kept)->at);
    free(*kept);
    *kept = NULL;
}
