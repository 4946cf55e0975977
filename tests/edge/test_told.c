/* SPDX-License-Identifier: Apache-2.0 */
/* test_told.c: a client's caller is told which certificates the server sent: once, as they were sent, whatever becomes of
 * the session, and without changing it. */
#include "rig.h"

typedef struct told {
    unsigned calls;
    size_t n;
    uint8_t leaf[4096];
    size_t leaf_len;
    bool established; /* when it was called */
    const rig *rig;
} told;

static void on_certificates(void *ctx, const atls_bytes *ders, size_t n)
{
    told *t = ctx;
    uint8_t byte;
    size_t got;
    atls_error err = {.code = ATLS_OK};
    t->calls++;
    t->n = n;
    t->leaf_len = ders[0].len;
    assert_true(ders[0].len <= sizeof t->leaf);
    memcpy(t->leaf, ders[0].ptr, ders[0].len);
    t->established = atls_session_read(t->rig->client, &byte, 1, &got, &err) != ATLS_STEP_FAILED;
}

/* A caller's own verification hides ours. */
static int trust_everybody(X509_STORE_CTX *ctx, void *arg)
{
    (void)ctx;
    (void)arg;
    return 1;
}

static void honest(rig *r)
{
    (void)r;
}

static void wrong_name(rig *r)
{
    r->client_options.server_name = "other.example.com";
}

static void wrong_pin(rig *r)
{
    r->client_options.identity = ATLS_IDENTITY_PIN;
    r->client_options.pin_spki_sha256[31] = 1;
}

static void attested_only(rig *r)
{
    rig_policy(r, "\"attested_only\":true,");
    r->client_options.identity = ATLS_IDENTITY_ATTESTED_ONLY;
}

/* The roots are looked at twice: a pause of the handshake, and OpenSSL verifies again. */
static void system_roots(rig *r)
{
    r->client_options.identity = ATLS_IDENTITY_WEBPKI;
    r->client_options.ca_file = NULL;
    assert_int_equal(setenv("SSL_CERT_FILE", r->ca_file, 1), 0);
}

static void own_verification(rig *r)
{
    SSL_CTX_set_cert_verify_callback(r->client_ctx, trust_everybody, NULL);
}

static void two_certificates(rig *r)
{
    const uint8_t *der = r->tls.leaf_der.ptr;
    X509 *again = d2i_X509(NULL, &der, (long)r->tls.leaf_der.len);
    assert_int_equal((int)SSL_CTX_add_extra_chain_cert(r->server_ctx, again), 1);
}

static void twenty_certificates(rig *r)
{
    for (int i = 0; i < 19; i++) {
        two_certificates(r);
    }
}

typedef struct row {
    const char *name;
    void (*change)(rig *r);
    atls_code code;
    size_t n;
} row;

static const row rows[] = {
    {"an honest session", honest, ATLS_OK, 1},
    {"a session that is refused by name", wrong_name, ATLS_E_IDENTITY, 1},
    {"a session that is refused by pin", wrong_pin, ATLS_E_IDENTITY, 1},
    {"no ordinary identity", attested_only, ATLS_OK, 1},
    {"a verification that runs twice", system_roots, ATLS_OK, 1},
    {"a verification of the caller's own", own_verification, ATLS_E_IDENTITY, 1},
    {"two certificates", two_certificates, ATLS_OK, 2},
    {"more than are told", twenty_certificates, ATLS_OK, ATLS_MAX_TOLD_CERTIFICATES},
};

static void test_row(void **state)
{
    const row *w = *state;
    rig r;
    told t = {.rig = &r};
    rig_open(&r);
    w->change(&r);
    r.client_options.on_certificates = on_certificates;
    r.client_options.certificates_ctx = &t;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(t.calls, 1);
    assert_int_equal(t.n, w->n);
    assert_int_equal(t.leaf_len, r.tls.leaf_der.len);
    assert_memory_equal(t.leaf, r.tls.leaf_der.ptr, t.leaf_len);
    assert_false(t.established);
    if (w->code == ATLS_OK) {
        rig_expect_established(&r);
    } else {
        assert_int_equal(r.client_err.code, w->code);
    }
    rig_close(&r);
    (void)unsetenv("SSL_CERT_FILE");
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    return tap_run("told", &l);
}
