#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_ROOM "library"
#include "outbox.h"
#include "picture_batch.h"
#include "pictures.h"
#include "scan.h"
#include "storyboard.h"
#include "thumbnails.h"

enum {
    TASKS_MAX = 256, /* each has an open file */
    WAITERS_MAX = 4096,
    VERSION_MS = 1000, /* how long the start waits for a worker to say its version */
};

/* No job has this number. */
static const uint64_t on_demand = UINT64_MAX;

struct picture_waiter {
    struct picture_waiter *next;
    uint64_t ticket;
    enum picture_form form;
};

struct picture_task {
    struct pool_task pool;
    struct picture_task *next;
    struct picture_subject subject;
    struct picture_request request;
    struct picture_waiter *waiters;
    uint32_t n_waiters;
    bool ahead;
};

static void subject_take(struct picture_subject *to, struct picture_subject *from)
{
    *to = *from;
    *from = (struct picture_subject){0};
}

static void task_free(struct picture_task *task)
{
    while (task->waiters) {
        struct picture_waiter *next = task->waiters->next;
        free(task->waiters);
        task->waiters = next;
    }
    picture_subject_clear(&task->subject);
    free(task);
}

enum rl_err pictures_open(struct library *library)
{
    struct pictures *pictures = library->pictures = calloc(1, sizeof *library->pictures);
    if (!pictures)
        return RL_ENOMEM;
    if (!library->config.thumbnail_width)
        library->config.thumbnail_width = PICTURE_WIDTH_USUAL;
    pictures->store.config = &library->config;
    pictures->wanted = library->config.thumbnails;
    pictures->wanted_at_ms = clock_mono_ms() + VERSION_MS;
    pictures->trigger = TRIGGER_START;
    return picture_batch_new(&pictures->batch);
}

void pictures_free(struct library *library)
{
    struct pictures *pictures = library->pictures;
    if (!pictures)
        return;
    while (pictures->tasks) {
        struct picture_task *next = pictures->tasks->next;
        task_free(pictures->tasks);
        pictures->tasks = next;
    }
    picture_batch_free(pictures->batch);
    picture_store_free(&pictures->store);
    free(pictures);
}

/* ---- answers ------------------------------------------------------------------------------- */

static void answer(struct library *library, uint64_t ticket, enum rl_err err,
                   enum failure_code failure, const char *words)
{
    struct picture_reply reply = {.err = err, .failure = failure, .words = words};
    outbox_picture(library, ticket, &reply);
}

static void answer_all(struct library *library, const struct picture_task *task, enum rl_err err,
                       enum failure_code failure, const char *words)
{
    for (const struct picture_waiter *one = task->waiters; one; one = one->next)
        answer(library, one->ticket, err, failure, words);
}

static const char changed_words[] =
    "the file has changed since it was scanned; scan it again for a new picture";

static void refuse(struct library *library, const struct picture_task *task,
                   enum failure_code failure, const char *words)
{
    struct pictures *pictures = library->pictures;
    bool thumbnail = task->request.kind == PICTURE_THUMBNAIL;
    answer_all(library, task, RL_EINVAL, failure, words);
    snapshot_picture_made(&library->snapshot, false);
    if (picture_failure_passes(failure))
        return;
    if (thumbnail) {
        struct picture_done done = {.subject = &task->subject,
                                    .outcome = OUTCOME_FAILED,
                                    .failure = failure,
                                    .words = words};
        pictures_note(library, &done);
        return;
    }
    struct picture_refusal *refusal = &pictures->refusals[pictures->n_refusals++ % REFUSALS];
    *refusal = (struct picture_refusal){
        .number = task->subject.number, .version = task->subject.version, .failure = failure};
    snprintf(refusal->words, sizeof refusal->words, "%s", words);
}

/* What the waiter wants, in the words of its form. */
static void hand_out(struct library *library, const struct picture_task *task,
                     const struct picture *picture, const struct buf *index, bool kept)
{
    for (const struct picture_waiter *one = task->waiters; one; one = one->next) {
        struct picture_reply reply = {.err = RL_OK};
        bool text = one->form == PICTURE_FORM_STORYBOARD_INDEX;
        if (!kept) {
            reply.bytes = text ? (const void *)index->data : picture->bytes;
            reply.len = text ? index->len : picture->len;
        }
        outbox_picture(library, one->ticket, &reply);
    }
}

