#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "validate.h"

enum { FLAG_CONFIG = 1, FLAG_HELP, FLAG_VERSION, FLAG_OPTIONS };

/* The longest flag table: every option, --config, --help, --version and the end. */
enum { FLAGS_MAX = 48 };

struct ini_state {
    struct config *config;
    const char *file;
    bool *list_seen; /* by option: this file already said it */
    bool said;       /* an error was printed */
};

static int usage_error(const char *where, const char *name, const char *why)
{
    fprintf(stderr, "reeld: %s%s%s: %s\n", where, *where ? ": " : "", name, why);
    return -1;
}

/* Sets an option from one source; a list is emptied when this source says it for the first time. */
static int apply(struct config *config, const struct option_spec *spec, const char *text,
                 bool *list_seen, const char *where, const char *name)
{
    size_t i = (size_t)(spec - option_specs);
    if (spec->kind == OPTION_LIST && !list_seen[i]) {
        option_list_clear(config, spec);
        list_seen[i] = true;
    }
    char why[256] = "out of memory";
    if (option_set(config, spec, text, why, sizeof why))
        return usage_error(where, name, why);
    return 0;
}

static int ini_entry(void *user, const char *section, const char *key, const char *value)
{
    struct ini_state *state = user;
    char name[128];
    snprintf(name, sizeof name, "[%s] %s", section, key);
    const struct option_spec *spec = option_by_key(section, key);
    if (!spec || !spec->help)
        usage_error(state->file, name, "is not a setting; see conf/reeld.conf for all of them");
    else if (apply(state->config, spec, value, state->list_seen, state->file, name) == 0)
        return 1;
    state->said = true;
    return 0;
}

static int load_file(struct config *config, const char *file)
{
    bool list_seen[FLAGS_MAX] = {false};
    struct ini_state state = {.config = config, .file = file, .list_seen = list_seen};
    int line = ini_parse(file, ini_entry, &state);
    if (line == 0)
        return 0;
    if (state.said)
        return -1;
    char why[128];
    if (line < 0)
        snprintf(why, sizeof why, "cannot be read: %s", strerror(errno));
    else
        snprintf(why, sizeof why, "line %d is neither [section] nor key = value", line);
    return usage_error("--config", file, why);
}

/* A list in one environment variable is separated by ':' as in PATH. */
static int load_variable(struct config *config, const struct option_spec *spec, const char *name,
                         const char *value)
{
    bool list_seen[FLAGS_MAX] = {false};
    if (spec->kind != OPTION_LIST)
        return apply(config, spec, value, list_seen, "environment", name);
    char *copy = strdup(value);
    if (!copy)
        return usage_error("environment", name, "out of memory");
    int failed = 0;
    char *rest = copy;
    for (char *item = strsep(&rest, ":"); item && !failed; item = strsep(&rest, ":"))
        failed = apply(config, spec, item, list_seen, "environment", name);
    free(copy);
    return failed;
}

static int load_environment(struct config *config, char **environment)
{
    for (size_t i = 0; i < option_count; i++) {
        char name[64];
        int len = snprintf(name, sizeof name, "REELD_%s_%s", option_specs[i].section,
                           option_specs[i].key);
        for (char *p = name; *p; p++)
            *p = (char)toupper((unsigned char)*p);
        for (char **entry = environment; entry && *entry; entry++) {
            if (strncmp(*entry, name, (size_t)len) != 0 || (*entry)[len] != '=')
                continue;
            if (load_variable(config, &option_specs[i], name, *entry + len + 1))
                return -1;
        }
    }
    return 0;
}

static void print_help(void)
{
    printf("usage: reeld [option]…\n\n  --%-24s %s\n", "config FILE",
           "settings, as in conf/reeld.conf");
    for (size_t i = 0; i < option_count; i++) {
        const struct option_spec *spec = &option_specs[i];
        char flag[64];
        snprintf(flag, sizeof flag, "%s %s", spec->flag, spec->argument);
        if (spec->help)
            printf("  --%-24s %s\n", flag, spec->help);
    }
    printf("  --%-24s %s\n  --%-24s %s\n\n", "version", "print the version", "help", "print this");
    printf("Each is also a key of the file and an environment variable REELD_<SECTION>_<KEY>;\n"
           "the command line goes before the environment, the environment before the file.\n");
}

static void fill_flags(struct option *flags)
{
    size_t n = 0;
    flags[n++] = (struct option){"config", required_argument, NULL, FLAG_CONFIG};
    flags[n++] = (struct option){"help", no_argument, NULL, FLAG_HELP};
    flags[n++] = (struct option){"version", no_argument, NULL, FLAG_VERSION};
    for (size_t i = 0; i < option_count; i++)
        flags[n++] =
            (struct option){option_specs[i].flag, required_argument, NULL, FLAG_OPTIONS + (int)i};
    flags[n] = (struct option){0};
}

/* First pass (`config` NULL): finds --config, prints help or version, refuses what is unknown.
 * Second pass: sets the options. */
static enum config_result read_flags(int argc, char **argv, struct config *config,
                                     const char **file)
{
    struct option flags[FLAGS_MAX];
    bool list_seen[FLAGS_MAX] = {false};
    fill_flags(flags);
    optind = 0;
    for (int flag; (flag = getopt_long(argc, argv, "", flags, NULL)) != -1;) {
        if (flag == '?')
            return CONFIG_EXIT_USAGE;
        if (flag == FLAG_CONFIG)
            *file = optarg;
        if (!config && flag == FLAG_HELP) {
            print_help();
            return CONFIG_EXIT_OK;
        }
        if (!config && flag == FLAG_VERSION) {
            printf("reeld %s\n", REELD_VERSION);
            return CONFIG_EXIT_OK;
        }
        if (!config || flag < FLAG_OPTIONS)
            continue;
        const struct option_spec *spec = &option_specs[flag - FLAG_OPTIONS];
        char name[64];
        snprintf(name, sizeof name, "--%s", spec->flag);
        if (apply(config, spec, optarg, list_seen, "", name))
            return CONFIG_EXIT_USAGE;
    }
    if (optind < argc) {
        usage_error("", argv[optind], "is not an option; a folder is given with --root");
        return CONFIG_EXIT_USAGE;
    }
    return CONFIG_RUN;
}

enum config_result config_load(int argc, char **argv, char **environment, struct config *out)
{
    *out = (struct config){0};
    const char *file = NULL;
    enum config_result result = read_flags(argc, argv, NULL, &file);
    if (result != CONFIG_RUN)
        return result;
    if (config_defaults(out) || (file && load_file(out, file)) ||
        load_environment(out, environment) || read_flags(argc, argv, out, &file) != CONFIG_RUN ||
        config_validate(out)) {
        config_clear(out);
        return CONFIG_EXIT_USAGE;
    }
    return CONFIG_RUN;
}

void config_clear(struct config *config)
{
    free(config->listen);
    free(config->database);
    free(config->data);
    free(config->web);
    free(config->worker);
    free(config->token_file);
    free(config->token);
    free(config->worker_test_mode);
    list_free(config->hosts);
    list_free(config->roots);
    list_free(config->root_watch);
    list_free(config->root_poll);
    list_free(config->root_off);
    free(config->root_modes);
    list_free(config->extensions);
    list_free(config->keep_patterns);
    *config = (struct config){0};
}
