/* catalogue_fill: makes a catalogue as a scan would write it, without workers, and prints as JSON
 * how fast its rows went in and how large its file is.
 *
 *   catalogue_fill FILE --videos N [--folders N] [--groups N]   a library that is nowhere
 *   catalogue_fill FILE --tree DIR                              the files of tree_make
 *     [--missing N] (further videos, whose files are gone)  [--commit ROWS]
 *
 * A row of a tree has the stamp of its file, so that a scan finds nothing to do. ROWS go into one
 * transaction: 80 unless told otherwise, as many as the library's own groups have. The time is what
 * the catalogue takes, with its closing, without the making of what is put there. */
#include <fts.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "generated.h"
#include "reeld/catalog.h"

enum { FOLDER_DEVICE = 66306, FIRST_INODE = 1000000, MISSING_FIRST = 1 << 30 };

struct filling {
    const char *path, *tree;
    struct generated library;
    struct catalog *catalog;
    uint64_t missing, commit;
    uint64_t open; /* rows of the transaction that is open; 0: none is */
    uint64_t filled;
    int64_t spent_ns;
};

static void insist(const struct filling *filling, enum rl_err err)
{
    if (err == RL_OK)
        return;
    fprintf(stderr, "catalogue_fill: %s: %s\n", rl_err_text(err), catalog_error(filling->catalog));
    exit(EXIT_FAILURE);
}

static void commit(struct filling *filling)
{
    if (filling->open)
        insist(filling, catalog_commit(filling->catalog));
    filling->open = 0;
}

/* Takes the path over. */
static void put(struct filling *filling, uint64_t number, char *path,
                const struct file_stamp *stamp)
{
    struct video video = {.path = path, .stamp = *stamp};
    enum outcome outcome;
    if (!path || generated_info(number, &video.info))
        abort();
    int64_t begun_ns = clock_mono_ns();
    if (!filling->open)
        insist(filling, catalog_begin(filling->catalog));
    insist(filling, catalog_video_put(filling->catalog, &video, 1, &outcome));
    filling->filled++;
    if (++filling->open >= filling->commit)
        commit(filling);
    filling->spent_ns += clock_mono_ns() - begun_ns;
    video_clear(&video);
}

static void keep_device(struct filling *filling, const char *folder, uint64_t device)
{
    int64_t begun_ns = clock_mono_ns();
    if (!filling->open)
        insist(filling, catalog_begin(filling->catalog));
    filling->open++;
    insist(filling, catalog_folder_device(filling->catalog, folder, device));
    filling->spent_ns += clock_mono_ns() - begun_ns;
}

static struct file_stamp generated_stamp(uint64_t number)
{
    return (struct file_stamp){.size = generated_size(number),
                               .mtime_ns = generated_mtime_ns(number),
                               .device = FOLDER_DEVICE,
                               .inode = FIRST_INODE + number};
}

static void fill_generated(struct filling *filling)
{
    struct generated *library = &filling->library;
    uint64_t last = UINT64_MAX;
    for (uint64_t number = 0; number < library->videos; number++) {
        struct buf path = {0};
        uint64_t folder = generated_folder(library, number);
        generated_folder_path(library, folder, &path);
        if (folder != last)
            keep_device(filling, path.data, FOLDER_DEVICE);
        last = folder;
        buf_puts(&path, "/");
        generated_name(number, &path);
        struct file_stamp stamp = generated_stamp(number);
        put(filling, number, buf_steal(&path), &stamp);
    }
}

static void fill_tree(struct filling *filling)
{
    char *const paths[] = {(char *)(uintptr_t)filling->tree, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk) {
        perror(filling->tree);
        exit(EXIT_FAILURE);
    }
    for (FTSENT *entry; (entry = fts_read(walk));) {
        const struct stat *found = entry->fts_statp;
        if (entry->fts_info == FTS_D)
            keep_device(filling, entry->fts_path, (uint64_t)found->st_dev);
        uint64_t number = generated_number(entry->fts_name);
        if (entry->fts_info != FTS_F || number == UINT64_MAX)
            continue;
        struct file_stamp stamp = {.size = found->st_size,
                                   .mtime_ns = found->st_mtim.tv_sec * INT64_C(1000000000) +
                                               found->st_mtim.tv_nsec,
                                   .device = (uint64_t)found->st_dev,
                                   .inode = (uint64_t)found->st_ino};
        put(filling, number, strdup(entry->fts_path), &stamp);
    }
    fts_close(walk);
}

