#include "conditions.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DATE_STRONG_SECONDS = 2 };

/* Whether a list of entity-tags, or "*", has `tag`. `strong`: a weak one of the list is not it
 * (RFC 9110 §8.8.3.2). What is no list has what stands before it stops being one. */
static bool list_has(const char *list, const char *tag, bool strong)
{
    if (strcmp(list, "*") == 0)
        return true;
    size_t len = strlen(tag);
    for (const char *at = list;;) {
        at += strspn(at, ", \t");
        bool weak = strncmp(at, "W/", 2) == 0;
        if (weak)
            at += 2;
        const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;
        if (!end)
            return false;
        end++;
        if ((size_t)(end - at) == len && memcmp(at, tag, len) == 0 && !(weak && strong))
            return true;
        at = end;
    }
}

bool http_date_read(const char *text, int64_t *out_s)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %d %H:%M:%S %Y"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm utc = {0};
        const char *end = strptime(text, forms[i], &utc);
        if (end && !*end) {
            *out_s = timegm(&utc);
            return true;
        }
    }
    return false;
}

void http_date_write(int64_t s, char out[HTTP_DATE_SIZE])
{
    time_t time = (time_t)s;
    struct tm utc;
    out[0] = '\0';
    if (gmtime_r(&time, &utc))
        strftime(out, HTTP_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &utc);
}

enum condition conditions_check(const struct conditions *conditions,
                                const struct validators *validators)
{
    int64_t date;
    if (*conditions->if_match) {
        if (!list_has(conditions->if_match, validators->tag, true))
            return CONDITION_FAILED;
    } else if (http_date_read(conditions->if_unmodified_since, &date) &&
               validators->modified_s > date) {
        return CONDITION_FAILED;
    }
    if (*conditions->if_none_match)
        return list_has(conditions->if_none_match, validators->tag, false) ? CONDITION_UNCHANGED
                                                                           : CONDITION_GO;
    if (http_date_read(conditions->if_modified_since, &date) && validators->modified_s <= date)
        return CONDITION_UNCHANGED;
    return CONDITION_GO;
}

bool conditions_range(const struct conditions *conditions, const struct validators *validators,
                      int64_t now_s)
{
    const char *text = conditions->if_range;
    int64_t date;
    if (!*text || strcmp(text, validators->tag) == 0)
        return true;
    return http_date_read(text, &date) && date == validators->modified_s &&
           now_s - date >= DATE_STRONG_SECONDS;
}
