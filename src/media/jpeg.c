#include <libavcodec/avcodec.h>
#include <stdlib.h>
#include <string.h>

#include "jpeg.h"
#include "reeld/media_picture.h"

enum { JPEG_QUALITY = 4, JPEG_QUALITY_LAST = 31 }; /* divisors of the tables: the less, the finer */

static int encode_once(const AVCodec *encoder, AVFrame *picture, int quality, AVPacket *packet)
{
    AVCodecContext *codec = avcodec_alloc_context3(encoder);
    if (!codec)
        return AVERROR(ENOMEM);
    codec->width = picture->width;
    codec->height = picture->height;
    codec->pix_fmt = AV_PIX_FMT_YUVJ420P;
    codec->color_range = AVCOL_RANGE_JPEG;
    codec->time_base = (AVRational){1, 25};
    codec->thread_count = 1;
    codec->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT; /* and no comment in it */
    codec->global_quality = picture->quality = FF_QP2LAMBDA * quality;
    picture->format = AV_PIX_FMT_YUVJ420P;
    int err = avcodec_open2(codec, encoder, NULL);
    if (err >= 0)
        err = avcodec_send_frame(codec, picture);
    if (err >= 0)
        err = avcodec_receive_packet(codec, packet);
    picture->format = AV_PIX_FMT_YUV420P;
    avcodec_free_context(&codec);
    return err;
}

int jpeg_encode(AVFrame *picture, unsigned char **bytes, size_t *len)
{
    const AVCodec *encoder = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    AVPacket *packet = av_packet_alloc();
    int err = encoder && packet ? 0 : AVERROR(ENOMEM);
    for (int quality = JPEG_QUALITY; err >= 0; quality *= 2) {
        if (quality > JPEG_QUALITY_LAST)
            quality = JPEG_QUALITY_LAST;
        err = encode_once(encoder, picture, quality, packet);
        if (err < 0 || packet->size <= PICTURE_BYTES_MAX)
            break;
        av_packet_unref(packet);
        if (quality == JPEG_QUALITY_LAST)
            err = AVERROR(ENOSPC);
    }
    if (err >= 0) {
        *len = (size_t)packet->size;
        *bytes = malloc(*len);
        err = *bytes ? 0 : AVERROR(ENOMEM);
    }
    if (err >= 0)
        memcpy(*bytes, packet->data, *len);
    av_packet_free(&packet);
    return err;
}
