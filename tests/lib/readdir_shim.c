/* readdir_shim: preloaded into the daemon (LD_PRELOAD), it gives the entries of every directory in
 * an order that the seed $REELD_READDIR_SEED chooses, and a few at a time. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FDS = 1024, ENTRIES_MAX = 65536, BYTES_MAX = 16 << 20, CHUNK = 64 << 10 };

/* What is left to be given of the directory behind a descriptor. The walk has one thread. */
struct listing {
    char *bytes;
    uint32_t *starts; /* shuffled */
    size_t count, given;
};
static _Thread_local struct listing listings[FDS];

static ssize_t ask(int fd, void *buffer, size_t len)
{
    return syscall(SYS_getdents64, fd, buffer, len);
}

static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static const struct dirent64 *entry_at(const struct listing *listing, size_t i)
{
    return (const struct dirent64 *)(const void *)(listing->bytes + listing->starts[i]);
}

static int by_name(const void *a, const void *b, void *listing)
{
    const char *bytes = ((const struct listing *)listing)->bytes;
    const struct dirent64 *one = (const void *)(bytes + *(const uint32_t *)a);
    const struct dirent64 *other = (const void *)(bytes + *(const uint32_t *)b);
    return strcmp(one->d_name, other->d_name);
}

/* From the order of names, so that the seed alone decides and not the file system. */
static void shuffle(struct listing *listing)
{
    const char *seed = getenv("REELD_READDIR_SEED");
    uint64_t state = seed ? strtoull(seed, NULL, 10) : 0;
    qsort_r(listing->starts, listing->count, sizeof *listing->starts, by_name, listing);
    for (size_t i = listing->count; i > 1; i--) {
        size_t other = mix(&state) % i;
        uint32_t start = listing->starts[i - 1];
        listing->starts[i - 1] = listing->starts[other];
        listing->starts[other] = start;
    }
}

static void drop(struct listing *listing)
{
    free(listing->bytes);
    free(listing->starts);
    *listing = (struct listing){0};
}

/* Reads the whole directory. 0, or an errno. */
static int fill(struct listing *listing, int fd)
{
    drop(listing);
    listing->bytes = malloc(BYTES_MAX);
    listing->starts = malloc(ENTRIES_MAX * sizeof *listing->starts);
    if (!listing->bytes || !listing->starts)
        return ENOMEM;
    size_t len = 0;
    for (ssize_t got; len + CHUNK <= BYTES_MAX; len += (size_t)got) {
        got = ask(fd, listing->bytes + len, CHUNK);
        if (got < 0)
            return errno;
        if (got == 0)
            break;
        for (size_t at = len; at < len + (size_t)got && listing->count < ENTRIES_MAX;
             at += entry_at(listing, listing->count - 1)->d_reclen)
            listing->starts[listing->count++] = (uint32_t)at;
    }
    shuffle(listing);
    return 0;
}

ssize_t getdents64(int fd, void *buffer, size_t len)
{
    if (fd < 0 || fd >= FDS)
        return ask(fd, buffer, len);
    struct listing *listing = &listings[fd];
    if (lseek(fd, 0, SEEK_CUR) == 0) {
        int error = fill(listing, fd);
        if (error) {
            drop(listing);
            errno = error;
            return -1;
        }
    }
    size_t filled = 0;
    for (int n = 0; n < 5 && listing->given < listing->count; n++) {
        const struct dirent64 *entry = entry_at(listing, listing->given);
        if (filled + entry->d_reclen > len)
            break;
        memcpy((char *)buffer + filled, entry, entry->d_reclen);
        filled += entry->d_reclen;
        listing->given++;
    }
    if (filled == 0)
        drop(listing);
    return (ssize_t)filled;
}
