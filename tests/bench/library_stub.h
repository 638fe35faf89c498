/* library_stub: stands in the library's door for the channel's bench: no files, no jobs, but a
 * thread that publishes events at a given pace, as the job thread would. */
#ifndef REELD_BENCH_LIBRARY_STUB_H
#define REELD_BENCH_LIBRARY_STUB_H

#include "pace.h"
#include "reeld/library.h"

struct stub_config {
    struct pace pace;
    size_t text_size;       /* of an event's JSON */
    const char *catalog_id; /* must outlive the library */
    void (*wake)(void *arg);
    void *wake_arg;
};

/* library_stop ends it. NULL: out of memory. */
struct library *library_stub_start(const struct stub_config *config);

#endif
