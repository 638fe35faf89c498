#include <libavcodec/avcodec.h>
#include <stdlib.h>

#include "codecs.h"

enum {
    PACKETS_MAX = 300, /* read for all streams together */
    BYTES_MAX = 4 * 1024 * 1024,
    PACKETS_PER_STREAM = 60, /* fed: a cut stream may begin far from a key frame */
};

struct codec_found {
    AVCodecContext *codec; /* NULL: there is nothing to ask */
    int packets;           /* fed so far */
    bool wants_packet;
};

static bool stream_is_cover(const AVStream *stream)
{
    return (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
}

/* What the decoder says after its codec header alone is final for these; for all others the first
 * packet has a word in it (an SPS within the stream, implicit SBR, the profile, the colours). */
static bool codec_header_suffices(const AVCodecContext *codec)
{
    if (codec->codec_type == AVMEDIA_TYPE_VIDEO)
        return (codec->codec_id == AV_CODEC_ID_HEVC || codec->codec_id == AV_CODEC_ID_AV1) &&
               codec->extradata_size > 0 && codec->pix_fmt != AV_PIX_FMT_NONE;
    switch (codec->codec_id) {
    case AV_CODEC_ID_AAC:
    case AV_CODEC_ID_AAC_LATM:
    case AV_CODEC_ID_MP2:
    case AV_CODEC_ID_MP3:
    case AV_CODEC_ID_AC3:
    case AV_CODEC_ID_EAC3:
    case AV_CODEC_ID_DTS:
    case AV_CODEC_ID_TRUEHD:
    case AV_CODEC_ID_MLP:
        return false;
    default:
        return codec->sample_rate > 0 && codec->ch_layout.nb_channels > 0;
    }
}

static bool codec_is_known(const AVCodecContext *codec)
{
    if (codec->codec_type == AVMEDIA_TYPE_VIDEO)
        return codec->pix_fmt != AV_PIX_FMT_NONE && codec->width > 0 && codec->height > 0;
    return codec->sample_rate > 0 && codec->ch_layout.nb_channels > 0;
}

static int picture_refuse(AVCodecContext *codec, AVFrame *frame, int flags)
{
    (void)codec, (void)frame, (void)flags;
    return AVERROR(ENOMEM);
}

/* The decoder of `stream`, told to do as little as it can; NULL when there is none. */
static AVCodecContext *codec_open(const AVStream *stream)
{
    const AVCodec *decoder = avcodec_find_decoder(stream->codecpar->codec_id);
    AVCodecContext *codec = decoder ? avcodec_alloc_context3(decoder) : NULL;
    if (!codec)
        return NULL;
    codec->thread_count = 1;
    codec->error_concealment = 0;
    codec->pkt_timebase = stream->time_base;
    if (stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO)
        codec->get_buffer2 = picture_refuse;
    if (avcodec_parameters_to_context(codec, stream->codecpar) < 0 ||
        avcodec_open2(codec, decoder, NULL) < 0)
        avcodec_free_context(&codec);
    return codec;
}

/* FFmpeg's VP8 decoder takes its picture's memory before it tells the profile; the parser tells. */
static void codec_parse(AVCodecContext *codec, const AVPacket *packet)
{
    AVCodecParserContext *parser = av_parser_init((int)codec->codec_id);
    uint8_t *bytes;
    int size;
    if (!parser)
        return;
    parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
    av_parser_parse2(parser, codec, &bytes, &size, packet->data, packet->size, AV_NOPTS_VALUE,
                     AV_NOPTS_VALUE, -1);
    av_parser_close(parser);
}

/* Gives the decoder `packet`. That it refuses it is no matter: what counts is what it knows then.
 */
static bool codec_feed(AVCodecContext *codec, const AVPacket *packet, AVFrame *frame)
{
    if (codec->codec_id == AV_CODEC_ID_VP8) {
        codec_parse(codec, packet);
        return codec_is_known(codec);
    }
    avcodec_send_packet(codec, packet);
    while (avcodec_receive_frame(codec, frame) >= 0)
        av_frame_unref(frame);
    return codec_is_known(codec);
}

/* Takes up the streams that `format` has by now. Returns how many of them want a packet. */
static int codecs_grow(struct codecs *codecs, AVFormatContext *format, AVFrame *frame)
{
    int wanting = 0;
    if (format->nb_streams <= codecs->n)
        return 0;
    struct codec_found *found = realloc(codecs->found, format->nb_streams * sizeof *found);
    if (!found)
        return AVERROR(ENOMEM);
    codecs->found = found;
    for (; codecs->n < format->nb_streams; codecs->n++) {
        AVStream *stream = format->streams[codecs->n];
        struct codec_found *one = &found[codecs->n];
        *one = (struct codec_found){0};
        stream->discard = AVDISCARD_ALL;
        if (stream->codecpar->codec_type != AVMEDIA_TYPE_VIDEO &&
            stream->codecpar->codec_type != AVMEDIA_TYPE_AUDIO)
            continue;
        one->codec = codec_open(stream);
        if (!one->codec || codec_header_suffices(one->codec))
            continue;
        if (stream_is_cover(stream)) {
            if (stream->attached_pic.size > 0)
                codec_feed(one->codec, &stream->attached_pic, frame);
            continue;
        }
        one->wants_packet = true;
        stream->discard = AVDISCARD_DEFAULT;
        wanting++;
    }
    return wanting;
}

/* Feeds packets until no stream wants one any more. 0, or AVERROR(ENOMEM). */
static int codecs_read(struct codecs *codecs, AVFormatContext *format, AVPacket *packet,
                       AVFrame *frame)
{
    int64_t bytes = 0;
    int wanting = codecs_grow(codecs, format, frame);
    for (int i = 0; i < PACKETS_MAX && bytes < BYTES_MAX && wanting > 0; i++) {
        if (av_read_frame(format, packet) < 0)
            break;
        bytes += packet->size;
        int more = codecs_grow(codecs, format, frame);
        if (more < 0)
            wanting = more;
        else
            wanting += more;
        struct codec_found *one = &codecs->found[packet->stream_index];
        if (wanting > 0 && one->wants_packet &&
            (codec_feed(one->codec, packet, frame) || ++one->packets == PACKETS_PER_STREAM)) {
            one->wants_packet = false;
            format->streams[packet->stream_index]->discard = AVDISCARD_ALL;
            wanting--;
        }
        av_packet_unref(packet);
    }
    return wanting < 0 ? wanting : 0;
}

int codecs_ask(struct codecs *codecs, AVFormatContext *format)
{
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    int err = AVERROR(ENOMEM);
    if (!packet || !frame)
        goto out;
    /* Whole packets as they lie in the file: no parser has to look at them. */
    format->flags |= AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN;
    err = codecs_read(codecs, format, packet, frame);
    codecs->complete = err >= 0;
    for (unsigned i = 0; i < codecs->n; i++) {
        if (codecs->found[i].codec && !codec_is_known(codecs->found[i].codec) &&
            !stream_is_cover(format->streams[i]))
            codecs->complete = false;
    }
out:
    av_frame_free(&frame);
    av_packet_free(&packet);
    return err;
}

/* The decoder of stream `i` of `format` that has something to say of it, or NULL. */
static const AVCodecContext *codecs_find(const struct codecs *codecs, const AVFormatContext *format,
                                         unsigned i)
{
    const AVCodecContext *codec = i < codecs->n ? codecs->found[i].codec : NULL;
    if (!codec || codec->codec_id != format->streams[i]->codecpar->codec_id)
        return NULL;
    return codec_is_known(codec) ? codec : NULL;
}

int codecs_apply(const struct codecs *codecs, AVFormatContext *format)
{
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVCodecContext *codec = codecs_find(codecs, format, i);
        int err = codec ? avcodec_parameters_from_context(format->streams[i]->codecpar, codec) : 0;
        if (err < 0)
            return err;
    }
    return 0;
}

