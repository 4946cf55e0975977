/* SPDX-License-Identifier: Apache-2.0 */
/* test_hook_doors.c: ways around the proof: programs that undo what the hook has set, sessions that bring no certificate,
 * older TLS, options and policies that make no sense. */
#include "pair.h"

#include <openssl/err.h>

static int believe(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

/* ---- programs that undo what the hook has set -------------------------------------------------------------------- */

typedef struct undo_row {
    const char *name;
    void (*before_ssl)(pair *p); /* contexts are hooked, SSLs not made */
    void (*before)(pair *p);     /* SSLs are made */
    void (*after)(pair *p);      /* handshakes are complete */
    bool done;                   /* the client's handshake completes all the same */
    atls_code code;
    const char *field;
} undo_row;

static void replace_verify_callback(pair *p)
{
    SSL_CTX_set_cert_verify_callback(p->client.ctx, believe, NULL);
}

static void replace_info_callback(pair *p)
{
    SSL_set_info_callback(p->client.ssl, NULL);
    SSL_CTX_set_info_callback(p->client.ctx, NULL);
}

static void verify_none_in_context(pair *p)
{
    SSL_CTX_set_verify(p->client.ctx, SSL_VERIFY_NONE, NULL);
}

static void verify_none(pair *p)
{
    SSL_set_verify(p->client.ssl, SSL_VERIFY_NONE, NULL);
}

/* As soon as the ClientHello is made. */
static void verify_none_on_the_way(int write_p, int version, int type, const void *buf, size_t len, SSL *ssl, void *arg)
{
    (void)version;
    (void)buf;
    (void)len;
    (void)arg;
    if (write_p == 1 && type == SSL3_RT_HANDSHAKE) {
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    }
}

static void verify_none_later(pair *p)
{
    SSL_set_msg_callback(p->client.ssl, verify_none_on_the_way);
}

static void verify_again(pair *p)
{
    SSL_set_verify(p->client.ssl, SSL_VERIFY_PEER, NULL);
}

static void clear(pair *p)
{
    assert_int_equal(SSL_clear(p->client.ssl), 1);
}

static const undo_row undone[] = {
    {"nothing is undone", NULL, NULL, NULL, true, ATLS_OK, ""},
    {"another verify callback", replace_verify_callback, NULL, NULL, true, ATLS_E_CONFIGURATION, "ssl.verify_callback"},
    {"another information callback", replace_info_callback, NULL, NULL, false, ATLS_E_USAGE, "ssl"},
    {"no verification, in the context", verify_none_in_context, NULL, NULL, false, ATLS_E_CONFIGURATION,
     "ssl.verify_mode"},
    {"no verification", NULL, verify_none, NULL, false, ATLS_E_CONFIGURATION, "ssl.verify_mode"},
    {"no verification, on the way", NULL, verify_none_later, NULL, true, ATLS_E_CONFIGURATION, "ssl.verify_mode"},
    {"no verification, on the way, and then again", NULL, verify_none_later, verify_again, true, ATLS_E_CONFIGURATION,
     "ssl.verify_mode"},
    {"no verification, afterwards", NULL, NULL, verify_none, true, ATLS_E_CONFIGURATION, "ssl.verify_mode"},
    {"cleared for another handshake", NULL, NULL, clear, true, ATLS_E_TLS_HANDSHAKE, "tls.handshake"},
};

static void undoes(void **state)
{
    const undo_row *row = *state;
    const atls_result *result;
    atls_error err = {.code = ATLS_OK};
    pair p;
    pair_open(&p);
    pair_ssl(&p);
    if (row->before_ssl != NULL) {
        row->before_ssl(&p);
        pair_again(&p);
        if (row->before_ssl == replace_info_callback) {
            replace_info_callback(&p);
        }
    }
    if (row->before != NULL) {
        row->before(&p);
    }
    if (row->before_ssl == replace_info_callback) { /* nobody draws a nonce: the server gets none either */
        assert_int_equal(SSL_set_tlsext_host_name(p.client.ssl, "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8="), 1);
    }
    pair_run(&p);
    assert_int_equal(p.client.code == SSL_ERROR_NONE, row->done);
    if (row->after != NULL) {
        row->after(&p);
    }
    assert_int_equal(atls_hook_result(p.client.ssl, &result, &err), row->code == ATLS_OK);
    pair_expect_error(&err, row->code, row->field);
    assert_true(row->code == ATLS_OK || result == NULL);
    pair_close(&p);
}

/* A server that judges its clients, and is told not to. */
static void undoes_on_a_server(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    pair_mutual(&p);
    pair_ssl(&p);
    SSL_set_verify(p.server.ssl, SSL_VERIFY_NONE, NULL);
    pair_run(&p);
    assert_int_equal(p.server.code, SSL_ERROR_SSL);
    pair_expect_refused(&p.server, ATLS_E_CONFIGURATION, "ssl.verify_mode");
    pair_close(&p);
}

/* A server that is told to do without a certificate where there is none. */
static void insists_on_a_certificate(void **state)
{
    static const pair_lie none = {.no_certificate = true};
    pair p;
    (void)state;
    pair_open(&p);
    pair_mutual(&p);
    p.client.lie = &none;
    pair_ssl(&p);
    SSL_set_verify(p.server.ssl, SSL_VERIFY_PEER, NULL);
    pair_run(&p);
    assert_int_equal(p.server.code, SSL_ERROR_SSL);
    pair_expect_refused(&p.server, ATLS_E_MISSING_CERTIFICATE, "certificate");
    pair_close(&p);
}

/* Whoever takes the message callback never hears of data, and so never says yes. */
static void loses_the_message_callback(void **state)
{
    atls_error err = {.code = ATLS_OK};
    pair p;
    (void)state;
    pair_open(&p);
    pair_mutual(&p);
    pair_start(&p);
    SSL_set_msg_callback(p.client.ssl, NULL);
    pair_say(&p.server, &p.client);
    assert_int_equal(p.client.code, SSL_ERROR_NONE);
    assert_false(atls_hook_peer_accepted(p.client.ssl, &err));
    assert_int_equal(err.code, ATLS_E_TLS_HANDSHAKE);
    pair_close(&p);
}

/* One SSL, two handshakes: two nonces, and nothing of the first is left in the second. */
static void clears_and_goes_again(void **state)
{
    static const pair_lie bare = {.no_extension = true};
    static const pair_lie honest = {0};
    const bool *with_hook = *state;
    uint8_t nonce[32];
    pair p;
    pair_open(&p);
    pair_start(&p);
    pair_expect_accepted(&p.client);
    memcpy(nonce, atls_hooked_of(p.client.ssl)->nonce, sizeof nonce);
    (void)SSL_shutdown(p.client.ssl);
    (void)SSL_shutdown(p.server.ssl);
    SSL *kept = p.client.ssl;
    assert_int_equal(SSL_up_ref(kept), 1);
    p.server.lie = *with_hook ? &bare : &honest;
    SSL_CTX_free(p.server.ctx);
    p.server.ctx = NULL;
    SSL_free(p.server.ssl);
    SSL_free(p.client.ssl);
    p.client.ordinary = true; /* its context is hooked already */
    pair_ssl(&p);
    if (*with_hook) { /* pair_ssl has set its own */
        SSL_CTX_set_info_callback(p.client.ctx, atls_hooked_info);
    }
    SSL_free(p.client.ssl);
    p.client.ssl = kept;
    assert_int_equal(SSL_clear(kept), 1);
    assert_int_equal(BIO_new_bio_pair(&p.client.bio, 65536, &p.server.bio, 65536), 1);
    SSL_set_bio(p.client.ssl, p.client.bio, p.client.bio);
    SSL_set_bio(p.server.ssl, p.server.bio, p.server.bio);
    pair_run(&p);
    if (*with_hook) {
        assert_memory_not_equal(nonce, atls_hooked_of(kept)->nonce, sizeof nonce);
        pair_expect_refused(&p.client, ATLS_E_UNSUPPORTED, "certificate.tbs.extensions");
    } else { /* the old nonce went out again, and honest evidence over it came back */
        assert_int_equal(p.client.code, SSL_ERROR_SSL);
        pair_expect_refused(&p.client, ATLS_E_TLS_HANDSHAKE, "tls.certificate");
    }
    pair_close(&p);
}

static void look_away(const SSL *ssl, int where, int argument)
{
    (void)ssl;
    (void)where;
    (void)argument;
}

/* An accepted handshake with an honest liar, who gives a ticket; then the same SSL meets the other end of the same
 * context again, and what began a handshake for the hook is gone. */
static void meet_again(pair *p, const pair_lie *lie)
{
    SSL *first = p->server.ssl;
    (void)SSL_shutdown(p->client.ssl);
    (void)SSL_shutdown(first);
    (void)SSL_shutdown(p->client.ssl);
    p->server.lie = lie;
    p->server.ssl = SSL_new(p->server.ctx);
    SSL_set_accept_state(p->server.ssl);
    assert_int_equal(SSL_clear(p->client.ssl), 1);
    SSL_set_connect_state(p->client.ssl);
    SSL_set_info_callback(p->client.ssl, look_away);
    assert_int_equal(BIO_new_bio_pair(&p->client.bio, 65536, &p->server.bio, 65536), 1);
    SSL_set_bio(p->client.ssl, p->client.bio, p->client.bio);
    SSL_set_bio(p->server.ssl, p->server.bio, p->server.bio);
    SSL_free(first);
    pair_run(p);
}

static void open_accepted(pair *p)
{
    static const pair_lie honest = {0};
    pair_open(p);
    p->server.lie = &honest;
    pair_start(p);
    pair_expect_accepted(&p->client);
    assert_int_equal(SSL_new_session_ticket(p->server.ssl), 1);
    pair_say(&p->server, &p->client);
}

static void expect_no(const pair *p)
{
    const atls_result *out;
    atls_error err = {0};
    assert_false(atls_hook_result(p->client.ssl, &out, &err));
    assert_null(out);
}

/* The yes of one handshake is none of the next: not of a resumed one, */
static void forgets_before_a_resumed_one(void **state)
{
    static const pair_lie honest = {0};
    pair p;
    (void)state;
    open_accepted(&p);
    meet_again(&p, &honest);
    expect_no(&p);
    pair_close(&p);
}

/* nor of one whose certificate somebody else has believed. */
static void forgets_before_an_unproved_one(void **state)
{
    static const pair_lie bare = {.no_extension = true};
    pair p;
    (void)state;
    open_accepted(&p);
    assert_int_equal(SSL_set_session(p.client.ssl, NULL), 1);
    SSL_CTX_set_cert_verify_callback(p.client.ctx, believe, NULL);
    meet_again(&p, &bare);
    pair_expect_done(&p.client);
    expect_no(&p);
    pair_close(&p);
}

static void a_copy_starts_anew(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    pair_ssl(&p);
    SSL *copy = SSL_dup(p.client.ssl);
    assert_non_null(copy);
    assert_ptr_not_equal(copy, p.client.ssl);
    assert_null(atls_hooked_of(copy));
    pair_run(&p);
    pair_expect_accepted(&p.client);
    assert_null(atls_hooked_of(copy));
    SSL_free(copy);
    assert_int_equal(SSL_clear(p.client.ssl), 1); /* once more, with something to forget */
    copy = SSL_dup(p.client.ssl);
    assert_non_null(copy);
    assert_ptr_not_equal(copy, p.client.ssl);
    assert_null(atls_hooked_of(copy));
    SSL_free(copy);
    pair_close(&p);
}

/* The context that a handshake began with is held by it: a program may pass an SSL on, and let go of the context. */
static void outlives_its_context(void **state)
{
    static const pair_lie honest = {0};
    atls_error err = {.code = ATLS_OK};
    pair p;
    (void)state;
    pair_open(&p);
    p.server.lie = &honest;
    pair_ssl(&p);
    SSL_CTX *other = SSL_CTX_new(TLS_client_method());
    assert_true(atls_hook_install(other, &p.client.hook, &err));
    assert_ptr_equal(SSL_set_SSL_CTX(p.client.ssl, other), other);
    SSL_CTX_free(other);
    pair_run(&p);
    pair_expect_accepted(&p.client);
    assert_ptr_equal(SSL_set_SSL_CTX(p.client.ssl, p.client.ctx), p.client.ctx);
    pair_expect_accepted(&p.client);
    pair_close(&p);
}

/* ---- sessions without a certificate ------------------------------------------------------------------------------ */

static void make_ordinary(pair_end *e, bool is_server)
{
    e->ordinary = true;
    e->ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    SSL_CTX_set_cert_verify_callback(e->ctx, believe, NULL);
}

static SSL_SESSION *kept_session;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept_session);
    kept_session = session;
    return 1;
}

