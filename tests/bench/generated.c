#include <stdio.h>
#include <string.h>

#include "generated.h"

/* What is drawn for a video; each draw has a salt of its own, so that none depends on another. */
enum draw {
    DRAW_WORD,
    DRAW_OTHER_WORD,
    DRAW_SIZE,
    DRAW_MTIME,
    DRAW_DURATION,
    DRAW_BIT_RATE,
    DRAW_FINGERPRINT,
    DRAW_HEIGHT,
    DRAW_CODEC,
    DRAW_CONTAINER,
    DRAW_LANGUAGE,
    DRAW_SUBTITLE_LANGUAGE,
    DRAWS
};

static uint64_t draw(uint64_t number, enum draw what)
{
    /* The finalizer of SplitMix64. */
    uint64_t value = (number * DRAWS + what + 1) * UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static const char *pick(uint64_t drawn, const char *const *list, size_t count)
{
    return list[drawn % count];
}
#define PICK(drawn, list) pick(drawn, list, sizeof(list) / sizeof *(list))

static const char *const words[] = {
    "summer",  "Winter",  "garden",   "Harbour",   "night", "Berlin",  "family",
    "holiday", "concert", "final",    "interview", "raw",   "cut",     "drone",
    "Étude",   "北京",    "birthday", "море",      "match", "lecture",
};

uint64_t generated_folder(const struct generated *library, uint64_t number)
{
    return (number - library->first) * library->folders / library->videos;
}

uint64_t generated_group(const struct generated *library, uint64_t folder)
{
    return folder * library->groups / library->folders;
}

void generated_group_path(const struct generated *library, uint64_t group, struct buf *out)
{
    buf_printf(out, "%s/group %03llu", library->root, (unsigned long long)group);
}

void generated_folder_path(const struct generated *library, uint64_t folder, struct buf *out)
{
    generated_group_path(library, generated_group(library, folder), out);
    uint64_t name = library->first + folder;
    buf_printf(out, "/%s %05llu", PICK(draw(name, DRAW_WORD), words), (unsigned long long)name);
}

void generated_name(uint64_t number, struct buf *out)
{
    buf_printf(out, "%s_%s_%07llu.mp4", PICK(draw(number, DRAW_WORD), words),
               PICK(draw(number, DRAW_OTHER_WORD), words), (unsigned long long)number);
}

uint64_t generated_number(const char *name)
{
    const char *digits = strrchr(name, '_');
    char *end = NULL;
    uint64_t number = digits ? strtoull(digits + 1, &end, 10) : 0;
    return digits && end > digits + 1 && strcmp(end, ".mp4") == 0 ? number : UINT64_MAX;
}

uint64_t generated_content(uint64_t number)
{
    return number % 50 == 0 ? number - number % 1000 : number;
}

int64_t generated_mtime_ns(uint64_t number)
{
    return INT64_C(1500000000000000000) + (int64_t)(draw(number, DRAW_MTIME) % 200000000000000000);
}

int64_t generated_size(uint64_t number)
{
    return 1 + (int64_t)(draw(generated_content(number), DRAW_SIZE) % 4000000000);
}

static void set_stream(struct media_stream *stream, int index, enum media_kind kind,
                       const char *codec, const char *language)
{
    *stream = (struct media_stream){.index = index,
                                    .kind = (int32_t)kind,
                                    .bit_rate = 1000000,
                                    .duration_us = MEDIA_UNKNOWN,
                                    .frames = MEDIA_UNKNOWN,
                                    .frame_rate = {25, 1},
                                    .average_frame_rate = {25, 1}};
    snprintf(stream->codec, sizeof stream->codec, "%s", codec);
    snprintf(stream->language, sizeof stream->language, "%s", language);
}

static void set_summary(uint64_t content, struct media_summary *summary)
{
    static const char *const codecs[] = {"h264", "h264",       "h264", "hevc",  "hevc",
                                         "av1",  "mpeg2video", "vp9",  "prores"};
    static const char *const containers[] = {
        "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mpegts", "avi",
        "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"};
    static const int heights[] = {480, 720, 1080, 1080, 1080, 2160};
    int height = heights[draw(content, DRAW_HEIGHT) % (sizeof heights / sizeof *heights)];
    *summary = (struct media_summary){
        .duration_us = (int64_t)(draw(content, DRAW_DURATION) % 7200000000),
        .bit_rate = (int64_t)(draw(content, DRAW_BIT_RATE) % 40000000),
        .taken_at_ms = MEDIA_UNKNOWN,
        .fingerprint = draw(content, DRAW_FINGERPRINT) | 1,
        .frame_rate = {25, 1},
        .width = height * 16 / 9,
        .height = height,
        .audio_index = 1,
        .video_count = 1,
        .audio_count = 1,
        .subtitle_count = content % 4 == 0,
    };
    summary->frames = summary->duration_us / 40000;
    summary->stream_count = 2 + summary->subtitle_count;
    snprintf(summary->container, sizeof summary->container, "%s",
             PICK(draw(content, DRAW_CONTAINER), containers));
    snprintf(summary->video_codec, sizeof summary->video_codec, "%s",
             PICK(draw(content, DRAW_CODEC), codecs));
    snprintf(summary->audio_codec, sizeof summary->audio_codec, "aac");
    if (content % 16 == 1)
        snprintf(summary->hdr, sizeof summary->hdr, content % 32 == 1 ? "hdr10" : "hlg");
    if (content % 10 == 3)
        snprintf(summary->title, sizeof summary->title, "A %s of its own",
                 PICK(draw(content, DRAW_WORD), words));
}

enum rl_err generated_info(uint64_t number, struct media_info *out)
{
    static const char *const languages[] = {"eng", "deu", "fra", "jpn", ""};
    uint64_t content = generated_content(number);
    *out = (struct media_info){0};
    set_summary(content, &out->summary);
    out->n_streams = out->summary.stream_count;
    out->streams = calloc(out->n_streams, sizeof *out->streams);
    if (!out->streams)
        return RL_ENOMEM;
    struct media_stream *streams = out->streams;
    set_stream(&streams[0], 0, MEDIA_VIDEO, out->summary.video_codec, "");
    streams[0].width = out->summary.width;
    streams[0].height = out->summary.height;
    set_stream(&streams[1], 1, MEDIA_AUDIO, "aac", PICK(draw(content, DRAW_LANGUAGE), languages));
    streams[1].channels = 2;
    streams[1].sample_rate = 48000;
    if (out->n_streams > 2)
        set_stream(&streams[2], 2, MEDIA_SUBTITLE, "subrip",
                   PICK(draw(content, DRAW_SUBTITLE_LANGUAGE), languages));
    return RL_OK;
}
