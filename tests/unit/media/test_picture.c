/* Thumbnails of made files show what was put into them: the right way up, in the right shape and
 * colours. Each is decoded again by ffmpeg. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "picture_files.h"

/* Four fields, R G above B Y; `size` of one of them. */
#define FIELDS(size, more)                                                                         \
    "-f lavfi -i \"color=0xc02828:s=" size ":r=10:d=2[r];color=0x28b428:s=" size                   \
    ":r=10:d=2[g];color=0x2828c8:s=" size ":r=10:d=2[b];color=0xc8c83c:s=" size                    \
    ":r=10:d=2[y];[r][g]hstack[t];[b][y]hstack[u];[t][u]vstack" more "\" "

static struct rgb field_colour(char field)
{
    switch (field) {
    case 'R':
        return (struct rgb){0xc0, 0x28, 0x28};
    case 'G':
        return (struct rgb){0x28, 0xb4, 0x28};
    case 'B':
        return (struct rgb){0x28, 0x28, 0xc8};
    default:
        return (struct rgb){0xc8, 0xc8, 0x3c};
    }
}

/* `fields`: upper left, upper right, lower left, lower right. */
static void fields_expect(const struct image *image, const char *fields, int tolerance,
                          const char *where)
{
    for (int i = 0; i < 4; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s, field %d", where, i);
        rgb_expect(image_at(image, i % 2 ? 750 : 250, i / 2 ? 750 : 250), field_colour(fields[i]),
                   tolerance, text);
    }
}

/* ---- colours ------------------------------------------------------------------------------- */

#define TV "-color_range tv "
#define PC "-color_range pc "
#define TO(matrix, range, format)                                                                  \
    FIELDS("80x60", ",scale=out_color_matrix=" matrix ":out_range=" range ",format=" format)

