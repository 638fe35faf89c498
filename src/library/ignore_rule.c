#include <fnmatch.h>
#include <string.h>

#include "ignore_rule.h"

/* Each part is one of these and a NUL-terminated text. */
enum part { PART_NAME = 'n', PART_GLOB = 'g', PART_FOLDERS = 'f' /* "**": any number of names */ };

static const char *part_after(const char *part)
{
    return part + strlen(part) + 1;
}

/* Spaces at the end count only when they are escaped. */
static void trim(char *line)
{
    char *end = line;
    for (char *p = line; *p;) {
        bool space = *p == ' ';
        p += *p == '\\' && p[1] ? 2 : 1;
        if (!space)
            end = p;
    }
    *end = '\0';
}

static bool class_known(const char *name, size_t len)
{
    static const char *const classes[] = {"alnum", "alpha", "blank", "cntrl", "digit", "graph",
                                          "lower", "print", "punct", "space", "upper", "xdigit"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strlen(classes[i]) == len && memcmp(classes[i], name, len) == 0)
            return true;
    }
    return false;
}

/* Takes "[:name:]" at `p` over into the set; where it goes on. `p` itself: it is none, and its '['
 * stands for itself. NULL: nothing can match this. */
static const char *take_class(const char *p, const char *end, struct buf *text)
{
    if (end - p < 2 || p[0] != '[' || p[1] != ':')
        return p;
    const char *start = p + 2;
    const char *close = memchr(start, ']', (size_t)(end - start));
    if (!close)
        return NULL;
    if (close == start || close[-1] != ':')
        return p;
    if (!class_known(start, (size_t)(close - 1 - start)))
        return NULL;
    buf_append(text, p, (size_t)(close + 1 - p));
    return close + 1;
}

/* Takes a set, whose '[' was read, over into `text` in a form that fnmatch(3) reads as git does its
 * own: every character is escaped, so that none has a meaning that git does not know ("[.", "[=",
 * or an unfinished class). False: it has no end, or a class that there is not. */
static bool take_set(const char **at, const char *end, struct buf *text)
{
    const char *p = *at;
    buf_puts(text, "[");
    if (p < end && (*p == '!' || *p == '^')) {
        buf_puts(text, "!");
        p++;
    }
    char before = '\0'; /* what a range may begin with */
    for (bool first = true; p < end && (first || *p != ']'); first = false) {
        bool range = *p == '-' && before && p + 1 < end && p[1] != ']';
        const char *after = range ? ++p : take_class(p, end, text);
        if (!after)
            return false;
        if (after != p) {
            p = after;
            before = '\0';
            continue;
        }
        if (*p == '\\' && ++p == end)
            return false;
        if (range)
            buf_append(text, (const char[]){'\\', before, '-'}, 3);
        buf_append(text, (const char[]){'\\', *p}, 2);
        before = range ? '\0' : *p;
        p++;
    }
    if (p == end)
        return false;
    buf_puts(text, "]");
    *at = p + 1;
    return true;
}

/* Takes the escapes out of the text that begins at `start`. */
static void unescape(struct buf *text, size_t start)
{
    size_t to = start;
    for (size_t from = start; from < text->len; from++) {
        if (text->data[from] == '\\')
            from++;
        text->data[to++] = text->data[from];
    }
    text->len = to;
}

/* Takes one part, up to the next '/' or the end. A '/' within a set is none. */
static bool take_part(const char **at, const char *end, bool anywhere, struct buf *text)
{
    size_t kind = text->len;
    size_t stars = 0;
    bool wild = false;
    const char *p = *at;
    buf_puts(text, "?");
    while (p < end && *p != '/') {
        char c = *p++;
        if (c == '\\' && p == end)
            return false;
        if (c == '[') {
            if (!take_set(&p, end, text))
                return false;
            wild = true;
        } else if (c != '\\') {
            wild |= c == '*' || c == '?';
            stars += c == '*';
            buf_append(text, &c, 1);
        } else if (*p != '/') {
            buf_append(text, p - 1, 2);
            p++;
        }
    }
    if (text->failed)
        return false;
    size_t len = text->len - kind - 1;
    bool folders = !anywhere && len >= 2 && stars == len;
    text->data[kind] = folders ? PART_FOLDERS : wild ? PART_GLOB : PART_NAME;
    if (!wild)
        unescape(text, kind + 1);
    buf_append(text, "", 1);
    *at = p;
    return len > 0;
}

bool ignore_rule_parse(char *line, struct buf *text, struct ignore_rule *out)
{
    if (*line == '#')
        return false;
    trim(line);
    size_t start = text->len;
    *out = (struct ignore_rule){.at = start, .negative = *line == '!'};
    const char *p = line + out->negative;
    const char *end = p + strlen(p);
    out->directory_only = end > p && end[-1] == '/';
    end -= out->directory_only;
    out->anywhere = !memchr(p, '/', (size_t)(end - p));
    if (p < end && *p == '/')
        p++;
    bool right;
    do {
        right = take_part(&p, end, out->anywhere, text);
    } while (right && p < end && (p++, true));
    if (!right)
        text->len = start;
    out->end = text->len;
    return right;
}

static bool part_matches(const char *part, const char *name)
{
    return *part == PART_NAME ? strcmp(part + 1, name) == 0 : fnmatch(part + 1, name, 0) == 0;
}

/* Where no further name fits, the last "**" takes one more, as '*' does among characters. */
static bool path_matches(const char *part, const char *parts_end, const char *name, const char *end)
{
    const char *after_folders = NULL, *taken = NULL;
    while (name < end) {
        if (part < parts_end && *part == PART_FOLDERS) {
            part = after_folders = part_after(part);
            taken = name;
            if (part == parts_end)
                return true; /* at the end it matches all that is inside */
        } else if (part < parts_end && part_matches(part, name)) {
            part = part_after(part);
            name = part_after(name);
        } else if (after_folders) {
            taken = part_after(taken);
            name = taken;
            part = after_folders;
        } else {
            return false;
        }
    }
    return part == parts_end;
}

bool ignore_rule_matches(const struct ignore_rule *rule, const char *text, const char *path,
                         const char *end, const char *name, bool directory)
{
    if (rule->directory_only && !directory)
        return false;
    if (rule->anywhere)
        return part_matches(text + rule->at, name);
    return path_matches(text + rule->at, text + rule->end, path, end);
}
