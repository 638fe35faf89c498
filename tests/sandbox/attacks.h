/* attacks: what a parser that has been taken over might do. The attack worker runs one when a file
 * begins with "ATTACK:<name>\n". */
#ifndef REELD_TESTS_ATTACKS_H
#define REELD_TESTS_ATTACKS_H

#include <stdbool.h>
#include <stdint.h>

enum attack_outcome {
    ATTACK_CONTAINED, /* it was refused and gave up: the worker goes on with the file */
    ATTACK_ESCAPED,   /* it got what it wanted: the worker says so in an answer of success */
    ATTACK_NO_MEMORY, /* it was refused more memory: the worker answers as the real one does */
};

struct attack {
    const char *name;
    enum attack_outcome (*run)(int fd, uint64_t number);
};

/* The attack called `name`, or NULL. */
const struct attack *attack_find(const char *name);

/* ---- attacks_reply.c: nonsense on the channel. `number`: of the request at hand. ------------- */

enum attack_outcome attack_reply_empty(int fd, uint64_t number);
enum attack_outcome attack_reply_short(int fd, uint64_t number);
enum attack_outcome attack_reply_noise(int fd, uint64_t number);
enum attack_outcome attack_reply_oversize(int fd, uint64_t number);
enum attack_outcome attack_reply_number(int fd, uint64_t number);
enum attack_outcome attack_reply_code(int fd, uint64_t number);
enum attack_outcome attack_reply_counts(int fd, uint64_t number);
enum attack_outcome attack_reply_text(int fd, uint64_t number);
enum attack_outcome attack_reply_twice(int fd, uint64_t number);
enum attack_outcome attack_reply_flood(int fd, uint64_t number);
enum attack_outcome attack_reply_hello(int fd, uint64_t number);
enum attack_outcome attack_reply_descriptor(int fd, uint64_t number);

/* ---- attacks_picture.c: the same where a picture was asked for. ------------------------------ */

enum attack_outcome attack_picture_huge(int fd, uint64_t number);
enum attack_outcome attack_picture_wide(int fd, uint64_t number);
enum attack_outcome attack_picture_sheet(int fd, uint64_t number);
enum attack_outcome attack_picture_overlong(int fd, uint64_t number);
enum attack_outcome attack_picture_no_jpeg(int fd, uint64_t number);
enum attack_outcome attack_picture_short_piece(int fd, uint64_t number);
enum attack_outcome attack_picture_other_piece(int fd, uint64_t number);
enum attack_outcome attack_picture_twice(int fd, uint64_t number);
enum attack_outcome attack_picture_never_ends(int fd, uint64_t number);
enum attack_outcome attack_picture_too_many(int fd, uint64_t number);
enum attack_outcome attack_picture_dies(int fd, uint64_t number);
enum attack_outcome attack_picture_probed(int fd, uint64_t number);
enum attack_outcome attack_picture_returned(int fd, uint64_t number);

#endif
