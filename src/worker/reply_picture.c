#include <stdlib.h>
#include <string.h>

#include "reply_private.h"

static const struct text_field pictured_texts[] = {TEXT(struct wire_pictured, error)};

static size_t piece_size(size_t left)
{
    return left < WIRE_PIECE_MAX ? left : WIRE_PIECE_MAX;
}

/* ---- the numbers ---------------------------------------------------------------------------- */

static bool thumbnail_possible(const struct wire_pictured *pictured,
                               const struct picture_request *request)
{
    return pictured->width >= 1 && pictured->width <= request->width && pictured->height >= 1 &&
           pictured->height <= PICTURE_HEIGHT_TIMES * request->width && pictured->columns == 0 &&
           pictured->rows == 0 && pictured->tile_width == 0 && pictured->tile_height == 0 &&
           pictured->n_tiles == 0 && pictured->duration_us == 0;
}

static bool times_possible(const struct wire_pictured *pictured)
{
    int64_t before = -1;
    for (uint32_t i = 0; i < pictured->n_tiles; i++) {
        if (pictured->tile_start_us[i] <= before)
            return false;
        before = pictured->tile_start_us[i];
    }
    return before <= pictured->duration_us;
}

/* Each factor is small before two of them are multiplied. */
static bool storyboard_possible(const struct wire_pictured *pictured,
                                const struct picture_request *request)
{
    int32_t width = request->width < STORYBOARD_WIDTH_MAX ? request->width : STORYBOARD_WIDTH_MAX;
    return pictured->n_tiles >= 1 && pictured->n_tiles <= STORYBOARD_TILES_MAX &&
           pictured->columns >= 1 && pictured->columns <= STORYBOARD_COLUMNS_MAX &&
           pictured->rows >= 1 && pictured->rows <= STORYBOARD_TILES_MAX &&
           pictured->n_tiles <= (uint32_t)(pictured->columns * pictured->rows) &&
           pictured->n_tiles > (uint32_t)(pictured->columns * (pictured->rows - 1)) &&
           pictured->tile_width >= 1 && pictured->tile_width <= width &&
           pictured->tile_height >= 1 && pictured->tile_height <= PICTURE_HEIGHT_TIMES * width &&
           pictured->width == pictured->columns * pictured->tile_width &&
           pictured->height == pictured->rows * pictured->tile_height && times_possible(pictured);
}

static bool nothing_shown(const struct wire_pictured *pictured)
{
    return pictured->size == 0 && pictured->width == 0 && pictured->height == 0 &&
           pictured->n_tiles == 0;
}

/* ---- the bytes ------------------------------------------------------------------------------ */

/* A JPEG begins with the marker SOI and ends with EOI (ITU-T T.81, B.1.1.3 and table B.1). */
static enum rl_err jpeg_check(const struct picture *picture, const char **why)
{
    const unsigned char *bytes = picture->bytes;
    size_t len = picture->len;
    if (len >= 4 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[len - 2] == 0xff &&
        bytes[len - 1] == 0xd9)
        return RL_OK;
    *why = "a picture that is no JPEG";
    return RL_EINVAL;
}

static enum rl_err piece_take(struct picture *picture, size_t *got, const char *bytes,
                              const char **why)
{
    size_t size = piece_size(picture->len - *got);
    memcpy(picture->bytes + *got, bytes, size);
    *got += size;
    return *got == picture->len ? jpeg_check(picture, why) : RL_OK;
}

/* ---- messages ------------------------------------------------------------------------------- */

static enum rl_err pictured_check(const void *message, size_t len, uint64_t number,
                                  const struct picture_request *request,
                                  struct wire_pictured *pictured, const char **why)
{
    *why = "an answer of impossible size";
    if (len < sizeof *pictured || len > sizeof *pictured + WIRE_PIECE_MAX)
        return RL_EINVAL;
    memcpy(pictured, message, sizeof *pictured);
    enum rl_err err = reply_header_check(&pictured->header, WIRE_PICTURED, number, why);
    if (err)
        return err;
    *why = "an answer that contradicts itself";
    if (!reply_code_possible(pictured->code, WIRE_PICTURED) || pictured->size > PICTURE_BYTES_MAX ||
        len != sizeof *pictured + piece_size(pictured->size))
        return RL_EINVAL;
    if (pictured->code != FAILURE_NONE && !nothing_shown(pictured))
        return RL_EINVAL;
    *why = "a picture with impossible numbers";
    if (pictured->code == FAILURE_NONE &&
        (pictured->size < 4 ||
         !(request->kind == PICTURE_STORYBOARD ? storyboard_possible(pictured, request)
                                               : thumbnail_possible(pictured, request))))
        return RL_EINVAL;
    *why = "an answer with a text that does not end";
    return reply_texts_check(pictured, pictured_texts, 1);
}

enum rl_err reply_read_pictured(const void *message, size_t len, uint64_t number,
                                const struct picture_request *request, struct pool_result *out,
                                size_t *got, const char **why)
{
    struct wire_pictured pictured;
    *got = 0;
    out->picture = (struct picture){0};
    enum rl_err err = pictured_check(message, len, number, request, &pictured, why);
    if (err)
        return err;
    out->code = (enum failure_code)pictured.code;
    memcpy(out->error, pictured.error, sizeof out->error);
    if (out->code != FAILURE_NONE)
        return RL_OK;

    out->error[0] = '\0';
    out->picture = (struct picture){
        .bytes = malloc(pictured.size),
        .len = pictured.size,
        .width = pictured.width,
        .height = pictured.height,
        .columns = pictured.columns,
        .rows = pictured.rows,
        .tile_width = pictured.tile_width,
        .tile_height = pictured.tile_height,
        .n_tiles = pictured.n_tiles,
        .duration_us = pictured.duration_us,
    };
    memcpy(out->picture.tile_start_us, pictured.tile_start_us,
           pictured.n_tiles * sizeof *pictured.tile_start_us);
    err = RL_ENOMEM;
    if (out->picture.bytes)
        err = piece_take(&out->picture, got, (const char *)message + sizeof pictured, why);
    if (err)
        picture_clear(&out->picture);
    return err;
}

enum rl_err reply_read_piece(const void *message, size_t len, uint64_t number,
                             struct picture *picture, size_t *got, const char **why)
{
    struct wire_piece piece;
    *why = "a piece of a picture of impossible size";
    if (len != sizeof piece + piece_size(picture->len - *got))
        return RL_EINVAL;
    memcpy(&piece, message, sizeof piece);
    enum rl_err err = reply_header_check(&piece.header, WIRE_PIECE, number, why);
    if (err)
        return err;
    return piece_take(picture, got, (const char *)message + sizeof piece, why);
}

bool reply_is_returned(const void *message, size_t len, uint64_t number)
{
    struct wire_returned returned;
    if (len != sizeof returned)
        return false;
    memcpy(&returned, message, sizeof returned);
    return returned.header.version == WIRE_VERSION && returned.header.kind == WIRE_RETURNED &&
           returned.header.number == number;
}
