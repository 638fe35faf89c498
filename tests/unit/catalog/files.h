/* files: videos whose files are said by inode and content, and whether what the catalogue keeps
 * beside their rows is what a look at every row would give. */
#ifndef REELD_TEST_CATALOG_FILES_H
#define REELD_TEST_CATALOG_FILES_H

#include "support.h"

/* A transaction of the writer, which must succeed. */
void begin(struct fixture *fixture);
void commit(struct fixture *fixture);

/* The state of a file of 1,000 bytes with this inode. */
struct file_stamp stamp(uint64_t inode);

/* Puts a video with this file and content (`print` is its fingerprint). */
void put_file(struct fixture *fixture, const char *path, const struct file_stamp *file,
              uint64_t print);
void put(struct fixture *fixture, const char *path, uint64_t inode, uint64_t print);

/* Fails the test unless order_name, order_inode, order_fingerprint and twins are as if they were
 * made anew. */
void check_tables(struct catalog *writer);

/* Fails the test unless the files with these inodes, and the contents with these prints (from 0 on,
 * all of 1,000 bytes), are found where the rows say they are. */
void check_places(struct catalog *writer, uint64_t inodes, uint64_t prints);

#endif