static void test_colours(void **state)
{
    (void)state;
    static const struct {
        const char *name, *arguments;
    } table[] = {
        {"601.mp4", TO("bt601", "tv", "yuv420p") "-c:v libx264 -qp 8 -colorspace smpte170m " TV},
        {"709.mp4", TO("bt709", "tv", "yuv420p") "-c:v libx264 -qp 8 -colorspace bt709 " TV},
        {"2020.mp4", TO("bt2020", "tv", "yuv420p") "-c:v libx264 -qp 8 -colorspace bt2020nc " TV},
        {"full709.mp4", TO("bt709", "pc", "yuvj420p") "-c:v libx264 -qp 8 -colorspace bt709 " PC},
        {"full601.mkv", TO("bt601", "pc", "yuvj420p") "-c:v libx264 -qp 8 -colorspace bt470bg " PC},
        {"unsaid.mp4", TO("bt601", "tv", "yuv420p") "-c:v libx264 -qp 8"},
        {"422.mov", TO("bt601", "tv", "yuv422p10") "-c:v prores_ks"},
        {"444.mp4", TO("bt601", "tv", "yuv444p") "-c:v libx264 -qp 8"},
        {"10.mp4", TO("bt601", "tv", "yuv420p10") "-c:v libx265 -x265-params log-level=none:qp=8"},
        {"12.mkv", TO("bt709", "tv", "yuv422p12") "-c:v ffv1 -colorspace bt709"},
        {"alpha.mov", FIELDS("80x60", ",format=yuva444p10") "-c:v prores_ks"},
        {"argb.mov", FIELDS("80x60", ",format=argb") "-c:v qtrle"},
        {"rgb.mkv", FIELDS("80x60", ",format=bgr0") "-c:v ffv1"},
        {"palette.mkv", FIELDS("80x60", ",format=pal8") "-c:v png"},
        {"jpeg.avi", TO("bt601", "pc", "yuvj420p") "-c:v mjpeg -q:v 2"},
        {"h.ts", TO("bt601", "tv", "yuv420p") "-c:v libx264 -qp 8"},
        {"m.mpg", FIELDS("80x60", "[m];[m]fps=25") "-c:v mpeg2video -q:v 2"},
        {"i.ts", FIELDS("360x288", "[m];[m]fps=25") "-c:v mpeg2video -q:v 2 -flags +ilme+ildct"},
        {"f.mp4",
         FIELDS("80x60",
                "[m];[m]fps=25,tinterlace=interleave_top,format=yuv420p") "-c:v libx264 -qp 8 "
                                                                          "-flags +ilme+ildct"},
        {"422.ts", FIELDS("80x60", "[m];[m]fps=25,format=yuv422p") "-c:v mpeg2video -q:v 2"},
        {"422.mkv", FIELDS("80x60", "[m];[m]fps=25,format=yuv422p") "-c:v mpeg2video -q:v 2"},
        {"raw.dv", FIELDS("360x288", "[m];[m]fps=25,format=yuv420p") "-c:v dvvideo -frames:v 45"},
        {"8.ivf", FIELDS("80x60", "") "-c:v libvpx -b:v 2M"},
        {"dv.avi", FIELDS("360x288", "[m];[m]fps=25,format=yuv420p") "-c:v dvvideo"},
        {"8.webm", FIELDS("80x60", "") "-c:v libvpx -b:v 2M"},
        {"9.webm", FIELDS("80x60", "") "-c:v libvpx-vp9 -b:v 2M -deadline realtime -cpu-used 8"},
        {"a.mkv", FIELDS("80x60", ",format=yuv420p") "-c:v libsvtav1 -preset 12 -qp 10"},
        {"t.ogv", FIELDS("80x60", "") "-c:v libtheora -q:v 10"},
        {"w.wmv", FIELDS("80x60", "") "-c:v wmv2 -q:v 2"},
        {"x.avi", FIELDS("80x60", "") "-c:v mpeg4 -q:v 2 -bf 2"},
        {"f.flv", FIELDS("80x60", "") "-c:v flv1 -q:v 2"},
        {"hd.avi", FIELDS("640x360", ",scale=out_color_matrix=bt709,format=yuv420p") "-c:v mpeg4"},
        {"r.h264", FIELDS("80x60", "") "-c:v libx264 -qp 8 -pix_fmt yuv420p"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct image image = image_of(table[i].name, table[i].arguments, 320);
        fields_expect(&image, "RGBY", 10, table[i].name);
        image_free(&image);
    }
}

static void test_gray(void **state)
{
    (void)state;
    struct image image = image_of(
        "gray.mkv",
        "-f lavfi -i color=gray:s=64x64:d=1,format=gray,geq=lum=\"if(gt(X\\,31)\\,200\\,50)\" -c:v "
        "ffv1",
        320);
    rgb_expect(image_at(&image, 250, 500), (struct rgb){50, 50, 50}, 4, "dark");
    rgb_expect(image_at(&image, 750, 500), (struct rgb){200, 200, 200}, 4, "bright");
    image_free(&image);
}

/* ---- HDR ----------------------------------------------------------------------------------- */

/* Half a picture each of two levels of a 10 bit signal without colour. */
static struct image hdr_image(const char *curve, int left, int right)
{
    char arguments[512];
    snprintf(
        arguments, sizeof arguments,
        "-f lavfi -i \"color=gray:s=64x64:d=1,format=yuv420p10,geq=lum='if(gt(X,31),%d,%d)':cb=512"
        ":cr=512\" -c:v ffv1 -color_trc %s -colorspace bt2020nc -color_primaries bt2020 "
        "-color_range tv",
        right, left, curve);
    return image_of("hdr.mkv", arguments, 320);
}

/* The level of a signal between 0 and 1 (ITU-R BT.2100, table 9). */
static int level(double signal)
{
    return (int)(64 + 876 * signal + 0.5);
}

/* Signals worked out by hand from BT.2100; what they look like from BT.2390 and sRGB. */
static void test_hdr(void **state)
{
    (void)state;
    static const struct {
        const char *curve;
        double signal;
        int low, high;
    } table[] = {
        {"smpte2084", 0, 0, 2},
        {"smpte2084", 0.3016, 58, 68},   /* 10 cd/m²: a twentieth of white */
        {"smpte2084", 0.5081, 178, 192}, /* 100 cd/m²: half of white */
        {"smpte2084", 0.5807, 220, 236}, /* 203 cd/m², which is white in SDR */
        {"smpte2084", 0.7518, 250, 255}, /* 1,000 cd/m² */
        {"smpte2084", 1, 250, 255},
        {"arib-std-b67", 0, 0, 2},
        {"arib-std-b67", 0.5, 130, 144},  /* 51 cd/m²: a quarter of white */
        {"arib-std-b67", 0.75, 220, 236}, /* white in SDR */
        {"arib-std-b67", 1, 250, 255},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct image image = hdr_image(table[i].curve, level(table[i].signal), level(0.4));
        struct rgb is = image_at(&image, 250, 500);
        if (is.r < table[i].low || is.r > table[i].high || abs(is.r - is.g) > 2 ||
            abs(is.r - is.b) > 2)
            fail_msg("%s %.3f: %d %d %d, wanted %d to %d", table[i].curve, table[i].signal, is.r,
                     is.g, is.b, table[i].low, table[i].high);
        image_free(&image);
    }
}

/* Colours of BT.709 that ffmpeg wrote as BT.2020 with PQ come back as what they were, but for the
 * brightness that HDR adds: 100 cd/m² of white are half of SDR's. */
static void test_hdr_colours(void **state)
{
    (void)state;
    struct image image = image_of(
        "hdr.mkv",
        FIELDS(
            "80x60",
            ",format=gbrp,zscale=tin=iec61966-2-1:pin=bt709:min=gbr:rin=full:t=smpte2084:"
            "p=bt2020:m=bt2020nc:r=limited:npl=203,format=yuv420p10") "-c:v ffv1 -color_trc "
                                                                      "smpte2084 -colorspace "
                                                                      "bt2020nc -color_primaries "
                                                                      "bt2020 -color_range tv",
        320);
    fields_expect(&image, "RGBY", 22, "hdr");
    image_free(&image);
}

/* ---- the right way up ---------------------------------------------------------------------- */

static void put32(unsigned char *at, int32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)((uint32_t)value >> (24 - 8 * i));
}

