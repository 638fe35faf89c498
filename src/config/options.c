#include "options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct config, member)

static const double day_ms = 24 * 3600 * 1000.0;

const struct option_spec option_specs[] = {
    {"server", "listen", "listen", "ADDRESS", "address to listen on (127.0.0.1)", OPTION_TEXT,
     AT(listen), 0, 0},
    {"server", "port", "port", "N", "TCP port; 0 takes a free one (8080)", OPTION_INT, AT(port), 0,
     65535},
    {"server", "host", "host", "NAME", "further name by which clients may call; may be repeated",
     OPTION_LIST, AT(hosts), 0, 0},
    {"server", "web", "web", "DIR", "directory of the page", OPTION_TEXT, AT(web), 0, 0},
    {"server", "token_file", "token-file", "FILE", "file with the token that clients must show",
     OPTION_TEXT, AT(token_file), 0, 0},
    {"server", "max_clients", "max-clients", "N", "connections to the channel (20000)", OPTION_INT,
     AT(max_clients), 1, 1000000},
    {"server", "heartbeat_s", "heartbeat", "SECONDS", "time between heartbeats (15)",
     OPTION_SECONDS, AT(heartbeat_ms), 0.1, 3600},
    {"server", "ping_s", "ping", "SECONDS",
     "silence after which a client is pinged; half as long again, and it is hung up (30)",
     OPTION_INT, AT(ping_s), 1, 3600},
    {"server", "ring_mib", "ring", "MIB", "memory for events that slow clients are still due (8)",
     OPTION_MIB, AT(ring_bytes), 1, 1024},
    {"library", "root", "root", "DIR", "folder that may be scanned; may be repeated", OPTION_LIST,
     AT(roots), 0, 0},
    {"library", "watch", "watch", "MODE", "how roots are followed: auto, watch, poll or off (auto)",
     OPTION_WATCH, AT(watch), 0, 0},
    {"library", "root_watch", "root-watch", "DIR", "root that is watched; may be repeated",
     OPTION_LIST, AT(root_watch), 0, 0},
    {"library", "root_poll", "root-poll", "DIR", "root that is polled; may be repeated",
     OPTION_LIST, AT(root_poll), 0, 0},
    {"library", "root_off", "root-off", "DIR",
     "root that is scanned on demand only; may be repeated", OPTION_LIST, AT(root_off), 0, 0},
    {"library", "poll_interval_s", "poll-interval", "SECONDS",
     "time between two scans of what is polled (300)", OPTION_SECONDS, AT(poll_ms), 0.1, 1e7},
    {"library", "watch_max", "watch-max", "N",
     "folders that may be watched, 0: half of what the system allows (0)", OPTION_INT,
     AT(watch_max), 0, 1e8},
    {"library", "fanotify", "fanotify", "auto|yes|no",
     "watch whole file systems by fanotify, where the rights allow it (auto)", OPTION_FANOTIFY,
     AT(fanotify), 0, 0},
    {"library", "extension", "extension", "EXT", "file name extension of videos; may be repeated",
     OPTION_LIST, AT(extensions), 0, 0},
    {"library", "file_timeout_s", "file-timeout", "SECONDS", "time limit for one file (30)",
     OPTION_SECONDS, AT(file_timeout_ms), 0.1, 86400},
    {"library", "job_timeout_s", "job-timeout", "SECONDS", "time limit for a job, 0: none (300)",
     OPTION_SECONDS, AT(job_timeout_ms), 0, 1e7},
    {"library", "settle_s", "settle", "SECONDS", "how long a file must be quiet to be judged (2)",
     OPTION_SECONDS, AT(settle_ms), 0, 3600},
    {"library", "follow_symlinks", "follow-symlinks", "yes|no",
     "follow symbolic links to files and folders beneath a root (no)", OPTION_BOOL,
     AT(follow_symlinks), 0, 0},
    {"library", "purge_missing_days", "purge-missing-days", "DAYS",
     "forget videos that have been missing for so long, 0: never (0)", OPTION_DAYS,
     AT(purge_missing_ms), 0, 36500},
    {"ignore", "keep", "keep", "PATTERN",
     "of what is ignored by itself, something that shall not be; may be repeated", OPTION_LIST,
     AT(keep_patterns), 0, 0},
    {"catalog", "database", "database", "FILE", "the catalogue", OPTION_TEXT, AT(database), 0, 0},
    {"catalog", "data", "data", "DIR", "directory for pictures", OPTION_TEXT, AT(data), 0, 0},
    {"pictures", "thumbnails", "thumbnails", "yes|no",
     "make a picture of each video after a scan; else when it is asked for (yes)", OPTION_BOOL,
     AT(thumbnails), 0, 0},
    {"pictures", "thumbnail_width", "thumbnail-width", "PIXELS", "width of those (320)", OPTION_INT,
     AT(thumbnail_width), 16, 1280},
    {"pictures", "max_mb", "pictures-max-mb", "MIB",
     "room for pictures; beyond it those go that nobody looked at for longest (4096)", OPTION_MIB,
     AT(pictures_max_bytes), 1, 1 << 24},
    {"workers", "count", "workers", "N", "worker processes (one a core, at most 4)", OPTION_INT,
     AT(workers), 1, 16},
    {"workers", "memory_mib", "worker-memory", "MIB", "address space of a worker (1024)",
     OPTION_MIB, AT(worker_memory), 128, 1 << 20},
    {"workers", "program", "worker-program", "FILE", "path of reeld-worker", OPTION_TEXT,
     AT(worker), 0, 0},
    {"workers", "test_mode", "worker-test-mode", "MODE", NULL, OPTION_TEXT, AT(worker_test_mode), 0,
     0},
    {"log", "level", "log-level", "LEVEL", "error, warn, info or debug (info)", OPTION_LEVEL,
     AT(log_level), 0, 0},
};

