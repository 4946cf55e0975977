/* SPDX-License-Identifier: Apache-2.0 */
/* test_usage.c: what a server's certificate is for. The chain is made here with OpenSSL, so that it can hold what the
 * simulator's never does; the caller's SSL_CTX asks for leniency that it must not get. */
#include "rig.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

typedef struct row {
    const char *name;
    int nid; /* an extension of the leaf and its text */
    const char *value;
    int purpose;         /* of the caller's SSL_CTX; 0: none */
    unsigned long flags; /* of the caller's SSL_CTX */
    atls_code code;
} row;

/* clang-format off */
static const row rows[] = {
    {"a certificate for servers", NID_ext_key_usage, "serverAuth", 0, 0, ATLS_OK},
    {"a certificate that does not say what for", NID_undef, NULL, 0, 0, ATLS_OK},
    {"a certificate for clients", NID_ext_key_usage, "clientAuth", 0, 0, ATLS_E_IDENTITY},
    {"a certificate for clients, and an SSL_CTX that asks for one", NID_ext_key_usage, "clientAuth", X509_PURPOSE_SSL_CLIENT, 0, ATLS_E_IDENTITY},
    {"a certificate for clients, and an SSL_CTX that takes any", NID_ext_key_usage, "clientAuth", X509_PURPOSE_ANY, 0, ATLS_E_IDENTITY},
    {"a certificate for servers, and an SSL_CTX that asks for clients'", NID_ext_key_usage, "serverAuth", X509_PURPOSE_SSL_CLIENT, 0, ATLS_OK},
    {"an unknown critical extension", NID_netscape_comment, "critical,DER:1603616263", 0, 0, ATLS_E_IDENTITY},
    {"an unknown critical extension, and an SSL_CTX that ignores such", NID_netscape_comment, "critical,DER:1603616263", 0, X509_V_FLAG_IGNORE_CRITICAL, ATLS_E_IDENTITY},
    {"an unknown extension that is not critical", NID_netscape_comment, "DER:1603616263", 0, 0, ATLS_OK},
};
/* clang-format on */

static void extend(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(cert, e, -1), 1);
    X509_EXTENSION_free(e);
}

static X509 *certificate(const rig *r, const char *name, EVP_PKEY *key, const X509 *issuer)
{
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer == NULL ? 1 : 2), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(cert, issuer == NULL ? subject : X509_get_subject_name(issuer)), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)sim_now(r->sim) - 86400));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)sim_now(r->sim) + 86400));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    extend(cert, NID_basic_constraints, issuer == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    return cert;
}

static void sign(X509 *cert, EVP_PKEY *key)
{
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
}

static atls_bytes pem_of(rig *r, const X509 *cert)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *text;
    atls_bytes out;
    assert_int_equal(PEM_write_bio_X509(b, cert), 1);
    long len = BIO_get_mem_data(b, &text);
    assert_true(atls_arena_copy(&r->arena, atls_bytes_of((const uint8_t *)text, (size_t)len), &out, &r->err));
    BIO_free(b);
    return out;
}

/* The rig's server gets the leaf, and its event log measures it; the client gets the CA. */
static void use_leaf(rig *r, const row *w)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *ca = certificate(r, "a CA", ca_key, NULL), *leaf = certificate(r, "a server", key, ca);
    unsigned char *der = NULL;
    sign(ca, ca_key);
    extend(leaf, NID_subject_alt_name, "DNS:" RIG_NAME);
    if (w->nid != NID_undef) {
        extend(leaf, w->nid, w->value);
    }
    sign(leaf, ca_key);
    int len = i2d_X509(leaf, &der);
    assert_true(len > 0);
    assert_true(sim_measure_certificate(r->sim, atls_bytes_of(der, (size_t)len), &r->err));
    rig_file(r->ca_file, pem_of(r, ca));
    assert_int_equal(SSL_CTX_use_certificate(r->server_ctx, leaf), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(r->server_ctx, key), 1);
    OPENSSL_free(der);
    X509_free(ca);
    X509_free(leaf);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
}

static void test_row(void **state)
{
    const row *w = *state;
    rig r;
    rig_open(&r);
    (void)unlink(r.ca_file);
    use_leaf(&r, w);
    r.client_options.ca_file = r.ca_file;
    X509_VERIFY_PARAM *p = SSL_CTX_get0_param(r.client_ctx);
    assert_int_equal(X509_VERIFY_PARAM_set_flags(p, w->flags), 1);
    if (w->purpose != 0) {
        assert_int_equal(X509_VERIFY_PARAM_set_purpose(p, w->purpose), 1);
    }
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    if (w->code == ATLS_OK) {
        rig_expect_established(&r);
    } else {
        rig_expect_client(&r, w->code, "certificate.chain");
    }
    rig_close(&r);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    return tap_run("usage", &l);
}
