/* SPDX-License-Identifier: Apache-2.0 */
/* test_possible.c: the attacks of docs/threat-model.md that a profile, or a policy, does not stop. Each is carried out against
 * the real client, and succeeds: so the grade and `attested_only` of its result are honest names. Beside each stands what
 * would have stopped it. */
#include "pair.h"
#include "rig.h"

#include <openssl/err.h>

#define PPID        "00112233445566778899aabbccddeeff"
#define OTHER       "ffeeddccbbaa99887766554433221100"
#define MIDDLE_NAME "middle.example.com"

#define ATTESTED_ONLY "\"attested_only\":true,"
#define MACHINES      "\"machines\":[\"" PPID "\"],"

/* ---- behind the handshake: atls/1 and dstack ------------------------------------------------------------------------ */

/* Who answers in the place of the machine that the client means, and what the client asks for. */
typedef struct row {
    const char *name;
    const char *policy; /* put into the client's */
    const char *ppid;   /* of the hardware whose key signs */
    bool is_named;      /* the client wants the ordinary identity, too */
    bool has_tls_key; /* the attacker has the machine's TLS key; else one of his own, with a certificate for his name */
    bool is_measured; /* what signs has his certificate in its log */
    atls_code code;   /* ATLS_OK: it is possible */
    const char *field;
} row;

#define STOPPED_BY_LIST     ATLS_E_MACHINE_NOT_ALLOWED, "pck.sgx_extension.ppid"
#define STOPPED_BY_IDENTITY ATLS_E_IDENTITY, "certificate.subject_alt_name"
#define STOPPED_BY_EVENT    ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG, "event_log.New TLS Certificate"
#define POSSIBLE            ATLS_OK, ""

/* The attacker's process has no more of the machine than a way to have bytes quoted: an agent inside that asks no question,
 * or the attestation key itself. To a verifier these are the same. */
static const row rows[] = {
    {"diversion: another genuine machine, no name asked for", ATTESTED_ONLY, OTHER, false, false, true, POSSIBLE},
    {"diversion: the name stops it", "", OTHER, true, false, true, STOPPED_BY_IDENTITY},
    {"diversion: a list of machines stops it", ATTESTED_ONLY MACHINES, OTHER, false, false, true, STOPPED_BY_LIST},
    {"an image with a key of its host: the key on another machine", "", OTHER, true, true, true, POSSIBLE},
    {"an image with a key of its host: a list of machines stops it", MACHINES, OTHER, true, true, true,
     STOPPED_BY_LIST},
    {"attestation key or raw agent, and no name asked for", ATTESTED_ONLY MACHINES, PPID, false, false, true, POSSIBLE},
    {"attestation key or raw agent: the name stops it", MACHINES, PPID, true, false, true, STOPPED_BY_IDENTITY},
    {"raw agent: the log, which it cannot write, stops it", ATTESTED_ONLY MACHINES, PPID, false, false, false,
     STOPPED_BY_EVENT},
    {"attestation key or raw agent, and the TLS key: both locks", MACHINES, PPID, true, true, true, POSSIBLE},
};

/* Quotes whatever it is given. */
typedef struct agent {
    sim *room;
    unsigned n_quoted;
} agent;

static bool quote_anything(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err)
{
    agent *a = ctx;
    a->n_quoted++;
    return sim_attest(a->room, report_data, arena, out, err);
}

static sim *open_room(const char *ppid)
{
    char setting[64];
    atls_error err = {0};
    sim *room = NULL;
    (void)snprintf(setting, sizeof setting, "pck.ppid=%s", ppid);
    const char *const settings[] = {setting, "tls.key=the attacker's", NULL};
    assert_true(sim_new(&(sim_options){.settings = settings}, &room, &err));
    return room;
}

/* The attacker's end of TLS: outside of the machine that the client means. */
static void take_the_line(rig *r, const row *w, sim *room)
{
    sim_tls own = r->tls;
    if (!w->has_tls_key) {
        const char *name = w->is_named ? MIDDLE_NAME : RIG_NAME; /* anybody can write any name there */
        assert_true(sim_tls_identity(room, name, &r->arena, &own, &r->err));
        SSL_CTX_free(r->server_ctx);
        r->server_ctx = rig_context(true, &own);
    }
    if (w->is_measured) {
        assert_true(sim_measure_certificate(room, own.leaf_der, &r->err));
    } else { /* what the image serves with */
        assert_true(sim_measure_certificate(room, r->tls.leaf_der, &r->err));
    }
}

static void expect_session(rig *r, const row *w, unsigned profile)
{
    const atls_result *result = atls_session_result(r->client);
    rig_expect_established(r);
    assert_non_null(result);
    assert_int_equal(result->verdict, ATLS_VERDICT_ACCEPTED);
    assert_int_equal(result->grade, profile == ATLS_PROFILE_NATIVE ? ATLS_GRADE_SESSION : ATLS_GRADE_EXPORTER);
    assert_int_equal(result->attested_only, !w->is_named);
    rig_say(r->client, r->server, "what was meant for the machine");
    rig_say(r->server, r->client, "and what was not from it");
}

