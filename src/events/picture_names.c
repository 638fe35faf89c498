#include <stdlib.h>
#include <string.h>

#include "reeld/events.h"

/* Lists name a picture for each row: no printf. */

static char *put_text(char *at, const char *text)
{
    size_t len = strlen(text);
    memcpy(at, text, len);
    return at + len;
}

static char *put_number(char *at, uint64_t value)
{
    char digits[20];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (n)
        *at++ = digits[--n];
    return at;
}

void picture_version_text(uint64_t version, char out[PICTURE_VERSION_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    for (int i = 15; i >= 0; i--, version >>= 4)
        out[i] = hex[version & 15];
    out[16] = '\0';
}

void picture_path(const struct picture_key *key, char out[PICTURE_PATH_SIZE])
{
    uint64_t number = key->number > 0 ? (uint64_t)key->number : 0;
    char *at = put_text(out, "pictures/");
    at = put_number(at, number / PICTURE_FOLDER_VIDEOS);
    *at++ = '/';
    at = put_number(at, number);
    *at++ = '-';
    picture_version_text(key->version, at);
    at += PICTURE_VERSION_SIZE - 1;
    *at++ = '-';
    if (key->form == PICTURE_FORM_THUMBNAIL) {
        at = put_number(at, key->width > 0 ? (uint64_t)key->width : 0);
        at = put_text(at, ".jpg");
    } else {
        at = put_text(at,
                      key->form == PICTURE_FORM_STORYBOARD ? "storyboard.jpg" : "storyboard.vtt");
    }
    *at = '\0';
}

bool picture_parse(const char *name, struct picture_key *out)
{
    *out = (struct picture_key){0};
    char *end;
    if (*name < '1' || *name > '9')
        return false;
    out->number = strtoll(name, &end, 10);
    if (*end != '-' || out->number == INT64_MAX)
        return false;
    const char *version = end + 1;
    if (strspn(version, "0123456789abcdef") != PICTURE_VERSION_SIZE - 1 ||
        version[PICTURE_VERSION_SIZE - 1] != '-')
        return false;
    out->version = strtoull(version, NULL, 16);
    const char *form = version + PICTURE_VERSION_SIZE;
    if (strcmp(form, "storyboard.jpg") == 0)
        out->form = PICTURE_FORM_STORYBOARD;
    else if (strcmp(form, "storyboard.vtt") == 0)
        out->form = PICTURE_FORM_STORYBOARD_INDEX;
    else
        out->width = (int32_t)strtol(form, NULL, 10);
    /* Only what picture_path would write. */
    char path[PICTURE_PATH_SIZE];
    picture_path(out, path);
    return out->version != 0 && strcmp(strrchr(path, '/') + 1, name) == 0;
}
