#include <pthread.h>
#include <stdlib.h>

#include "reeld/base.h"

struct queue {
    pthread_mutex_t lock;
    /* the following fields are protected by lock */
    struct queue_node *first;
    struct queue_node **end;
    /* constant after creation */
    void (*wake)(void *arg);
    void *arg;
};

struct queue *queue_new(void (*wake)(void *arg), void *arg)
{
    struct queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;
    pthread_mutex_init(&queue->lock, NULL);
    queue->end = &queue->first;
    queue->wake = wake;
    queue->arg = arg;
    return queue;
}

void queue_push(struct queue *queue, struct queue_node *node)
{
    node->next = NULL;
    pthread_mutex_lock(&queue->lock);
    bool was_empty = !queue->first;
    *queue->end = node;
    queue->end = &node->next;
    pthread_mutex_unlock(&queue->lock);
    if (was_empty && queue->wake)
        queue->wake(queue->arg);
}

struct queue_node *queue_take(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct queue_node *first = queue->first;
    queue->first = NULL;
    queue->end = &queue->first;
    pthread_mutex_unlock(&queue->lock);
    return first;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}
