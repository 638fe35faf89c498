#include <stdlib.h>
#include <string.h>

#include "candidates.h"

enum { BLOCK_SIZE = 64 * 1024 };

struct directory_node {
    uint32_t above, name_len;
    size_t name_at; /* in candidates->names */
};

/* Records of a uint32_t (the directory) and a name with its NUL, without padding. */
struct candidate_block {
    struct candidate_block *next;
    size_t start, end;
    char data[BLOCK_SIZE];
};

enum rl_err candidates_directory(struct candidates *candidates, uint32_t above, const char *name,
                                 size_t len, uint32_t *out)
{
    if (candidates->n_directories == candidates->cap_directories) {
        size_t cap = candidates->cap_directories ? candidates->cap_directories * 2 : 64;
        struct directory_node *nodes =
            cap < UINT32_MAX ? realloc(candidates->directories, cap * sizeof *nodes) : NULL;
        if (!nodes)
            return RL_ENOMEM;
        candidates->directories = nodes;
        candidates->cap_directories = cap;
    }
    size_t name_at = candidates->names.len;
    buf_append(&candidates->names, name, len);
    if (candidates->names.failed) {
        candidates->names.failed = false;
        return RL_ENOMEM;
    }
    candidates->directories[candidates->n_directories++] =
        (struct directory_node){.above = above, .name_len = (uint32_t)len, .name_at = name_at};
    *out = (uint32_t)candidates->n_directories;
    return RL_OK;
}

void candidates_path(const struct candidates *candidates, uint32_t directory, struct buf *out)
{
    size_t len = 0;
    for (uint32_t d = directory; d; d = candidates->directories[d - 1].above)
        len += candidates->directories[d - 1].name_len + 1;
    if (len == 0 || !buf_reserve(out, len - 1))
        return;
    /* From the end to the start, since a node knows only the one above it. */
    size_t at = out->len + len;
    out->len += len - 1;
    out->data[out->len] = '\0';
    for (uint32_t d = directory; d;) {
        const struct directory_node *node = &candidates->directories[d - 1];
        at -= node->name_len + 1;
        memcpy(out->data + at, candidates->names.data + node->name_at, node->name_len);
        d = node->above;
        if (d)
            out->data[at - 1] = '/';
    }
}

enum rl_err candidates_add(struct candidates *candidates, uint32_t directory, const char *name)
{
    size_t len = sizeof directory + strlen(name) + 1;
    struct candidate_block *block = candidates->last;
    if (len > BLOCK_SIZE)
        return RL_EINVAL;
    if (!block || BLOCK_SIZE - block->end < len) {
        block = malloc(sizeof *block);
        if (!block)
            return RL_ENOMEM;
        block->next = NULL;
        block->start = block->end = 0;
        if (candidates->last)
            candidates->last->next = block;
        else
            candidates->first = block;
        candidates->last = block;
        candidates->bytes += sizeof *block;
    }
    memcpy(block->data + block->end, &directory, sizeof directory);
    memcpy(block->data + block->end + sizeof directory, name, len - sizeof directory);
    block->end += len;
    candidates->count++;
    return RL_OK;
}

void candidates_join(struct candidates *candidates, struct candidates *late)
{
    if (!late->first)
        return;
    if (candidates->last)
        candidates->last->next = late->first;
    else
        candidates->first = late->first;
    candidates->last = late->last;
    candidates->count += late->count;
    candidates->bytes += late->bytes;
    late->first = late->last = NULL;
    late->count = late->bytes = 0;
}

bool candidates_first(const struct candidates *candidates, uint32_t *directory, const char **name)
{
    const struct candidate_block *block = candidates->first;
    if (!block)
        return false;
    memcpy(directory, block->data + block->start, sizeof *directory);
    *name = block->data + block->start + sizeof *directory;
    return true;
}

void candidates_drop(struct candidates *candidates)
{
    struct candidate_block *block = candidates->first;
    const char *name = block->data + block->start + sizeof(uint32_t);
    block->start += sizeof(uint32_t) + strlen(name) + 1;
    candidates->count--;
    if (block->start < block->end)
        return;
    candidates->first = block->next;
    if (!candidates->first)
        candidates->last = NULL;
    candidates->bytes -= sizeof *block;
    free(block);
}

void candidates_free(struct candidates *candidates)
{
    while (candidates->first) {
        struct candidate_block *next = candidates->first->next;
        free(candidates->first);
        candidates->first = next;
    }
    free(candidates->directories);
    buf_free(&candidates->names);
    *candidates = (struct candidates){0};
}
