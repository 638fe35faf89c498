/* The thumbnails job: which videos it goes through, and what becomes of each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outbox.h"
#include "pictures.h"
#include "scan.h"
#include "thumbnails_work.h"

enum {
    PAGE = 64,       /* subjects in one query */
    FEED_MAX = 64,   /* in one go, so that replies and commands do not wait */
    HOLD_MS = 50,    /* when descriptors or memory ran out */
    STORE_MS = 2000, /* when pictures cannot be kept */
};

struct thumbnail_task {
    struct pool_task pool;
    struct thumbnails *work;
    struct picture_subject subject;
};

/* ---- one subject --------------------------------------------------------------------------- */

static void note(struct thumbnails *work, const struct picture_subject *subject,
                 enum outcome outcome, enum failure_code failure, const char *words)
{
    bool passes = outcome == OUTCOME_SKIPPED ||
                  (outcome == OUTCOME_FAILED && picture_failure_passes(failure));
    struct picture_done done = {.subject = subject,
                                .outcome = outcome,
                                .width = work->library->config.thumbnail_width,
                                .failure = failure,
                                .words = words,
                                .job = work};
    if ((passes && !number_set_add(&work->passed, (uint64_t)subject->number)) ||
        pictures_note(work->library, &done))
        work->err = RL_ENOMEM;
}

/* One could not be done now. */
static void hold(struct thumbnails *work, int64_t ms)
{
    work->again = true;
    work->wait_ms = clock_mono_ms() + ms;
}

/* Pictures cannot be kept: the job says so, and tries again until they can. */
static void hold_for_store(struct thumbnails *work)
{
    const char *why = work->library->pictures->store.why;
    struct job *job = work->job;
    hold(work, STORE_MS);
    if (strcmp(job->error, why) == 0)
        return;
    snprintf(job->error, sizeof job->error, "%s", why);
    snapshot_update(&work->library->snapshot, job);
    jobs_say(work->library, job);
}

static void kept(struct thumbnails *work, const struct picture_subject *subject)
{
    work->job->error[0] = '\0';
    note(work, subject, OUTCOME_NEW, FAILURE_NONE, NULL);
}

static void keep(struct thumbnails *work, const struct picture_subject *subject,
                 const struct picture *picture)
{
    struct library *library = work->library;
    struct picture_key key = picture_usual(library, subject);
    if (picture_store_put(&library->pictures->store, &key, picture->bytes, picture->len))
        hold_for_store(work);
    else
        kept(work, subject);
}

static void task_free(struct thumbnail_task *task)
{
    picture_subject_clear(&task->subject);
    free(task);
}

/* Thread: job; called by the pool. */
static void task_done(struct library *library, struct pool_result *result)
{
    struct thumbnail_task *task = result->tag;
    struct thumbnails *work = task->work;
    work->in_flight--;
    if (!picture_subject_stands(library, &task->subject))
        note(work, &task->subject, OUTCOME_SKIPPED, FAILURE_NONE, NULL);
    else if (result->code != FAILURE_NONE)
        note(work, &task->subject, OUTCOME_FAILED, result->code,
             result->error[0] ? result->error : failure_meaning(result->code));
    else
        keep(work, &task->subject, &result->picture);
    picture_clear(&result->picture);
    task_free(task);
}

/* Thread: job; called by pool_cancel. */
static void task_drop(void *ctx, void *tag)
{
    struct thumbnails *work = ctx;
    work->in_flight--;
    task_free(tag);
}

void thumbnails_give_up(struct thumbnails *work)
{
    pool_cancel(work->library->pool, (uint64_t)work->job->number, task_drop, work);
}

