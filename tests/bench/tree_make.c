/* tree_make: a generated library on disk: files that are one small video each, with a number of
 * their own at its end (or that of the video of which they are a copy).
 *
 *   tree_make --tree DIR --master FILE --videos N [--folders N] [--groups N] [--first N]
 *
 * FILE is an MP4. Without --folders 20 videos share a folder, without --groups there are 10. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "generated.h"

enum { MASTER_MAX = 1 << 20, BOX_SIZE = 16 };

struct master {
    char bytes[MASTER_MAX + BOX_SIZE];
    size_t len;
};

static bool read_master(const char *path, struct master *master)
{
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file)
        return false;
    master->len = fread(master->bytes, 1, MASTER_MAX, file);
    fclose(file);
    return master->len > 0 && master->len < MASTER_MAX;
}

/* A box of type `free` at the end of an MP4 is passed over by all who read it. */
static void put_number(struct master *master, uint64_t number)
{
    unsigned char *box = (unsigned char *)master->bytes + master->len;
    memcpy(box,
           "\0\0\0\x10"
           "free",
           8);
    for (int i = 0; i < 8; i++)
        box[8 + i] = (unsigned char)(number >> (56 - 8 * i));
}

static bool write_file(int folder, const char *name, const struct master *master, uint64_t number)
{
    int64_t mtime_ns = generated_mtime_ns(number);
    struct timespec times[2] = {
        {.tv_sec = mtime_ns / 1000000000, .tv_nsec = mtime_ns % 1000000000}};
    times[1] = times[0];
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    size_t len = master->len + BOX_SIZE;
    bool ok = write(fd, master->bytes, len) == (ssize_t)len && futimens(fd, times) == 0;
    return close(fd) == 0 && ok;
}

/* The folder's descriptor; it and its group are made. -1: errno says why. */
static int make_folder(const struct generated *library, uint64_t folder)
{
    struct buf path = {0};
    generated_group_path(library, generated_group(library, folder), &path);
    mkdir(path.data, 0755);
    buf_clear(&path);
    generated_folder_path(library, folder, &path);
    mkdir(path.data, 0755);
    int fd = open(path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    buf_free(&path);
    return fd;
}

static bool make(const struct generated *library, struct master *master)
{
    struct buf name = {0};
    uint64_t number = library->first, end = library->first + library->videos;
    bool ok = true;
    for (uint64_t folder = 0; ok && folder < library->folders; folder++) {
        int fd = make_folder(library, folder);
        ok = fd >= 0;
        for (; ok && number < end && generated_folder(library, number) == folder; number++) {
            buf_clear(&name);
            generated_name(number, &name);
            put_number(master, generated_content(number));
            ok = write_file(fd, name.data, master, number);
        }
        if (fd >= 0)
            close(fd);
    }
    buf_free(&name);
    return ok;
}

static bool read_options(int argc, char **argv, struct generated *library, const char **master)
{
    static const struct option long_options[] = {
        {"tree", required_argument, NULL, 't'},
        {"master", required_argument, NULL, 'm'},
        {"videos", required_argument, NULL, 'v'},
        {"folders", required_argument, NULL, 'f'},
        {"groups", required_argument, NULL, 'g'},
        {"first", required_argument, NULL, '1'},
        {0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;
        switch (option) {
        case 't':
            library->root = optarg;
            break;
        case 'm':
            *master = optarg;
            break;
        case 'v':
            library->videos = number;
            break;
        case 'f':
            library->folders = number;
            break;
        case 'g':
            library->groups = number;
            break;
        case '1':
            library->first = number;
            break;
        default:
            return false;
        }
    }
    if (!library->folders)
        library->folders = (library->videos + 19) / 20;
    if (library->groups > library->folders)
        library->groups = library->folders;
    return library->root && library->groups && library->folders <= library->videos;
}

int main(int argc, char **argv)
{
    static struct master master;
    struct generated library = {.groups = 10};
    const char *path = NULL;
    if (!read_options(argc, argv, &library, &path)) {
        fprintf(stderr, "see the head of tree_make.c for the options\n");
        return 2;
    }
    mkdir(library.root, 0755);
    if (read_master(path, &master) && make(&library, &master))
        return EXIT_SUCCESS;
    perror("tree_make");
    return EXIT_FAILURE;
}
