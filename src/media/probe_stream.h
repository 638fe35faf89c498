/* probe_stream: one libavformat stream as a struct media_stream. */
#ifndef REELD_MEDIA_PROBE_STREAM_H
#define REELD_MEDIA_PROBE_STREAM_H

#include <libavformat/avformat.h>

#include "reeld/media_info.h"

/* The enum media_kind of `stream`; a picture attached to sound is MEDIA_VIDEO, as in ffprobe. */
int32_t probe_stream_kind(const AVStream *stream);

/* Fills `*out` from what is known of `stream` of `format` so far; reads and decodes nothing. */
void probe_stream_describe(AVFormatContext *format, AVStream *stream, struct media_stream *out);

/* `value` in units of `base` as microseconds; MEDIA_UNKNOWN when either makes no sense. */
int64_t probe_time_us(int64_t value, AVRational base);

#endif
