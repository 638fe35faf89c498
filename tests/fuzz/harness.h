/* harness: the server room as it is, on loopback, in the fuzzer's own process and thread, with a
 * library of two jobs behind it; and one client. Time does not pass by itself while somebody is
 * waited for: it is moved on, so that what ends by a time-out ends at once. A rule that does not
 * hold ends the process (abort), as libFuzzer wants it. */
#ifndef REELD_FUZZ_HARNESS_H
#define REELD_FUZZ_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeld/base.h"

struct harness;

/* A byte that no text has: where the bytes of a test case are sent in two writes, the first of them
 * read and answered before the second is sent. */
enum { HARNESS_SPLIT = 0xff };

/* lws takes a target apart at each '&' and ';' and has room for some 90 parts of a head: it hangs up
 * over a request with more, unanswered. So many are no trouble. */
enum { HARNESS_SEPARATORS = 60 };
bool harness_fits(const char *target, size_t len);

/* Opens the server over a fresh catalogue. Never fails: aborts. It lives as long as the process. */
struct harness *harness_open(void);

/* A new connection of the client; the one before must have been left. */
void harness_connect(struct harness *harness);

/* Sends as far as the server takes it, and lets the server come to rest. */
void harness_send(struct harness *harness, const void *bytes, size_t len);

/* Sends all pieces of a test case. */
void harness_send_pieces(struct harness *harness, const uint8_t *bytes, size_t len);

/* Has the library say two events: a job is queued, and ended. */
void harness_say(struct harness *harness);

/* Moves time on until nothing waits any more, or the client was hung up on, but no more than
 * `seconds`. */
void harness_wait(struct harness *harness, int seconds);

/* Whether the server has closed the connection. */
bool harness_hung_up(const struct harness *harness);

/* What the client heard since it connected: the first MiB of it. */
const struct buf *harness_heard(const struct harness *harness);

/* Closes the client's side; the server must let go of all that it had for it. */
void harness_leave(struct harness *harness);

#endif
