#include <search.h>
#include <stdlib.h>

#include "seen.h"

struct key {
    dev_t device;
    ino_t inode;
};

static int compare(const void *a, const void *b)
{
    const struct key *left = a, *right = b;
    if (left->inode != right->inode)
        return left->inode < right->inode ? -1 : 1;
    return (left->device > right->device) - (left->device < right->device);
}

bool seen_has(const struct seen *seen, const struct stat *stat)
{
    const struct key key = {.device = stat->st_dev, .inode = stat->st_ino};
    return tfind(&key, &seen->tree, compare) != NULL;
}

bool seen_add(struct seen *seen, const struct stat *stat)
{
    struct key *key = malloc(sizeof *key);
    if (!key)
        return false;
    *key = (struct key){.device = stat->st_dev, .inode = stat->st_ino};
    const void *node = tsearch(key, &seen->tree, compare);
    if (!node || *(struct key *const *)node != key)
        free(key); /* out of memory, or it is there already */
    return node;
}

void seen_remove(struct seen *seen, const struct stat *stat)
{
    const struct key key = {.device = stat->st_dev, .inode = stat->st_ino};
    struct key *const *node = tfind(&key, &seen->tree, compare);
    struct key *found = node ? *node : NULL;
    tdelete(&key, &seen->tree, compare);
    free(found);
}

void seen_free(struct seen *seen)
{
    tdestroy(seen->tree, free);
    seen->tree = NULL;
}
