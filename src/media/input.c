#include <errno.h>
#include <libavutil/dict.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "container.h"
#include "input.h"

static enum failure_code input_fail(char *error, enum failure_code code, const char *text)
{
    snprintf(error, MEDIA_ERROR_SIZE, "%s", text);
    return code;
}

/* A file that names another file or address gets neither. */
static int nested_open_refuse(AVFormatContext *format, AVIOContext **avio, const char *url,
                              int flags, AVDictionary **options)
{
    (void)format, (void)url, (void)flags, (void)options;
    *avio = NULL;
    return AVERROR(EACCES);
}

enum failure_code input_begin(struct input *input, int fd, const char *name_hint,
                              char error[MEDIA_ERROR_SIZE])
{
    struct stat status;
    if (fstat(fd, &status) < 0) {
        snprintf(error, MEDIA_ERROR_SIZE, "it cannot be read: %s", strerror(errno));
        return FAILURE_IO_ERROR;
    }
    if (!S_ISREG(status.st_mode))
        return input_fail(error, FAILURE_NOT_A_FILE, "it is not a regular file");
    if (status.st_size == 0)
        return input_fail(error, FAILURE_EMPTY, "it is empty (0 bytes)");
    if (fd_io_open(&input->io, fd, status.st_size) < 0)
        return input_fail(error, FAILURE_OOM, "there was not enough memory to open it");
    return container_detect(&input->io, name_hint, &input->demuxer, error);
}

int input_open_header(struct input *input)
{
    AVDictionary *options = NULL;
    input->format = avformat_alloc_context();
    if (!input->format)
        return AVERROR(ENOMEM);
    input->format->pb = input->io.avio;
    input->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    input->format->io_open = nested_open_refuse;
    av_dict_set(&options, "protocol_whitelist", "", 0);
    /* As ffprobe does: all programmes of a transport stream, not only the first. */
    av_dict_set(&options, "scan_all_pmts", "1", 0);
    int err = avformat_open_input(&input->format, "", input->demuxer, &options);
    av_dict_free(&options);
    return err;
}

void input_close(struct input *input)
{
    avformat_close_input(&input->format);
    fd_io_close(&input->io);
}

int input_reopen(struct input *input)
{
    int fd = input->io.fd;
    int64_t size = input->io.size;
    input_close(input);
    int err = fd_io_open(&input->io, fd, size);
    return err < 0 ? err : input_open_header(input);
}