/* The display matrix in the first track header (ISO/IEC 14496-12, 8.3.2). */
static unsigned char *matrix_of(struct media_bytes *file)
{
    for (size_t i = 0; i + 96 < file->len; i++) {
        if (memcmp(file->bytes + i, "tkhd", 4) == 0)
            return file->bytes + i + 44;
    }
    fail_msg("no track header");
    return NULL;
}

static void test_turned(void **state)
{
    (void)state;
    enum { ONE = 65536 };
    static const struct {
        const char *what, *fields;
        int32_t a, b, c, d;
        bool upright;
    } table[] = {
        {"as it is", "RGBY", ONE, 0, 0, ONE, true},
        {"90 clockwise", "BRYG", 0, ONE, -ONE, 0, false},
        {"180", "YBGR", -ONE, 0, 0, -ONE, true},
        {"270 clockwise", "GYRB", 0, -ONE, ONE, 0, false},
        {"mirrored left to right", "GRYB", -ONE, 0, 0, ONE, true},
        {"mirrored top to bottom", "BYRG", ONE, 0, 0, -ONE, true},
        {"mirrored at one diagonal", "RBGY", 0, ONE, ONE, 0, false},
        {"mirrored at the other", "YGBR", 0, -ONE, -ONE, 0, false},
        {"a little askew", "RGBY", ONE, 900, -900, ONE, true},
        {"twice as large", "BRYG", 0, 2 * ONE, -2 * ONE, 0, false},
        {"no matrix at all", "RGBY", 0, 0, 0, 0, true},
        {"a line", "RGBY", 0, ONE, 0, 0, true},
        {"all the same", "RGBY", INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, true},
    };
    const struct picture_request request = {.kind = PICTURE_THUMBNAIL, .width = 320};
    struct media_bytes file =
        media_make_of("turn.mp4", FIELDS("80x60", "") "-c:v libx264 -qp 8 -pix_fmt yuv420p");
    unsigned char *matrix = matrix_of(&file);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct picture picture;
        char error[MEDIA_ERROR_SIZE];
        put32(matrix, table[i].a);
        put32(matrix + 4, table[i].b);
        put32(matrix + 12, table[i].c);
        put32(matrix + 16, table[i].d);
        assert_int_equal(picture_of_bytes(file.bytes, file.len, "mp4", &request, &picture, error),
                         FAILURE_NONE);
        assert_int_equal(picture.width, table[i].upright ? 160 : 120);
        assert_int_equal(picture.height, table[i].upright ? 120 : 160);
        struct image image = image_decode(&picture);
        fields_expect(&image, table[i].fields, 10, table[i].what);
        image_free(&image);
        picture_clear(&picture);
    }
    media_bytes_free(&file);
}

