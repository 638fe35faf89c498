/* generated: a library that never was. What there is of a video depends on its number alone, so
 * that a tree on disk and the rows of a catalogue agree, on every machine. */
#ifndef REELD_BENCH_GENERATED_H
#define REELD_BENCH_GENERATED_H

#include <stdint.h>

#include "reeld/base.h"
#include "reeld/media_info.h"

/* The videos of a library, evenly in folders, the folders evenly in groups. */
struct generated {
    const char *root;                 /* absolute path */
    uint64_t first;                   /* number of its first video */
    uint64_t videos, folders, groups; /* at least 1 each; videos ≥ folders ≥ groups */
};

/* The folder in which video `number` lies, of 0 to folders - 1; its path without the last slash;
 * the path of its group. */
uint64_t generated_folder(const struct generated *library, uint64_t number);
void generated_folder_path(const struct generated *library, uint64_t folder, struct buf *out);
void generated_group_path(const struct generated *library, uint64_t group, struct buf *out);

/* The group of a folder. */
uint64_t generated_group(const struct generated *library, uint64_t folder);

/* The video's file name; and the number of the video that has this name (UINT64_MAX: none). */
void generated_name(uint64_t number, struct buf *out);
uint64_t generated_number(const char *name);

/* Videos of which this is equal have the same content: 20 of each 1,000 have. */
uint64_t generated_content(uint64_t number);

/* When the file was changed last, and how large it would be. */
int64_t generated_mtime_ns(uint64_t number);
int64_t generated_size(uint64_t number);

/* What a worker would find in it; out->streams is the caller's. RL_ENOMEM. */
enum rl_err generated_info(uint64_t number, struct media_info *out);

#endif