/* False: not now. Takes the subject over when a worker gets its file. */
static bool submit(struct thumbnails *work, struct picture_subject *subject, int fd)
{
    struct library *library = work->library;
    const struct picture_request request = {.kind = PICTURE_THUMBNAIL,
                                            .width = library->config.thumbnail_width};
    struct thumbnail_task *task = calloc(1, sizeof *task);
    if (!task) {
        close(fd);
        return false;
    }
    char extension[16];
    path_extension(subject->path, extension, sizeof extension);
    *task = (struct thumbnail_task){.pool.done = task_done, .work = work, .subject = *subject};
    subject->path = NULL;
    work->in_flight++;
    if (!pool_submit_picture(library->pool, fd, extension, &request, POOL_BACKGROUND,
                             (uint64_t)work->job->number, task))
        return true;
    work->in_flight--;
    subject->path = task->subject.path;
    free(task);
    return false;
}

/* What an earlier process made, or somebody asked for, need not be made again. */
static void begin(struct thumbnails *work, struct picture_subject *subject)
{
    struct library *library = work->library;
    struct picture_key key = picture_usual(library, subject);
    if (picture_store_has(&library->pictures->store, &key)) {
        kept(work, subject);
        return;
    }
    if (pictures_making(library, subject)) {
        hold(work, HOLD_MS);
        return;
    }
    int fd, error;
    enum failure_code failure = picture_subject_open(library, subject, &fd, &error);
    bool wait = error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN;
    if (wait || (!failure && !submit(work, subject, fd))) {
        hold(work, HOLD_MS);
    } else if (failure == FAILURE_VANISHED || failure == FAILURE_SETTLING) {
        note(work, subject, OUTCOME_SKIPPED, FAILURE_NONE, NULL);
    } else if (failure) {
        char words[MEDIA_ERROR_SIZE];
        scan_failure_words(failure, error, words);
        note(work, subject, OUTCOME_FAILED, failure, words);
    }
}

/* ---- going through them -------------------------------------------------------------------- */

static void read_page(struct thumbnails *work)
{
    struct library *library = work->library;
    picture_subjects_clear(&work->page);
    work->at = 0;
    enum rl_err err =
        work->stage == STAGE_PENDING
            ? catalog_pictures_pending(library->catalog, work->after, PAGE, &work->page)
            : catalog_pictures_stale(library->catalog, library->pool_now.version, work->after, PAGE,
                                     &work->page);
    if (err) {
        snprintf(library->why, sizeof library->why, "the catalogue cannot be read: %s",
                 catalog_error(library->catalog));
        work->err = err;
    } else if (work->page.count == 0 && work->stage < STAGE_DONE) {
        work->stage++;
        work->after = 0;
    }
}

/* The next one; NULL: there is none. */
static struct picture_subject *next(struct thumbnails *work)
{
    for (;;) {
        while (work->at < work->page.count) {
            struct picture_subject *subject = &work->page.subjects[work->at++];
            work->after = subject->number;
            if (!number_set_has(&work->passed, (uint64_t)subject->number))
                return subject;
        }
        if (work->err || work->stage == STAGE_DONE)
            return NULL;
        read_page(work);
    }
}

bool thumbnails_feed_ready(const struct thumbnails *work, int64_t now_ms)
{
    const struct library *library = work->library;
    bool known = library->pool_now.version[0] != '\0';
    if (work->err || (now_ms < work->wait_ms && (work->begun || !known)))
        return false;
    if (work->again)
        return work->in_flight == 0;
    return work->stage != STAGE_DONE && !pictures_full(library) &&
           pool_has_room_for_picture(library->pool, POOL_BACKGROUND);
}

static void begin_again(struct thumbnails *work)
{
    pictures_commit(work->library); /* or what was done would come again */
    picture_subjects_clear(&work->page);
    work->at = 0;
    work->after = 0;
    work->stage = STAGE_PENDING;
    work->again = false;
}

void thumbnails_feed(struct thumbnails *work)
{
    for (int n = 0; n < FEED_MAX && thumbnails_feed_ready(work, clock_mono_ms()); n++) {
        work->begun = true;
        if (work->again)
            begin_again(work);
        struct picture_subject *subject = next(work);
        if (!subject)
            return;
        begin(work, subject);
    }
}
