#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "query.h"
#include "video_query.h"

enum { PIXELS_MAX = INT32_MAX };

static const int64_t seconds_max_us = (int64_t)INT32_MAX * 1000000;

static const char *const sort_words[VIDEO_SORTS] = {
    [SORT_NAME] = "name",         [SORT_ADDED] = "added", [SORT_MODIFIED] = "modified",
    [SORT_DURATION] = "duration", [SORT_SIZE] = "size",   [SORT_RESOLUTION] = "resolution",
    [SORT_BIT_RATE] = "bit_rate",
};

static bool parse_sort(const char *word, enum video_sort *out, struct problem *problem)
{
    for (int i = 0; i < VIDEO_SORTS; i++) {
        if (strcmp(word, sort_words[i]) == 0) {
            *out = (enum video_sort)i;
            return true;
        }
    }
    return problem_set(
        problem, 400, "BAD_PARAMETER", "sort",
        "sort must be name, added, modified, duration, size, resolution or bit_rate");
}

static bool parse_order(const char *word, bool *descending, struct problem *problem)
{
    *descending = strcmp(word, "desc") == 0;
    return *descending || strcmp(word, "asc") == 0 ||
           problem_set(problem, 400, "BAD_PARAMETER", "order", "order must be asc or desc");
}

/* ---- what needs more than its own argument --------------------------------------------------- */

/* Whether each word of a list is empty, "none" or among `known`. Of codecs, containers and
 * languages whatever FFmpeg says is one: those are not checked. */
static bool words_known(const char *words, const char *const *known, size_t n_known)
{
    size_t len;
    for (const char *at = words; at; at = at[len] ? at + len + 1 : NULL) {
        size_t i = 0;
        len = strcspn(at, ",");
        while (i < n_known && (strlen(known[i]) != len || strncasecmp(at, known[i], len) != 0))
            i++;
        if (i == n_known && len > 0 && (len != 4 || strncasecmp(at, "none", len) != 0))
            return false;
    }
    return true;
}

static bool check_resolution(const char *words, struct problem *problem)
{
    const char *known[RESOLUTION_CLASSES];
    for (int i = 0; i < RESOLUTION_CLASSES; i++)
        known[i] = resolution_word((enum resolution_class)i);
    return words_known(words, known, RESOLUTION_CLASSES) ||
           problem_set(problem, 400, "BAD_PARAMETER", "resolution",
                       "resolution must be sd, 720p, 1080p, 1440p, 2160p, 4320p or none (not "
                       "known), or several of them, separated by commas");
}

/* "true" and "false", or a list of formats. */
static bool take_hdr(const char *text, struct video_filter *filter, struct problem *problem)
{
    static const char *const formats[] = {"hdr10", "hdr10+", "hlg", "dolby-vision", "pq"};
    if (strcmp(text, "true") == 0)
        filter->hdr = CHOICE_YES;
    else if (strcmp(text, "false") == 0)
        filter->hdr = CHOICE_NO;
    else
        filter->hdr_format = text;
    return words_known(filter->hdr_format, formats, sizeof formats / sizeof *formats) ||
           problem_set(problem, 400, "BAD_PARAMETER", "hdr",
                       "hdr must be true or false, or hdr10, hdr10+ (in a URL: hdr10%%2B), hlg, "
                       "dolby-vision, pq or none, or several of these, separated by commas");
}

/* A folder as the catalogue knows it: without a '/' at its end. */
static bool take_folder(const char *folder, const char *uri, struct video_request *out,
                        struct problem *problem)
{
    const char *field = uri ? "folder_uri" : "folder";
    if (folder && uri)
        return problem_set(problem, 400, "CONFLICTING_PARAMETERS", "folder",
                           "give folder or folder_uri, not both");
    if (uri && path_uri_decode(&out->folder, uri) != RL_OK)
        return problem_set(problem, 400, "BAD_PARAMETER", field,
                           "folder_uri has a bad percent escape");
    if (folder)
        buf_puts(&out->folder, folder);
    if (out->folder.failed)
        return problem_set(problem, 503, "OUT_OF_MEMORY", NULL, "out of memory");
    char *path = out->folder.data;
    size_t len = out->folder.len;
    if (!len || path[0] != '/')
        return problem_set(problem, 400, "BAD_PARAMETER", field,
                           "%s must be an absolute path, such as /media/films", field);
    while (len > 1 && path[len - 1] == '/')
        path[--len] = '\0';
    out->folder.len = len;
    out->query.filter.folder = path;
    return true;
}

