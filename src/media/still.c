#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <string.h>

#include "reeld/media_picture.h"
#include "still.h"
#include "tone.h"

/* ---- shape --------------------------------------------------------------------------------- */

/* ISO/IEC 14496-12, 6.2.2: (x, y) is shown at (a x + c y, b x + d y), y growing downwards. What is
 * not a right angle counts as the nearest one. */
static struct still_turn turn_of(const int32_t matrix[9])
{
    double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
    if (a * d == b * c) /* it would make a line of the picture */
        return (struct still_turn){0};
    if (fabs(a) + fabs(d) >= fabs(b) + fabs(c))
        return (struct still_turn){false, a < 0, d < 0};
    return (struct still_turn){true, c < 0, b < 0};
}

static struct still_turn turn_find(const AVStream *stream, const AVFrame *frame)
{
    int32_t matrix[9];
    size_t size = 0;
    const uint8_t *bytes = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    const AVFrameSideData *side = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
    if (!bytes && side) {
        bytes = side->data;
        size = side->size;
    }
    if (!bytes || size < sizeof matrix)
        return (struct still_turn){0};
    memcpy(matrix, bytes, sizeof matrix);
    return turn_of(matrix);
}

/* The shape of a pixel; one that is ten times as long as wide, or more, is an error of the file. */
static double aspect_find(AVFormatContext *format, AVStream *stream, AVFrame *frame)
{
    AVRational aspect = av_guess_sample_aspect_ratio(format, stream, frame);
    if (aspect.num <= 0 || aspect.den <= 0)
        return 1;
    double ratio = av_q2d(aspect);
    return ratio > 0.1 && ratio < 10 ? ratio : 1;
}

static int pixels(double length)
{
    return length < 1 ? 1 : (int)lround(length);
}

struct still_plan still_plan(AVFormatContext *format, AVStream *stream, AVFrame *frame, int width)
{
    const AVCodecParameters *par = stream->codecpar;
    struct still_plan plan = {.turn = turn_find(stream, frame)};
    int coded_width = par->width > frame->width ? par->width : frame->width;
    int coded_height = par->height > frame->height ? par->height : frame->height;
    plan.hd = coded_width >= 1280 || coded_height > 576;
    /* Decoders that leave out detail give a smaller frame, of the same shape. */
    double w = frame->width * aspect_find(format, stream, frame), h = frame->height;
    if (plan.turn.transpose) {
        double swap = w;
        w = h;
        h = swap;
    }
    double scale = w > width ? width / w : 1, highest = (double)PICTURE_HEIGHT_TIMES * width;
    if (h * scale > highest)
        scale = highest / h;
    plan.width = pixels(w * scale);
    plan.height = pixels(h * scale);
    return plan;
}

/* ---- colours ------------------------------------------------------------------------------- */

/* The matrix between RGB and YCbCr, as swscale numbers them. Without a word of the file: what HDR
 * uses, else HD's or SD's, which players go by too. */
static int matrix_of(const AVFrame *frame, bool hd)
{
    switch (frame->colorspace) {
    case AVCOL_SPC_BT709:
        return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
        return SWS_CS_FCC;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
        return SWS_CS_ITU601;
    case AVCOL_SPC_SMPTE240M:
        return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return SWS_CS_BT2020;
    default:
        break;
    }
    if (tone_is_hdr(frame->color_trc))
        return SWS_CS_BT2020;
    return hd ? SWS_CS_ITU709 : SWS_CS_ITU601;
}

static bool range_is_full(const AVFrame *frame)
{
    const AVPixFmtDescriptor *pixel = av_pix_fmt_desc_get(frame->format);
    if (frame->color_range != AVCOL_RANGE_UNSPECIFIED)
        return frame->color_range == AVCOL_RANGE_JPEG;
    return pixel && (strncmp(pixel->name, "yuvj", 4) == 0 || pixel->nb_components < 3);
}

/* ---- scaling ------------------------------------------------------------------------------- */

/* A frame of that size and format, whose memory is kept from one use to the next. */
static int frame_want(AVFrame **frame, int format, int width, int height)
{
    if (!*frame)
        *frame = av_frame_alloc();
    if (!*frame)
        return AVERROR(ENOMEM);
    if ((*frame)->data[0] && (*frame)->format == format && (*frame)->width == width &&
        (*frame)->height == height)
        return 0;
    av_frame_unref(*frame);
    (*frame)->format = format;
    (*frame)->width = width;
    (*frame)->height = height;
    return av_frame_get_buffer(*frame, 0);
}

/* Of two interlaced fields only the first, which was taken at one moment. */
static int field_take(const AVFrame *frame, const uint8_t *data[4], int stride[4])
{
    bool interlaced = frame->interlaced_frame && frame->height >= 4;
    for (int i = 0; i < 4; i++) {
        data[i] = frame->data[i];
        stride[i] = interlaced ? 2 * frame->linesize[i] : frame->linesize[i];
    }
    return interlaced ? (frame->height + 1) / 2 : frame->height;
}

/* A scaler for that, kept from one use to the next. The ranges have to be said before it is made:
 * where nothing is to be scaled, it would only copy. 0, or an AVERROR. */
