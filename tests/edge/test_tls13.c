/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls13.c: which TLS sessions are attested ones: R11, handshakes that go wrong, ALPN. */
#include "older.h"

/* ---- R11 --------------------------------------------------------------------------------------------------------- */

static atls_bytes no_answer(rig *r)
{
    (void)r;
    return atls_bytes_empty();
}

static void test_tls12_server(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    assert_int_equal(SSL_CTX_set_max_proto_version(r.server_ctx, TLS1_2_VERSION), 1);
    rig_start(&r, no_answer);
    rig_run(&r);
    rig_expect_client(&r, ATLS_E_TLS_HANDSHAKE, "tls.version");
    assert_string_equal(r.client_err.expected, "TLSv1.3");
    assert_true(r.client_err.retry);
    rig_close(&r);
}

/* The caller asks for less than TLS 1.3 behind the session's back: found out after the handshake. */
static void test_tls12_by_caller(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    assert_int_equal(SSL_CTX_set_max_proto_version(r.server_ctx, TLS1_2_VERSION), 1);
    rig_start(&r, no_answer);
    assert_int_equal(SSL_set_min_proto_version(r.client_ssl, TLS1_2_VERSION), 1);
    assert_int_equal(SSL_set_max_proto_version(r.client_ssl, TLS1_2_VERSION), 1);
    rig_run(&r);
    rig_expect_client(&r, ATLS_E_TLS_HANDSHAKE, "tls.version");
    assert_string_equal(r.client_err.actual, "TLSv1.2");
    rig_close(&r);
}

static void test_tls12_client(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_ssl(&r);
    rig_server(&r);
    assert_int_equal(SSL_set_max_proto_version(r.client_ssl, TLS1_2_VERSION), 1);
    SSL_set_connect_state(r.client_ssl);
    atls_step step = ATLS_STEP_WANT_READ;
    for (unsigned i = 0; i < 10 && step == ATLS_STEP_WANT_READ; i++) {
        (void)SSL_do_handshake(r.client_ssl);
        ERR_clear_error();
        step = atls_session_step(r.server, &r.server_err);
    }
    assert_int_equal(step, ATLS_STEP_FAILED);
    assert_int_equal(r.server_err.code, ATLS_E_TLS_HANDSHAKE);
    assert_string_equal(r.server_err.field, "tls.version");
    rig_close(&r);
}

/* Set before the session was made: forgotten. Set behind its back: refused. */
static void test_resumption(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rig r;
        rig_open(&r);
        SSL_SESSION *old = ordinary_session(&r, 0);
        rig_ssl(&r);
        if (i == 0) {
            assert_int_equal(SSL_set_session(r.client_ssl, old), 1);
        }
        rig_client(&r);
        if (i == 1) {
            assert_int_equal(SSL_set_session(r.client_ssl, old), 1);
        }
        r.script = no_answer;
        r.peer.ssl = r.server_ssl;
        SSL_set_accept_state(r.server_ssl);
        rig_run(&r);
        if (i == 0) {
            assert_int_not_equal(r.client_step, ATLS_STEP_FAILED);
            assert_int_equal(SSL_session_reused(r.client_ssl), 0);
        } else {
            assert_int_equal(SSL_session_reused(r.client_ssl), 1);
            rig_expect_client(&r, ATLS_E_TLS_HANDSHAKE, "tls.resumption");
        }
        SSL_SESSION_free(old);
        rig_close(&r);
    }
}

/* A ticket from the same SSL_CTX does not resume at an attested server: it makes a full handshake. */
static void test_resumption_at_server(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    SSL_SESSION *old = ordinary_session(&r, 0);
    rig_ssl(&r);
    rig_server(&r);
    rig_client(&r);
    assert_int_equal(SSL_set_session(r.client_ssl, old), 1);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    assert_int_equal(SSL_session_reused(r.client_ssl), 0);
    assert_int_equal(SSL_session_reused(r.server_ssl), 0);
    SSL_SESSION_free(old);
    rig_close(&r);
}

/* An attested server gives no tickets out. */
static int count_tickets(SSL *ssl, SSL_SESSION *session)
{
    size_t *n = SSL_get_app_data(ssl);
    (void)session;
    (*n)++;
    return 0;
}

