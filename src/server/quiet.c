/* Connections that are not read: of requests that wait for their answer, and of streams. What a
 * client sends before it has its answer stays in its socket, because libwebsockets would neither
 * take it nor let it be (see http.c). But when reading is stopped, it no longer says who hung up,
 * nor when a socket can be written to, and asked for the latter it spins. So these sockets are also
 * in an epoll(7) set of ours, which the loop watches as one file. */
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "room.h"

enum { QUIET_SLICE = 64 };

enum rl_err quiet_open(struct server *server)
{
    server->quiet_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server->quiet_fd < 0)
        return RL_EIO;
    /* Ours must last until the last exchange is gone. */
    return server_adopt(server, fcntl(server->quiet_fd, F_DUPFD_CLOEXEC, 0), "quiet");
}

void quiet_close(struct server *server)
{
    if (server->quiet_fd >= 0)
        close(server->quiet_fd);
    server->quiet_fd = -1;
}

bool quiet_begin(struct exchange *exchange)
{
    lws_rx_flow_control(exchange->wsi, 0);
    lws_set_timeout(exchange->wsi, NO_PENDING_TIMEOUT, 0);
    /* By edges: that the socket can be written to is said now, and then only after a write that
     * it did not take whole. */
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLOUT | EPOLLET, .data.ptr = exchange};
    exchange->quiet = epoll_ctl(exchange->server->quiet_fd, EPOLL_CTL_ADD,
                                lws_get_socket_fd(exchange->wsi), &event) == 0;
    return exchange->quiet;
}

void quiet_end(struct exchange *exchange)
{
    if (!exchange->quiet)
        return;
    exchange->quiet = false;
    epoll_ctl(exchange->server->quiet_fd, EPOLL_CTL_DEL, lws_get_socket_fd(exchange->wsi), NULL);
}

/* One that has only ended its own side is taken for gone too: the two look the same. */
static void look_at(const struct epoll_event *event)
{
    struct exchange *exchange = event->data.ptr;
    /* The request's head was read long ago; lws would keep the 16 KiB that it was in. */
    lws_http_headers_detach(exchange->wsi);
    if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_ASYNC);
    else
        sse_writable(exchange);
}

int quiet_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    if (reason != LWS_CALLBACK_RAW_RX_FILE)
        return 0;
    /* Nothing here frees an exchange: the events stay valid. What does not fit is asked for in the
     * next turn, so that requests are served in between. */
    struct epoll_event events[QUIET_SLICE];
    int n = epoll_wait(lws_get_socket_fd(wsi), events, QUIET_SLICE, 0);
    for (int i = 0; i < n; i++)
        look_at(&events[i]);
    return 0;
}