/* ---- shapes -------------------------------------------------------------------------------- */

static void test_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *size, *aspect;
        int asked, width, height;
    } table[] = {
        {"320x240", "1", 320, 320, 240},  {"320x240", "1", 160, 160, 120},
        {"320x240", "1", 1280, 320, 240}, {"100x50", "1", 320, 100, 50},
        {"101x51", "1", 320, 101, 51},    {"101x51", "1", 33, 33, 17},
        {"320x240", "2", 320, 320, 120},  {"320x240", "1/2", 320, 160, 240},
        {"320x240", "99", 320, 320, 240}, {"720x576", "64/45", 320, 320, 180},
        {"1x1", "1", 320, 1, 1},          {"2x1", "1", 320, 2, 1},
        {"1x500", "1", 320, 1, 500},      {"1x2000", "1", 320, 1, 1280},
        {"16x4000", "1", 16, 1, 64},      {"4000x2", "1", 320, 320, 1},
        {"3x3", "1", 16, 3, 3},           {"7680x4320", "1", 1280, 1280, 720},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char arguments[256];
        snprintf(arguments, sizeof arguments,
                 "-f lavfi -i color=0xc02828:s=%s:r=10:d=0.2,setsar=%s,format=rgb24 -c:v png",
                 table[i].size, table[i].aspect);
        struct image image = image_of("shape.mov", arguments, table[i].asked);
        if (image.width != table[i].width || image.height != table[i].height)
            fail_msg("%s, pixels of %s, %d asked: %d x %d", table[i].size, table[i].aspect,
                     table[i].asked, image.width, image.height);
        rgb_expect(image_at(&image, 500, 500), field_colour('R'), 8, table[i].size);
        image_free(&image);
    }
}

/* ---- what is chosen ------------------------------------------------------------------------ */

static int brightness(const struct image *image)
{
    int64_t sum = 0;
    int64_t count = (int64_t)image->width * image->height * 3;
    for (int64_t i = 0; i < count; i++)
        sum += image->rgb[i];
    return (int)(sum / count);
}

/* `seconds` of black, or of white, of `all` in all, with a key frame every `gop` frames. */
static void intro_expect(const char *colour, double seconds, double all, int gop)
{
    char arguments[512];
    snprintf(
        arguments, sizeof arguments,
        "-f lavfi -i \"color=%s:s=160x120:r=10:d=%.1f[a];testsrc2=s=160x120:r=10:d=%.1f[b];[a][b]"
        "concat\" -c:v libx264 -pix_fmt yuv420p -g %d -sc_threshold 0",
        colour, seconds, all - seconds, gop);
    struct image image = image_of("intro.mp4", arguments, 320);
    int mean = brightness(&image);
    if (mean < 60 || mean > 200)
        fail_msg("%s for %.1f s, a key frame every %d: brightness %d", colour, seconds, gop, mean);
    image_free(&image);
}

