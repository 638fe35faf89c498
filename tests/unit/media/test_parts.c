/* The small parts of the media room: reading by descriptor, fingerprint, text. */
#include <errno.h>
#include <fcntl.h>
#include <libavutil/error.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "../test.h"
#include "fd_io.h"
#include "fingerprint.h"
#include "text.h"

enum { FILE_SIZE = 200 * 1000 };

static unsigned char content[FILE_SIZE];

static int file_of(size_t len)
{
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (unsigned char)(i * 31 + i / 251);
    int fd = memfd_create("parts", MFD_CLOEXEC);
    assert_int_equal(write(fd, content, len), (ssize_t)len);
    assert_int_equal(lseek(fd, 11, SEEK_SET), 11);
    return fd;
}

static void test_reads_and_seeks(void **state)
{
    (void)state;
    struct fd_io io;
    unsigned char bytes[70000];
    int fd = file_of(FILE_SIZE);
    assert_int_equal(fd_io_open(&io, fd, FILE_SIZE), 0);
    assert_int_equal(avio_size(io.avio), FILE_SIZE);
    assert_int_equal(avio_read(io.avio, bytes, sizeof bytes), (int)sizeof bytes);
    assert_memory_equal(bytes, content, sizeof bytes);
    assert_int_equal(avio_seek(io.avio, FILE_SIZE - 10, SEEK_SET), FILE_SIZE - 10);
    assert_int_equal(avio_read(io.avio, bytes, 100), 10);
    assert_memory_equal(bytes, content + FILE_SIZE - 10, 10);
    assert_int_equal(avio_read(io.avio, bytes, 100), AVERROR_EOF);
    assert_int_equal(avio_seek(io.avio, 3, SEEK_SET), 3);
    assert_int_equal(avio_seek(io.avio, 4, SEEK_CUR), 7);
    assert_int_equal(avio_r8(io.avio), content[7]);
    assert_true(avio_seek(io.avio, -5, SEEK_SET) < 0);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 11);
    fd_io_close(&io);
    fd_io_close(&io);
    close(fd);
}

static void test_size_is_fixed(void **state)
{
    (void)state;
    struct fd_io io;
    unsigned char bytes[200];
    int fd = file_of(1000);
    /* What is appended after the start is not seen; what is cut off is the end. */
    assert_int_equal(fd_io_open(&io, fd, 900), 0);
    assert_true(fd_io_read_at(&io, 800, bytes, 100));
    assert_false(fd_io_read_at(&io, 801, bytes, 100));
    assert_int_equal(ftruncate(fd, 850), 0);
    assert_false(fd_io_read_at(&io, 800, bytes, 100));
    assert_int_equal(io.read_error, 0);
    fd_io_close(&io);
    close(fd);
}

static void test_read_error_is_kept(void **state)
{
    (void)state;
    struct fd_io io;
    unsigned char byte;
    int fd = open("/dev/null", O_WRONLY);
    assert_int_equal(fd_io_open(&io, fd, 100), 0);
    assert_int_equal(avio_read(io.avio, &byte, 1), AVERROR(EBADF));
    assert_int_equal(io.read_error, EBADF);
    fd_io_close(&io);
    close(fd);
}

static uint64_t fingerprint_of(size_t len)
{
    struct fd_io io;
    uint64_t print = 0;
    int fd = file_of(len);
    assert_int_equal(fd_io_open(&io, fd, (int64_t)len), 0);
    assert_int_equal(fingerprint_make(&io, &print), 0);
    fd_io_close(&io);
    close(fd);
    return print;
}

static void test_fingerprint(void **state)
{
    (void)state;
    enum { END = 65536 };
    static unsigned char input[8 + 2 * END] = {FILE_SIZE & 0xff, FILE_SIZE >> 8 & 0xff,
                                               FILE_SIZE >> 16};
    uint64_t print = fingerprint_of(FILE_SIZE);
    memcpy(input + 8, content, END);
    memcpy(input + 8 + END, content + FILE_SIZE - END, END);
    assert_true(print == XXH3_64bits(input, sizeof input));
    assert_true(fingerprint_of(FILE_SIZE - 1) != print);
    static const unsigned char small[] = {3, 0, 0, 0, 0, 0, 0, 0};
    memcpy(input, small, sizeof small);
    memcpy(input + 8, content, 3);
    memcpy(input + 11, content, 3);
    assert_true(fingerprint_of(3) == XXH3_64bits(input, 14));
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } table[] = {
        {NULL, ""},
        {"", ""},
        {"  a b\t\n", "a b"},
        {"1234567", "1234567"},
        {"12345678", "1234567"},
        {"123456\xc3\xa4", "123456"},                 /* no half character at the cut */
        {"12345\xc3\xa4", "12345\xc3\xa4"},           /* the whole one fits */
        {"a\xff", "a\xef\xbf\xbd"},                   /* ill-formed: U+FFFD */
        {"\xff\xff\xff", "\xef\xbf\xbd\xef\xbf\xbd"}, /* which also has to fit */
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char to[8];
        text_copy(to, sizeof to, table[i].from);
        assert_string_equal(to, table[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_and_seeks),
        cmocka_unit_test(test_size_is_fixed),
        cmocka_unit_test(test_read_error_is_kept),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
