/* damage: what is wrong with a file that libavformat could not open or found nothing in. */
#ifndef REELD_MEDIA_DAMAGE_H
#define REELD_MEDIA_DAMAGE_H

#include <libavformat/avformat.h>
#include <stdbool.h>

#include "fd_io.h"
#include "reeld/media.h"

/* Whether the outermost structure of the file goes on past its end; says so in `error` if it does.
 */
bool damage_is_truncated(struct fd_io *io, const AVInputFormat *format,
                         char error[MEDIA_ERROR_SIZE]);

/* Looks at the outermost structure of the file (MP4 boxes, RIFF and EBML sizes) and says
 * FAILURE_TRUNCATED when it goes on past the end of the file or lacks what comes last, else
 * FAILURE_CORRUPT; `av_error` is what libavformat answered, or 0. Fills `error`. */
enum failure_code damage_judge(struct fd_io *io, const AVInputFormat *format, int av_error,
                               char error[MEDIA_ERROR_SIZE]);

#endif
