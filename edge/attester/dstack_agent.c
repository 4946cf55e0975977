/* SPDX-License-Identifier: Apache-2.0 */
/* dstack_agent.c: one request to dstack's guest agent: HTTP/1.1 over a unix stream socket, one deadline for all of it. */
#include "dstack_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "atls/verifier.h"
#include "base/json.h"
#include "edge/tls/clock.h"
#include "edge/tls/dial.h"
#include "edge/tls/http.h"
#include "evidence.h"
#include "system.h"

#define FIELD      "attester.dstack"
#define TIMEOUT_MS 30000u
#define PIECE      ((size_t)16 * 1024)

const char *const atls_dstack_sockets[ATLS_N_DSTACK_SOCKETS] = {
    "/var/run/dstack.sock",
    "/run/dstack.sock",
    "/var/run/dstack/dstack.sock",
    "/run/dstack/dstack.sock",
};

/* ---- the socket --------------------------------------------------------------------------------------------------- */

/* A unix socket connects at once, or is refused, or its backlog is full (EAGAIN). */
int atls_dstack_dial(const char *path, int *fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return ENAMETOOLONG;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    *fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (*fd < 0) {
        return errno;
    }
    int reason = 0;
    if (fcntl(*fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(*fd, F_SETFL, O_NONBLOCK) != 0
        || connect(*fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        reason = errno;
        (void)close(*fd);
        *fd = -1;
    }
    return reason;
}

static bool fail_socket(const char *path, int reason, atls_error *err)
{
    char words[64];
    const char *why = reason == ECONNREFUSED ? " (nobody listens: start dstack's guest agent)"
                      : reason == EACCES || reason == EPERM
                          ? " (mount the socket into this container, or change its group)"
                      : reason == ENOENT ? " (no dstack guest, or the socket is not mounted here)"
                                         : "";
    return atls_fail(err, ATLS_E_IO, FIELD, "%.80s: %s%s", path, atls_system_words(reason, words), why);
}

/* The reason that is told is that of the first socket which is there. */
static bool dial_any(const atls_dstack_agent_options *o, int *fd, atls_error *err)
{
    if (o->socket_path != NULL) {
        const int reason = atls_dstack_dial(o->socket_path, fd);
        return reason == 0 || fail_socket(o->socket_path, reason, err);
    }
    size_t told = 0;
    int why = ENOENT;
    for (size_t i = 0; i < ATLS_N_DSTACK_SOCKETS; i++) {
        const int reason = atls_dstack_dial(atls_dstack_sockets[i], fd);
        if (reason == 0) {
            return true;
        }
        if (why == ENOENT && reason != ENOENT) {
            why = reason;
            told = i;
        }
    }
    return fail_socket(atls_dstack_sockets[told], why, err);
}

/* ---- the exchange ------------------------------------------------------------------------------------------------- */

typedef struct exchange {
    int fd;
    uint64_t until;
    atls_arena *arena;
    atls_error *err;
    atls_http http;
    uint8_t last[PIECE]; /* what arrived last */
    size_t last_len;
} exchange;

static bool wait_for(exchange *x, short events)
{
    if (atls_clock_ms() >= x->until) {
        return atls_fail(x->err, ATLS_E_TIMEOUT, FIELD, "the agent did not answer in time");
    }
    return atls_wait(x->fd, events, x->until, x->err);
}

static bool is_transient(int reason)
{
    return reason == EAGAIN || reason == EWOULDBLOCK || reason == EINTR;
}

static bool send_all(exchange *x, atls_bytes in)
{
    char words[64];
    while (in.len > 0) {
        const ssize_t n = send(x->fd, in.ptr, in.len, MSG_NOSIGNAL);
        const int reason = errno;
        if (n < 0 && !is_transient(reason)) {
            return atls_fail(x->err, ATLS_E_IO, FIELD, "the agent does not take the request: %s",
                             atls_system_words(reason, words));
        }
        if (n < 0 && !wait_for(x, POLLOUT)) {
            return false;
        }
        in = n > 0 ? atls_bytes_of(in.ptr + n, in.len - (size_t)n) : in;
    }
    return true;
}

static bool receive_some(exchange *x)
{
    char words[64];
    for (;;) {
        const ssize_t n = recv(x->fd, x->last, sizeof x->last, 0);
        const int reason = errno;
        if (n > 0) {
            x->last_len = (size_t)n;
            return true;
        }
        if (n == 0) {
            return atls_http_ended(&x->http, x->err);
        }
        if (!is_transient(reason)) {
            return atls_fail(x->err, ATLS_E_IO, FIELD, "the answer cannot be read: %s",
                             atls_system_words(reason, words));
        }
        if (!wait_for(x, POLLIN)) {
            return false;
        }
    }
}

/* An agent that refuses says why in {"error": text}: worth more to whoever reads it than the number of the status. */
static void tell_agents_words(exchange *x)
{
    atls_error ignored = {0};
    atls_bytes text = atls_bytes_of(x->last, x->last_len), why;
    const atls_json *top = NULL;
    while (text.len > 0 && text.ptr[0] != '{') {
        text = atls_bytes_of(text.ptr + 1, text.len - 1);
    }
    if (strcmp(x->err->field, "response.status") != 0 || !atls_json_parse(text, "body", x->arena, &top, &ignored)
        || !atls_json_member_text(top, "body", "error", &why, &ignored)) {
        return;
    }
    const atls_error status = *x->err;
    *x->err = (atls_error){0};
    (void)atls_fail_values(x->err, ATLS_E_IO, status.field, status.expected, status.actual, "the agent says: %.*s",
                           (int)(why.len < 120 ? why.len : 120), (const char *)why.ptr);
}

static bool receive(exchange *x)
{
    atls_http_state state = ATLS_HTTP_MORE;
    size_t used = 0;
    while (state == ATLS_HTTP_MORE) {
        if (!receive_some(x)) {
            return false;
        }
        state = atls_http_feed(&x->http, atls_bytes_of(x->last, x->last_len), &used, x->err);
    }
    if (state == ATLS_HTTP_FAILED) {
        tell_agents_words(x);
        return false;
    }
    return used == x->last_len || atls_http_surplus(&x->http, x->last_len - used, x->err);
}

static bool request_text(const uint8_t report_data[64], atls_arena *arena, atls_bytes *out, atls_error *err)
{
    char hex[129];
    atls_buf b;
    const size_t body_len = sizeof "{\"report_data\":\"\"}" - 1 + sizeof hex - 1;
    atls_hex_encode(atls_bytes_of(report_data, 64), hex);
    atls_buf_init(&b, arena, err);
    atls_buf_format(&b,
                    "POST /GetQuote HTTP/1.1\r\nHost: dstack\r\nContent-Type: application/json\r\n"
                    "Content-Length: %zu\r\n\r\n{\"report_data\":\"%s\"}",
                    body_len, hex);
    return atls_buf_done(&b, out);
}

static bool talk(exchange *x, const uint8_t report_data[64], atls_bytes *body)
{
    atls_bytes request;
    if (!request_text(report_data, x->arena, &request, x->err) || !atls_http_response(&x->http, x->arena, x->err)
        || !send_all(x, request) || !receive(x)) {
        return false;
    }
    *body = atls_http_body(&x->http);
    return true;
}

/* "response.status" becomes "attester.dstack.response.status". */
static bool as_ours(atls_error *err)
{
    if (strncmp(err->field, "attester.", 9) != 0) {
        (void)atls_error_relabel(err, err->code, FIELD);
    }
    return false;
}

static bool ask(int fd, const atls_dstack_agent_options *o, const uint8_t report_data[64], atls_arena *arena,
                atls_dstack_response *out, atls_error *err)
{
    exchange *x = atls_arena_alloc(arena, sizeof *x, err);
    atls_bytes body;
    if (x == NULL) {
        return false;
    }
    x->fd = fd;
    x->until = atls_clock_ms() + (o->timeout_ms == 0 ? TIMEOUT_MS : o->timeout_ms);
    x->arena = arena;
    x->err = err;
    return (talk(x, report_data, &body) && atls_dstack_response_decode(body, arena, out, err)) || as_ours(err);
}

bool atls_attest_dstack_agent(void *options, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                              atls_error *err)
{
    static const atls_dstack_agent_options defaults = {0};
    const atls_dstack_agent_options *o = options != NULL ? options : &defaults;
    atls_dstack_response response;
    int fd = -1;
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    if (!dial_any(o, &fd, err)) {
        return false;
    }
    const bool answered = ask(fd, o, report_data, arena, &response, err);
    (void)close(fd);
    if (!answered || !atls_made_quote(response.quote, report_data, FIELD ".quote", err)) {
        return false;
    }
    *out = (atls_evidence){response.quote, response.event_log, response.vm_config};
    return true;
}
