/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrolled_session.c: sessions in which an enclave proves itself and a phone shows the certificate of an enrolled key: who
 * comes in, who does not, and that nobody is established before the server has said so. */
#include "net.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "atls/hooks.h"
#include "enrol/authority.h"
#include "native_peer.h"
#include "pki/cert.h"

typedef struct scene {
    net n;
    authority a;
    atls_arena arena;
    atls_error err;
    char chain_file[64];
    char key_file[64];
    char ca_file[64];
    const char *members;
    bool no_certificate;
    bool other_root; /* the policy names another authority */
    bool lies;       /* the client shows a chain whose key it does not hold */
    bool tls_ca;     /* client_ca_file, too */
    bool tls_other;  /* and it is another one */
    bool revoked;
    atls_bytes root;
    atls_bytes crl;
    atls_policy *policy;
    atls_verifier *verifier;
} scene;

/* ---- making ---- */

static void scene_open(scene *s)
{
    *s = (scene){.members = "\"applications\":[\"" AUTHORITY_APP "\"]"};
    assert_true(atls_arena_new(&s->arena, (size_t)4 * 1024 * 1024, &s->err));
    authority_open(&s->a);
    net_open(&s->n, NULL);
    rig_native(&s->n.rig);
    s->n.client.profiles = ATLS_PROFILE_NATIVE;
    s->n.server.profiles = ATLS_PROFILE_NATIVE;
    s->n.server.now = AUTHORITY_NOW;
    s->n.serve = net_accept;
}

static void scene_close(scene *s)
{
    (void)unlink(s->chain_file);
    (void)unlink(s->key_file);
    (void)unlink(s->ca_file);
    net_close(&s->n);
    atls_verifier_free(s->verifier);
    atls_policy_free(s->policy);
    authority_close(&s->a);
    atls_arena_free(&s->arena);
}

/* ECPrivateKey with one key's number and another one's point: OpenSSL takes the two for a pair. */
static atls_bytes liars_key(EVP_PKEY *own, EVP_PKEY *others, atls_arena *arena)
{
    static const uint8_t head[] = {0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20};
    static const uint8_t mid[] = {0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                  0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00};
    uint8_t der[121];
    atls_error err = {0};
    atls_bytes pem;
    BIGNUM *d = NULL;
    size_t len = 0;
    memcpy(der, head, sizeof head);
    assert_int_equal(EVP_PKEY_get_bn_param(own, OSSL_PKEY_PARAM_PRIV_KEY, &d), 1);
    assert_int_equal(BN_bn2binpad(d, der + sizeof head, 32), 32);
    BN_clear_free(d);
    memcpy(der + sizeof head + 32, mid, sizeof mid);
    assert_int_equal(EVP_PKEY_get_octet_string_param(others, OSSL_PKEY_PARAM_PUB_KEY, der + 56, 65, &len), 1);
    assert_int_equal(len, 65);
    assert_true(atls_pem_encode(atls_bytes_of(der, sizeof der), "EC PRIVATE KEY", arena, &pem, &err));
    return pem;
}

static void make_files(scene *s)
{
    const atls_bytes ders[] = {authority_cert(&s->a.phone, &s->arena), authority_cert(&s->a.ca, &s->arena), s->root};
    rig_file(s->chain_file, authority_pem(ders, 3, &s->arena));
    rig_file(s->key_file, s->lies ? liars_key(s->a.other_key, s->a.phone_key, &s->arena)
                                  : authority_key_pem(s->a.phone_key, &s->arena));
    rig_file(s->ca_file, authority_pem(&s->root, 1, &s->arena));
    s->crl = authority_crl("enrolment CA", s->a.ca_key, ders[1], 7, -DAY, DAY, &s->arena);
}

static void make_policy(scene *s)
{
    char text[1024];
    char hex[65];
    uint8_t hash[32];
    unsigned len = 0;
    assert_int_equal(EVP_Digest(s->root.ptr, s->root.len, hash, &len, EVP_sha256(), NULL), 1);
    hash[0] ^= s->other_root ? 1 : 0;
    atls_hex_encode(atls_bytes_of(hash, 32), hex);
    (void)snprintf(text, sizeof text, "{\"type\":\"enrolled_key\",\"trusted_roots\":[\"%s\"],%s}", hex, s->members);
    assert_true(atls_policy_parse(atls_bytes_str(text), &s->policy, &s->err));
    assert_true(atls_verifier_new(s->policy, &s->verifier, &s->err));
}

