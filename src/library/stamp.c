#include "stamp.h"

struct file_stamp stamp_of(const struct stat *stat)
{
    return (struct file_stamp){.size = stat->st_size,
                               .mtime_ns = (int64_t)stat->st_mtim.tv_sec * 1000000000 +
                                           stat->st_mtim.tv_nsec,
                               .device = stat->st_dev,
                               .inode = stat->st_ino};
}

bool stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->size == b->size && a->mtime_ns == b->mtime_ns && a->inode == b->inode;
}

bool stamp_unmoved(const struct file_stamp *a, const struct file_stamp *b)
{
    return stamp_equal(a, b) && a->device == b->device;
}
