/* A video's summary straight as text. A list of a thousand videos through json-c is a hundred
 * thousand small allocations, and was most of what a page cost. The members stand in json_video.c
 * too: a test compares the two byte by byte. */
#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "json_text.h"

/* `path`, `path_uri` where it is not UTF-8, and `filename`. */
static void put_path(struct buf *out, const char *path)
{
    const char *name = path_name(path);
    bool valid = json_put_path(out, ",\"path\":", ",\"path_uri\":", path);
    JSON_PUT(out, ",\"filename\":");
    json_put_lossy(out, name, valid || utf8_valid(name, strlen(name)));
}

static void put_summary(struct buf *out, const struct media_summary *summary)
{
    JSON_PUT(out, ",\"duration_frames\":");
    json_put_known(out, summary->frames);
    JSON_PUT(out, ",\"frame_rate_numerator\":");
    json_put_int(out, summary->frame_rate.num);
    JSON_PUT(out, ",\"frame_rate_denominator\":");
    json_put_int(out, summary->frame_rate.den);
    JSON_PUT(out, ",\"width\":");
    json_put_int(out, summary->width);
    JSON_PUT(out, ",\"height\":");
    json_put_int(out, summary->height);
    JSON_PUT(out, ",\"video_codec\":");
    json_put_text(out, summary->video_codec);
    JSON_PUT(out, ",\"audio_codec\":");
    json_put_text(out, summary->audio_codec);
    JSON_PUT(out, ",\"subtitle_count\":");
    json_put_int(out, summary->subtitle_count);
    JSON_PUT(out, ",\"data_count\":");
    json_put_int(out, summary->data_count);
    JSON_PUT(out, ",\"duration_s\":");
    json_put_seconds(out, summary->duration_us);
    JSON_PUT(out, ",\"container\":");
    json_put_text(out, summary->container);
    JSON_PUT(out, ",\"bit_rate\":");
    json_put_known(out, summary->bit_rate);
    JSON_PUT(out, ",\"rotation\":");
    json_put_int(out, summary->rotation);
    JSON_PUT(out, ",\"hdr\":");
    json_put_text(out, summary->hdr);
    JSON_PUT(out, ",\"title\":");
    json_put_text(out, summary->title);
    JSON_PUT(out, ",\"taken_at\":");
    json_put_time(out, summary->taken_at_ms);
}

static void put_disposition(struct buf *out, uint32_t bits)
{
    const char *comma = "";
    JSON_PUT(out, ",\"disposition\":[");
#define X(name, word, bit)                                                                         \
    if (bits & MEDIA_DISPOSITION_##name) {                                                         \
        json_put(out, comma, strlen(comma));                                                       \
        JSON_PUT(out, "\"" word "\"");                                                             \
        comma = ",";                                                                               \
    }
    MEDIA_DISPOSITIONS(X)
#undef X
    JSON_PUT(out, "]");
}

static void put_subtitle(struct buf *out, const struct media_stream *stream)
{
    JSON_PUT(out, "{\"index\":");
    json_put_int(out, stream->index);
    JSON_PUT(out, ",\"kind\":\"subtitle\",\"codec\":");
    json_put_text(out, stream->codec);
    JSON_PUT(out, ",\"profile\":");
    json_put_text(out, stream->profile);
    JSON_PUT(out, ",\"language\":");
    json_put_text(out, stream->language);
    JSON_PUT(out, ",\"title\":");
    json_put_text(out, stream->title);
    put_disposition(out, stream->disposition);
    JSON_PUT(out, ",\"duration_s\":");
    json_put_seconds(out, stream->duration_us);
    JSON_PUT(out, ",\"bit_rate\":");
    json_put_known(out, stream->bit_rate);
    JSON_PUT(out, ",\"frames\":");
    json_put_known(out, stream->frames);
    JSON_PUT(out, "}");
}

static void put_subtitles(struct buf *out, const struct media_info *info)
{
    bool first = true;
    JSON_PUT(out, ",\"subtitle_streams\":[");
    for (uint32_t i = 0; i < info->n_streams; i++) {
        if (info->streams[i].kind != MEDIA_SUBTITLE)
            continue;
        if (!first)
            JSON_PUT(out, ",");
        first = false;
        put_subtitle(out, &info->streams[i]);
    }
    JSON_PUT(out, "]");
}

static void put_addresses(struct buf *out, const struct video *video)
{
    JSON_PUT(out, ",\"thumbnail_url\":");
    if (video->thumbnail == THUMBNAIL_FAILED) {
        JSON_PUT(out, "null");
    } else {
        char version[PICTURE_VERSION_SIZE];
        picture_version_text(video->version, version);
        JSON_PUT(out, "\"/api/v1/videos/");
        json_put(out, video->id, strlen(video->id));
        JSON_PUT(out, "/thumbnail?v=");
        json_put(out, version, sizeof version - 1);
        JSON_PUT(out, "\"");
    }
    JSON_PUT(out, ",\"file_url\":");
    if (video->missing_since_ms) {
        JSON_PUT(out, "null}");
    } else {
        JSON_PUT(out, "\"/api/v1/videos/");
        json_put(out, video->id, strlen(video->id));
        JSON_PUT(out, "/file\"}");
    }
}

static void put_thumbnail(struct buf *out, const struct video *video)
{
    static const char *const words[] = {[THUMBNAIL_PENDING] = "pending",
                                        [THUMBNAIL_READY] = "ready",
                                        [THUMBNAIL_FAILED] = "failed"};
    JSON_PUT(out, ",\"thumbnail\":");
    json_put_text(out, words[video->thumbnail]);
    JSON_PUT(out, ",\"thumbnail_path\":");
    if (video->thumbnail == THUMBNAIL_READY) {
        char path[PICTURE_PATH_SIZE];
        picture_path(&(struct picture_key){.number = video->number,
                                           .version = video->version,
                                           .width = video->thumbnail_width},
                     path);
        json_put_text(out, path);
    } else {
        JSON_PUT(out, "null");
    }
    put_addresses(out, video);
}

void json_video_append(struct buf *out, const struct video *video)
{
    JSON_PUT(out, "{\"id\":");
    json_put_text(out, video->id);
    put_path(out, video->path);
    put_summary(out, &video->info.summary);
    put_subtitles(out, &video->info);
    JSON_PUT(out, ",\"file_size\":");
    json_put_int(out, video->stamp.size);
    JSON_PUT(out, ",\"modified_at\":");
    json_put_time(out, video->stamp.mtime_ns / 1000000);
    JSON_PUT(out, ",\"created_at\":");
    json_put_time(out, video->created_at_ms);
    JSON_PUT(out, ",\"updated_at\":");
    json_put_time(out, video->updated_at_ms);
    JSON_PUT(out, ",\"missing_since\":");
    json_put_time(out, video->missing_since_ms);
    put_thumbnail(out, video);
    json_end(out);
}
