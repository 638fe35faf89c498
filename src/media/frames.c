#include <libavutil/mathematics.h>
#include <stdio.h>

#include "analysis.h"
#include "container.h"
#include "damage.h"
#include "frames.h"
#include "probe_summary.h"

enum {
    HEAD_PACKETS = 600, /* read until the stream to show is known */
    HEAD_BYTES = 8 << 20,
    KEY_PACKETS = 6000, /* read until there is a key frame: two minutes of video */
    KEY_BYTES = 96 << 20,
    KEY_FAILURES = 8, /* key frames that cannot be decoded, one after the other */
};

/* ---- opening ------------------------------------------------------------------------------- */

static AVStream *stream_choose(AVFormatContext *format)
{
    AVStream *best = NULL;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVStream *stream = format->streams[i];
        if (stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
            (!best || probe_picture_rank(stream) > probe_picture_rank(best)))
            best = stream;
    }
    return best;
}

static bool stream_ready(const AVStream *stream)
{
    return stream && !(stream->disposition & AV_DISPOSITION_ATTACHED_PIC) &&
           stream->codecpar->codec_id != AV_CODEC_ID_NONE &&
           stream->codecpar->codec_id != AV_CODEC_ID_PROBE;
}

/* Where the header names no streams, they come to light as packets are read. */
static int frames_find_stream(struct frames *frames)
{
    AVFormatContext *format = frames->input.format;
    int64_t bytes = 0;
    frames->stream = stream_choose(format);
    bool more = (format->ctx_flags & AVFMTCTX_NOHEADER) || format->nb_streams == 0 ||
                (frames->stream && frames->stream->codecpar->codec_id == AV_CODEC_ID_PROBE);
    for (int i = 0; more && i < HEAD_PACKETS && bytes < HEAD_BYTES; i++) {
        if (stream_ready(frames->stream))
            break;
        int err = av_read_frame(format, frames->packet);
        if (err == AVERROR(ENOMEM))
            return err;
        if (err < 0)
            break;
        bytes += frames->packet->size;
        frames->stream = stream_choose(format);
        frames->pending =
            stream_ready(frames->stream) && frames->packet->stream_index == frames->stream->index;
        if (!frames->pending)
            av_packet_unref(frames->packet);
    }
    return 0;
}

/* Some decoders can leave out the finest detail, a half of both sides with each step. */
static int lowres_choose(const AVCodec *decoder, const AVCodecParameters *par, int width)
{
    int lowres = 0, side = par->width < par->height ? par->width : par->height;
    while (lowres < decoder->max_lowres && (side >> (lowres + 1)) * 2 >= width &&
           (par->width >> (lowres + 1)) >= width)
        lowres++;
    return lowres;
}

static int frames_open_codec(struct frames *frames, const AVCodec *decoder, int width)
{
    const AVCodecParameters *par = frames->stream->codecpar;
    AVCodecContext *codec = avcodec_alloc_context3(decoder);
    frames->codec = codec;
    if (!codec)
        return AVERROR(ENOMEM);
    int err = avcodec_parameters_to_context(codec, par);
    if (err < 0)
        return err;
    codec->thread_count = 1;
    codec->pkt_timebase = frames->stream->time_base;
    codec->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT; /* better than nothing to see */
    codec->flags2 |= AV_CODEC_FLAG2_SHOW_ALL;
    if (par->codec_id != AV_CODEC_ID_MPEG2VIDEO) /* where it leaves out half of 4:2:2's colour */
        codec->flags2 |= AV_CODEC_FLAG2_FAST;
    codec->lowres = lowres_choose(decoder, par, width);
    /* Block edges that it would smooth are not to be seen at half the size. */
    if (par->width == 0 || par->width >= 2 * width)
        codec->skip_loop_filter = AVDISCARD_ALL;
    return avcodec_open2(codec, decoder, NULL);
}

static enum failure_code frames_fail(char *error, const char *what, const char *codec)
{
    snprintf(error, MEDIA_ERROR_SIZE, "%s%s", what, codec);
    return FAILURE_NO_PICTURE;
}

