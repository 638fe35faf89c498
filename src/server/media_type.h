/* media_type: what a video file is called on its way out. Pure; any thread. */
#ifndef REELD_SERVER_MEDIA_TYPE_H
#define REELD_SERVER_MEDIA_TYPE_H

#include <stdbool.h>

#include "reeld/base.h"

/* The Content-Type of a file of this name. `container` is the demuxer's name of what was found in
 * it, or NULL; where the two differ it decides. Static. */
const char *media_type(const char *path, const char *container);

/* Content-Disposition (RFC 6266) for the file name at the end of `path`, which may be any bytes: an
 * ASCII form for old clients and the name itself (RFC 8187); what is not UTF-8 becomes U+FFFD. */
void media_content_disposition(struct buf *out, const char *path, bool attachment);

#endif
