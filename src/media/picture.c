#include <math.h>
#include <stdio.h>

#include "cpu_time.h"
#include "damage.h"
#include "frames.h"
#include "jpeg.h"
#include "reeld/media.h"
#include "storyboard.h"

/* How much there is to see in a frame: the spread of its brightness, 0 to 127, less where it is
 * nearly all dark or bright. */
enum {
    SIGHT_ENOUGH = 16, /* no need to look at another frame */
    SIGHT_POOR = 5,    /* black, white, one colour: any other frame is better */
    SIGHT_DARK = 20,   /* mean brightness, of 255 */
    SIGHT_BRIGHT = 235,
};

/* For a short clip whose only key frame shows nothing: how far to decode on, and which frames are
 * looked at: the first ones each, then one in so many. */
enum { HUNT_FRAMES = 600, HUNT_EACH = 12, HUNT_STEP = 6, HUNT_ENOUGH = 2 * SIGHT_POOR };
#define HUNT_US (INT64_C(1500000))

/* One thumbnail in the making. */
struct thumbnail {
    struct frames frames;
    struct still_maker maker;
    AVFrame *best, *other; /* the best one so far, and one to try the next in */
    double sight;          /* of the best; less than 0: there is none */
    int width;
};

/* ---- what is to be seen -------------------------------------------------------------------- */

static double sight_of(const AVFrame *still)
{
    double sum = 0, squares = 0;
    int count = 0, step = still->width >= 64 && still->height >= 64 ? 2 : 1;
    for (int y = 0; y < still->height; y += step) {
        const uint8_t *line = still->data[0] + (ptrdiff_t)y * still->linesize[0];
        unsigned line_sum = 0, line_squares = 0;
        for (int x = 0; x < still->width; x += step) {
            line_sum += line[x];
            line_squares += (unsigned)line[x] * line[x];
            count++;
        }
        sum += line_sum;
        squares += line_squares;
    }
    double mean = sum / count, variance = squares / count - mean * mean;
    double spread = variance > 0 ? sqrt(variance) : 0;
    return mean < SIGHT_DARK || mean > SIGHT_BRIGHT ? spread / 4 : spread;
}

/* ---- candidates ---------------------------------------------------------------------------- */

static int still_want(AVFrame **still, const struct still_plan *plan)
{
    if (*still && (*still)->width == plan->width && (*still)->height == plan->height)
        return 0;
    av_frame_free(still);
    *still = av_frame_alloc();
    if (!*still)
        return AVERROR(ENOMEM);
    (*still)->format = AV_PIX_FMT_YUV420P;
    (*still)->width = plan->width;
    (*still)->height = plan->height;
    return av_frame_get_buffer(*still, 0);
}

/* Looks at the frame that was found last; keeps it if it is the best. */
static int candidate_look(struct thumbnail *thumbnail)
{
    struct frames *frames = &thumbnail->frames;
    struct still_plan plan =
        still_plan(frames->input.format, frames->stream, frames->frame, thumbnail->width);
    int err = still_want(&thumbnail->other, &plan);
    if (err >= 0)
        err = still_make(&thumbnail->maker, frames->frame, &plan, thumbnail->other);
    if (err < 0)
        return err;
    double sight = sight_of(thumbnail->other);
    if (sight > thumbnail->sight) {
        AVFrame *best = thumbnail->best;
        thumbnail->best = thumbnail->other;
        thumbnail->other = best;
        thumbnail->sight = sight;
    }
    return 0;
}

/* Key frames at a tenth, a quarter and a half; the first one that will do. Where they can be
 * decoded and none of them shows anything, at more places. */
static int candidates_look(struct thumbnail *thumbnail)
{
    static const int places[] = {100, 250, 500, 750, 900, 650, 375};
    enum { USUAL = 3 };
    int err = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        bool enough = i < USUAL ? thumbnail->sight >= SIGHT_ENOUGH
                                : thumbnail->sight < 0 || thumbnail->sight >= SIGHT_POOR;
        if (enough)
            break;
        if (frames_seek(&thumbnail->frames, places[i]) < 0 && i > 0)
            break;
        err = frames_next_key(&thumbnail->frames, -1);
        if (err == 0)
            err = candidate_look(thumbnail);
        if (err == AVERROR(ENOMEM) || err == AVERROR(ENOSYS))
            break;
    }
    return err;
}

