/* SPDX-License-Identifier: Apache-2.0 */
/* net.c: servers for one connection. */
#include "net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

int64_t net_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

size_t net_fds(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 1024; fd++) {
        n += fcntl(fd, F_GETFD) != -1 ? 1 : 0;
    }
    return n;
}

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

static void listen_on_loopback(net *n)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
    } address = {.in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
    socklen_t len = sizeof address.in;
    n->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(n->listener >= 0);
    assert_int_equal(bind(n->listener, &address.any, len), 0);
    assert_int_equal(listen(n->listener, 4), 0);
    assert_int_equal(getsockname(n->listener, &address.any, &len), 0);
    snprintf(n->port, sizeof n->port, "%u", (unsigned)ntohs(address.in.sin_port));
}

void net_open(net *n, net_serve serve)
{
    static const sim_options room = {0};
    *n = (net){.fds = net_fds(), .serve = serve};
    rig_open(&n->rig);
    assert_true(sim_new(&room, &n->endorser, &n->rig.err));
    assert_true(atls_arena_new(&n->arena, 1024 * 1024, &n->rig.err));
    rig_file(n->chain_file, n->rig.tls.chain_pem);
    rig_file(n->key_file, n->rig.tls.key_pem);
    n->client = n->rig.client_options;
    n->client.endorse_ctx = n->endorser;
    n->client.timeout_ms = 10000;
    n->server = n->rig.server_options;
    n->server.certificate_file = n->chain_file;
    n->server.private_key_file = n->key_file;
    n->server.timeout_ms = 10000;
    listen_on_loopback(n);
    if (serve != NULL) {
        net_start(n);
    }
}

static void *serve_one(void *arg)
{
    net *n = arg;
    /* These peers are ordinary OpenSSL, which writes without MSG_NOSIGNAL; the session under test runs in the other
     * thread. */
    sigset_t pipe_signal;
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    /* A client that never comes must not hold the test for ever. */
    struct timeval patience = {.tv_sec = 20};
    (void)setsockopt(n->listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    int fd = accept(n->listener, NULL, NULL);
    if (fd >= 0) {
        n->serve(n, fd);
    }
    return NULL;
}

void net_start(net *n)
{
    assert_int_equal(pthread_create(&n->thread, NULL, serve_one, n), 0);
    n->running = true;
}

void net_join(net *n)
{
    if (n->running) {
        assert_int_equal(pthread_join(n->thread, NULL), 0);
    }
    n->running = false;
}

void net_close(net *n)
{
    atls_session_free(n->client_session);
    if (n->running) {
        (void)shutdown(n->listener, SHUT_RDWR); /* wakes an accept that nobody came to */
    }
    net_join(n);
    atls_session_free(n->server_session);
    assert_int_equal(close(n->listener), 0);
    (void)unlink(n->chain_file);
    (void)unlink(n->key_file);
    sim_free(n->endorser);
    atls_arena_free(&n->arena);
    rig_close(&n->rig);
    assert_int_equal(net_fds(), n->fds);
}

void net_policy(net *n, const char *kind, const char *members)
{
    rig_policy_of(&n->rig, kind, members);
    n->client.verifier = n->rig.verifier;
}

void net_connect(net *n)
{
    n->connected =
        atls_connect("127.0.0.1", n->port, &n->client, &n->arena, &n->client_session, &n->result, &n->client_err);
    assert_int_equal(n->connected, n->client_session != NULL);
    assert_int_equal(n->connected, n->client_err.code == ATLS_OK);
}

/* ---- servers ----------------------------------------------------------------------------------------------------- */

void net_accept(net *n, int fd)
{
    n->accepted = atls_accept(fd, &n->server, &n->server_session, &n->server_err);
}

/* Waits until the client has gone, whatever it says. */
static void wait_for_end(int fd)
{
    char buf[4096];
    while (read(fd, buf, sizeof buf) > 0) {
    }
}

void net_silent(net *n, int fd)
{
    (void)n;
    wait_for_end(fd);
    (void)close(fd);
}

static void reset(int fd)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    (void)close(fd);
}

void net_reset(net *n, int fd)
{
    (void)n;
    rig_nap(20);
    reset(fd);
}

/* An ordinary TLS server, blocking. */
static SSL *handshake(net *n, int fd)
{
    SSL *ssl = SSL_new(n->rig.server_ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    return ssl;
}

/* Reads the request, and gives the honest answer to it. */
static atls_bytes hear(net *n, SSL *ssl)
{
    n->rig.server_ssl = ssl;
    n->rig.peer.in_len = 0;
    while (n->rig.peer.in_len < 80 || n->rig.peer.in[n->rig.peer.in_len - 1] != '}') {
        int got = SSL_read(ssl, n->rig.peer.in + n->rig.peer.in_len, 1024);
        if (got <= 0) {
            break;
        }
        n->rig.peer.in_len += (size_t)got;
    }
    atls_bytes answer = rig_answer_counted(&n->rig, rig_body(&n->rig));
    n->rig.server_ssl = NULL;
    return answer;
}

static void leave(SSL *ssl, int fd)
{
    SSL_free(ssl);
    ERR_clear_error();
    (void)close(fd);
}

void net_hello(net *n, int fd)
{
    SSL *ssl = handshake(n, fd);
    wait_for_end(fd);
    leave(ssl, fd);
}

void net_slow(net *n, int fd)
{
    SSL *ssl = handshake(n, fd);
    atls_bytes answer = ssl == NULL ? atls_bytes_empty() : hear(n, ssl);
    struct pollfd gone = {.fd = fd, .events = POLLIN};
    for (size_t i = 0; i < answer.len && poll(&gone, 1, 20) == 0; i++) {
        (void)SSL_write(ssl, answer.ptr + i, 1);
    }
    leave(ssl, fd);
}

void net_reset_late(net *n, int fd)
{
    SSL *ssl = handshake(n, fd);
    atls_bytes answer = ssl == NULL ? atls_bytes_empty() : hear(n, ssl);
    (void)SSL_write(ssl, answer.ptr, (int)answer.len / 2);
    rig_nap(20);
    SSL_free(ssl);
    ERR_clear_error();
    reset(fd);
}

void net_closer(net *n, int fd)
{
    SSL *ssl = handshake(n, fd);
    atls_bytes answer = ssl == NULL ? atls_bytes_empty() : hear(n, ssl);
    (void)SSL_write(ssl, answer.ptr, (int)answer.len);
    (void)SSL_shutdown(ssl);
    wait_for_end(fd);
    leave(ssl, fd);
}

void net_dropper(net *n, int fd)
{
    SSL *ssl = handshake(n, fd);
    atls_bytes answer = ssl == NULL ? atls_bytes_empty() : hear(n, ssl);
    (void)SSL_write(ssl, answer.ptr, (int)answer.len);
    leave(ssl, fd);
}

void net_flood(net *n, int fd)
{
    SSL *ssl = handshake(n, fd);
    struct pollfd gone = {.fd = fd, .events = POLLIN}; /* OpenSSL itself forgives a ticket that cannot be sent */
    if (ssl != NULL) {
        (void)hear(n, ssl);
    }
    while (ssl != NULL && poll(&gone, 1, 0) == 0 && SSL_new_session_ticket(ssl) == 1 && SSL_do_handshake(ssl) == 1) {
    }
    leave(ssl, fd);
}
