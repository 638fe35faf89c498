/* watch: the roots are followed by what the kernel tells of them (inotify(7)), or scanned again and
 * again where it does not. What changed becomes places of a job of its root (scan_round.h), or a
 * scan of the whole root where it is not known what changed. Job thread, where nothing else is
 * said. */
#ifndef REELD_LIBRARY_WATCH_H
#define REELD_LIBRARY_WATCH_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "reeld/base.h"

struct library;
struct job_entry;
struct places;
struct root_entry;
struct watch_root;

/* Before the thread starts; the roots are loaded. */
enum rl_err watch_open(struct library *library);
void watch_close(struct library *library);

/* Of the thread's poll: its descriptors, what it does in each turn, and when it has something to do
 * without any of them, in clock_mono_ms(). */
int watch_pollfds(const struct library *library, struct pollfd *fds, int max);
void watch_polled(struct library *library, const struct pollfd *fds, int count);
void watch_service(struct library *library);
int64_t watch_due(const struct library *library);

/* The root's mode is another one, or it is new: it is scanned as at the start. RL_ENOMEM. */
enum rl_err watch_root_set(struct library *library, struct root_entry *entry);

/* The root is about to be forgotten. */
void watch_root_drop(struct library *library, struct root_entry *entry);

/* ---- for scans ----------------------------------------------------------------------------- */

/* A walk's hook: the folder `fd` at `path` is about to be read. `library` is the library. */
void watch_entered(void *library, int fd, const char *path);

/* Whether the file is being written as far as the watch knows: then it takes it up by itself. */
bool watch_has(const struct library *library, const char *path);

/* The file is not whole yet: it is looked at again when it has been quiet, `delay_ms` from now at
 * the latest if nothing is heard of it. */
void watch_later(struct library *library, const char *path, int64_t delay_ms);

/* Whether a walk of its root comes by the folder `path`. */
bool watch_reaches(const struct library *library, const char *path);

/* Something changed at `path`, which lies in the root: the next round comes by it. */
void watch_place(struct watch_root *root, const char *path);

/* Whether the next round comes by `path`: something changed there, or above it, meanwhile. */
bool watch_comes_by(struct watch_root *root, char *path);

/* Whether something waits for the root's job; and takes it. */
bool watch_pending(const struct watch_root *root);
void watch_take(struct watch_root *root, struct places *out);

/* The root could not be opened: it is looked for from now on. */
void watch_root_gone(struct watch_root *root);

/* The root's job is over, or has become a scan of the whole root. */
void watch_job_over(struct job_entry *entry);

#endif