static bool endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                    atls_error *err)
{
    const scene *s = ctx;
    (void)arena;
    (void)err;
    assert_int_equal(request->platform, ATLS_PLATFORM_ENROLLED);
    *out = (atls_endorsements){.pile = {.crls = &s->crl, .n_crls = s->revoked ? 1 : 0}};
    return true;
}

static void make(scene *s)
{
    s->root = authority_cert(&s->a.root, &s->arena);
    make_files(s);
    make_policy(s);
    s->n.server.verifier = s->verifier;
    s->n.server.endorse = endorse;
    s->n.server.endorse_ctx = s;
    s->n.server.client_ca_file = s->tls_other ? s->n.rig.ca_file : s->tls_ca ? s->ca_file : NULL;
    if (!s->no_certificate) {
        s->n.client.certificate_file = s->chain_file;
        s->n.client.private_key_file = s->key_file;
    }
}

/* ---- over the loopback ---- */

typedef struct row {
    const char *name;
    void (*change)(scene *s);
    atls_code server; /* what it ends with there */
    const char *field;
    atls_code client;
} row;

#define CHANGE(name, statement)                                                                                        \
    static void name(scene *s)                                                                                         \
    {                                                                                                                  \
        statement;                                                                                                     \
    }
CHANGE(shows_nothing, s->no_certificate = true)
CHANGE(lies_about_key, s->lies = true)
CHANGE(other_authority, s->other_root = true)
CHANGE(other_app, s->a.phone.attested.app = atls_bytes_str("org.example.other"))
CHANGE(in_software, s->a.phone.attested.security_level = "SOFTWARE")
CHANGE(no_extension, s->a.phone.has_attested = false)
CHANGE(expired, s->a.phone.until_s = -1)
CHANGE(of_a_server, s->a.phone.extended = "serverAuth")
CHANGE(is_revoked, s->revoked = true)
CHANGE(spoilt, s->a.phone.spoilt = true)
CHANGE(both_authorities, s->tls_ca = true)
CHANGE(other_tls_authority, s->tls_other = true)

static const row rows[] = {
    {"an honest phone", NULL, ATLS_OK, NULL, ATLS_OK},
    {"OpenSSL knows its authority, too", both_authorities, ATLS_OK, NULL, ATLS_OK},
    {"OpenSSL wants another authority", other_tls_authority, ATLS_E_TLS_HANDSHAKE, NULL, ATLS_E_IO},
    {"no certificate at all", shows_nothing, ATLS_E_MISSING_CERTIFICATE, "client.certificate", ATLS_E_PEER_REFUSED},
    {"somebody else's certificate", lies_about_key, ATLS_E_TLS_HANDSHAKE, NULL, ATLS_E_IO},
    {"another authority", other_authority, ATLS_E_CERTIFICATE_CHAIN, "chain[2].root", ATLS_E_PEER_REFUSED},
    {"another app", other_app, ATLS_E_ENROLLED_APPLICATION, "chain[0].attested_key.app", ATLS_E_PEER_REFUSED},
    {"a key in software", in_software, ATLS_E_ENROLLED_SECURITY_LEVEL, "chain[0].attested_key.security_level",
     ATLS_E_PEER_REFUSED},
    {"no extension", no_extension, ATLS_E_ENROLLED_EXTENSION, "chain[0].attested_key", ATLS_E_PEER_REFUSED},
    {"expired", expired, ATLS_E_EXPIRED, "chain[0].not_after", ATLS_E_PEER_REFUSED},
    {"a server's certificate", of_a_server, ATLS_E_CERTIFICATE_CHAIN, "chain[0].extended_key_usage",
     ATLS_E_PEER_REFUSED},
    {"revoked", is_revoked, ATLS_E_REVOKED, "chain[0]", ATLS_E_PEER_REFUSED},
    {"a bit of its signature", spoilt, ATLS_E_CERTIFICATE_CHAIN, "chain[0].signature", ATLS_E_PEER_REFUSED},
};

