#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LOG_ROOM "catalog"
#include "private.h"

static enum rl_err place_error(int error)
{
    switch (error) {
    case ENOENT:
        return RL_ENOTFOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return RL_EPERM;
    case ENOSPC:
    case EDQUOT:
        return RL_EFULL;
    case ENOMEM:
        return RL_ENOMEM;
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
        return RL_EINVAL;
    default:
        return RL_EIO;
    }
}

/* The folder that `path` names a file in; free() it. */
static char *place_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static enum rl_err place_check_new(const char *path, char why[CATALOG_WHY_SIZE])
{
    struct stat info;
    char *folder = place_folder(path);
    if (!folder) {
        snprintf(why, CATALOG_WHY_SIZE, "out of memory");
        return RL_ENOMEM;
    }
    enum rl_err err = RL_OK;
    if (stat(folder, &info) != 0) {
        err = place_error(errno);
        snprintf(why, CATALOG_WHY_SIZE, "the folder %.160s: %s; create it or choose another place",
                 folder, strerror(errno));
    } else if (!S_ISDIR(info.st_mode)) {
        err = RL_EINVAL;
        snprintf(why, CATALOG_WHY_SIZE, "%.160s is not a folder; choose another place", folder);
    } else if (access(folder, W_OK | X_OK) != 0) {
        err = RL_EPERM;
        snprintf(why, CATALOG_WHY_SIZE,
                 "cannot create files in %.160s: %s; make it writable or choose another place",
                 folder, strerror(errno));
    }
    free(folder);
    return err;
}

enum rl_err place_check(const char *path, enum catalog_mode mode, char why[CATALOG_WHY_SIZE])
{
    struct stat info;
    if (!*path) {
        snprintf(why, CATALOG_WHY_SIZE, "the name of the database file is empty");
        return RL_EINVAL;
    }
    if (stat(path, &info) != 0) {
        if (errno == ENOENT && mode == CATALOG_WRITER)
            return place_check_new(path, why);
        int error = errno;
        snprintf(why, CATALOG_WHY_SIZE, "cannot open the database %.160s: %s", path,
                 strerror(error));
        return place_error(error);
    }
    /* SQLite would wait for ever on a FIFO. */
    if (!S_ISREG(info.st_mode)) {
        snprintf(why, CATALOG_WHY_SIZE, "%.160s is %s, not a file; name a file for the database",
                 path, S_ISDIR(info.st_mode) ? "a folder" : "a device, pipe or socket");
        return RL_EINVAL;
    }
    if (access(path, R_OK | W_OK) != 0) {
        snprintf(why, CATALOG_WHY_SIZE,
                 "cannot write the database %.160s: %s; make it writable or choose another place",
                 path, strerror(errno));
        return RL_EPERM;
    }
    /* The -wal and -shm files and the lock stand beside it. */
    return mode == CATALOG_WRITER ? place_check_new(path, why) : RL_OK;
}

static enum rl_err place_locked(int fd, const char *path, char why[CATALOG_WHY_SIZE])
{
    char holder[24] = "";
    ssize_t len = pread(fd, holder, sizeof holder - 1, 0);
    holder[len > 0 ? (size_t)len : 0] = '\0';
    snprintf(why, CATALOG_WHY_SIZE,
             "another reeld (process %ld) uses the database %.120s; stop it or choose another "
             "database",
             strtol(holder, NULL, 10), path);
    return RL_EBUSY;
}

enum rl_err place_lock(const char *path, int *fd, char why[CATALOG_WHY_SIZE])
{
    struct buf name = {0};
    buf_printf(&name, "%s.lock", path);
    *fd = name.failed ? -1 : open(name.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    int error = name.failed ? ENOMEM : errno;
    buf_free(&name);
    enum rl_err err = RL_OK;
    if (*fd < 0) {
        snprintf(why, CATALOG_WHY_SIZE, "cannot create the lock file %.160s.lock: %s", path,
                 strerror(error));
        return place_error(error);
    }
    /* The lock, not the file, says who is there: the kernel drops it however the process ends. */
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        error = errno;
        if (error == EWOULDBLOCK) {
            err = place_locked(*fd, path, why);
        } else {
            snprintf(why, CATALOG_WHY_SIZE, "cannot lock %.160s.lock: %s", path, strerror(error));
            err = place_error(error);
        }
    } else {
        char self[24];
        int len = snprintf(self, sizeof self, "%ld\n", (long)getpid());
        /* Only for the words above; on a full disk the lock itself still counts. */
        if (ftruncate(*fd, 0) == 0 && pwrite(*fd, self, (size_t)len, 0) < 0)
            error = errno;
    }
    if (err != RL_OK) {
        close(*fd);
        *fd = -1;
    }
    return err;
}

static bool sync_one(const char *path, int flags)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

enum rl_err place_sync(const char *path)
{
    char *folder = place_folder(path);
    if (!folder)
        return RL_ENOMEM;
    bool good = sync_one(path, 0) && sync_one(folder, O_DIRECTORY);
    int error = errno;
    free(folder);
    return good ? RL_OK : place_error(error);
}

const char *place_network(uint32_t type)
{
    /* statfs(2) and linux/magic.h */
    static const struct {
        uint32_t type;
        const char *words;
    } kinds[] = {
        {0x6969, "NFS"},
        {0x517b, "SMB"},
        {0xff534d42, "SMB (CIFS)"},
        {0xfe534d42, "SMB"},
        {0x65735546, "FUSE"},
        {0x01021997, "9P"},
        {0x00c36400, "Ceph"},
        {0x5346414f, "AFS"},
        {0x6b414653, "AFS"},
        {0x73757245, "Coda"},
        {0x0bd00bd0, "Lustre"},
        {0x7461636f, "OCFS2"},
        {0x01161970, "GFS2"},
        {0x19830326, "BeeGFS"},
        {0x47504653, "GPFS"},
        {0x786f4256, "a VirtualBox shared folder"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].type == type)
            return kinds[i].words;
    }
    return NULL;
}

void place_warn(const char *path)
{
    struct statfs info;
    const char *network = statfs(path, &info) == 0 ? place_network((uint32_t)info.f_type) : NULL;
    if (network)
        log_warn("the database %s is on %s: its write-ahead log needs memory that is shared on one "
                 "computer and locks that hold, which such file systems may not give, and then it "
                 "is damaged; keep it on a local disk",
                 path, network);
}
