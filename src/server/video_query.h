/* video_query: which videos a request asks for. Pure but for words of the catalogue. */
#ifndef REELD_SERVER_VIDEO_QUERY_H
#define REELD_SERVER_VIDEO_QUERY_H

#include "http.h"
#include "reeld/catalog.h"

enum { VIDEOS_LIMIT_DEFAULT = 50, VIDEOS_LIMIT_MAX = 1000 };

/* What was asked. Its texts belong to the request, but for `folder`'s. */
struct video_request {
    struct video_query query;
    struct buf folder; /* owned */
};
void video_request_clear(struct video_request *asked);

/* Reads the arguments of a list. False: `problem` (400) says which is wrong and what would be
 * right. Clear *out in any case. */
bool video_request_read(const struct request *request, struct video_request *out,
                        struct problem *problem);

/* The same where there are no pages: a filter alone. */
bool video_filter_read(const struct request *request, struct video_request *out,
                       struct problem *problem);

#endif