static int scaler_want(struct SwsContext **scaler, struct still_scaling *made,
                       const struct still_scaling *wanted)
{
    if (*scaler && memcmp(made, wanted, sizeof *made) == 0)
        return 0;
    sws_freeContext(*scaler);
    *scaler = sws_alloc_context();
    if (!*scaler)
        return AVERROR(ENOMEM);
    *made = *wanted;
    av_opt_set_int(*scaler, "srcw", wanted->width, 0);
    av_opt_set_int(*scaler, "srch", wanted->height, 0);
    av_opt_set_int(*scaler, "src_format", wanted->format, 0);
    av_opt_set_int(*scaler, "src_range", wanted->full_range, 0);
    av_opt_set_int(*scaler, "dstw", wanted->out_width, 0);
    av_opt_set_int(*scaler, "dsth", wanted->out_height, 0);
    av_opt_set_int(*scaler, "dst_format", wanted->out_format, 0);
    av_opt_set_int(*scaler, "dst_range", 1, 0);
    /* The latter: each pixel of RGB, not the mean of two, where there may be only one. */
    av_opt_set_int(*scaler, "sws_flags", SWS_AREA | SWS_FULL_CHR_H_INP, 0);
    int err = sws_init_context(*scaler, NULL, NULL);
    if (err >= 0) /* less than 0: between formats that have no matrix */
        sws_setColorspaceDetails(*scaler, sws_getCoefficients(wanted->matrix), wanted->full_range,
                                 sws_getCoefficients(SWS_CS_ITU601), 1, 0, 1 << 16, 1 << 16);
    return err < 0 ? err : 0;
}

static int scale_to(struct still_maker *maker, const AVFrame *frame, bool hd, AVFrame *out)
{
    const uint8_t *data[4];
    int stride[4];
    int height = field_take(frame, data, stride);
    const struct still_scaling wanted = {
        frame->width,         height,     frame->format, matrix_of(frame, hd),
        range_is_full(frame), out->width, out->height,   out->format,
    };
    if (!sws_isSupportedInput(frame->format))
        return AVERROR(ENOSYS);
    int err = scaler_want(&maker->scale, &maker->scaling, &wanted);
    if (err >= 0)
        err = sws_scale(maker->scale, data, stride, 0, height, out->data, out->linesize);
    return err < 0 ? err : 0;
}

static int scale_hdr(struct still_maker *maker, const AVFrame *frame, AVFrame *out)
{
    int err = frame_want(&maker->wide, AV_PIX_FMT_RGB48, out->width, out->height);
    if (err >= 0)
        err = frame_want(&maker->narrow, AV_PIX_FMT_RGB24, out->width, out->height);
    if (err >= 0)
        err = scale_to(maker, frame, true, maker->wide);
    if (err >= 0)
        err = tone_map(frame, maker->wide, maker->narrow);
    if (err < 0)
        return err;
    const struct still_scaling wanted = {
        out->width, out->height, AV_PIX_FMT_RGB24, SWS_CS_ITU601,
        1,          out->width,  out->height,      out->format,
    };
    err = scaler_want(&maker->encode, &maker->encoding, &wanted);
    if (err >= 0)
        err = sws_scale(maker->encode, (const uint8_t *const *)maker->narrow->data,
                        maker->narrow->linesize, 0, out->height, out->data, out->linesize);
    return err < 0 ? err : 0;
}

/* ---- turning ------------------------------------------------------------------------------- */

static void plane_turn(const AVFrame *from, AVFrame *to, int plane, const struct still_turn *turn)
{
    int shift = plane > 0;
    int width = AV_CEIL_RSHIFT(to->width, shift), height = AV_CEIL_RSHIFT(to->height, shift);
    for (int y = 0; y < height; y++) {
        uint8_t *line = to->data[plane] + (ptrdiff_t)y * to->linesize[plane];
        int v = turn->flip_y ? height - 1 - y : y;
        for (int x = 0; x < width; x++) {
            int u = turn->flip_x ? width - 1 - x : x;
            line[x] = turn->transpose ? from->data[plane][(ptrdiff_t)u * from->linesize[plane] + v]
                                      : from->data[plane][(ptrdiff_t)v * from->linesize[plane] + u];
        }
    }
}

int still_make(struct still_maker *maker, const AVFrame *frame, const struct still_plan *plan,
               AVFrame *out)
{
    const struct still_turn *turn = &plan->turn;
    bool turned = turn->transpose || turn->flip_x || turn->flip_y;
    AVFrame *scaled = out;
    if (turned) {
        int err =
            frame_want(&maker->scaled, out->format, turn->transpose ? plan->height : plan->width,
                       turn->transpose ? plan->width : plan->height);
        if (err < 0)
            return err;
        scaled = maker->scaled;
    }
    int err = tone_is_hdr(frame->color_trc) ? scale_hdr(maker, frame, scaled)
                                            : scale_to(maker, frame, plan->hd, scaled);
    for (int plane = 0; err >= 0 && turned && plane < 3; plane++)
        plane_turn(scaled, out, plane, turn);
    return err;
}

void still_maker_free(struct still_maker *maker)
{
    sws_freeContext(maker->scale);
    sws_freeContext(maker->encode);
    av_frame_free(&maker->scaled);
    av_frame_free(&maker->wide);
    av_frame_free(&maker->narrow);
    *maker = (struct still_maker){0};
}
