/* streams_pack: the streams of a video as the catalogue has them: in one BLOB, since a row for each
 * of them costs a fifth of what it takes to write down a new video. */
#ifndef REELD_CATALOG_STREAMS_PACK_H
#define REELD_CATALOG_STREAMS_PACK_H

#include <sqlite3.h>

#include "reeld/base.h"
#include "reeld/media_info.h"

/* Makes room for one more item of `size` bytes; doubles at powers of two, so that no capacity need
 * be kept. NULL: out of memory, and `items` is as it was. */
void *items_grown(void *items, uint32_t count, size_t size);

/* Appends the streams of `info`; out of memory: out->failed. */
void streams_pack(const struct media_info *info, struct buf *out);

/* Appends the streams, or those of one kind alone, to those of `info`, at most MEDIA_STREAMS_MAX in
 * all. `kind` is MEDIA_KINDS for all. RL_EIO: that is not what streams_pack wrote; RL_ENOMEM. */
enum rl_err streams_unpack(const void *bytes, size_t len, enum media_kind kind,
                           struct media_info *info);

/* The SQL aggregate pack_streams(position, …the columns of version 3…), with which the schema was
 * brought to version 4. */
enum rl_err streams_functions(sqlite3 *db);

#endif