/* From the beginning: a key frame, else anything that can be decoded. */
static int beginning_look(struct thumbnail *thumbnail)
{
    int err = frames_rewind(&thumbnail->frames);
    if (err >= 0)
        err = frames_next_key(&thumbnail->frames, -1);
    if (err < 0 && err != AVERROR(ENOMEM)) {
        err = frames_rewind(&thumbnail->frames);
        if (err >= 0)
            err = frames_next(&thumbnail->frames);
    }
    return err < 0 ? err : candidate_look(thumbnail);
}

/* Decodes on from the beginning until there is something to see, for a while. */
static void hunt(struct thumbnail *thumbnail)
{
    int64_t end = media_cpu_us() + HUNT_US;
    if (thumbnail->frames.cover || frames_rewind(&thumbnail->frames) < 0)
        return;
    for (int i = 0; i < HUNT_FRAMES && thumbnail->sight < HUNT_ENOUGH; i++) {
        if (media_cpu_us() > end || frames_next(&thumbnail->frames) < 0)
            break;
        bool look = i < HUNT_EACH || i % HUNT_STEP == HUNT_STEP - 1;
        if (look && candidate_look(thumbnail) < 0)
            break;
    }
}

static int thumbnail_find(struct thumbnail *thumbnail)
{
    int err = candidates_look(thumbnail);
    if (thumbnail->sight < 0 && err != AVERROR(ENOMEM) && err != AVERROR(ENOSYS))
        err = beginning_look(thumbnail);
    if (thumbnail->sight >= 0 && thumbnail->sight < SIGHT_POOR)
        hunt(thumbnail);
    return thumbnail->sight >= 0 ? 0 : err < 0 ? err : AVERROR_EOF;
}

/* ---- answers ------------------------------------------------------------------------------- */

/* Why there is no picture of a file that could be opened. */
static enum failure_code picture_judge(struct frames *frames, int err, char error[MEDIA_ERROR_SIZE])
{
    struct input *input = &frames->input;
    if (err == AVERROR(ENOMEM) || input->io.read_error)
        return damage_judge(&input->io, input->demuxer, err, error);
    if (err == AVERROR(ENOSYS)) {
        snprintf(error, MEDIA_ERROR_SIZE, "its frames are of a kind that cannot be shown");
        return FAILURE_NO_PICTURE;
    }
    if (damage_is_truncated(&input->io, input->demuxer, error))
        return FAILURE_TRUNCATED;
    snprintf(error, MEDIA_ERROR_SIZE, "no frame of it could be decoded (%s)",
             avcodec_get_name(frames->stream->codecpar->codec_id));
    return FAILURE_NO_PICTURE;
}

static int thumbnail_make(struct thumbnail *thumbnail, struct picture *out)
{
    int err = thumbnail_find(thumbnail);
    if (err >= 0)
        err = jpeg_encode(thumbnail->best, &out->bytes, &out->len);
    if (err >= 0) {
        out->width = thumbnail->best->width;
        out->height = thumbnail->best->height;
    }
    return err;
}

static int sheet_make(struct thumbnail *thumbnail, struct picture *out)
{
    AVFrame *sheet = NULL;
    int err = storyboard_make(&thumbnail->frames, &thumbnail->maker, thumbnail->width, out, &sheet);
    if (err >= 0)
        err = jpeg_encode(sheet, &out->bytes, &out->len);
    av_frame_free(&sheet);
    return err;
}

enum failure_code media_picture(int fd, const char *name_hint,
                                const struct picture_request *request, struct picture *out,
                                char error[MEDIA_ERROR_SIZE])
{
    struct thumbnail thumbnail = {.sight = -1, .width = request->width};
    bool storyboard = request->kind == PICTURE_STORYBOARD;
    *out = (struct picture){0};
    error[0] = '\0';
    enum failure_code code =
        frames_open(&thumbnail.frames, fd, name_hint, request->width, storyboard, error);
    if (code == FAILURE_NONE) {
        int err = storyboard ? sheet_make(&thumbnail, out) : thumbnail_make(&thumbnail, out);
        if (err < 0) {
            picture_clear(out);
            code = picture_judge(&thumbnail.frames, err, error);
        }
    }
    av_frame_free(&thumbnail.best);
    av_frame_free(&thumbnail.other);
    still_maker_free(&thumbnail.maker);
    frames_close(&thumbnail.frames);
    return code;
}
