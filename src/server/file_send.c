#include "file_send.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { AT_ONCE = 64 * 1024 }; /* what is read with one call anyway */

void file_send_open(struct file_send *file, int fd, int64_t offset, int64_t length)
{
    *file =
        (struct file_send){.open = true, .fd = fd, .at = offset, .left = length, .length = length};
    if (length > AT_ONCE)
        posix_fadvise(fd, offset, length, POSIX_FADV_SEQUENTIAL); /* so that it is read ahead */
}

int64_t file_send_read(struct file_send *file, void *out, size_t size)
{
    size_t wanted = (uint64_t)file->left < size ? (size_t)file->left : size;
    size_t got = 0;
    while (got < wanted) {
        ssize_t n = pread(file->fd, (char *)out + got, wanted - got, file->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        got += (size_t)n;
        file->at += n;
        file->left -= n;
    }
    return (int64_t)got;
}

void file_send_close(struct file_send *file)
{
    if (file->open)
        close(file->fd);
    *file = (struct file_send){.open = false};
}
