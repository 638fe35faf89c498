#include "places.h"

#include <stdlib.h>
#include <string.h>

bool places_add(struct places *places, const char *path)
{
    if (places->count && strcmp(places->paths[places->count - 1], path) == 0)
        return true;
    if (places->count == places->cap) {
        size_t cap = places->cap ? places->cap * 2 : 16;
        char **paths = reallocarray(places->paths, cap, sizeof *paths);
        if (!paths)
            return false;
        places->paths = paths;
        places->cap = cap;
    }
    char *copy = strdup(path);
    if (copy)
        places->paths[places->count++] = copy;
    return copy != NULL;
}

static size_t folder_len(const char *path)
{
    size_t len = (size_t)(strrchr(path, '/') - path);
    return len ? len : 1;
}

static int by_folder(const void *a, const void *b)
{
    const char *one = *(const char *const *)a, *other = *(const char *const *)b;
    size_t one_len = folder_len(one), other_len = folder_len(other);
    int order = memcmp(one, other, one_len < other_len ? one_len : other_len);
    if (order == 0 && one_len != other_len)
        order = one_len < other_len ? -1 : 1;
    return order ? order : strcmp(one, other);
}

void places_sort(struct places *places)
{
    if (places->count == 0)
        return;
    qsort(places->paths, places->count, sizeof *places->paths, by_folder);
    size_t kept = 1;
    for (size_t i = 1; i < places->count; i++) {
        if (strcmp(places->paths[i], places->paths[kept - 1]) == 0)
            free(places->paths[i]);
        else
            places->paths[kept++] = places->paths[i];
    }
    places->count = kept;
}

bool places_hold(const struct places *places, char *path)
{
    bool found = false;
    for (char *end = path + strlen(path); !found && places->count && end > path;) {
        char kept = *end;
        *end = '\0';
        found = bsearch(&path, places->paths, places->count, sizeof *places->paths, by_folder);
        *end = kept;
        for (end--; end > path && *end != '/';)
            end--;
    }
    return found;
}

size_t places_folder(const struct places *places, size_t at)
{
    return folder_len(places->paths[at]);
}

size_t places_same_folder(const struct places *places, size_t at)
{
    size_t len = places_folder(places, at), next = at + 1;
    while (next < places->count && places_folder(places, next) == len &&
           memcmp(places->paths[at], places->paths[next], len) == 0)
        next++;
    return next;
}

void places_free(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        free(places->paths[i]);
    free(places->paths);
    *places = (struct places){0};
}
