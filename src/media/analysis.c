#include <libavutil/dict.h>
#include <stdlib.h>

#include "analysis.h"
#include "container.h"

bool analysis_is_needed(const AVFormatContext *format)
{
    if (!container_is(format->iformat, "mov") && !container_is(format->iformat, "matroska"))
        return true;
    if ((format->ctx_flags & AVFMTCTX_NOHEADER) || format->nb_streams == 0 || format->duration <= 0)
        return true;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVStream *stream = format->streams[i];
        const AVCodecParameters *par = stream->codecpar;
        bool picture = par->codec_type == AVMEDIA_TYPE_VIDEO;
        if (stream->disposition & AV_DISPOSITION_ATTACHED_PIC)
            continue;
        if (picture && (par->width <= 0 || par->height <= 0 || stream->avg_frame_rate.num <= 0 ||
                        stream->r_frame_rate.num <= 0))
            return true;
        if ((picture || par->codec_type == AVMEDIA_TYPE_AUDIO) && par->codec_id == AV_CODEC_ID_NONE)
            return true;
    }
    return false;
}

static bool picture_is_known(const AVCodecParameters *par)
{
    return par->width > 0 && par->height > 0 && par->format >= 0;
}

int analysis_run(AVFormatContext *format)
{
    unsigned n = format->nb_streams;
    AVDictionary **options = calloc(n ? n : 1, sizeof *options);
    if (!options)
        return AVERROR(ENOMEM);
    /* Matroska has no decoding times: they are worked out from the decoder's delay, and the frame
     * rate from them, so that some pictures have to be decoded. */
    bool times = !container_is(format->iformat, "matroska");
    for (unsigned i = 0; i < n; i++) {
        bool skip = times && picture_is_known(format->streams[i]->codecpar);
        av_dict_set(&options[i], "skip_frame", skip ? "all" : "nokey", 0);
        av_dict_set(&options[i], "skip_loop_filter", "all", 0);
        av_dict_set(&options[i], "skip_idct", "all", 0);
        av_dict_set(&options[i], "flags2", "+fast", 0);
        av_dict_set(&options[i], "threads", "1", 0);
    }
    /* Nobody will ask for these packets again. */
    format->flags |= AVFMT_FLAG_NOBUFFER;
    int result = avformat_find_stream_info(format, options);
    for (unsigned i = 0; i < n; i++)
        av_dict_free(&options[i]);
    free(options);
    return result < 0 ? result : 0;
}
