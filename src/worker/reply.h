/* reply: checks what a worker said. A worker may have been taken over by a file: nothing it says is
 * believed before it went through here. Daemon only; keeps no state. */
#ifndef REELD_WORKER_REPLY_H
#define REELD_WORKER_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeld/worker.h"
#include "wire.h"

/* Reads a greeting of `len` bytes. RL_EINVAL: it is none (`why` says what is wrong, static);
 * RL_EVERSION: the worker is of another build. Its texts come out terminated and as UTF-8. */
enum rl_err reply_read_hello(const void *message, size_t len, struct wire_hello *out,
                             const char **why);

/* The number of the request that a message claims to answer; 0 when it is too short to say. */
uint64_t reply_number(const void *message, size_t len);

/* Reads the answer to request `number` into `out`: code, error and info, which the caller owns on
 * RL_OK; the tag is left alone.
 *
 * RL_EINVAL, with a static `why`, for what no file can cause and only a broken or hostile worker
 * says: a wrong size, version, kind or number, a count that disagrees with the length or with
 * another, an enum out of range, a text without its NUL. Odd values that a damaged file may well
 * contain are made harmless instead: ill-formed UTF-8 becomes U+FFFD, a negative size, rate or
 * duration becomes unknown, a rotation is brought into 0 to 359, a rational with a negative or
 * missing part becomes 0/0.
 * RL_ENOMEM: the daemon has no memory for it. */
enum rl_err reply_read_probed(const void *message, size_t len, uint64_t number,
                              struct pool_result *out, const char **why);

/* Reads the answer to `request`, made with `number`, into `out`: code, error and picture, which the
 * caller owns on RL_OK. `*got` is how many bytes of the JPEG it brought; while that is less than
 * picture.len, pieces follow and the rest of picture.bytes is not set.
 *
 * RL_EINVAL, with a static `why`, for what no file can cause, as above: also a picture larger than
 * asked for, a sheet whose numbers do not fit each other, times that do not grow or lie beyond the
 * end, bytes that are no JPEG. RL_ENOMEM: as above. On either, `out` owns nothing. */
enum rl_err reply_read_pictured(const void *message, size_t len, uint64_t number,
                                const struct picture_request *request, struct pool_result *out,
                                size_t *got, const char **why);

/* Reads the next piece of a picture that has `*got` bytes by now. RL_EINVAL as above; `picture`
 * stays the caller's. */
enum rl_err reply_read_piece(const void *message, size_t len, uint64_t number,
                             struct picture *picture, size_t *got, const char **why);

/* Whether a message is a well-formed wire_returned for request `number`. */
bool reply_is_returned(const void *message, size_t len, uint64_t number);

#endif
