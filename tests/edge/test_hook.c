/* SPDX-License-Identifier: Apache-2.0 */
/* test_hook.c: hooked handshakes: who verifies whom, server_name, the acceptable CA, HelloRetryRequest, and programs that
 * change what the hook has set. */
#include "pair.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#define KEY_FRESH "\"min_grade\":\"key_fresh\",\"attested_only\":true,"

/* ---- the table of section 6 -------------------------------------------------------------------------------------- */

typedef struct role_row {
    const char *name;
    bool client_issues, client_verifies, server_issues, server_verifies;
    bool client_done, server_done;
    atls_code client_says, server_says; /* of atls_hook_result */
} role_row;

static const role_row roles[] = {
    {"server attested", false, true, true, false, true, true, ATLS_OK, ATLS_E_USAGE},
    {"nothing verified", false, false, true, false, true, true, ATLS_E_USAGE, ATLS_E_USAGE},
    {"client attested", true, false, false, true, true, true, ATLS_E_USAGE, ATLS_OK},
    {"mutual", true, true, true, true, true, true, ATLS_OK, ATLS_OK},
    {"client attested, server unverified", true, false, true, true, true, true, ATLS_E_USAGE, ATLS_OK},
    {"a server without documents", false, true, false, true, false, false, ATLS_E_UNSUPPORTED, ATLS_E_PEER_REFUSED},
    {"a client without documents", false, true, true, true, true, false, ATLS_OK, ATLS_E_UNSUPPORTED},
};

static void set_role(pair *p, const role_row *row)
{
    pair_mutual(p);
    p->client.hook.issues = row->client_issues ? p->variant : NULL;
    p->client.hook.n_accepts = row->client_verifies ? 1 : 0;
    p->server.hook.issues = row->server_issues ? p->variant : NULL;
    p->server.hook.n_accepts = row->server_verifies ? 1 : 0;
}

static void expect_says(const pair_end *e, atls_code code)
{
    const atls_result *result;
    atls_error err = {.code = ATLS_OK};
    assert_int_equal(atls_hook_result(e->ssl, &result, &err), code == ATLS_OK);
    assert_string_equal(atls_code_name(err.code), atls_code_name(code));
}

static void plays_roles(void **state)
{
    const role_row *row = *state;
    pair p;
    pair_open(&p);
    set_role(&p, row);
    pair_start(&p);
    assert_int_equal(p.client.code == SSL_ERROR_NONE, row->client_done);
    assert_int_equal(p.server.code == SSL_ERROR_NONE, row->server_done);
    expect_says(&p.client, row->client_says);
    expect_says(&p.server, row->server_says);
    if (row->client_done && row->server_done) {
        pair_say(&p.server, &p.client);
        pair_say(&p.client, &p.server);
        assert_int_equal(p.client.code, SSL_ERROR_NONE);
        assert_int_equal(p.server.code, SSL_ERROR_NONE);
    }
    pair_close(&p);
}

/* ---- who accepted whom ------------------------------------------------------------------------------------------- */

static void expect_peer(const pair_end *e, atls_code code, const char *field)
{
    atls_error err = {.code = ATLS_OK};
    assert_int_equal(atls_hook_peer_accepted(e->ssl, &err), code == ATLS_OK);
    pair_expect_error(&err, code, field);
}