/* Of these, libavformat's analysis decodes whole pictures to know their format. With the others it
 * is content with a header, and learns the rate from it too. */
static bool stream_costs_decoding(const AVStream *stream)
{
    switch (stream->codecpar->codec_id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_PRORES:
    case AV_CODEC_ID_DVVIDEO:
    case AV_CODEC_ID_DNXHD:
    case AV_CODEC_ID_FFV1:
    case AV_CODEC_ID_JPEG2000:
        return true;
    case AV_CODEC_ID_HEVC:
        return stream->codecpar->extradata_size == 0;
    default:
        return false;
    }
}

bool codecs_spare_decoding(const AVFormatContext *format)
{
    for (unsigned i = 0; i < format->nb_streams; i++) {
        if (stream_costs_decoding(format->streams[i]))
            return true;
    }
    return false;
}

int codecs_prepare_analysis(const struct codecs *codecs, AVFormatContext *format)
{
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVCodecContext *codec = codecs_find(codecs, format, i);
        if (!codec || !stream_costs_decoding(format->streams[i]))
            continue;
        int err = avcodec_parameters_from_context(format->streams[i]->codecpar, codec);
        if (err < 0)
            return err;
    }
    return 0;
}

void codecs_complete_analysis(const struct codecs *codecs, AVFormatContext *format)
{
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVStream *stream = format->streams[i];
        const AVCodecContext *codec = codecs_find(codecs, format, i);
        /* Where packets told nothing, the analysis falls back on the inverse of the time base. */
        if (codec && stream_costs_decoding(stream) && codec->framerate.num > 0 &&
            codec->framerate.den > 0 &&
            av_cmp_q(stream->r_frame_rate, av_inv_q(stream->time_base)) == 0 &&
            av_cmp_q(codec->framerate, stream->r_frame_rate) < 0)
            stream->r_frame_rate = codec->framerate;
    }
}

void codecs_free(struct codecs *codecs)
{
    for (unsigned i = 0; i < codecs->n; i++)
        avcodec_free_context(&codecs->found[i].codec);
    free(codecs->found);
    *codecs = (struct codecs){0};
}
