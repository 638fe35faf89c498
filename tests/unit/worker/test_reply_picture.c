/* What a worker says of a picture is believed only where it can be true. */
#include "test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "worker/reply.h"

enum { NUMBER = 42, WIDTH = 320 };

static const struct picture_request thumbnail = {.kind = PICTURE_THUMBNAIL, .width = WIDTH};
static const struct picture_request storyboard = {.kind = PICTURE_STORYBOARD, .width = 160};

/* The first message of an answer, and room for as many bytes as one holds. */
struct message {
    struct wire_pictured pictured;
    unsigned char bytes[WIRE_PIECE_MAX];
};

static size_t first_size(const struct message *message)
{
    size_t size = message->pictured.size;
    return sizeof message->pictured + (size < WIRE_PIECE_MAX ? size : WIRE_PIECE_MAX);
}

static void jpeg_fill(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 31);
    bytes[0] = 0xff;
    bytes[1] = 0xd8;
    bytes[size - 2] = 0xff;
    bytes[size - 1] = 0xd9;
}

/* A good answer that a test then spoils. */
static struct message *thumbnail_new(uint32_t size)
{
    struct message *message = calloc(1, sizeof *message);
    assert_non_null(message);
    message->pictured = (struct wire_pictured){
        .header = {.version = WIRE_VERSION, .kind = WIRE_PICTURED, .number = NUMBER},
        .size = size,
        .width = WIDTH,
        .height = 180,
    };
    if (size >= 4 && size <= WIRE_PIECE_MAX)
        jpeg_fill(message->bytes, size);
    return message;
}

static struct message *storyboard_new(void)
{
    struct message *message = thumbnail_new(1000);
    struct wire_pictured *pictured = &message->pictured;
    pictured->columns = 10;
    pictured->rows = 3;
    pictured->tile_width = 160;
    pictured->tile_height = 90;
    pictured->width = 1600;
    pictured->height = 270;
    pictured->n_tiles = 25;
    pictured->duration_us = 25000000;
    for (int i = 0; i < 25; i++)
        pictured->tile_start_us[i] = i * INT64_C(1000000);
    return message;
}

static enum rl_err read_it(const struct message *message, size_t len,
                           const struct picture_request *request, struct pool_result *result)
{
    const char *why = NULL;
    size_t got = 0;
    *result = (struct pool_result){0};
    enum rl_err err = reply_read_pictured(message, len, NUMBER, request, result, &got, &why);
    if (err) {
        assert_non_null(why);
        assert_null(result->picture.bytes);
    } else if (result->code == FAILURE_NONE) {
        assert_true(got > 0 && got <= result->picture.len);
    } else {
        assert_null(result->picture.bytes);
        assert_int_equal(result->picture.len, 0);
    }
    return err;
}

static void test_a_good_picture_is_taken_over(void **state)
{
    (void)state;
    struct message *message = thumbnail_new(1000);
    struct pool_result result;
    assert_int_equal(read_it(message, first_size(message), &thumbnail, &result), RL_OK);
    assert_int_equal(result.picture.len, 1000);
    assert_memory_equal(result.picture.bytes, message->bytes, 1000);
    assert_int_equal(result.picture.width, WIDTH);
    assert_int_equal(result.picture.height, 180);
    assert_int_equal(result.picture.n_tiles, 0);
    picture_clear(&result.picture);
    free(message);
}

static void test_a_good_storyboard_is_taken_over(void **state)
{
    (void)state;
    struct message *message = storyboard_new();
    struct pool_result result;
    assert_int_equal(read_it(message, first_size(message), &storyboard, &result), RL_OK);
    assert_int_equal(result.picture.columns, 10);
    assert_int_equal(result.picture.rows, 3);
    assert_int_equal(result.picture.n_tiles, 25);
    assert_int_equal(result.picture.duration_us, 25000000);
    assert_int_equal(result.picture.tile_start_us[24], 24000000);
    picture_clear(&result.picture);
    free(message);
}

