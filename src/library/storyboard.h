/* storyboard: the index of a storyboard. Pure. */
#ifndef REELD_LIBRARY_STORYBOARD_H
#define REELD_LIBRARY_STORYBOARD_H

#include "reeld/base.h"
#include "reeld/media_picture.h"

/* Appends a WebVTT file (W3C WebVTT §4) whose cues name, for each span of time, a part of the sheet
 * by its address, relative to the index's own, and a media fragment (#xywh, W3C Media Fragments
 * §4.2.2). out->failed: out of memory. */
void storyboard_index(const struct picture *sheet, uint64_t version, struct buf *out);

#endif
