#include <stdlib.h>
#include <string.h>

#include "vanished.h"

enum { FAILURES_BYTES = 1 << 20, WORD_BITS = 64 };

static bool numbers_add(int64_t **numbers, size_t *count, size_t *cap, int64_t number)
{
    if (*count == *cap) {
        size_t larger = *cap ? *cap * 2 : 64;
        int64_t *grown = reallocarray(*numbers, larger, sizeof *grown);
        if (!grown)
            return false;
        *numbers = grown;
        *cap = larger;
    }
    (*numbers)[(*count)++] = number;
    return true;
}

bool vanished_add(struct vanished *vanished, int64_t number)
{
    return numbers_add(&vanished->numbers, &vanished->count, &vanished->cap, number);
}

bool vanished_walked(struct vanished *vanished, int64_t folder)
{
    if (folder <= 0)
        return true;
    size_t word = (size_t)folder / WORD_BITS;
    if (word >= vanished->words) {
        size_t words = word + 1 + vanished->words;
        uint64_t *grown = reallocarray(vanished->walked, words, sizeof *grown);
        if (!grown)
            return false;
        memset(grown + vanished->words, 0, (words - vanished->words) * sizeof *grown);
        vanished->walked = grown;
        vanished->words = words;
    }
    vanished->walked[word] |= UINT64_C(1) << ((size_t)folder % WORD_BITS);
    return true;
}

bool vanished_was_walked(const struct vanished *vanished, int64_t folder)
{
    size_t word = (size_t)folder / WORD_BITS;
    return word < vanished->words &&
           (vanished->walked[word] >> ((size_t)folder % WORD_BITS) & 1) != 0;
}

bool vanished_close(struct vanished *vanished, const char *path)
{
    return names_add(&vanished->closed, path);
}

bool vanished_seal(struct vanished *vanished)
{
    if (!vanished->sealed)
        vanished->sealed = names_sort(&vanished->closed) && names_sort(&vanished->failures);
    return vanished->sealed;
}

/* Whether the first `len` bytes of `path` are one of the closed paths. */
static bool is_one(const struct names *closed, const char *path, size_t len)
{
    size_t low = 0, high = closed->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *one = closed->sorted[middle];
        int order = strncmp(path, one, len);
        if (order == 0 && one[len] == '\0')
            return true;
        if (order <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

bool vanished_is_inside(const struct vanished *vanished, const char *path)
{
    const struct names *closed = &vanished->closed;
    if (closed->count == 0)
        return false;
    if (is_one(closed, "/", 1))
        return true;
    for (size_t len = 1; path[len - 1]; len++) {
        if (path[len] == '/' && is_one(closed, path, len))
            return true;
    }
    return false;
}

bool vanished_is_closed(const struct vanished *vanished, const char *path)
{
    return vanished->closed.count > 0 &&
           (vanished_is_inside(vanished, path) || is_one(&vanished->closed, path, strlen(path)));
}

bool vanished_failure(struct vanished *vanished, const char *path)
{
    return vanished->failures.bytes.len >= FAILURES_BYTES || names_add(&vanished->failures, path);
}

bool vanished_folder_failures(struct vanished *vanished, int64_t folder)
{
    return numbers_add(&vanished->folders, &vanished->n_folders, &vanished->cap_folders, folder);
}

void vanished_free(struct vanished *vanished)
{
    free(vanished->numbers);
    free(vanished->walked);
    free(vanished->folders);
    names_free(&vanished->closed);
    names_free(&vanished->failures);
    *vanished = (struct vanished){0};
}
