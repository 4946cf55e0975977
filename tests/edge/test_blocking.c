/* SPDX-License-Identifier: Apache-2.0 */
/* test_blocking.c: atls_connect and atls_accept over the loopback: deadlines, resets, results that outlive a session,
 * no signal, no descriptor left behind (net_close counts them in every test). */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>

/* ---- honest ------------------------------------------------------------------------------------------------------ */

static void expect_text(atls_session *s, const char *text)
{
    char got[64];
    size_t have = 0;
    atls_error err = {0};
    while (have < strlen(text)) {
        size_t n = 0;
        assert_int_equal(atls_session_read_blocking(s, got + have, sizeof got - have, &n, 5000, &err), ATLS_STEP_DONE);
        have += n;
    }
    assert_int_equal(have, strlen(text));
    assert_memory_equal(got, text, have);
}

static void test_honest(void **state)
{
    (void)state;
    net n;
    char byte;
    size_t got = 0;
    net_open(&n, net_accept);
    net_connect(&n);
    net_join(&n);
    assert_true(n.connected);
    assert_true(n.accepted);
    assert_int_equal(n.result.verdict, ATLS_VERDICT_ACCEPTED);
    assert_int_equal(n.result.grade, ATLS_GRADE_EXPORTER);
    assert_ptr_equal(n.result.checks, atls_session_result(n.client_session)->checks);
    assert_true(atls_session_fd(n.client_session) >= 0);
    assert_true(atls_session_fd(n.server_session) >= 0);
    assert_true(fcntl(atls_session_fd(n.client_session), F_GETFD) & FD_CLOEXEC);
    assert_true(atls_session_write_all(n.client_session, "question", 8, 5000, &n.client_err));
    expect_text(n.server_session, "question");
    assert_true(atls_session_write_all(n.server_session, "answer", 6, 0, &n.server_err));
    expect_text(n.client_session, "answer");
    assert_int_equal(atls_session_close(n.server_session, &n.server_err), ATLS_STEP_DONE);
    assert_int_equal(atls_session_read_blocking(n.client_session, &byte, 1, &got, 0, &n.client_err), ATLS_STEP_CLOSED);
    net_close(&n);
}

/* result and arena may be left out; and the name is looked up, one address after the other. */
static void test_by_name(void **state)
{
    (void)state;
    net n;
    struct addrinfo *addresses = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &addresses) != 0) {
        skip(); /* a system without a hosts file knows no such name */
    }
    freeaddrinfo(addresses);
    net_open(&n, net_accept);
    n.connected = atls_connect("localhost", n.port, &n.client, NULL, &n.client_session, NULL, &n.client_err);
    net_join(&n);
    assert_true(n.connected);
    assert_true(n.accepted);
    net_close(&n);
}

static bool read_step(atls_session *s, uint8_t *buf, size_t size, size_t *have)
{
    size_t n = 0;
    atls_error err = {0};
    atls_step step = atls_session_read(s, buf + *have, size - *have, &n, &err);
    *have += n;
    return step != ATLS_STEP_FAILED;
}

/* More than the sockets hold, both ends in one thread: whoever cannot write waits, and nothing is lost. */
static void test_bulk(void **state)
{
    (void)state;
    enum { SIZE = 8 * 1024 * 1024 };
    net n;
    uint8_t *out = malloc(SIZE);
    uint8_t *in = malloc(SIZE);
    size_t sent = 0;
    size_t have = 0;
    assert_non_null(out);
    assert_non_null(in);
    for (size_t i = 0; i < SIZE; i++) {
        out[i] = (uint8_t)(i * 31 + (i >> 9));
    }
    net_open(&n, net_accept);
    net_connect(&n);
    net_join(&n);
    while (have < SIZE) {
        size_t wrote = 0;
        if (sent < SIZE) {
            assert_int_not_equal(atls_session_write(n.client_session, out + sent, SIZE - sent, &wrote, &n.client_err),
                                 ATLS_STEP_FAILED);
            sent += wrote;
        }
        assert_true(read_step(n.server_session, in, SIZE, &have));
    }
    assert_memory_equal(in, out, SIZE);
    free(out);
    free(in);
    net_close(&n);
}

/* ---- deadlines --------------------------------------------------------------------------------------------------- */

typedef struct late {
    const char *name;
    net_serve serve;
    const char *field;
} late;

static const late late_rows[] = {
    {"nobody answers the connection's first words", net_silent, "tls.handshake"},
    {"nobody answers the request", net_hello, "session.exchange"},
    {"http-slow: the answer drips", net_slow, "session.exchange"},
    {"a flood of tickets in place of an answer", net_flood, "session.exchange"},
};

