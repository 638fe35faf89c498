#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attacks.h"
#include "reeld/vocabulary.h"
#include "worker/wire.h"

enum { JPEG_SIZE = 3 * WIRE_PIECE_MAX };

/* An answer that would be believed, and what a test spoils of it. */
struct answer {
    struct wire_pictured pictured;
    unsigned char bytes[WIRE_PIECE_MAX + 1];
};

struct piece {
    struct wire_piece head;
    unsigned char bytes[WIRE_PIECE_MAX];
};

static void say(const void *message, size_t size)
{
    send(WIRE_FD, message, size, MSG_NOSIGNAL);
}

/* The worker must not go on to give its proper answer: whoever reads it must decide by this. */
static enum attack_outcome wait_for_end(void)
{
    for (;;)
        sleep(60);
    return ATTACK_CONTAINED;
}

static struct answer *plausible(uint64_t number)
{
    static struct answer answer;
    answer = (struct answer){
        .pictured =
            {
                .header = {.version = WIRE_VERSION, .kind = WIRE_PICTURED, .number = number},
                .size = JPEG_SIZE,
                .width = 320,
                .height = 180,
            },
        .bytes = {0xff, 0xd8},
    };
    return &answer;
}

/* The first message of a picture that has further pieces. */
static void say_first(const struct answer *answer)
{
    say(answer, sizeof answer->pictured + WIRE_PIECE_MAX);
}

static void say_piece(uint64_t number, bool last, size_t size)
{
    static struct piece piece;
    piece.head.header = (struct wire_header){WIRE_VERSION, WIRE_PIECE, number};
    piece.bytes[WIRE_PIECE_MAX - 2] = last ? 0xff : 0;
    piece.bytes[WIRE_PIECE_MAX - 1] = last ? 0xd9 : 0;
    say(&piece, sizeof piece.head + size);
}

enum attack_outcome attack_picture_huge(int fd, uint64_t number)
{
    (void)fd;
    struct answer *answer = plausible(number);
    answer->pictured.size = UINT32_MAX;
    say_first(answer);
    return wait_for_end();
}

enum attack_outcome attack_picture_wide(int fd, uint64_t number)
{
    (void)fd;
    struct answer *answer = plausible(number);
    answer->pictured.width = 321;
    say_first(answer);
    return wait_for_end();
}

enum attack_outcome attack_picture_sheet(int fd, uint64_t number)
{
    (void)fd;
    struct answer *answer = plausible(number);
    answer->pictured.n_tiles = STORYBOARD_TILES_MAX + 1;
    say_first(answer);
    return wait_for_end();
}

enum attack_outcome attack_picture_overlong(int fd, uint64_t number)
{
    (void)fd;
    say(plausible(number), sizeof(struct wire_pictured) + WIRE_PIECE_MAX + 1);
    return wait_for_end();
}

enum attack_outcome attack_picture_no_jpeg(int fd, uint64_t number)
{
    (void)fd;
    say_first(plausible(number));
    say_piece(number, false, WIRE_PIECE_MAX);
    say_piece(number, false, WIRE_PIECE_MAX);
    return wait_for_end();
}

enum attack_outcome attack_picture_short_piece(int fd, uint64_t number)
{
    (void)fd;
    say_first(plausible(number));
    say_piece(number, false, WIRE_PIECE_MAX - 1);
    return wait_for_end();
}

enum attack_outcome attack_picture_other_piece(int fd, uint64_t number)
{
    (void)fd;
    say_first(plausible(number));
    say_piece(number + 1, false, WIRE_PIECE_MAX);
    return wait_for_end();
}

enum attack_outcome attack_picture_twice(int fd, uint64_t number)
{
    (void)fd;
    say_first(plausible(number));
    say_first(plausible(number));
    return wait_for_end();
}

enum attack_outcome attack_picture_never_ends(int fd, uint64_t number)
{
    (void)fd;
    say_first(plausible(number));
    say_piece(number, false, WIRE_PIECE_MAX);
    return wait_for_end();
}

enum attack_outcome attack_picture_too_many(int fd, uint64_t number)
{
    (void)fd;
    say_first(plausible(number));
    say_piece(number, false, WIRE_PIECE_MAX);
    for (;;)
        say_piece(number, true, WIRE_PIECE_MAX);
    return ATTACK_CONTAINED;
}

enum attack_outcome attack_picture_dies(int fd, uint64_t number)
{
    (void)fd;
    say_first(plausible(number));
    _exit(0);
}

enum attack_outcome attack_picture_probed(int fd, uint64_t number)
{
    (void)fd;
    const struct wire_probed probed = {
        .header = {.version = WIRE_VERSION, .kind = WIRE_PROBED, .number = number},
        .code = FAILURE_NOT_MEDIA,
    };
    say(&probed, sizeof probed);
    return wait_for_end();
}

enum attack_outcome attack_picture_returned(int fd, uint64_t number)
{
    (void)fd;
    const struct wire_returned returned = {
        .header = {.version = WIRE_VERSION, .kind = WIRE_RETURNED, .number = number}};
    say(&returned, sizeof returned);
    return wait_for_end();
}