static void test_a_failure_comes_with_its_words(void **state)
{
    (void)state;
    static const int32_t codes[] = {FAILURE_NO_PICTURE, FAILURE_TRUNCATED, FAILURE_NOT_MEDIA};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct message *message = thumbnail_new(0);
        message->pictured.width = message->pictured.height = 0;
        message->pictured.code = codes[i];
        strcpy(message->pictured.error, "it is dark");
        struct pool_result result;
        assert_int_equal(read_it(message, first_size(message), &thumbnail, &result), RL_OK);
        assert_int_equal(result.code, codes[i]);
        assert_string_equal(result.error, "it is dark");
        free(message);
    }
}

/* ---- pieces ---------------------------------------------------------------------------------- */

struct piece {
    struct wire_piece head;
    unsigned char bytes[WIRE_PIECE_MAX];
};

/* Gives all pieces of `size` bytes; `spoil` is the piece that is a byte short, or less than 0. */
static enum rl_err read_in_pieces(size_t size, int spoil, bool jpeg)
{
    static struct piece piece;
    unsigned char *bytes = malloc(size);
    assert_non_null(bytes);
    jpeg_fill(bytes, size);
    bytes[size - 1] = jpeg ? 0xd9 : 0;
    struct message *message = thumbnail_new((uint32_t)size);
    size_t first = first_size(message) - sizeof message->pictured;
    memcpy(message->bytes, bytes, first);
    struct pool_result result = {0};
    const char *why;
    size_t got;
    enum rl_err err =
        reply_read_pictured(message, first_size(message), NUMBER, &thumbnail, &result, &got, &why);
    for (int i = 0; !err && got < size; i++) {
        size_t part = size - got < WIRE_PIECE_MAX ? size - got : WIRE_PIECE_MAX;
        piece.head.header = (struct wire_header){WIRE_VERSION, WIRE_PIECE, NUMBER};
        memcpy(piece.bytes, bytes + got, part);
        err = reply_read_piece(&piece, sizeof piece.head + part - (i == spoil), NUMBER,
                               &result.picture, &got, &why);
    }
    if (!err)
        assert_memory_equal(result.picture.bytes, bytes, size);
    picture_clear(&result.picture);
    free(message);
    free(bytes);
    return err;
}

static void test_large_pictures_come_in_pieces(void **state)
{
    (void)state;
    static const size_t sizes[] = {4,
                                   WIRE_PIECE_MAX - 1,
                                   WIRE_PIECE_MAX,
                                   WIRE_PIECE_MAX + 1,
                                   3 * WIRE_PIECE_MAX,
                                   3 * WIRE_PIECE_MAX + 17,
                                   PICTURE_BYTES_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(read_in_pieces(sizes[i], -1, true), RL_OK);
        assert_int_equal(read_in_pieces(sizes[i], -1, false), RL_EINVAL);
    }
    assert_int_equal(read_in_pieces(3 * WIRE_PIECE_MAX, 0, true), RL_EINVAL);
    assert_int_equal(read_in_pieces(3 * WIRE_PIECE_MAX + 17, 2, true), RL_EINVAL);
}