/* Keeps what was made and gives it to all who wait; what cannot be kept they get all the same. */
static void deliver(struct library *library, const struct picture_task *task,
                    const struct picture *picture)
{
    struct pictures *pictures = library->pictures;
    struct buf index = {0};
    bool thumbnail = task->request.kind == PICTURE_THUMBNAIL;
    struct picture_key key = {.number = task->subject.number,
                              .version = task->subject.version,
                              .form = thumbnail ? PICTURE_FORM_THUMBNAIL : PICTURE_FORM_STORYBOARD,
                              .width = thumbnail ? task->request.width : 0};
    enum rl_err err = picture_store_put(&pictures->store, &key, picture->bytes, picture->len);
    if (!thumbnail) {
        storyboard_index(picture, task->subject.version, &index);
        key.form = PICTURE_FORM_STORYBOARD_INDEX;
        if (!err && !index.failed)
            err = picture_store_put(&pictures->store, &key, index.data, index.len);
    }
    snapshot_picture_made(&library->snapshot, true);
    hand_out(library, task, picture, &index, !err && !index.failed);
    buf_free(&index);
    if (err || !thumbnail || task->request.width != library->config.thumbnail_width)
        return;
    struct picture_done done = {
        .subject = &task->subject, .outcome = OUTCOME_NEW, .width = task->request.width};
    pictures_note(library, &done);
}

static void unlink_task(struct pictures *pictures, struct picture_task *task)
{
    struct picture_task **at = &pictures->tasks;
    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    pictures->n_tasks--;
    pictures->n_ahead -= task->ahead;
}

/* Thread: job; called by the pool. */
static void task_done(struct library *library, struct pool_result *result)
{
    struct picture_task *task = result->tag;
    unlink_task(library->pictures, task);
    if (!picture_subject_stands(library, &task->subject) ||
        !picture_is_known(library, task->subject.number, task->subject.version))
        answer_all(library, task, RL_ECONFLICT, FAILURE_NONE, changed_words);
    else if (result->code != FAILURE_NONE)
        refuse(library, task, result->code,
               result->error[0] ? result->error : failure_meaning(result->code));
    else
        deliver(library, task, &result->picture);
    /* Few are made ahead, and somebody looks at the place where the picture is to be. */
    if (task->ahead && library->pictures->n_ahead == 0)
        picture_batch_hurry(library->pictures->batch);
    picture_clear(&result->picture);
    task_free(task);
}

/* ---- asking -------------------------------------------------------------------------------- */

/* Refused already, and neither file nor worker are others. */
static bool known_to_fail(struct library *library, const struct command *command,
                          const struct picture_subject *subject)
{
    const struct pictures *pictures = library->pictures;
    const char *version = library->pool_now.version;
    if (subject->thumbnail == THUMBNAIL_FAILED &&
        (!version[0] || strcmp(version, subject->worker_version) == 0)) {
        answer(library, command->ticket, RL_EINVAL, subject->failure,
               subject->error[0] ? subject->error : failure_meaning(subject->failure));
        return true;
    }
    for (size_t i = 0; command->wish.form != PICTURE_FORM_THUMBNAIL && i < REFUSALS; i++) {
        const struct picture_refusal *one = &pictures->refusals[i];
        if (one->number != subject->number || one->version != subject->version)
            continue;
        answer(library, command->ticket, RL_EINVAL, one->failure, one->words);
        return true;
    }
    return false;
}

static bool is_there(struct library *library, const struct command *command,
                     const struct picture_request *request, const struct picture_subject *subject)
{
    struct picture_key key = {.number = subject->number,
                              .version = subject->version,
                              .form = command->wish.form,
                              .width = command->wish.form == PICTURE_FORM_THUMBNAIL ? request->width
                                                                                    : 0};
    if (!picture_store_has(&library->pictures->store, &key))
        return false;
    answer(library, command->ticket, RL_OK, FAILURE_NONE, NULL);
    return true;
}

static enum rl_err add_waiter(struct picture_task *task, const struct command *command)
{
    if (task->n_waiters >= WAITERS_MAX)
        return RL_EBUSY;
    struct picture_waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        return RL_ENOMEM;
    waiter->ticket = command->ticket;
    waiter->form = command->wish.form;
    waiter->next = task->waiters;
    task->waiters = waiter;
    task->n_waiters++;
    return RL_OK;
}

static struct picture_task *find_task(const struct pictures *pictures, const char *id,
                                      const struct picture_request *request)
{
    struct picture_task *task = pictures->tasks;
    while (task && (strcmp(task->subject.id, id) != 0 || task->request.kind != request->kind ||
                    task->request.width != request->width))
        task = task->next;
    return task;
}

/* Hands the open file to a worker. */
static enum rl_err submit(struct library *library, struct picture_task *task, int fd)
{
    struct pictures *pictures = library->pictures;
    char extension[16];
    path_extension(task->subject.path, extension, sizeof extension);
    task->pool.done = task_done;
    task->next = pictures->tasks;
    pictures->tasks = task;
    pictures->n_tasks++;
    pictures->n_ahead += task->ahead;
    enum rl_err err = pool_submit_picture(library->pool, fd, extension, &task->request,
                                          POOL_ON_DEMAND, on_demand, task);
    if (err)
        unlink_task(pictures, task);
    return err;
}