static void test_no_tickets(void **state)
{
    (void)state;
    rig r;
    size_t n = 0;
    rig_open(&r);
    SSL_CTX_set_session_cache_mode(r.client_ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(r.client_ctx, count_tickets);
    rig_start(&r, NULL);
    SSL_set_app_data(r.client_ssl, &n);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    rig_say(r.server, r.client, "no ticket in front of this");
    assert_int_equal(n, 0);
    rig_close(&r);
}

/* On the SSL_CTX: switched off. Set behind the session's back: there is no certificate, and that is said. */
static void test_psk(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rig r;
        rig_open(&r);
        SSL_CTX_set_psk_use_session_callback(r.client_ctx, use_psk);
        SSL_CTX_set_psk_find_session_callback(r.server_ctx, find_psk);
        rig_start(&r, no_answer);
        if (i == 1) {
            SSL_set_psk_use_session_callback(r.client_ssl, use_psk);
        }
        rig_run(&r);
        if (i == 0) {
            assert_int_not_equal(r.client_step, ATLS_STEP_FAILED);
            assert_non_null(SSL_get0_peer_certificate(r.client_ssl));
        } else {
            rig_expect_client(&r, ATLS_E_MISSING_CERTIFICATE, "certificate");
            assert_int_equal(r.client_err.category, ATLS_CATEGORY_TRUST);
        }
        rig_close(&r);
    }
}

static void test_psk_at_server(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    SSL_CTX_set_psk_find_session_callback(r.server_ctx, find_psk);
    rig_start(&r, NULL);
    SSL_set_psk_find_session_callback(r.server_ssl, find_psk);
    SSL_set_psk_use_session_callback(r.client_ssl, use_psk);
    rig_run_to_end(&r);
    assert_int_equal(r.server_step, ATLS_STEP_FAILED);
    assert_int_equal(r.server_err.code, ATLS_E_TLS_HANDSHAKE);
    assert_string_equal(r.server_err.field, "tls.resumption");
    rig_close(&r);
}

/* ---- handshake --------------------------------------------------------------------------------------------------- */

/* A server without any certificate cannot make a handshake. */
static void test_server_without_certificate(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    SSL_CTX_free(r.server_ctx);
    r.server_ctx = rig_context(true, NULL);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_client(&r, ATLS_E_TLS_HANDSHAKE, r.client_err.field);
    assert_int_equal(r.server_step, ATLS_STEP_FAILED);
    assert_int_equal(r.server_err.code, ATLS_E_TLS_HANDSHAKE);
    rig_close(&r);
}

static void test_not_tls(void **state)
{
    (void)state;
    static const char *const greetings[] = {"220 mail.example.com ESMTP ready\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n",
                                            "\026"};
    for (size_t i = 0; i < 3; i++) {
        rig r;
        rig_open(&r);
        rig_ssl(&r);
        rig_client(&r);
        assert_true(BIO_write(r.server_bio, greetings[i], (int)strlen(greetings[i])) > 0);
        assert_int_equal(BIO_shutdown_wr(r.server_bio), 1);
        r.client_step = atls_session_step(r.client, &r.client_err);
        rig_expect_client(&r, ATLS_E_TLS_HANDSHAKE, r.client_err.field);
        assert_true(r.client_err.retry);
        rig_close(&r);
    }
}

static void test_handshake_cut(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_ssl(&r);
    rig_client(&r);
    assert_int_equal(atls_session_step(r.client, &r.client_err), ATLS_STEP_WANT_READ);
    assert_int_equal(BIO_shutdown_wr(r.server_bio), 1);
    r.client_step = atls_session_step(r.client, &r.client_err);
    rig_expect_client(&r, ATLS_E_TLS_HANDSHAKE, "tls.handshake");
    rig_close(&r);
}

