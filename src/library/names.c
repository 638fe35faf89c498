#include <stdlib.h>
#include <string.h>

#include "names.h"

bool names_add(struct names *names, const char *name)
{
    buf_append(&names->bytes, name, strlen(name) + 1);
    if (names->bytes.failed)
        return false;
    names->count++;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool names_sort(struct names *names)
{
    free(names->sorted);
    names->sorted = NULL;
    if (names->count == 0)
        return true;
    names->sorted = malloc(names->count * sizeof *names->sorted);
    if (!names->sorted)
        return false;
    const char *name = names->bytes.data;
    for (size_t i = 0; i < names->count; i++) {
        names->sorted[i] = name;
        name += strlen(name) + 1;
    }
    qsort(names->sorted, names->count, sizeof *names->sorted, by_name);
    size_t kept = 1;
    for (size_t i = 1; i < names->count; i++) {
        if (strcmp(names->sorted[i], names->sorted[kept - 1]) != 0)
            names->sorted[kept++] = names->sorted[i];
    }
    names->count = kept;
    return true;
}

bool names_has(const struct names *names, const char *name)
{
    return names->count &&
           bsearch(&name, names->sorted, names->count, sizeof *names->sorted, by_name);
}

void names_clear(struct names *names)
{
    const size_t keep = 1 << 16;
    if (names->bytes.cap > keep)
        buf_free(&names->bytes);
    else
        buf_clear(&names->bytes);
    free(names->sorted);
    names->sorted = NULL;
    names->count = 0;
}

void names_free(struct names *names)
{
    buf_free(&names->bytes);
    free(names->sorted);
    *names = (struct names){0};
}
