/* The loop: libwebsockets on libuv where its plugin is installed, else on its own poll().
 *
 * Other threads and signal handlers reach it by an eventfd alone. (lws_cancel_service would do, but
 * not once the context is gone, and on libuv it goes when the loop ends: while the job thread still
 * lives.) */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define LOG_ROOM "server"
#include "reeld/catalog.h"
#include "room.h"

enum {
    HEADERS_MAX = 16 * 1024, /* of one request, its target included */
    KEEP_ALIVE_SECONDS = 60,
    FINISH_MS = 1500, /* for clients to take their goodbye */
    /* A client's message comes in pieces of this. lws keeps as much for each client, and most say
     * nothing, or little. */
    CLIENT_PIECE = 256,
    SEARCH_SLICE_US = 3000, /* of a word's first search in one turn */
};

static int wake_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t len);
static int tick_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t len);

static const struct lws_protocols protocols[] = {
    /* Without tx_packet_size lws cuts what it writes into pieces of 4 KiB, with a turn of the loop
     * between two. */
    {.name = "http",
     .callback = http_callback,
     .per_session_data_size = sizeof(struct http_slot),
     .tx_packet_size = SCRATCH_HEAD + SCRATCH_BODY},
    {.name = "reeld.v1",
     .callback = ws_callback,
     .per_session_data_size = sizeof(struct session),
     .rx_buffer_size = CLIENT_PIECE,
     .tx_packet_size = CHANNEL_RUN_MAX},
    {.name = "wake", .callback = wake_callback},
    {.name = "tick", .callback = tick_callback},
    {.name = "quiet", .callback = quiet_callback},
    {0},
};

/* The version is read behind the target, under the target's limit: this one is for a header line
 * that has its name. See line_whole() in request.c. 0: no limit but HEADERS_MAX. */
static const struct lws_token_limits token_limits = {.token_limit = {[WSI_TOKEN_HTTP] = 1}};

/* ---- ending --------------------------------------------------------------------------------- */

/* Nobody may wake a loop that is gone, so the library ends first. */
static void end_loop(struct server *server)
{
    library_stop(server->library);
    server->library = NULL;
    lws_context_destroy(server->context);
}

static void on_finish(lws_sorted_usec_list_t *timer)
{
    struct server *server = lws_container_of(timer, struct server, finish_timer);
    server->finished = true;
    /* libuv's loop runs until the context goes. */
    if (server->uv)
        end_loop(server);
}

void server_check_finished(struct server *server)
{
    if (server->stopping && !server->finished && !server->n_exchanges && !server->channel.count)
        lws_sul_schedule(server->context, 0, &server->finish_timer, on_finish, 1);
}

static void begin_stop(struct server *server)
{
    log_info("stopping");
    server->stopping = true;
    lws_sul_schedule(server->context, 0, &server->finish_timer, on_finish,
                     FINISH_MS * LWS_US_PER_MS);
    pending_end_all(server);
    channel_end_all(&server->channel);
    server_check_finished(server);
}

/* ---- being woken ---------------------------------------------------------------------------- */

static void take_messages(struct server *server)
{
    struct library_message *message = server->library ? library_take(server->library) : NULL;
    while (message) {
        struct library_message *next = library_next(message);
        if (message->event) {
            channel_publish(&server->channel, message->event);
            warm_after(server, message->event);
            if (message->event->terminal)
                pending_job_ended(server, message->event->job_id);
        } else {
            pending_reply(server, message);
        }
        library_message_free(message);
        message = next;
    }
}

/* The rest of the sessions come in the next turns, so that requests are served in between. */
static void turn(struct server *server)
{
    if (!server->stopping && channel_turn(&server->channel))
        server_wake(server);
}

static void on_wake(struct server *server)
{
    server->metrics.wakes++;
    if (atomic_load(&server->stop) && !server->stopping)
        begin_stop(server);
    take_messages(server);
    backup_check(server);
    disk_check(server->disk);
    channel_check_lost(&server->channel);
    pending_slice(server);
    turn(server);
}

/* Empties an eventfd or a timerfd; false when it is broken. */
static bool read_count(struct lws *wsi)
{
    uint64_t count;
    return read(lws_get_socket_fd(wsi), &count, sizeof count) >= 0 || errno == EAGAIN ||
           errno == EINTR;
}

