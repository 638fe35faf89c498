#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reeld/base.h"

static enum log_level log_limit = LOG_LEVEL_INFO;
static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_set_level(enum log_level level)
{
    log_limit = level;
}

enum rl_err log_level_parse(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return RL_OK;
        }
    }
    return RL_EINVAL;
}

void log_write(enum log_level level, const char *room, const char *format, ...)
{
    if (level > log_limit)
        return;
    char line[2048];
    char time[CLOCK_TEXT_SIZE];
    clock_rfc3339(clock_wall_ms(), time);
    int head = snprintf(line, sizeof line, "%s %-5s %s: ", time, level_names[level], room);
    if (head < 0)
        return;
    va_list args;
    va_start(args, format);
    int body = vsnprintf(line + head, sizeof line - (size_t)head - 1, format, args);
    va_end(args);
    if (body < 0)
        return;
    size_t len = strlen(line);
    for (size_t i = (size_t)head; i < len; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c < 0x20 || c == 0x7f)
            line[i] = '?';
    }
    line[len++] = '\n';
    /* A log that cannot be written must not stop the work; there is nobody left to tell. */
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written;
}
