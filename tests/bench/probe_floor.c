/* probe_floor N FILELIST [full]: the floor that a scan is measured against. N processes share the
 * files of FILELIST and do nothing but probe them: no database, no events. With `full` they do what
 * programs usually do instead: open the input and let libavformat find the stream info. */
#include <fcntl.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floor.h"
#include "reeld/base.h"
#include "reeld/media.h"

static bool probe_ours(const char *path)
{
    char hint[16], error[MEDIA_ERROR_SIZE];
    struct media_info info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    path_extension(path, hint, sizeof hint);
    bool ok = media_probe(fd, hint, &info, error) == FAILURE_NONE;
    media_info_clear(&info);
    close(fd);
    return ok;
}

static bool probe_full(const char *path)
{
    AVFormatContext *format = NULL;
    bool ok = avformat_open_input(&format, path, NULL, NULL) >= 0 &&
              avformat_find_stream_info(format, NULL) >= 0;
    avformat_close_input(&format);
    return ok;
}

int main(int argc, char **argv)
{
    bool full = argc == 4 && strcmp(argv[3], "full") == 0;
    int processes = argc >= 3 ? atoi(argv[1]) : 0;
    if (processes < 1 || argc > 4 || (argc == 4 && !full)) {
        fprintf(stderr, "usage: probe_floor PROCESSES FILELIST [full]\n");
        return 2;
    }
    media_init();
    return floor_run(full ? "full" : "probe", processes, argv[2], full ? probe_full : probe_ours);
}
