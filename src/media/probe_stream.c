#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/display.h>
#include <libavutil/mathematics.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "container.h"
#include "probe_stream.h"
#include "text.h"

int32_t probe_stream_kind(const AVStream *stream)
{
    switch (stream->codecpar->codec_type) {
    case AVMEDIA_TYPE_VIDEO:
        return MEDIA_VIDEO;
    case AVMEDIA_TYPE_AUDIO:
        return MEDIA_AUDIO;
    case AVMEDIA_TYPE_SUBTITLE:
        return MEDIA_SUBTITLE;
    case AVMEDIA_TYPE_DATA:
        return MEDIA_DATA;
    case AVMEDIA_TYPE_ATTACHMENT:
        return MEDIA_ATTACHMENT;
    default:
        return MEDIA_OTHER;
    }
}

int64_t probe_time_us(int64_t value, AVRational base)
{
    if (value == AV_NOPTS_VALUE || base.num <= 0 || base.den <= 0)
        return MEDIA_UNKNOWN;
    /* Answers INT64_MIN, which is MEDIA_UNKNOWN, when the result does not fit. */
    return av_rescale_q(value, base, AV_TIME_BASE_Q);
}

static struct media_rational stream_rational(AVRational value)
{
    if (value.num <= 0 || value.den <= 0)
        return (struct media_rational){0};
    return (struct media_rational){value.num, value.den};
}

