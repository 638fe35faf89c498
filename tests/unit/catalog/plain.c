#include "plain.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sqlite3.h>

/* ---- what is there ------------------------------------------------------------------------- */

static void copy_text(char *out, size_t size, sqlite3_stmt *row, int column)
{
    const void *bytes = sqlite3_column_blob(row, column);
    size_t len = (size_t)sqlite3_column_bytes(row, column);
    assert_true(len < size);
    memset(out, 0, size);
    if (len)
        memcpy(out, bytes, len);
}

static void read_line(sqlite3_stmt *row, struct line *out)
{
    out->number = sqlite3_column_int64(row, 0);
    out->size = sqlite3_column_int64(row, 1);
    out->duration_us = sqlite3_column_int64(row, 2);
    out->width = sqlite3_column_int(row, 3);
    out->height = sqlite3_column_int(row, 4);
    out->subtitles = sqlite3_column_int(row, 5);
    out->missing = sqlite3_column_int64(row, 6) != 0;
    copy_text(out->folder, sizeof out->folder, row, 7);
    copy_text(out->name, sizeof out->name, row, 8);
    copy_text(out->codec, sizeof out->codec, row, 9);
    copy_text(out->container, sizeof out->container, row, 10);
    copy_text(out->hdr, sizeof out->hdr, row, 11);
    copy_text(out->languages, sizeof out->languages, row, 12);
}

void plain_read(const char *path, struct lines *out)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *list = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT v.number, v.size, v.duration_us, v.width, v.height,"
                           " v.subtitle_count, v.missing_since, d.path, v.name, v.video_codec,"
                           " v.container, v.hdr, v.languages FROM videos v JOIN directories d"
                           " ON d.id = v.directory ORDER BY v.number",
                           -1, &list, NULL),
        SQLITE_OK);
    out->count = 0;
    while (sqlite3_step(list) == SQLITE_ROW) {
        assert_true(out->count < PLAIN_MAX);
        read_line(list, &out->at[out->count++]);
    }
    sqlite3_finalize(list);
    sqlite3_close(db);
}

/* ---- the plain look ------------------------------------------------------------------------ */

/* Whether a word of `list` is one of `values`, a list too; "none" is that there is none. */
static bool listed(const char *list, const char *values)
{
    char copy[64];
    char *at = copy;
    if (!list)
        return true;
    snprintf(copy, sizeof copy, "%s", list);
    for (char *word; (word = strsep(&at, ","));) {
        char others[64];
        char *rest = others;
        if (strcmp(word, "none") == 0 && !*values)
            return true;
        snprintf(others, sizeof others, "%s", values);
        for (char *other; (other = strsep(&rest, ","));) {
            if (*other && strcasecmp(other, word) == 0)
                return true;
        }
    }
    return false;
}

static const char *class_of(const struct line *line)
{
    static const struct {
        int lines;
        const char *word;
    } classes[] = {{4320, "4320p"}, {2160, "2160p"}, {1440, "1440p"},
                   {1080, "1080p"}, {720, "720p"},   {1, "sd"}};
    int side = line->width < line->height ? line->width : line->height;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (side >= classes[i].lines)
            return classes[i].word;
    }
    return "";
}

static bool chosen(enum choice choice, bool is)
{
    return choice == CHOICE_ANY || (choice == CHOICE_YES) == is;
}

static bool below(const char *folder, const char *line)
{
    size_t len = strlen(folder);
    if (len == 1)
        return true;
    return strncmp(folder, line, len) == 0 && (line[len] == '\0' || line[len] == '/');
}

bool plain_passes(const struct line *line, const struct video_filter *filter, enum facet but)
{
    if (line->missing != (filter->missing == CHOICE_YES) ||
        (filter->folder && !below(filter->folder, line->folder)) ||
        (filter->search && !strstr(line->name, filter->search) &&
         !strstr(line->folder, filter->search)) ||
        line->width < filter->width_min ||
        (filter->duration_min_us && line->duration_us < filter->duration_min_us))
        return false;
    return (but == FACET_VIDEO_CODEC || listed(filter->video_codec, line->codec)) &&
           (but == FACET_CONTAINER || listed(filter->container, line->container)) &&
           (but == FACET_RESOLUTION || listed(filter->resolution, class_of(line))) &&
           (but == FACET_HDR || chosen(filter->hdr, line->hdr[0])) &&
           (but == FACET_SUBTITLES || chosen(filter->subtitles, line->subtitles > 0)) &&
           (but == FACET_LANGUAGE || listed(filter->language, line->languages));
}

bool plain_has(const struct line *line, enum facet facet, const char *word)
{
    const char *list = *word ? word : "none";
    switch (facet) {
    case FACET_VIDEO_CODEC:
        return strcmp(line->codec, word) == 0;
    case FACET_CONTAINER:
        return strcmp(line->container, word) == 0;
    case FACET_RESOLUTION:
        return strcmp(class_of(line), word) == 0;
    case FACET_HDR:
        return strcmp(line->hdr, word) == 0;
    case FACET_SUBTITLES:
        return (line->subtitles > 0) == (strcmp(word, "true") == 0);
    default:
        return listed(list, line->languages);
    }
}

/* ---- orders -------------------------------------------------------------------------------- */

int plain_by_size(const void *a, const void *b)
{
    const struct line *one = *(const struct line *const *)a,
                      *other = *(const struct line *const *)b;
    if (one->size != other->size)
        return one->size < other->size ? -1 : 1;
    return one->number < other->number ? -1 : 1;
}

int plain_by_name(const void *a, const void *b)
{
    const struct line *one = *(const struct line *const *)a,
                      *other = *(const struct line *const *)b;
    int order = natural_compare(one->name, other->name);
    if (!order)
        order = strcmp(one->folder, other->folder);
    return order ? order : one->number < other->number ? -1 : 1;
}
