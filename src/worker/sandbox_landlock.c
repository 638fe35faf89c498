#include <errno.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

/* struct landlock_ruleset_attr as of ABI 6. The installed header may be older than the kernel that
 * the program runs on; the layout is fixed (Documentation/userspace-api/landlock.rst). */
struct ruleset {
    uint64_t access_fs;  /* since ABI 1 */
    uint64_t access_net; /* since ABI 4 */
    uint64_t scoped;     /* since ABI 6 */
};

/* Every right that an ABI knows: bit numbers only ever grow. Index 0 is ABI 1. */
static const struct ruleset abi_rights[] = {
    {(1u << 13) - 1, 0, 0}, /* 1: up to MAKE_SYM */
    {(1u << 14) - 1, 0, 0}, /* 2: REFER */
    {(1u << 15) - 1, 0, 0}, /* 3: TRUNCATE */
    {(1u << 15) - 1, 3, 0}, /* 4: NET_BIND_TCP, NET_CONNECT_TCP */
    {(1u << 16) - 1, 3, 0}, /* 5: IOCTL_DEV */
    {(1u << 16) - 1, 3, 3}, /* 6: SCOPE_ABSTRACT_UNIX_SOCKET, SCOPE_SIGNAL */
};

/* Bytes of struct ruleset that an ABI knows. */
static size_t ruleset_size(size_t abi)
{
    if (abi < 4)
        return offsetof(struct ruleset, access_net);
    if (abi < 6)
        return offsetof(struct ruleset, scoped);
    return sizeof(struct ruleset);
}

int sandbox_landlock(void)
{
    const size_t known = sizeof abi_rights / sizeof *abi_rights;
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version <= 0)
        return version < 0 ? -errno : -ENOSYS;
    size_t abi = (size_t)version < known ? (size_t)version : known;

    int err = 0;
    long ruleset = syscall(SYS_landlock_create_ruleset, &abi_rights[abi - 1], ruleset_size(abi), 0);
    if (ruleset < 0)
        return -errno;
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        err = -errno;
    close((int)ruleset);
    return err;
}
