/* SPDX-License-Identifier: Apache-2.0 */
/* test_batching.c: the code of docs/batching.md, as it stands on the page, serves a crowd under two quotes: the first
 * comer's, and one for everybody who came while that was being made. */
#include "gate.h"
#include "net.h"

#include <signal.h>

#include "batching_code.c" /* from the page */

#define CROWD 6u

/* ---- clients ----------------------------------------------------------------------------------------------------------- */

typedef struct visitor {
    const net *net;
    sim *endorser; /* a room belongs to one thread */
    atls_arena arena;
    pthread_t thread;
    bool heard; /* itself, from a server that was accepted */
    atls_error err;
} visitor;

static void speak(visitor *v, atls_session *s)
{
    char back[16] = "";
    size_t n = 0;
    bool ok = atls_session_write_all(s, "good evening", 12, 10000, &v->err)
              && atls_session_read_blocking(s, back, sizeof back, &n, 10000, &v->err) == ATLS_STEP_DONE;
    v->heard = ok && n == 12 && memcmp(back, "good evening", 12) == 0
               && atls_session_result(s)->verdict == ATLS_VERDICT_ACCEPTED
               && atls_session_result(s)->grade == ATLS_GRADE_SESSION;
}

static void *visit(void *arg)
{
    visitor *v = arg;
    atls_client_options options = v->net->client;
    atls_session *s;
    options.endorse_ctx = v->endorser;
    options.timeout_ms = 10000 * rig_patience();
    if (atls_connect("127.0.0.1", v->net->port, &options, &v->arena, &s, NULL, &v->err)) {
        speak(v, s);
        atls_session_free(s);
    }
    return NULL;
}

/* Everybody comes; the gate opens when one quote is in the making and all others wait for the next. */
static void bring_crowd(net *n, gate *g, atls_attester *attester)
{
    static const sim_options room = {0};
    static visitor all[CROWD];
    for (size_t i = 0; i < CROWD; i++) {
        all[i] = (visitor){.net = n};
        assert_true(sim_new(&room, &all[i].endorser, &n->rig.err));
        assert_true(atls_arena_new(&all[i].arena, 1024 * 1024, &n->rig.err));
        assert_int_equal(pthread_create(&all[i].thread, NULL, visit, &all[i]), 0);
    }
    for (unsigned ms = 0; atls_attester_count(attester).waiting < CROWD - 1 && ms < 8000 * rig_patience(); ms += 5) {
        rig_nap(5);
    }
    open_gate(g);
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(pthread_join(all[i].thread, NULL), 0);
        if (!all[i].heard) {
            char line[512];
            (void)atls_error_line(&all[i].err, line, sizeof line);
            fail_msg("visitor %zu: %s", i, line);
        }
        atls_arena_free(&all[i].arena);
        sim_free(all[i].endorser);
    }
    const atls_attester_counts counts = atls_attester_count(attester);
    assert_int_equal(counts.answered, CROWD);
    assert_int_equal(counts.quotes, 2);
}

/* ---- servers ----------------------------------------------------------------------------------------------------------- */

typedef struct server {
    net *net;
    SSL_CTX *ctx;
} server;

static void *work(void *arg)
{
    const server *s = arg;
    serve_connections(s->net->listener, &s->net->server);
    return NULL;
}

static void *loop(void *arg)
{
    const server *s = arg;
    serve_events(s->net->listener, s->ctx, &s->net->server);
    return NULL;
}

static void run(net *n, const server *s, void *(*main)(void *), size_t n_threads)
{
    pthread_t threads[CROWD];
    gate g = GATE_OF(n->rig.sim);
    n->client.profiles = ATLS_PROFILE_NATIVE;
    n->server.timeout_ms = 10000 * rig_patience();
    assert_true(prepare_server(attest_behind_gate, &g, &n->server, &n->rig.err));
    for (size_t i = 0; i < n_threads; i++) {
        union {
            const server *in;
            void *out;
        } arg = {.in = s};
        assert_int_equal(pthread_create(&threads[i], NULL, main, arg.out), 0);
    }
    bring_crowd(n, &g, n->server.attester);
    assert_int_equal(shutdown(n->listener, SHUT_RDWR), 0);
    for (size_t i = 0; i < n_threads; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    atls_attester_free(n->server.attester);
}

static void test_threads(void **state)
{
    (void)state;
    net n;
    net_open(&n, NULL);
    const server s = {.net = &n};
    run(&n, &s, work, CROWD);
    net_close(&n);
}

static void test_events(void **state)
{
    (void)state;
    net n;
    net_open(&n, NULL);
    const server s = {.net = &n, .ctx = rig_context(true, &n.rig.tls)};
    SSL_CTX_set_alpn_select_cb(s.ctx, atls_server_select_alpn, NULL);
    assert_int_equal(fcntl(n.listener, F_SETFL, O_NONBLOCK), 0);
    run(&n, &s, loop, 1);
    SSL_CTX_free(s.ctx);
    net_close(&n);
}

int main(void)
{
    tap_list l = {0};
    (void)signal(SIGPIPE, SIG_IGN); /* as the page asks: the event loop's transport is its own */
    tap_add(&l, "the page's threads", test_threads, NULL);
    tap_add(&l, "the page's event loop", test_events, NULL);
    return tap_run("batching", &l);
}