static void expect_accepted(scene *s)
{
    const atls_result *r = atls_session_result(s->n.server_session);
    assert_non_null(r);
    assert_int_equal(r->verdict, ATLS_VERDICT_ACCEPTED);
    assert_int_equal(r->grade, ATLS_GRADE_KEY);
    assert_string_equal(r->profile, "atls/1");
    assert_false(r->attested_only);
    assert_true(r->claims.enrolled.present);
    assert_int_equal(r->claims.enrolled.platform, ATLS_PLATFORM_ANDROID);
    assert_true(atls_bytes_equal_str(r->claims.enrolled.app, AUTHORITY_APP));
    assert_string_equal(r->claims.enrolled.ca, "CN=enrolment CA");
    assert_int_equal(atls_session_peer(s->n.server_session)->identity, ATLS_IDENTITY_CA);
    assert_int_equal(s->n.result.grade, ATLS_GRADE_SESSION);
    rig_say(s->n.client_session, s->n.server_session, "hello");
    rig_say(s->n.server_session, s->n.client_session, "welcome");
}

/* A server that refuses has no session, and whatever the client's side came to, no byte of the application reaches it. */
static void expect_refused(scene *s, const row *w)
{
    assert_false(s->n.accepted);
    assert_false(s->n.connected);
    if (s->n.server_err.code != w->server || (w->field != NULL && strcmp(s->n.server_err.field, w->field) != 0)
        || s->n.client_err.code != w->client) {
        fail_msg("server: %s %s (%s), client: %s %s (%s)", atls_code_name(s->n.server_err.code), s->n.server_err.field,
                 s->n.server_err.message, atls_code_name(s->n.client_err.code), s->n.client_err.field,
                 s->n.client_err.message);
    }
    assert_null(s->n.client_session);
    assert_null(s->n.server_session);
}

static void test_row(void **state)
{
    const row *w = *state;
    scene s;
    scene_open(&s);
    if (w->change != NULL) {
        w->change(&s);
    }
    make(&s);
    net_start(&s.n);
    net_connect(&s.n);
    net_join(&s.n);
    if (w->server == ATLS_OK) {
        if (!s.n.accepted || !s.n.connected) {
            fail_msg("server: %s, client: %s", s.n.server_err.message, s.n.client_err.message);
        }
        expect_accepted(&s);
    } else {
        expect_refused(&s, w);
    }
    scene_close(&s);
}

/* ---- over SSLs of one's own ---- */

static void give_certificate(scene *s)
{
    SSL_CTX *ctx = s->n.rig.client_ctx;
    assert_int_equal(SSL_CTX_use_certificate_chain_file(ctx, s->chain_file), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, s->key_file, SSL_FILETYPE_PEM), 1);
}

static void run_own(scene *s)
{
    rig *r = &s->n.rig;
    make(s);
    give_certificate(s);
    r->server_options.verifier = s->verifier;
    r->server_options.endorse = endorse;
    r->server_options.endorse_ctx = s;
    r->server_options.now = AUTHORITY_NOW;
    rig_start(r, NULL);
    rig_run_to_end(r);
}

static void test_own_accepted(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    run_own(&s);
    rig_expect_established(&s.n.rig);
    assert_int_equal(atls_session_result(s.n.rig.server)->grade, ATLS_GRADE_KEY);
    rig_say(s.n.rig.client, s.n.rig.server, "hello");
    scene_close(&s);
}

static void test_own_refused(void **state)
{
    (void)state;
    scene s;
    char byte;
    size_t n = 1;
    scene_open(&s);
    other_app(&s);
    run_own(&s);
    assert_int_equal(s.n.rig.server_step, ATLS_STEP_FAILED);
    assert_int_equal(s.n.rig.server_err.code, ATLS_E_ENROLLED_APPLICATION);
    rig_expect_client(&s.n.rig, ATLS_E_PEER_REFUSED, "done");
    assert_int_equal(atls_session_read(s.n.rig.client, &byte, 1, &n, &s.err), ATLS_STEP_FAILED);
    assert_int_equal(n, 0);
    assert_int_equal(atls_session_write(s.n.rig.server, "x", 1, &n, &s.n.rig.err), ATLS_STEP_FAILED);
    const atls_result *result = atls_session_result(s.n.rig.server);
    assert_non_null(result);
    assert_int_equal(result->verdict, ATLS_VERDICT_REJECTED);
    assert_false(result->claims.enrolled.present);
    scene_close(&s);
}

