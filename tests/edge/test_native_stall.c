/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_stall.c: peers of atls/1 that stop, hang up or dawdle, in the place of every message, also while evidence is
 * in the making. The session ends within its deadline, says which message it waited for, and lets go of everything:
 * descriptors are counted. */
#include "gate.h"
#include "native_peer.h"
#include "net.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#define DEADLINE_MS 60u
#define BLOCKING_MS 500u /* of whole sessions, handshake and all */

static uint64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void be_short(rig *r, uint32_t ms)
{
    r->client_options.timeout_ms = ms * rig_patience();
    r->server_options.timeout_ms = ms * rig_patience();
}

/* Brings the deadline near, where the peer stops: so that a busy machine does not reach it before. */
static void hurry(native_peer *p)
{
    native_session(p)->deadline_ms = now_ms() + DEADLINE_MS;
}

/* Moves the session until it is over, as an event loop would; gives the milliseconds that it took. */
static uint64_t wait_for_end(native_peer *p)
{
    const uint64_t begun = now_ms();
    while (native_step(p) != ATLS_STEP_FAILED && native_step(p) != ATLS_STEP_DONE && now_ms() - begun < 20000) {
        if (!native_pump(p)) {
            rig_nap(2);
        }
    }
    return now_ms() - begun;
}

/* ---- at every step --------------------------------------------------------------------------------------------------- */

typedef enum end { STALLS, HALF_OPEN, SAYS_GOODBYE, HANGS_UP, DRIPS } end;

typedef struct stall_row {
    const char *name;
    native_victim victim;
    atls_native_message at;
    const char *field; /* of the message that is due */
} stall_row;

static const stall_row stall_rows[] = {
    {"client, before the server hello", CLIENT_ASKS, ATLS_NATIVE_SERVER_HELLO, "server_hello"},
    {"client, before the evidence", CLIENT_ASKS, ATLS_NATIVE_EVIDENCE, "evidence"},
    {"client, before the done", CLIENT_ASKS, ATLS_NATIVE_DONE, "done"},
    {"client that proves, before the server hello", CLIENT_PROVES, ATLS_NATIVE_SERVER_HELLO, "server_hello"},
    {"client that proves, before the done", CLIENT_PROVES, ATLS_NATIVE_DONE, "done"},
    {"client of both, before the done", CLIENT_BOTH, ATLS_NATIVE_DONE, "done"},
    {"server, before the client hello", SERVER_PROVES, ATLS_NATIVE_CLIENT_HELLO, "client_hello"},
    {"server, before the done", SERVER_PROVES, ATLS_NATIVE_DONE, "done"},
    {"server of both, before the evidence", SERVER_BOTH, ATLS_NATIVE_EVIDENCE, "evidence"},
    {"server of both, before the done", SERVER_BOTH, ATLS_NATIVE_DONE, "done"},
    {"server that asks, before the evidence", SERVER_ASKS, ATLS_NATIVE_EVIDENCE, "evidence"},
    {"server that asks, before the done", SERVER_ASKS, ATLS_NATIVE_DONE, "done"},
};

typedef struct stall {
    const stall_row *row;
    end end;
} stall;

/* A byte now and then, each in time, and never enough of them. */
static void drip(native_peer *p, atls_bytes frame)
{
    for (size_t i = 0; i < frame.len && !p->over && native_step(p) != ATLS_STEP_FAILED; i++) {
        (void)native_peer_write(p, atls_bytes_of(frame.ptr + i, 1));
        (void)native_pump(p);
        rig_nap(DEADLINE_MS / 6);
    }
}

static atls_bytes stop_here(native_peer *p, atls_native_message m, atls_bytes honest)
{
    const stall *s = p->row;
    if (m != s->row->at) {
        return honest;
    }
    if (s->end != SAYS_GOODBYE && s->end != HANGS_UP) {
        hurry(p);
    }
    if (s->end == HALF_OPEN) {
        (void)native_peer_write(p, atls_bytes_of(honest.ptr, honest.len - 1));
    } else if (s->end == SAYS_GOODBYE) {
        (void)SSL_shutdown(p->ssl);
    } else if (s->end == HANGS_UP) {
        (void)BIO_shutdown_wr(p->is_server ? p->r->server_bio : p->r->client_bio);
    } else if (s->end == DRIPS) {
        drip(p, honest);
    }
    ERR_clear_error();
    p->over = true;
    return atls_bytes_empty();
}

