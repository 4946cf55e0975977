/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_tls.c: what lies under atls/1: which protocol ALPN selects, and sessions that are older, younger or more
 * than a certificate made them: resumed, keyed beforehand, early, authenticated later. */
#include "native_peer.h"
#include "older.h"

#include <openssl/pem.h>

/* ---- ALPN ----------------------------------------------------------------------------------------------------------- */

/* A server that leaves atls/1 out, or picks something of its own. */
static int select_nothing(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in,
                          unsigned in_len, void *arg)
{
    (void)ssl;
    (void)out;
    (void)len;
    (void)in;
    (void)in_len;
    (void)arg;
    return SSL_TLSEXT_ERR_NOACK;
}

static void take_nothing_up(rig *r)
{
    SSL_CTX_set_alpn_select_cb(r->server_ctx, select_nothing, NULL);
}

static void refuse_all(rig *r)
{
    static const char *const names[] = {"h2", NULL};
    union {
        const void *in;
        void *out;
    } arg = {.in = names};
    SSL_CTX_set_alpn_select_cb(r->server_ctx, atls_server_select_alpn, arg.out);
}

/* A client that offers dstack's way as well, under a policy that asks for more. */
static void stripped(rig *r)
{
    rig_policy(r, "\"min_grade\":\"session\",");
    r->client_options.profiles = 0;
    take_nothing_up(r);
}

static const native_row alpn_rows[] = {
    {"ALPN: not taken up by the server", CLIENT_ASKS, {.set_up = take_nothing_up}, ATLS_E_TLS_HANDSHAKE, "tls.alpn"},
    {"ALPN: not taken up, and the policy wants a session",
     CLIENT_ASKS,
     {.set_up = stripped},
     ATLS_E_TLS_HANDSHAKE,
     "tls.alpn"},
    {"ALPN: not taken up by the server's own SSL_CTX",
     SERVER_PROVES,
     {.set_up = take_nothing_up},
     ATLS_E_TLS_HANDSHAKE,
     "tls.alpn"},
};

/* A client without ALPN, or with another one: no atls/1, and nothing else instead. */
static void test_client_alpn(void **state)
{
    static const unsigned char other[] = "\002h2";
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        rig r;
        rig_open(&r);
        rig_native(&r);
        if (i == 2) {
            refuse_all(&r); /* of h2 and http/1.1, say, and the client knows neither */
        }
        native_peer *p = native_peer_open(&r, SERVER_PROVES, NULL);
        assert_int_equal(SSL_set_alpn_protos(p->ssl, i == 0 ? NULL : other, i == 0 ? 0 : 3), 0);
        native_peer_play(p);
        native_expect_refused(p, ATLS_E_TLS_HANDSHAKE, "tls.alpn");
        native_peer_close(p);
        rig_close(&r);
    }
}

/* ---- resumption ------------------------------------------------------------------------------------------------------ */

/* Behind the client's back; an honest client has none to offer. */
static void test_resumed_client(void **state)
{
    rig r;
    (void)state;
    rig_open(&r);
    rig_native(&r);
    SSL_SESSION *old = ordinary_session(&r, 0);
    native_peer *p = native_peer_open(&r, CLIENT_ASKS, NULL);
    assert_int_equal(SSL_set_session(r.client_ssl, old), 1);
    native_peer_play(p);
    assert_int_equal(SSL_session_reused(r.client_ssl), 1);
    native_expect_refused(p, ATLS_E_TLS_HANDSHAKE, "tls.resumption");
    SSL_SESSION_free(old);
    native_peer_close(p);
    rig_close(&r);
}

/* A ticket of the same SSL_CTX is worth nothing to a server: a full handshake. */
static void test_resumed_server(void **state)
{
    rig r;
    (void)state;
    rig_open(&r);
    rig_native(&r);
    SSL_SESSION *old = ordinary_session(&r, 0);
    native_peer *p = native_peer_open(&r, SERVER_PROVES, NULL);
    assert_int_equal(SSL_set_session(p->ssl, old), 1);
    native_peer_play(p);
    assert_int_equal(SSL_session_reused(p->ssl), 0);
    native_expect_talk(p);
    SSL_SESSION_free(old);
    native_peer_close(p);
    rig_close(&r);
}

/* The ticket is worth nothing to the server, and what comes with it is more than it lets pass: none. */
static void test_early_data(void **state)
{
    rig r;
    size_t n = 0;
    (void)state;
    rig_open(&r);
    rig_native(&r);
    SSL_SESSION *old = ordinary_session(&r, 1024);
    native_peer *p = native_peer_open(&r, SERVER_PROVES, NULL);
    assert_int_equal(SSL_set_session(p->ssl, old), 1);
    assert_int_equal(SSL_write_early_data(p->ssl, "GET / HTTP/1.1\r\n\r\n", 18, &n), 1);
    assert_int_equal(n, 18);
    native_peer_play(p);
    native_expect_refused(p, ATLS_E_TLS_HANDSHAKE, "tls.handshake");
    SSL_SESSION_free(old);
    native_peer_close(p);
    rig_close(&r);
}

