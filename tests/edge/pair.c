/* SPDX-License-Identifier: Apache-2.0 */
/* pair.c: the honest pair, and what liars make their certificates of. */
#include "pair.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "pair_dummy.h"

#define MAX_IDLE 4u

static void check(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[700];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

const atls_variant *pair_dummy(void)
{
    return dummy_variant();
}

bool pair_attest(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err)
{
    pair *p = ctx;
    p->n_attested++;
    return p->room == NULL || sim_attest(p->room, report_data, arena, out, err);
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

void pair_open(pair *p)
{
    *p = (pair){.variant = dummy_variant()};
    check(atls_arena_new(&p->arena, (size_t)64 * 1024 * 1024, &p->err), &p->err);
    p->client.hook = (atls_hook){
        .accepts = {p->variant},
        .n_accepts = 1,
        .now = SIM_NOW,
        .arena_size = ATLS_ARENA_DEFAULT_SIZE,
    };
    p->server.hook = (atls_hook){
        .is_server = true,
        .issues = p->variant,
        .attest = pair_attest,
        .attest_ctx = p,
        .now = SIM_NOW,
        .arena_size = ATLS_ARENA_DEFAULT_SIZE,
    };
}

void pair_mutual(pair *p)
{
    p->server.hook.accepts[0] = p->variant;
    p->server.hook.n_accepts = 1;
    p->server.hook.verifier = p->client.hook.verifier;
    p->server.hook.endorse = p->client.hook.endorse;
    p->server.hook.endorse_ctx = p->client.hook.endorse_ctx;
    p->client.hook.issues = p->variant;
    p->client.hook.attest = pair_attest;
    p->client.hook.attest_ctx = p;
}

void pair_tdx(pair *p, const char *members)
{
    static const sim_options honest = {0};
    atls_bytes document;
    check(sim_new(&honest, &p->room, &p->err), &p->err);
    check(sim_policy(p->room, "tdx", &p->arena, &document, &p->err), &p->err);
    const atls_bytes root = sim_root(p->room);
    const char *text =
        atls_text_format(&p->arena, &p->err, "{%s%.*s", members, (int)document.len - 1, (const char *)document.ptr + 1);
    assert_non_null(text);
    check(atls_policy_parse_with_roots(atls_bytes_str(text), &root, 1, &p->policy, &p->err), &p->err);
    check(atls_verifier_new(p->policy, &p->verifier, &p->err), &p->err);
    p->variant = atls_variant_tdx();
    p->client.hook.accepts[0] = p->variant;
    p->client.hook.verifier = p->verifier;
    p->client.hook.endorse = sim_endorse;
    p->client.hook.endorse_ctx = p->room;
    p->server.hook.issues = p->variant;
}

static void close_ssls(pair *p)
{
    SSL_free(p->client.ssl);
    SSL_free(p->server.ssl);
    p->client.ssl = NULL;
    p->server.ssl = NULL;
}

void pair_close(pair *p)
{
    close_ssls(p);
    SSL_CTX_free(p->client.ctx);
    SSL_CTX_free(p->server.ctx);
    atls_verifier_free(p->verifier);
    atls_policy_free(p->policy);
    sim_free(p->room);
    atls_arena_free(&p->arena);
    assert_int_equal(ERR_peek_error(), 0); /* nobody left anything in OpenSSL's queue */
}

/* ---- liars ------------------------------------------------------------------------------------------------------- */

static void add_extension(X509 *x, const char *oid, atls_bytes value, bool critical)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(octets, value.ptr, (int)value.len), 1);
    X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, object, critical, octets);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
}