const size_t option_count = sizeof option_specs / sizeof *option_specs;

const struct option_spec *option_by_key(const char *section, const char *key)
{
    for (size_t i = 0; i < option_count; i++) {
        if (strcmp(option_specs[i].section, section) == 0 && strcmp(option_specs[i].key, key) == 0)
            return &option_specs[i];
    }
    return NULL;
}

enum rl_err list_add(char ***list, const char *text)
{
    size_t n = 0;
    while (*list && (*list)[n])
        n++;
    char **grown = realloc(*list, (n + 2) * sizeof *grown);
    if (!grown)
        return RL_ENOMEM;
    *list = grown;
    grown[n] = strdup(text);
    grown[n + 1] = NULL;
    return grown[n] ? RL_OK : RL_ENOMEM;
}

void list_free(char **list)
{
    for (char **item = list; item && *item; item++)
        free(*item);
    free(list);
}

static void *option_member(struct config *config, const struct option_spec *spec)
{
    return (char *)config + spec->offset;
}

void option_list_clear(struct config *config, const struct option_spec *spec)
{
    char ***list = option_member(config, spec);
    list_free(*list);
    *list = NULL;
}

static enum rl_err option_number(const struct option_spec *spec, const char *text, double *out,
                                 char *why, size_t why_size)
{
    char *end;
    double value = strtod(text, &end);
    bool fraction = spec->kind == OPTION_SECONDS || spec->kind == OPTION_DAYS;
    bool whole = fraction || value == floor(value);
    if (end == text || *end || !isfinite(value) || !whole || strpbrk(text, "xX")) {
        snprintf(why, why_size, "must be a %snumber, not '%s'", fraction ? "" : "whole ", text);
        return RL_EINVAL;
    }
    if (value < spec->minimum || value > spec->maximum) {
        snprintf(why, why_size, "must be from %g to %g, not %s", spec->minimum, spec->maximum,
                 text);
        return RL_EINVAL;
    }
    *out = value;
    return RL_OK;
}

