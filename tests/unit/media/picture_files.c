#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "picture_files.h"

enum failure_code picture_of_bytes(const void *bytes, size_t len, const char *hint,
                                   const struct picture_request *request, struct picture *out,
                                   char error[MEDIA_ERROR_SIZE])
{
    int fd = media_file(bytes, len);
    enum failure_code code = media_picture(fd, hint, request, out, error);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 7);
    close(fd);
    assert_int_equal(error[0] == '\0', code == FAILURE_NONE);
    if (code != FAILURE_NONE) {
        assert_null(out->bytes);
        assert_int_equal(out->len, 0);
        return code;
    }
    assert_true(out->len > 4 && out->len <= PICTURE_BYTES_MAX);
    assert_memory_equal(out->bytes, "\xff\xd8\xff", 3);
    assert_memory_equal(out->bytes + out->len - 2, "\xff\xd9", 2);
    assert_true(out->width > 0 && out->height > 0);
    if (request->kind == PICTURE_THUMBNAIL) {
        assert_true(out->width <= request->width);
        assert_true(out->height <= PICTURE_HEIGHT_TIMES * request->width);
    }
    return code;
}

struct image image_decode(const struct picture *picture)
{
    char path[] = "/tmp/reeld-jpeg-XXXXXX", command[256];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, picture->bytes, picture->len), picture->len);
    close(fd);
    snprintf(command, sizeof command,
             "ffmpeg -nostdin -loglevel error -f mjpeg -i %s -f rawvideo -pix_fmt rgb24 -sws_flags "
             "accurate_rnd+full_chroma_int -",
             path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t size = (size_t)picture->width * (size_t)picture->height * 3;
    struct image image = {malloc(size), picture->width, picture->height};
    assert_non_null(image.rgb);
    assert_int_equal(fread(image.rgb, 1, size, pipe), size);
    assert_int_equal(fgetc(pipe), EOF);
    assert_int_equal(pclose(pipe), 0);
    unlink(path);
    return image;
}

struct image image_of(const char *name, const char *arguments, int width)
{
    const struct picture_request request = {.kind = PICTURE_THUMBNAIL, .width = width};
    struct media_bytes file = media_make_of(name, arguments);
    struct picture picture;
    char error[MEDIA_ERROR_SIZE];
    const char *hint = strrchr(name, '.') + 1;
    if (picture_of_bytes(file.bytes, file.len, hint, &request, &picture, error) != FAILURE_NONE)
        fail_msg("%s %s: %s", name, arguments, error);
    struct image image = image_decode(&picture);
    picture_clear(&picture);
    media_bytes_free(&file);
    return image;
}

void image_free(struct image *image)
{
    free(image->rgb);
    *image = (struct image){0};
}

struct rgb image_at(const struct image *image, int x_permille, int y_permille)
{
    int sum[3] = {0}, count = 0;
    int cx = image->width * x_permille / 1000, cy = image->height * y_permille / 1000;
    for (int y = cy - 2; y <= cy + 2; y++) {
        for (int x = cx - 2; x <= cx + 2; x++) {
            if (x < 0 || y < 0 || x >= image->width || y >= image->height)
                continue;
            for (int i = 0; i < 3; i++)
                sum[i] +=
                    image->rgb[((size_t)y * (size_t)image->width + (size_t)x) * 3 + (size_t)i];
            count++;
        }
    }
    assert_true(count > 0);
    return (struct rgb){sum[0] / count, sum[1] / count, sum[2] / count};
}

void rgb_expect(struct rgb is, struct rgb wanted, int tolerance, const char *where)
{
    if (abs(is.r - wanted.r) > tolerance || abs(is.g - wanted.g) > tolerance ||
        abs(is.b - wanted.b) > tolerance)
        fail_msg("%s: %d %d %d, wanted %d %d %d", where, is.r, is.g, is.b, wanted.r, wanted.g,
                 wanted.b);
}
