/* still: a decoded frame as a small upright picture in the colours of JPEG. */
#ifndef REELD_MEDIA_STILL_H
#define REELD_MEDIA_STILL_H

#include <libavformat/avformat.h>
#include <stdbool.h>

/* How the coded picture is turned for display: first exchanged at its diagonal, then mirrored. */
struct still_turn {
    bool transpose, flip_x, flip_y;
};

struct still_plan {
    int width, height; /* of the upright picture */
    struct still_turn turn;
    bool hd; /* coded larger than SD, which is what its colours go by where the file does not say */
};

/* What a scaler is made for. */
struct still_scaling {
    int width, height, format, matrix, full_range; /* of what comes in */
    int out_width, out_height, out_format;
};

/* Makes stills; keeps what one frame has in common with the next. Zeroed at first. */
struct still_maker {
    struct SwsContext *scale, *encode;
    struct still_scaling scaling, encoding; /* what they were made for */
    AVFrame *scaled, *wide,
        *narrow; /* before it is turned; of HDR: before and after tone mapping */
};

/* How a frame of `stream` is shown `width` pixels wide, or as wide as it is if that is less. */
struct still_plan still_plan(AVFormatContext *format, AVStream *stream, AVFrame *frame, int width);

/* Writes the frame into `out`, a YUV420P picture of plan->width times plan->height pixels whose
 * memory is there: ITU-T T.871 (JFIF), which is BT.601 with all values from 0 to 255. HDR is mapped
 * to sRGB. 0, AVERROR(ENOMEM), or AVERROR(ENOSYS) for a pixel format that cannot be read. */
int still_make(struct still_maker *maker, const AVFrame *frame, const struct still_plan *plan,
               AVFrame *out);

void still_maker_free(struct still_maker *maker);

#endif