/* ---- the arguments --------------------------------------------------------------------------- */

/* What cannot stand in the query as it was said; NULL: not said. */
struct said {
    const char *sort, *order, *hdr, *folder, *folder_uri;
    int64_t limit;
};

static bool judge(const struct said *said, struct video_request *out, struct problem *problem)
{
    struct video_query *query = &out->query;
    query->limit = (int)said->limit;
    if (query->cursor && query->offset)
        return problem_set(problem, 400, "CONFLICTING_PARAMETERS", "offset",
                           "give cursor or offset, not both");
    return (!said->sort || parse_sort(said->sort, &query->sort, problem)) &&
           (!said->order || parse_order(said->order, &query->descending, problem)) &&
           (!said->hdr || take_hdr(said->hdr, &query->filter, problem)) &&
           check_resolution(query->filter.resolution, problem) &&
           ((!said->folder && !said->folder_uri) ||
            take_folder(said->folder, said->folder_uri, out, problem));
}

enum { PAGE_FIELDS = 5 };

static bool read_fields(const struct request *request, bool pages, struct video_request *out,
                        struct problem *problem)
{
    *out = (struct video_request){0};
    struct said said = {.limit = VIDEOS_LIMIT_DEFAULT};
    struct video_query *query = &out->query;
    struct video_filter *filter = &query->filter;
    const struct query_field fields[] = {
        {"limit", QUERY_INTEGER, 1, VIDEOS_LIMIT_MAX, &said.limit},
        {"offset", QUERY_INTEGER, 0, INT32_MAX, &query->offset},
        {"cursor", QUERY_TEXT, 0, 0, &query->cursor},
        {"sort", QUERY_TEXT, 0, 0, &said.sort},
        {"order", QUERY_TEXT, 0, 0, &said.order},
        /* PAGE_FIELDS of them; the filter: */
        {"q", QUERY_TEXT, 0, 0, &filter->search},
        {"video_codec", QUERY_TEXT, 0, 0, &filter->video_codec},
        {"container", QUERY_TEXT, 0, 0, &filter->container},
        {"language", QUERY_TEXT, 0, 0, &filter->language},
        {"resolution", QUERY_TEXT, 0, 0, &filter->resolution},
        {"hdr", QUERY_TEXT, 0, 0, &said.hdr},
        {"subtitles", QUERY_CHOICE, 0, 0, &filter->subtitles},
        {"failed", QUERY_CHOICE, 0, 0, &filter->failed},
        {"duplicates", QUERY_CHOICE, 0, 0, &filter->duplicates},
        {"missing", QUERY_CHOICE, 0, 0, &filter->missing},
        {"width_min", QUERY_INTEGER, 0, PIXELS_MAX, &filter->width_min},
        {"width_max", QUERY_INTEGER, 1, PIXELS_MAX, &filter->width_max},
        {"height_min", QUERY_INTEGER, 0, PIXELS_MAX, &filter->height_min},
        {"height_max", QUERY_INTEGER, 1, PIXELS_MAX, &filter->height_max},
        {"duration_min_s", QUERY_SECONDS, 0, seconds_max_us, &filter->duration_min_us},
        {"duration_max_s", QUERY_SECONDS, 1, seconds_max_us, &filter->duration_max_us},
        {"added_since", QUERY_TIME, 0, 0, &filter->added_since_ms},
        {"modified_since", QUERY_TIME, 0, 0, &filter->modified_since_ms},
        {"folder", QUERY_BYTES, 0, 0, &said.folder},
        {"folder_uri", QUERY_BYTES, 0, 0, &said.folder_uri},
    };
    size_t count = sizeof fields / sizeof *fields, skipped = pages ? 0 : PAGE_FIELDS;
    return query_read(request, fields + skipped, count - skipped, problem) &&
           judge(&said, out, problem);
}

bool video_request_read(const struct request *request, struct video_request *out,
                        struct problem *problem)
{
    return read_fields(request, true, out, problem);
}

bool video_filter_read(const struct request *request, struct video_request *out,
                       struct problem *problem)
{
    return read_fields(request, false, out, problem);
}

void video_request_clear(struct video_request *asked)
{
    buf_free(&asked->folder);
}
