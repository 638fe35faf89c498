#include <string.h>

#include "cpu_time.h"
#include "reeld/media_picture.h"
#include "storyboard.h"

/* What all of it may take, as the first frame lets one expect; the rest of the time for one file is
 * for slow disks. */
#define STORYBOARD_BUDGET_US (INT64_C(8000000))
/* Rather than seek where there is no index of key frames. */
#define STORYBOARD_READ_THROUGH (INT64_C(64) << 20)
#define STORYBOARD_STEP_US (INT64_C(1000000)) /* frames are no closer to each other than that */

/* One sheet in the making. */
struct board {
    struct frames *frames;
    struct still_maker *maker;
    struct picture *out;
    AVFrame *sheet, *tile;
    struct still_plan plan; /* of the first frame; the others have the same size */
    int width, wanted;
};

static AVFrame *blank_new(int width, int height)
{
    AVFrame *frame = av_frame_alloc();
    if (!frame)
        return NULL;
    frame->format = AV_PIX_FMT_YUV420P;
    frame->width = width;
    frame->height = height;
    if (av_frame_get_buffer(frame, 0) < 0) {
        av_frame_free(&frame);
        return NULL;
    }
    for (int plane = 0; plane < 3; plane++) { /* black */
        int lines = plane > 0 ? (height + 1) / 2 : height;
        memset(frame->data[plane], plane > 0 ? 128 : 0,
               (size_t)frame->linesize[plane] * (size_t)lines);
    }
    return frame;
}

/* Colours lie on every second pixel of every second line: tiles begin on one. */
static int even(int length)
{
    return length < 2 ? 2 : length & ~1;
}

/* The first frame tells the size of all. */
static int board_begin(struct board *board, int64_t took_us)
{
    struct frames *frames = board->frames;
    struct picture *out = board->out;
    board->plan = still_plan(frames->input.format, frames->stream, frames->frame, board->width);
    board->plan.width = even(board->plan.width);
    board->plan.height = even(board->plan.height);
    if (took_us > 0 && board->wanted > STORYBOARD_BUDGET_US / took_us)
        board->wanted = (int)(STORYBOARD_BUDGET_US / took_us);
    if (board->wanted < 1)
        board->wanted = 1;
    out->columns = board->wanted < STORYBOARD_COLUMNS_MAX ? board->wanted : STORYBOARD_COLUMNS_MAX;
    int rows = (board->wanted + out->columns - 1) / out->columns;
    out->tile_width = board->plan.width;
    out->tile_height = board->plan.height;
    board->tile = blank_new(out->tile_width, out->tile_height);
    board->sheet = blank_new(out->columns * out->tile_width, rows * out->tile_height);
    return board->tile && board->sheet ? 0 : AVERROR(ENOMEM);
}

static void tile_place(struct board *board)
{
    struct picture *out = board->out;
    int column = (int)out->n_tiles % out->columns, row = (int)out->n_tiles / out->columns;
    for (int plane = 0; plane < 3; plane++) {
        int shift = plane > 0, width = out->tile_width >> shift, height = out->tile_height >> shift;
        const AVFrame *tile = board->tile;
        AVFrame *sheet = board->sheet;
        for (int y = 0; y < height; y++) {
            ptrdiff_t at = (ptrdiff_t)(row * height + y) * sheet->linesize[plane] + column * width;
            memcpy(sheet->data[plane] + at,
                   tile->data[plane] + (ptrdiff_t)y * tile->linesize[plane], (size_t)width);
        }
    }
}

/* Takes up the frame that was found last, unless it is no later than the one before. */
static int board_add(struct board *board)
{
    struct frames *frames = board->frames;
    struct picture *out = board->out;
    int64_t start = out->n_tiles == 0 ? 0 : frames->frame_us;
    if (out->n_tiles > 0 &&
        (start <= out->tile_start_us[out->n_tiles - 1] || start > out->duration_us))
        return 0;
    struct still_plan plan =
        still_plan(frames->input.format, frames->stream, frames->frame, board->width);
    plan.width = board->plan.width;
    plan.height = board->plan.height;
    int err = still_make(board->maker, frames->frame, &plan, board->tile);
    if (err < 0)
        return err;
    tile_place(board);
    out->tile_start_us[out->n_tiles++] = start;
    return 0;
}

/* Finds the first frame, from the beginning. */
static int board_first(struct board *board)
{
    int64_t start = media_cpu_us();
    /* Not a seek to 0: in a stream without an index that ends near it, on either side. */
    int err = frames_rewind(board->frames);
    if (err >= 0)
        err = frames_next_key(board->frames, -1);
    if (err < 0 && err != AVERROR(ENOMEM)) {
        err = frames_rewind(board->frames);
        if (err >= 0)
            err = frames_next(board->frames);
    }
    if (err >= 0)
        err = board_begin(board, media_cpu_us() - start);
    return err < 0 ? err : board_add(board);
}

/* Finds the frame for a time. A part that is damaged has none, and costs nobody else his. */
static int board_next(struct board *board, int64_t time_us)
{
    struct frames *frames = board->frames;
    bool seek = frames_seek_well(frames) || frames->input.io.size > STORYBOARD_READ_THROUGH;
    if (seek && frames_seek_us(frames, time_us) < 0)
        return 0;
    int err = frames_next_key(frames, seek ? -1 : time_us);
    if (err == 0)
        err = board_add(board);
    return err == AVERROR(ENOMEM) ? err : 0;
}

/* The rows that are there, when it was fewer frames than was thought. */
static void board_end(struct board *board)
{
    struct picture *out = board->out;
    if ((int)out->n_tiles < out->columns)
        out->columns = (int)out->n_tiles;
    out->rows = ((int)out->n_tiles + out->columns - 1) / out->columns;
    out->width = board->sheet->width = out->columns * out->tile_width;
    out->height = board->sheet->height = out->rows * out->tile_height;
}

int storyboard_make(struct frames *frames, struct still_maker *maker, int width,
                    struct picture *out, AVFrame **sheet)
{
    struct board board = {.frames = frames, .maker = maker, .out = out};
    int64_t duration = frames->cover ? 0 : frames->duration_us;
    board.width = width < STORYBOARD_WIDTH_MAX ? width : STORYBOARD_WIDTH_MAX;
    out->duration_us = duration;
    int64_t wanted = (duration + STORYBOARD_STEP_US - 1) / STORYBOARD_STEP_US;
    board.wanted = wanted < STORYBOARD_TILES_MAX ? (int)wanted : STORYBOARD_TILES_MAX;
    int err = board_first(&board);
    for (int i = 1; err >= 0 && i < board.wanted; i++)
        err = board_next(&board, duration / board.wanted * i);
    if (out->n_tiles > 0) {
        board_end(&board);
        *sheet = board.sheet;
        board.sheet = NULL;
        err = 0;
    }
    av_frame_free(&board.sheet);
    av_frame_free(&board.tile);
    return err;
}
