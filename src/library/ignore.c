#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ignore.h"
#include "ignore_rule.h"

struct ignore_level {
    size_t at; /* length of ignore->path in its folder */
    struct ignore_rule *rules;
    size_t count, bytes;
    struct buf text; /* the parts of the rules */
};

unsigned int ignore_name(unsigned int keep, const char *name)
{
    unsigned int found = 0;
    if (name[0] == '.')
        found = strncmp(name, ".Trash-", 7) == 0 ? IGNORED_DOT | IGNORED_TRASH : IGNORED_DOT;
    else if (name[0] == '@' && strcmp(name, "@eaDir") == 0)
        found = IGNORED_EADIR;
    else if (name[0] == '#' && strcmp(name, "#recycle") == 0)
        found = IGNORED_RECYCLE;
    else if (name[0] == 'l' && strcmp(name, "lost+found") == 0)
        found = IGNORED_LOST_FOUND;
    const char *suffix = strrchr(name, '.');
    if (suffix && strcasecmp(suffix, ".part") == 0)
        found |= IGNORED_PART;
    else if (suffix && strcasecmp(suffix, ".crdownload") == 0)
        found |= IGNORED_CRDOWNLOAD;
    else if (suffix && strcasecmp(suffix, ".tmp") == 0)
        found |= IGNORED_TMP;
    found &= ~keep;
    return found & -found;
}

enum rl_err ignore_enter(struct ignore *ignore, const char *name)
{
    buf_append(&ignore->path, name, strlen(name) + 1);
    bool failed = ignore->path.failed;
    ignore->path.failed = false;
    return failed ? RL_ENOMEM : RL_OK;
}

static void level_free(struct ignore_level *level)
{
    free(level->rules);
    buf_free(&level->text);
}

void ignore_leave(struct ignore *ignore)
{
    size_t len = ignore->path.len;
    if (len == 0)
        return;
    len--; /* the NUL of the last name */
    while (len > 0 && ignore->path.data[len - 1] != '\0')
        len--;
    ignore->path.len = len;
    while (ignore->count && ignore->levels[ignore->count - 1].at > len) {
        struct ignore_level *level = &ignore->levels[--ignore->count];
        ignore->bytes -= level->bytes;
        level_free(level);
    }
}

/* Takes up to IGNORE_RULES_MAX rules; RL_EFULL: there are more. */
static enum rl_err parse(struct ignore_level *level, char *bytes, size_t len)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some editors begin a text in UTF-8 with it */
    char *end = bytes + len;
    *end = '\n';
    char *line = len >= 3 && memcmp(bytes, mark, 3) == 0 ? bytes + 3 : bytes;
    for (unsigned int number = 1; line < end; number++) {
        char *line_end = memchr(line, '\n', (size_t)(end + 1 - line));
        *line_end = '\0';
        if (line_end > line && line_end[-1] == '\r')
            line_end[-1] = '\0';
        struct ignore_rule rule;
        if (ignore_rule_parse(line, &level->text, &rule)) {
            if (level->count == IGNORE_RULES_MAX)
                return RL_EFULL;
            rule.line = number;
            level->rules[level->count++] = rule;
        }
        if (level->text.failed)
            return RL_ENOMEM;
        line = line_end + 1;
    }
    return RL_OK;
}

enum rl_err ignore_add(struct ignore *ignore, char *bytes, size_t len)
{
    if (len > IGNORE_TEXT_MAX - ignore->bytes)
        return RL_EFULL;
    if (ignore->count == ignore->cap) {
        size_t cap = ignore->cap ? ignore->cap * 2 : 4;
        struct ignore_level *levels = realloc(ignore->levels, cap * sizeof *levels);
        if (!levels)
            return RL_ENOMEM;
        ignore->levels = levels;
        ignore->cap = cap;
    }
    struct ignore_level level = {.at = ignore->path.len, .bytes = len};
    level.rules = malloc(IGNORE_RULES_MAX * sizeof *level.rules);
    if (!level.rules)
        return RL_ENOMEM;
    enum rl_err err = parse(&level, bytes, len);
    if (err == RL_ENOMEM || level.count == 0) {
        level_free(&level);
        return err;
    }
    struct ignore_rule *fitting = realloc(level.rules, level.count * sizeof *fitting);
    level.rules = fitting ? fitting : level.rules;
    ignore->bytes += len;
    ignore->levels[ignore->count++] = level;
    return err;
}

/* How many folders the first `len` bytes of the path name. */
static size_t folders(const struct ignore *ignore, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += ignore->path.data[i] == '\0';
    return count;
}

enum rl_err ignore_judge(struct ignore *ignore, const char *name, bool directory,
                         struct ignore_verdict *out)
{
    *out = (struct ignore_verdict){0};
    if (ignore->count == 0)
        return RL_OK;
    size_t at = ignore->path.len;
    if (ignore_enter(ignore, name))
        return RL_ENOMEM;
    const char *path = ignore->path.data, *end = path + ignore->path.len;
    ignore->path.len = at;
    for (size_t l = ignore->count; l-- > 0;) {
        const struct ignore_level *level = &ignore->levels[l];
        for (size_t r = level->count; r-- > 0;) {
            const struct ignore_rule *rule = &level->rules[r];
            if (!ignore_rule_matches(rule, level->text.data, path + level->at, end, path + at,
                                     directory))
                continue;
            *out = (struct ignore_verdict){.ignored = !rule->negative,
                                           .line = rule->line,
                                           .folders = folders(ignore, level->at)};
            return RL_OK;
        }
    }
    return RL_OK;
}

void ignore_free(struct ignore *ignore)
{
    for (size_t i = 0; i < ignore->count; i++)
        level_free(&ignore->levels[i]);
    free(ignore->levels);
    buf_free(&ignore->path);
    *ignore = (struct ignore){0};
}
