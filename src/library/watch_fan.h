/* watch_fan: fanotify(7) as a second source of what inotify(7) tells: one mark for a whole file
 * system instead of a watch for each folder. A folder is known by its file handle, and gets a
 * number as a watch has one, but below zero. Job thread. */
#ifndef REELD_LIBRARY_WATCH_FAN_H
#define REELD_LIBRARY_WATCH_FAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>

struct watch_fan;

/* Of a folder that was added: the event as inotify would have told it, valid during the call. */
typedef void watch_fan_event(void *ctx, const struct inotify_event *event);

/* NULL: it cannot be had; errno says why. */
struct watch_fan *watch_fan_new(void);
void watch_fan_free(struct watch_fan *fan); /* may be NULL */

int watch_fan_fd(const struct watch_fan *fan);

/* Marks the file system of the folder `fd`, if that is not done yet, and gives its number, which is
 * the same for the same folder. `own`: it is told too when the folder itself is moved or removed.
 * 0: the file system does not permit it; errno says why. */
int watch_fan_add(struct watch_fan *fan, int fd, bool own);

/* Forgets the folder of this number. */
void watch_fan_drop(struct watch_fan *fan, int number);

/* Something was mounted or unmounted: marks may be gone. */
void watch_fan_remounted(struct watch_fan *fan);

/* Takes a part of what the kernel has to tell, into `buffer`; false: there is nothing. */
bool watch_fan_read(struct watch_fan *fan, char *buffer, size_t size, watch_fan_event *tell,
                    void *ctx);

#endif
