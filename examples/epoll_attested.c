/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_attested: an echo server that proves what it runs on, in one thread. Sockets, SSL_CTX and event loop are the program's
 * own, as in any server that exists already; libatls only says what to wait for. Profile atls/1.
 *
 *     epoll_attested PORT CERTIFICATE KEY CONNECTIONS SECONDS DEADLINE_MS
 *
 * PORT 0 takes a free one, and stdout says which. A client that is not served within DEADLINE_MS is let go. Ends after so many
 * CONNECTIONS or SECONDS. Quotes come from machine_quote.c, which has to be filled in for the hardware.
 *
 * cc epoll_attested.c machine_quote.c $(pkg-config --cflags --libs libatls openssl) */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include <atls/atls.h>

#define MAX_CONNECTIONS 64u
#define MAX_EVENTS      32
#define MAX_ROUNDS      16u   /* calls for one connection before the others have their turn */
#define IDLE_MS         30000 /* an attested client that says nothing is let go, too */
#define SOON_MS         10
#define LOOK_AROUND_MS  1000

bool machine_quote(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err);

typedef struct connection {
    bool used; /* false: this place is free */
    SSL *ssl;
    atls_session *session;
    int fd;
    int evidence_fd; /* the session's, while it is in the epoll set; else -1 */
    atls_step step;  /* what the last call asked for */
    bool established;
    bool due;        /* something has happened, or there is more to do at once */
    int64_t look_at; /* when to go on though nothing has happened: deadlines */
    size_t at;       /* what is to be said back lies in buf, from here to end */
    size_t end;
    uint8_t buf[4096];
} connection;

typedef struct server {
    int epoll;
    int listener;
    SSL_CTX *ctx;
    atls_server_options options;
    connection all[MAX_CONNECTIONS];
    unsigned long n_open;
    unsigned long n_ended;
} server;

static int64_t now_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void explain(const char *what, const atls_error *err)
{
    char line[700];
    (void)atls_error_line(err, line, sizeof line);
    fprintf(stderr, "epoll_attested: %s: %s\n", what, line);
}

/* In this order: the session, its SSL, its socket. Evidence that is being made is called off. Closed descriptors leave the
 * epoll set by themselves. */
static void close_connection(server *s, connection *c)
{
    atls_session_free(c->session);
    SSL_free(c->ssl);
    (void)close(c->fd);
    c->used = false;
    s->n_open--;
    s->n_ended++;
}

/* The transport is ours, so it is we who make it non-blocking. False: the listener is broken. */
static bool take_connection(server *s)
{
    atls_error err = {.code = ATLS_OK};
    int fd = accept(s->listener, NULL, NULL);
    if (fd < 0) {
        return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    }
    connection *c = s->all;
    while (c->used) {
        c++; /* one is free: n_open says so */
    }
    *c = (connection){.used = true, .ssl = SSL_new(s->ctx), .fd = fd, .evidence_fd = -1, .due = true};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    s->n_open++;
    if (c->ssl == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || SSL_set_fd(c->ssl, fd) != 1
        || !atls_server_session_new(c->ssl, &s->options, &c->session, &err)
        || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        explain("a connection cannot be taken", &err);
        close_connection(s, c);
    }
    return true;
}

/* One call. The application's bytes come and go only when the session is established. */
static bool move_on(connection *c, atls_error *err)
{
    size_t n = 0;
    if (!c->established) {
        c->step = atls_session_step(c->session, err);
        c->established = c->step == ATLS_STEP_DONE;
    } else if (c->at == c->end) {
        c->step = atls_session_read(c->session, c->buf, sizeof c->buf, &n, err);
        c->at = 0;
        c->end = n;
    } else {
        c->step = atls_session_write(c->session, c->buf + c->at, c->end - c->at, &n, err);
        c->at += n;
    }
    return c->step != ATLS_STEP_FAILED && c->step != ATLS_STEP_CLOSED;
}

/* The evidence's descriptor is the session's and may change with each step: it joins the set behind a step, and leaves it
 * before the next. While we wait for it the socket is watched, too, because the client may leave. */
static bool watch(server *s, connection *c)
{
    struct epoll_event socket = {.events = c->step == ATLS_STEP_WANT_WRITE ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    struct epoll_event evidence = {.events = EPOLLIN, .data.ptr = c};
    bool waits = c->step == ATLS_STEP_WANT_EVIDENCE;
    c->evidence_fd = waits ? atls_session_wait_fd(c->session) : -1;
    bool soon = waits && c->evidence_fd < 0; /* the process has no descriptor left */
    c->look_at = now_ms() + (c->established ? IDLE_MS : soon ? SOON_MS : atls_session_timeout_ms(c->session));
    return epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &socket) == 0
           && (c->evidence_fd < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->evidence_fd, &evidence) == 0);
}