static void a_client_learns_from_data(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    pair_mutual(&p);
    pair_start(&p);
    pair_expect_accepted(&p.client);
    pair_expect_accepted(&p.server);
    expect_peer(&p.server, ATLS_OK, "");
    expect_peer(&p.client, ATLS_E_TLS_HANDSHAKE, "tls.application_data");
    pair_say(NULL, &p.client); /* nothing to read */
    assert_int_equal(p.client.code, SSL_ERROR_WANT_READ);
    expect_peer(&p.client, ATLS_E_TLS_HANDSHAKE, "tls.application_data");
    assert_int_equal(SSL_key_update(p.server.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    assert_int_equal(SSL_do_handshake(p.server.ssl), 1); /* a record, but no data */
    pair_say(NULL, &p.client);
    expect_peer(&p.client, ATLS_E_TLS_HANDSHAKE, "tls.application_data");
    pair_say(&p.server, &p.client);
    assert_int_equal(p.client.code, SSL_ERROR_NONE);
    expect_peer(&p.client, ATLS_OK, "");
    pair_close(&p);
}

/* Its handshake is complete, its own verdict of the server stands, and it is refused. */
static void a_refused_client_is_never_accepted(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    pair_mutual(&p);
    p.client.hook.issues = NULL;
    pair_start(&p);
    pair_expect_done(&p.client);
    pair_expect_accepted(&p.client);
    expect_peer(&p.client, ATLS_E_TLS_HANDSHAKE, "tls.application_data");
    pair_say(NULL, &p.client);
    assert_int_equal(p.client.code, SSL_ERROR_SSL);
    assert_int_equal(p.client.alert, SSL_AD_BAD_CERTIFICATE);
    expect_peer(&p.client, ATLS_E_PEER_REFUSED, "tls.alert");
    pair_expect_refused(&p.server, ATLS_E_UNSUPPORTED, "certificate.tbs.extensions");
    expect_peer(&p.server, ATLS_E_UNSUPPORTED, "certificate.tbs.extensions");
    pair_close(&p);
}

static void a_client_that_is_not_asked_knows_at_once(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    pair_ssl(&p);
    expect_peer(&p.client, ATLS_E_USAGE, "ssl");
    pair_expect_refused(&p.client, ATLS_E_USAGE, "ssl");
    assert_int_equal(SSL_do_handshake(p.client.ssl), -1); /* the ClientHello is out */
    pair_expect_refused(&p.client, ATLS_E_TLS_HANDSHAKE, "tls.handshake");
    expect_peer(&p.client, ATLS_E_TLS_HANDSHAKE, "tls.handshake");
    pair_run(&p);
    expect_peer(&p.client, ATLS_OK, "");
    expect_peer(&p.server, ATLS_OK, "");
    assert_true(p.client.n_info > 0 && p.server.n_info > 0); /* the callbacks that were there before */
    assert_int_equal(atls_hook_wait_fd(p.client.ssl), -1);
    pair_close(&p);
}

/* The client refuses: the server has verified nobody, and says what the client said. */
static void a_server_tells_the_alert(void **state)
{
    static const role_row row = {.client_verifies = true};
    pair p;
    (void)state;
    pair_open(&p);
    set_role(&p, &row);
    p.server.hook.n_accepts = 0;
    pair_start(&p);
    pair_expect_refused(&p.server, ATLS_E_PEER_REFUSED, "tls.alert");
    expect_peer(&p.server, ATLS_E_PEER_REFUSED, "tls.alert");
    assert_int_equal(p.server.alert, SSL_AD_BAD_CERTIFICATE);
    pair_close(&p);
}

/* ---- server_name ------------------------------------------------------------------------------------------------- */

typedef struct sni_row {
    const char *name;
    const char *text;
    bool accepted;
} sni_row;

static const sni_row server_names[] = {
    {"a nonce", NULL, true},
    {"no server_name", "", false},
    {"a short one", "abcd", false},
    {"a host", "example.com", false},
    {"44 characters that are no base64", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com", false},
    {"33 bytes", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", false},
};

static int believe(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

static void make_ordinary(pair_end *e, bool is_server)
{
    e->ordinary = true;
    e->ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    SSL_CTX_set_cert_verify_callback(e->ctx, believe, NULL);
}

static void reads_server_name(void **state)
{
    const sni_row *row = *state;
    pair p;
    pair_open(&p);
    make_ordinary(&p.client, false);
    p.client.name = row->text;
    pair_start(&p);
    assert_int_equal(p.client.code == SSL_ERROR_NONE, row->accepted);
    if (!row->accepted) {
        assert_int_equal(p.client.alert, SSL_AD_UNRECOGNIZED_NAME);
        assert_int_equal(p.n_attested, 0);
        pair_expect_refused(&p.server, ATLS_E_PROTOCOL, "tls.server_name");
    }
    pair_close(&p);
}

/* A server that proves nothing need not know a nonce. */
static void a_server_without_documents_takes_any_name(void **state)
{
    static const pair_lie honest = {0};
    pair p;
    (void)state;
    pair_open(&p);
    pair_mutual(&p);
    p.server.hook.issues = NULL;
    p.client.lie = &honest;
    p.client.name = "example.com";
    pair_start(&p);
    pair_expect_done(&p.client);
    pair_expect_accepted(&p.server);
    pair_close(&p);
}

/* ---- HelloRetryRequest ------------------------------------------------------------------------------------------- */

static void force_retry(pair *p)
{
    assert_int_equal(SSL_set1_groups_list(p->client.ssl, "X25519:P-384"), 1);
    assert_int_equal(SSL_set1_groups_list(p->server.ssl, "P-384"), 1);
}

static void survives_a_retry(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    pair_mutual(&p);
    pair_ssl(&p);
    force_retry(&p);
    pair_run(&p);
    pair_expect_done(&p.client);
    pair_expect_accepted(&p.client);
    pair_expect_accepted(&p.server);
    assert_int_equal(p.n_attested, 2); /* one quote an end, although the server was asked twice */
    pair_close(&p);
}

/* Changes server_name once the HelloRetryRequest is there. arg: the text. */
static void rename_on_retry(int write_p, int version, int type, const void *buf, size_t len, SSL *ssl, void *arg)
{
    (void)version;
    if (write_p == 0 && type == SSL3_RT_HANDSHAKE && len > 0 && *(const uint8_t *)buf == SSL3_MT_SERVER_HELLO) {
        assert_int_equal(SSL_set_tlsext_host_name(ssl, arg), 1);
    }
}

static void compares_the_second_name(void **state)
{
    static char other[] = "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8=";
    pair p;
    (void)state;
    pair_open(&p);
    make_ordinary(&p.client, false);
    SSL_CTX_set_msg_callback(p.client.ctx, rename_on_retry);
    SSL_CTX_set_msg_callback_arg(p.client.ctx, other);
    pair_ssl(&p);
    force_retry(&p);
    pair_run(&p);
    assert_int_equal(p.client.alert, SSL_AD_UNRECOGNIZED_NAME);
    pair_expect_refused(&p.server, ATLS_E_PROTOCOL, "tls.server_name");
    pair_close(&p);
}

/* ---- acceptable CA ----------------------------------------------------------------------------------------------- */

#define NONCE "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8="

typedef struct ca_row {
    const char *name;
    const char *texts[2]; /* common names; NULL: none */
    int type;
    const char *organization; /* one more RDN */
    bool same_set;            /* as a second attribute of the first RDN */
    const char *field;        /* NULL: accepted */
} ca_row;

#define CA "certificate_authorities"
static const ca_row authorities[] = {
    {"PrintableString", {NONCE, NULL}, V_ASN1_PRINTABLESTRING, NULL, false, NULL},
    {"UTF8String", {NONCE, NULL}, V_ASN1_UTF8STRING, NULL, false, NULL},
    {"IA5String", {NONCE, NULL}, V_ASN1_IA5STRING, NULL, false, NULL},
    {"T61String", {NONCE, NULL}, V_ASN1_T61STRING, NULL, false, CA ".value"},
    {"no name", {NULL, NULL}, V_ASN1_PRINTABLESTRING, NULL, false, CA},
    {"two names", {NONCE, NONCE}, V_ASN1_PRINTABLESTRING, NULL, false, CA},
    {"a real CA", {"Example Root CA", NULL}, V_ASN1_PRINTABLESTRING, NULL, false, CA ".value"},
    {"three bytes", {"abcd", NULL}, V_ASN1_PRINTABLESTRING, NULL, false, CA ".value"},
    {"a second RDN", {NONCE, NULL}, V_ASN1_PRINTABLESTRING, "Example", false, CA},
    {"a second attribute", {NONCE, NULL}, V_ASN1_PRINTABLESTRING, "Example", true, CA},
};

static void add_name(STACK_OF(X509_NAME) * names, const ca_row *row, const char *text)
{
    X509_NAME *name = X509_NAME_new();
    assert_int_equal(
        X509_NAME_add_entry_by_NID(name, NID_commonName, row->type, (const unsigned char *)text, -1, -1, 0), 1);
    if (row->organization != NULL) {
        assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_organizationName, V_ASN1_PRINTABLESTRING,
                                                    (const unsigned char *)row->organization, -1, -1,
                                                    row->same_set ? -1 : 0),
                         1);
    }
    assert_true(sk_X509_NAME_push(names, name) > 0);
}

static void reads_authorities(void **state)
{
    static const pair_lie bare = {.no_extension = true};
    const ca_row *row = *state;
    pair p;
    pair_open(&p);
    pair_mutual(&p);
    p.client.hook.n_accepts = 0; /* the server proves nothing here */
    p.server.lie = &bare;
    pair_ssl(&p);
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    for (size_t i = 0; i < 2 && row->texts[i] != NULL; i++) {
        add_name(names, row, row->texts[i]);
    }
    SSL_set_client_CA_list(p.server.ssl, names);
    SSL_set_verify(p.server.ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    pair_run(&p);
    if (row->field == NULL) {
        pair_expect_done(&p.client);
        pair_expect_done(&p.server);
        assert_memory_equal(atls_hooked_of(p.client.ssl)->peer_nonce, "\xa0\xa1\xa2", 3);
    } else {
        assert_int_equal(p.client.code, SSL_ERROR_SSL);
        assert_int_equal(p.server.alert, SSL_AD_INTERNAL_ERROR);
        assert_int_equal(p.n_attested, 1); /* by the server */
        pair_expect_refused(&p.client, ATLS_E_PROTOCOL, row->field);
    }
    pair_close(&p);
}

/* ---- failures of our own ----------------------------------------------------------------------------------------- */

static bool attest_fails(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                         atls_error *err)
{
    (void)report_data;
    (void)arena;
    (void)out;
    return ctx == NULL ? false : atls_fail(err, ATLS_E_IO, "device", "no quote today");
}

static void says_why_it_has_no_evidence(void **state)
{
    pair p;
    for (int with_reason = 0; with_reason <= 1; with_reason++) {
        pair_open(&p);
        p.server.hook.attest = attest_fails;
        p.server.hook.attest_ctx = with_reason == 1 ? &p : NULL;
        pair_start(&p);
        assert_int_equal(p.client.alert, SSL_AD_INTERNAL_ERROR); /* and no detail */
        pair_expect_refused(&p.server, with_reason == 1 ? ATLS_E_IO : ATLS_E_INTERNAL,
                            with_reason == 1 ? "device" : "attest");
        pair_expect_refused(&p.client, ATLS_E_PEER_REFUSED, "tls.alert");
        pair_close(&p);
    }
    (void)state;
}

/* ---- whoever never sees the SSL of a failed connection ----------------------------------------------------------- */

typedef struct told {
    unsigned n;
    bool with_result;
    atls_error why;
} told;

static void hear(void *ctx, const atls_result *result, const atls_error *why)
{
    told *t = ctx;
    t->n++;
    t->with_result = result != NULL;
    t->why = *why;
}

static void tells_once_why(void **state)
{
    static const pair_lie other_key = {.other_key = true};
    static const pair_lie none = {.no_certificate = true};
    told client = {0};
    told server = {0};
    pair p;
    (void)state;
    for (int round = 0; round < 4; round++) {
        pair_open(&p);
        pair_mutual(&p);
        client = (told){0};
        server = (told){0};
        p.client.hook.refused = hear;
        p.client.hook.refused_ctx = &client;
        p.server.hook.refused = hear;
        p.server.hook.refused_ctx = &server;
        p.server.lie = round == 1 ? &other_key : NULL;
        p.client.lie = round == 2 ? &none : NULL;
        if (round == 3) {
            make_ordinary(&p.client, false);
            p.client.name = "example.com";
        }
        pair_start(&p);
        assert_int_equal(client.n, round == 1 ? 1 : 0);
        assert_int_equal(server.n, round >= 2 ? 1 : 0);
        if (round == 1) {
            pair_expect_error(&client.why, ATLS_E_REPORT_DATA_MISMATCH, "document.UserData");
            assert_false(client.with_result); /* the evidence was accepted, and is not for this key */
        } else if (round == 2) {
            pair_expect_error(&server.why, ATLS_E_MISSING_CERTIFICATE, "certificate");
        } else if (round == 3) {
            pair_expect_error(&server.why, ATLS_E_PROTOCOL, "tls.server_name");
        }
        pair_close(&p);
    }
}

/* A variant that says yes without an appraisal that accepts is not believed. */
static bool check_nothing(const atls_hook *hook, const atls_variant_input *in, atls_arena *arena, uint8_t user_data[32],
                          atls_result *result, atls_error *err)
{
    bool ok = pair_dummy()->check(hook, in, arena, user_data, result, err);
    result->verdict = ATLS_VERDICT_UNDECIDED;
    return ok;
}

static void needs_a_verdict(void **state)
{
    atls_variant silent = *pair_dummy();
    pair p;
    (void)state;
    silent.check = check_nothing;
    pair_open(&p);
    p.client.hook.accepts[0] = &silent;
    pair_start(&p);
    assert_int_equal(p.client.code, SSL_ERROR_SSL);
    pair_expect_refused(&p.client, ATLS_E_INTERNAL, "result");
    pair_close(&p);
}

/* ---- TDX --------------------------------------------------------------------------------------------------------- */

static void attests_a_machine(void **state)
{
    const atls_result *result;
    pair p;
    (void)state;
    pair_open(&p);
    pair_tdx(&p, KEY_FRESH);
    pair_mutual(&p);
    pair_start(&p);
    pair_expect_accepted(&p.client);
    pair_expect_accepted(&p.server);
    assert_true(atls_hook_result(p.client.ssl, &result, &p.err));
    assert_string_equal(result->profile, "constellation");
    assert_int_equal(result->grade, ATLS_GRADE_KEY_FRESH);
    assert_true(result->runtime_verified);
    assert_int_equal(result->claims.platform, ATLS_PLATFORM_TDX);
    pair_close(&p);
}

/* Genuine, fresh, and another image: every failed check is in the result. */
static void refuses_another_image(void **state)
{
    const atls_result *result;
    atls_error err = {.code = ATLS_OK};
    told told_why = {0};
    pair p;
    (void)state;
    pair_open(&p);
    pair_tdx(&p, KEY_FRESH "\"rtmr1\":\""
                           "000000000000000000000000000000000000000000000000"
                           "000000000000000000000000000000000000000000000000\",");
    p.client.hook.refused = hear;
    p.client.hook.refused_ctx = &told_why;
    pair_start(&p);
    assert_true(told_why.n == 1 && told_why.with_result);
    assert_false(atls_hook_result(p.client.ssl, &result, &err));
    assert_string_equal(atls_code_name(err.code), "MEASUREMENT_MISMATCH");
    assert_non_null(result);
    assert_int_equal(result->verdict, ATLS_VERDICT_REJECTED);
    assert_true(result->n_checks > 0);
    assert_true(result->attested_only);
    assert_int_equal(p.server.alert, SSL_AD_BAD_CERTIFICATE);
    pair_close(&p);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        tap_add(&l, roles[i].name, plays_roles, &roles[i]);
    }
    tap_add(&l, "a client learns from data that it is accepted", a_client_learns_from_data, NULL);
    tap_add(&l, "a refused client is never accepted", a_refused_client_is_never_accepted, NULL);
    tap_add(&l, "a client that is not asked knows at once", a_client_that_is_not_asked_knows_at_once, NULL);
    tap_add(&l, "a server tells the alert", a_server_tells_the_alert, NULL);
    for (size_t i = 0; i < sizeof server_names / sizeof server_names[0]; i++) {
        tap_add(&l, server_names[i].name, reads_server_name, &server_names[i]);
    }
    tap_add(&l, "a server without documents takes any name", a_server_without_documents_takes_any_name, NULL);
    tap_add(&l, "a HelloRetryRequest costs no second quote", survives_a_retry, NULL);
    tap_add(&l, "another nonce in the second ClientHello", compares_the_second_name, NULL);
    for (size_t i = 0; i < sizeof authorities / sizeof authorities[0]; i++) {
        tap_add(&l, authorities[i].name, reads_authorities, &authorities[i]);
    }
    tap_add(&l, "no evidence, with and without a reason", says_why_it_has_no_evidence, NULL);
    tap_add(&l, "a program is told why, once", tells_once_why, NULL);
    tap_add(&l, "no yes without a verdict", needs_a_verdict, NULL);
    tap_add(&l, "TDX: mutual", attests_a_machine, NULL);
    tap_add(&l, "TDX: another image", refuses_another_image, NULL);
    return tap_run("hook", &l);
}