/* Every bit of the server's first flight counts: one flipped bit, at every 69th byte, never ends in a session. */
static void test_flipped_bits(void **state)
{
    (void)state;
    for (size_t at = 0; at < 700; at += 69) {
        rig r;
        uint8_t flight[4096];
        rig_open(&r);
        rig_ssl(&r);
        rig_client(&r);
        assert_int_equal(atls_session_step(r.client, &r.client_err), ATLS_STEP_WANT_READ);
        /* the server speaks into memory, so that its words can be changed */
        SSL *server = SSL_new(r.server_ctx);
        BIO *in = BIO_new(BIO_s_mem());
        BIO *out = BIO_new(BIO_s_mem());
        SSL_set_bio(server, in, out);
        int n = BIO_read(r.server_bio, flight, sizeof flight);
        assert_true(n > 0 && BIO_write(in, flight, n) == n);
        (void)SSL_accept(server);
        n = BIO_read(out, flight, sizeof flight);
        assert_true(n > 700);
        flight[at] ^= 0x10;
        assert_int_equal(BIO_write(r.server_bio, flight, n), n);
        (void)BIO_shutdown_wr(r.server_bio);
        ERR_clear_error();
        r.client_step = atls_session_step(r.client, &r.client_err);
        rig_expect_client(&r, ATLS_E_TLS_HANDSHAKE, r.client_err.field);
        SSL_free(server);
        rig_close(&r);
    }
}

/* ---- ALPN -------------------------------------------------------------------------------------------------------- */

static int choose(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in, unsigned in_len,
                  void *arg)
{
    const char *name = arg;
    (void)ssl;
    (void)in;
    (void)in_len;
    *out = (const unsigned char *)name;
    *len = (unsigned char)strlen(name);
    return SSL_TLSEXT_ERR_OK;
}

static void run_alpn(rig *r, const char *const *offer, const char *chosen)
{
    union {
        const char *in;
        void *out;
    } arg = {.in = chosen};
    rig_open(r);
    r->client_options.alpn = offer;
    if (chosen != NULL) {
        SSL_CTX_set_alpn_select_cb(r->server_ctx, choose, arg.out);
    }
    rig_start(r, NULL);
    rig_run_to_end(r);
}

static void test_alpn(void **state)
{
    (void)state;
    static const char *const offer[] = {"h2", "http/1.1", NULL};
    rig r;
    run_alpn(&r, offer, "http/1.1");
    rig_expect_established(&r);
    assert_true(atls_bytes_equal_str(atls_session_alpn(r.client), "http/1.1"));
    assert_true(atls_bytes_equal_str(atls_session_alpn(r.server), "http/1.1"));
    rig_close(&r);
    run_alpn(&r, offer, NULL);
    rig_expect_established(&r);
    assert_int_equal(atls_session_alpn(r.client).len, 0);
    rig_close(&r);
    run_alpn(&r, offer, "h2"); /* the caller's SSL_CTX chose h2: the server's session ends */
    assert_int_equal(r.server_err.code, ATLS_E_TLS_HANDSHAKE);
    assert_string_equal(r.server_err.field, "tls.alpn");
    rig_close(&r);
    run_alpn(&r, offer, "smtp"); /* not offered: newer OpenSSL says so itself, for older ones the session does */
    rig_expect_client(&r, ATLS_E_TLS_HANDSHAKE, r.client_err.field);
    rig_close(&r);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "R11: a server of TLS 1.2", test_tls12_server, NULL);
    tap_add(&l, "R11: TLS 1.2 allowed behind the session's back", test_tls12_by_caller, NULL);
    tap_add(&l, "R11: a client of TLS 1.2", test_tls12_client, NULL);
    tap_add(&l, "R11: resumption at the client", test_resumption, NULL);
    tap_add(&l, "R11: resumption at the server", test_resumption_at_server, NULL);
    tap_add(&l, "R11: no tickets", test_no_tickets, NULL);
    tap_add(&l, "R11: external PSK at the client is MissingCertificate", test_psk, NULL);
    tap_add(&l, "R11: external PSK at the server", test_psk_at_server, NULL);
    tap_add(&l, "a server without a certificate is TlsHandshake", test_server_without_certificate, NULL);
    tap_add(&l, "a peer that does not speak TLS is TlsHandshake", test_not_tls, NULL);
    tap_add(&l, "an end in the handshake is TlsHandshake", test_handshake_cut, NULL);
    tap_add(&l, "a flipped bit in the handshake is TlsHandshake", test_flipped_bits, NULL);
    tap_add(&l, "ALPN: from the offer, or none, and never h2", test_alpn, NULL);
    return tap_run("tls13", &l);
}
