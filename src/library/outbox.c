#include <stdio.h>
#include <stdlib.h>

#define LOG_ROOM "library"
#include "reeld/library.h"

#include "outbox.h"
#include "room.h"

static struct library_message *message_new(void)
{
    struct library_message *message = calloc(1, sizeof *message);
    if (!message)
        log_error("out of memory: a message to the clients is lost");
    return message;
}

void outbox_event(struct library *library, struct event *event)
{
    struct library_message *message = event ? message_new() : NULL;
    if (!message) {
        log_error("out of memory: an event is lost");
        atomic_fetch_add(&library->lost, 1);
        event_unref(event);
        return;
    }
    message->event = event;
    queue_push(library->messages, &message->node);
}

void outbox_reply(struct library *library, uint64_t ticket, enum rl_err err, const char *job_id,
                  const char *detail)
{
    struct library_message *message = message_new();
    if (!message)
        return;
    message->ticket = ticket;
    message->err = err;
    snprintf(message->job_id, sizeof message->job_id, "%s", job_id ? job_id : "");
    if (err)
        snprintf(message->detail, sizeof message->detail, "%s", detail ? detail : rl_err_text(err));
    queue_push(library->messages, &message->node);
}

void outbox_count(struct library *library, uint64_t ticket, int64_t count)
{
    struct library_message *message = message_new();
    if (!message)
        return;
    message->ticket = ticket;
    message->count = count;
    queue_push(library->messages, &message->node);
}

void outbox_picture(struct library *library, uint64_t ticket, const struct picture_reply *reply)
{
    struct library_message *message = message_new();
    if (!message)
        return;
    message->ticket = ticket;
    message->err = reply->err;
    message->failure = reply->failure;
    if (reply->len)
        buf_append(&message->picture, reply->bytes, reply->len);
    if (reply->err)
        snprintf(message->detail, sizeof message->detail, "%s",
                 reply->words ? reply->words : rl_err_text(reply->err));
    queue_push(library->messages, &message->node);
}

struct event_source outbox_source(struct library *library, int64_t sequence,
                                  const char *correlation_id)
{
    return (struct event_source){.catalog_id = catalog_id(library->catalog),
                                 .sequence = sequence,
                                 .correlation_id = correlation_id};
}

/* Thread: the taker's. */

uint64_t library_lost(const struct library *library)
{
    return atomic_load(&library->lost);
}

struct library_message *library_take(struct library *library)
{
    struct queue_node *node = queue_take(library->messages);
    return node ? QUEUE_ITEM(node, struct library_message, node) : NULL;
}

struct library_message *library_next(struct library_message *message)
{
    struct queue_node *node = message->node.next;
    return node ? QUEUE_ITEM(node, struct library_message, node) : NULL;
}

void library_message_free(struct library_message *message)
{
    if (!message)
        return;
    event_unref(message->event);
    buf_free(&message->picture);
    free(message);
}
