#include <libavformat/avformat.h>
#include <stdbool.h>
#include <stdio.h>

#include "analysis.h"
#include "codecs.h"
#include "damage.h"
#include "fingerprint.h"
#include "input.h"
#include "probe_stream.h"
#include "probe_summary.h"
#include "reeld/media.h"

/* Gets all that is needed about the streams: 0, or an AVERROR. */
static int probe_streams(struct input *input)
{
    bool analyse = analysis_is_needed(input->format);
    struct codecs codecs = {0};
    int err = 0;
    if (!analyse || codecs_spare_decoding(input->format)) {
        err = codecs_ask(&codecs, input->format);
        if (err < 0)
            goto out;
        if (!analyse && codecs.complete) {
            err = codecs_apply(&codecs, input->format);
            goto out;
        }
        err = input_reopen(input);
        if (err < 0)
            goto out;
    }
    err = codecs_prepare_analysis(&codecs, input->format);
    if (err >= 0)
        err = analysis_run(input->format);
    if (err >= 0)
        codecs_complete_analysis(&codecs, input->format);
out:
    codecs_free(&codecs);
    return err;
}

/* Whether there is a picture that moves; if not, says what there is instead. */
static enum failure_code probe_judge_streams(struct input *input, char error[MEDIA_ERROR_SIZE])
{
    const AVFormatContext *format = input->format;
    unsigned kinds[MEDIA_KINDS] = {0};
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVStream *stream = format->streams[i];
        int32_t kind = probe_stream_kind(stream);
        if (kind != MEDIA_VIDEO || !(stream->disposition & AV_DISPOSITION_ATTACHED_PIC))
            kinds[kind]++;
    }
    if (kinds[MEDIA_VIDEO] > 0)
        return FAILURE_NONE;
    if (format->nb_streams == 0)
        return damage_judge(&input->io, input->demuxer, 0, error);
    /* The pictures may have been in the part that is missing. */
    if (damage_is_truncated(&input->io, input->demuxer, error))
        return FAILURE_TRUNCATED;
    const char *what = kinds[MEDIA_AUDIO] > 0      ? "it has no video stream, only sound"
                       : kinds[MEDIA_SUBTITLE] > 0 ? "it has no video stream, only subtitles"
                                                   : "it has no video stream";
    snprintf(error, MEDIA_ERROR_SIZE, "%s", what);
    return FAILURE_NO_VIDEO_STREAM;
}

enum failure_code media_probe(int fd, const char *name_hint, struct media_info *out,
                              char error[MEDIA_ERROR_SIZE])
{
    struct input input = {0};
    *out = (struct media_info){0};
    error[0] = '\0';
    enum failure_code code = input_begin(&input, fd, name_hint, error);
    if (code != FAILURE_NONE)
        goto out;

    int err = input_open_header(&input);
    if (err >= 0)
        err = probe_streams(&input);
    if (err < 0) {
        code = damage_judge(&input.io, input.demuxer, err, error);
        goto out;
    }
    code = probe_judge_streams(&input, error);
    if (code != FAILURE_NONE)
        goto out;
    err = probe_summarize(input.format, input.io.size, out);
    if (err >= 0)
        err = fingerprint_make(&input.io, &out->summary.fingerprint);
    if (err < 0) {
        media_info_clear(out);
        code = damage_judge(&input.io, input.demuxer, err, error);
    }
out:
    input_close(&input);
    return code;
}