static uint32_t stream_disposition(int disposition)
{
    uint32_t bits = 0;
#define X(name, word, bit)                                                                         \
    if (disposition & AV_DISPOSITION_##name)                                                       \
        bits |= MEDIA_DISPOSITION_##name;
    MEDIA_DISPOSITIONS(X)
#undef X
    return bits;
}

/* Degrees clockwise, 0 to 359, by which to turn the picture. The matrix is from the file: an angle
 * is only taken when it is one. A mirrored picture is seen as turned and then mirrored left to
 * right, so that a plain mirror image counts as upright. */
static int32_t stream_rotation(const AVStream *stream)
{
    size_t size = 0;
    const uint8_t *side = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    int32_t matrix[9];
    if (!side || size < sizeof matrix)
        return 0;
    memcpy(matrix, side, sizeof matrix);
    double determinant = (double)matrix[0] * matrix[4] - (double)matrix[1] * matrix[3];
    if (determinant < 0) {
        matrix[0] = matrix[0] == INT32_MIN ? INT32_MAX : -matrix[0];
        matrix[3] = matrix[3] == INT32_MIN ? INT32_MAX : -matrix[3];
    }
    double angle = av_display_rotation_get(matrix); /* counter-clockwise, -180 to 180, or NaN */
    if (!isfinite(angle) || fabs(angle) > 360)
        return 0;
    long clockwise = lround(-angle) % 360;
    return (int32_t)(clockwise < 0 ? clockwise + 360 : clockwise);
}

static bool stream_has(const AVStream *stream, enum AVPacketSideDataType type)
{
    return av_stream_get_side_data(stream, type, NULL) != NULL;
}

/* "hdr10" is what the PQ curve in BT.2020 colours is called by players, whether or not the
 * mastering display is described too; a PQ curve in other colours is just that. */
static const char *stream_hdr(const AVStream *stream)
{
    const AVCodecParameters *par = stream->codecpar;
    if (stream_has(stream, AV_PKT_DATA_DOVI_CONF))
        return "dolby-vision";
    if (par->color_trc == AVCOL_TRC_ARIB_STD_B67)
        return "hlg";
    if (par->color_trc != AVCOL_TRC_SMPTE2084)
        return "";
    if (stream_has(stream, AV_PKT_DATA_DYNAMIC_HDR10_PLUS))
        return "hdr10+";
    return par->color_primaries == AVCOL_PRI_BT2020 ? "hdr10" : "pq";
}

/* A colour property by name, "" for 2, "unspecified" (ISO/IEC 23091-2). */
#define COLOR_COPY(to, name, value, unspecified)                                                   \
    text_copy(to, sizeof to, (value) == (unspecified) ? NULL : name(value))

static void stream_describe_video(AVFormatContext *format, AVStream *stream,
                                  struct media_stream *out)
{
    const AVCodecParameters *par = stream->codecpar;
    const AVPixFmtDescriptor *pixel = av_pix_fmt_desc_get(par->format);
    out->width = par->width > 0 ? par->width : 0;
    out->height = par->height > 0 ? par->height : 0;
    out->rotation = stream_rotation(stream);
    out->sample_aspect = stream_rational(av_guess_sample_aspect_ratio(format, stream, NULL));
    out->frame_rate = stream_rational(stream->r_frame_rate);
    /* A cover has no rate; the inverse of its time base stands for it when libavformat analysed
     * the file, and shall also when it did not. */
    if (out->frame_rate.num == 0 && (stream->disposition & AV_DISPOSITION_ATTACHED_PIC))
        out->frame_rate = stream_rational(av_inv_q(stream->time_base));
    out->average_frame_rate = stream_rational(stream->avg_frame_rate);
    if (pixel) {
        text_copy(out->pixel_format, sizeof out->pixel_format, pixel->name);
        out->bit_depth = pixel->comp[0].depth;
    }
    COLOR_COPY(out->color_range, av_color_range_name, par->color_range, AVCOL_RANGE_UNSPECIFIED);
    COLOR_COPY(out->color_space, av_color_space_name, par->color_space, AVCOL_SPC_UNSPECIFIED);
    COLOR_COPY(out->color_primaries, av_color_primaries_name, par->color_primaries,
               AVCOL_PRI_UNSPECIFIED);
    COLOR_COPY(out->color_transfer, av_color_transfer_name, par->color_trc, AVCOL_TRC_UNSPECIFIED);
    text_copy(out->hdr, sizeof out->hdr, stream_hdr(stream));
}

static void stream_describe_audio(const AVStream *stream, struct media_stream *out)
{
    const AVCodecParameters *par = stream->codecpar;
    const AVChannelLayout *layout = &par->ch_layout;
    out->channels = layout->nb_channels > 0 ? layout->nb_channels : 0;
    out->sample_rate = par->sample_rate > 0 ? par->sample_rate : 0;
    out->bit_depth = par->bits_per_raw_sample > 0 ? par->bits_per_raw_sample
                                                  : av_get_bits_per_sample(par->codec_id);
    if (layout->order != AV_CHANNEL_ORDER_UNSPEC) {
        char text[sizeof out->channel_layout] = "";
        if (av_channel_layout_describe(layout, text, sizeof text) > 0)
            text_copy(out->channel_layout, sizeof out->channel_layout, text);
    }
}

static void stream_describe_codec(const AVCodecParameters *par, struct media_stream *out)
{
    const AVCodecDescriptor *codec = avcodec_descriptor_get(par->codec_id);
    const char *profile = avcodec_profile_name(par->codec_id, par->profile);
    if (codec)
        text_copy(out->codec, sizeof out->codec, codec->name);
    if (profile)
        text_copy(out->profile, sizeof out->profile, profile);
    else if (par->profile != FF_PROFILE_UNKNOWN)
        snprintf(out->profile, sizeof out->profile, "%d", par->profile);
}

/* Matroska has no durations of streams; libavformat gives the file's to those of which its analysis
 * happened to see no packet. */
static int64_t stream_duration_us(const AVFormatContext *format, const AVStream *stream)
{
    if (container_is(format->iformat, "matroska"))
        return MEDIA_UNKNOWN;
    return probe_time_us(stream->duration, stream->time_base);
}

static const char *stream_tag(const AVStream *stream, const char *name)
{
    const AVDictionaryEntry *tag = av_dict_get(stream->metadata, name, NULL, 0);
    return tag ? tag->value : NULL;
}

void probe_stream_describe(AVFormatContext *format, AVStream *stream, struct media_stream *out)
{
    const AVCodecParameters *par = stream->codecpar;
    *out = (struct media_stream){
        .index = stream->index,
        .kind = probe_stream_kind(stream),
        .disposition = stream_disposition(stream->disposition),
        .bit_rate = par->bit_rate > 0 ? par->bit_rate : MEDIA_UNKNOWN,
        .duration_us = stream_duration_us(format, stream),
        .frames = stream->nb_frames > 0 ? stream->nb_frames : MEDIA_UNKNOWN,
    };
    stream_describe_codec(par, out);
    if (out->kind == MEDIA_VIDEO)
        stream_describe_video(format, stream, out);
    else if (out->kind == MEDIA_AUDIO)
        stream_describe_audio(stream, out);
    text_copy(out->language, sizeof out->language, stream_tag(stream, "language"));
    text_copy(out->title, sizeof out->title, stream_tag(stream, "title"));
}
