#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "tree.h"

char *tree_new(void)
{
    char name[] = "/tmp/reeld-unit-XXXXXX";
    assert_non_null(mkdtemp(name));
    char *real = realpath(name, NULL);
    assert_non_null(real);
    assert_int_equal(chmod(real, 0755), 0);
    return real;
}

void tree_remove(char *folder)
{
    /* rm: its walk knows no longest path. */
    char command[PATH_MAX + 32];
    snprintf(command, sizeof command, "chmod -R u+rwx '%s'; rm -rf '%s'", folder, folder);
    assert_int_equal(system(command), 0);
    free(folder);
}

static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) < 0)
            assert_int_equal(errno, EEXIST);
        *slash = '/';
    }
}

static char *path_of(const char *folder, const char *format, va_list args)
{
    static char path[PATH_MAX];
    int start = snprintf(path, sizeof path, "%s/", folder);
    vsnprintf(path + start, sizeof path - (size_t)start, format, args);
    make_parents(path);
    return path;
}

static const struct timespec settled[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

static void write_file(const char *path, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    assert_int_equal(futimens(fd, settled), 0);
    close(fd);
}

/* Writes over the file's beginning, and leaves its size and times as they were. */
static void write_head(const char *folder, const void *bytes, size_t len)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/held.mkv", folder);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, 0), (ssize_t)len);
    assert_int_equal(futimens(fd, settled), 0);
    close(fd);
}

void tree_folder(const char *folder, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *path = path_of(folder, format, args);
    va_end(args);
    if (mkdir(path, 0755) < 0)
        assert_int_equal(errno, EEXIST);
}

void tree_file(const char *folder, const void *bytes, size_t len, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_file(path_of(folder, format, args), bytes, len);
    va_end(args);
}

void tree_text(const char *folder, const char *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_file(path_of(folder, format, args), text, strlen(text));
    va_end(args);
}

const void *tree_video_bytes(size_t *len)
{
    static char bytes[1 << 20];
    static size_t size;
    if (size == 0) {
        FILE *pipe = popen("ffmpeg -nostdin -loglevel error -f lavfi -i "
                           "testsrc2=size=64x64:rate=5:duration=1 -c:v mpeg4 -f matroska -",
                           "r");
        assert_non_null(pipe);
        size = fread(bytes, 1, sizeof bytes, pipe);
        assert_int_equal(pclose(pipe), 0);
        assert_true(size > 1000);
    }
    *len = size;
    return bytes;
}

void tree_video(const char *folder, const char *format, ...)
{
    size_t len;
    const void *bytes = tree_video_bytes(&len);
    va_list args;
    va_start(args, format);
    write_file(path_of(folder, format, args), bytes, len);
    va_end(args);
}

static const char hold[] = "ATTACK:hold\n";

void tree_held(const char *folder)
{
    tree_video(folder, "held.mkv");
    write_head(folder, hold, sizeof hold - 1);
}

void tree_release(const char *folder)
{
    size_t len;
    write_head(folder, tree_video_bytes(&len), sizeof hold - 1);
}
