/* stamp: what tells whether a file is still as it was. */
#ifndef REELD_LIBRARY_STAMP_H
#define REELD_LIBRARY_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>

#include "reeld/catalog.h"

struct file_stamp stamp_of(const struct stat *stat);
/* Whether it is the same file in the same state. The device is not compared: its number may be
 * another after a reboot, or when a disk is mounted again. */
bool stamp_equal(const struct file_stamp *a, const struct file_stamp *b);

/* The same, and on the same device: between two looks of one process. */
bool stamp_unmoved(const struct file_stamp *a, const struct file_stamp *b);

#endif
