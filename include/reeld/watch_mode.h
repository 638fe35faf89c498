/* watch_mode: how a root is followed, as plain data. */
#ifndef REELD_WATCH_MODE_H
#define REELD_WATCH_MODE_H

/* X(name, word): the words of the configuration, of REST and of the catalogue. */
#define WATCH_MODES(X)                                                                             \
    X(AUTO, "auto")   /* by the file system: watched where the kernel tells, else polled */        \
    X(WATCH, "watch") /* the kernel tells of changes */                                            \
    X(POLL, "poll")   /* scanned again and again */                                                \
    X(OFF, "off")     /* only when somebody asks */

enum watch_mode {
#define WATCH_MODE(name, word) WATCH_MODE_##name,
    WATCH_MODES(WATCH_MODE)
#undef WATCH_MODE
        WATCH_MODE_COUNT
};

/* Whether fanotify(7) is used: X(name, word). */
#define WATCH_FANS(X)                                                                              \
    X(AUTO, "auto") /* where it is better, and the rights allow it */                              \
    X(NO, "no")                                                                                    \
    X(YES, "yes") /* wherever the rights and the file system allow it */

enum watch_fan_use {
#define WATCH_FAN(name, word) WATCH_FAN_##name,
    WATCH_FANS(WATCH_FAN)
#undef WATCH_FAN
        WATCH_FAN_COUNT
};

#endif
