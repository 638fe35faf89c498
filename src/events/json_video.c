#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

static const char *const kind_words[MEDIA_KINDS] = {"video", "audio",      "subtitle",
                                                    "data",  "attachment", "unknown"};

static const char *const thumbnail_words[] = {"pending", "ready", "failed"};

static const struct {
    uint32_t bit;
    const char *word;
} dispositions[] = {
#define X(name, word, bit) {MEDIA_DISPOSITION_##name, word},
    MEDIA_DISPOSITIONS(X)
#undef X
};

static void add_rational(struct json_object *object, const char *key, struct media_rational value,
                         bool *failed)
{
    if (value.num == 0 || value.den == 0) {
        json_add(object, key, NULL, failed);
        return;
    }
    struct buf text = {0};
    buf_printf(&text, "%d/%d", value.num, value.den);
    json_add_text(object, key, text.data, failed);
    *failed |= text.failed;
    buf_free(&text);
}

static struct json_object *json_disposition(uint32_t bits, bool *failed)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; list && i < sizeof dispositions / sizeof *dispositions; i++) {
        if (!(bits & dispositions[i].bit))
            continue;
        struct json_object *word = json_object_new_string(dispositions[i].word);
        if (!word || json_object_array_add(list, word) != 0) {
            json_object_put(word);
            *failed = true;
        }
    }
    *failed |= !list;
    return list;
}

static void add_picture(struct json_object *object, const struct media_stream *stream, bool *failed)
{
    json_add_int(object, "width", stream->width, failed);
    json_add_int(object, "height", stream->height, failed);
    json_add_int(object, "rotation", stream->rotation, failed);
    add_rational(object, "sample_aspect_ratio", stream->sample_aspect, failed);
    add_rational(object, "frame_rate", stream->frame_rate, failed);
    add_rational(object, "average_frame_rate", stream->average_frame_rate, failed);
    json_add_text(object, "pixel_format", stream->pixel_format, failed);
    json_add_text(object, "color_range", stream->color_range, failed);
    json_add_text(object, "color_space", stream->color_space, failed);
    json_add_text(object, "color_primaries", stream->color_primaries, failed);
    json_add_text(object, "color_transfer", stream->color_transfer, failed);
    json_add_text(object, "hdr", stream->hdr, failed);
}

static struct json_object *json_stream(const struct media_stream *stream, bool *failed)
{
    struct json_object *object = json_object_new_object();
    json_add_int(object, "index", stream->index, failed);
    json_add_text(object, "kind", kind_words[stream->kind], failed);
    json_add_text(object, "codec", stream->codec, failed);
    json_add_text(object, "profile", stream->profile, failed);
    json_add_text(object, "language", stream->language, failed);
    json_add_text(object, "title", stream->title, failed);
    json_add(object, "disposition", json_disposition(stream->disposition, failed), failed);
    json_add_seconds(object, "duration_s", stream->duration_us, failed);
    json_add_known(object, "bit_rate", stream->bit_rate, failed);
    json_add_known(object, "frames", stream->frames, failed);
    if (stream->kind == MEDIA_VIDEO) {
        add_picture(object, stream, failed);
    } else if (stream->kind == MEDIA_AUDIO) {
        json_add_int(object, "channels", stream->channels, failed);
        json_add_text(object, "channel_layout", stream->channel_layout, failed);
        json_add_int(object, "sample_rate", stream->sample_rate, failed);
    }
    if (stream->kind == MEDIA_VIDEO || stream->kind == MEDIA_AUDIO)
        json_add_known(object, "bit_depth", stream->bit_depth ? stream->bit_depth : MEDIA_UNKNOWN,
                       failed);
    return object;
}

/* All streams, or those of one kind. */
static struct json_object *json_streams(const struct media_info *info, int kind, bool *failed)
{
    struct json_object *list = json_object_new_array();
    for (uint32_t i = 0; list && i < info->n_streams; i++) {
        if (kind >= 0 && info->streams[i].kind != kind)
            continue;
        struct json_object *stream = json_stream(&info->streams[i], failed);
        if (!stream || json_object_array_add(list, stream) != 0) {
            json_object_put(stream);
            *failed = true;
        }
    }
    *failed |= !list;
    return list;
}

static struct json_object *json_chapters(const struct media_info *info, bool *failed)
{
    struct json_object *list = json_object_new_array();
    for (uint32_t i = 0; list && i < info->n_chapters; i++) {
        const struct media_chapter *chapter = &info->chapters[i];
        struct json_object *object = json_object_new_object();
        json_add_seconds(object, "start_s", chapter->start_us, failed);
        json_add_seconds(object, "end_s", chapter->end_us, failed);
        json_add_text(object, "title", chapter->title, failed);
        if (!object || json_object_array_add(list, object) != 0) {
            json_object_put(object);
            *failed = true;
        }
    }
    *failed |= !list;
    return list;
}