static int wake_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    if (reason != LWS_CALLBACK_RAW_RX_FILE)
        return 0;
    if (!read_count(wsi))
        return -1;
    on_wake(lws_context_user(lws_get_context(wsi)));
    return 0;
}

static int tick_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    if (reason != LWS_CALLBACK_RAW_RX_FILE)
        return 0;
    if (!read_count(wsi))
        return -1;
    turn(lws_context_user(lws_get_context(wsi)));
    return 0;
}

void server_tick_in(struct server *server, int64_t ns)
{
    const struct itimerspec when = {
        .it_value = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}};
    timerfd_settime(server->tick_fd, 0, &when, NULL);
}

void server_wake(void *arg)
{
    const struct server *server = arg;
    uint64_t one = 1;
    int saved = errno;
    /* It can only fail when the counter is full, and then the loop is woken already. */
    ssize_t written = write(server->wake_fd, &one, sizeof one);
    (void)written;
    errno = saved;
}

void server_stop(struct server *server)
{
    atomic_store(&server->stop, true);
    server_wake(server);
}

enum rl_err server_adopt(struct server *server, int fd, const char *protocol)
{
    lws_sock_file_fd_type file = {.filefd = fd};
    if (fd < 0)
        return RL_EIO;
    return lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_RAW_FILE_DESC, file, protocol, NULL)
               ? RL_OK
               : RL_ENOMEM;
}

static enum rl_err adopt_wakers(struct server *server)
{
    server->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (server->wake_fd < 0)
        return RL_EIO;
    /* Ours must last until nobody can call server_wake any more. */
    enum rl_err err = server_adopt(server, fcntl(server->wake_fd, F_DUPFD_CLOEXEC, 0), "wake");
    if (err)
        return err;
    server->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return server_adopt(server, server->tick_fd, "tick");
}

/* ---- opening -------------------------------------------------------------------------------- */

static void log_line(int level, const char *line)
{
    size_t len = strcspn(line, "\n");
    log_write(level & (LLL_ERR | LLL_WARN) ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "lws", "%.*s",
              (int)len, line);
}

/* Clients are pinged by ws_alive.c. */
static const lws_retry_bo_t no_pings;

static struct lws_context_creation_info creation_info(struct server *server)
{
    const char *listen = server->config.listen;
    bool any = strcmp(listen, "0.0.0.0") == 0 || strcmp(listen, "::") == 0;
    struct lws_context_creation_info info = {
        .port = server->config.port,
        .iface = any ? NULL : listen,
        .protocols = protocols,
        .max_http_header_data = HEADERS_MAX,
        .token_limits = &token_limits,
        .timeout_secs = HTTP_RECEIVE_SECONDS,
        .keepalive_timeout = KEEP_ALIVE_SECONDS,
        .retry_and_idle_policy = &no_pings,
        .user = server,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
    };
    if (!strchr(listen, ':'))
        info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
    return info;
}

static enum rl_err open_context(struct server *server, struct lws_context_creation_info *info)
{
    lws_set_log_level(LLL_ERR | LLL_WARN | LLL_NOTICE, log_line);
    const uint64_t options = info->options;
    info->options = options | LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN;
    server->context = lws_create_context(info);
    server->uv = server->context != NULL;
    if (!server->context) {
        info->options = options;
        server->context = lws_create_context(info);
    }
    return server->context ? RL_OK : RL_ENOMEM;
}

/* lws does not say why it could not listen: tries again without it. */
static enum rl_err explain_listen(const struct server_config *config, char why[CATALOG_WHY_SIZE])
{
    char port[16];
    snprintf(port, sizeof port, "%d", config->port);
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *address = NULL;
    if (getaddrinfo(config->listen, port, &hints, &address) != 0) {
        snprintf(why, CATALOG_WHY_SIZE, "%s is not an address to listen on", config->listen);
        return RL_EINVAL;
    }
    int error = 0, yes = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, 1) != 0)
        error = errno;
    if (fd >= 0)
        close(fd);
    freeaddrinfo(address);
    char text[128];
    snprintf(why, CATALOG_WHY_SIZE, "cannot listen on %s port %d: %s", config->listen, config->port,
             error ? strerror_r(error, text, sizeof text) : "refused");
    return error == EADDRINUSE ? RL_EBUSY : error == EACCES ? RL_EPERM : RL_EIO;
}