static void fill_missing(struct filling *filling)
{
    for (uint64_t i = 0; i < filling->missing; i++) {
        uint64_t number = MISSING_FIRST + i;
        struct buf path = {0};
        buf_printf(&path, "%s/gone/", filling->tree ? filling->tree : filling->library.root);
        generated_name(number, &path);
        struct file_stamp stamp = generated_stamp(number);
        put(filling, number, buf_steal(&path), &stamp);
        struct place_list places;
        insist(filling, catalog_places_by_stamp(filling->catalog, &stamp, &places));
        if (!filling->open)
            insist(filling, catalog_begin(filling->catalog));
        filling->open++;
        insist(filling, places.count == 1 ? RL_OK : RL_ENOTFOUND);
        insist(filling, catalog_video_missing(filling->catalog, places.places[0].number, 0, NULL));
        place_list_clear(&places);
    }
}

static bool read_options(int argc, char **argv, struct filling *filling)
{
    static const struct option long_options[] = {
        {"videos", required_argument, NULL, 'v'},
        {"folders", required_argument, NULL, 'f'},
        {"groups", required_argument, NULL, 'g'},
        {"tree", required_argument, NULL, 't'},
        {"missing", required_argument, NULL, 'm'},
        {"commit", required_argument, NULL, 'c'},
        {0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;
        switch (option) {
        case 'v':
            filling->library.videos = number;
            break;
        case 'f':
            filling->library.folders = number;
            break;
        case 'g':
            filling->library.groups = number;
            break;
        case 't':
            filling->tree = optarg;
            break;
        case 'm':
            filling->missing = number;
            break;
        case 'c':
            filling->commit = number;
            break;
        default:
            return false;
        }
    }
    struct generated *library = &filling->library;
    if (!library->folders)
        library->folders = (library->videos + 19) / 20;
    if (library->groups > library->folders)
        library->groups = library->folders;
    filling->path = optind == argc - 1 ? argv[optind] : NULL;
    return filling->path && filling->commit && (filling->tree || library->videos) &&
           (filling->tree || (library->groups && library->folders <= library->videos));
}

int main(int argc, char **argv)
{
    static struct filling filling = {.commit = 80,
                                     .library = {.root = "/media/library", .groups = 100}};
    if (!read_options(argc, argv, &filling)) {
        fprintf(stderr, "see the head of catalogue_fill.c for the options\n");
        return 2;
    }
    char why[CATALOG_WHY_SIZE];
    if (catalog_open(filling.path, CATALOG_WRITER, &filling.catalog, why)) {
        fprintf(stderr, "catalogue_fill: %s\n", why);
        return EXIT_FAILURE;
    }
    if (filling.tree)
        fill_tree(&filling);
    else
        fill_generated(&filling);
    fill_missing(&filling);
    int64_t begun_ns = clock_mono_ns();
    commit(&filling);
    catalog_close(filling.catalog);
    filling.spent_ns += clock_mono_ns() - begun_ns;
    struct stat file;
    if (stat(filling.path, &file) != 0) {
        perror(filling.path);
        return EXIT_FAILURE;
    }
    double videos = (double)filling.filled, seconds = (double)filling.spent_ns / 1e9;
    printf(
        "{\"videos\":%.0f,\"seconds\":%.3f,\"rate\":%.1f,\"bytes\":%lld,\"bytes_a_video\":%.1f}\n",
        videos, seconds, videos / seconds, (long long)file.st_size, (double)file.st_size / videos);
    return EXIT_SUCCESS;
}
