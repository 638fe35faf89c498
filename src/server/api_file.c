/* GET /api/v1/videos/{id}/file: the media itself. It is opened by a thread (disk.h), since a file
 * system that does not answer may take for ever to do so. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "conditions.h"
#include "media_type.h"
#include "query.h"
#include "room.h"

enum { OPEN_SECONDS = 10 /* for the disk to open a file */ };

/* A file that is being opened. */
struct file_opening {
    struct disk_task task;
    struct exchange *exchange; /* NULL: its client is gone */
    struct conditions conditions;
    char *path; /* owned */
    char container[64];
    bool attachment;
    const char *const *roots;
    bool follow;
    enum path_verdict verdict;
    int fd, error;
    struct stat stat;
};

static void open_it(struct disk_task *task)
{
    struct file_opening *opening = (struct file_opening *)task;
    opening->verdict = library_open_file(opening->roots, opening->follow, opening->path,
                                         &opening->fd, &opening->error);
    if (opening->fd >= 0 && fstat(opening->fd, &opening->stat) != 0)
        opening->verdict = PATH_UNREADABLE;
}

static void answer_unopened(struct answer *answer, const struct file_opening *opening)
{
    char text[128];
    switch (opening->verdict) {
    case PATH_OUTSIDE:
        answer_error(answer, 403, "OUTSIDE_ROOTS", NULL,
                     "the file lies outside the folders that the service may read; see the "
                     "configuration's roots");
        break;
    case PATH_UNREADABLE:
        if (opening->error == EACCES || opening->error == EPERM) {
            answer_error(answer, 403, "FILE_UNREADABLE", NULL, "the service may not read the file");
            break;
        }
        answer_error(answer, 503, "FILE_UNREADABLE", NULL, "the file could not be opened: %s",
                     strerror_r(opening->error, text, sizeof text));
        break;
    case PATH_LINK:
    case PATH_NOT_A_FILE:
        answer_error(answer, 410, "NOT_A_FILE", NULL,
                     "where the video was is something else now; scan its folder");
        break;
    default:
        answer_error(answer, 410, "FILE_MISSING", NULL,
                     "the file is not there any more; scan its folder, or forget the video");
        break;
    }
}

/* Everything but the status and what goes with it. */
static void describe(struct answer *answer, const struct file_opening *opening,
                     const struct validators *validators)
{
    char date[HTTP_DATE_SIZE];
    struct buf name = {0};
    http_date_write(validators->modified_s, date);
    media_content_disposition(&name, opening->path, opening->attachment);
    answer_tag(answer, validators->tag);
    answer_header(answer, "last-modified:", date);
    answer_header(answer, "accept-ranges:", "bytes");
    if (!name.failed)
        answer_header(answer, "content-disposition:", name.data);
    buf_free(&name);
    answer->content_type = media_type(opening->path, opening->container);
    answer->media_page = true;
}

static void refuse_range(struct answer *answer, int64_t size, enum range_verdict verdict)
{
    char value[64];
    if (verdict == RANGE_TOO_MANY)
        answer_error(answer, 416, "TOO_MANY_RANGES", "range", "ask for at most %d ranges at once",
                     RANGES_MAX);
    else
        answer_error(answer, 416, "RANGE_NOT_SATISFIABLE", "range",
                     "the file has %" PRId64 " bytes, and none of them was asked for", size);
    snprintf(value, sizeof value, "bytes */%" PRId64, size);
    answer_header(answer, "content-range:", value);
    answer_header(answer, "accept-ranges:", "bytes");
}

/* 206, or 200 where `some` is false. Takes the file. */
static void answer_ranges(struct exchange *exchange, struct file_opening *opening,
                          const struct range_set *ranges, bool some)
{
    struct answer *answer = &exchange->answer;
    const char *type = answer->content_type;
    char boundary[ID_TEXT_SIZE], value[128];
    const int64_t size = opening->stat.st_size;
    id_new(boundary);
    answer->status = some ? 206 : 200;
    if (size == 0)
        return;
    const struct range *first = &ranges->ranges[0];
    if (some && ranges->count == 1) {
        snprintf(value, sizeof value, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, first->offset,
                 first->offset + first->length - 1, size);
        answer_header(answer, "content-range:", value);
    } else if (some) {
        snprintf(value, sizeof value, "multipart/byteranges; boundary=%s", boundary);
        answer_header(answer, "content-type:", value);
        answer->content_type = NULL;
    }
    answer->media = media_new(opening->fd, &opening->stat, ranges, type, boundary);
    opening->fd = -1;
    if (!answer->media)
        answer_failure(answer, RL_ENOMEM, NULL);
}

