/* Storyboards of made files: as many frames as there are, each at its time, on one sheet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "picture_files.h"

/* Each second is brighter than the one before by `STEP`, from `DARK` on. */
enum { DARK = 30, STEP = 15 };
#define SECONDS "geq=lum='30+15*floor(T+0.001)':cb=128:cr=128"

static struct picture sheet_of(const struct media_bytes *file, const char *hint, int width)
{
    const struct picture_request request = {.kind = PICTURE_STORYBOARD, .width = width};
    struct picture sheet;
    char error[MEDIA_ERROR_SIZE];
    if (picture_of_bytes(file->bytes, file->len, hint, &request, &sheet, error) != FAILURE_NONE)
        fail_msg("%s: %s", hint, error);
    assert_true(sheet.n_tiles >= 1 && sheet.n_tiles <= STORYBOARD_TILES_MAX);
    assert_int_equal(sheet.width, sheet.columns * sheet.tile_width);
    assert_int_equal(sheet.height, sheet.rows * sheet.tile_height);
    assert_in_range(sheet.n_tiles, sheet.columns * (sheet.rows - 1) + 1,
                    sheet.columns * sheet.rows);
    assert_int_equal(sheet.tile_start_us[0], 0);
    for (uint32_t i = 1; i < sheet.n_tiles; i++)
        assert_true(sheet.tile_start_us[i] > sheet.tile_start_us[i - 1]);
    assert_true(sheet.tile_start_us[sheet.n_tiles - 1] <= sheet.duration_us);
    return sheet;
}

/* The middle of tile `i`. */
static struct rgb tile_at(const struct picture *sheet, const struct image *image, uint32_t i)
{
    int column = (int)i % sheet->columns, row = (int)i / sheet->columns;
    int x = column * sheet->tile_width + sheet->tile_width / 2;
    int y = row * sheet->tile_height + sheet->tile_height / 2;
    return image_at(image, x * 1000 / image->width, y * 1000 / image->height);
}

/* Twelve seconds with a key frame each second, in every container. */
static void test_each_frame_is_of_its_time(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"a.mp4", "-c:v libx264 -g 10 -bf 2"},    {"b.mkv", "-c:v libx264 -g 10"},
        {"c.webm", "-c:v libvpx -g 10 -b:v 1M"},  {"d.avi", "-c:v mpeg4 -g 10 -q:v 2"},
        {"e.ts", "-c:v libx264 -g 10"},           {"f.flv", "-c:v flv1 -g 10 -q:v 2"},
        {"g.mov", "-c:v mjpeg -q:v 2"},           {"h.mpg", "-r 25 -c:v mpeg2video -g 25 -q:v 2"},
        {"i.ogv", "-c:v libtheora -g 10 -q:v 9"}, {"j.wmv", "-c:v wmv2 -g 10 -q:v 2"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char arguments[512];
        snprintf(arguments, sizeof arguments,
                 "-f lavfi -i \"color=gray:s=96x64:r=10:d=12,format=yuv420p," SECONDS
                 "\" -pix_fmt %s %s",
                 strstr(files[i][1], "mjpeg") ? "yuvj420p" : "yuv420p", files[i][1]);
        struct media_bytes file = media_make_of(files[i][0], arguments);
        struct picture sheet = sheet_of(&file, files[i][0] + 2, 96);
        struct image image = image_decode(&sheet);
        if (sheet.n_tiles < 10 || sheet.n_tiles > 13 || sheet.columns != 10 || sheet.rows != 2)
            fail_msg("%s: %u frames", files[i][0], sheet.n_tiles);
        assert_int_equal(sheet.tile_width, 96);
        assert_int_equal(sheet.tile_height, 64);
        for (uint32_t t = 0; t < sheet.n_tiles; t++) {
            int second = (int)((sheet.tile_start_us[t] + 150000) / 1000000);
            /* Luma from 16 to 235 as 0 to 255. */
            int wanted = (DARK + STEP * second - 16) * 255 / 219;
            char where[64];
            snprintf(where, sizeof where, "%s, frame %u of second %d", files[i][0], t, second);
            rgb_expect(tile_at(&sheet, &image, t), (struct rgb){wanted, wanted, wanted}, 8, where);
        }
        image_free(&image);
        picture_clear(&sheet);
        media_bytes_free(&file);
    }
}