static void add_summary(struct json_object *object, const struct media_summary *summary,
                        bool *failed)
{
    json_add_known(object, "duration_frames", summary->frames, failed);
    json_add_int(object, "frame_rate_numerator", summary->frame_rate.num, failed);
    json_add_int(object, "frame_rate_denominator", summary->frame_rate.den, failed);
    json_add_int(object, "width", summary->width, failed);
    json_add_int(object, "height", summary->height, failed);
    json_add_text(object, "video_codec", summary->video_codec, failed);
    json_add_text(object, "audio_codec", summary->audio_codec, failed);
    json_add_int(object, "subtitle_count", summary->subtitle_count, failed);
    json_add_int(object, "data_count", summary->data_count, failed);
    json_add_seconds(object, "duration_s", summary->duration_us, failed);
    json_add_text(object, "container", summary->container, failed);
    json_add_known(object, "bit_rate", summary->bit_rate, failed);
    json_add_int(object, "rotation", summary->rotation, failed);
    json_add_text(object, "hdr", summary->hdr, failed);
    json_add_text(object, "title", summary->title, failed);
    json_add(object, "taken_at", json_time(summary->taken_at_ms), failed);
}

/* A picture that is not there yet is made when it is asked for. */
static void add_pictures(struct json_object *object, const struct video *video, bool *failed)
{
    struct picture_key key = {
        .number = video->number, .version = video->version, .width = video->thumbnail_width};
    char path[PICTURE_PATH_SIZE], version[PICTURE_VERSION_SIZE], url[128];
    picture_path(&key, path);
    picture_version_text(video->version, version);
    bool ready = video->thumbnail == THUMBNAIL_READY;
    json_add_text(object, "thumbnail", thumbnail_words[video->thumbnail], failed);
    json_add_text(object, "thumbnail_path", ready ? path : NULL, failed);
    snprintf(url, sizeof url, "/api/v1/videos/%s/thumbnail?v=%s", video->id, version);
    json_add_text(object, "thumbnail_url", video->thumbnail == THUMBNAIL_FAILED ? NULL : url,
                  failed);
    snprintf(url, sizeof url, "/api/v1/videos/%s/file", video->id);
    json_add_text(object, "file_url", video->missing_since_ms ? NULL : url, failed);
}

struct json_object *json_video(const struct video *video, bool full)
{
    bool failed = false;
    struct json_object *object = json_object_new_object();
    json_add_text(object, "id", video->id, &failed);
    json_add_path_checked(object, "path", video->path, &failed);
    struct buf name = {0};
    utf8_append_lossy(&name, path_name(video->path), strlen(path_name(video->path)));
    json_add_text(object, "filename", name.data, &failed);
    buf_free(&name);
    add_summary(object, &video->info.summary, &failed);
    json_add(object, "subtitle_streams", json_streams(&video->info, MEDIA_SUBTITLE, &failed),
             &failed);
    json_add_int(object, "file_size", video->stamp.size, &failed);
    json_add(object, "modified_at", json_time(video->stamp.mtime_ns / 1000000), &failed);
    json_add(object, "created_at", json_time(video->created_at_ms), &failed);
    json_add(object, "updated_at", json_time(video->updated_at_ms), &failed);
    json_add(object, "missing_since", json_time(video->missing_since_ms), &failed);
    add_pictures(object, video, &failed);
    if (full) {
        json_add(object, "streams", json_streams(&video->info, -1, &failed), &failed);
        json_add(object, "chapters", json_chapters(&video->info, &failed), &failed);
    }
    if (failed) {
        json_object_put(object);
        return NULL;
    }
    return object;
}

const char **video_changes(const struct video *before, const struct video *after)
{
    struct json_object *old = json_video(before, true), *new = json_video(after, true);
    const char **names = NULL;
    size_t count = 0;
    if (old && new)
        names = calloc((size_t)json_object_object_length(new) + 1, sizeof *names);
    if (names) {
        struct json_object_iterator at = json_object_iter_begin(new);
        struct json_object_iterator end = json_object_iter_end(new);
        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
            /* The names are the literals above and outlive the objects; path_uri does not, and
             * cannot differ where path does not. */
            const char *name = json_object_iter_peek_name(&at);
            struct json_object *value = NULL;
            json_object_object_get_ex(old, name, &value);
            if (strcmp(name, "updated_at") != 0 && strcmp(name, "path_uri") != 0 &&
                !json_object_equal(value, json_object_iter_peek_value(&at)))
                names[count++] = name;
        }
    }
    json_object_put(old);
    json_object_put(new);
    return names;
}
