/* codecs: what the decoders themselves say of the streams of a file, without a picture decoded.
 *
 * A decoder asks for the memory of its first picture when it knows how large it is and of what
 * format. Here it is refused, and gives up: all that describes the stream is known by then, and
 * nothing was spent on the picture, which can take tens of milliseconds. */
#ifndef REELD_MEDIA_CODECS_H
#define REELD_MEDIA_CODECS_H

#include <libavformat/avformat.h>
#include <stdbool.h>

/* What is known of the streams of one file; zeroed at first. */
struct codecs {
    struct codec_found *found; /* one for each stream */
    unsigned n;
    bool complete; /* all sound and moving pictures are described */
};

/* Opens the decoder of each stream of `format` with its codec header and, where that leaves
 * something open, gives it the first packets of the stream. Consumes packets of `format` and
 * changes nothing else in it. 0, or AVERROR(ENOMEM). */
int codecs_ask(struct codecs *codecs, AVFormatContext *format);

/* Puts what was found into the streams of the `format` that was asked. 0, or AVERROR(ENOMEM). */
int codecs_apply(const struct codecs *codecs, AVFormatContext *format);

/* Whether asking spares an analysis of `format` the decoding of whole pictures. */
bool codecs_spare_decoding(const AVFormatContext *format);

/* Puts what was found into `format`, freshly opened on the file that was asked, so that its
 * analysis decodes no picture. 0, or AVERROR(ENOMEM). */
int codecs_prepare_analysis(const struct codecs *codecs, AVFormatContext *format);

/* After that analysis: puts in the frame rates that only the codec knows. */
void codecs_complete_analysis(const struct codecs *codecs, AVFormatContext *format);

void codecs_free(struct codecs *codecs);

#endif