static void add_named(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

static void hash_spki(EVP_PKEY *key, uint8_t out[32])
{
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(key, &spki);
    assert_int_equal(EVP_Digest(spki, (size_t)len, out, NULL, EVP_sha256(), NULL), 1);
    OPENSSL_free(spki);
}

static atls_bytes pad(pair *p, atls_bytes document, size_t n)
{
    uint8_t *text = atls_arena_raw(&p->arena, document.len + n, &p->err);
    assert_non_null(text);
    memset(text, ' ', document.len + n);
    memcpy(text, document.ptr, document.len);
    return atls_bytes_of(text, document.len + n);
}

static atls_bytes lie_document(pair *p, const pair_lie *lie, EVP_PKEY *key, const uint8_t nonce[32])
{
    uint8_t user_data[32];
    uint8_t over[32];
    uint8_t report_data[64];
    atls_evidence evidence = {0};
    atls_crypto *crypto;
    atls_bytes out;
    EVP_PKEY *other = EVP_EC_gen("P-256");
    hash_spki(lie->other_key ? other : key, user_data);
    EVP_PKEY_free(other);
    memcpy(over, lie->replayed != NULL ? lie->replayed : nonce, 32);
    over[0] ^= lie->other_nonce ? 1 : 0;
    if (lie->zero_nonce) {
        memset(over, 0, sizeof over);
    }
    if (lie->document != NULL) {
        return atls_bytes_str(lie->document);
    }
    check(atls_crypto_new(&crypto, &p->err), &p->err);
    check(
        constellation_report_data(crypto, atls_bytes_of(user_data, 32), atls_bytes_of(over, 32), report_data, &p->err),
        &p->err);
    atls_crypto_free(crypto);
    check(pair_attest(p, report_data, &p->arena, &evidence, &p->err), &p->err);
    if (lie->flip_quote) {
        uint8_t *quote = atls_arena_raw(&p->arena, evidence.quote.len, &p->err);
        memcpy(quote, evidence.quote.ptr, evidence.quote.len);
        quote[200] ^= 1;
        evidence.quote.ptr = quote;
    }
    check(p->variant->write(user_data, over, &evidence, &p->arena, &out, &p->err), &p->err);
    return pad(p, out, lie->padding);
}

static void lie_about_time(X509 *x, const pair_lie *lie)
{
    time_t now = SIM_NOW;
    bool plain = lie->not_before == 0 && lie->not_after == 0;
    assert_non_null(X509_time_adj_ex(X509_getm_notBefore(x), 0, plain ? -7200 : lie->not_before, &now));
    assert_non_null(X509_time_adj_ex(X509_getm_notAfter(x), 0, plain ? 7200 : lie->not_after, &now));
}

static void lie_in_extensions(pair *p, const pair_lie *lie, X509 *x, EVP_PKEY *key, const uint8_t nonce[32])
{
    atls_bytes document = lie_document(p, lie, key, nonce);
    if (!lie->no_extension) {
        add_extension(x, lie->oid == NULL ? p->variant->oid : lie->oid, document, lie->critical);
    }
    if (lie->second_oid != NULL) {
        add_extension(x, lie->second_oid, document, false);
    }
    if (lie->usage != NULL) {
        add_named(x, NID_ext_key_usage, lie->usage);
    }
    if (lie->critical_usage) {
        add_named(x, NID_key_usage, "critical,digitalSignature");
    }
}

void pair_certificate(pair *p, const pair_lie *lie, const uint8_t nonce[32], X509 **x, EVP_PKEY **key)
{
    X509_NAME *name = X509_NAME_new();
    *key = EVP_EC_gen(lie->group == NULL ? "P-256" : lie->group);
    *x = X509_new();
    assert_int_equal(X509_set_version(*x, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(*x), 1), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"liar", -1, -1, 0), 1);
    assert_int_equal(X509_set_issuer_name(*x, name), 1);
    assert_int_equal(X509_set_subject_name(*x, name), 1);
    X509_NAME_free(name);
    assert_int_equal(X509_set_pubkey(*x, *key), 1);
    lie_about_time(*x, lie);
    lie_in_extensions(p, lie, *x, *key, nonce);
    EVP_PKEY *signer = lie->other_signer ? EVP_EC_gen("P-256") : NULL;
    assert_true(X509_sign(*x, signer == NULL ? *key : signer, EVP_sha256()) > 0);
    EVP_PKEY_free(signer);
    if (lie->flip_signature) {
        const ASN1_BIT_STRING *sig;
        X509_get0_signature(&sig, NULL, *x);
        sig->data[sig->length - 1] ^= 1;
    }
}

