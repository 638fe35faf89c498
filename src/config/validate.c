#include "validate.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"

enum { WORKERS_DEFAULT_MAX = 4, TOKEN_MIN = 16, TOKEN_MAX = 512 };

static const char *const default_extensions[] = {
    "mp4", "mkv",  "avi", "mov", "webm", "m4v", "ts",  "m2ts", "mts",
    "mpg", "mpeg", "wmv", "flv", "ogv",  "3gp", "mxf", "vob",  NULL,
};

static int complain(const char *key, const char *value, const char *why)
{
    fprintf(stderr, "reeld: %s: '%s' %s\n", key, value, why);
    return -1;
}

static char *join(const char *dir, const char *name)
{
    struct buf path = {0};
    path_join(&path, dir, name);
    return buf_steal(&path);
}

/* The directory of this program: the page and the worker lie at known places beside it. */
static int program_dir(char *out, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", out, size - 1);
    if (len <= 0)
        return -1;
    out[len] = '\0';
    *strrchr(out, '/') = '\0';
    return 0;
}

static bool holds_page(const char *dir)
{
    char *index = join(dir, "index.html");
    bool holds = index && access(index, R_OK) == 0;
    free(index);
    return holds;
}

/* The packed copy of the page beside the program; the sources where the build made none. */
static char *page_dir(const char *program)
{
    char *packed = join(program, "web");
    if (!packed || holds_page(packed))
        return packed;
    free(packed);
    return join(program, "../../web");
}

/* $XDG_DATA_HOME/reeld, or ~/.local/share/reeld, or /var/lib/reeld where there is no home. */
static char *data_dir(void)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (data && *data == '/')
        return join(data, "reeld");
    if (home && *home == '/')
        return join(home, ".local/share/reeld");
    return strdup("/var/lib/reeld");
}

int config_defaults(struct config *config)
{
    char dir[PATH_MAX];
    if (program_dir(dir, sizeof dir))
        return complain("program", "/proc/self/exe", "cannot be read; is /proc mounted?");
    char *data = data_dir();
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    config->listen = strdup("127.0.0.1");
    config->port = 8080;
    config->max_clients = 20000;
    config->heartbeat_ms = 15000;
    config->ping_s = 30;
    config->ring_bytes = 8u << 20;
    config->thumbnails = true;
    config->thumbnail_width = 320;
    config->pictures_max_bytes = UINT64_C(4096) << 20;
    config->file_timeout_ms = 30000;
    config->job_timeout_ms = 300000;
    config->settle_ms = 2000;
    config->poll_ms = 300000;
    config->workers = cores < 1                     ? 1
                      : cores > WORKERS_DEFAULT_MAX ? WORKERS_DEFAULT_MAX
                                                    : (int)cores;
    config->worker_memory = 1024u << 20;
    config->log_level = LOG_LEVEL_INFO;
    config->web = page_dir(dir);
    config->worker = join(dir, "reeld-worker");
    config->database = data ? join(data, "catalog.db") : NULL;
    free(data);
    bool failed = !config->listen || !config->web || !config->worker || !config->database;
    for (const char *const *ext = default_extensions; *ext && !failed; ext++)
        failed = list_add(&config->extensions, *ext) != RL_OK;
    return failed ? complain("memory", "", "is exhausted") : 0;
}

bool config_loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static int validate_listen(struct config *config)
{
    struct in6_addr any;
    if (inet_pton(AF_INET, config->listen, &any) != 1 &&
        inet_pton(AF_INET6, config->listen, &any) != 1)
        return complain("--listen", config->listen, "is not an IPv4 or IPv6 address");
    if (config_loopback(config->listen))
        return 0;
    if (!config->roots || !config->roots[0])
        return complain("--listen", config->listen,
                        "is reachable by others: say which folders they may see with --root");
    if (!config->token)
        return complain("--listen", config->listen,
                        "is reachable by others: ask them for a token with --token-file");
    return 0;
}

static int read_token(struct config *config)
{
    if (!config->token_file)
        return 0;
    FILE *file = fopen(config->token_file, "re");
    if (!file)
        return complain("--token-file", config->token_file, strerror(errno));
    char line[TOKEN_MAX + 3] = "";
    char *got = fgets(line, sizeof line, file);
    fclose(file);
    size_t len = strcspn(line, "\r\n");
    line[len] = '\0';
    bool printable = got && len >= TOKEN_MIN && len <= TOKEN_MAX;
    for (size_t i = 0; printable && i < len; i++)
        printable = isgraph((unsigned char)line[i]) && (unsigned char)line[i] < 0x7f;
    if (!printable)
        return complain("--token-file", config->token_file,
                        "must hold one line of 16 to 512 printable characters without spaces");
    config->token = strdup(line);
    explicit_bzero(line, sizeof line);
    return config->token ? 0 : complain("memory", "", "is exhausted");
}

