/* storyboard: key frames of a whole video on one sheet. */
#ifndef REELD_MEDIA_STORYBOARD_H
#define REELD_MEDIA_STORYBOARD_H

#include "frames.h"
#include "still.h"

/* Fills everything of `out` but its bytes, and makes the sheet, a YUV420P picture that the caller
 * frees. 0, or an AVERROR when there is not one frame to show. */
int storyboard_make(struct frames *frames, struct still_maker *maker, int width,
                    struct picture *out, AVFrame **sheet);

#endif
