#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reeld/catalog.h"

#include "beneath.h"
#include "root_guard.h"
#include "walk_private.h"

/* Whether the open folder has no entry at all. -1: it cannot be read. */
static int is_empty(int fd)
{
    char buffer[4096] __attribute__((aligned(8)));
    for (;;) {
        ssize_t len = getdents64(fd, buffer, sizeof buffer);
        if (len <= 0)
            return len < 0 ? -1 : 1;
        for (ssize_t at = 0; at < len;) {
            const struct dirent64 *entry = (const struct dirent64 *)(const void *)(buffer + at);
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                return 0;
            at += entry->d_reclen;
        }
    }
}

enum rl_err root_look(const char *path, struct root_look *out)
{
    *out = (struct root_look){0};
    struct beneath root;
    struct stat stat;
    int error = beneath_open_root(&root, path);
    int empty = error ? -1 : is_empty(root.fd);
    if (!error && (empty < 0 || fstat(root.fd, &stat) < 0))
        error = errno;
    beneath_close(&root);
    if (walk_out_of_resources(error))
        return RL_EBUSY;
    out->gone = error != 0;
    out->empty = empty == 1;
    out->device = error ? 0 : stat.st_dev;
    return RL_OK;
}

static int64_t unasked(const struct guard_case *found)
{
    return found->single ? 0 : found->vanished - found->ignored;
}

static enum guard_reason plainly(const struct guard_case *found)
{
    if (found->vanished == 0)
        return GUARD_NONE;
    if (found->look.gone)
        return GUARD_GONE;
    if (found->look.empty)
        return GUARD_EMPTY;
    if (found->elsewhere || (found->device && found->look.device != found->device))
        return GUARD_DEVICE;
    return GUARD_NONE;
}

bool guard_wants_present(const struct guard_case *found)
{
    return unasked(found) >= GUARD_MANY && plainly(found) == GUARD_NONE;
}

enum guard_reason guard_decide(const struct guard_case *found)
{
    enum guard_reason reason = plainly(found);
    int64_t count = unasked(found);
    if (reason == GUARD_NONE && count >= GUARD_MANY &&
        count * 100 > found->present * GUARD_MANY_PERCENT)
        return GUARD_TOO_MANY;
    return reason;
}

static const char *const words[] = {"", "gone", "empty", "device", "many"};

const char *guard_word(enum guard_reason reason)
{
    return words[reason];
}

enum guard_reason guard_of(const char *word)
{
    size_t reason = sizeof words / sizeof *words - 1;
    while (reason > GUARD_NONE && strcmp(words[reason], word) != 0)
        reason--;
    return (enum guard_reason)reason;
}

bool guard_shows(const char *word)
{
    return strcmp(word, guard_word(GUARD_GONE)) == 0 || strcmp(word, guard_word(GUARD_EMPTY)) == 0;
}

/* "1,234" */
static void grouped(int64_t number, char out[32])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)number);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
}

/* How much of a text fits into `room` bytes without cutting a character. */
static int fitting(const char *text, size_t room)
{
    size_t len = strlen(text);
    if (len <= room)
        return (int)len;
    while (room > 0 && ((unsigned char)text[room] & 0xc0) == 0x80)
        room--;
    return (int)room;
}

void guard_sentence(enum guard_reason reason, const char *root, int64_t count, char *out,
                    size_t size)
{
    static const char *const why[] = {
        "is as it was", "looks unmounted (it is not there, or cannot be read)",
        "looks unmounted (it is empty)", "looks unmounted (another device is there than before)",
        "has lost more than a fifth of its videos at once"};
    char number[32], rest[JOB_ERROR_SIZE];
    grouped(count, number);
    int len =
        snprintf(rest, sizeof rest,
                 "%s: %s %s; accept-missing takes %s for missing if that is meant", why[reason],
                 number, count == 1 ? "video was left as it was" : "videos were left as they were",
                 count == 1 ? "it" : "them");
    struct buf path = {0};
    utf8_append_lossy(&path, root, strlen(root));
    const char *shown = path.failed || !path.data ? "" : path.data;
    size_t room = size - (size_t)len - sizeof "the folder … ";
    bool cut = strlen(shown) > room;
    snprintf(out, size, "the folder %.*s%s %s", fitting(shown, room), shown, cut ? "…" : "", rest);
    buf_free(&path);
}
