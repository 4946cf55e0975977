/* SPDX-License-Identifier: Apache-2.0 */
/* test_native.c: atls/1 between two honest ends: who proves, what is agreed, what each is told when the other refuses. */
#include "gate.h"
#include "rig.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* ---- who proves -------------------------------------------------------------------------------------------------- */

static void expect_accepted(const atls_result *r)
{
    assert_non_null(r);
    assert_int_equal(r->verdict, ATLS_VERDICT_ACCEPTED);
    assert_int_equal(r->grade, ATLS_GRADE_SESSION);
    assert_string_equal(r->profile, "atls/1");
}

static void expect_talk(rig *r)
{
    rig_expect_established(r);
    rig_say(r->client, r->server, "hello");
    rig_say(r->server, r->client, "good evening");
}

static void test_server(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_native(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    expect_talk(&r);
    expect_accepted(atls_session_result(r.client));
    assert_false(atls_session_result(r.client)->attested_only);
    assert_null(atls_session_result(r.server));
    assert_string_equal(atls_session_profile(r.client), "atls/1");
    assert_string_equal(atls_session_profile(r.server), "atls/1");
    assert_int_equal(atls_session_alpn(r.client).len, 0);
    rig_close(&r);
}

static void test_mutual(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_mutual(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    expect_talk(&r);
    expect_accepted(atls_session_result(r.client));
    expect_accepted(atls_session_result(r.server));
    assert_true(atls_session_result(r.server)->attested_only); /* nobody vouches for the client's name */
    rig_close(&r);
}

/* The client has a certificate that the machine measured; the server's own settings ask for one. */
static void use_client_certificate(rig *r)
{
    BIO *pem = BIO_new_mem_buf(r->tls.ca_pem.ptr, (int)r->tls.ca_pem.len);
    X509 *ca = PEM_read_bio_X509(pem, NULL, NULL, NULL);
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(r->server_ctx), ca), 1);
    X509_free(ca);
    BIO_free(pem);
    SSL_CTX_free(r->client_ctx);
    r->client_ctx = rig_context(false, &r->tls);
    SSL_CTX_set_verify(r->server_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    X509_VERIFY_PARAM *p = SSL_CTX_get0_param(r->server_ctx);
    X509_VERIFY_PARAM_set_time(p, (time_t)sim_now(r->sim));
    assert_int_equal(X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_SERVER), 1); /* the room's is a server's */
}

