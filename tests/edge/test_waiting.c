/* SPDX-License-Identifier: Apache-2.0 */
/* test_waiting.c: while evidence is in the making nobody spins, and nobody waits for the peer instead. */
#include "net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#define QUOTE_MS 1000u
#define NONCE    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static bool attest_slowly(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                          atls_error *err)
{
    rig_nap(QUOTE_MS);
    return sim_attest(ctx, report_data, arena, out, err);
}

/* ---- a peer that does not wait ----------------------------------------------------------------------------------- */

typedef struct hasty_row {
    const char *name;
    unsigned profile;
    bool leaves; /* else it sends one more byte */
} hasty_row;

static const hasty_row hasty_rows[] = {
    {"dstack: a client that goes on", ATLS_PROFILE_DSTACK, false},
    {"dstack: a client that leaves", ATLS_PROFILE_DSTACK, true},
    {"constellation: a client that goes on", ATLS_PROFILE_CONSTELLATION, false},
    {"constellation: a client that leaves", ATLS_PROFILE_CONSTELLATION, true},
};

static double cpu_ms; /* of the thread that accepts */

static double thread_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1000000;
}

static void accept_measured(net *n, int fd)
{
    net_accept(n, fd);
    cpu_ms = thread_ms();
}

static int dial(const net *n)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
    } to = {.in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    to.in.sin_port = htons((uint16_t)strtoul(n->port, NULL, 10));
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &to.any, sizeof to.in), 0);
    return fd;
}

/* As far as the server's evidence. */
static void ask(const hasty_row *w, SSL *ssl, int fd)
{
    static const char request[] = "POST /tdx_quote HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                  "Content-Length: 80\r\n\r\n{\"nonce_hex\":\"" NONCE "\"}";
    char name[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    if (w->profile == ATLS_PROFILE_DSTACK) {
        assert_int_equal(SSL_connect(ssl), 1);
        assert_true(SSL_write(ssl, request, sizeof request - 1) > 0);
        return;
    }
    assert_int_equal(SSL_set_tlsext_host_name(ssl, name), 1);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    (void)SSL_connect(ssl);
}

static void test_hasty(void **state)
{
    const hasty_row *w = *state;
    net n;
    atls_attester_options options = {.attest = attest_slowly};
    net_open(&n, NULL);
    options.attest_ctx = n.rig.sim;
    assert_true(atls_attester_new(&options, &n.server.attester, &n.rig.err));
    n.server.attest = NULL;
    n.server.profiles = w->profile;
    n.server.timeout_ms = 2 * QUOTE_MS;
    n.serve = accept_measured;
    net_start(&n);
    int fd = dial(&n);
    SSL_CTX *ctx = rig_context(false, NULL);
    SSL *ssl = SSL_new(ctx);
    ask(w, ssl, fd);
    rig_nap(100);
    if (w->leaves) {
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
    } else {
        assert_int_equal(write(fd, "\x17", 1), 1);
    }
    net_join(&n);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    assert_int_equal(close(fd), 0);
    atls_session_free(n.server_session);
    n.server_session = NULL;
    atls_attester_free(n.server.attester);
    net_close(&n);
    /* under valgrind even a handshake takes that long */
    assert_true(cpu_ms < QUOTE_MS / 10.0 || getenv("ATLS_TEST_QUICK") != NULL);
}

/* ---- a transport that blocks, and has no descriptor ---------------------------------------------------------------- */

static int pipe_read(BIO *b, char *buf, int len)
{
    const int *fd = BIO_get_data(b);
    return (int)read(*fd, buf, (size_t)len);
}

static int pipe_write(BIO *b, const char *buf, int len)
{
    const int *fd = BIO_get_data(b);
    return (int)write(*fd, buf, (size_t)len);
}

static long pipe_control(BIO *b, int what, long number, void *pointer)
{
    (void)b;
    (void)number;
    (void)pointer;
    return what == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *make_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pipe");
    assert_non_null(m);
    assert_int_equal(BIO_meth_set_read(m, pipe_read), 1);
    assert_int_equal(BIO_meth_set_write(m, pipe_write), 1);
    assert_int_equal(BIO_meth_set_ctrl(m, pipe_control), 1);
    return m;
}

static void *step_server(void *arg)
{
    rig *r = arg;
    do {
        r->server_step = atls_session_step(r->server, &r->server_err);
        rig_nap(1);
    } while (r->server_step != ATLS_STEP_DONE && r->server_step != ATLS_STEP_FAILED);
    return NULL;
}

static void step_client(rig *r)
{
    do {
        r->client_step = atls_session_step(r->client, &r->client_err);
    } while (r->client_step != ATLS_STEP_DONE && r->client_step != ATLS_STEP_FAILED);
}

static void test_blocking_bio(void **state)
{
    const struct timeval patience = {.tv_sec = 4};
    atls_attester_options options = {.attest = attest_slowly};
    BIO_METHOD *method = make_method();
    pthread_t thread;
    int ends[2];
    rig r;
    (void)state;
    rig_open(&r);
    rig_native(&r);
    options.attest_ctx = r.sim;
    assert_true(atls_attester_new(&options, &r.server_options.attester, &r.err));
    r.server_options.attest = NULL;
    r.client_options.timeout_ms = 3000;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    r.client_ssl = SSL_new(r.client_ctx);
    r.server_ssl = SSL_new(r.server_ctx);
    BIO *b = BIO_new(method);
    BIO_set_data(b, &ends[1]);
    BIO_set_init(b, 1);
    SSL_set_bio(r.server_ssl, b, b);
    assert_int_equal(SSL_set_fd(r.client_ssl, ends[0]), 1);
    rig_client(&r);
    rig_server(&r);
    assert_int_equal(pthread_create(&thread, NULL, step_server, &r), 0);
    step_client(&r);
    (void)shutdown(ends[0], SHUT_RDWR);
    assert_int_equal(pthread_join(thread, NULL), 0);
    const atls_step end = r.client_step;
    atls_session_free(r.server);
    r.server = NULL;
    atls_attester_free(r.server_options.attester);
    rig_close(&r);
    BIO_meth_free(method);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(end, ATLS_STEP_DONE);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof hasty_rows / sizeof hasty_rows[0]; i++) {
        tap_add(&l, hasty_rows[i].name, test_hasty, &hasty_rows[i]);
    }
    tap_add(&l, "a transport that blocks without a descriptor", test_blocking_bio, NULL);
    return tap_run("waiting", &l);
}