static void test_no_empty_frame_when_another_is_there(void **state)
{
    (void)state;
    intro_expect("black", 1.5, 10, 10);
    intro_expect("black", 4, 10, 10);
    intro_expect("white", 4, 10, 10);
    intro_expect("0x3030c0", 4, 10, 10);
    intro_expect("black", 3, 10, 1000); /* the only key frame is black */
    intro_expect("black", 7, 10, 10);   /* so are all three places */
    intro_expect("black", 72, 120, 10); /* for longer than it is decoded from the beginning */
    intro_expect("black", 0.3, 0.5, 1000);
    intro_expect("white", 0.8, 1.1, 1000);
}

static void test_an_empty_film_has_an_empty_picture(void **state)
{
    (void)state;
    struct image image = image_of(
        "black.mp4", "-f lavfi -i color=black:s=64x64:r=10:d=2 -c:v libx264 -pix_fmt yuv420p", 320);
    rgb_expect(image_at(&image, 500, 500), (struct rgb){0, 0, 0}, 3, "black");
    image_free(&image);
}

static void test_one_frame(void **state)
{
    (void)state;
    struct image image = image_of(
        "one.mp4", FIELDS("80x60", "") "-frames:v 1 -c:v libx264 -qp 8 -pix_fmt yuv420p", 64);
    fields_expect(&image, "RGBY", 14, "one frame");
    image_free(&image);
}

#define COVER                                                                                      \
    "-f lavfi -i sine=d=2 " FIELDS("80x60", "") "-map 0 -map 1 -frames:v 1 -c:v mjpeg -q:v 2 "     \
                                                "-pix_fmt yuvj420p -disposition:v attached_pic "

static void test_cover(void **state)
{
    (void)state;
    struct image image = image_of("song.m4a", COVER "-c:a aac -f mp4", 320);
    fields_expect(&image, "RGBY", 10, "cover");
    image_free(&image);
    /* Not where there is a film. */
    image = image_of(
        "film.mp4",
        "-f lavfi -i color=0x28b428:s=160x120:r=10:d=2 " FIELDS(
            "80x60", "") "-map 0 -map 1 -c:v:0 libx264 -pix_fmt:v:0 yuv420p -c:v:1 mjpeg "
                         "-pix_fmt:v:1 yuvj420p -frames:v:1 1 -disposition:v:1 attached_pic",
        320);
    fields_expect(&image, "GGGG", 10, "film with a cover");
    image_free(&image);
}

static void test_nothing_to_show(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"a.m4a", "-f lavfi -i sine=d=1 -c:a aac"},
        {"b.mp3", "-f lavfi -i sine=d=1 -c:a libmp3lame"},
        {"c.mka", "-f lavfi -i sine=d=1 -c:a flac"},
        {"d.ts", "-f lavfi -i sine=d=1 -c:a mp2"},
        {"e.ogg", "-f lavfi -i sine=d=1 -c:a libvorbis"},
    };
    const struct picture_request request = {.kind = PICTURE_THUMBNAIL, .width = 320};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct media_bytes file = media_make_of(files[i][0], files[i][1]);
        struct picture picture;
        char error[MEDIA_ERROR_SIZE];
        assert_int_equal(
            picture_of_bytes(file.bytes, file.len, files[i][0] + 2, &request, &picture, error),
            FAILURE_NO_PICTURE);
        media_bytes_free(&file);
    }
}

static int prepare(void **state)
{
    (void)state;
    media_init();
    return setenv("SVT_LOG", "-1", 1); /* ffmpeg's encoder for AV1 is talkative */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_gray),
        cmocka_unit_test(test_hdr),
        cmocka_unit_test(test_hdr_colours),
        cmocka_unit_test(test_turned),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_no_empty_frame_when_another_is_there),
        cmocka_unit_test(test_an_empty_film_has_an_empty_picture),
        cmocka_unit_test(test_one_frame),
        cmocka_unit_test(test_cover),
        cmocka_unit_test(test_nothing_to_show),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
