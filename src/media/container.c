#include <libavutil/avstring.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "container.h"

enum container_kind {
    CONTAINER_PICTURES, /* may hold video */
    CONTAINER_SOUND,    /* holds sound only: no need to open it */
    CONTAINER_IMAGE,
    CONTAINER_TEXT,
    CONTAINER_PLAYLIST, /* names further files: never opened */
};

/* `score`: what libavformat must say at least before a file is taken for this format. Its
 * recognisers of bare streams have no magic number to go by and see themselves in random bytes. */
struct container_rule {
    const char *name;
    enum container_kind kind;
    int score;
};

enum { SCORE_MAGIC = 25, SCORE_BARE = 51 };

static const struct container_rule container_rules[] = {
    {"mov", CONTAINER_PICTURES, SCORE_MAGIC},
    {"matroska", CONTAINER_PICTURES, SCORE_MAGIC},
    {"avi", CONTAINER_PICTURES, SCORE_MAGIC},
    {"mpegts", CONTAINER_PICTURES, 1}, /* a sparse stream scores 2: its packets are counted here */
    {"mpeg", CONTAINER_PICTURES, SCORE_MAGIC},
    {"asf", CONTAINER_PICTURES, SCORE_MAGIC},
    {"flv", CONTAINER_PICTURES, SCORE_MAGIC},
    {"live_flv", CONTAINER_PICTURES, SCORE_MAGIC},
    {"ogg", CONTAINER_PICTURES, SCORE_MAGIC},
    {"mxf", CONTAINER_PICTURES, SCORE_MAGIC},
    {"gxf", CONTAINER_PICTURES, SCORE_MAGIC},
    {"rm", CONTAINER_PICTURES, SCORE_MAGIC},
    {"dv", CONTAINER_PICTURES, SCORE_BARE},
    {"wtv", CONTAINER_PICTURES, SCORE_MAGIC},
    {"nut", CONTAINER_PICTURES, SCORE_MAGIC},
    {"ivf", CONTAINER_PICTURES, SCORE_MAGIC},
    {"nsv", CONTAINER_PICTURES, SCORE_BARE},
    {"ty", CONTAINER_PICTURES, SCORE_BARE},
    {"pva", CONTAINER_PICTURES, SCORE_BARE},
    {"yuv4mpegpipe", CONTAINER_PICTURES, SCORE_MAGIC},
    {"mpegvideo", CONTAINER_PICTURES, SCORE_BARE},
    {"m4v", CONTAINER_PICTURES, SCORE_BARE},
    {"h264", CONTAINER_PICTURES, SCORE_BARE},
    {"hevc", CONTAINER_PICTURES, SCORE_BARE},
    {"vc1", CONTAINER_PICTURES, SCORE_BARE},
    {"obu", CONTAINER_PICTURES, SCORE_BARE},
    {"aac", CONTAINER_SOUND, SCORE_BARE},
    {"ac3", CONTAINER_SOUND, SCORE_BARE},
    {"aiff", CONTAINER_SOUND, SCORE_MAGIC},
    {"amr", CONTAINER_SOUND, SCORE_MAGIC},
    {"ape", CONTAINER_SOUND, SCORE_MAGIC},
    {"au", CONTAINER_SOUND, SCORE_MAGIC},
    {"caf", CONTAINER_SOUND, SCORE_MAGIC},
    {"dsf", CONTAINER_SOUND, SCORE_MAGIC},
    {"dts", CONTAINER_SOUND, SCORE_BARE},
    {"eac3", CONTAINER_SOUND, SCORE_BARE},
    {"flac", CONTAINER_SOUND, SCORE_BARE},
    {"mp3", CONTAINER_SOUND, SCORE_BARE},
    {"mpc", CONTAINER_SOUND, SCORE_MAGIC},
    {"mpc8", CONTAINER_SOUND, SCORE_MAGIC},
    {"truehd", CONTAINER_SOUND, SCORE_BARE},
    {"tta", CONTAINER_SOUND, SCORE_MAGIC},
    {"w64", CONTAINER_SOUND, SCORE_MAGIC},
    {"wav", CONTAINER_SOUND, SCORE_MAGIC},
    {"wv", CONTAINER_SOUND, SCORE_MAGIC},
    {"apng", CONTAINER_IMAGE, SCORE_MAGIC},
    {"gif", CONTAINER_IMAGE, SCORE_MAGIC},
    {"ico", CONTAINER_IMAGE, SCORE_MAGIC},
    {"image2", CONTAINER_IMAGE, SCORE_MAGIC},
    {"ass", CONTAINER_TEXT, SCORE_MAGIC},
    {"srt", CONTAINER_TEXT, SCORE_MAGIC},
    {"webvtt", CONTAINER_TEXT, SCORE_MAGIC},
    {"concat", CONTAINER_PLAYLIST, SCORE_MAGIC},
    {"dash", CONTAINER_PLAYLIST, SCORE_MAGIC},
    {"hls", CONTAINER_PLAYLIST, SCORE_MAGIC},
    {"imf", CONTAINER_PLAYLIST, SCORE_MAGIC},
    {"sdp", CONTAINER_PLAYLIST, SCORE_MAGIC},
    {"vobsub", CONTAINER_PLAYLIST, SCORE_MAGIC},
};

