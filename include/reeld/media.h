/* media: reads one media file through a file descriptor. The only room that knows libav; it is
 * linked into reeld-worker (and tests and benchmarks), never into the daemon. One thread. */
#ifndef REELD_MEDIA_H
#define REELD_MEDIA_H

#include "reeld/media_info.h"
#include "reeld/media_picture.h"
#include "reeld/vocabulary.h"

/* Does once what would otherwise touch files or the environment in the middle of a probe. Call it
 * before the sandbox closes. */
void media_init(void);

/* The version of what judges files: reeld's probe and the libav libraries. A failure that another
 * version judged is tried again. Static string, e.g. "1/59.27.100/59.37.100". */
const char *media_version(void);

/* Describes the file behind `fd` (read with pread only; not closed; its offset is not used).
 *   `name_hint` the file's extension in lower case without the dot, or "": only a tie-break for the
 *               demuxer, as a file name is for ffprobe; it never makes a file acceptable.
 * Returns FAILURE_NONE and fills `*out` (clear it with media_info_clear), or the reason and an
 * explanation in `error`, and leaves `*out` empty. Nothing but `fd` is ever opened or read. */
enum failure_code media_probe(int fd, const char *name_hint, struct media_info *out,
                              char error[MEDIA_ERROR_SIZE]);

/* Makes a picture of the video behind `fd`, `name_hint` as above: upright, in the shape in which it
 * is shown, in sRGB. A storyboard has as many frames as there are key frames for, one a second at
 * most, and STORYBOARD_TILES_MAX at most; its frames are no wider than STORYBOARD_WIDTH_MAX.
 * Returns FAILURE_NONE and fills `*out` (clear it with picture_clear), or the reason and an
 * explanation in `error`, and leaves `*out` empty: FAILURE_NO_PICTURE where the file can be read
 * and has nothing to show, else a code as of media_probe. */
enum failure_code media_picture(int fd, const char *name_hint,
                                const struct picture_request *request, struct picture *out,
                                char error[MEDIA_ERROR_SIZE]);

#endif