static void test_a_piece_of_something_else_is_refused(void **state)
{
    (void)state;
    static struct piece piece;
    unsigned char room[10];
    struct picture picture = {.bytes = room, .len = sizeof room};
    static const struct wire_header wrong[] = {
        {WIRE_VERSION + 1, WIRE_PIECE, NUMBER},
        {WIRE_VERSION, WIRE_PICTURED, NUMBER},
        {WIRE_VERSION, WIRE_PIECE, NUMBER + 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        size_t got = 4;
        const char *why = NULL;
        piece.head.header = wrong[i];
        assert_int_equal(
            reply_read_piece(&piece, sizeof piece.head + 6, NUMBER, &picture, &got, &why),
            RL_EINVAL);
        assert_non_null(why);
        assert_int_equal(got, 4);
    }
}

/* ---- what cannot be ------------------------------------------------------------------------- */

static void refuse(struct message *message, const struct picture_request *request, const char *what)
{
    struct pool_result result;
    if (read_it(message, first_size(message), request, &result) != RL_EINVAL)
        fail_msg("%s was believed", what);
    free(message);
}

#define REFUSE(new, request, change)                                                               \
    do {                                                                                           \
        struct message *message = new;                                                             \
        struct wire_pictured *p = &message->pictured;                                              \
        (void)p, (change);                                                                         \
        refuse(message, request, #change);                                                         \
    } while (0)

static void test_impossible_thumbnails(void **state)
{
    (void)state;
    REFUSE(thumbnail_new(1000), &thumbnail, p->header.version++);
    REFUSE(thumbnail_new(1000), &thumbnail, p->header.kind = WIRE_PROBED);
    REFUSE(thumbnail_new(1000), &thumbnail, p->header.number++);
    REFUSE(thumbnail_new(1000), &thumbnail, p->code = 4711);
    REFUSE(thumbnail_new(1000), &thumbnail, p->code = FAILURE_BAD_REPLY);
    REFUSE(thumbnail_new(1000), &thumbnail, p->code = FAILURE_NO_PICTURE);
    REFUSE(thumbnail_new(0), &thumbnail, p->code = FAILURE_NONE);
    REFUSE(thumbnail_new(3), &thumbnail, p->code = FAILURE_NONE);
    REFUSE(thumbnail_new(1000), &thumbnail, p->width = 0);
    REFUSE(thumbnail_new(1000), &thumbnail, p->width = WIDTH + 1);
    REFUSE(thumbnail_new(1000), &thumbnail, p->width = -1);
    REFUSE(thumbnail_new(1000), &thumbnail, p->height = 0);
    REFUSE(thumbnail_new(1000), &thumbnail, p->height = PICTURE_HEIGHT_TIMES * WIDTH + 1);
    REFUSE(thumbnail_new(1000), &thumbnail, p->height = INT32_MAX);
    REFUSE(thumbnail_new(1000), &thumbnail, p->columns = 1);
    REFUSE(thumbnail_new(1000), &thumbnail, p->n_tiles = 1);
    REFUSE(thumbnail_new(1000), &thumbnail, p->duration_us = 1);
    REFUSE(thumbnail_new(1000), &thumbnail, memset(p->error, 'x', sizeof p->error));
    REFUSE(thumbnail_new(1000), &thumbnail, message->bytes[0] = 0);
    REFUSE(thumbnail_new(1000), &thumbnail, message->bytes[1] = 0);
    REFUSE(thumbnail_new(1000), &thumbnail, message->bytes[998] = 0);
    REFUSE(thumbnail_new(1000), &thumbnail, message->bytes[999] = 0);
    REFUSE(thumbnail_new(PICTURE_BYTES_MAX + 1), &thumbnail, p->code = FAILURE_NONE);
    REFUSE(thumbnail_new(UINT32_MAX), &thumbnail, p->code = FAILURE_NONE);
}

static void test_impossible_storyboards(void **state)
{
    (void)state;
    REFUSE(storyboard_new(), &storyboard, p->n_tiles = 0);
    REFUSE(storyboard_new(), &storyboard, p->n_tiles = 31);
    REFUSE(storyboard_new(), &storyboard, p->n_tiles = 20);
    REFUSE(storyboard_new(), &storyboard, p->n_tiles = STORYBOARD_TILES_MAX + 1);
    REFUSE(storyboard_new(), &storyboard, p->n_tiles = UINT32_MAX);
    REFUSE(storyboard_new(), &storyboard, p->columns = 0);
    REFUSE(storyboard_new(), &storyboard, p->columns = -10);
    REFUSE(storyboard_new(), &storyboard, p->columns = STORYBOARD_COLUMNS_MAX + 1);
    REFUSE(storyboard_new(), &storyboard, p->columns = INT32_MAX);
    REFUSE(storyboard_new(), &storyboard, p->rows = 0);
    REFUSE(storyboard_new(), &storyboard, p->rows = 4);
    REFUSE(storyboard_new(), &storyboard, p->rows = INT32_MAX);
    REFUSE(storyboard_new(), &storyboard, p->tile_width = 0);
    REFUSE(storyboard_new(), &storyboard, p->tile_width = 161);
    REFUSE(storyboard_new(), &storyboard, p->tile_height = 0);
    REFUSE(storyboard_new(), &storyboard, p->tile_height = 641);
    REFUSE(storyboard_new(), &storyboard, p->tile_height = INT32_MAX);
    REFUSE(storyboard_new(), &storyboard, p->width = 1599);
    REFUSE(storyboard_new(), &storyboard, p->height = 271);
    REFUSE(storyboard_new(), &storyboard, p->duration_us = 23999999);
    REFUSE(storyboard_new(), &storyboard, p->duration_us = -1);
    REFUSE(storyboard_new(), &storyboard, p->tile_start_us[0] = -1);
    REFUSE(storyboard_new(), &storyboard, p->tile_start_us[7] = 6000000);
    REFUSE(storyboard_new(), &storyboard, p->tile_start_us[7] = INT64_MIN);
    REFUSE(storyboard_new(), &storyboard, p->tile_start_us[24] = INT64_MAX);
    REFUSE(storyboard_new(), &thumbnail, p->code = FAILURE_NONE);
    REFUSE(thumbnail_new(1000), &storyboard, p->code = FAILURE_NONE);
}

static void test_lengths_that_do_not_fit(void **state)
{
    (void)state;
    struct message *message = thumbnail_new(1000);
    for (size_t len = 0; len < sizeof *message; len += len < 4000 ? 1 : 997) {
        struct pool_result result;
        if (len != first_size(message))
            assert_int_equal(read_it(message, len, &thumbnail, &result), RL_EINVAL);
    }
    free(message);
}

static void test_returned(void **state)
{
    (void)state;
    struct wire_returned returned = {{WIRE_VERSION, WIRE_RETURNED, NUMBER}};
    assert_true(reply_is_returned(&returned, sizeof returned, NUMBER));
    assert_false(reply_is_returned(&returned, sizeof returned, NUMBER + 1));
    assert_false(reply_is_returned(&returned, sizeof returned - 1, NUMBER));
    assert_false(reply_is_returned(&returned, 0, NUMBER));
    returned.header.kind = WIRE_PIECE;
    assert_false(reply_is_returned(&returned, sizeof returned, NUMBER));
}

/* Whatever a bit turns into: refused, or within every bound that the rest of the daemon relies on.
 */
static void test_spoilt_bytes_never_break_a_promise(void **state)
{
    (void)state;
    int believed = 0;
    srand(11);
    for (int round = 0; round < 40000; round++) {
        bool sheet = round % 2;
        const struct picture_request *request = sheet ? &storyboard : &thumbnail;
        struct message *message = sheet ? storyboard_new() : thumbnail_new(1000);
        unsigned char *bytes = (unsigned char *)message;
        size_t len = first_size(message);
        for (int flips = 1 + rand() % 3; flips > 0; flips--)
            bytes[(size_t)rand() % sizeof message->pictured] ^= (unsigned char)(1 << rand() % 8);
        struct pool_result result;
        if (read_it(message, len, request, &result) == RL_OK && result.code == FAILURE_NONE) {
            const struct picture *picture = &result.picture;
            believed++;
            assert_int_equal(picture->len, 1000);
            assert_true(picture->width > 0 && picture->height > 0);
            assert_true(picture->n_tiles <= STORYBOARD_TILES_MAX);
            if (sheet) {
                assert_int_equal(picture->width, picture->columns * picture->tile_width);
                assert_int_equal(picture->height, picture->rows * picture->tile_height);
                for (uint32_t i = 1; i < picture->n_tiles; i++)
                    assert_true(picture->tile_start_us[i] > picture->tile_start_us[i - 1]);
                assert_true(picture->tile_start_us[picture->n_tiles - 1] <= picture->duration_us);
            }
        }
        picture_clear(&result.picture);
        free(message);
    }
    assert_true(believed > 0 && believed < 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_picture_is_taken_over),
        cmocka_unit_test(test_a_good_storyboard_is_taken_over),
        cmocka_unit_test(test_a_failure_comes_with_its_words),
        cmocka_unit_test(test_large_pictures_come_in_pieces),
        cmocka_unit_test(test_a_piece_of_something_else_is_refused),
        cmocka_unit_test(test_impossible_thumbnails),
        cmocka_unit_test(test_impossible_storyboards),
        cmocka_unit_test(test_lengths_that_do_not_fit),
        cmocka_unit_test(test_returned),
        cmocka_unit_test(test_spoilt_bytes_never_break_a_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
