#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "file_send.h"

static int file_of(const char *text)
{
    int fd = memfd_create("file", 0);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void test_whole_in_pieces(void **state)
{
    (void)state;
    struct file_send file;
    char out[8] = "";
    file_send_open(&file, file_of("0123456789"), 0, 10);
    assert_int_equal(file_send_read(&file, out, 4), 4);
    assert_memory_equal(out, "0123", 4);
    assert_int_equal(file_send_read(&file, out, 4), 4);
    assert_memory_equal(out, "4567", 4);
    assert_int_equal(file_send_read(&file, out, 4), 2);
    assert_memory_equal(out, "89", 2);
    assert_int_equal(file_send_read(&file, out, 4), 0);
    assert_int_equal(file.length, 10);
    file_send_close(&file);
    file_send_close(&file);
}

static void test_part(void **state)
{
    (void)state;
    struct file_send file;
    char out[8] = "";
    file_send_open(&file, file_of("0123456789"), 3, 4);
    assert_int_equal(file_send_read(&file, out, sizeof out), 4);
    assert_memory_equal(out, "3456", 4);
    assert_int_equal(file_send_read(&file, out, sizeof out), 0);
    file_send_close(&file);
}

static void test_cut_meanwhile(void **state)
{
    (void)state;
    struct file_send file;
    char out[8] = "";
    int fd = file_of("0123456789");
    file_send_open(&file, fd, 0, 10);
    assert_int_equal(file_send_read(&file, out, 4), 4);
    assert_int_equal(ftruncate(fd, 6), 0);
    assert_int_equal(file_send_read(&file, out, 4), -1);
    file_send_close(&file);
    assert_int_equal(close(fd), -1); /* it was closed with it */
}

static void test_none(void **state)
{
    (void)state;
    struct file_send none = {0}, head = {.length = 10};
    file_send_close(&none);
    file_send_close(&head);
    assert_true(fcntl(0, F_GETFD) >= 0); /* descriptor 0 is not theirs */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_in_pieces), cmocka_unit_test(test_part),
        cmocka_unit_test(test_cut_meanwhile), cmocka_unit_test(test_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