static void read_peer_nonce(SSL *ssl, const pair_end *e, uint8_t nonce[32])
{
    atls_error err = {.code = ATLS_OK};
    if (SSL_is_server(ssl) == 1) {
        const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        check(constellation_nonce_read(atls_bytes_str(name), "sni", nonce, &err), &err);
        return;
    }
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
    unsigned char *der = NULL;
    (void)e;
    assert_int_equal(sk_X509_NAME_num(names), 1);
    int len = i2d_X509_NAME(sk_X509_NAME_value(names, 0), &der);
    check(constellation_name_read(atls_bytes_of(der, (size_t)len), nonce, &err), &err);
    OPENSSL_free(der);
}

/* The public half of one key and the private half of another: OpenSSL compares the public one only. */
static EVP_PKEY *steal(EVP_PKEY *genuine)
{
    uint8_t point[65];
    size_t len = 0;
    BIGNUM *secret = NULL;
    EVP_PKEY *out = NULL;
    EVP_PKEY *own = EVP_EC_gen("P-256");
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    assert_int_equal(EVP_PKEY_get_octet_string_param(genuine, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(own, OSSL_PKEY_PARAM_PRIV_KEY, &secret), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, len), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, secret), 1);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &out, EVP_PKEY_KEYPAIR, params), 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    EVP_PKEY_CTX_free(ctx);
    BN_clear_free(secret);
    EVP_PKEY_free(own);
    EVP_PKEY_free(genuine);
    return out;
}

static int lie_callback(SSL *ssl, void *arg)
{
    pair *p = arg;
    const pair_end *e = SSL_is_server(ssl) == 1 ? &p->server : &p->client;
    uint8_t nonce[32];
    X509 *x;
    EVP_PKEY *key;
    if (e->lie->no_certificate) {
        return 1;
    }
    read_peer_nonce(ssl, e, nonce);
    pair_certificate(p, e->lie, nonce, &x, &key);
    key = e->lie->stolen ? steal(key) : key;
    assert_int_equal(SSL_use_certificate(ssl, x), 1);
    assert_int_equal(SSL_use_PrivateKey(ssl, key), 1);
    X509_free(x);
    EVP_PKEY_free(key);
    return 1;
}

static int believe(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

static void note_info(const SSL *ssl, int where, int argument)
{
    pair_end *e = SSL_get_app_data(ssl);
    if (e != NULL) {
        e->n_info++;
        if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (argument & 0xff) != SSL_AD_CLOSE_NOTIFY) {
            e->alert = argument & 0xff;
        }
    }
}

static void make_context(pair *p, pair_end *e, bool is_server)
{
    if (e->ctx == NULL) {
        e->ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    }
    assert_non_null(e->ctx);
    SSL_CTX_set_info_callback(e->ctx, e->info == NULL ? note_info : e->info);
    if (e->lie != NULL) {
        SSL_CTX_set_cert_cb(e->ctx, lie_callback, p);
        SSL_CTX_set_cert_verify_callback(e->ctx, believe, NULL);
    } else if (!e->ordinary) {
        e->hook.is_server = is_server;
        check(atls_hook_install(e->ctx, &e->hook, &p->err), &p->err);
    }
}

static void name_server(pair_end *client)
{
    char text[256];
    if (client->name == NULL) {
        assert_int_equal(RAND_bytes(client->nonce, 32), 1);
        constellation_nonce_write(client->nonce, text);
    } else {
        snprintf(text, sizeof text, "%s", client->name);
    }
    if (text[0] != '\0') {
        assert_int_equal(SSL_set_tlsext_host_name(client->ssl, text), 1);
    }
}

static void make_ssls(pair *p)
{
    p->client.ssl = SSL_new(p->client.ctx);
    p->server.ssl = SSL_new(p->server.ctx);
    assert_non_null(p->client.ssl);
    assert_non_null(p->server.ssl);
    SSL_set_app_data(p->client.ssl, &p->client);
    SSL_set_app_data(p->server.ssl, &p->server);
    assert_int_equal(BIO_new_bio_pair(&p->client.bio, 65536, &p->server.bio, 65536), 1);
    SSL_set_bio(p->client.ssl, p->client.bio, p->client.bio);
    SSL_set_bio(p->server.ssl, p->server.bio, p->server.bio);
    SSL_set_connect_state(p->client.ssl);
    SSL_set_accept_state(p->server.ssl);
    if (p->client.lie != NULL || p->client.ordinary) {
        name_server(&p->client);
    }
}

