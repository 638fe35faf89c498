/* tone: HDR pictures in the colours and the brightness of sRGB. */
#ifndef REELD_MEDIA_TONE_H
#define REELD_MEDIA_TONE_H

#include <libavutil/frame.h>
#include <stdbool.h>

/* Whether a picture with this transfer curve has to be mapped: PQ and HLG (ITU-R BT.2100). */
bool tone_is_hdr(enum AVColorTransferCharacteristic curve);

/* Maps `from` (RGB48, all values from 0 to 65535, in the curve, the primaries and with the side
 * data of `frame`) to `to` (RGB24, sRGB) of the same size. 0, or AVERROR(ENOMEM). */
int tone_map(const AVFrame *frame, const AVFrame *from, AVFrame *to);

#endif
