/* media_info: what is known of one media file. Plain data without pointers into any library, shared
 * by media (fills it), worker (carries it over a socket) and catalog (keeps it). Header only.
 *
 * Every char array is NUL-terminated, well-formed UTF-8 (the daemon repairs what a worker sent) and
 * cut to fit; empty means unknown. Codec, pixel format, colour and layout names are FFmpeg's, as
 * ffprobe prints them. */
#ifndef REELD_MEDIA_INFO_H
#define REELD_MEDIA_INFO_H

#include <stdint.h>
#include <stdlib.h>

enum {
    MEDIA_STREAMS_MAX = 128,  /* further streams are counted, not described */
    MEDIA_CHAPTERS_MAX = 500, /* likewise */
    MEDIA_ERROR_SIZE = 256,
};

#define MEDIA_UNKNOWN INT64_MIN /* an int64_t that is not known */

enum media_kind {
    MEDIA_VIDEO,
    MEDIA_AUDIO,
    MEDIA_SUBTITLE,
    MEDIA_DATA,
    MEDIA_ATTACHMENT,
    MEDIA_OTHER, /* a stream of unknown kind */
    MEDIA_KINDS
};

struct media_rational {
    int32_t num, den; /* 0/0 or 0/1: unknown */
};

/* Bits of media_stream.disposition, with the names that ffprobe prints. The values are ours. */
#define MEDIA_DISPOSITIONS(X)                                                                      \
    X(DEFAULT, "default", 0)                                                                       \
    X(DUB, "dub", 1)                                                                               \
    X(ORIGINAL, "original", 2)                                                                     \
    X(COMMENT, "comment", 3)                                                                       \
    X(LYRICS, "lyrics", 4)                                                                         \
    X(KARAOKE, "karaoke", 5)                                                                       \
    X(FORCED, "forced", 6)                                                                         \
    X(HEARING_IMPAIRED, "hearing_impaired", 7)                                                     \
    X(VISUAL_IMPAIRED, "visual_impaired", 8)                                                       \
    X(CLEAN_EFFECTS, "clean_effects", 9)                                                           \
    X(ATTACHED_PIC, "attached_pic", 10)                                                            \
    X(TIMED_THUMBNAILS, "timed_thumbnails", 11)                                                    \
    X(CAPTIONS, "captions", 12)                                                                    \
    X(DESCRIPTIONS, "descriptions", 13)                                                            \
    X(METADATA, "metadata", 14)                                                                    \
    X(DEPENDENT, "dependent", 15)                                                                  \
    X(STILL_IMAGE, "still_image", 16)

enum media_disposition {
#define X(name, word, bit) MEDIA_DISPOSITION_##name = 1 << (bit),
    MEDIA_DISPOSITIONS(X)
#undef X
};

struct media_stream {
    int32_t index; /* in the container */
    int32_t kind;  /* enum media_kind */
    uint32_t disposition;
    /* Degrees clockwise to turn the picture for display: 0 to 359. One that is mirrored too counts
     * as turned and then mirrored left to right. */
    int32_t rotation;
    int32_t width, height;
    int32_t bit_depth; /* bits per colour component or per raw audio sample; 0: unknown */
    int32_t channels, sample_rate;
    struct media_rational sample_aspect, frame_rate, average_frame_rate; /* r_ and avg_frame_rate */
    int64_t bit_rate;    /* bits a second, or MEDIA_UNKNOWN */
    int64_t duration_us; /* or MEDIA_UNKNOWN */
    int64_t frames;      /* as the container says, or MEDIA_UNKNOWN */
    char codec[32], profile[48], language[16];
    char pixel_format[24], color_range[16], color_space[24], color_primaries[24],
        color_transfer[24];
    char channel_layout[48];
    char hdr[16]; /* "hdr10", "hdr10+", "hlg", "dolby-vision", "pq" or empty */
    char title[128];
};

struct media_chapter {
    int64_t start_us, end_us;
    char title[128];
};

/* The fixed part; also what a list of videos shows. The "main" video stream is the one that a
 * player would show: not an attached picture when another is there. */
struct media_summary {
    int64_t duration_us;  /* of the file, or MEDIA_UNKNOWN */
    int64_t frames;       /* of the main video stream; counted or computed; or MEDIA_UNKNOWN */
    int64_t bit_rate;     /* of the file, or MEDIA_UNKNOWN */
    int64_t taken_at_ms;  /* creation time, Unix ms, or MEDIA_UNKNOWN */
    uint64_t fingerprint; /* XXH3-64 of size, first and last 64 KiB */
    /* Of the main video stream, exact: its average_frame_rate where that is sane, else its
     * frame_rate. */
    struct media_rational frame_rate;
    int32_t width, height, rotation;  /* of the main video stream */
    int32_t video_index, audio_index; /* container indices of the main streams; -1: none */
    uint32_t video_count, audio_count, subtitle_count, data_count, attachment_count;
    uint32_t stream_count, chapter_count; /* in the file, even beyond the maxima */
    char container[64]; /* FFmpeg's demuxer name, e.g. "mov,mp4,m4a,3gp,3g2,mj2" */
    char video_codec[32], audio_codec[32]; /* of the main streams */
    char hdr[16];
    char title[128];
};

struct media_info {
    struct media_summary summary;
    struct media_stream *streams; /* n_streams of them, owned, malloc */
    struct media_chapter *chapters;
    uint32_t n_streams, n_chapters; /* described here: at most the maxima */
};

/* Frees what `info` owns, not `info` itself, and empties it. */
static inline void media_info_clear(struct media_info *info)
{
    free(info->streams);
    free(info->chapters);
    *info = (struct media_info){0};
}

#endif
