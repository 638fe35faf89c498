/* media_files: files for the tests of the media room, real ones made by ffmpeg. */
#ifndef REELD_TEST_MEDIA_FILES_H
#define REELD_TEST_MEDIA_FILES_H

#include <stddef.h>

#include "reeld/media.h"

struct media_bytes {
    unsigned char *bytes; /* owned */
    size_t len;
};

/* What ffmpeg writes as `name` (its extension picks the container) when it is given a test picture
 * and a test sound of one second, and `arguments`, separated by spaces. Ends the test on failure.
 */
struct media_bytes media_make(const char *name, const char *arguments);

/* The same with inputs of its own among `arguments`, which go through a shell. */
struct media_bytes media_make_of(const char *name, const char *arguments);

void media_bytes_free(struct media_bytes *bytes);

/* An open regular file of these bytes, its offset at 7. */
int media_file(const void *bytes, size_t len);

/* media_probe of a file of these bytes; also checks that the offset of the descriptor has not
 * moved, that a failure is explained and leaves `*out` empty. */
enum failure_code media_probe_bytes(const void *bytes, size_t len, const char *hint,
                                    struct media_info *out, char error[MEDIA_ERROR_SIZE]);

#endif
