/* GET /api/v1/backup. One at a time, from its being made to its last byte: a copy is as large as
 * the catalogue, and the catalogue's log grows while it is made. */
#include <stdio.h>
#include <time.h>

#include "api.h"
#include "room.h"
#include "router.h"

/* What an answer with a copy says of it. */
static void describe(struct answer *answer)
{
    char value[80];
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(value, sizeof value, "attachment; filename=\"reeld-%Y%m%dT%H%M%SZ.db\"", &utc);
    answer->status = 200;
    answer->content_type = "application/vnd.sqlite3";
    answer_header(answer, "content-disposition:", value);
}

static void answer_head(struct exchange *exchange)
{
    struct catalog *reader = exchange->server->reader;
    enum rl_err err = catalog_size(reader, &exchange->answer.file.length);
    if (err)
        answer_failure(&exchange->answer, err, catalog_error(reader));
    else
        describe(&exchange->answer);
}

static void answer_copy(struct exchange *exchange, struct catalog_backup *copy)
{
    int fd;
    int64_t size;
    const char *why;
    enum rl_err err = catalog_backup_take(copy, &fd, &size, &why);
    if (err) {
        answer_failure(&exchange->answer, err, why);
        return;
    }
    file_send_open(&exchange->answer.file, fd, 0, size);
    describe(&exchange->answer);
}

void api_backup(struct exchange *exchange)
{
    struct server *server = exchange->server;
    struct backup *backup = &server->backup;
    struct answer *answer = &exchange->answer;
    /* It changes nothing, but it is work that a page elsewhere may not cause. */
    if (!router_admit(exchange, false, true) || !api_no_args(exchange))
        return;
    if (backup->copy || backup->exchange) {
        answer_error(answer, 503, "BACKUP_RUNNING", NULL,
                     "another backup is being made or sent; try again when it is done");
        return;
    }
    if (exchange->request.head) {
        answer_head(exchange);
        return;
    }
    enum rl_err err = catalog_backup_start(server->config.database, server->config.data,
                                           server_wake, server, &backup->copy);
    if (err) {
        answer_failure(answer, err, NULL);
        return;
    }
    backup->exchange = exchange;
    exchange_await_reply(exchange, pending_ticket(server), NULL);
}

void backup_check(struct server *server)
{
    struct backup *backup = &server->backup;
    if (!backup->copy || !catalog_backup_over(backup->copy))
        return;
    struct exchange *exchange = backup->exchange;
    /* Not one that was answered meanwhile, because the service is being stopped. */
    if (exchange && exchange->state == EXCHANGE_PENDING) {
        answer_copy(exchange, backup->copy);
        exchange_ready(exchange);
    }
    catalog_backup_free(backup->copy);
    backup->copy = NULL;
}

void backup_leave(struct exchange *exchange)
{
    struct backup *backup = &exchange->server->backup;
    if (backup->exchange != exchange)
        return;
    backup->exchange = NULL;
    if (backup->copy)
        catalog_backup_cancel(backup->copy);
}
