/* quantity: decimal numbers and times as clients write them. Pure; any thread. */
#ifndef REELD_SERVER_QUANTITY_H
#define REELD_SERVER_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

/* "12", "12.5": in units of 10^-places (places 0 to 9); digits beyond them do not count. False: it
 * is no such text (a sign, an exponent, no digit before or behind the point), or is above `max`. */
bool quantity_decimal(const char *text, int places, int64_t max, int64_t *out);

/* A time as RFC 3339 has it ("2026-11-22T15:10:00.5+01:00"), or in seconds since 1970
 * ("1795360200", also with decimals), as milliseconds since 1970. In place of the '+' a space will
 * do: that is what an unescaped '+' in a query becomes. False: it is neither. */
bool quantity_time(const char *text, int64_t *wall_ms);

#endif