static void run_stall(const stall *s)
{
    static const native_lies lies = {.frame = stop_here};
    const bool hears_of_it = s->end == SAYS_GOODBYE || s->end == HANGS_UP;
    const size_t fds = net_fds();
    rig r;
    rig_open(&r);
    native_set_up(&r, s->row->victim);
    native_peer *p = native_peer_open(&r, s->row->victim, &lies);
    p->row = s;
    native_peer_play(p);
    assert_true(wait_for_end(p) < 50u * DEADLINE_MS);
    native_expect_refused(p, hears_of_it ? ATLS_E_IO : ATLS_E_TIMEOUT,
                          hears_of_it ? s->row->field : "session.exchange");
    assert_int_equal(p->told, ATLS_CATEGORY_NONE);
    native_peer_close(p);
    rig_close(&r);
    assert_int_equal(net_fds(), fds);
}

static void test_stall(void **state)
{
    const stall_row *row = *state;
    for (end e = STALLS; e <= DRIPS; e++) {
        const stall s = {.row = row, .end = e};
        run_stall(&s);
    }
}

/* Nobody says anything at all. */
static void test_silent(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        rig r;
        rig_open(&r);
        rig_native(&r);
        be_short(&r, DEADLINE_MS);
        native_peer *p = native_peer_open(&r, i == 0 ? CLIENT_ASKS : SERVER_PROVES, NULL);
        (void)wait_for_end(p);
        native_expect_refused(p, ATLS_E_TIMEOUT, "tls.handshake");
        native_peer_close(p);
        rig_close(&r);
    }
}

/* ---- a peer that does not listen --------------------------------------------------------------------------------------- */

static void zero(native_peer *p, uint8_t report[64])
{
    (void)p;
    memset(report, 0, 64);
}

/* Fills the way back to it: from now on the session cannot get a word out. */
static atls_bytes stop_listening(native_peer *p, atls_native_message m, atls_bytes honest)
{
    if (m == ATLS_NATIVE_EVIDENCE) {
        BIO *out = p->is_server ? p->r->client_bio : p->r->server_bio;
        while (BIO_write(out, "x", 1) == 1) {
        }
        BIO_clear_retry_flags(out);
        ERR_clear_error();
        (void)SSL_write(p->ssl, honest.ptr, (int)honest.len);
        p->over = true;
        return atls_bytes_empty();
    }
    return honest;
}

/* The refusal cannot be sent, and is nevertheless what the session says it ended for: not that time ran out meanwhile. */
static void test_deaf(void **state)
{
    static const native_lies lies = {.report = zero, .frame = stop_listening};
    static const native_victim victims[] = {CLIENT_ASKS, SERVER_BOTH};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rig r;
        rig_open(&r);
        r.bio_size = 60000;
        native_set_up(&r, victims[i]);
        native_peer *p = native_peer_open(&r, victims[i], &lies);
        native_peer_play(p);
        assert_int_equal(native_step(p), ATLS_STEP_WANT_WRITE);
        hurry(p);
        assert_true(wait_for_end(p) < 50u * DEADLINE_MS);
        native_expect_refused(p, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata");
        native_peer_close(p);
        rig_close(&r);
    }
}

/* ---- while evidence is in the making ------------------------------------------------------------------------------------- */

typedef struct making_row {
    const char *name;
    const char *says; /* bytes */
    size_t len;
    end end;
    atls_code code;
    const char *field;
} making_row;

#define DONE_0                                                                                                         \
    "\0\0\0\x28\xa3\x00\x04\x01\x00\x02\x58\x20"                                                                       \
    "0123456789abcdef0123456789abcdef"
#define DONE_3 "\0\0\0\x05\xa2\x00\x04\x01\x03"

static const making_row making_rows[] = {
    {"in the making: accepted unseen", DONE_0, 44, STALLS, ATLS_E_PROTOCOL, "done"},
    {"in the making: refused", DONE_3, 9, STALLS, ATLS_E_PEER_REFUSED, "done"},
    {"in the making: application", "GET / HTTP/1.1\r\n\r\n", 18, STALLS, ATLS_E_PROTOCOL, "done"},
    {"in the making: goodbye", "", 0, SAYS_GOODBYE, ATLS_E_IO, "done"},
    {"in the making: hung up", "", 0, HANGS_UP, ATLS_E_IO, "done"},
    {"in the making: nothing, and time runs out", "", 0, STALLS, ATLS_E_TIMEOUT, "session.exchange"},
};

