#include "storyboard.h"

#include <inttypes.h>

#include "reeld/events.h"

enum { MS_PER_HOUR = 3600000, MS_PER_MINUTE = 60000 };

/* WebVTT §4.1: at least two digits of hours. */
static void put_time(struct buf *out, int64_t ms)
{
    buf_printf(out, "%02" PRId64 ":%02d:%02d.%03d", ms / MS_PER_HOUR,
               (int)(ms / MS_PER_MINUTE % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
}

void storyboard_index(const struct picture *sheet, uint64_t version, struct buf *out)
{
    char text[PICTURE_VERSION_SIZE];
    picture_version_text(version, text);
    buf_puts(out, "WEBVTT\n");
    int64_t from = 0; /* the first frame stands for all before the second */
    for (uint32_t i = 0; i < sheet->n_tiles && i < STORYBOARD_TILES_MAX && sheet->columns > 0;
         i++) {
        bool last = i + 1 == sheet->n_tiles;
        int64_t to = (last ? sheet->duration_us : sheet->tile_start_us[i + 1]) / 1000;
        if (last && to <= from)
            to = from + 1;
        if (to <= from)
            continue; /* a cue of no length is none */
        buf_puts(out, "\n");
        put_time(out, from);
        buf_puts(out, " --> ");
        put_time(out, to);
        buf_printf(out, "\nstoryboard.jpg?v=%s#xywh=%d,%d,%d,%d\n", text,
                   (int)i % sheet->columns * sheet->tile_width,
                   (int)i / sheet->columns * sheet->tile_height, sheet->tile_width,
                   sheet->tile_height);
        from = to;
    }
}
