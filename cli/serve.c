/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c: accept, answer one quote request, echo. */
#include "serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 16
/* A client that says nothing does not keep the next one waiting for ever. */
#define IDLE_MS 60000

static bool fail_socket(atls_error *err, const char *what, int reason)
{
    return atls_fail(err, ATLS_E_IO, "127.0.0.1", "%s: %s", what, strerror(reason));
}

static bool bind_loopback(int fd, uint16_t port, atls_error *err)
{
    int on = 1;
    union {
        struct sockaddr any;
        struct sockaddr_in in;
    } address = {.in = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}}};
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(fd, &address.any, sizeof address.in) != 0
        || listen(fd, BACKLOG) != 0) {
        return fail_socket(err, "listen", errno);
    }
    return true;
}

static bool bound_port(int fd, uint16_t *port, atls_error *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
    } address;
    socklen_t size = sizeof address.in;
    if (getsockname(fd, &address.any, &size) != 0) {
        return fail_socket(err, "getsockname", errno);
    }
    *port = ntohs(address.in.sin_port);
    return true;
}

bool cli_listen(uint16_t port, cli_listener *out, atls_error *err)
{
    out->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (out->fd < 0) {
        return fail_socket(err, "socket", errno);
    }
    /* Non-blocking, so that a client that is gone between poll and accept does not hold us. */
    if (fcntl(out->fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(out->fd, F_SETFL, O_NONBLOCK) != 0) {
        int reason = errno;
        cli_listener_close(out);
        return fail_socket(err, "fcntl", reason);
    }
    if (!bind_loopback(out->fd, port, err) || !bound_port(out->fd, &out->port, err)) {
        cli_listener_close(out);
        return false;
    }
    return true;
}

void cli_listener_close(cli_listener *l)
{
    if (l->fd >= 0) {
        (void)close(l->fd);
    }
    l->fd = -1;
}

int64_t cli_monotonic_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + (int64_t)t.tv_nsec / 1000000;
}

/* milliseconds until the deadline, -1: for ever, as poll() has it */
static int time_left(int64_t deadline_ms)
{
    if (deadline_ms == 0) {
        return -1;
    }
    int64_t left = deadline_ms - cli_monotonic_ms();
    return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

/* accept(2) names clients that went away again and networks that stumbled; everything else (no descriptor left) would
 * come back at once and for ever. */
static bool comes_to_nothing(int reason)
{
    return reason == EINTR || reason == EAGAIN || reason == EWOULDBLOCK || reason == ECONNABORTED || reason == EPROTO
           || reason == ENETDOWN || reason == EHOSTUNREACH || reason == ENETUNREACH;
}

static bool wait_client(const cli_listener *l, int64_t deadline_ms, int *fd, atls_error *err)
{
    for (;;) {
        int left = time_left(deadline_ms);
        struct pollfd p = {.fd = l->fd, .events = POLLIN};
        int ready = poll(&p, 1, left);
        if (ready < 0 && errno != EINTR) {
            return fail_socket(err, "poll", errno);
        }
        if (ready == 0 && time_left(deadline_ms) == 0) {
            *fd = -1;
            return true;
        }
        *fd = ready > 0 ? accept(l->fd, NULL, NULL) : -1;
        if (*fd >= 0) {
            return true;
        }
        if (ready > 0 && !comes_to_nothing(errno)) {
            return fail_socket(err, "accept", errno);
        }
    }
}

static uint32_t idle_limit(int64_t deadline_ms)
{
    int left = time_left(deadline_ms);
    if (left < 0 || left > IDLE_MS) {
        return IDLE_MS;
    }
    return left == 0 ? 1 : (uint32_t)left;
}

static bool echo(atls_session *s, int64_t deadline_ms, atls_error *err)
{
    uint8_t data[4096];
    for (;;) {
        size_t n = 0;
        atls_step step = atls_session_read_blocking(s, data, sizeof data, &n, idle_limit(deadline_ms), err);
        if (step == ATLS_STEP_CLOSED) {
            return atls_session_close(s, err) != ATLS_STEP_FAILED;
        }
        if (step != ATLS_STEP_DONE || !atls_session_write_all(s, data, n, idle_limit(deadline_ms), err)) {
            return false;
        }
        if (time_left(deadline_ms) == 0) {
            return atls_session_close(s, err) != ATLS_STEP_FAILED;
        }
    }
}

/* For whoever watches the server: what its policy for clients has found out. */
static void say_client(const atls_session *s)
{
    const atls_result *r = atls_session_result(s);
    if (r == NULL || !r->claims.enrolled.present) {
        return;
    }
    const atls_enrolled_claims *c = &r->claims.enrolled;
    (void)fputs("client: ", stderr);
    if (c->has_extension) {
        cli_put_bytes(stderr, c->app);
        (void)fprintf(stderr, " on %s, key in %s", atls_platform_name(c->platform), c->security_level);
    } else {
        (void)fputs("app and hardware not stated", stderr);
    }
    (void)fputs(", enrolled by ", stderr);
    cli_put(stderr, c->ca);
    (void)fprintf(stderr, " (grade %s)\n", atls_grade_name(r->grade));
}

bool cli_serve_one(const cli_listener *l, const atls_server_options *options, int64_t deadline_ms, bool *came,
                   atls_error *err)
{
    int fd = -1;
    atls_session *s = NULL;
    *came = false;
    if (!wait_client(l, deadline_ms, &fd, err) || fd < 0) {
        return fd < 0 && err->code == ATLS_OK;
    }
    *came = true;
    atls_server_options bounded = *options;
    bounded.timeout_ms = idle_limit(deadline_ms);
    if (!atls_accept(fd, &bounded, &s, err)) {
        return false;
    }
    say_client(s);
    bool ok = echo(s, deadline_ms, err);
    atls_session_free(s);
    return ok;
}
