/* file_send: an open file, or a part of it, on its way to a client: read piece by piece as the
 * socket takes it, so that it costs no memory. Loop thread: the file is to be on a local disk. */
#ifndef REELD_SERVER_FILE_SEND_H
#define REELD_SERVER_FILE_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_send {
    bool open;      /* there is a file: */
    int fd;         /* owned */
    int64_t at;     /* offset of the next byte to be read */
    int64_t left;   /* bytes that are still to be read */
    int64_t length; /* of the whole part */
};

/* Sends `length` bytes (above 0) from `offset` on. Takes over `fd`, which stays where it is: it may
 * be one that others read too. */
void file_send_open(struct file_send *file, int fd, int64_t offset, int64_t length);

/* The next bytes, at most `size`, into `out`: how many; 0 at the end; -1 when the file cannot be
 * read, or became shorter than it was. */
int64_t file_send_read(struct file_send *file, void *out, size_t size);

/* Harmless when there is no file. */
void file_send_close(struct file_send *file);

#endif
