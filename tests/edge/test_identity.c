/* SPDX-License-Identifier: Apache-2.0 */
/* test_identity.c: the server's ordinary identity: roots, names, dates, pins; each refusal with its fact. The evidence
 * is honest throughout: what fails here fails before anything is asked. */
#include "rig.h"

#include <openssl/pem.h>
#include <time.h>

/* ---- rows -------------------------------------------------------------------------------------------------------- */

typedef struct row {
    const char *name;            /* what the row proves */
    const char *certificate_for; /* NULL: RIG_NAME */
    void (*change)(rig *r);
    atls_code code;
    const char *field;
    const char *expected; /* NULL: whatever */
    const char *actual;
} row;

static void by_ip(rig *r)
{
    r->client_options.server_name = "192.0.2.7";
}

static void by_ip6(rig *r)
{
    r->client_options.server_name = "2001:db8::7";
}

static void by_capitals(rig *r)
{
    r->client_options.server_name = "TDX.Example.COM";
}

static void by_subdomain(rig *r)
{
    r->client_options.server_name = "a.example.net";
}

static void by_deep_subdomain(rig *r)
{
    r->client_options.server_name = "a.b.example.net";
}

static void one_day_before(rig *r)
{
    r->client_options.now = sim_now(r->sim) - 31 * 86400;
}

static void long_after(rig *r)
{
    r->client_options.now = sim_now(r->sim) + 61 * 86400;
}

static void spki_pin(const rig *r, uint8_t pin[32])
{
    const uint8_t *der = r->tls.leaf_der.ptr;
    X509 *leaf = d2i_X509(NULL, &der, (long)r->tls.leaf_der.len);
    unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
    assert_true(len > 0);
    assert_int_equal(EVP_Digest(spki, (size_t)len, pin, NULL, EVP_sha256(), NULL), 1);
    OPENSSL_free(spki);
    X509_free(leaf);
}

static void pinned(rig *r)
{
    r->client_options.identity = ATLS_IDENTITY_PIN;
    spki_pin(r, r->client_options.pin_spki_sha256);
}

static void pinned_other_name(rig *r)
{
    pinned(r);
    r->client_options.server_name = "other.example.com";
}

static void wrong_pin(rig *r)
{
    pinned(r);
    r->client_options.pin_spki_sha256[31] ^= 1;
}

/* The pin of the whole certificate is not the pin of the key. */
static void pin_of_certificate(rig *r)
{
    r->client_options.identity = ATLS_IDENTITY_PIN;
    assert_int_equal(EVP_Digest(r->tls.leaf_der.ptr, r->tls.leaf_der.len, r->client_options.pin_spki_sha256, NULL,
                                EVP_sha256(), NULL),
                     1);
}

static void wrong_ca(rig *r)
{
    static const sim_options room = {.seed = "another room"};
    sim *other;
    sim_tls tls;
    assert_true(sim_new(&room, &other, &r->err));
    assert_true(sim_tls_identity(other, RIG_NAME, &r->arena, &tls, &r->err));
    FILE *f = fopen(r->ca_file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(tls.ca_pem.ptr, 1, tls.ca_pem.len, f), tls.ca_pem.len);
    assert_int_equal(fclose(f), 0);
    sim_free(other);
}

/* The leaf itself in the file of roots is no root. */
static void leaf_as_ca(rig *r)
{
    FILE *f = fopen(r->ca_file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(r->tls.chain_pem.ptr, 1, r->tls.chain_pem.len, f), r->tls.chain_pem.len);
    assert_int_equal(fclose(f), 0);
}

static void web_pki(rig *r)
{
    r->client_options.identity = ATLS_IDENTITY_WEBPKI;
    r->client_options.ca_file = NULL;
}

/* The environment names the system's roots for OpenSSL, which is how this is tested without a public certificate. */
static void web_pki_of_ours(rig *r)
{
    web_pki(r);
    assert_int_equal(setenv("SSL_CERT_FILE", r->ca_file, 1), 0);
}

static void attested_only(rig *r)
{
    rig_policy(r, "\"attested_only\":true,");
    r->client_options.identity = ATLS_IDENTITY_ATTESTED_ONLY;
    r->client_options.server_name = "whoever.example.com";
}

static void waived_but_checked(rig *r)
{
    rig_policy(r, "\"attested_only\":true,");
    r->client_options.server_name = "whoever.example.com";
}

/* What the caller's SSL_CTX trusts plays no part. */
static int trust_everybody(X509_STORE_CTX *ctx, void *arg)
{
    (void)ctx;
    (void)arg;
    return 1;
}

