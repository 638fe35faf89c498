/* container: which file formats reeld reads, and how a format is recognised. */
#ifndef REELD_MEDIA_CONTAINER_H
#define REELD_MEDIA_CONTAINER_H

#include <libavformat/avformat.h>

#include "fd_io.h"
#include "reeld/media.h"

/* Recognises the format of the file from its bytes, `name_hint` being a tie-break only. On
 * FAILURE_NONE `*out` is a demuxer of a real media container, and the reader is back at the
 * beginning. FAILURE_NOT_MEDIA for everything else, above all for what would make libavformat open
 * further files (playlists, session descriptions, image sequences), with the reason in `error`. */
enum failure_code container_detect(struct fd_io *io, const char *name_hint,
                                   const AVInputFormat **out, char error[MEDIA_ERROR_SIZE]);

/* Whether `format` is libavformat's demuxer `name`: one of its comma-separated names. */
int container_is(const AVInputFormat *format, const char *name);

#endif
