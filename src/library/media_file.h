/* media_file: opening the file of a known video. Any thread. */
#ifndef REELD_LIBRARY_MEDIA_FILE_H
#define REELD_LIBRARY_MEDIA_FILE_H

#include "reeld/library.h"

/* Opens the file at the absolute path `path` beneath the outermost of `roots` (as in
 * library_config) that holds it, as a scan does: no component may be a symbolic link unless they
 * are to be followed, and a pipe does not block. The descriptor is the caller's; -1: errno says
 * why. ENOENT: outside the roots, too. */
int media_file_open(const char *const *roots, bool follow, const char *path, int flags);

/* What it says of a path that it cannot be opened, or a step of it: `error` is the errno. */
enum path_verdict media_file_verdict(int error);

#endif
