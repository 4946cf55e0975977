/* SPDX-License-Identifier: Apache-2.0 */
/* bench_session: attested sessions of each profile against a plain TLS 1.3 one, both ends in this process over memory
 * BIOs, with the same certificates and the same check of the server's name. Printed apart: the simulator's time for a quote (hardware
 * needs 10 to 100 ms, and no protocol can change that), and the appraisal of the evidence (warm, endorsements at hand), the same for every
 * profile (bench_appraise has its parts). What is left is what the binding itself costs.
 * usage: bench_session [KIND], one of those below */
#include "bench.h"
#include "edge/tls/constellation.h"
#include "tests/edge/pair_dummy.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define N_SAMPLES 200

/* What the simulator needs to make a quote stays out of the session's memory, and of its time, as with hardware. Documents of
 * constellation hold no event log, and none is made for them. */
static bool make_evidence(world *w, bool with_log, const uint8_t report_data[64], atls_arena *a, atls_evidence *out,
                          atls_error *err)
{
    const uint64_t t0 = bench_now();
    atls_evidence e;
    bool ok = sim_attest(w->room, report_data, &w->quotes, &e, err) && atls_arena_copy(a, e.quote, &out->quote, err);
    out->event_log = atls_bytes_empty();
    out->vm_config = atls_bytes_empty();
    if (ok && with_log) {
        ok = atls_arena_copy(a, e.event_log, &out->event_log, err)
             && atls_arena_copy(a, e.vm_config, &out->vm_config, err);
    }
    atls_arena_reset(&w->quotes);
    w->quote_ns += bench_now() - t0;
    return ok;
}

static bool attest(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    return make_evidence(ctx, true, report_data, a, out, err);
}

static bool attest_quote(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    return make_evidence(ctx, false, report_data, a, out, err);
}

