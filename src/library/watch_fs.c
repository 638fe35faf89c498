#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>

#include "watch_private.h"

uint32_t watch_fs_allowed(uint32_t most)
{
    unsigned long limit = 0;
    FILE *file = fopen("/proc/sys/fs/inotify/max_user_watches", "re");
    if (file && fscanf(file, "%lu", &limit) != 1)
        limit = 0;
    if (file)
        fclose(file);
    if (limit / 2 > UINT32_MAX)
        limit = UINT32_MAX;
    uint32_t half = file && limit ? (uint32_t)(limit / 2) : 4096;
    return most && most < half ? most : half;
}

/* File systems of which the kernel hears only what is done on this machine: statfs(2). */
static const struct {
    uint32_t magic;
    const char *name;
} remote[] = {
    {0x00006969, "NFS"},
    {0xff534d42, "CIFS"},
    {0x0000517b, "SMB"},
    {0xfe534d42, "SMB2"},
    {0x65735546, "FUSE"},
    {0x01021997, "9P"},
    {0x00c36400, "Ceph"},
    {0x5346414f, "AFS"},
    {0x6b414653, "AFS"},
    {0x73757245, "Coda"},
    {0x7461636f, "OCFS2"},
    {0x01161970, "GFS2"},
    {0x0bd00bd0, "Lustre"},
    {0x786f4256, "VirtualBox folders"},
    {0xbacbacbc, "VMware folders"},
};

enum watch_mode watch_fs_mode(const char *path, char *why, size_t size)
{
    struct statfs fs;
    if (statfs(path, &fs) == 0) {
        for (size_t i = 0; i < sizeof remote / sizeof *remote; i++) {
            if ((uint32_t)fs.f_type != remote[i].magic)
                continue;
            snprintf(why, size, "%s does not tell what others change", remote[i].name);
            return WATCH_MODE_POLL;
        }
    }
    *why = '\0'; /* the means are said */
    return WATCH_MODE_WATCH;
}

enum { MOUNT_ROOT = 3, MOUNT_POINT = 4 };

static int octal(const char *text)
{
    int value = 0;
    for (int i = 1; i <= 3; i++) {
        if (text[i] < '0' || text[i] > '7')
            return -1;
        value = value * 8 + text[i] - '0';
    }
    return value;
}

/* A field of a line (proc(5)), counted from 0, with blanks written as \040. */
static bool mount_field(const char *line, int number, char *out, size_t size)
{
    size_t len = 0;
    for (int field = 0; field < number; field++) {
        line = strchr(line, ' ');
        if (!line)
            return false;
        line++;
    }
    while (*line && *line != ' ' && len + 1 < size) {
        int value = *line == '\\' ? octal(line) : -1;
        out[len++] = value >= 0 ? (char)value : *line;
        line += value >= 0 ? 4 : 1;
    }
    out[len] = '\0';
    return true;
}

/* FNV-1a. */
static uint64_t digest(const char *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3;
    return hash;
}

uint64_t watch_fs_mounts(const char *path)
{
    uint64_t sum = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file)
        return 0;
    char *line = NULL, point[4096];
    size_t cap = 0;
    while (getline(&line, &cap, file) > 0) {
        if (mount_field(line, MOUNT_POINT, point, sizeof point) &&
            (path_beneath(path, point) || path_beneath(point, path)))
            sum += digest(line, strcspn(line, " ")) * 31 + digest(point, strlen(point));
    }
    free(line);
    fclose(file);
    return sum;
}

bool watch_fs_whole(const char *path)
{
    bool whole = false;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char *line = NULL, field[4096];
    size_t cap = 0;
    /* The last one covers those before. */
    while (file && getline(&line, &cap, file) > 0) {
        if (mount_field(line, MOUNT_POINT, field, sizeof field) && strcmp(field, path) == 0)
            whole = mount_field(line, MOUNT_ROOT, field, sizeof field) && strcmp(field, "/") == 0;
    }
    free(line);
    if (file)
        fclose(file);
    return whole;
}