/* Up to where the session waits for its own evidence. */
static void play_until_making(native_peer *p)
{
    atls_bytes frame;
    assert_true(native_peer_handshake(p));
    if (p->is_server) {
        assert_true(native_peer_read(p, &frame));
        native_peer_note_hello(p, frame);
    }
    native_peer_send_hello(p);
    if (p->is_server) {
        native_peer_send_evidence(p);
    }
    for (unsigned i = 0; i < 100 && native_step(p) != ATLS_STEP_WANT_EVIDENCE; i++) {
        (void)native_pump(p);
    }
    assert_int_equal(native_step(p), ATLS_STEP_WANT_EVIDENCE);
    assert_true(atls_session_wait_fd(native_session(p)) >= 0);
}

static void run_making(const making_row *w, native_victim victim)
{
    rig r;
    gate g = GATE_OF(NULL);
    const atls_attester_options options = {.attest = attest_behind_gate, .attest_ctx = &g};
    atls_attester *attester;
    const size_t fds = net_fds();
    rig_open(&r);
    native_set_up(&r, victim);
    g.sim = r.sim;
    assert_true(atls_attester_new(&options, &attester, &r.err));
    r.client_options.attest = NULL;
    r.client_options.attester = attester;
    r.server_options.attest = NULL;
    r.server_options.attester = attester;
    native_peer *p = native_peer_open(&r, victim, NULL);
    play_until_making(p);
    if (w->code == ATLS_E_TIMEOUT) {
        hurry(p);
    }
    assert_true(native_peer_write(p, atls_bytes_of(w->says, w->len)));
    if (w->end == SAYS_GOODBYE) {
        (void)SSL_shutdown(p->ssl);
    } else if (w->end == HANGS_UP) {
        (void)BIO_shutdown_wr(p->is_server ? r.server_bio : r.client_bio);
    }
    assert_true(wait_for_end(p) < 50u * DEADLINE_MS);
    native_expect_refused(p, w->code, w->field);
    open_gate(&g);
    native_peer_close(p);
    atls_session_free(r.client);
    atls_session_free(r.server);
    r.client = NULL;
    r.server = NULL;
    atls_attester_free(attester);
    rig_close(&r);
    assert_int_equal(net_fds(), fds);
}

static void test_making(void **state)
{
    run_making(*state, SERVER_PROVES);
    run_making(*state, SERVER_BOTH);
    run_making(*state, CLIENT_BOTH);
}

/* ---- over sockets that block ------------------------------------------------------------------------------------------------ */

/* The peer in a thread of its own: it writes a byte at a time, or reads little by little, each well in time. */
typedef struct dawdler {
    SSL *ssl;
    atls_bytes hello;
    bool reads; /* says its hello at once, then takes the server's and the evidence slowly */
    unsigned nap_ms;
    size_t got;
    uint8_t buf[1u << 20];
} dawdler;

static bool has_two_frames(const dawdler *d)
{
    size_t total = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (d->got < total + 4) {
            return false;
        }
        total += 4 + ((size_t)d->buf[total + 1] << 16 | (size_t)d->buf[total + 2] << 8 | d->buf[total + 3]);
    }
    return d->got >= total;
}

static void *dawdle(void *arg)
{
    dawdler *d = arg;
    bool going = SSL_connect(d->ssl) == 1;
    if (going && d->reads) {
        going = SSL_write(d->ssl, d->hello.ptr, (int)d->hello.len) == (int)d->hello.len;
    }
    for (size_t i = 0; going && (d->reads ? !has_two_frames(d) : i < d->hello.len); i++) {
        const int rc = d->reads ? SSL_read(d->ssl, d->buf + d->got, 4096) : SSL_write(d->ssl, d->hello.ptr + i, 1);
        going = rc > 0;
        d->got += d->reads && rc > 0 ? (size_t)rc : 0;
        rig_nap(d->nap_ms);
    }
    (void)SSL_shutdown(d->ssl); /* whoever is still there hears of it */
    ERR_clear_error();
    return NULL;
}