static int forgive(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

static void use_store(rig *r, bool with_ours)
{
    static const sim_options other_room = {.seed = "another room"};
    sim *other;
    sim_tls tls;
    assert_true(sim_new(&other_room, &other, &r->err));
    assert_true(sim_tls_identity(other, RIG_NAME, &r->arena, &tls, &r->err));
    const sim_tls *of = with_ours ? &r->tls : &tls;
    BIO *pem = BIO_new_mem_buf(of->ca_pem.ptr, (int)of->ca_pem.len);
    X509 *ca = PEM_read_bio_X509(pem, NULL, NULL, NULL);
    X509_STORE *store = SSL_CTX_get_cert_store(r->client_ctx); /* lives as long as the rig */
    assert_int_equal(X509_STORE_add_cert(store, ca), 1);
    r->client_options.ca_file = NULL;
    r->client_options.ca_store = store;
    X509_free(ca);
    BIO_free(pem);
    sim_free(other);
}

static void store_of_ours(rig *r)
{
    use_store(r, true);
}

static void store_of_others(rig *r)
{
    use_store(r, false);
}

static void store_other_name(rig *r)
{
    use_store(r, true);
    r->client_options.server_name = "other.example.com";
}

/* Settings of the store are the caller's for other uses, and play no part here. */
static void store_forgives(rig *r)
{
    use_store(r, false);
    X509_STORE_set_verify_cb(r->client_options.ca_store, forgive);
    assert_int_equal(X509_STORE_set_flags(r->client_options.ca_store, X509_V_FLAG_PARTIAL_CHAIN), 1);
}

static void context_trusts_ours(rig *r)
{
    assert_int_equal(SSL_CTX_load_verify_locations(r->client_ctx, r->ca_file, NULL), 1);
    wrong_ca(r);
}

static void context_forgives(rig *r)
{
    SSL_CTX_set_verify(r->client_ctx, SSL_VERIFY_NONE, forgive);
    wrong_ca(r);
}

static void context_ignores_time(rig *r)
{
    assert_int_equal(X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(r->client_ctx), X509_V_FLAG_NO_CHECK_TIME), 1);
    long_after(r);
}

