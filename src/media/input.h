/* input: one media file, opened with the demuxer that its bytes ask for. Nothing but its descriptor
 * is ever opened or read. */
#ifndef REELD_MEDIA_INPUT_H
#define REELD_MEDIA_INPUT_H

#include <libavformat/avformat.h>

#include "fd_io.h"
#include "reeld/media.h"

/* Zeroed at first. */
struct input {
    struct fd_io io;
    const AVInputFormat *demuxer;
    AVFormatContext *format; /* NULL until input_open_header */
};

/* Looks at `fd`, which stays the caller's, and recognises the format; `name_hint` as in
 * media_probe. FAILURE_NONE, or the reason, with an explanation in `error`; input_close in any
 * case. */
enum failure_code input_begin(struct input *input, int fd, const char *name_hint,
                              char error[MEDIA_ERROR_SIZE]);

/* Reads the header with the demuxer that was recognised. 0, or an AVERROR. */
int input_open_header(struct input *input);

/* Opens it once more, from its beginning. 0, or an AVERROR. */
int input_reopen(struct input *input);

/* May be called twice, or on a zeroed struct. */
void input_close(struct input *input);

#endif
