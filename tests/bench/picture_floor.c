/* picture_floor N FILELIST [OUT [WIDTH [sheet]]]: the floor that thumbnails are measured against. N
 * processes share the files of FILELIST and do nothing but make a thumbnail of each: no database,
 * no store, no events. With OUT, a folder, the pictures are kept there, to be looked at, and what
 * has none is said on standard error; `sheet`: storyboards instead. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floor.h"
#include "reeld/base.h"
#include "reeld/media.h"

static const char *out_folder;
static struct picture_request request = {.kind = PICTURE_THUMBNAIL, .width = 320};

static void keep(const char *path, const struct picture *picture)
{
    const char *name = strrchr(path, '/');
    char out[4096];
    snprintf(out, sizeof out, "%s/%s.jpg", out_folder, name ? name + 1 : path);
    FILE *file = fopen(out, "wb");
    if (!file || fwrite(picture->bytes, 1, picture->len, file) != picture->len)
        perror(out);
    if (file)
        fclose(file);
    if (picture->n_tiles > 0)
        fprintf(stderr, "%s: %d x %d, %u frames\n", path, picture->width, picture->height,
                picture->n_tiles);
}

static bool make(const char *path)
{
    char hint[16], error[MEDIA_ERROR_SIZE];
    struct picture picture;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    path_extension(path, hint, sizeof hint);
    enum failure_code code = media_picture(fd, hint, &request, &picture, error);
    close(fd);
    if (out_folder && code == FAILURE_NONE)
        keep(path, &picture);
    else if (out_folder)
        fprintf(stderr, "%s: %d, %s\n", path, (int)code, error);
    picture_clear(&picture);
    return code == FAILURE_NONE;
}

int main(int argc, char **argv)
{
    int processes = argc >= 3 ? atoi(argv[1]) : 0;
    if (argc > 3)
        out_folder = argv[3];
    if (argc > 4)
        request.width = atoi(argv[4]);
    if (argc > 5)
        request.kind = PICTURE_STORYBOARD;
    if (processes < 1 || argc > 6 || request.width < PICTURE_WIDTH_MIN ||
        request.width > PICTURE_WIDTH_MAX) {
        fprintf(stderr, "usage: picture_floor PROCESSES FILELIST [OUT [WIDTH [sheet]]]\n");
        return 2;
    }
    media_init();
    return floor_run("pictures", processes, argv[2], make);
}