/* Tickets that a server gives out all the same are passed over, in the middle of the exchange, too. */
static void test_tickets(void **state)
{
    rig r;
    (void)state;
    rig_open(&r);
    rig_native(&r);
    native_peer *p = native_peer_open(&r, CLIENT_ASKS, NULL);
    assert_int_equal(SSL_set_num_tickets(p->ssl, 4), 1);
    native_peer_play(p);
    native_expect_talk(p);
    native_peer_close(p);
    rig_close(&r);
}

/* ---- external PSK ---------------------------------------------------------------------------------------------------- */

/* The session's SSL is asked to after all, once its session is made: then it says so, and ends. Asked to by its SSL_CTX
 * alone, it makes an ordinary handshake. */
static void test_psk(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        rig r;
        const bool client = i % 2 == 0;
        const bool behind = i >= 2;
        rig_open(&r);
        rig_native(&r);
        SSL_CTX_set_psk_use_session_callback(r.client_ctx, use_psk);
        SSL_CTX_set_psk_find_session_callback(r.server_ctx, find_psk);
        native_peer *p = native_peer_open(&r, client ? CLIENT_ASKS : SERVER_PROVES, NULL);
        if (behind) {
            SSL_set_psk_use_session_callback(r.client_ssl, use_psk);
            SSL_set_psk_find_session_callback(r.server_ssl, find_psk);
        }
        native_peer_play(p);
        if (!behind) {
            native_expect_talk(p);
        } else if (client) {
            native_expect_refused(p, ATLS_E_MISSING_CERTIFICATE, "certificate");
        } else {
            native_expect_refused(p, ATLS_E_TLS_HANDSHAKE, "tls.resumption");
        }
        native_peer_close(p);
        rig_close(&r);
    }
}

/* ---- client certificates --------------------------------------------------------------------------------------------- */

/* Makes the client one with a certificate: the rig's own does for that. */
static void own_certificate(rig *r)
{
    SSL_CTX_free(r->client_ctx);
    r->client_ctx = rig_context(false, &r->tls);
}

/* A key that comes behind the handshake would not be the one that was bound. The client's SSL_CTX allows that; the session
 * does not offer it, so that a server has no way to ask. */
static void test_later_certificate(void **state)
{
    rig r;
    (void)state;
    rig_open(&r);
    rig_mutual(&r);
    own_certificate(&r);
    SSL_CTX_set_post_handshake_auth(r.client_ctx, 1);
    native_peer *p = native_peer_open(&r, CLIENT_BOTH, NULL);
    assert_true(native_peer_handshake(p));
    SSL_set_verify(p->ssl, SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_verify_client_post_handshake(p->ssl), 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_EXTENSION_NOT_RECEIVED);
    ERR_clear_error();
    native_peer_play(p);
    native_expect_talk(p);
    assert_null(SSL_get0_peer_certificate(p->ssl));
    native_peer_close(p);
    rig_close(&r);
}

/* A certificate that nobody asked for in the handshake was not sent, and is no part of the session. */
static void test_unasked_certificate(void **state)
{
    rig r;
    (void)state;
    rig_open(&r);
    rig_mutual(&r);
    own_certificate(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    assert_null(SSL_get0_peer_certificate(r.server_ssl));
    assert_true(atls_session_result(r.server)->attested_only);
    rig_close(&r);
}

/* Asked for, but the client's key cannot sign as the server wishes: then none was sent, either. */
static void test_unusable_certificate(void **state)
{
    rig r;
    (void)state;
    rig_open(&r);
    rig_mutual(&r);
    own_certificate(&r);
    SSL_CTX_set_verify(r.server_ctx, SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_CTX_set1_client_sigalgs_list(r.server_ctx, "ed25519"), 1);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    assert_null(SSL_get0_peer_certificate(r.server_ssl));
    rig_close(&r);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof alpn_rows / sizeof alpn_rows[0]; i++) {
        tap_add(&l, alpn_rows[i].name, native_row_run, &alpn_rows[i]);
    }
    tap_add(&l, "ALPN: not offered by the client", test_client_alpn, NULL);
    tap_add(&l, "a resumed session", test_resumed_client, NULL);
    tap_add(&l, "a session offered to be resumed", test_resumed_server, NULL);
    tap_add(&l, "early data", test_early_data, NULL);
    tap_add(&l, "tickets are passed over", test_tickets, NULL);
    tap_add(&l, "an external PSK", test_psk, NULL);
    tap_add(&l, "a client certificate asked for after the handshake", test_later_certificate, NULL);
    tap_add(&l, "a client certificate that nobody asked for", test_unasked_certificate, NULL);
    tap_add(&l, "a client certificate that cannot be used", test_unusable_certificate, NULL);
    return tap_run("native_tls", &l);
}
