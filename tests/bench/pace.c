#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pace.h"

enum { LOOK_NS = 500 * 1000, IDLE_NS = 1000 * 1000 };

struct progress *progress_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return NULL;
    void *page = MAP_FAILED;
    if (ftruncate(fd, sizeof(struct progress)) == 0)
        page = mmap(NULL, sizeof(struct progress), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return page == MAP_FAILED ? NULL : page;
}

static uint64_t due_in_window(const struct pace *pace)
{
    uint64_t received = pace->progress->received;
    if (received < PACE_FIRST)
        received = PACE_FIRST;
    uint64_t ahead = pace->published - received;
    /* By the quarter, so that what is published is not looked for after each receipt. */
    return ahead <= pace->window - pace->window / 4 ? pace->window - ahead : 0;
}

uint64_t pace_due(struct pace *pace, int64_t now_ns)
{
    if (!pace->progress->go)
        return 0;
    if (!pace->begun_ns) {
        pace->begun_ns = now_ns;
        pace->published = PACE_FIRST;
    }
    if (pace->rate <= 0)
        return due_in_window(pace);
    double seconds = (double)(now_ns - pace->begun_ns) / 1e9;
    return PACE_FIRST + (uint64_t)(seconds * pace->rate) - pace->published;
}

int64_t pace_wait_ns(const struct pace *pace, int64_t now_ns)
{
    if (!pace->begun_ns)
        return IDLE_NS;
    if (pace->rate <= 0)
        return LOOK_NS;
    double next = (double)(pace->published + 1 - PACE_FIRST) * 1e9 / pace->rate;
    int64_t wait = pace->begun_ns + (int64_t)next + 1 - now_ns;
    return wait > 0 ? wait : 0;
}

void pace_text(uint64_t sequence, int64_t now_ns, char *out, size_t size)
{
    char head[PACE_TEXT_MIN];
    int len = snprintf(head, sizeof head,
                       "{\"type\":\"VIDEO_ADDED\",\"payload\":{\"seq\":%llu,\"ts\":%lld,\"pad\":\"",
                       (unsigned long long)sequence, (long long)now_ns);
    memset(out, 'x', size);
    memcpy(out, head, (size_t)len);
    memcpy(out + size - 3, "\"}}", 3);
}
