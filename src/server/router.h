/* router: the one table of routes. */
#ifndef REELD_SERVER_ROUTER_H
#define REELD_SERVER_ROUTER_H

#include "http.h"

/* Fills the exchange's answer, or has it wait (exchange_await_…). */
typedef void route_handler(struct exchange *exchange);

struct route {
    enum method method;
    bool open;           /* asks no token */
    const char *pattern; /* "{id}" stands for one segment */
    route_handler *handle;
};

/* Whether `path` is of `pattern`; what stands for {id} goes into `param` (of `size`; a segment that
 * does not fit matches nothing). */
bool router_match(const char *pattern, const char *path, char *param, size_t size);

/* Checks who asks, finds the route and calls it. The exchange is READY or PENDING afterwards. */
void router_dispatch(struct exchange *exchange);

/* Whether this client may ask: Host always; Origin and Sec-Fetch-Site where something `changes` or
 * the channel is opened; the token unless the route is `open`. Otherwise false, with the answer. */
bool router_admit(struct exchange *exchange, bool open, bool changes);

/* The table, for the metrics: routes 0 … router_count()-1; what matched none counts as
 * router_count(). */
size_t router_count(void);
size_t router_index(const struct route *route); /* NULL: router_count() */
const char *router_pattern(size_t index);

#endif
