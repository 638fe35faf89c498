/* lists: what the answers about many videos have in common: the tag by which a client asks whether
 * one is still the same, its rows, and what is said while there is none. Loop thread. */
#ifndef REELD_SERVER_LISTS_H
#define REELD_SERVER_LISTS_H

#include "http.h"
#include "reeld/catalog.h"

/* Whether the client has the present answer, as If-None-Match says; then it is 304, and nothing was
 * read but where the catalogue is. */
bool list_unchanged(struct exchange *exchange);

/* Gives an answer of 200 the tag of what the catalogue was at that sequence. */
void list_tag(struct exchange *exchange, int64_t sequence);

/* The last event that was published when the catalogue was read at `sequence`: whoever listens from
 * there on misses nothing. What is committed but not published yet is in the list already, and
 * comes again as an event. */
int64_t list_event(const struct exchange *exchange, int64_t sequence);

/* Appends `"videos":[…],"total":…`. */
void list_append_videos(struct buf *body, const struct video_page *page);

/* Whether a search has to wait for others that are at theirs; its handler is called again. */
bool list_must_wait(struct exchange *exchange, const struct video_filter *filter);

/* The problem for an error of the catalogue; or, where the catalogue has done a part of the work
 * only (RL_EAGAIN), the handler is called again. */
void list_failure(struct exchange *exchange, enum rl_err err);

#endif
