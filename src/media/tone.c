#include <libavutil/error.h>
#include <libavutil/mastering_display_metadata.h>
#include <math.h>
#include <stdlib.h>

#include "tone.h"

/* Light is counted in cd/m². What is white in SDR is 203 of them in HDR (ITU-R BT.2408, 2.2); a
 * picture is made for displays of 1,000 unless it says otherwise (BT.2100, note 5f; BT.2408). */
#define TONE_WHITE 203.0
#define TONE_PEAK 1000.0
#define TONE_PEAK_MAX 10000.0

enum { TONE_STEPS = 4096, TONE_SHIFT = 4 }; /* of a table over the 65,536 values of a sample */

struct tone {
    float light[TONE_STEPS];      /* of a sample: cd/m² (PQ), or scene light from 0 to 1 (HLG) */
    float gain[TONE_STEPS];       /* by the square root of brightest / peak: what to multiply by */
    float system[TONE_STEPS];     /* HLG: cd/m² of scene light, by its luminance's square root */
    uint8_t srgb[TONE_STEPS + 1]; /* of light, 1 being white */
    bool hlg, wide;
    double peak;
};

bool tone_is_hdr(enum AVColorTransferCharacteristic curve)
{
    return curve == AVCOL_TRC_SMPTE2084 || curve == AVCOL_TRC_ARIB_STD_B67;
}

/* ---- curves -------------------------------------------------------------------------------- */

/* BT.2100, table 4. */
#define PQ_M1 (2610.0 / 16384)
#define PQ_M2 (2523.0 / 4096 * 128)
#define PQ_C1 (3424.0 / 4096)
#define PQ_C2 (2413.0 / 4096 * 32)
#define PQ_C3 (2392.0 / 4096 * 32)

static double pq_light(double signal)
{
    double power = pow(signal, 1 / PQ_M2), over = power - PQ_C1;
    return over <= 0 ? 0 : 10000 * pow(over / (PQ_C2 - PQ_C3 * power), 1 / PQ_M1);
}

static double pq_signal(double light)
{
    double power = pow(light / 10000, PQ_M1);
    return pow((PQ_C1 + PQ_C2 * power) / (1 + PQ_C3 * power), PQ_M2);
}

/* BT.2100, table 5: the inverse of the OETF. */
static double hlg_scene(double signal)
{
    const double a = 0.17883277, b = 1 - 4 * a, c = 0.5 - a * log(4 * a);
    return signal <= 0.5 ? signal * signal / 3 : (exp((signal - c) / a) + b) / 12;
}

/* IEC 61966-2-1. */
static double srgb_signal(double light)
{
    return light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055;
}

/* The EETF of ITU-R BT.2390, 5.4.1, for displays that show black as black: what is dark enough
 * stays, what is brighter is rolled off so that the peak of the picture becomes white. */
static double eetf(double light, double peak)
{
    double whole = pq_signal(peak), e1 = pq_signal(light) / whole;
    double most = pq_signal(TONE_WHITE) / whole, knee = 1.5 * most - 0.5;
    if (most >= 1 || e1 < knee)
        return light < TONE_WHITE ? light : most >= 1 ? TONE_WHITE : light;
    double t = e1 < 1 ? (e1 - knee) / (1 - knee) : 1, t2 = t * t, t3 = t2 * t;
    double e2 =
        (2 * t3 - 3 * t2 + 1) * knee + (t3 - 2 * t2 + t) * (1 - knee) + (-2 * t3 + 3 * t2) * most;
    return pq_light(e2 * whole);
}

/* ---- tables -------------------------------------------------------------------------------- */

