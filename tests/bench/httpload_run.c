#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "httpload.h"

enum { ANSWER_MAX = 4 << 20 };

static const int64_t longest_wait_ns = 100 * 1000 * 1000;

static bool open_connection(struct load *load, struct load_connection *connection)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)load->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    connection->answer = malloc(ANSWER_MAX + 1);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    return connection->answer && connection->fd >= 0 &&
           connect(connection->fd, (struct sockaddr *)&to, sizeof to) == 0 &&
           setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0 &&
           epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) == 0;
}

static bool ask(struct load *load, struct load_connection *connection, int64_t due_ns)
{
    const struct load_page *page = &load->pages[load->asked++ % load->n_pages];
    connection->page = page;
    connection->due_ns = due_ns;
    connection->asked_ns = clock_mono_ns();
    connection->got = connection->wanted = 0;
    return send(connection->fd, page->request, page->len, MSG_NOSIGNAL) == (ssize_t)page->len;
}

static int64_t next_due(const struct load *load, int64_t begin_ns)
{
    return begin_ns + (int64_t)((double)load->asked * 1e9 / load->rate);
}

/* Asks on free connections what is due, in the order in which it fell due. */
static bool ask_due(struct load *load, int64_t begin_ns, int64_t now_ns)
{
    for (int i = 0; i < load->n_connections; i++) {
        struct load_connection *connection = &load->connections[i];
        if (connection->page)
            continue;
        int64_t due_ns = load->rate > 0 ? next_due(load, begin_ns) : now_ns;
        if (due_ns > now_ns)
            return true;
        if (!ask(load, connection, due_ns))
            return false;
    }
    return true;
}

/* The length of the answer whose head is there; 0: it is not. One that does not say how long it is
 * counts as too long. */
static size_t answer_length(const char *answer, int status)
{
    const char *end = strstr(answer, "\r\n\r\n");
    if (!end)
        return 0;
    size_t head = (size_t)(end + 4 - answer);
    if (status == 304 || status == 204)
        return head;
    const char *length = strcasestr(answer, "\r\ncontent-length:");
    if (!length || length > end)
        return ANSWER_MAX + 1;
    return head + strtoull(length + strlen("\r\ncontent-length:"), NULL, 10);
}

static int answer_status(const struct load_connection *connection)
{
    return connection->got > 12 ? atoi(connection->answer + strlen("HTTP/1.1 ")) : 0;
}

static void count(struct load *load, struct load_connection *connection)
{
    int64_t now_ns = clock_mono_ns();
    int status = answer_status(connection);
    load->answered++;
    if (status != load->status) {
        load->bad = load->failed++ ? load->bad : connection->page;
        load->bad_status = load->failed == 1 ? status : load->bad_status;
    }
    for (unsigned i = 0; i <= connection->page->n_groups; i++) {
        struct load_group *group = &load->all;
        if (i < connection->page->n_groups)
            group = &load->groups[connection->page->groups[i]];
        histogram_add(&group->times, now_ns - connection->due_ns);
        histogram_add(&group->own, now_ns - connection->asked_ns);
    }
    connection->page = NULL;
}

static bool take(struct load *load, struct load_connection *connection)
{
    ssize_t got = recv(connection->fd, connection->answer + connection->got,
                       ANSWER_MAX - connection->got, MSG_DONTWAIT);
    if (got <= 0 || !connection->page)
        return false;
    connection->got += (size_t)got;
    connection->answer[connection->got] = '\0';
    if (!connection->wanted)
        connection->wanted = answer_length(connection->answer, answer_status(connection));
    if (connection->wanted > ANSWER_MAX)
        return false;
    if (!connection->wanted || connection->got < connection->wanted)
        return true;
    count(load, connection);
    return load->rate > 0 || ask(load, connection, clock_mono_ns());
}

/* How long nothing will be due, as far as that is known. */
static struct timespec wait_time(const struct load *load, int64_t begin_ns, int64_t now_ns)
{
    int64_t wait_ns = longest_wait_ns;
    bool some_free = false;
    for (int i = 0; i < load->n_connections; i++)
        some_free |= !load->connections[i].page;
    if (load->rate > 0 && some_free)
        wait_ns = next_due(load, begin_ns) - now_ns;
    wait_ns = wait_ns < 0 ? 0 : wait_ns > longest_wait_ns ? longest_wait_ns : wait_ns;
    return (struct timespec){.tv_nsec = wait_ns};
}

static bool set_up(struct load *load)
{
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < load->n_connections; i++) {
        if (!open_connection(load, &load->connections[i]))
            return false;
    }
    struct epoll_event event = {.events = EPOLLIN};
    return load->seconds > 0 || epoll_ctl(load->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) == 0;
}

bool load_run(struct load *load)
{
    struct epoll_event events[CONNECTIONS_MAX];
    if (!set_up(load))
        return false;
    int64_t begin_ns = clock_mono_ns(), now_ns = begin_ns;
    int64_t end_ns = load->seconds > 0 ? begin_ns + (int64_t)(load->seconds * 1e9) : INT64_MAX;
    while (now_ns < end_ns) {
        if (!ask_due(load, begin_ns, now_ns))
            return false;
        struct timespec wait = wait_time(load, begin_ns, clock_mono_ns());
        int ready = epoll_pwait2(load->epoll, events, CONNECTIONS_MAX, &wait, NULL);
        for (int i = 0; i < ready; i++) {
            if (!events[i].data.ptr)
                end_ns = 0;
            else if (!take(load, events[i].data.ptr))
                return false;
        }
        now_ns = clock_mono_ns();
    }
    load->seconds = (double)(now_ns - begin_ns) / 1e9;
    return true;
}
