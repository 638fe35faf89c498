/* probe_dump: reads paths from standard input, one NUL-terminated path after the other, and prints
 * what media_probe says of each as one line of JSON. For the tests that compare it with ffprobe. */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reeld/base.h"
#include "reeld/media.h"

static const char *const failure_words[] = {
    "OK",
#define FAILURE(name, meaning) #name,
#include "../../src/events/vocabulary.def"
};

static const char *const kind_words[] = {"video", "audio",      "subtitle",
                                         "data",  "attachment", "other"};

static void put_text(json_object *to, const char *name, const char *text)
{
    json_object_object_add(to, name, *text ? json_object_new_string(text) : NULL);
}

static void put_number(json_object *to, const char *name, int64_t value)
{
    json_object_object_add(to, name, value == MEDIA_UNKNOWN ? NULL : json_object_new_int64(value));
}

static void put_rate(json_object *to, const char *name, struct media_rational value)
{
    char text[32];
    snprintf(text, sizeof text, "%d/%d", value.num, value.den);
    put_text(to, name, value.num ? text : "");
}

static json_object *stream_json(const struct media_stream *s)
{
    json_object *to = json_object_new_object();
    json_object *disposition = json_object_new_array();
    put_number(to, "index", s->index);
    put_text(to, "kind", kind_words[s->kind]);
#define X(name, word, bit)                                                                         \
    if (s->disposition & MEDIA_DISPOSITION_##name)                                                 \
        json_object_array_add(disposition, json_object_new_string(word));
    MEDIA_DISPOSITIONS(X)
#undef X
    json_object_object_add(to, "disposition", disposition);
    put_number(to, "rotation", s->rotation);
    put_number(to, "width", s->width);
    put_number(to, "height", s->height);
    put_number(to, "bit_depth", s->bit_depth);
    put_number(to, "channels", s->channels);
    put_number(to, "sample_rate", s->sample_rate);
    put_rate(to, "sample_aspect", s->sample_aspect);
    put_rate(to, "frame_rate", s->frame_rate);
    put_rate(to, "average_frame_rate", s->average_frame_rate);
    put_number(to, "bit_rate", s->bit_rate);
    put_number(to, "duration_us", s->duration_us);
    put_number(to, "frames", s->frames);
    put_text(to, "codec", s->codec);
    put_text(to, "profile", s->profile);
    put_text(to, "language", s->language);
    put_text(to, "pixel_format", s->pixel_format);
    put_text(to, "color_range", s->color_range);
    put_text(to, "color_space", s->color_space);
    put_text(to, "color_primaries", s->color_primaries);
    put_text(to, "color_transfer", s->color_transfer);
    put_text(to, "channel_layout", s->channel_layout);
    put_text(to, "hdr", s->hdr);
    put_text(to, "title", s->title);
    return to;
}

static json_object *summary_json(const struct media_summary *s)
{
    json_object *to = json_object_new_object();
    put_number(to, "duration_us", s->duration_us);
    put_number(to, "frames", s->frames);
    put_number(to, "bit_rate", s->bit_rate);
    put_number(to, "taken_at_ms", s->taken_at_ms);
    json_object_object_add(to, "fingerprint", json_object_new_uint64(s->fingerprint));
    put_rate(to, "frame_rate", s->frame_rate);
    put_number(to, "width", s->width);
    put_number(to, "height", s->height);
    put_number(to, "rotation", s->rotation);
    put_number(to, "video_index", s->video_index);
    put_number(to, "audio_index", s->audio_index);
    put_number(to, "video_count", s->video_count);
    put_number(to, "audio_count", s->audio_count);
    put_number(to, "subtitle_count", s->subtitle_count);
    put_number(to, "data_count", s->data_count);
    put_number(to, "attachment_count", s->attachment_count);
    put_number(to, "stream_count", s->stream_count);
    put_number(to, "chapter_count", s->chapter_count);
    put_text(to, "container", s->container);
    put_text(to, "video_codec", s->video_codec);
    put_text(to, "audio_codec", s->audio_codec);
    put_text(to, "hdr", s->hdr);
    put_text(to, "title", s->title);
    return to;
}

static void dump(const char *path)
{
    char hint[16], error[MEDIA_ERROR_SIZE];
    struct media_info info;
    path_extension(path, hint, sizeof hint);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum failure_code code = media_probe(fd, hint, &info, error);
    json_object *to = json_object_new_object();
    json_object *streams = json_object_new_array();
    json_object *chapters = json_object_new_array();
    put_text(to, "code", failure_words[code]);
    put_text(to, "error", error);
    json_object_object_add(to, "summary", summary_json(&info.summary));
    for (uint32_t i = 0; i < info.n_streams; i++)
        json_object_array_add(streams, stream_json(&info.streams[i]));
    for (uint32_t i = 0; i < info.n_chapters; i++) {
        json_object *chapter = json_object_new_object();
        put_number(chapter, "start_us", info.chapters[i].start_us);
        put_number(chapter, "end_us", info.chapters[i].end_us);
        put_text(chapter, "title", info.chapters[i].title);
        json_object_array_add(chapters, chapter);
    }
    json_object_object_add(to, "streams", streams);
    json_object_object_add(to, "chapters", chapters);
    puts(json_object_to_json_string_ext(to, JSON_C_TO_STRING_PLAIN));
    fflush(stdout);
    json_object_put(to);
    media_info_clear(&info);
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    char *path = NULL;
    size_t size = 0;
    media_init();
    while (getdelim(&path, &size, '\0', stdin) > 0)
        dump(path);
    free(path);
    return 0;
}
