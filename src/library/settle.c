#include <stdlib.h>

#include "settle.h"

enum rl_err settle_put(struct settle *settle, struct file_task *task)
{
    if (settle->count == settle->cap) {
        size_t cap = settle->cap ? settle->cap * 2 : 16;
        struct file_task **tasks = realloc(settle->tasks, cap * sizeof(struct file_task *));
        if (!tasks)
            return RL_ENOMEM;
        settle->tasks = tasks;
        settle->cap = cap;
    }
    size_t at = settle->count++;
    for (; at > 0 && settle->tasks[(at - 1) / 2]->due_ms > task->due_ms; at = (at - 1) / 2)
        settle->tasks[at] = settle->tasks[(at - 1) / 2];
    settle->tasks[at] = task;
    return RL_OK;
}

int64_t settle_due(const struct settle *settle)
{
    return settle->count ? settle->tasks[0]->due_ms : INT64_MAX;
}

struct file_task *settle_take(struct settle *settle)
{
    struct file_task *first = settle->tasks[0];
    struct file_task *moved = settle->tasks[--settle->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < settle->count; at = child) {
        if (child + 1 < settle->count &&
            settle->tasks[child + 1]->due_ms < settle->tasks[child]->due_ms)
            child++;
        if (settle->tasks[child]->due_ms >= moved->due_ms)
            break;
        settle->tasks[at] = settle->tasks[child];
    }
    if (settle->count)
        settle->tasks[at] = moved;
    return first;
}

void settle_free(struct settle *settle)
{
    for (size_t i = 0; i < settle->count; i++)
        free(settle->tasks[i]);
    free(settle->tasks);
    *settle = (struct settle){0};
}
