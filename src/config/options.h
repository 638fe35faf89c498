/* The settings as one table: where each may be said, of what kind it is, within which range. */
#ifndef REELD_CONFIG_OPTIONS_H
#define REELD_CONFIG_OPTIONS_H

#include "reeld/config.h"

enum option_kind {
    OPTION_TEXT,     /* char *, owned */
    OPTION_LIST,     /* char **, owned, NULL-terminated; one value each time it is said */
    OPTION_INT,      /* int */
    OPTION_SECONDS,  /* int64_t milliseconds; said in seconds, fractions allowed */
    OPTION_DAYS,     /* int64_t milliseconds; said in days, fractions allowed */
    OPTION_MIB,      /* uint64_t bytes; said in MiB */
    OPTION_LEVEL,    /* enum log_level */
    OPTION_WATCH,    /* enum watch_mode, by its word */
    OPTION_FANOTIFY, /* enum watch_fan_use, by its word */
    OPTION_BOOL,     /* bool; yes, true or 1, and no, false or 0 */
};

struct option_spec {
    const char *section, *key; /* of the INI file; REELD_<SECTION>_<KEY> in the environment */
    const char *flag;          /* on the command line, without "--" */
    const char *argument;      /* what --help calls its value */
    const char *help;          /* NULL: not shown */
    enum option_kind kind;
    size_t offset;           /* of its member in struct config */
    double minimum, maximum; /* of numbers */
};

extern const struct option_spec option_specs[];
extern const size_t option_count;

/* Sets one option from text. RL_EINVAL with words in `why`; RL_ENOMEM. */
enum rl_err option_set(struct config *config, const struct option_spec *spec, const char *text,
                       char *why, size_t why_size);

/* Empties a list option before a stronger source says it anew. */
void option_list_clear(struct config *config, const struct option_spec *spec);

/* NULL where there is none of that name. */
const struct option_spec *option_by_key(const char *section, const char *key);

/* Adds a copy of `text` to a NULL-terminated list. */
enum rl_err list_add(char ***list, const char *text);
void list_free(char **list);

#endif