static uint64_t plain_session(const world *w)
{
    const uint64_t t0 = bench_now();
    SSL *client = SSL_new(w->client_ctx);
    SSL *server = SSL_new(w->server_ctx);
    world_connect(client, server);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    SSL_set_verify(client, SSL_VERIFY_PEER, NULL);
    X509_VERIFY_PARAM_set_time(SSL_get0_param(client), (time_t)sim_now(w->room));
    if (SSL_set1_host(client, WORLD_SERVER_NAME) != 1 || SSL_set_tlsext_host_name(client, WORLD_SERVER_NAME) != 1) {
        bench_die("no server name");
    }
    for (int i = 0; i < 20 && !(SSL_is_init_finished(client) && SSL_is_init_finished(server)); i++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    if (!SSL_is_init_finished(client) || !SSL_is_init_finished(server) || SSL_get_verify_result(client) != X509_V_OK) {
        bench_die("the plain handshake failed");
    }
    SSL_free(client);
    SSL_free(server);
    return bench_now() - t0;
}

/* One way of proving. */
typedef struct kind {
    const char *name;
    unsigned profile;
    bool is_mutual;
    bool is_dummy; /* constellation: the variant without evidence, by which its implementations are compared */
} kind;

static void step_both(atls_session *c, atls_session *s)
{
    atls_error err = {0};
    atls_error server_err = {0};
    atls_step done = ATLS_STEP_WANT_READ;
    atls_step served = ATLS_STEP_WANT_READ;
    for (int i = 0; i < 40 && (done != ATLS_STEP_DONE || served != ATLS_STEP_DONE); i++) {
        done = done == ATLS_STEP_DONE ? done : atls_session_step(c, &err);
        if (done == ATLS_STEP_FAILED) {
            world_die("client", &err);
        }
        served = served == ATLS_STEP_DONE ? served : atls_session_step(s, &server_err);
        if (served == ATLS_STEP_FAILED) {
            world_die("server", &server_err);
        }
    }
    if (done != ATLS_STEP_DONE || served != ATLS_STEP_DONE) {
        bench_die("the attested session did not come about");
    }
}

static atls_client_options client_options(world *w, const kind *k)
{
    atls_client_options o = world_client(w, k->profile);
    o.attest = k->is_mutual ? attest : NULL;
    o.attest_ctx = w;
    return o;
}

static atls_server_options server_options(world *w, const kind *k)
{
    atls_server_options o = world_server(w, k->profile);
    o.attest = attest;
    o.attest_ctx = w;
    o.verifier = k->is_mutual ? w->verifier : NULL;
    return o;
}

static uint64_t attested_session(world *w, const kind *k)
{
    atls_error err = {0};
    atls_session *c = NULL;
    atls_session *s = NULL;
    const uint64_t t0 = bench_now();
    SSL *client = SSL_new(w->client_ctx);
    SSL *server = SSL_new(w->server_ctx);
    world_connect(client, server);
    const atls_client_options co = client_options(w, k);
    const atls_server_options so = server_options(w, k);
    if (!atls_client_session_new(client, &co, &c, &err) || !atls_server_session_new(server, &so, &s, &err)) {
        world_die("session", &err);
    }
    step_both(c, s);
    atls_session_free(c);
    atls_session_free(s);
    SSL_free(client);
    SSL_free(server);
    return bench_now() - t0;
}

/* ---- constellation: the evidence is inside the handshake ---- */

typedef struct hooked {
    SSL_CTX *client;
    SSL_CTX *server;
    atls_policy *policy;
    atls_verifier *verifier;
} hooked;

/* The document of this variant is made of user data and nonce alone. */
static bool attest_nothing(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    (void)ctx;
    (void)report_data;
    (void)a;
    (void)err;
    *out = (atls_evidence){{(const uint8_t *)"", 0}, {(const uint8_t *)"", 0}, {(const uint8_t *)"", 0}};
    return true;
}

static void dummy_init(const world *w, hooked *h, bool is_mutual)
{
    atls_error err = {0};
    atls_hook client = {.accepts = {dummy_variant()},
                        .n_accepts = 1,
                        .issues = is_mutual ? dummy_variant() : NULL,
                        .attest = attest_nothing,
                        .now = sim_now(w->room),
                        .arena_size = ATLS_ARENA_DEFAULT_SIZE};
    atls_hook server = client;
    server.is_server = true;
    server.issues = dummy_variant();
    server.n_accepts = is_mutual ? 1 : 0;
    h->client = SSL_CTX_new(TLS_client_method());
    h->server = SSL_CTX_new(TLS_server_method());
    if (h->client == NULL || h->server == NULL || !atls_hook_install(h->client, &client, &err)
        || !atls_hook_install(h->server, &server, &err)) {
        world_die("hooks", &err);
    }
}

static void hooked_init(world *w, hooked *h, bool is_mutual)
{
    static const char document[] = "{\"type\":\"tdx\",\"min_grade\":\"key_fresh\",\"attested_only\":true}";
    const atls_bytes root = sim_root(w->room);
    atls_error err = {0};
    if (!atls_policy_parse_with_roots(atls_bytes_str(document), &root, 1, &h->policy, &err)
        || !atls_verifier_new(h->policy, &h->verifier, &err)) {
        world_die("policy", &err);
    }
    const atls_hook_client_options co = {.verifier = h->verifier,
                                         .endorse = world_endorse,
                                         .endorse_ctx = w,
                                         .attest = is_mutual ? attest_quote : NULL,
                                         .attest_ctx = w,
                                         .now = sim_now(w->room)};
    const atls_hook_server_options so = {.attest = attest_quote,
                                         .attest_ctx = w,
                                         .verifier = is_mutual ? h->verifier : NULL,
                                         .endorse = world_endorse,
                                         .endorse_ctx = w,
                                         .now = sim_now(w->room)};
    h->client = SSL_CTX_new(TLS_client_method());
    h->server = SSL_CTX_new(TLS_server_method());
    if (h->client == NULL || h->server == NULL || !atls_hook_client(h->client, &co, &err)
        || !atls_hook_server(h->server, &so, &err)) {
        world_die("hooks", &err);
    }
}

static void hooked_free(hooked *h)
{
    SSL_CTX_free(h->client);
    SSL_CTX_free(h->server);
    atls_verifier_free(h->verifier);
    atls_policy_free(h->policy);
}

static uint64_t hooked_session(const hooked *h, bool is_mutual)
{
    const atls_result *result;
    atls_error err = {0};
    const uint64_t t0 = bench_now();
    SSL *client = SSL_new(h->client);
    SSL *server = SSL_new(h->server);
    world_connect(client, server);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 20 && !(SSL_is_init_finished(client) && SSL_is_init_finished(server)); i++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    if (!atls_hook_result(client, &result, &err) || (is_mutual && !atls_hook_result(server, &result, &err))) {
        world_die("the hooked session", &err);
    }
    SSL_free(client);
    SSL_free(server);
    return bench_now() - t0;
}

/* The same evidence, appraised without a session by the verifier of the session; evidence inside a handshake has no event
 * log. */
static uint64_t appraisal(world *w, const atls_verifier *verifier, bool has_log, atls_arena *arena)
{
    static const uint8_t report_data[64] = {1};
    atls_error err = {0};
    atls_evidence e;
    atls_result result;
    atls_appraisal in = {.binding = {.grade = has_log ? ATLS_GRADE_REPORT_DATA : ATLS_GRADE_KEY_FRESH, .value = {1}},
                         .now = sim_now(w->room),
                         .endorse = world_endorse,
                         .endorse_ctx = w};
    if (!sim_attest(w->room, report_data, arena, &e, &err)) {
        world_die("evidence", &err);
    }
    in.evidence = e.quote;
    in.event_log = has_log ? e.event_log : (atls_bytes){.ptr = e.event_log.ptr};
    const uint64_t t0 = bench_now();
    if (!atls_verifier_appraise(verifier, &in, arena, &result, &err)) {
        world_die("appraisal", &err);
    }
    atls_arena_reset(arena); /* sessions wipe what theirs have left, too */
    return bench_now() - t0;
}

static void measure(world *w, const kind *k, atls_arena *arena)
{
    const bool in_handshake = k->profile == ATLS_PROFILE_CONSTELLATION;
    hooked h = {0};
    static uint64_t plain[N_SAMPLES], whole[N_SAMPLES], binding[N_SAMPLES], warm[N_SAMPLES];
    char name[96];
    if (in_handshake && k->is_dummy) {
        dummy_init(w, &h, k->is_mutual);
    } else if (in_handshake) {
        hooked_init(w, &h, k->is_mutual);
    }
    for (size_t i = 0; i < N_SAMPLES; i++) {
        plain[i] = plain_session(w);
        w->quote_ns = 0;
        uint64_t session = (in_handshake ? hooked_session(&h, k->is_mutual) : attested_session(w, k)) - w->quote_ns;
        warm[i] = k->is_dummy ? 0 : appraisal(w, in_handshake ? h.verifier : w->verifier, !in_handshake, arena);
        uint64_t verdicts = warm[i] * (k->is_mutual ? 2 : 1);
        whole[i] = session;
        binding[i] = session > verdicts ? session - verdicts : 0;
    }
    const bench_stats floor_stats = bench_summarise(plain, N_SAMPLES);
    bench_row("floor: plain TLS 1.3 session, both ends", floor_stats, 0);
    snprintf(name, sizeof name, "%s: quotes and appraisal apart", k->name);
    bench_row(name, bench_summarise(binding, N_SAMPLES), floor_stats.median);
    if (!k->is_dummy) {
        snprintf(name, sizeof name, "%s: quotes apart, appraisal warm", k->name);
        bench_row(name, bench_summarise(whole, N_SAMPLES), floor_stats.median);
        bench_row("    one warm appraisal", bench_summarise(warm, N_SAMPLES), 0);
    }
    hooked_free(&h);
}

int main(int argc, char *argv[])
{
    static const kind kinds[] = {
        {"dstack", ATLS_PROFILE_DSTACK, false, false},
        {"atls/1", ATLS_PROFILE_NATIVE, false, false},
        {"atls/1 mutual", ATLS_PROFILE_NATIVE, true, false},
        {"constellation", ATLS_PROFILE_CONSTELLATION, false, false},
        {"constellation mutual", ATLS_PROFILE_CONSTELLATION, true, false},
        {"constellation, dummy document", ATLS_PROFILE_CONSTELLATION, false, true},
        {"constellation mutual, dummy documents", ATLS_PROFILE_CONSTELLATION, true, true},
    };
    static world w;
    atls_arena arena;
    atls_error err = {0};
    bench_machine();
    world_init(&w);
    if (!atls_arena_new(&arena, ATLS_ARENA_DEFAULT_SIZE, &err)) {
        world_die("arena", &err);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (argc < 2 || strcmp(argv[1], kinds[i].name) == 0) {
            measure(&w, &kinds[i], &arena);
        }
    }
    atls_arena_free(&arena);
    world_free(&w);
    return 0;
}
