/* jpeg: writes a picture as JPEG. */
#ifndef REELD_MEDIA_JPEG_H
#define REELD_MEDIA_JPEG_H

#include <libavutil/frame.h>
#include <stddef.h>

/* Encodes a YUV420P picture whose values go from 0 to 255, coarser where it would else take more
 * than PICTURE_BYTES_MAX. `*bytes` is the caller's, from malloc. 0, or an AVERROR. */
int jpeg_encode(AVFrame *picture, unsigned char **bytes, size_t *len);

#endif
