/* pictures: making them, for those who ask and for the job; keeping them, and keeping what came of
 * each in the catalogue, in groups. Job thread. */
#ifndef REELD_LIBRARY_PICTURES_H
#define REELD_LIBRARY_PICTURES_H

#include "picture_store.h"
#include "room.h"

struct picture_batch;
struct picture_task;
struct thumbnails;

/* A picture that cannot be made again until file or worker change. Of thumbnails the catalogue
 * knows. */
struct picture_refusal {
    int64_t number;
    uint64_t version;
    enum failure_code failure;
    char words[MEDIA_ERROR_SIZE];
};

enum { REFUSALS = 64 };

enum { AHEAD_MAX = 16 };

struct pictures {
    struct picture_store store;
    struct picture_task *tasks; /* on demand or ahead, that workers have; owned */
    uint32_t n_tasks;
    uint32_t n_ahead;                    /* of them, made before anybody asks */
    char ahead[AHEAD_MAX][ID_TEXT_SIZE]; /* that are to be made so, the oldest first */
    size_t n_waiting;
    struct picture_batch *batch; /* what came of them, not yet in the catalogue; owned */
    struct picture_refusal refusals[REFUSALS]; /* of storyboards, the latest; a ring */
    size_t n_refusals;
    /* the job that is to be queued */
    bool wanted;
    int64_t wanted_at_ms; /* clock_mono_ms(): not before */
    enum job_trigger trigger;
    char correlation_id[CORRELATION_SIZE];
};

/* Before the thread starts; and after it. */
enum rl_err pictures_open(struct library *library);
void pictures_free(struct library *library);

/* COMMAND_PICTURE: answers it at once, or when the picture is made. */
void pictures_ask(struct library *library, const struct command *command);

/* Commits what is due, queues the job that is wanted, takes care of the store. And when there is
 * something to do, in clock_mono_ms(); INT64_MAX: nothing. */
void pictures_step(struct library *library);
int64_t pictures_due(const struct library *library);

/* The video came just now, one of a few: it gets its usual thumbnail at once, if workers can be
 * spared, without a job. Whatever does not come of it is left to the job. */
void pictures_ahead(struct library *library, const char *id);

/* Whether some of these are not made yet. */
bool pictures_ahead_busy(const struct library *library);

/* Hands out what waits of them, of pictures_step; and whether it would. */
void pictures_ahead_step(struct library *library);
bool pictures_ahead_ready(const struct library *library);

/* Has the subject's usual thumbnail made ahead; takes the subject over. RL_EBUSY: a worker has it
 * already, or has too many. RL_ENOTFOUND: its file cannot be read, or is another one by now. */
enum rl_err pictures_make(struct library *library, struct picture_subject *subject);

/* Whether a worker makes the subject's usual thumbnail for somebody who asked, or ahead. */
bool pictures_making(const struct library *library, const struct picture_subject *subject);

/* A version of a video is no more: so are its pictures. */
void pictures_gone(struct library *library, int64_t number, uint64_t version);

/* ---- for the job ---------------------------------------------------------------------------- */

/* Opens the subject's file and looks whether it is as it was when it was scanned. FAILURE_NONE: *fd
 * is open. FAILURE_VANISHED: nothing is there. FAILURE_SETTLING: it has changed. Otherwise why it
 * cannot be read; *error is the errno, or 0. */
enum failure_code picture_subject_open(const struct library *library,
                                       const struct picture_subject *subject, int *fd, int *error);

/* Whether it is still so, after it was read. */
bool picture_subject_stands(const struct library *library, const struct picture_subject *subject);

/* Whether there is a video of this number in this state: it may have been removed meanwhile. */
bool picture_is_known(const struct library *library, int64_t number, uint64_t version);

/* The file of the subject's usual thumbnail. */
struct picture_key picture_usual(const struct library *library,
                                 const struct picture_subject *subject);

/* What became of one subject. */
struct picture_done {
    const struct picture_subject *subject;
    enum outcome outcome; /* NEW, FAILED or SKIPPED */
    int32_t width;        /* NEW */
    enum failure_code failure;
    const char *words;      /* of the failure */
    struct thumbnails *job; /* that counts it, or NULL */
};

/* Notes it for the next commit. RL_ENOMEM: it is not. */
enum rl_err pictures_note(struct library *library, const struct picture_done *done);
bool pictures_full(const struct library *library);  /* commit before more is noted */
bool pictures_noted(const struct library *library); /* something waits for the commit */

/* Commits what was noted; then its events are said. What could not be committed is as if it had not
 * been noted, and the job is told (thumbnails_failed). */
void pictures_commit(struct library *library);

/* Whether a failure says nothing about the file as it is: it may be over the next time. */
bool picture_failure_passes(enum failure_code failure);

#endif
