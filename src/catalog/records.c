#include <stdlib.h>
#include <string.h>

#include "private.h"

void video_clear(struct video *video)
{
    free(video->path);
    media_info_clear(&video->info);
    *video = (struct video){0};
}

void video_page_clear(struct video_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        video_clear(&page->videos[i]);
    free(page->videos);
    *page = (struct video_page){0};
}

void job_failures_free(struct job_failure *failures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(failures[i].path);
        free(failures[i].error);
    }
    free(failures);
}

void job_clear(struct job *job)
{
    free(job->path);
    job_failures_free(job->failures, job->n_failures);
    job_plan_free(job->plan, job->n_plan);
    *job = (struct job){0};
}

void job_list_clear(struct job_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        job_clear(&list->jobs[i]);
    free(list->jobs);
    *list = (struct job_list){0};
}

static char *text_copy(const char *text, bool *failed)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        *failed = true;
    return copy;
}

enum rl_err job_copy(struct job *out, const struct job *from)
{
    bool failed = false;
    struct job copy = *from;
    copy.path = text_copy(from->path, &failed);
    copy.failures = NULL;
    copy.n_failures = 0;
    copy.plan = NULL;
    copy.n_plan = 0;
    if (from->n_failures) {
        copy.failures = calloc(from->n_failures, sizeof *copy.failures);
        failed = failed || !copy.failures;
    }
    for (size_t i = 0; copy.failures && i < from->n_failures; i++) {
        copy.failures[i].code = from->failures[i].code;
        copy.failures[i].path = text_copy(from->failures[i].path, &failed);
        copy.failures[i].error = text_copy(from->failures[i].error, &failed);
        copy.n_failures = i + 1;
    }
    if (from->n_plan) {
        copy.plan = calloc(from->n_plan, sizeof *copy.plan);
        failed = failed || !copy.plan;
    }
    for (size_t i = 0; copy.plan && i < from->n_plan; i++) {
        copy.plan[i].outcome = from->plan[i].outcome;
        copy.plan[i].path = text_copy(from->plan[i].path, &failed);
        copy.plan[i].from = text_copy(from->plan[i].from, &failed);
        copy.n_plan = i + 1;
    }
    if (failed) {
        job_clear(&copy);
        return RL_ENOMEM;
    }
    *out = copy;
    return RL_OK;
}