static void test_as_few_as_there_are(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        uint32_t frames;
    } table[] = {
        {"-f lavfi -i testsrc2=s=160x120:r=10:d=0.5 -g 1", 1},
        {"-f lavfi -i testsrc2=s=160x120:r=10:d=2 -g 1", 2},
        {"-f lavfi -i testsrc2=s=160x120:r=10:d=30 -g 1000", 1},
        {"-f lavfi -i testsrc2=s=160x120:r=10:d=30 -g 100 -sc_threshold 0", 3},
        {"-f lavfi -i testsrc2=s=160x120:r=2:d=300 -g 2", STORYBOARD_TILES_MAX},
        {"-f lavfi -i testsrc2=s=160x120:r=10:d=2 -frames:v 1", 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char arguments[512];
        snprintf(arguments, sizeof arguments, "%s -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
                 table[i].arguments);
        struct media_bytes file = media_make_of("few.mp4", arguments);
        struct picture sheet = sheet_of(&file, "mp4", 160);
        if (sheet.n_tiles != table[i].frames)
            fail_msg("%s: %u frames", table[i].arguments, sheet.n_tiles);
        assert_true(sheet.columns <= STORYBOARD_COLUMNS_MAX);
        picture_clear(&sheet);
        media_bytes_free(&file);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *size;
        int asked, width, height;
    } table[] = {
        {"320x180", 160, 160, 90}, {"320x180", 1280, 320, 180},  {"101x57", 160, 100, 56},
        {"1x1", 160, 2, 2},        {"1920x1080", 640, 320, 180}, {"90x160", 16, 16, 28},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char arguments[256];
        snprintf(arguments, sizeof arguments,
                 "-f lavfi -i color=0xc02828:s=%s:r=2:d=2,format=rgb24 -c:v png", table[i].size);
        struct media_bytes file = media_make_of("size.mov", arguments);
        struct picture sheet = sheet_of(&file, "mov", table[i].asked);
        if (sheet.tile_width != table[i].width || sheet.tile_height != table[i].height)
            fail_msg("%s, %d asked: %d x %d", table[i].size, table[i].asked, sheet.tile_width,
                     sheet.tile_height);
        struct image image = image_decode(&sheet);
        rgb_expect(tile_at(&sheet, &image, sheet.n_tiles - 1), (struct rgb){0xc0, 0x28, 0x28}, 8,
                   table[i].size);
        image_free(&image);
        picture_clear(&sheet);
        media_bytes_free(&file);
    }
}

/* A part in the middle that is overwritten costs its own frames, and no other. */
static void test_a_damaged_part_costs_its_own_frames(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"a.mp4", "-c:v libx264"},
        {"b.mkv", "-c:v libx264"},
        {"c.ts", "-c:v libx264"},
        {"d.avi", "-c:v mjpeg -pix_fmt yuvj420p"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char arguments[512];
        snprintf(arguments, sizeof arguments,
                 "-f lavfi -i testsrc2=s=160x120:r=10:d=20 -pix_fmt yuv420p -g 10 %s", files[i][1]);
        struct media_bytes file = media_make_of(files[i][0], arguments);
        memset(file.bytes + file.len * 2 / 5, 0x55, file.len / 5);
        struct picture sheet = sheet_of(&file, files[i][0] + 2, 160);
        if (sheet.n_tiles < 12)
            fail_msg("%s: only %u frames", files[i][0], sheet.n_tiles);
        picture_clear(&sheet);
        media_bytes_free(&file);
    }
}

static int prepare(void **state)
{
    (void)state;
    media_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_frame_is_of_its_time),
        cmocka_unit_test(test_as_few_as_there_are),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_a_damaged_part_costs_its_own_frames),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
