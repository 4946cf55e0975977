/* SPDX-License-Identifier: Apache-2.0 */
/* test_hook_wait.c: handshakes that wait for an attester without blocking: OpenSSL says WANT_X509_LOOKUP, and a descriptor
 * says when to go on. And many of them at a time, from contexts that threads share. */
#include "pair.h"

#include <poll.h>
#include <pthread.h>

#include <openssl/err.h>

#define WAIT_MS 20000

/* An attest function that makes no quote before it is let go. */
typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool entered; /* somebody waits here */
    bool open;
    bool fails;
    unsigned n;
    pair *p;
} gate;

static bool attest_behind(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                          atls_error *err)
{
    gate *g = ctx;
    (void)pthread_mutex_lock(&g->lock);
    g->entered = true;
    (void)pthread_cond_broadcast(&g->changed);
    while (!g->open) {
        (void)pthread_cond_wait(&g->changed, &g->lock);
    }
    g->n++;
    (void)pthread_mutex_unlock(&g->lock);
    if (g->fails) {
        return atls_fail(err, ATLS_E_IO, "device", "no quote today");
    }
    if (g->p->room != NULL) {
        return sim_attest(g->p->room, report_data, arena, out, err);
    }
    out->quote = atls_bytes_str("dummy");
    out->event_log = atls_bytes_empty();
    out->vm_config = atls_bytes_empty();
    return true;
}

static void let_go(gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    g->open = true;
    (void)pthread_cond_broadcast(&g->changed);
    (void)pthread_mutex_unlock(&g->lock);
}

static void wait_for_entry(gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    while (!g->entered) {
        (void)pthread_cond_wait(&g->changed, &g->lock);
    }
    (void)pthread_mutex_unlock(&g->lock);
}

typedef struct scene {
    pair p;
    gate gate;
    atls_attester *attester;
} scene;

static void open_scene(scene *s, bool tdx, bool mutual)
{
    pair_open(&s->p);
    if (tdx) {
        pair_tdx(&s->p, "\"min_grade\":\"key_fresh\",\"attested_only\":true,");
    }
    if (mutual) {
        pair_mutual(&s->p);
    }
    s->gate = (gate){.p = &s->p};
    assert_int_equal(pthread_mutex_init(&s->gate.lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&s->gate.changed, NULL), 0);
    const atls_attester_options options = {.attest = attest_behind, .attest_ctx = &s->gate, .max_waiting = 1};
    assert_true(atls_attester_new(&options, &s->attester, &s->p.err));
    s->p.server.hook.attest = NULL;
    s->p.server.hook.attester = s->attester;
}

static void close_scene(scene *s)
{
    let_go(&s->gate);
    pair_close(&s->p);
    atls_attester_free(s->attester);
    (void)pthread_mutex_destroy(&s->gate.lock);
    (void)pthread_cond_destroy(&s->gate.changed);
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

/* Until both ends are done; waits at the descriptors. */
static void run_waiting(pair *p)
{
    for (unsigned turn = 0; turn < 100; turn++) {
        pair_run(p);
        pair_end *e = p->server.code == SSL_ERROR_WANT_X509_LOOKUP ? &p->server : &p->client;
        if (e->code != SSL_ERROR_WANT_X509_LOOKUP) {
            return;
        }
        assert_true(is_readable(atls_hook_wait_fd(e->ssl), WAIT_MS));
    }
}

static void a_server_waits(void **state)
{
    const bool *tdx = *state;
    scene s;
    open_scene(&s, *tdx, false);
    pair_start(&s.p);
    assert_int_equal(s.p.server.code, SSL_ERROR_WANT_X509_LOOKUP);
    assert_int_equal(s.p.client.code, SSL_ERROR_WANT_READ);
    int fd = atls_hook_wait_fd(s.p.server.ssl);
    assert_true(fd >= 0);
    assert_int_equal(atls_hook_wait_fd(s.p.client.ssl), -1);
    assert_false(is_readable(fd, 20));
    pair_expect_refused(&s.p.client, ATLS_E_TLS_HANDSHAKE, "tls.handshake");
    pair_run(&s.p); /* asking again changes nothing */
    assert_int_equal(s.p.server.code, SSL_ERROR_WANT_X509_LOOKUP);
    assert_int_equal(atls_hook_wait_fd(s.p.server.ssl), fd);
    let_go(&s.gate);
    run_waiting(&s.p);
    pair_expect_done(&s.p.server);
    pair_expect_accepted(&s.p.client);
    assert_int_equal(s.gate.n, 1);
    assert_int_equal(atls_hook_wait_fd(s.p.server.ssl), -1);
    close_scene(&s);
}

static void both_wait(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, true, true);
    s.p.client.hook.attest = NULL;
    s.p.client.hook.attester = s.attester;
    let_go(&s.gate);
    pair_ssl(&s.p);
    run_waiting(&s.p);
    pair_expect_accepted(&s.p.client);
    pair_expect_accepted(&s.p.server);
    assert_int_equal(s.gate.n, 2);
    close_scene(&s);
}