/* Takes the subject over. */
static void begin(struct library *library, const struct command *command,
                  const struct picture_request *request, struct picture_subject *subject)
{
    int fd, error;
    enum failure_code failure = picture_subject_open(library, subject, &fd, &error);
    if (failure == FAILURE_SETTLING) {
        answer(library, command->ticket, RL_ECONFLICT, FAILURE_NONE, changed_words);
        return;
    }
    if (error == EMFILE || error == ENFILE || error == ENOMEM) {
        answer(library, command->ticket, RL_EBUSY, FAILURE_NONE, "too many files are open");
        return;
    }
    if (failure) {
        char words[MEDIA_ERROR_SIZE];
        scan_failure_words(failure, error, words);
        answer(library, command->ticket, RL_EINVAL, failure, words);
        return;
    }
    struct picture_task *task = calloc(1, sizeof *task);
    enum rl_err err = task ? add_waiter(task, command) : RL_ENOMEM;
    if (err) {
        close(fd);
    } else {
        task->request = *request;
        subject_take(&task->subject, subject);
        err = submit(library, task, fd);
    }
    if (err) {
        answer(library, command->ticket, err, FAILURE_NONE, NULL);
        if (task)
            task_free(task);
    }
}

static struct picture_request usual(const struct library *library)
{
    return (struct picture_request){.kind = PICTURE_THUMBNAIL,
                                    .width = library->config.thumbnail_width};
}

bool pictures_making(const struct library *library, const struct picture_subject *subject)
{
    const struct picture_request request = usual(library);
    return find_task(library->pictures, subject->id, &request) != NULL;
}

enum rl_err pictures_make(struct library *library, struct picture_subject *subject)
{
    int fd, error;
    if (pictures_making(library, subject) || library->pictures->n_tasks >= TASKS_MAX)
        return RL_EBUSY;
    if (picture_subject_open(library, subject, &fd, &error))
        return RL_ENOTFOUND;
    struct picture_task *task = calloc(1, sizeof *task);
    if (!task) {
        close(fd);
        return RL_ENOMEM;
    }
    task->request = usual(library);
    task->ahead = true;
    subject_take(&task->subject, subject);
    enum rl_err err = submit(library, task, fd);
    if (err)
        task_free(task);
    return err;
}

void pictures_ask(struct library *library, const struct command *command)
{
    struct pictures *pictures = library->pictures;
    bool thumbnail = command->wish.form == PICTURE_FORM_THUMBNAIL;
    struct picture_request request = {.kind = thumbnail ? PICTURE_THUMBNAIL : PICTURE_STORYBOARD,
                                      .width = !thumbnail ? STORYBOARD_TILE_WIDTH
                                               : command->wish.width
                                                   ? command->wish.width
                                                   : library->config.thumbnail_width};
    struct picture_task *task = find_task(pictures, command->id, &request);
    struct picture_subject subject = {0};
    enum rl_err err = RL_OK;
    if (task)
        err = add_waiter(task, command);
    else
        err = catalog_picture_get(library->catalog, command->id, &subject);
    if (err == RL_EBUSY || (!err && !task && pictures->n_tasks >= TASKS_MAX))
        answer(library, command->ticket, RL_EBUSY, FAILURE_NONE, "too many pictures are wanted");
    else if (err)
        answer(library, command->ticket, err, FAILURE_NONE,
               err == RL_ENOTFOUND ? NULL : catalog_error(library->catalog));
    else if (!task && !is_there(library, command, &request, &subject) &&
             !known_to_fail(library, command, &subject))
        begin(library, command, &request, &subject);
    picture_subject_clear(&subject);
}

/* ---- the thread's turn --------------------------------------------------------------------- */

void pictures_gone(struct library *library, int64_t number, uint64_t version)
{
    picture_store_remove(&library->pictures->store, number, version);
}

void pictures_step(struct library *library)
{
    struct pictures *pictures = library->pictures;
    pictures_ahead_step(library);
    if (picture_batch_due(pictures->batch) <= clock_mono_ms())
        pictures_commit(library);
    thumbnails_queue(library);
    picture_care_step(&pictures->store, library->catalog);
    snapshot_pictures(&library->snapshot, pictures->store.why, pictures->store.bytes,
                      pictures->store.removed, pictures->n_tasks - pictures->n_ahead);
}

int64_t pictures_due(const struct library *library)
{
    const struct pictures *pictures = library->pictures;
    int64_t due =
        pictures_ahead_ready(library) ? clock_mono_ms() : picture_batch_due(pictures->batch);
    int64_t care = picture_care_due(&pictures->store);
    due = care < due ? care : due;
    if (pictures->wanted && pictures->wanted_at_ms < due)
        due = pictures->wanted_at_ms;
    return due;
}

/* Thread: any. */
enum rl_err library_picture_open(const struct library *library, const struct picture_key *key,
                                 int *fd, int64_t *size)
{
    *fd = -1;
    if (!library->config.data)
        return RL_ENOTFOUND;
    return picture_file_open(library->config.data, key, fd, size);
}