/* The brightest light in the picture, as it says itself. */
static double peak_of(const AVFrame *frame)
{
    double peak = 0;
    const AVFrameSideData *side = av_frame_get_side_data(frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
    if (side && side->size >= sizeof(AVContentLightMetadata))
        peak = ((const AVContentLightMetadata *)(const void *)side->data)->MaxCLL;
    side = av_frame_get_side_data(frame, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
    if (peak <= 0 && side && side->size >= sizeof(AVMasteringDisplayMetadata)) {
        const AVMasteringDisplayMetadata *display = (const void *)side->data;
        if (display->has_luminance && display->max_luminance.den > 0)
            peak = av_q2d(display->max_luminance);
    }
    if (!(peak >= TONE_WHITE))
        return TONE_PEAK;
    return peak < TONE_PEAK_MAX ? peak : TONE_PEAK_MAX;
}

static void tone_fill(struct tone *tone, const AVFrame *frame)
{
    tone->hlg = frame->color_trc == AVCOL_TRC_ARIB_STD_B67;
    tone->wide = frame->color_primaries == AVCOL_PRI_BT2020 ||
                 frame->color_primaries == AVCOL_PRI_UNSPECIFIED;
    tone->peak = tone->hlg ? TONE_PEAK : peak_of(frame);
    for (int i = 0; i < TONE_STEPS; i++) {
        double at = (double)i / (TONE_STEPS - 1), light = at * at * tone->peak;
        tone->light[i] = (float)(tone->hlg ? hlg_scene(at) : pq_light(at));
        /* BT.2100, table 5: the OOTF of a display of 1,000 cd/m², whose gamma is 1.2. */
        tone->system[i] = (float)(tone->peak * pow(at * at, 1.2 - 1));
        tone->gain[i] = (float)((light > 0 ? eetf(light, tone->peak) / light : 1) / TONE_WHITE);
    }
    for (int i = 0; i <= TONE_STEPS; i++)
        tone->srgb[i] = (uint8_t)lround(255 * srgb_signal((double)i / TONE_STEPS));
}

/* ---- pixels -------------------------------------------------------------------------------- */

/* The place in a table over square roots. */
static int root_step(float share)
{
    float at = sqrtf(share) * (TONE_STEPS - 1) + 0.5f;
    return at < TONE_STEPS - 1 ? (int)at : TONE_STEPS - 1;
}

static uint8_t srgb_of(const struct tone *tone, float light)
{
    if (!(light > 0))
        return 0;
    return tone->srgb[light < 1 ? (int)(light * TONE_STEPS + 0.5f) : TONE_STEPS];
}

static void pixel_map(const struct tone *tone, const uint16_t from[3], uint8_t to[3])
{
    float r = tone->light[from[0] >> TONE_SHIFT], g = tone->light[from[1] >> TONE_SHIFT],
          b = tone->light[from[2] >> TONE_SHIFT];
    if (tone->hlg) {
        float system = tone->system[root_step(0.2627f * r + 0.6780f * g + 0.0593f * b)];
        r *= system;
        g *= system;
        b *= system;
    }
    /* By the brightest of the three, and all of them alike: that keeps the hue. */
    float most = r > g ? r : g;
    most = most > b ? most : b;
    float gain = tone->gain[root_step(most / (float)tone->peak)];
    /* Beyond the peak. */
    if (most > (float)tone->peak)
        gain *= (float)tone->peak / most;
    r *= gain;
    g *= gain;
    b *= gain;
    if (tone->wide) { /* BT.2087, 3: from BT.2020 to BT.709 */
        float r2 = r, g2 = g, b2 = b;
        r = 1.6605f * r2 - 0.5876f * g2 - 0.0728f * b2;
        g = -0.1246f * r2 + 1.1329f * g2 - 0.0083f * b2;
        b = -0.0182f * r2 - 0.1006f * g2 + 1.1187f * b2;
    }
    to[0] = srgb_of(tone, r);
    to[1] = srgb_of(tone, g);
    to[2] = srgb_of(tone, b);
}

int tone_map(const AVFrame *frame, const AVFrame *from, AVFrame *to)
{
    struct tone *tone = malloc(sizeof *tone);
    if (!tone)
        return AVERROR(ENOMEM);
    tone_fill(tone, frame);
    for (int y = 0; y < from->height; y++) {
        const uint16_t *line =
            (const uint16_t *)(const void *)(from->data[0] + (ptrdiff_t)y * from->linesize[0]);
        uint8_t *out = to->data[0] + (ptrdiff_t)y * to->linesize[0];
        for (int x = 0; x < from->width; x++)
            pixel_map(tone, line + 3 * x, out + 3 * x);
    }
    free(tone);
    return 0;
}