/* A HelloRetryRequest asks for the certificate twice; the second ClientHello comes while nobody waits any more. */
static void waits_once_across_a_retry(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, false, false);
    let_go(&s.gate);
    pair_ssl(&s.p);
    assert_int_equal(SSL_set1_groups_list(s.p.client.ssl, "X25519:P-384"), 1);
    assert_int_equal(SSL_set1_groups_list(s.p.server.ssl, "P-384"), 1);
    run_waiting(&s.p);
    pair_expect_accepted(&s.p.client);
    assert_int_equal(s.gate.n, 1);
    close_scene(&s);
}

static void an_attester_fails(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, false, false);
    s.gate.fails = true;
    let_go(&s.gate);
    pair_ssl(&s.p);
    run_waiting(&s.p);
    assert_int_equal(s.p.client.alert, SSL_AD_INTERNAL_ERROR);
    pair_expect_refused(&s.p.server, ATLS_E_IO, "device");
    close_scene(&s);
}

/* One quote is being made, one request waits: the next is refused at once. */
static void a_full_queue_refuses(void **state)
{
    scene s;
    pair more[3];
    unsigned refused = 0;
    (void)state;
    open_scene(&s, false, false);
    pair_start(&s.p);
    wait_for_entry(&s.gate);
    for (size_t i = 0; i < 3; i++) {
        pair_open(&more[i]);
        more[i].server.hook.attest = NULL;
        more[i].server.hook.attester = s.attester;
        pair_start(&more[i]);
        refused += more[i].server.code == SSL_ERROR_SSL ? 1 : 0;
    }
    assert_int_equal(refused, 2);
    pair_expect_refused(&more[2].server, ATLS_E_LIMIT, "attester.max_waiting");
    assert_int_equal(more[2].client.alert, SSL_AD_INTERNAL_ERROR);
    for (size_t i = 0; i < 3; i++) {
        pair_close(&more[i]);
    }
    close_scene(&s);
}

/* A connection that goes away while it waits takes its request along. */
static void a_connection_goes_away(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, false, false);
    pair_start(&s.p);
    assert_int_equal(s.p.server.code, SSL_ERROR_WANT_X509_LOOKUP);
    assert_true(atls_hook_wait_fd(s.p.server.ssl) >= 0);
    close_scene(&s);
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

#define N_THREADS    4
#define N_HANDSHAKES 25

typedef struct crowd {
    SSL_CTX *client;
    SSL_CTX *server;
    unsigned n_accepted;
} crowd;

static bool attest_nothing(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err)
{
    (void)ctx;
    (void)report_data;
    (void)arena;
    (void)out;
    (void)err;
    return true;
}

/* cmocka's assertions belong to the first thread: this one counts. */
static bool shake_hands(const crowd *c)
{
    const atls_result *results[2];
    atls_error err = {.code = ATLS_OK};
    BIO *left;
    BIO *right;
    SSL *client = SSL_new(c->client);
    SSL *server = SSL_new(c->server);
    bool ok = client != NULL && server != NULL && BIO_new_bio_pair(&left, 65536, &right, 65536) == 1;
    if (ok) {
        SSL_set_bio(client, left, left);
        SSL_set_bio(server, right, right);
        SSL_set_connect_state(client);
        SSL_set_accept_state(server);
        for (int i = 0; i < 4; i++) {
            (void)SSL_do_handshake(client);
            (void)SSL_do_handshake(server);
        }
        ok = atls_hook_result(client, &results[0], &err) && atls_hook_result(server, &results[1], &err);
    }
    ERR_clear_error();
    SSL_free(client);
    SSL_free(server);
    return ok;
}

static void *shake_many(void *arg)
{
    crowd *c = arg;
    for (unsigned i = 0; i < N_HANDSHAKES; i++) {
        c->n_accepted += shake_hands(c) ? 1 : 0;
    }
    return NULL;
}

static void threads_share_contexts(void **state)
{
    crowd crowds[N_THREADS];
    pthread_t threads[N_THREADS];
    pair p;
    (void)state;
    pair_open(&p);
    pair_mutual(&p);
    p.client.hook.attest = attest_nothing;
    p.server.hook.attest = attest_nothing;
    pair_ssl(&p);
    for (size_t i = 0; i < N_THREADS; i++) {
        crowds[i] = (crowd){p.client.ctx, p.server.ctx, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, shake_many, &crowds[i]), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(crowds[i].n_accepted, N_HANDSHAKES);
    }
    pair_close(&p);
}

int main(void)
{
    static const bool yes = true;
    static const bool no = false;
    tap_list l = {0};
    tap_add(&l, "a server waits", a_server_waits, &no);
    tap_add(&l, "TDX: a server waits", a_server_waits, &yes);
    tap_add(&l, "TDX: both wait", both_wait, NULL);
    tap_add(&l, "one quote across a HelloRetryRequest", waits_once_across_a_retry, NULL);
    tap_add(&l, "an attester fails", an_attester_fails, NULL);
    tap_add(&l, "a full queue refuses", a_full_queue_refuses, NULL);
    tap_add(&l, "a connection goes away", a_connection_goes_away, NULL);
    tap_add(&l, "threads share contexts", threads_share_contexts, NULL);
    return tap_run("hook_wait", &l);
}