static atls_bytes honest_hello(rig *r)
{
    const atls_native_hello hello = {.types = {{atls_bytes_str(ATLS_NATIVE_TYPE_DCAP)}, 1},
                                     .protocols = {{atls_bytes_str(ATLS_NATIVE_NO_PROTOCOL)}, 1}};
    atls_bytes out;
    assert_true(atls_native_write_hello(false, &hello, &r->arena, &out, &r->err));
    return out;
}

/* Evidence of many records. */
static void grow_log(rig *r)
{
    static const uint8_t payload[16000] = {1};
    for (unsigned i = 0; i < 6; i++) {
        assert_true(sim_emit(r->sim, "padding", atls_bytes_of(payload, sizeof payload), &r->err));
    }
}

/* One step of the session lasts as long as its peer likes, were it not for the looks at the deadline in between. */
static void run_blocking(bool reads, gate *g)
{
    static const unsigned char alpn[] = "\006atls/1";
    const int small = 4096;
    rig r;
    int fds[2];
    pthread_t thread;
    dawdler *d = calloc(1, sizeof *d);
    const size_t before = net_fds();
    assert_non_null(d);
    rig_open(&r);
    rig_native(&r);
    be_short(&r, BLOCKING_MS);
    grow_log(&r);
    if (g != NULL) {
        const atls_attester_options options = {.attest = attest_behind_gate, .attest_ctx = g};
        g->sim = r.sim;
        r.server_options.attest = NULL;
        assert_true(atls_attester_new(&options, &r.server_options.attester, &r.err));
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    r.client_ssl = SSL_new(r.client_ctx);
    r.server_ssl = SSL_new(r.server_ctx);
    assert_int_equal(SSL_set_fd(r.client_ssl, fds[0]), 1);
    assert_int_equal(SSL_set_fd(r.server_ssl, fds[1]), 1);
    assert_int_equal(SSL_set_alpn_protos(r.client_ssl, alpn, 7), 0);
    rig_server(&r);
    d->ssl = r.client_ssl;
    d->hello = honest_hello(&r);
    d->reads = reads;
    d->nap_ms = BLOCKING_MS / 8 * rig_patience();
    assert_int_equal(pthread_create(&thread, NULL, dawdle, d), 0);
    do {
        r.server_step = atls_session_step(r.server, &r.server_err);
    } while (r.server_step == ATLS_STEP_WANT_READ);
    assert_int_equal(r.server_step, ATLS_STEP_FAILED);
    assert_string_equal(atls_code_name(r.server_err.code), "TIMEOUT");
    assert_string_equal(r.server_err.field, "session.exchange");
    native_expect_sealed(r.server, ATLS_E_TIMEOUT);
    (void)shutdown(fds[1], SHUT_RDWR);
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (g != NULL) {
        open_gate(g);
        atls_session_free(r.server);
        r.server = NULL;
        atls_attester_free(r.server_options.attester);
    }
    rig_close(&r);
    (void)close(fds[0]);
    (void)close(fds[1]);
    free(d);
    assert_int_equal(net_fds(), before);
}

static void test_drip_into_blocking(void **state)
{
    (void)state;
    run_blocking(false, NULL);
}

static void test_slow_reader_of_blocking(void **state)
{
    (void)state;
    run_blocking(true, NULL);
}

/* The step that waits for evidence ends the session itself: over such a socket nobody calls again at the deadline. */
static void test_making_over_blocking(void **state)
{
    gate g = GATE_OF(NULL);
    (void)state;
    run_blocking(true, &g);
}

int main(void)
{
    tap_list l = {0};
    (void)signal(SIGPIPE, SIG_IGN); /* the SSLs are the test's own */
    for (size_t i = 0; i < sizeof stall_rows / sizeof stall_rows[0]; i++) {
        tap_add(&l, stall_rows[i].name, test_stall, &stall_rows[i]);
    }
    tap_add(&l, "a peer that never speaks", test_silent, NULL);
    tap_add(&l, "a peer that does not listen to the refusal", test_deaf, NULL);
    for (size_t i = 0; i < sizeof making_rows / sizeof making_rows[0]; i++) {
        tap_add(&l, making_rows[i].name, test_making, &making_rows[i]);
    }
    tap_add(&l, "a hello that drips into a socket that blocks", test_drip_into_blocking, NULL);
    tap_add(&l, "evidence that is taken slowly from a socket that blocks", test_slow_reader_of_blocking, NULL);
    tap_add(&l, "evidence that is never made, over a socket that blocks", test_making_over_blocking, NULL);
    return tap_run("native_stall", &l);
}
