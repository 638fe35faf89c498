/* worker: the life of a worker process, from its arguments to the end of its channel. What it does
 * with a file, and how it confines itself, are given to it, so that the tests can build a worker
 * that misbehaves without a line about it in the real one. One thread. */
#ifndef REELD_WORKER_WORKER_H
#define REELD_WORKER_WORKER_H

#include "reeld/media_info.h"
#include "reeld/media_picture.h"
#include "reeld/vocabulary.h"
#include "sandbox.h"
#include "wire.h"

struct worker_parts {
    void (*init)(void);           /* as media_init */
    const char *(*version)(void); /* as media_version */
    /* Describes the file behind `fd` (not closed) as media_probe does. */
    enum failure_code (*probe)(const struct wire_request *request, int fd, struct media_info *out,
                               char error[MEDIA_ERROR_SIZE]);
    /* Makes a picture of it as media_picture does. */
    enum failure_code (*picture)(const struct wire_request *request, int fd, struct picture *out,
                                 char error[MEDIA_ERROR_SIZE]);
    /* As sandbox_confine. */
    enum sandbox_state (*confine)(uint64_t memory, int channel, char words[SANDBOX_WORDS_SIZE]);
};

/* Serves requests on descriptor WIRE_FD until the daemon closes it. Arguments:
 *   --parent=PID    the daemon: when it is gone, so is the worker
 *   --memory=BYTES  limit of the address space; 0: none
 * Returns the exit code (enum wire_exit). */
int worker_run(int argc, char **argv, const struct worker_parts *parts);

#endif
