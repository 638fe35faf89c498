/* Requests whose answer comes later: with the library's reply to a command, or with the end of a
 * job. One list, oldest first: replies come in the order of their commands, so a search ends soon.
 * And those whose handler is called again until it has done all of its work, a slice a turn of the
 * loop: in another list, whose first one is at it. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "api.h"
#include "reeld/events.h"
#include "room.h"
#include "router.h"

/* So many may be at it, one after the other, when a newcomer still begins at once. */
enum { SLICES_BEGUN = 4 };

uint64_t pending_ticket(struct server *server)
{
    return ++server->last_ticket;
}

static void pending_add(struct exchange *exchange, struct waiting *among)
{
    exchange->state = EXCHANGE_PENDING;
    exchange->among = among;
    exchange->prev = among->last;
    exchange->next = NULL;
    if (exchange->prev)
        exchange->prev->next = exchange;
    else
        among->first = exchange;
    among->last = exchange;
    among->count++;
    exchange->server->metrics.waiting++;
}

void pending_remove(struct exchange *exchange)
{
    struct waiting *among = exchange->among;
    if (exchange->state != EXCHANGE_PENDING)
        return;
    exchange->state = EXCHANGE_READY;
    *(exchange->prev ? &exchange->prev->next : &among->first) = exchange->next;
    *(exchange->next ? &exchange->next->prev : &among->last) = exchange->prev;
    among->count--;
    lws_sul_cancel(&exchange->timer);
    exchange->server->metrics.waiting--;
}

void exchange_ready(struct exchange *exchange)
{
    pending_remove(exchange);
    quiet_end(exchange);
    exchange->state = EXCHANGE_READY;
    lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, HTTP_SEND_SECONDS);
    lws_rx_flow_control(exchange->wsi, 1); /* or lws would not call back */
    lws_callback_on_writable(exchange->wsi);
}

void exchange_await_reply(struct exchange *exchange, uint64_t ticket, exchange_reply *reply)
{
    exchange->ticket = ticket;
    exchange->reply = reply;
    pending_add(exchange, &exchange->server->pending);
}

static void on_late(lws_sorted_usec_list_t *timer)
{
    struct exchange *exchange = lws_container_of(timer, struct exchange, timer);
    exchange->late(exchange);
    exchange_ready(exchange);
}

void exchange_deadline(struct exchange *exchange, int64_t timeout_ms,
                       void (*late)(struct exchange *exchange))
{
    exchange->late = late;
    lws_sul_schedule(exchange->server->context, 0, &exchange->timer, on_late,
                     timeout_ms * LWS_US_PER_MS);
}

void pending_reply(struct server *server, const struct library_message *message)
{
    struct exchange *exchange = server->pending.first;
    while (exchange && (exchange->ticket == 0 || exchange->ticket != message->ticket))
        exchange = exchange->next;
    if (!exchange)
        return; /* its client is gone */
    exchange->reply(exchange, message);
    exchange_ready(exchange);
}

/* The job as it is now; 408 where a wait ended before the job did. */
static void answer_job(struct exchange *exchange)
{
    struct job job;
    enum rl_err err = api_job_read(exchange->server, exchange->job_id, &job);
    if (err) {
        answer_failure(&exchange->answer, err, "the job could not be read");
        return;
    }
    answer_json(&exchange->answer, job_status_terminal(job.status) ? 200 : 408, json_job(&job));
    job_clear(&job);
}

static void on_wait_over(lws_sorted_usec_list_t *timer)
{
    struct exchange *exchange = lws_container_of(timer, struct exchange, timer);
    answer_job(exchange);
    exchange_ready(exchange);
}

void exchange_await_job(struct exchange *exchange, const char *job_id, int64_t timeout_ms)
{
    memcpy(exchange->job_id, job_id, sizeof exchange->job_id);
    pending_add(exchange, &exchange->server->pending);
    lws_sul_schedule(exchange->server->context, 0, &exchange->timer, on_wait_over,
                     timeout_ms * LWS_US_PER_MS);
}

void pending_job_ended(struct server *server, const char *job_id)
{
    /* Thousands may wait for one job: it is read and printed once. */
    struct answer *first = NULL;
    for (struct exchange *exchange = server->pending.first, *next; exchange; exchange = next) {
        next = exchange->next;
        if (exchange->ticket != 0 || strcmp(exchange->job_id, job_id) != 0)
            continue;
        struct answer *answer = &exchange->answer;
        if (!first) {
            answer_job(exchange);
            first = answer;
        } else {
            answer->status = first->status;
            answer->content_type = first->content_type;
            buf_append(&answer->body, first->body.data, first->body.len);
            if (answer->body.failed)
                answer_failure(answer, RL_ENOMEM, NULL);
        }
        exchange_ready(exchange);
    }
}

bool exchange_crowded(const struct exchange *exchange)
{
    return exchange->state != EXCHANGE_PENDING && exchange->server->slices.count >= SLICES_BEGUN;
}

void exchange_await_slice(struct exchange *exchange)
{
    struct server *server = exchange->server;
    if (exchange->state != EXCHANGE_PENDING)
        pending_add(exchange, &server->slices);
    server_wake(server);
}

void pending_slice(struct server *server)
{
    struct exchange *exchange = server->slices.first;
    if (!exchange)
        return;
    exchange->route->handle(exchange);
    if (exchange->answer.status)
        exchange_ready(exchange);
    if (server->slices.first)
        server_wake(server);
}

static void end_all(struct waiting *waiting)
{
    while (waiting->first) {
        struct exchange *exchange = waiting->first;
        answer_error(&exchange->answer, 503, "STOPPING", NULL, "the service is being stopped");
        exchange->close = true;
        exchange_ready(exchange);
    }
}

void pending_end_all(struct server *server)
{
    end_all(&server->pending);
    end_all(&server->slices);
}