static void test_mutual_certificate(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_mutual(&r);
    use_client_certificate(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    expect_talk(&r);
    expect_accepted(atls_session_result(r.server));
    assert_false(atls_session_result(r.server)->attested_only);
    assert_string_equal(atls_session_peer(r.server)->subject, "CN=" RIG_NAME);
    assert_int_equal(atls_session_peer(r.server)->identity, ATLS_IDENTITY_CA);
    rig_close(&r);
}

/* A certificate that was loaded, and that nobody asked for, was not shown: the leaf must not name it. */
static void test_certificate_not_asked(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_mutual(&r);
    use_client_certificate(&r);
    SSL_CTX_set_verify(r.server_ctx, SSL_VERIFY_NONE, NULL);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    expect_talk(&r);
    assert_true(atls_session_result(r.server)->attested_only);
    assert_int_equal(atls_session_peer(r.server)->identity, ATLS_IDENTITY_ATTESTED_ONLY);
    rig_close(&r);
}

/* Evidence alone says what a client is, not who. */
static void test_nameless_client(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_mutual(&r);
    rig_policy(&r, "");
    r.server_options.verifier = r.verifier;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(r.server_err.code, ATLS_E_IDENTITY);
    assert_string_equal(r.server_err.field, "client.certificate");
    assert_int_equal(r.client_step, ATLS_STEP_FAILED);
    rig_close(&r);
}

static void test_client_only(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_mutual(&r);
    r.client_options.verifier = NULL;
    r.server_options.attest = NULL;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    expect_talk(&r);
    assert_null(atls_session_result(r.client));
    expect_accepted(atls_session_result(r.server));
    rig_close(&r);
}

/* ---- the transport ----------------------------------------------------------------------------------------------- */

static void test_byte_by_byte(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_mutual(&r);
    r.bio_size = 1;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    rig_close(&r);
}

/* A HelloRetryRequest changes nothing, and neither does a key update before the exchange is over. */
static void test_retry_and_update(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_mutual(&r);
    assert_int_equal(SSL_CTX_set1_groups_list(r.server_ctx, "P-384"), 1);
    rig_start(&r, NULL);
    while (SSL_is_init_finished(r.server_ssl) == 0) {
        r.client_step = atls_session_step(r.client, &r.client_err);
        r.server_step = atls_session_step(r.server, &r.server_err);
    }
    assert_int_equal(SSL_key_update(r.server_ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    rig_run_to_end(&r);
    expect_talk(&r);
    expect_accepted(atls_session_result(r.client));
    rig_close(&r);
}

/* ---- inner protocols --------------------------------------------------------------------------------------------- */

typedef struct protocol_row {
    const char *name;
    const char *client[3];
    const char *server[3];
    const char *chosen; /* NULL: refused */
} protocol_row;

static const protocol_row protocol_rows[] = {
    {"protocols: nobody names any", {NULL}, {NULL}, ""},
    {"protocols: the server's order counts", {"h2", "http/1.1"}, {"http/1.1", "h2"}, "http/1.1"},
    {"protocols: a client that names none gets none", {NULL}, {"http/1.1"}, ""},
    {"protocols: a server that names none takes the client's first", {"h2", "http/1.1"}, {NULL}, "h2"},
    {"protocols: nothing in common", {"h2"}, {"http/1.1"}, NULL},
};

typedef struct bad_names_row {
    const char *name;
    const char *names[18];
} bad_names_row;

static const bad_names_row bad_names_rows[] = {
    {"protocols: too many",
     {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17"}},
    {"protocols: one twice", {"h2", "http/1.1", "h2"}},
    {"protocols: not text", {"\xff"}},
    {"protocols: the name that stands for none", {"raw"}},
    {"protocols: the name of a way of proving", {"h2", "atls/1"}},
};

static void test_bad_names(void **state)
{
    const bad_names_row *w = *state;
    rig r;
    rig_open(&r);
    rig_native(&r);
    r.client_options.alpn = w->names;
    r.server_options.alpn = w->names;
    rig_ssl(&r);
    assert_false(atls_client_session_new(r.client_ssl, &r.client_options, &r.client, &r.client_err));
    assert_false(atls_server_session_new(r.server_ssl, &r.server_options, &r.server, &r.server_err));
    assert_string_equal(r.client_err.field, "alpn");
    assert_string_equal(r.server_err.field, "alpn");
    assert_int_equal(r.client_err.code, ATLS_E_CONFIGURATION);
    assert_int_equal(r.server_err.code, ATLS_E_CONFIGURATION);
    rig_close(&r);
}

static void test_protocols(void **state)
{
    const protocol_row *w = *state;
    rig r;
    rig_open(&r);
    rig_native(&r);
    r.client_options.alpn = w->client[0] == NULL ? NULL : w->client;
    rig_ssl(&r);
    rig_client(&r);
    r.server_options.alpn = w->server[0] == NULL ? NULL : w->server;
    rig_server(&r);
    rig_run_to_end(&r);
    if (w->chosen == NULL) {
        rig_expect_client(&r, ATLS_E_PEER_REFUSED, "done");
        assert_string_equal(r.client_err.actual, "content");
        assert_string_equal(r.server_err.field, "client_hello.protocols");
    } else {
        rig_expect_established(&r);
        assert_true(atls_bytes_equal_str(atls_session_alpn(r.client), w->chosen));
        assert_true(atls_bytes_equal_str(atls_session_alpn(r.server), w->chosen));
    }
    rig_close(&r);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void test_server_refused(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_policy(&r, "\"insecure_allow_debug\":false,\"min_tcb_evaluation_data_number\":9999,");
    rig_native(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_client(&r, ATLS_E_TCB_EVALUATION_NUMBER, r.client_err.field);
    assert_non_null(atls_session_result(r.client));
    assert_int_equal(atls_session_result(r.client)->verdict, ATLS_VERDICT_REJECTED);
    assert_int_equal(r.server_err.code, ATLS_E_PEER_REFUSED);
    assert_string_equal(r.server_err.actual, "time"); /* a category, and nothing else */
    rig_close(&r);
}

static bool endorse_nothing(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                            atls_endorsements *out, atls_error *err)
{
    (void)ctx;
    (void)request;
    (void)arena;
    (void)out;
    return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements", "there are none");
}

static void test_client_refused(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_mutual(&r);
    r.server_options.endorse = endorse_nothing;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_client(&r, ATLS_E_PEER_REFUSED, "done");
    assert_string_equal(r.client_err.actual, "internal");
    assert_null(atls_session_result(r.client)); /* what passed belongs to a session that did not come about */
    assert_int_equal(r.server_err.code, ATLS_E_ENDORSEMENTS_MISSING);
    rig_close(&r);
}

static bool attest_nothing(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err)
{
    (void)ctx;
    (void)report_data;
    (void)arena;
    (void)out;
    return atls_fail(err, ATLS_E_IO, "agent", "the agent at the secret place is gone");
}

static void test_no_evidence(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_native(&r);
    r.server_options.attest = attest_nothing;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(r.server_err.code, ATLS_E_IO);
    rig_expect_client(&r, ATLS_E_PEER_REFUSED, "done");
    assert_string_equal(r.client_err.actual, "internal"); /* whatever code our agent's failure has */
    assert_null(strstr(r.client_err.message, "secret"));
    rig_close(&r);
}

/* ---- age --------------------------------------------------------------------------------------------------------- */

/* The proof is a second old at most: then neither side that asked for it goes on. */
static void test_age(void **state)
{
    (void)state;
    for (unsigned dstack = 0; dstack < 2; dstack++) {
        rig r;
        uint8_t buf[8];
        size_t n = 0;
        rig_open(&r);
        if (dstack == 0) {
            rig_mutual(&r);
        }
        rig_policy(&r, "\"attested_only\":true,\"max_session_age\":1,");
        r.server_options.verifier = dstack == 0 ? r.verifier : NULL;
        rig_start(&r, NULL);
        rig_run_to_end(&r);
        rig_expect_established(&r);
        rig_nap(1100);
        assert_int_equal(atls_session_read(r.client, buf, sizeof buf, &n, &r.client_err), ATLS_STEP_FAILED);
        assert_string_equal(r.client_err.field, "session.age");
        assert_int_equal(r.client_err.code, ATLS_E_EXPIRED);
        if (dstack == 0) {
            assert_int_equal(atls_session_write(r.server, "x", 1, &n, &r.server_err), ATLS_STEP_FAILED);
            assert_string_equal(r.server_err.field, "session.age");
        }
        rig_close(&r);
    }
}

/* ---- choosing a profile ------------------------------------------------------------------------------------------ */

typedef struct choice_row {
    const char *name;
    unsigned client;
    unsigned server;
    const char *policy;  /* put into the client's */
    bool alpn;           /* the server's SSL_CTX selects atls/1 */
    const char *profile; /* NULL: no session */
    atls_code code;      /* the client's */
    const char *field;
} choice_row;

#define BOTH (ATLS_PROFILE_NATIVE | ATLS_PROFILE_DSTACK)

static const choice_row choice_rows[] = {
    {"choice: both can do both", 0, 0, "", true, "atls/1", ATLS_OK, ""},
    {"choice: a server of dstack only", 0, ATLS_PROFILE_DSTACK, "", false, "dstack", ATLS_OK, ""},
    {"choice: a client of dstack only", ATLS_PROFILE_DSTACK, 0, "", true, "dstack", ATLS_OK, ""},
    {"choice: ALPN was stripped, and the policy wants a session", 0, 0, "\"min_grade\":\"session\",", false, NULL,
     ATLS_E_TLS_HANDSHAKE, "tls.alpn"},
    {"choice: ALPN was stripped, and the client wants atls/1", ATLS_PROFILE_NATIVE, 0, "", false, NULL,
     ATLS_E_TLS_HANDSHAKE, "tls.alpn"},
    {"choice: the policy wants a session, and gets one", 0, 0, "\"min_grade\":\"session\",", true, "atls/1", ATLS_OK,
     ""},
    {"choice: by name, both", BOTH, BOTH, "", true, "atls/1", ATLS_OK, ""},
};

static void test_choice(void **state)
{
    const choice_row *w = *state;
    rig r;
    rig_open(&r);
    rig_policy(&r, w->policy);
    r.client_options.profiles = w->client;
    r.server_options.profiles = w->server;
    if (w->alpn) {
        SSL_CTX_set_alpn_select_cb(r.server_ctx, atls_server_select_alpn, NULL);
    }
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    if (w->profile == NULL) {
        rig_expect_client(&r, w->code, w->field);
        assert_null(atls_session_result(r.client));
    } else {
        rig_expect_established(&r);
        assert_string_equal(atls_session_profile(r.client), w->profile);
        assert_string_equal(atls_session_profile(r.server), w->profile);
        assert_string_equal(atls_session_result(r.client)->profile, w->profile);
    }
    rig_close(&r);
}

/* ---- one quote, many sessions ------------------------------------------------------------------------------------ */

/* A session of the crowd: everything of the first rig but the SSLs and the sessions. */
static void join(rig *r, const rig *host, const atls_attester *attester)
{
    *r = *host;
    r->server_options.attester = (atls_attester *)(uintptr_t)attester;
    r->client = NULL;
    r->server = NULL;
    rig_start(r, NULL);
    while (r->server_step != ATLS_STEP_WANT_EVIDENCE) {
        assert_int_not_equal(r->client_step = atls_session_step(r->client, &r->client_err), ATLS_STEP_FAILED);
        assert_int_not_equal(r->server_step = atls_session_step(r->server, &r->server_err), ATLS_STEP_FAILED);
    }
}

static void leave(rig *r)
{
    atls_session_free(r->client);
    atls_session_free(r->server);
    SSL_free(r->client_ssl);
    SSL_free(r->server_ssl);
}

/* The first session gets the first quote; everybody who asked meanwhile shares the second. */
static void crowd(size_t n)
{
    rig host;
    rig_open(&host);
    rig_native(&host);
    gate g = GATE_OF(host.sim);
    atls_attester *attester;
    const atls_attester_options options = {.attest = attest_behind_gate, .attest_ctx = &g};
    host.server_options.attest = NULL;
    host.client_options.arena_size = 1024 * 1024;
    assert_true(atls_attester_new(&options, &attester, &host.err));
    rig *all = calloc(n, sizeof *all);
    assert_non_null(all);
    for (size_t i = 0; i < n; i++) {
        join(&all[i], &host, attester);
    }
    open_gate(&g);
    for (size_t i = 0; i < n; i++) {
        rig_run_to_end(&all[i]);
        rig_expect_established(&all[i]);
        expect_accepted(atls_session_result(all[i].client));
        leave(&all[i]);
    }
    const atls_attester_counts counts = atls_attester_count(attester);
    assert_int_equal(counts.answered, n);
    assert_int_equal(counts.quotes, n == 1 ? 1 : 2);
    free(all);
    atls_attester_free(attester);
    rig_close(&host);
}

/* dstack's binding has no place in a tree: each session gets a quote of its own, from the same attester. */
static void test_dstack_attester(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    atls_attester *attester;
    const atls_attester_options options = {.attest = sim_attest, .attest_ctx = r.sim};
    assert_true(atls_attester_new(&options, &attester, &r.err));
    r.server_options.attest = NULL;
    r.server_options.attester = attester;
    r.server_options.profiles = 0;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    assert_string_equal(atls_session_result(r.client)->profile, "dstack");
    rig_close(&r);
    assert_int_equal(atls_attester_count(attester).quotes, 1);
    atls_attester_free(attester);
}

static void test_dstack_attester_fails(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    atls_attester *attester;
    const atls_attester_options options = {.attest = attest_nothing};
    assert_true(atls_attester_new(&options, &attester, &r.err));
    r.server_options.attest = NULL;
    r.server_options.attester = attester;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_client(&r, ATLS_E_IO, "response.status");
    assert_string_equal(r.server_err.field, "agent");
    rig_close(&r);
    atls_attester_free(attester);
}

static void test_alone(void **state)
{
    (void)state;
    crowd(1);
}

static void test_crowd(void **state)
{
    (void)state;
    crowd(50);
}

static void test_thousand(void **state)
{
    (void)state;
    crowd(1001);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "the server proves itself", test_server, NULL);
    tap_add(&l, "both prove themselves", test_mutual, NULL);
    tap_add(&l, "both, and the client has a certificate", test_mutual_certificate, NULL);
    tap_add(&l, "a client's certificate that was not asked for", test_certificate_not_asked, NULL);
    tap_add(&l, "a client without a name, and a policy that wants one", test_nameless_client, NULL);
    tap_add(&l, "the client alone proves itself", test_client_only, NULL);
    tap_add(&l, "byte by byte", test_byte_by_byte, NULL);
    tap_add(&l, "across a HelloRetryRequest and a key update", test_retry_and_update, NULL);
    for (size_t i = 0; i < sizeof protocol_rows / sizeof protocol_rows[0]; i++) {
        tap_add(&l, protocol_rows[i].name, test_protocols, &protocol_rows[i]);
    }
    for (size_t i = 0; i < sizeof bad_names_rows / sizeof bad_names_rows[0]; i++) {
        tap_add(&l, bad_names_rows[i].name, test_bad_names, &bad_names_rows[i]);
    }
    tap_add(&l, "a refused server is told a category", test_server_refused, NULL);
    tap_add(&l, "a refused client is told a category, and has no result", test_client_refused, NULL);
    tap_add(&l, "a server without evidence says nothing of why", test_no_evidence, NULL);
    for (size_t i = 0; i < sizeof choice_rows / sizeof choice_rows[0]; i++) {
        tap_add(&l, choice_rows[i].name, test_choice, &choice_rows[i]);
    }
    tap_add(&l, "a session outlives its proof by no more than the policy says", test_age, NULL);
    tap_add(&l, "one session under one quote, made in another thread", test_alone, NULL);
    tap_add(&l, "those who asked meanwhile share a quote", test_crowd, NULL);
    tap_add(&l, "dstack with an attester of its own thread", test_dstack_attester, NULL);
    tap_add(&l, "dstack with an attester that fails", test_dstack_attester_fails, NULL);
    if (getenv("ATLS_TEST_QUICK") == NULL) {
        tap_add(&l, "a thousand sessions under one quote", test_thousand, NULL);
    }
    return tap_run("native", &l);
}