/* A root that is not there now may be a disk that is not mounted yet: it is kept as it was said. */
static int resolve_roots(struct config *config)
{
    for (char **root = config->roots; root && *root; root++) {
        char *real = realpath(*root, NULL);
        struct stat st;
        if (!real) {
            if (**root != '/')
                return complain("--root", *root, "is not there and is not an absolute path");
            fprintf(stderr, "reeld: --root: '%s' is not there now: %s\n", *root, strerror(errno));
            continue;
        }
        bool directory = stat(real, &st) == 0 && S_ISDIR(st.st_mode);
        free(*root);
        *root = real;
        if (!directory)
            return complain("--root", real, "is not a folder");
    }
    if (!config->roots)
        config->roots = calloc(1, sizeof *config->roots);
    if (!config->hosts)
        config->hosts = calloc(1, sizeof *config->hosts);
    return config->roots && config->hosts ? 0 : complain("memory", "", "is exhausted");
}

/* Adds the roots that have a mode of their own, and says the mode of each. */
static int gather_roots(struct config *config)
{
    const struct {
        char **list;
        enum watch_mode mode;
    } kinds[] = {{config->root_watch, WATCH_MODE_WATCH},
                 {config->root_poll, WATCH_MODE_POLL},
                 {config->root_off, WATCH_MODE_OFF}};
    size_t count = 0, at = 0;
    bool failed = false;
    while (config->roots && config->roots[count])
        count++;
    at = count;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (char **root = kinds[k].list; root && *root && !failed; root++, count++)
            failed = list_add(&config->roots, *root) != RL_OK;
    }
    config->root_modes = calloc(count + 1, sizeof *config->root_modes);
    if (failed || !config->root_modes)
        return complain("memory", "", "is exhausted");
    for (size_t i = 0; i < at; i++)
        config->root_modes[i] = config->watch;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (char **root = kinds[k].list; root && *root; root++)
            config->root_modes[at++] = kinds[k].mode;
    }
    return 0;
}

/* A root that was said twice, as one with and one without a mode, has the mode. */
static void settle_modes(struct config *config)
{
    char **roots = config->roots;
    for (size_t i = 0; roots[i]; i++) {
        for (size_t j = i + 1; roots[j]; j++) {
            if (strcmp(roots[i], roots[j]) == 0)
                config->root_modes[i] = config->root_modes[j];
        }
    }
}

static int clean_extensions(struct config *config)
{
    for (char **ext = config->extensions; *ext; ext++) {
        char *from = **ext == '.' ? *ext + 1 : *ext;
        size_t len = strlen(from);
        if (len == 0 || len > 15 || strpbrk(from, "./, "))
            return complain("--extension", *ext, "must be one extension, as mp4");
        for (size_t i = 0; i <= len; i++)
            (*ext)[i] = (char)tolower((unsigned char)from[i]);
    }
    return 0;
}

static int take_keep(struct config *config)
{
    static const char *const known[] = {
#define PATTERN(name, pattern) pattern,
        IGNORED_NAMES(PATTERN)
#undef PATTERN
    };
    const size_t count = sizeof known / sizeof *known;
    for (char **item = config->keep_patterns; item && *item; item++) {
        size_t i = 0;
        while (i < count && strcmp(*item, known[i]) != 0)
            i++;
        if (i == count) {
            struct buf why = {0};
            buf_puts(&why, "is not ignored by itself; what is:");
            for (i = 0; i < count; i++)
                buf_printf(&why, " %s", known[i]);
            complain("--keep", *item, why.failed ? "is not ignored by itself" : why.data);
            buf_free(&why);
            return -1;
        }
        config->keep |= 1u << i;
    }
    return 0;
}

static int make_directories(const char *key, const char *path)
{
    char *copy = strdup(path);
    if (!copy)
        return complain("memory", "", "is exhausted");
    int failed = 0;
    for (char *p = copy + 1; !failed; p++) {
        char c = *p;
        if (c != '/' && c != '\0')
            continue;
        *p = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            failed = complain(key, copy, strerror(errno));
        *p = c;
        if (c == '\0')
            break;
    }
    free(copy);
    return failed;
}

static int prepare_directories(struct config *config)
{
    char *parent = strdup(config->database);
    if (!parent)
        return complain("memory", "", "is exhausted");
    char *slash = strrchr(parent, '/');
    if (slash)
        slash[slash == parent] = '\0';
    int failed = slash ? make_directories("--database", parent) : 0;
    if (!failed && !config->data)
        config->data = slash ? join(parent, "data") : strdup("data");
    free(parent);
    if (!failed && !config->data)
        return complain("memory", "", "is exhausted");
    return failed ? failed : make_directories("--data", config->data);
}

int config_validate(struct config *config)
{
    if (read_token(config) || gather_roots(config) || resolve_roots(config) ||
        validate_listen(config) || clean_extensions(config) || take_keep(config) ||
        prepare_directories(config))
        return -1;
    settle_modes(config);
    if (access(config->worker, X_OK) != 0)
        return complain("--worker-program", config->worker, strerror(errno));
    if (!holds_page(config->web))
        return complain("--web", config->web, "holds no index.html");
    return 0;
}
