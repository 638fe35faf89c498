/* media_picture: a picture that was made of a media file. Plain data, as media_info.h: media makes
 * it, worker carries it over a socket, library keeps it. Header only. */
#ifndef REELD_MEDIA_PICTURE_H
#define REELD_MEDIA_PICTURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    PICTURE_BYTES_MAX = 4 << 20, /* of one JPEG */
    PICTURE_WIDTH_MIN = 16,
    PICTURE_WIDTH_MAX = 1280,
    PICTURE_HEIGHT_TIMES =
        4, /* a thumbnail is at most so many times as high as the width asked for */
    STORYBOARD_TILES_MAX = 100,
    STORYBOARD_COLUMNS_MAX = 10,
    STORYBOARD_WIDTH_MAX = 320, /* of one frame of the sheet, whatever was asked for */
};

enum picture_kind {
    PICTURE_THUMBNAIL,  /* one frame, as a person sees the video */
    PICTURE_STORYBOARD, /* a sheet of frames, left to right and top to bottom */
    PICTURE_KINDS
};

struct picture_request {
    int32_t kind;  /* enum picture_kind */
    int32_t width; /* of the thumbnail, or of one frame of the sheet, in pixels; a smaller video is
                      not enlarged */
};

struct picture {
    unsigned char *bytes; /* JPEG; owned, malloc */
    size_t len;
    int32_t width, height; /* of the whole picture */
    /* of a storyboard; else 0 */
    int32_t columns, rows, tile_width, tile_height;
    uint32_t n_tiles;
    int64_t duration_us;                         /* what the frames were spread over */
    int64_t tile_start_us[STORYBOARD_TILES_MAX]; /* from when each frame stands for the video */
};

/* Frees what `picture` owns, not `picture` itself, and empties it. */
static inline void picture_clear(struct picture *picture)
{
    free(picture->bytes);
    *picture = (struct picture){0};
}

#endif
