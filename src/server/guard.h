/* guard: who may ask. A page elsewhere must neither open the channel nor change anything, also not
 * by DNS rebinding (its name made to point here). Pure; any thread. */
#ifndef REELD_SERVER_GUARD_H
#define REELD_SERVER_GUARD_H

#include <stdbool.h>

struct guard {
    const char *listen;       /* address that is bound */
    int port;                 /* that is bound */
    const char *const *hosts; /* NULL-terminated: "name" or "name:port" */
};

/* Whether a Host header (RFC 9110 §7.2) names this service: the bound address, a loopback name when
 * a loopback or wildcard address is bound, any address literal when a wildcard is, each with the
 * bound port (which may be left out when it is 80); or one of `hosts`: "name" with the bound port
 * or none (behind a proxy), "name:port" exactly. Letter case does not matter. */
bool guard_host_allowed(const struct guard *guard, const char *host);

/* Whether an Origin header (RFC 6454 §7) is absent (empty) or of the very host that was asked.
 * "null" is neither. */
bool guard_origin_allowed(const char *origin, const char *host);

/* Whether Sec-Fetch-Site (W3C Fetch Metadata) is absent or says that no other site asks. */
bool guard_site_allowed(const char *fetch_site);

/* Whether `given` is `secret`, in a time that does not depend on where they differ. */
bool guard_secret_equal(const char *secret, const char *given);

/* The token in "Bearer TOKEN" (RFC 6750 §2.1), or NULL. */
const char *guard_bearer(const char *authorization);

#endif
