/* probe_summary: a probed file as struct media_info. */
#ifndef REELD_MEDIA_PROBE_SUMMARY_H
#define REELD_MEDIA_PROBE_SUMMARY_H

#include <libavformat/avformat.h>
#include <stdint.h>

#include "reeld/media_info.h"

/* Fills `*out` but its fingerprint from what is known of `format`, a file of `size` bytes. 0, or
 * AVERROR(ENOMEM) and `*out` is empty. */
int probe_summarize(AVFormatContext *format, int64_t size, struct media_info *out);

/* Which of two video streams a player would show: the one with the higher rank. One that moves
 * before a cover, then what is marked as default, then what has a size, then the larger one. */
int64_t probe_picture_rank(const AVStream *stream);

#endif