/* As far as it goes, because OpenSSL may hold bytes that no descriptor announces; but not for ever. */
static bool serve(server *s, connection *c)
{
    atls_error err = {.code = ATLS_OK};
    (void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->evidence_fd, NULL); /* of -1: nothing */
    c->evidence_fd = -1;                                            /* the number may soon be somebody else's */
    if (c->established && !c->due) {
        return false; /* idle for too long; a session that is not established knows its deadline itself */
    }
    for (unsigned i = 0; i < MAX_ROUNDS; i++) {
        if (!move_on(c, &err)) {
            if (c->step == ATLS_STEP_FAILED || atls_session_close(c->session, &err) == ATLS_STEP_FAILED) {
                explain("a client is let go", &err);
            }
            return false;
        }
        if (c->step != ATLS_STEP_DONE) {
            c->due = false;
            return watch(s, c);
        }
    }
    return true; /* still due */
}

/* Events only mark connections: two of one batch may be about one that is closed on the way. */
static void wait_for_events(server *s)
{
    struct epoll_event events[MAX_EVENTS];
    struct epoll_event knock = {.events = s->n_open < MAX_CONNECTIONS ? EPOLLIN : 0, .data.ptr = NULL};
    int64_t left = LOOK_AROUND_MS;
    for (const connection *c = s->all; c < s->all + MAX_CONNECTIONS; c++) {
        int64_t until = !c->used ? left : c->due ? 0 : c->look_at - now_ms();
        left = until < left ? until : left;
    }
    (void)epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->listener, &knock);
    int n = epoll_wait(s->epoll, events, MAX_EVENTS, left > 0 ? (int)left : 0);
    for (int i = 0; i < n; i++) {
        connection *c = events[i].data.ptr;
        if (c != NULL) {
            c->due = true;
        }
    }
}

static bool run(server *s, unsigned long n_connections, int64_t stop_at)
{
    while (s->n_ended < n_connections && now_ms() < stop_at) {
        wait_for_events(s);
        for (connection *c = s->all; c < s->all + MAX_CONNECTIONS; c++) {
            if (c->used && (c->due || now_ms() >= c->look_at) && !serve(s, c)) {
                close_connection(s, c);
            }
        }
        if (s->n_open < MAX_CONNECTIONS && !take_connection(s)) {
            return false;
        }
    }
    return true;
}

static bool open_server(server *s, char **argv)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    in.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    struct sockaddr *address = (struct sockaddr *)&in;
    struct epoll_event knock = {.events = EPOLLIN, .data.ptr = NULL};
    socklen_t len = sizeof in;
    s->ctx = SSL_CTX_new(TLS_server_method());
    if (s->ctx == NULL || SSL_CTX_use_certificate_chain_file(s->ctx, argv[2]) != 1
        || SSL_CTX_use_PrivateKey_file(s->ctx, argv[3], SSL_FILETYPE_PEM) != 1) {
        return false;
    }
    SSL_CTX_set_alpn_select_cb(s->ctx, atls_server_select_alpn, NULL); /* so that "atls/1" is agreed on */
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (s->listener < 0 || fcntl(s->listener, F_SETFL, O_NONBLOCK) != 0 || bind(s->listener, address, len) != 0
        || listen(s->listener, SOMAXCONN) != 0 || getsockname(s->listener, address, &len) != 0
        || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &knock) != 0) {
        return false;
    }
    printf("listening on 127.0.0.1 port %u\n", (unsigned)ntohs(in.sin_port));
    return fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
    static server s; /* zero: every place is free */
    const atls_attester_options quotes = {.attest = machine_quote, .max_waiting = MAX_CONNECTIONS};
    atls_error err = {.code = ATLS_OK};
    if (argc != 7 || !atls_attester_new(&quotes, &s.options.attester, &err)) {
        fprintf(stderr, "usage: epoll_attested PORT CERTIFICATE KEY CONNECTIONS SECONDS DEADLINE_MS\n");
        return 1;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to our sockets, and clients leave when they like */
    s.options.profiles = ATLS_PROFILE_NATIVE;
    s.options.timeout_ms = (uint32_t)strtoul(argv[6], NULL, 10); /* from the first step to the end of the proof */
    bool ok = open_server(&s, argv)
              && run(&s, strtoul(argv[4], NULL, 10), now_ms() + 1000 * (int64_t)strtoul(argv[5], NULL, 10));
    for (connection *c = s.all; c < s.all + MAX_CONNECTIONS; c++) {
        if (c->used) {
            close_connection(&s, c);
        }
    }
    printf("%lu connections, %lu quotes\n", s.n_ended, (unsigned long)atls_attester_count(s.options.attester).quotes);
    atls_attester_free(s.options.attester); /* behind the sessions that use it */
    SSL_CTX_free(s.ctx);
    return ok ? 0 : 1;
}
