#include <stdlib.h>
#include <string.h>

#include "origin.h"
#include "plan.h"
#include "room.h"
#include "scan.h"

void plan_add(struct scan *scan, enum outcome outcome, const char *path, const char *from)
{
    struct job *job = scan->job;
    job->processed += outcome != OUTCOME_NONE;
    job->added += outcome == OUTCOME_NEW;
    job->updated += outcome == OUTCOME_UPDATED;
    job->moved += outcome == OUTCOME_MOVED;
    job->missing += outcome == OUTCOME_NONE;
    scan->unsaid = true;
    if (scan->plan.lines < JOB_RESULT_ERRORS_MAX) {
        scan->plan.lines++;
        batch_plan(scan, outcome, path, from);
    }
}

static bool displaced_add(struct plan *plan, int64_t number)
{
    if (plan->n_displaced == plan->cap_displaced) {
        size_t cap = plan->cap_displaced ? plan->cap_displaced * 2 : 16;
        int64_t *larger = reallocarray(plan->displaced, cap, sizeof *larger);
        if (!larger)
            return false;
        plan->displaced = larger;
        plan->cap_displaced = cap;
    }
    plan->displaced[plan->n_displaced++] = number;
    return true;
}

void plan_place(struct scan *scan, const struct video_place *place, const char *path,
                int64_t displaced)
{
    bool kept = number_set_add(&scan->plan.moved, (uint64_t)place->number);
    if (kept && displaced && displaced != place->number)
        kept = displaced_add(&scan->plan, displaced);
    if (!kept) {
        scan->err = RL_ENOMEM;
        return;
    }
    bool same_path = strcmp(place->path, path) == 0;
    plan_add(scan, same_path ? OUTCOME_UPDATED : OUTCOME_MOVED, path,
             same_path ? NULL : place->path);
}

bool plan_has_moved(const struct scan *scan, int64_t number)
{
    return number_set_has(&scan->plan.moved, (uint64_t)number);
}

void plan_task(struct scan *scan, struct file_task *task)
{
    const char *path = scan_path(scan, task->directory, task->name);
    if (path) {
        int64_t number = origin_number_at(scan, path, true);
        bool known = number && !plan_has_moved(scan, number);
        plan_add(scan, known ? OUTCOME_UPDATED : OUTCOME_NEW, path, NULL);
    }
    free(task);
}

void plan_end_walk(struct scan *scan)
{
    struct plan *plan = &scan->plan;
    for (size_t i = 0; i < plan->n_displaced; i++) {
        struct video_place place;
        if (plan_has_moved(scan, plan->displaced[i]) ||
            catalog_place_get(scan->library->catalog, plan->displaced[i], &place))
            continue;
        if (!place.missing_since_ms)
            plan_add(scan, OUTCOME_NONE, place.path, NULL);
        video_place_clear(&place);
    }
    plan->n_displaced = 0;
}

void plan_free(struct plan *plan)
{
    number_set_free(&plan->moved);
    free(plan->displaced);
    *plan = (struct plan){0};
}
