/* picture_files: pictures of made files, decoded again by ffmpeg. */
#ifndef REELD_TEST_PICTURE_FILES_H
#define REELD_TEST_PICTURE_FILES_H

#include "media_files.h"

struct image {
    unsigned char *rgb; /* owned; width * height * 3 */
    int width, height;
};

/* media_picture of a file of these bytes; also checks what holds for each: a failure is explained
 * and leaves `*out` empty, a picture is a JPEG within its bounds. */
enum failure_code picture_of_bytes(const void *bytes, size_t len, const char *hint,
                                   const struct picture_request *request, struct picture *out,
                                   char error[MEDIA_ERROR_SIZE]);

/* The thumbnail of what media_make_of makes, decoded; ends the test where there is none. */
struct image image_of(const char *name, const char *arguments, int width);

/* Decodes a JPEG. */
struct image image_decode(const struct picture *picture);

void image_free(struct image *image);

/* The mean colour of 5 by 5 pixels (or what there is) around a place in thousandths. */
struct rgb {
    int r, g, b;
};
struct rgb image_at(const struct image *image, int x_permille, int y_permille);

/* Ends the test unless all three are within `tolerance`; `where` is said then. */
void rgb_expect(struct rgb is, struct rgb wanted, int tolerance, const char *where);

#endif