static int verify_and_forgive(X509_STORE_CTX *ctx, void *arg)
{
    (void)arg;
    (void)X509_verify_cert(ctx);
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

static void context_overrules(rig *r)
{
    SSL_CTX_set_cert_verify_callback(r->client_ctx, verify_and_forgive, NULL);
    r->client_options.server_name = "other.example.com";
}

static void context_stands_in(rig *r)
{
    SSL_CTX_set_cert_verify_callback(r->client_ctx, trust_everybody, NULL);
    wrong_ca(r);
}

static void other_name(rig *r)
{
    r->client_options.server_name = "other.example.com";
}

/* clang-format off */
static const row rows[] = {
    {"roots of a file and the name", NULL, NULL, ATLS_OK, "", NULL, NULL},
    {"a name in capitals", NULL, by_capitals, ATLS_OK, "", NULL, NULL},
    {"an IPv4 address", "192.0.2.7", by_ip, ATLS_OK, "", NULL, NULL},
    {"an IPv6 address", "2001:db8::7", by_ip6, ATLS_OK, "", NULL, NULL},
    {"a wildcard covers one label", "*.example.net", by_subdomain, ATLS_OK, "", NULL, NULL},
    {"a wildcard covers one label only", "*.example.net", by_deep_subdomain, ATLS_E_IDENTITY, "certificate.subject_alt_name", "a.b.example.net", "*.example.net"},
    {"another name", NULL, other_name, ATLS_E_IDENTITY, "certificate.subject_alt_name", "other.example.com", RIG_NAME},
    {"an address that only a name is given for", NULL, by_ip, ATLS_E_IDENTITY, "certificate.subject_alt_name", "192.0.2.7", RIG_NAME},
    {"another address", "192.0.2.8", by_ip, ATLS_E_IDENTITY, "certificate.subject_alt_name", "192.0.2.7", "192.0.2.8"},
    {"roots of somebody else", NULL, wrong_ca, ATLS_E_IDENTITY, "certificate.chain", NULL, NULL},
    {"the leaf is no root", NULL, leaf_as_ca, ATLS_E_IDENTITY, "certificate.chain", NULL, NULL},
    {"roots of a store and the name", NULL, store_of_ours, ATLS_OK, "", NULL, NULL},
    {"a store of somebody else's roots", NULL, store_of_others, ATLS_E_IDENTITY, "certificate.chain", NULL, NULL},
    {"a store that forgives does not count", NULL, store_forgives, ATLS_E_IDENTITY, "certificate.chain", NULL, NULL},
    {"a store, and another name", NULL, store_other_name, ATLS_E_IDENTITY, "certificate.subject_alt_name", "other.example.com", RIG_NAME},
    {"a certificate that is over", NULL, long_after, ATLS_E_IDENTITY, "certificate.not_after", NULL, NULL},
    {"a certificate that is still to come", NULL, one_day_before, ATLS_E_IDENTITY, "certificate.not_before", NULL, NULL},
    {"the system's roots do not know a private one", NULL, web_pki, ATLS_E_IDENTITY, "certificate.chain", NULL, NULL},
    {"the system's roots, and ours among them", NULL, web_pki_of_ours, ATLS_OK, "", NULL, NULL},
    {"a pin", NULL, pinned, ATLS_OK, "", NULL, NULL},
    {"a pin asks for no name", NULL, pinned_other_name, ATLS_OK, "", NULL, NULL},
    {"another pin", NULL, wrong_pin, ATLS_E_IDENTITY, "certificate.spki_sha256", NULL, NULL},
    {"the hash of the certificate is no pin", NULL, pin_of_certificate, ATLS_E_IDENTITY, "certificate.spki_sha256", NULL, NULL},
    {"attested only, as the policy says", NULL, attested_only, ATLS_OK, "", NULL, NULL},
    {"a policy that waives identity does not switch it off", NULL, waived_but_checked, ATLS_E_IDENTITY, "certificate.subject_alt_name", NULL, NULL},
    {"roots of the caller's SSL_CTX do not count", NULL, context_trusts_ours, ATLS_E_IDENTITY, "certificate.chain", NULL, NULL},
    {"a forgiving callback of the caller's SSL_CTX does not count", NULL, context_forgives, ATLS_E_IDENTITY, "certificate.chain", NULL, NULL},
    {"an SSL_CTX that ignores time does not count", NULL, context_ignores_time, ATLS_E_IDENTITY, "certificate.not_after", NULL, NULL},
    {"an SSL_CTX that verifies and then forgives is found out", NULL, context_overrules, ATLS_E_IDENTITY, "certificate.subject_alt_name", "other.example.com", RIG_NAME},
    {"an SSL_CTX that verifies nothing is found out", NULL, context_stands_in, ATLS_E_IDENTITY, "certificate.chain", NULL, NULL},
};
/* clang-format on */

static void use_identity(rig *r, const char *name)
{
    assert_true(sim_tls_identity(r->sim, name, &r->arena, &r->tls, &r->err));
    assert_true(sim_measure_certificate(r->sim, r->tls.leaf_der, &r->err));
    SSL_CTX_free(r->server_ctx);
    r->server_ctx = rig_context(true, &r->tls);
}

static void test_row(void **state)
{
    const row *w = *state;
    rig r;
    rig_open(&r);
    if (w->certificate_for != NULL) {
        use_identity(&r, w->certificate_for);
    }
    if (w->change != NULL) {
        w->change(&r);
    }
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
    assert_string_equal(atls_code_name(r.client_err.code), atls_code_name(w->code));
    assert_string_equal(r.client_err.field, w->field);
    if (w->expected != NULL) {
        assert_string_equal(r.client_err.expected, w->expected);
        assert_string_equal(r.client_err.actual, w->actual != NULL ? w->actual : r.client_err.actual);
    }
    if (w->code == ATLS_OK) {
        const bool only = r.client_options.identity == ATLS_IDENTITY_ATTESTED_ONLY;
        rig_expect_established(&r);
        assert_int_equal(atls_session_result(r.client)->attested_only, only);
        assert_int_equal(atls_session_peer(r.client)->identity, r.client_options.identity);
    } else {
        assert_int_equal(r.client_err.category, ATLS_CATEGORY_TRUST);
        assert_false(r.client_err.retry);
        assert_null(atls_session_result(r.client)); /* nothing was asked */
        assert_int_not_equal(r.server_step, ATLS_STEP_DONE);
    }
    rig_close(&r);
}

/* The pin mismatch says both hashes. */
static void test_pin_says_both(void **state)
{
    (void)state;
    rig r;
    uint8_t pin[32];
    char expected[65];
    char actual[65];
    rig_open(&r);
    wrong_pin(&r);
    spki_pin(&r, pin);
    atls_hex_encode(atls_bytes_of(pin, 32), actual);
    atls_hex_encode(atls_bytes_of(r.client_options.pin_spki_sha256, 32), expected);
    rig_start(&r, NULL);
    rig_run(&r);
    assert_string_equal(r.client_err.expected, expected);
    assert_string_equal(r.client_err.actual, actual);
    rig_close(&r);
}

/* SNI: a DNS name is sent, an address is not. */
static void test_sni(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_string_equal(SSL_get_servername(r.server_ssl, TLSEXT_NAMETYPE_host_name), RIG_NAME);
    rig_close(&r);
    rig_open(&r);
    use_identity(&r, "192.0.2.7");
    by_ip(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    assert_null(SSL_get_servername(r.server_ssl, TLSEXT_NAMETYPE_host_name));
    rig_close(&r);
}

/* Without a time of the caller's, the system's clock: certificates of the room are not valid at whatever now is, unless
 * it happens to be in their 90 days. */
static void test_system_clock(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    atls_time now = (atls_time)time(NULL);
    bool valid = now >= sim_now(r.sim) - 30 * 86400 && now <= sim_now(r.sim) + 60 * 86400;
    r.client_options.now = ATLS_TIME_UNSET;
    rig_start(&r, NULL);
    rig_run(&r);
    if (!valid) {
        rig_expect_client(&r, ATLS_E_IDENTITY,
                          now < sim_now(r.sim) ? "certificate.not_before" : "certificate.not_after");
    }
    rig_close(&r);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "a wrong pin says what was pinned and what was found", test_pin_says_both, NULL);
    tap_add(&l, "SNI carries names, not addresses", test_sni, NULL);
    tap_add(&l, "without a time of the caller's, the system's clock counts", test_system_clock, NULL);
    return tap_run("identity", &l);
}
