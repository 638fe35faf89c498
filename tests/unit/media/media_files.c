#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "media_files.h"

struct media_bytes media_make_of(const char *name, const char *arguments)
{
    char dir[] = "/tmp/reeld-media-XXXXXX", path[64], command[2048];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int len =
        snprintf(command, sizeof command, "ffmpeg -nostdin -loglevel error %s %s", arguments, path);
    assert_true(len > 0 && (size_t)len < sizeof command);
    assert_int_equal(system(command), 0);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    struct stat status;
    assert_int_equal(fstat(fileno(in), &status), 0);
    struct media_bytes made = {malloc((size_t)status.st_size), (size_t)status.st_size};
    assert_non_null(made.bytes);
    assert_int_equal(fread(made.bytes, 1, made.len, in), made.len);
    fclose(in);
    unlink(path);
    rmdir(dir);
    return made;
}

struct media_bytes media_make(const char *name, const char *arguments)
{
    char all[1024];
    snprintf(all, sizeof all,
             "-f lavfi -i testsrc2=size=160x120:rate=25:duration=1 "
             "-f lavfi -i sine=frequency=440:duration=1 %s",
             arguments);
    return media_make_of(name, all);
}

void media_bytes_free(struct media_bytes *bytes)
{
    free(bytes->bytes);
    *bytes = (struct media_bytes){0};
}

int media_file(const void *bytes, size_t len)
{
    int fd = memfd_create("media", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, (const char *)bytes + done, len - done);
        assert_true(n > 0);
        done += (size_t)n;
    }
    assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
    return fd;
}

enum failure_code media_probe_bytes(const void *bytes, size_t len, const char *hint,
                                    struct media_info *out, char error[MEDIA_ERROR_SIZE])
{
    int fd = media_file(bytes, len);
    enum failure_code code = media_probe(fd, hint, out, error);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 7);
    close(fd);
    assert_int_equal(error[0] == '\0', code == FAILURE_NONE);
    if (code != FAILURE_NONE) {
        assert_null(out->streams);
        assert_null(out->chapters);
        assert_int_equal(out->n_streams, 0);
    }
    return code;
}
