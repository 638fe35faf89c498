/* analysis: what a file's packets tell and its header does not: rates, durations, late streams. */
#ifndef REELD_MEDIA_ANALYSIS_H
#define REELD_MEDIA_ANALYSIS_H

#include <libavformat/avformat.h>
#include <stdbool.h>

/* Whether the header of `format` leaves something open that only its packets can tell. */
bool analysis_is_needed(const AVFormatContext *format);

/* Lets libavformat analyse packets of a freshly opened `format`, decoding as little as possible:
 * nothing of a stream whose codec parameters are complete. 0, or an AVERROR. */
int analysis_run(AVFormatContext *format);

#endif