/* ---- too early ---- */

static atls_bytes early(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_DONE ? native_join(p, honest, atls_bytes_str("G")) : honest;
}

/* A client that must be let in waits until it is: what it sends behind its own done and before the server's is nobody's. */
static void test_early(void **state)
{
    static const native_lies lies[] = {{.frame = NULL}, {.frame = early}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        scene s;
        scene_open(&s);
        rig *r = &s.n.rig;
        native_set_up(r, SERVER_PROVES);
        make(&s);
        give_certificate(&s);
        r->server_options.verifier = s.verifier;
        r->server_options.endorse = endorse;
        r->server_options.endorse_ctx = &s;
        r->server_options.now = AUTHORITY_NOW;
        native_peer *p = native_peer_open(r, SERVER_PROVES, &lies[i]);
        native_peer_play(p);
        if (i == 0) {
            native_expect_talk(p);
        } else {
            native_expect_refused(p, ATLS_E_PROTOCOL, "application");
        }
        native_peer_close(p);
        scene_close(&s);
    }
}

/* ---- options that make no sense ---- */

typedef struct bad_row {
    const char *name;
    void (*change)(scene *s);
    const char *field;
} bad_row;

CHANGE(no_evidence, s->n.server.attest = NULL)
CHANGE(with_dstack, s->n.server.profiles = ATLS_PROFILE_DSTACK)
CHANGE(with_both, s->n.server.profiles = ATLS_PROFILE_DSTACK | ATLS_PROFILE_NATIVE)
CHANGE(with_constellation, s->n.server.profiles = ATLS_PROFILE_CONSTELLATION)

static const bad_row bad_rows[] = {
    {"a server that proves nothing", no_evidence, "attest"},
    {"dstack", with_dstack, "profiles"},
    {"dstack as well", with_both, "profiles"},
    {"constellation", with_constellation, "profiles"},
};

static void test_bad_row(void **state)
{
    const bad_row *w = *state;
    scene s;
    int pair[2];
    scene_open(&s);
    make(&s);
    w->change(&s);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_false(atls_accept(pair[0], &s.n.server, &s.n.server_session, &s.n.server_err));
    assert_int_equal(s.n.server_err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(s.n.server_err.field, w->field);
    assert_int_equal(close(pair[1]), 0);
    scene_close(&s);
}

/* Nor does a hook take such a policy: its documents have no place for a phone's certificate. */
static void test_hooks(void **state)
{
    (void)state;
    scene s;
    atls_error err = {0};
    scene_open(&s);
    make(&s);
    const atls_hook_server_options server = {
        .attest = s.n.server.attest, .attest_ctx = s.n.server.attest_ctx, .verifier = s.verifier};
    const atls_hook_client_options client = {.verifier = s.verifier};
    assert_false(atls_hook_server(s.n.rig.server_ctx, &server, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(err.field, "type");
    err = (atls_error){0};
    assert_false(atls_hook_client(s.n.rig.client_ctx, &client, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(err.field, "type");
    scene_close(&s);
}

static void test_policy_of_a_client(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    make(&s);
    s.n.client.verifier = s.verifier;
    net_connect(&s.n);
    assert_false(s.n.connected);
    assert_int_equal(s.n.client_err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(s.n.client_err.field, "type");
    scene_close(&s);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "over SSLs of one's own: an honest phone", test_own_accepted, NULL);
    tap_add(&l, "over SSLs of one's own: another app", test_own_refused, NULL);
    tap_add(&l, "bytes before the server has said so", test_early, NULL);
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        tap_add(&l, bad_rows[i].name, test_bad_row, &bad_rows[i]);
    }
    tap_add(&l, "hooks", test_hooks, NULL);
    tap_add(&l, "a client does not judge servers by it", test_policy_of_a_client, NULL);
    return tap_run("enrolled_session", &l);
}
