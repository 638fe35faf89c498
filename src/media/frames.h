/* frames: single frames of a video, decoded with as little work as that takes. */
#ifndef REELD_MEDIA_FRAMES_H
#define REELD_MEDIA_FRAMES_H

#include <libavcodec/avcodec.h>
#include <stdbool.h>

#include "input.h"

/* One video that is looked into; zeroed at first. */
struct frames {
    struct input input;
    AVStream *stream; /* the one to show */
    AVCodecContext *codec;
    AVPacket *packet;
    bool pending;        /* the packet was read to find the stream, and is its first */
    AVFrame *frame;      /* the one found last */
    int64_t frame_us;    /* its time from the beginning of the video; 0: unknown */
    int64_t start_us;    /* the container's time of the beginning */
    int64_t duration_us; /* of the video; 0: unknown */
    int64_t found_at, found_pts;
    bool cover; /* the stream is a picture that is attached to sound */
};

enum { FRAMES_SAME = 1 }; /* the frame found is the one that was found before; not decoded again */

/* Opens the video behind `fd` and the decoder of its main stream, for pictures that are `width`
 * pixels wide. `times`: duration_us and frame_us are wanted too, which costs reading in some
 * containers. FAILURE_NONE, or the reason, with an explanation in `error`; frames_close in any
 * case. */
enum failure_code frames_open(struct frames *frames, int fd, const char *name_hint, int width,
                              bool times, char error[MEDIA_ERROR_SIZE]);

/* Goes to the last key frame before a place in thousandths of the duration, or of the bytes where
 * the duration is not known. Less than 0: it cannot be found, and frames_next goes on anywhere. */
int frames_seek(struct frames *frames, int permille);

/* The same for a time. */
int frames_seek_us(struct frames *frames, int64_t time_us);

/* Starts again at the beginning. 0, or an AVERROR. */
int frames_rewind(struct frames *frames);

/* Finds and decodes the next key frame that is shown at `from_us` or later; less than 0: any. 0,
 * FRAMES_SAME, or an AVERROR: AVERROR_EOF when there is none within reach. */
int frames_next_key(struct frames *frames, int64_t from_us);

/* Whether seeking finds key frames: where there is no index of them it ends anywhere. */
bool frames_seek_well(const struct frames *frames);

/* Decodes the next frame, whatever it is, after frames_rewind or frames_next. 0, or an AVERROR. */
int frames_next(struct frames *frames);

void frames_close(struct frames *frames);

#endif
