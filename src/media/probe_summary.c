#include <ctype.h>
#include <libavutil/mathematics.h>
#include <libavutil/parseutils.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "probe_stream.h"
#include "probe_summary.h"
#include "text.h"

/* The main streams: what a player would show and play. */
struct main_streams {
    AVStream *picture, *sound;
};

int64_t probe_picture_rank(const AVStream *stream)
{
    const AVCodecParameters *par = stream->codecpar;
    int64_t area = par->width > 0 && par->height > 0 ? (int64_t)par->width * par->height : 0;
    int64_t rank = area >> 1;
    if (area > 0)
        rank |= INT64_C(1) << 61;
    if (stream->disposition & AV_DISPOSITION_DEFAULT)
        rank |= INT64_C(1) << 60;
    if (!(stream->disposition & AV_DISPOSITION_ATTACHED_PIC))
        rank |= INT64_C(1) << 62;
    return rank;
}

static struct main_streams main_streams_find(AVFormatContext *format)
{
    struct main_streams found = {0};
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVStream *stream = format->streams[i];
        int32_t kind = probe_stream_kind(stream);
        if (kind == MEDIA_VIDEO &&
            (!found.picture || probe_picture_rank(stream) > probe_picture_rank(found.picture)))
            found.picture = stream;
        bool better = !found.sound || ((stream->disposition & AV_DISPOSITION_DEFAULT) &&
                                       !(found.sound->disposition & AV_DISPOSITION_DEFAULT));
        if (kind == MEDIA_AUDIO && better)
            found.sound = stream;
    }
    return found;
}

static void count_streams(const AVFormatContext *format, struct media_summary *summary)
{
    uint32_t counts[MEDIA_KINDS] = {0};
    for (unsigned i = 0; i < format->nb_streams; i++)
        counts[probe_stream_kind(format->streams[i])]++;
    summary->stream_count = format->nb_streams;
    summary->chapter_count = format->nb_chapters;
    summary->video_count = counts[MEDIA_VIDEO];
    summary->audio_count = counts[MEDIA_AUDIO];
    summary->subtitle_count = counts[MEDIA_SUBTITLE];
    summary->data_count = counts[MEDIA_DATA];
    summary->attachment_count = counts[MEDIA_ATTACHMENT];
}

static const char *tag_of(const AVDictionary *tags, const char *name)
{
    const AVDictionaryEntry *tag = av_dict_get(tags, name, NULL, 0);
    return tag ? tag->value : NULL;
}

/* Unix ms of a tag like "2019-05-04T12:00:00.000000Z"; MEDIA_UNKNOWN when it is not a full date.
 * av_parse_time alone would take "now" and bare times of day for today. */
static int64_t tag_time_ms(const char *text)
{
    int64_t us;
    for (int i = 0; text && i < 4; i++) {
        if (!isdigit((unsigned char)text[i]))
            return MEDIA_UNKNOWN;
    }
    if (!text || text[4] != '-' || av_parse_time(&us, text, 0) < 0)
        return MEDIA_UNKNOWN;
    return us / 1000;
}

/* When it was taken: QuickTime's own tag survives an export, the track header of MP4 does not. */
static int64_t taken_at_ms(const AVFormatContext *format, const struct main_streams *mains)
{
    const char *candidates[] = {
        tag_of(format->metadata, "com.apple.quicktime.creationdate"),
        tag_of(format->metadata, "creation_time"),
        mains->picture ? tag_of(mains->picture->metadata, "creation_time") : NULL,
        tag_of(format->metadata, "date"),
    };
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        int64_t ms = tag_time_ms(candidates[i]);
        if (ms != MEDIA_UNKNOWN)
            return ms;
    }
    return MEDIA_UNKNOWN;
}

static bool rate_is_sane(struct media_rational rate)
{
    return rate.num > 0 && rate.den > 0 && rate.num / rate.den <= 1000;
}

static void summarize_picture(AVFormatContext *format, AVStream *stream,
                              struct media_summary *summary)
{
    struct media_stream picture;
    probe_stream_describe(format, stream, &picture);
    summary->video_index = picture.index;
    summary->width = picture.width;
    summary->height = picture.height;
    summary->rotation = picture.rotation;
    memcpy(summary->video_codec, picture.codec, sizeof summary->video_codec);
    memcpy(summary->hdr, picture.hdr, sizeof summary->hdr);
    summary->frame_rate =
        rate_is_sane(picture.average_frame_rate) ? picture.average_frame_rate : picture.frame_rate;
    summary->frames = picture.frames;
    int64_t duration =
        picture.duration_us != MEDIA_UNKNOWN ? picture.duration_us : summary->duration_us;
    if (summary->frames == MEDIA_UNKNOWN && duration > 0 && rate_is_sane(summary->frame_rate))
        summary->frames = av_rescale(duration, summary->frame_rate.num,
                                     summary->frame_rate.den * INT64_C(1000000));
}

static int64_t file_bit_rate(const AVFormatContext *format, int64_t size)
{
    if (format->bit_rate > 0)
        return format->bit_rate;
    if (format->duration <= 0)
        return MEDIA_UNKNOWN;
    double rate = (double)size * 8 * AV_TIME_BASE / (double)format->duration;
    return rate < 1e18 ? (int64_t)rate : MEDIA_UNKNOWN;
}

static void describe_chapters(const AVFormatContext *format, struct media_info *out)
{
    for (uint32_t i = 0; i < out->n_chapters; i++) {
        const AVChapter *chapter = format->chapters[i];
        struct media_chapter *to = &out->chapters[i];
        to->start_us = probe_time_us(chapter->start, chapter->time_base);
        to->end_us = probe_time_us(chapter->end, chapter->time_base);
        text_copy(to->title, sizeof to->title, tag_of(chapter->metadata, "title"));
    }
}

int probe_summarize(AVFormatContext *format, int64_t size, struct media_info *out)
{
    struct main_streams mains = main_streams_find(format);
    struct media_summary *summary = &out->summary;
    *out = (struct media_info){0};
    out->n_streams =
        format->nb_streams < MEDIA_STREAMS_MAX ? format->nb_streams : MEDIA_STREAMS_MAX;
    out->n_chapters =
        format->nb_chapters < MEDIA_CHAPTERS_MAX ? format->nb_chapters : MEDIA_CHAPTERS_MAX;
    out->streams = calloc(out->n_streams + 1, sizeof *out->streams);
    out->chapters = calloc(out->n_chapters + 1, sizeof *out->chapters);
    if (!out->streams || !out->chapters) {
        media_info_clear(out);
        return AVERROR(ENOMEM);
    }
    for (uint32_t i = 0; i < out->n_streams; i++)
        probe_stream_describe(format, format->streams[i], &out->streams[i]);
    describe_chapters(format, out);

    summary->duration_us = format->duration > 0 ? format->duration : MEDIA_UNKNOWN;
    summary->bit_rate = file_bit_rate(format, size);
    summary->taken_at_ms = taken_at_ms(format, &mains);
    summary->video_index = summary->audio_index = -1;
    summary->frames = MEDIA_UNKNOWN;
    count_streams(format, summary);
    text_copy(summary->container, sizeof summary->container, format->iformat->name);
    text_copy(summary->title, sizeof summary->title, tag_of(format->metadata, "title"));
    if (mains.picture)
        summarize_picture(format, mains.picture, summary);
    if (mains.sound) {
        struct media_stream sound;
        probe_stream_describe(format, mains.sound, &sound);
        summary->audio_index = sound.index;
        memcpy(summary->audio_codec, sound.codec, sizeof summary->audio_codec);
    }
    return 0;
}