int container_is(const AVInputFormat *format, const char *name)
{
    return av_match_name(name, format->name);
}

static const struct container_rule *container_find(const AVInputFormat *format)
{
    for (size_t i = 0; i < sizeof container_rules / sizeof *container_rules; i++) {
        if (container_is(format, container_rules[i].name))
            return &container_rules[i];
    }
    return NULL;
}

/* Packets of `size` bytes that follow each other from the first sync byte on, up to `enough`. */
static int ts_packets(const unsigned char *bytes, size_t len, size_t size, int enough)
{
    int best = 0;
    for (size_t start = 0; start < size && start < len; start++) {
        int n = 0;
        for (size_t at = start; at < len && bytes[at] == 0x47 && n < enough; at += size)
            n++;
        if (n > best)
            best = n;
    }
    return best;
}

/* Whether the file begins with transport packets (ISO/IEC 13818-1, 2.4.3.2: 188 bytes that begin
 * with 0x47; Blu-ray and AVCHD put 4 bytes of time before, DVB 16 bytes of parity behind). */
static bool ts_begins(struct fd_io *io)
{
    /* One packet's sync byte is the letter G: any short text has one. */
    enum { TS_LOOK = 8192, TS_ENOUGH = 5, TS_LEAST = 2 };
    static const size_t sizes[] = {188, 192, 204};
    unsigned char bytes[TS_LOOK];
    size_t len = io->size < TS_LOOK ? (size_t)io->size : TS_LOOK;
    if (!fd_io_read_at(io, 0, bytes, len))
        return false;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int enough = len < TS_ENOUGH * sizes[i] ? (int)(len / sizes[i]) : TS_ENOUGH;
        if (enough >= TS_LEAST && ts_packets(bytes, len, sizes[i], enough) >= enough)
            return true;
    }
    return false;
}

static enum failure_code container_refuse(const AVInputFormat *format, char error[MEDIA_ERROR_SIZE])
{
    const struct container_rule *rule = format ? container_find(format) : NULL;
    const char *name = format && format->long_name ? format->long_name : "unknown";
    if (!format) {
        snprintf(error, MEDIA_ERROR_SIZE, "its content is of no media format that is known");
    } else if (rule && rule->kind == CONTAINER_PLAYLIST) {
        snprintf(error, MEDIA_ERROR_SIZE,
                 "it only names other files (%s), and those are never opened through it", name);
    } else if (rule && rule->kind == CONTAINER_SOUND) {
        snprintf(error, MEDIA_ERROR_SIZE, "it holds sound only (%s)", name);
        return FAILURE_NO_VIDEO_STREAM;
    } else if (rule && rule->kind == CONTAINER_TEXT) {
        snprintf(error, MEDIA_ERROR_SIZE, "it holds subtitles only (%s)", name);
    } else if ((rule && rule->kind == CONTAINER_IMAGE) || av_strnstr(format->name, "_pipe", 64)) {
        snprintf(error, MEDIA_ERROR_SIZE, "it is a picture (%s), not a video", name);
    } else {
        snprintf(error, MEDIA_ERROR_SIZE, "its format (%s) is not one that holds video", name);
    }
    return FAILURE_NOT_MEDIA;
}

enum failure_code container_detect(struct fd_io *io, const char *name_hint,
                                   const AVInputFormat **out, char error[MEDIA_ERROR_SIZE])
{
    char name[24];
    const AVInputFormat *format = NULL;
    snprintf(name, sizeof name, "x.%.16s", name_hint);
    int score = av_probe_input_buffer2(io->avio, &format, name, NULL, 0, 0);
    if (io->read_error) {
        snprintf(error, MEDIA_ERROR_SIZE, "it cannot be read: %s", strerror(io->read_error));
        return FAILURE_IO_ERROR;
    }
    if (score == AVERROR(ENOMEM)) {
        snprintf(error, MEDIA_ERROR_SIZE, "there was not enough memory to recognise it");
        return FAILURE_OOM;
    }
    const struct container_rule *rule = format && score >= 0 ? container_find(format) : NULL;
    if (rule && score < rule->score)
        return container_refuse(NULL, error);
    /* Whatever was guessed with a low score, the sync bytes decide about transport streams. */
    if (rule && container_is(format, "mpegts") && !ts_begins(io))
        return container_refuse(NULL, error);
    if (!rule || rule->kind != CONTAINER_PICTURES)
        return container_refuse(score > SCORE_MAGIC ? format : NULL, error);
    *out = format;
    return FAILURE_NONE;
}