static enum failure_code frames_open_stream(struct frames *frames, int width,
                                            char error[MEDIA_ERROR_SIZE])
{
    int err = frames_find_stream(frames);
    if (err < 0)
        return damage_judge(&frames->input.io, frames->input.demuxer, err, error);
    AVStream *stream = frames->stream;
    if (!stream && frames->input.io.read_error)
        return damage_judge(&frames->input.io, frames->input.demuxer, 0, error);
    if (!stream)
        return frames_fail(error, "it has no video stream", "");
    const AVCodec *decoder = avcodec_find_decoder(stream->codecpar->codec_id);
    if (!decoder)
        return frames_fail(error, "there is no decoder for its pictures: ",
                           avcodec_get_name(stream->codecpar->codec_id));
    frames->cover = (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    for (unsigned i = 0; i < frames->input.format->nb_streams; i++) {
        if (frames->input.format->streams[i] != stream)
            frames->input.format->streams[i]->discard = AVDISCARD_ALL;
    }
    err = frames_open_codec(frames, decoder, width);
    if (err == AVERROR(ENOMEM))
        return damage_judge(&frames->input.io, frames->input.demuxer, err, error);
    if (err < 0)
        return frames_fail(error, "its pictures cannot be decoded: ", decoder->name);
    return FAILURE_NONE;
}

/* Of several programmes some may have no pictures in them, which only their packets tell. */
static bool several_pictures(const AVFormatContext *format)
{
    int count = 0;
    for (unsigned i = 0; i < format->nb_streams; i++)
        count += format->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
                 !(format->streams[i]->disposition & AV_DISPOSITION_ATTACHED_PIC);
    return count > 1;
}

enum failure_code frames_open(struct frames *frames, int fd, const char *name_hint, int width,
                              bool times, char error[MEDIA_ERROR_SIZE])
{
    enum failure_code code = input_begin(&frames->input, fd, name_hint, error);
    if (code == FAILURE_NO_VIDEO_STREAM)
        return FAILURE_NO_PICTURE;
    if (code != FAILURE_NONE)
        return code;
    frames->packet = av_packet_alloc();
    frames->frame = av_frame_alloc();
    int err = frames->packet && frames->frame ? input_open_header(&frames->input) : AVERROR(ENOMEM);
    bool analyse = err >= 0 && (times || several_pictures(frames->input.format));
    if (analyse && analysis_is_needed(frames->input.format))
        err = analysis_run(frames->input.format);
    if (err < 0)
        return damage_judge(&frames->input.io, frames->input.demuxer, err, error);
    frames->found_at = frames->found_pts = -1;
    code = frames_open_stream(frames, width, error);
    const AVFormatContext *format = frames->input.format;
    if (format->duration > 0)
        frames->duration_us = format->duration;
    if (format->start_time != AV_NOPTS_VALUE)
        frames->start_us = format->start_time;
    return code;
}

void frames_close(struct frames *frames)
{
    avcodec_free_context(&frames->codec);
    av_packet_free(&frames->packet);
    av_frame_free(&frames->frame);
    input_close(&frames->input);
}

bool frames_seek_well(const struct frames *frames)
{
    const AVInputFormat *demuxer = frames->input.demuxer;
    return container_is(demuxer, "mov") || container_is(demuxer, "matroska") ||
           container_is(demuxer, "avi");
}

/* ---- places -------------------------------------------------------------------------------- */

/* Forgets what was read and fed at the old place. */
static void frames_leave(struct frames *frames)
{
    avcodec_flush_buffers(frames->codec);
    av_packet_unref(frames->packet);
    frames->pending = false;
}

int frames_seek_us(struct frames *frames, int64_t time_us)
{
    frames_leave(frames);
    int64_t time =
        av_rescale_q(frames->start_us + time_us, AV_TIME_BASE_Q, frames->stream->time_base);
    return av_seek_frame(frames->input.format, frames->stream->index, time, AVSEEK_FLAG_BACKWARD);
}

/* Whether the demuxer finds its next packet from anywhere in the file. These take what stands there
 * for the beginning of one. */
static bool finds_packets(const AVInputFormat *demuxer)
{
    return !(demuxer->flags & AVFMT_NO_BYTE_SEEK) && !container_is(demuxer, "dv") &&
           !container_is(demuxer, "ivf");
}

int frames_seek(struct frames *frames, int permille)
{
    if (frames->cover)
        return 0;
    if (frames->duration_us > 0)
        return frames_seek_us(frames, av_rescale(frames->duration_us, permille, 1000));
    frames_leave(frames);
    if (!finds_packets(frames->input.demuxer))
        return AVERROR(ENOSYS);
    return av_seek_frame(frames->input.format, -1,
                         av_rescale(frames->input.io.size, permille, 1000), AVSEEK_FLAG_BYTE);
}

int frames_rewind(struct frames *frames)
{
    int index = frames->stream->index;
    frames->found_at = frames->found_pts = -1;
    frames_leave(frames);
    int err = input_reopen(&frames->input);
    if (err >= 0)
        err = frames_find_stream(frames);
    if (err >= 0 && (unsigned)index < frames->input.format->nb_streams)
        frames->stream = frames->input.format->streams[index];
    if (err >= 0 && !frames->stream)
        err = AVERROR_STREAM_NOT_FOUND;
    return err;
}

/* ---- decoding ------------------------------------------------------------------------------ */

/* Notes when the packet's frame is shown. */
static void frames_note_time(struct frames *frames)
{
    const AVPacket *packet = frames->packet;
    int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    frames->found_at = packet->pos;
    frames->found_pts = time;
    frames->frame_us = 0;
    if (time != AV_NOPTS_VALUE)
        frames->frame_us =
            av_rescale_q(time, frames->stream->time_base, AV_TIME_BASE_Q) - frames->start_us;
}

/* Whether the packet holds one field only, so that the other one is in the next. */
static bool packet_is_field(const AVStream *stream)
{
    const AVCodecParserContext *parser = av_stream_get_parser(stream);
    return parser && (parser->picture_structure == AV_PICTURE_STRUCTURE_TOP_FIELD ||
                      parser->picture_structure == AV_PICTURE_STRUCTURE_BOTTOM_FIELD);
}

/* The next packet of the stream. */
static int frames_read(struct frames *frames)
{
    if (frames->pending) {
        frames->pending = false;
        return 0;
    }
    for (int i = 0; i < KEY_PACKETS; i++) {
        int err = av_read_frame(frames->input.format, frames->packet);
        if (err < 0 || frames->packet->stream_index == frames->stream->index)
            return err;
        av_packet_unref(frames->packet);
    }
    return AVERROR_EOF;
}

/* Decodes the packet by itself: asking for all that is left spares the frames after it, for which a
 * decoder would wait before it gives this one. */
static int frames_decode_alone(struct frames *frames)
{
    bool field = packet_is_field(frames->stream);
    int err = avcodec_send_packet(frames->codec, frames->packet);
    av_packet_unref(frames->packet);
    if (err >= 0 && field && frames_read(frames) >= 0) {
        avcodec_send_packet(frames->codec, frames->packet);
        av_packet_unref(frames->packet);
    }
    if (err >= 0)
        err = avcodec_receive_frame(frames->codec, frames->frame);
    if (err == AVERROR(EAGAIN)) {
        avcodec_send_packet(frames->codec, NULL);
        err = avcodec_receive_frame(frames->codec, frames->frame);
    }
    avcodec_flush_buffers(frames->codec);
    return err == AVERROR_EOF ? AVERROR_INVALIDDATA : err;
}

static int frames_decode_cover(struct frames *frames)
{
    if (frames->found_at == 0)
        return AVERROR_EOF;
    av_packet_unref(frames->packet);
    int err = av_packet_ref(frames->packet, &frames->stream->attached_pic);
    if (err >= 0)
        err = frames_decode_alone(frames);
    frames->found_at = 0;
    return err;
}

int frames_next_key(struct frames *frames, int64_t from_us)
{
    int64_t bytes = 0;
    int failures = 0;
    if (frames->cover)
        return frames_decode_cover(frames);
    for (int i = 0; i < KEY_PACKETS && bytes < KEY_BYTES && failures < KEY_FAILURES; i++) {
        int err = frames_read(frames);
        if (err < 0)
            return err;
        bytes += frames->packet->size;
        if (!(frames->packet->flags & AV_PKT_FLAG_KEY)) {
            av_packet_unref(frames->packet);
            continue;
        }
        int64_t at = frames->found_at, pts = frames->found_pts;
        frames_note_time(frames);
        if (at >= 0 && at == frames->found_at && pts == frames->found_pts) {
            av_packet_unref(frames->packet);
            return FRAMES_SAME;
        }
        if (frames->frame_us < from_us) {
            av_packet_unref(frames->packet);
            continue;
        }
        err = frames_decode_alone(frames);
        if (err >= 0 || err == AVERROR(ENOMEM))
            return err;
        failures++;
    }
    return AVERROR_EOF;
}

int frames_next(struct frames *frames)
{
    if (frames->cover)
        return frames_decode_cover(frames);
    for (int i = 0; i < KEY_PACKETS; i++) {
        int err = avcodec_receive_frame(frames->codec, frames->frame);
        if (err != AVERROR(EAGAIN))
            return err;
        err = frames_read(frames);
        if (err == AVERROR(ENOMEM))
            return err;
        if (err >= 0)
            frames_note_time(frames);
        err = avcodec_send_packet(frames->codec, err < 0 ? NULL : frames->packet);
        av_packet_unref(frames->packet);
        if (err == AVERROR(ENOMEM) || err == AVERROR_EOF)
            return err;
    }
    return AVERROR_EOF;
}