/* A hooked server gives no tickets to a client that would like one, and a session from elsewhere is not taken up. */
static void a_server_gives_no_tickets(void **state)
{
    pair p;
    (void)state;
    kept_session = NULL;
    pair_open(&p);
    make_ordinary(&p.client, false);
    SSL_CTX_set_session_cache_mode(p.client.ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(p.client.ctx, keep_session);
    pair_start(&p);
    pair_expect_done(&p.client);
    assert_int_equal(SSL_new_session_ticket(p.server.ssl), 1); /* even if the program asks for one */
    (void)SSL_do_handshake(p.server.ssl);
    pair_say(&p.server, &p.client);
    (void)SSL_shutdown(p.client.ssl);
    SSL_SESSION *session = kept_session != NULL ? kept_session : SSL_get1_session(p.client.ssl);
    kept_session = NULL;
    pair_again(&p);
    if (SSL_SESSION_is_resumable(session) == 1) {
        assert_int_equal(SSL_set_session(p.client.ssl, session), 1);
    }
    SSL_SESSION_free(session);
    pair_run(&p);
    pair_expect_done(&p.client);
    assert_int_equal(SSL_session_reused(p.client.ssl), 0);
    assert_int_equal(SSL_session_reused(p.server.ssl), 0);
    assert_int_equal(p.n_attested, 2);
    pair_close(&p);
}

/* A client's program brings a session of an earlier connection: it is laid aside. */
static void a_client_resumes_nothing(void **state)
{
    static const pair_lie honest = {0};
    pair p;
    (void)state;
    kept_session = NULL;
    pair_open(&p);
    p.server.lie = &honest;
    pair_ssl(&p);
    SSL_CTX_set_session_cache_mode(p.client.ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(p.client.ctx, keep_session);
    pair_again(&p);
    pair_run(&p);
    pair_say(&p.server, &p.client);   /* tickets come before the byte */
    (void)SSL_shutdown(p.client.ssl); /* or OpenSSL would spoil the session */
    assert_non_null(kept_session);
    assert_int_equal(SSL_SESSION_is_resumable(kept_session), 1);
    SSL_SESSION *session = kept_session;
    kept_session = NULL;
    pair_again(&p);
    assert_int_equal(SSL_set_session(p.client.ssl, session), 1);
    SSL_SESSION_free(session);
    pair_run(&p);
    pair_expect_accepted(&p.client);
    assert_int_equal(SSL_session_reused(p.client.ssl), 0);
    SSL_SESSION_free(kept_session);
    kept_session = NULL;
    pair_close(&p);
}

static unsigned psk_client(SSL *ssl, const char *hint, char *id, unsigned max_id, unsigned char *psk, unsigned max_psk)
{
    (void)ssl;
    (void)hint;
    snprintf(id, max_id, "known");
    memset(psk, 7, max_psk < 32 ? max_psk : 32);
    return 32;
}

static unsigned psk_server(SSL *ssl, const char *id, unsigned char *psk, unsigned max_psk)
{
    (void)ssl;
    (void)id;
    memset(psk, 7, max_psk < 32 ? max_psk : 32);
    return 32;
}

static void a_client_uses_no_psk(void **state)
{
    static const pair_lie honest = {0};
    pair p;
    (void)state;
    pair_open(&p);
    p.server.lie = &honest;
    pair_ssl(&p);
    SSL_set_psk_client_callback(p.client.ssl, psk_client);
    SSL_set_psk_server_callback(p.server.ssl, psk_server);
    pair_run(&p);
    pair_expect_accepted(&p.client); /* there was a certificate, then */
    pair_close(&p);
}

static void a_server_uses_no_psk(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    make_ordinary(&p.client, false);
    pair_ssl(&p);
    SSL_set_psk_client_callback(p.client.ssl, psk_client);
    SSL_set_psk_server_callback(p.server.ssl, psk_server);
    pair_run(&p);
    pair_expect_done(&p.client);
    assert_non_null(SSL_get0_peer_certificate(p.client.ssl));
    assert_int_equal(p.n_attested, 1);
    pair_close(&p);
}

static void no_older_tls(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    make_ordinary(&p.client, false);
    SSL_CTX_set_max_proto_version(p.client.ctx, TLS1_2_VERSION);
    pair_start(&p);
    assert_int_equal(p.client.alert, SSL_AD_PROTOCOL_VERSION);
    pair_close(&p);
    pair_open(&p); /* a program that lowers it afterwards */
    pair_ssl(&p);
    assert_int_equal(SSL_set_min_proto_version(p.client.ssl, TLS1_2_VERSION), 1);
    assert_int_equal(SSL_set_max_proto_version(p.client.ssl, TLS1_2_VERSION), 1);
    pair_run(&p);
    pair_expect_accepted(&p.client);
    assert_int_equal(SSL_version(p.client.ssl), TLS1_3_VERSION);
    pair_close(&p);
}

/* A program that lowers it at the last moment gets the certificate judged, and refused. */
static void lower(const SSL *ssl, int where, int argument)
{
    union {
        const SSL *in;
        SSL *out;
    } u = {.in = ssl};
    (void)argument;
    if ((where & SSL_CB_HANDSHAKE_START) != 0) {
        assert_int_equal(SSL_set_min_proto_version(u.out, TLS1_2_VERSION), 1);
        assert_int_equal(SSL_set_max_proto_version(u.out, TLS1_2_VERSION), 1);
    }
}

static void no_older_tls_at_all(void **state)
{
    static const pair_lie honest = {0};
    pair p;
    (void)state;
    pair_open(&p);
    p.server.lie = &honest;
    p.client.info = lower;
    pair_start(&p);
    assert_int_equal(p.client.code, SSL_ERROR_SSL);
    pair_expect_refused(&p.client, ATLS_E_TLS_HANDSHAKE, "tls.version");
    pair_close(&p);
}

/* Steps 1 to 3 of section 7 hold for unverified peers, too. */
static void unverified_is_not_unchecked(void **state)
{
    static const pair_lie expired = {.not_before = -60, .not_after = -1};
    pair p;
    (void)state;
    pair_open(&p);
    p.client.hook.n_accepts = 0;
    p.server.lie = &expired;
    pair_start(&p);
    assert_int_equal(p.client.code, SSL_ERROR_SSL);
    pair_expect_refused(&p.client, ATLS_E_EXPIRED, "certificate.tbs.validity.not_after");
    pair_close(&p);
}

static void hooked_for_the_other_side(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    p.client.ordinary = true;
    p.client.ctx = SSL_CTX_new(TLS_method());
    p.server.hook.is_server = true;
    assert_true(atls_hook_install(p.client.ctx, &p.server.hook, &p.err));
    pair_ssl(&p);
    SSL_CTX_set_info_callback(p.client.ctx, atls_hooked_info);
    pair_run(&p);
    assert_int_not_equal(p.client.code, SSL_ERROR_NONE);
    pair_expect_refused(&p.client, ATLS_E_CONFIGURATION, "ssl");
    pair_close(&p);
}

int main(void)
{
    static const bool yes = true;
    static const bool no = false;
    tap_list l = {0};
    for (size_t i = 0; i < sizeof undone / sizeof undone[0]; i++) {
        tap_add(&l, undone[i].name, undoes, &undone[i]);
    }
    tap_add(&l, "no verification, on a server", undoes_on_a_server, NULL);
    tap_add(&l, "a server insists on a certificate", insists_on_a_certificate, NULL);
    tap_add(&l, "another message callback", loses_the_message_callback, NULL);
    tap_add(&l, "SSL_clear and again", clears_and_goes_again, &yes);
    tap_add(&l, "SSL_clear and again, without the hook", clears_and_goes_again, &no);
    tap_add(&l, "SSL_clear, and resumed behind the hook's back", forgets_before_a_resumed_one, NULL);
    tap_add(&l, "SSL_clear, and believed behind the hook's back", forgets_before_an_unproved_one, NULL);
    tap_add(&l, "SSL_dup", a_copy_starts_anew, NULL);
    tap_add(&l, "SSL_set_SSL_CTX, and its context is let go", outlives_its_context, NULL);
    tap_add(&l, "a server gives no tickets", a_server_gives_no_tickets, NULL);
    tap_add(&l, "a client resumes nothing", a_client_resumes_nothing, NULL);
    tap_add(&l, "a client uses no PSK", a_client_uses_no_psk, NULL);
    tap_add(&l, "a server uses no PSK", a_server_uses_no_psk, NULL);
    tap_add(&l, "no older TLS", no_older_tls, NULL);
    tap_add(&l, "no older TLS at the last moment", no_older_tls_at_all, NULL);
    tap_add(&l, "unverified is not unchecked", unverified_is_not_unchecked, NULL);
    tap_add(&l, "hooked for the other side", hooked_for_the_other_side, NULL);
    return tap_run("hook_doors", &l);
}