static void test_late(void **state)
{
    const late *w = *state;
    net n;
    net_open(&n, w->serve);
    n.client.timeout_ms = 400 * rig_patience();
    int64_t begin = net_ms();
    net_connect(&n);
    int64_t took = net_ms() - begin;
    assert_false(n.connected);
    assert_string_equal(atls_code_name(n.client_err.code), "TIMEOUT");
    assert_string_equal(n.client_err.field, w->field);
    assert_true(n.client_err.retry);
    assert_true(took >= 390 && took < 20000 * (int64_t)rig_patience());
    assert_int_equal(n.result.verdict, ATLS_VERDICT_NONE);
    assert_string_equal(n.result.profile, "dstack");
    net_close(&n);
}

static void test_silent_client(void **state)
{
    (void)state;
    net n;
    int pair[2];
    net_open(&n, NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    n.server.timeout_ms = 100 * rig_patience();
    int64_t begin = net_ms();
    assert_false(atls_accept(pair[0], &n.server, &n.server_session, &n.server_err));
    assert_true(net_ms() - begin < 20000 * (int64_t)rig_patience());
    assert_int_equal(n.server_err.code, ATLS_E_TIMEOUT);
    assert_string_equal(n.server_err.field, "tls.handshake");
    assert_int_equal(fcntl(pair[0], F_GETFD), -1); /* closed with the session */
    assert_int_equal(close(pair[1]), 0);
    net_close(&n);
}

/* A read that finds nothing in time leaves the session as it was. */
static void test_read_in_vain(void **state)
{
    (void)state;
    net n;
    char byte;
    size_t got = 1;
    net_open(&n, net_accept);
    net_connect(&n);
    net_join(&n);
    int64_t begin = net_ms();
    assert_int_equal(atls_session_read_blocking(n.client_session, &byte, 1, &got, 50, &n.client_err), ATLS_STEP_FAILED);
    assert_true(net_ms() - begin >= 45);
    assert_int_equal(n.client_err.code, ATLS_E_TIMEOUT);
    assert_string_equal(n.client_err.field, "session.read");
    assert_int_equal(got, 0);
    assert_true(atls_session_write_all(n.server_session, "late", 4, 0, &n.server_err));
    expect_text(n.client_session, "late");
    net_close(&n);
}

/* A write that cannot be finished ends the session: nobody knows what the peer has. */
static void test_write_in_vain(void **state)
{
    (void)state;
    enum { SIZE = 32 * 1024 * 1024 };
    net n;
    void *block = calloc(1, SIZE);
    size_t got = 0;
    assert_non_null(block);
    net_open(&n, net_accept);
    net_connect(&n);
    net_join(&n);
    assert_false(atls_session_write_all(n.client_session, block, SIZE, 100, &n.client_err));
    assert_int_equal(n.client_err.code, ATLS_E_TIMEOUT);
    assert_string_equal(n.client_err.field, "session.write");
    atls_error_clear(&n.client_err);
    assert_int_equal(atls_session_read(n.client_session, block, 1, &got, &n.client_err), ATLS_STEP_FAILED);
    assert_int_equal(n.client_err.code, ATLS_E_TIMEOUT);
    assert_int_equal(atls_session_fd(n.client_session), -1); /* the socket is closed already */
    free(block);
    net_close(&n);
}

/* ---- peers that go ----------------------------------------------------------------------------------------------- */

static void test_refused(void **state)
{
    (void)state;
    net n;
    char port[8];
    net_open(&n, NULL);
    snprintf(port, sizeof port, "%s", n.port);
    assert_int_equal(close(n.listener), 0);
    assert_false(atls_connect("127.0.0.1", port, &n.client, &n.arena, &n.client_session, &n.result, &n.client_err));
    assert_int_equal(n.client_err.code, ATLS_E_IO);
    assert_string_equal(n.client_err.field, "connect");
    assert_true(n.client_err.retry);
    n.listener = socket(AF_INET, SOCK_STREAM, 0);
    net_close(&n);
}

static void test_unknown_service(void **state)
{
    (void)state;
    net n;
    net_open(&n, NULL);
    assert_false(
        atls_connect("127.0.0.1", "no-such-port", &n.client, &n.arena, &n.client_session, &n.result, &n.client_err));
    assert_int_equal(n.client_err.code, ATLS_E_IO);
    assert_string_equal(n.client_err.field, "connect");
    net_close(&n);
}

static void test_reset_early(void **state)
{
    (void)state;
    net n;
    net_open(&n, net_reset);
    net_connect(&n);
    assert_false(n.connected);
    assert_int_equal(n.client_err.code, ATLS_E_TLS_HANDSHAKE);
    assert_string_equal(n.client_err.field, "tls.handshake");
    assert_true(n.client_err.retry);
    net_close(&n);
}

static void test_reset_late(void **state)
{
    (void)state;
    net n;
    net_open(&n, net_reset_late);
    net_connect(&n);
    assert_false(n.connected);
    assert_int_equal(n.client_err.code, ATLS_E_IO);
    assert_string_equal(n.client_err.field, "response");
    net_close(&n);
}

/* The server said goodbye behind an honest answer: the session is attested, and its stream has ended. */
static void test_closer(void **state)
{
    (void)state;
    net n;
    char byte;
    size_t got = 0;
    net_open(&n, net_closer);
    net_connect(&n);
    assert_true(n.connected);
    assert_int_equal(atls_session_read_blocking(n.client_session, &byte, 1, &got, 5000, &n.client_err),
                     ATLS_STEP_CLOSED);
    net_close(&n);
}

/* Gone without goodbye: found out before the verdict or by the first read, and either way truncation. */
static void test_dropper(void **state)
{
    (void)state;
    net n;
    char byte;
    size_t got = 0;
    net_open(&n, net_dropper);
    net_connect(&n);
    if (n.connected) {
        assert_int_equal(atls_session_read_blocking(n.client_session, &byte, 1, &got, 5000, &n.client_err),
                         ATLS_STEP_FAILED);
        assert_string_equal(n.client_err.field, "session.read");
    } else {
        assert_string_equal(n.client_err.field, "response.end");
    }
    assert_int_equal(n.client_err.code, ATLS_E_IO);
    net_close(&n);
}

/* A session that is freed without being closed says no goodbye: its peer must not take that for the end of the data. */
static void test_truncated(void **state)
{
    (void)state;
    net n;
    char byte;
    size_t got = 0;
    net_open(&n, net_accept);
    net_connect(&n);
    net_join(&n);
    atls_session_free(n.server_session);
    n.server_session = NULL;
    assert_int_equal(atls_session_read_blocking(n.client_session, &byte, 1, &got, 5000, &n.client_err),
                     ATLS_STEP_FAILED);
    assert_int_equal(n.client_err.code, ATLS_E_IO);
    assert_string_equal(n.client_err.field, "session.read");
    assert_non_null(strstr(n.client_err.message, "close_notify"));
    net_close(&n);
}

/* A listener whose queue is full answers no further connection, as a host behind a firewall would. */
static void test_no_answer(void **state)
{
    (void)state;
    net n;
    int waiting[8];
    union {
        struct sockaddr any;
        struct sockaddr_in in;
    } address = {.in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
    net_open(&n, NULL);
    assert_int_equal(listen(n.listener, 0), 0);
    address.in.sin_port = htons((uint16_t)strtoul(n.port, NULL, 10));
    for (size_t i = 0; i < 8; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(fcntl(waiting[i], F_SETFL, O_NONBLOCK), 0);
        (void)connect(waiting[i], &address.any, sizeof address.in);
    }
    n.client.timeout_ms = 150;
    int64_t begin = net_ms();
    net_connect(&n);
    assert_true(net_ms() - begin < 20000);
    assert_int_equal(n.client_err.code, ATLS_E_TIMEOUT);
    assert_string_equal(n.client_err.field, "connect");
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(close(waiting[i]), 0);
    }
    net_close(&n);
}

static volatile sig_atomic_t n_signals;

static void on_signal(int number)
{
    (void)number;
    n_signals++;
}

/* Writing to a peer that has gone is an error, and never a signal. */
static void test_no_signal(void **state)
{
    (void)state;
    net n;
    struct sigaction old;
    struct sigaction count = {.sa_handler = on_signal};
    atls_step step = ATLS_STEP_DONE;
    static char block[16384];
    n_signals = 0;
    assert_int_equal(sigaction(SIGPIPE, &count, &old), 0);
    net_open(&n, net_accept);
    net_connect(&n);
    net_join(&n);
    atls_session_free(n.server_session);
    n.server_session = NULL;
    for (unsigned i = 0; i < 1000 && step != ATLS_STEP_FAILED; i++) {
        size_t wrote = 0;
        step = atls_session_write(n.client_session, block, sizeof block, &wrote, &n.client_err);
        rig_nap(1);
    }
    assert_int_equal(step, ATLS_STEP_FAILED);
    assert_int_equal(n.client_err.code, ATLS_E_IO);
    assert_string_equal(n.client_err.field, "session.write");
    net_close(&n);
    assert_int_equal(n_signals, 0);
    assert_int_equal(sigaction(SIGPIPE, &old, NULL), 0);
}

/* ---- results and order ------------------------------------------------------------------------------------------- */

static bool in_arena(const atls_arena *a, const void *p)
{
    const uint8_t *at = p;
    return at >= a->base && at < a->base + a->size;
}

/* The session is gone, its checks are not: they live in the caller's arena. */
static void test_result_of_failure(void **state)
{
    (void)state;
    net n;
    net_open(&n, net_accept);
    n.client.endorse = NULL;
    net_connect(&n);
    assert_false(n.connected);
    assert_int_equal(n.client_err.code, ATLS_E_ENDORSEMENTS_MISSING);
    assert_int_equal(n.result.verdict, ATLS_VERDICT_UNDECIDED);
    assert_true(n.result.n_checks > 0);
    for (size_t i = 0; i < n.result.n_checks; i++) {
        const atls_check *c = &n.result.checks[i];
        assert_true(in_arena(&n.arena, c) && in_arena(&n.arena, c->id) && in_arena(&n.arena, c->why));
        assert_true(in_arena(&n.arena, c->field) && in_arena(&n.arena, c->expected) && in_arena(&n.arena, c->actual));
    }
    assert_int_equal(n.result.claims.platform, ATLS_PLATFORM_NONE);
    net_close(&n);
}

static void test_result_without_room(void **state)
{
    (void)state;
    net n;
    uint8_t block[64];
    net_open(&n, net_accept);
    atls_arena_free(&n.arena);
    atls_arena_init(&n.arena, block, sizeof block);
    n.client.endorse = NULL;
    net_connect(&n);
    assert_int_equal(n.client_err.code, ATLS_E_ENDORSEMENTS_MISSING);
    assert_int_equal(n.result.n_checks, 0);
    net_close(&n);
}

/* Options that make no sense: not a single packet. */
static void test_no_network(void **state)
{
    (void)state;
    net n;
    net_open(&n, NULL);
    n.client.server_name = "a b";
    net_connect(&n);
    assert_int_equal(n.client_err.code, ATLS_E_INVALID_SERVER_NAME);
    atls_error_clear(&n.client_err);
    n.client.verifier = NULL; /* the policy comes before the name */
    net_connect(&n);
    assert_int_equal(n.client_err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(n.client_err.field, "verifier");
    atls_error_clear(&n.client_err);
    n.client = n.rig.client_options;
    n.client.ca_file = "/nonexistent";
    net_connect(&n);
    assert_int_equal(n.client_err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(n.client_err.field, "ca_file");
    atls_error_clear(&n.client_err);
    n.client = n.rig.client_options;
    assert_false(atls_connect(NULL, n.port, &n.client, &n.arena, &n.client_session, &n.result, &n.client_err));
    assert_int_equal(n.client_err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(n.client_err.field, "host");
    assert_int_equal(fcntl(n.listener, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(accept(n.listener, NULL, NULL), -1);
    assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
    net_close(&n);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "two honest ends over the loopback", test_honest, NULL);
    tap_add(&l, "by name, without result and arena", test_by_name, NULL);
    tap_add(&l, "more than the sockets hold", test_bulk, NULL);
    for (size_t i = 0; i < sizeof late_rows / sizeof late_rows[0]; i++) {
        tap_add(&l, late_rows[i].name, test_late, &late_rows[i]);
    }
    tap_add(&l, "a client that says nothing is let go", test_silent_client, NULL);
    tap_add(&l, "a read in vain changes nothing", test_read_in_vain, NULL);
    tap_add(&l, "a write in vain ends the session", test_write_in_vain, NULL);
    tap_add(&l, "nobody listens: Io", test_refused, NULL);
    tap_add(&l, "an unknown service: Io", test_unknown_service, NULL);
    tap_add(&l, "a reset in the handshake: TlsHandshake", test_reset_early, NULL);
    tap_add(&l, "a reset in the answer: Io", test_reset_late, NULL);
    tap_add(&l, "goodbye behind an honest answer", test_closer, NULL);
    tap_add(&l, "gone without goodbye behind an honest answer: Io", test_dropper, NULL);
    tap_add(&l, "a session freed without being closed is truncation", test_truncated, NULL);
    tap_add(&l, "a connection that is never answered: time-out", test_no_answer, NULL);
    tap_add(&l, "a peer that has gone raises no signal", test_no_signal, NULL);
    tap_add(&l, "checks of a refusal outlive the session", test_result_of_failure, NULL);
    tap_add(&l, "no room for them is no reason to fail otherwise", test_result_without_room, NULL);
    tap_add(&l, "options that make no sense cost no packet", test_no_network, NULL);
    return tap_run("blocking", &l);
}
