/* tree: folders of real files for the tests of the library. Every function fails the test when it
 * cannot do what it says. */
#ifndef REELD_TEST_TREE_H
#define REELD_TEST_TREE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Makes an empty folder; its real path is the caller's to free. tree_remove takes it away with all
 * that is in it, at any depth. */
char *tree_new(void);
void tree_remove(char *folder);

/* Paths are given as printf formats below `folder`; folders in between are made. */
void tree_folder(const char *folder, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes a file with a modification time long ago (2001), so that it counts as settled. */
void tree_file(const char *folder, const void *bytes, size_t len, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void tree_text(const char *folder, const char *text, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A small real video (made once with ffmpeg), settled. */
void tree_video(const char *folder, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same at which a worker of reeld-worker-attack rests, so that a scan lasts until
 * tree_release(folder) makes it the video that it would have been; one a folder, "held.mkv". */
void tree_held(const char *folder);
void tree_release(const char *folder);

/* The bytes of that video. */
const void *tree_video_bytes(size_t *len);

#endif