static enum rl_err open_vhost(struct server *server, struct lws_context_creation_info *info,
                              char why[CATALOG_WHY_SIZE])
{
    /* Clients that name no sub-protocol get the channel's, not the first. */
    static const struct lws_protocol_vhost_options is_default = {.name = "default", .value = "1"};
    static const struct lws_protocol_vhost_options channel = {.name = "reeld.v1",
                                                              .options = &is_default};
    info->pvo = &channel;
    server->vhost = lws_create_vhost(server->context, info);
    if (!server->vhost)
        return explain_listen(&server->config, why);
    server->port = lws_get_vhost_listen_port(server->vhost);
    return RL_OK;
}

static void make_cookie(struct server *server)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char secret[32];
    if (lws_get_random(server->context, secret, sizeof secret) != sizeof secret)
        return; /* an empty cookie lets nobody in */
    for (size_t i = 0; i < sizeof secret; i++) {
        server->token_cookie[2 * i] = hex[secret[i] >> 4];
        server->token_cookie[2 * i + 1] = hex[secret[i] & 15];
    }
}

static size_t scratch_size(const struct server_config *config)
{
    size_t answer = SCRATCH_HEAD + SCRATCH_BODY;
    size_t event = feed_room(config->ring_bytes / 2);
    size_t most = event > answer ? event : answer;
    return most > MEDIA_PIECE ? most : MEDIA_PIECE;
}

enum rl_err server_open(const struct server_config *config, struct catalog *reader,
                        struct server **out, char why[CATALOG_WHY_SIZE])
{
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return RL_ENOMEM;
    server->config = *config;
    server->wake_fd = -1;
    server->quiet_fd = -1;
    server->web = config->web ? realpath(config->web, NULL) : NULL;
    server->scratch_size = scratch_size(config);
    server->scratch = malloc(LWS_PRE + server->scratch_size);
    server->config.max_clients = limits_raise_files(config->max_clients);
    server->disk = disk_open(server_wake, server);
    struct lws_context_creation_info info = creation_info(server);
    why[0] = '\0';
    enum rl_err err = server->scratch && server->disk ? open_context(server, &info) : RL_ENOMEM;
    if (!err)
        err = open_vhost(server, &info, why);
    if (!err)
        err = adopt_wakers(server);
    if (!err)
        err = quiet_open(server);
    if (!err) {
        server->reader = reader;
        catalog_set_slice(reader, SEARCH_SLICE_US);
        err = channel_open(&server->channel, server);
    }
    if (err) {
        if (!*why)
            snprintf(why, CATALOG_WHY_SIZE, "the server cannot start: %s", rl_err_text(err));
        server->reader = NULL; /* still the caller's */
        server_close(server);
        return err;
    }
    make_cookie(server);
    if (!server->web)
        log_warn("the page's folder cannot be read: %s", config->web ? config->web : "none given");
    log_info("listening on %s port %d, loop: %s", config->listen, server->port,
             server->uv ? "libuv" : "poll (libuv's plugin for libwebsockets is not installed)");
    *out = server;
    return RL_OK;
}

int server_port(const struct server *server)
{
    return server->port;
}

void server_attach(struct server *server, struct library *library)
{
    server->library = library;
    server_wake(server); /* it may have spoken already */
}

void server_run(struct server *server)
{
    int result = 0;
    warm_in(server, 0);
    while (result >= 0 && !server->finished)
        result = lws_service(server->context, 0);
    end_loop(server);
    server->context = NULL;
}

void server_close(struct server *server)
{
    if (!server)
        return;
    if (server->context)
        lws_context_destroy(server->context);
    disk_close(server->disk);
    catalog_backup_free(server->backup.copy);
    channel_close(&server->channel);
    catalog_close(server->reader);
    if (server->wake_fd >= 0)
        close(server->wake_fd);
    quiet_close(server);
    picture_recent_clear(&server->recent);
    free(server->scratch);
    free(server->web);
    packed_free(&server->packed);
    free(server);
}