static void answer_opened(struct exchange *exchange, struct file_opening *opening)
{
    struct answer *answer = &exchange->answer;
    const struct conditions *conditions = &opening->conditions;
    const struct stat *stat = &opening->stat;
    struct range_set ranges;
    char tag[96];
    snprintf(tag, sizeof tag, "\"%" PRIx64 "-%" PRIx64 ".%09lx-%" PRIx64 "\"",
             (uint64_t)stat->st_size, (uint64_t)stat->st_mtim.tv_sec,
             (unsigned long)stat->st_mtim.tv_nsec, (uint64_t)stat->st_ino);
    const struct validators validators = {tag, stat->st_mtim.tv_sec};
    enum condition condition = conditions_check(conditions, &validators);
    if (condition == CONDITION_FAILED) {
        answer_error(answer, 412, "PRECONDITION_FAILED", NULL,
                     "the file is not the one that If-Match or If-Unmodified-Since names");
        return;
    }
    describe(answer, opening, &validators);
    if (condition == CONDITION_UNCHANGED) {
        answer->status = 304;
        answer->content_type = NULL;
        return;
    }
    enum range_verdict verdict = RANGE_NONE;
    /* Range means something for GET alone (RFC 9110 §14.2). */
    if (!exchange->request.head &&
        conditions_range(conditions, &validators, clock_wall_ms() / 1000))
        verdict = range_parse(conditions->range, stat->st_size, &ranges);
    if (verdict == RANGE_UNSATISFIABLE || verdict == RANGE_TOO_MANY) {
        refuse_range(answer, stat->st_size, verdict);
        return;
    }
    if (verdict == RANGE_NONE)
        ranges = (struct range_set){.ranges = {{0, stat->st_size}}, .count = 1};
    answer_ranges(exchange, opening, &ranges, verdict == RANGE_SOME);
}

static void opening_free(struct file_opening *opening)
{
    if (opening->fd >= 0)
        close(opening->fd);
    free(opening->path);
    free(opening);
}

static void opened(struct disk_task *task)
{
    struct file_opening *opening = (struct file_opening *)task;
    struct exchange *exchange = opening->exchange;
    if (exchange) {
        exchange->opening = NULL;
        if (opening->verdict == PATH_WANTED)
            answer_opened(exchange, opening);
        else
            answer_unopened(&exchange->answer, opening);
        exchange_ready(exchange);
    }
    opening_free(opening);
}

void file_leave(struct exchange *exchange)
{
    if (exchange->opening)
        exchange->opening->exchange = NULL;
    exchange->opening = NULL;
}

static void on_open_late(lws_sorted_usec_list_t *timer)
{
    struct exchange *exchange = lws_container_of(timer, struct exchange, timer);
    file_leave(exchange);
    answer_error(&exchange->answer, 503, "DISK_SLOW", NULL,
                 "the disk did not open the file within %d s", OPEN_SECONDS);
    exchange_ready(exchange);
}

static void open_video(struct exchange *exchange, struct video *video,
                       const struct conditions *conditions, bool attachment)
{
    struct server *server = exchange->server;
    struct file_opening *opening = calloc(1, sizeof *opening);
    if (!opening) {
        answer_failure(&exchange->answer, RL_ENOMEM, NULL);
        return;
    }
    opening->task = (struct disk_task){NULL, open_it, opened};
    opening->exchange = exchange;
    opening->conditions = *conditions;
    opening->path = video->path;
    video->path = NULL;
    snprintf(opening->container, sizeof opening->container, "%s", video->info.summary.container);
    opening->attachment = attachment;
    opening->roots = server->config.roots;
    opening->follow = server->config.follow_symlinks;
    opening->fd = -1;
    enum rl_err err = disk_do(server->disk, &opening->task);
    if (err) {
        opening_free(opening);
        answer_failure(&exchange->answer, err, NULL);
        return;
    }
    exchange->opening = opening;
    exchange_await_reply(exchange, pending_ticket(server), NULL);
    lws_sul_schedule(server->context, 0, &exchange->timer, on_open_late,
                     OPEN_SECONDS * LWS_US_PER_SEC);
}

/* ?download=1: to be saved, not shown. */
static bool read_download(struct exchange *exchange, bool *out)
{
    int64_t download = 0;
    const struct query_field field = {"download", QUERY_INTEGER, 0, 1, &download};
    struct problem problem;
    bool ok = query_read(&exchange->request, &field, 1, &problem);
    if (!ok)
        answer_problem(&exchange->answer, &problem);
    *out = download != 0;
    return ok;
}

void api_videos_file(struct exchange *exchange)
{
    struct catalog *reader = exchange->server->reader;
    struct conditions conditions;
    const char *id = api_id(exchange);
    bool attachment;
    if (!id || !read_download(exchange, &attachment))
        return;
    if (!request_conditions(exchange, &conditions)) {
        answer_error(&exchange->answer, 400, "BAD_HEADER", "if-match", "If-Match is too long");
        return;
    }
    struct video video;
    enum rl_err err = catalog_video_get(reader, id, &video);
    if (err == RL_ENOTFOUND) {
        answer_error(&exchange->answer, 404, "NOT_FOUND", NULL, "there is no video of this id");
    } else if (err) {
        answer_failure(&exchange->answer, err, catalog_error(reader));
    } else {
        /* Also of one that is missing: it may be back already. */
        open_video(exchange, &video, &conditions, attachment);
        video_clear(&video);
    }
}