static enum rl_err option_bool(const char *text, bool *out, char *why, size_t why_size)
{
    static const char *const words[2][3] = {{"no", "false", "0"}, {"yes", "true", "1"}};
    for (int value = 0; value < 2; value++) {
        for (int i = 0; i < 3; i++) {
            if (strcmp(text, words[value][i]) == 0) {
                *out = value;
                return RL_OK;
            }
        }
    }
    snprintf(why, why_size, "must be yes or no, not '%s'", text);
    return RL_EINVAL;
}

/* The place of `text` among the words; -1: it is none of them, and `why` says `must`. */
static int option_word(const char *text, const char *const words[], int count, const char *must,
                       char *why, size_t why_size)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0)
            return i;
    }
    snprintf(why, why_size, "must be %s, not '%s'", must, text);
    return -1;
}

static enum rl_err option_watch(const char *text, enum watch_mode *out, char *why, size_t why_size)
{
    static const char *const words[WATCH_MODE_COUNT] = {
#define MODE_WORD(name, word) [WATCH_MODE_##name] = word,
        WATCH_MODES(MODE_WORD)
#undef MODE_WORD
    };
    int i = option_word(text, words, WATCH_MODE_COUNT, "auto, watch, poll or off", why, why_size);
    if (i >= 0)
        *out = (enum watch_mode)i;
    return i >= 0 ? RL_OK : RL_EINVAL;
}

static enum rl_err option_fanotify(const char *text, enum watch_fan_use *out, char *why,
                                   size_t why_size)
{
    static const char *const words[WATCH_FAN_COUNT] = {
#define FAN_WORD(name, word) [WATCH_FAN_##name] = word,
        WATCH_FANS(FAN_WORD)
#undef FAN_WORD
    };
    int i = option_word(text, words, WATCH_FAN_COUNT, "auto, yes or no", why, why_size);
    if (i >= 0)
        *out = (enum watch_fan_use)i;
    return i >= 0 ? RL_OK : RL_EINVAL;
}

enum rl_err option_set(struct config *config, const struct option_spec *spec, const char *text,
                       char *why, size_t why_size)
{
    void *member = option_member(config, spec);
    double number = 0;
    enum rl_err err = RL_OK;
    if (spec->kind == OPTION_INT || spec->kind == OPTION_SECONDS || spec->kind == OPTION_DAYS ||
        spec->kind == OPTION_MIB)
        err = option_number(spec, text, &number, why, why_size);
    else if (!*text)
        err = RL_EINVAL, snprintf(why, why_size, "must not be empty");
    if (err)
        return err;
    switch (spec->kind) {
    case OPTION_TEXT: {
        char *copy = strdup(text);
        if (!copy)
            return RL_ENOMEM;
        free(*(char **)member);
        *(char **)member = copy;
        return RL_OK;
    }
    case OPTION_LIST:
        return list_add(member, text);
    case OPTION_INT:
        *(int *)member = (int)number;
        return RL_OK;
    case OPTION_SECONDS:
        *(int64_t *)member = (int64_t)llround(number * 1000);
        return RL_OK;
    case OPTION_DAYS:
        *(int64_t *)member = (int64_t)ceil(number * day_ms);
        return RL_OK;
    case OPTION_MIB:
        *(uint64_t *)member = (uint64_t)number << 20;
        return RL_OK;
    case OPTION_LEVEL:
        err = log_level_parse(text, member);
        if (err)
            snprintf(why, why_size, "must be error, warn, info or debug, not '%s'", text);
        return err;
    case OPTION_WATCH:
        return option_watch(text, member, why, why_size);
    case OPTION_FANOTIFY:
        return option_fanotify(text, member, why, why_size);
    case OPTION_BOOL:
        return option_bool(text, member, why, why_size);
    }
    return RL_EINVAL;
}
