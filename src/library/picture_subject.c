/* The file that a picture is made of. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "media_file.h"
#include "pictures.h"
#include "stamp.h"

bool picture_failure_passes(enum failure_code failure)
{
    return failure == FAILURE_UNREADABLE || failure == FAILURE_IO_ERROR ||
           failure == FAILURE_SETTLING || failure == FAILURE_VANISHED || failure == FAILURE_SANDBOX;
}

enum failure_code picture_subject_open(const struct library *library,
                                       const struct picture_subject *subject, int *fd, int *error)
{
    struct stat stat;
    *fd = media_file_open(library->config.roots, library->config.follow_symlinks, subject->path,
                          O_RDONLY);
    *error = *fd < 0 || fstat(*fd, &stat) < 0 ? errno : 0;
    enum failure_code failure = FAILURE_NONE;
    if (*error == EACCES || *error == EPERM)
        failure = FAILURE_UNREADABLE;
    else if (*error && beneath_nothing(*error))
        failure = FAILURE_VANISHED;
    else if (*error)
        failure = FAILURE_IO_ERROR;
    struct file_stamp stamp = *error ? (struct file_stamp){0} : stamp_of(&stat);
    if (!failure && (!S_ISREG(stat.st_mode) || !stamp_equal(&stamp, &subject->stamp)))
        failure = FAILURE_SETTLING;
    if (failure && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return failure;
}

bool picture_subject_stands(const struct library *library, const struct picture_subject *subject)
{
    struct stat stat;
    int fd = media_file_open(library->config.roots, library->config.follow_symlinks, subject->path,
                             O_PATH);
    bool looked = fd >= 0 && fstat(fd, &stat) == 0;
    if (fd >= 0)
        close(fd);
    struct file_stamp stamp = looked ? stamp_of(&stat) : (struct file_stamp){0};
    return looked && stamp_equal(&stamp, &subject->stamp);
}

bool picture_is_known(const struct library *library, int64_t number, uint64_t version)
{
    uint64_t known = 0;
    return catalog_picture_versions(library->catalog, number, 1, &known) != RL_OK ||
           known == version;
}

struct picture_key picture_usual(const struct library *library,
                                 const struct picture_subject *subject)
{
    return (struct picture_key){.number = subject->number,
                                .version = subject->version,
                                .form = PICTURE_FORM_THUMBNAIL,
                                .width = library->config.thumbnail_width};
}