static void run(const row *w, unsigned profile)
{
    rig r;
    agent a = {.room = open_room(w->ppid)};
    rig_open(&r);
    rig_policy(&r, w->policy);
    r.client_options.identity = w->is_named ? ATLS_IDENTITY_CA : ATLS_IDENTITY_ATTESTED_ONLY;
    take_the_line(&r, w, a.room);
    r.server_options.attest = quote_anything;
    r.server_options.attest_ctx = &a;
    if (profile == ATLS_PROFILE_NATIVE) {
        rig_native(&r);
    }
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    if (w->code == ATLS_OK) {
        assert_int_equal(a.n_quoted, 1);
        expect_session(&r, w, profile);
    } else {
        rig_expect_client(&r, w->code, w->field);
    }
    rig_close(&r);
    sim_free(a.room);
}

static void test_native(void **state)
{
    run(*state, ATLS_PROFILE_NATIVE);
}

static void test_dstack(void **state)
{
    run(*state, ATLS_PROFILE_DSTACK);
}

/* ---- inside the handshake: constellation ------------------------------------------------------------------------------ */

#define KEY_FRESH "\"min_grade\":\"key_fresh\",\"attested_only\":true,"

static void expect_key_fresh(const pair_end *client)
{
    const atls_result *result = NULL;
    atls_error err = {0};
    pair_expect_done(client);
    pair_expect_accepted(client);
    assert_true(atls_hook_result(client->ssl, &result, &err));
    assert_int_equal(result->grade, ATLS_GRADE_KEY_FRESH);
}

/* The leg to the honest machine, opened with the client's own nonce while the client waits. The machine's key lives for one
 * handshake, and leaks during it. */
static int relay_certificate(SSL *ssl, void *arg)
{
    pair *far = arg;
    far->client.name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    pair_ssl(far);
    assert_int_equal(SSL_do_handshake(far->client.ssl), -1);
    assert_int_equal(SSL_do_handshake(far->server.ssl), -1);
    EVP_PKEY *leaked = EVP_PKEY_dup(SSL_get_privatekey(far->server.ssl));
    assert_non_null(leaked);
    ERR_clear_error();
    pair_run(far);
    pair_expect_done(&far->client);
    assert_int_equal(SSL_use_cert_and_key(ssl, SSL_get0_peer_certificate(far->client.ssl), leaked, NULL, 1), 1);
    EVP_PKEY_free(leaked);
    return 1;
}

static int believe(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

/* The client talks to the middle-man, the middle-man to the machine, and the client's result is a yes. */
static void test_relay(void **state)
{
    pair near;
    pair far;
    (void)state;
    pair_open(&near);
    pair_tdx(&near, KEY_FRESH);
    pair_open(&far);
    pair_tdx(&far, KEY_FRESH);
    far.client.ordinary = true;
    far.client.ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_cert_verify_callback(far.client.ctx, believe, NULL);
    near.server.ordinary = true;
    near.server.ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_cert_cb(near.server.ctx, relay_certificate, &far);
    pair_start(&near);
    expect_key_fresh(&near.client);
    pair_say(&near.client, &near.server); /* read by the middle-man */
    assert_int_equal(near.server.code, SSL_ERROR_NONE);
    pair_say(&far.client, &far.server); /* and handed on */
    assert_int_equal(far.server.code, SSL_ERROR_NONE);
    assert_int_equal(far.n_attested, 1);
    assert_int_equal(near.n_attested, 0);
    pair_close(&near);
    pair_close(&far);
}

typedef struct key_row {
    const char *name;
    const char *policy;
    const char *ppid;
    bool is_hand_made; /* the certificate, by somebody who can have bytes quoted: no second lock */
    atls_code code;
    const char *field;
} key_row;

static const key_row key_rows[] = {
    {"constellation, diversion: another genuine machine", KEY_FRESH, OTHER, false, POSSIBLE},
    {"constellation, diversion: a list of machines stops it", KEY_FRESH MACHINES, OTHER, false, STOPPED_BY_LIST},
    {"constellation, attestation key or raw agent", KEY_FRESH MACHINES, PPID, true, POSSIBLE},
};

static void test_key(void **state)
{
    static const pair_lie none = {0};
    const key_row *w = *state;
    pair p;
    pair_open(&p);
    pair_tdx(&p, w->policy);
    sim *policy_room = p.room;
    p.room = open_room(w->ppid); /* what pair_attest quotes with */
    p.client.hook.endorse_ctx = policy_room;
    p.server.lie = w->is_hand_made ? &none : NULL;
    pair_start(&p);
    if (w->code == ATLS_OK) {
        expect_key_fresh(&p.client);
    } else {
        pair_expect_refused(&p.client, w->code, w->field);
    }
    pair_close(&p);
    sim_free(policy_room);
}

int main(void)
{
    static char names[2 * sizeof rows / sizeof rows[0]][96];
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(names[2 * i], sizeof names[0], "atls/1, %s", rows[i].name);
        (void)snprintf(names[2 * i + 1], sizeof names[0], "dstack, %s", rows[i].name);
        tap_add(&l, names[2 * i], test_native, &rows[i]);
        tap_add(&l, names[2 * i + 1], test_dstack, &rows[i]);
    }
    tap_add(&l, "constellation, relay with the machine's leaked key", test_relay, NULL);
    for (size_t i = 0; i < sizeof key_rows / sizeof key_rows[0]; i++) {
        tap_add(&l, key_rows[i].name, test_key, &key_rows[i]);
    }
    return tap_run("possible", &l);
}