void pair_single(pair *p, pair_end *e, bool is_server, int fd)
{
    make_context(p, e, is_server);
    e->ssl = SSL_new(e->ctx);
    assert_non_null(e->ssl);
    SSL_set_app_data(e->ssl, e);
    assert_int_equal(SSL_set_fd(e->ssl, fd), 1);
    if (is_server) {
        SSL_set_accept_state(e->ssl);
        return;
    }
    SSL_set_connect_state(e->ssl);
    if (e->lie != NULL || e->ordinary) {
        name_server(e);
    }
}

void pair_ssl(pair *p)
{
    make_context(p, &p->client, false);
    make_context(p, &p->server, true);
    make_ssls(p);
}

void pair_again(pair *p)
{
    close_ssls(p);
    p->client.alert = 0;
    p->server.alert = 0;
    make_ssls(p);
}

static bool goes_on(const pair_end *e)
{
    return e->code == SSL_ERROR_WANT_READ || e->code == SSL_ERROR_WANT_WRITE || e->code == SSL_ERROR_WANT_X509_LOOKUP;
}

static void note(pair_end *e, int rc)
{
    e->code = SSL_get_error(e->ssl, rc);
    if (ERR_peek_error() != 0) {
        snprintf(e->reason, sizeof e->reason, "%s", ERR_reason_error_string(ERR_peek_error()));
    }
    ERR_clear_error();
}

static void move(pair_end *e)
{
    if (goes_on(e)) {
        ERR_clear_error();
        note(e, SSL_do_handshake(e->ssl));
    }
}

void pair_run(pair *p)
{
    p->client.code = SSL_ERROR_WANT_READ;
    p->server.code = SSL_ERROR_WANT_READ;
    uint64_t before = 0;
    for (unsigned idle = 0; idle < MAX_IDLE && (goes_on(&p->client) || goes_on(&p->server));) {
        move(&p->client);
        move(&p->server);
        uint64_t moved = BIO_number_read(p->client.bio) + BIO_number_read(p->server.bio)
                         + BIO_number_written(p->client.bio) + BIO_number_written(p->server.bio);
        idle = moved == before ? idle + 1 : 0;
        before = moved;
    }
}

void pair_start(pair *p)
{
    pair_ssl(p);
    pair_run(p);
}

void pair_say(pair_end *from, pair_end *to)
{
    char byte = 'x';
    if (from != NULL) {
        note(from, SSL_write(from->ssl, &byte, 1));
        assert_int_equal(from->code, SSL_ERROR_NONE);
    }
    note(to, SSL_read(to->ssl, &byte, 1));
}

/* ---- expecting --------------------------------------------------------------------------------------------------- */

void pair_expect_error(const atls_error *err, atls_code code, const char *field)
{
    assert_string_equal(atls_code_name(err->code), atls_code_name(code));
    assert_string_equal(err->field, field);
}

void pair_expect_accepted(const pair_end *e)
{
    const atls_result *result;
    atls_error err = {.code = ATLS_OK};
    check(atls_hook_result(e->ssl, &result, &err), &err);
    assert_int_equal(err.code, ATLS_OK);
    assert_non_null(result);
    assert_int_equal(result->verdict, ATLS_VERDICT_ACCEPTED);
    assert_true(result->attested_only);
}

void pair_expect_refused(const pair_end *e, atls_code code, const char *field)
{
    const atls_result *result;
    atls_error err = {.code = ATLS_OK};
    assert_false(atls_hook_result(e->ssl, &result, &err));
    pair_expect_error(&err, code, field);
    assert_true(result == NULL || result->verdict != ATLS_VERDICT_ACCEPTED);
}

void pair_expect_done(const pair_end *e)
{
    if (e->code != SSL_ERROR_NONE) {
        fail_msg("handshake: %d, %s, alert %d", e->code, e->reason, e->alert);
    }
}
