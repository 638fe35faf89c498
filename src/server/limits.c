#include <sys/resource.h>

#define LOG_ROOM "server"
#include "room.h"

/* Beside the channel's clients: requests, the catalogue, folders that are walked, files on their
 * way to workers. lws keeps 16 bytes for each possible file, so no more is asked than is needed. */
enum { FILES_OTHER = 1024, FILES_OTHER_LEAST = 256, CLIENTS_LEAST = 16 };

int limits_raise_files(int clients)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return clients;
    const rlim_t wanted = (rlim_t)clients + FILES_OTHER;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= (rlim_t)clients + FILES_OTHER_LEAST)
        return clients;
    int room = limit.rlim_cur > FILES_OTHER_LEAST + CLIENTS_LEAST
                   ? (int)(limit.rlim_cur - FILES_OTHER_LEAST)
                   : CLIENTS_LEAST;
    log_warn("the limit of %llu open files leaves room for %d clients of the channel, not for the "
             "%d of max_clients; raise it (ulimit -n, LimitNOFILE=)",
             (unsigned long long)limit.rlim_cur, room, clients);
    return room < clients ? room : clients;
}
