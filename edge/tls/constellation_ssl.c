/* SPDX-License-Identifier: Apache-2.0 */
/* constellation_ssl.c: one SSL from the begin of its handshake to what a program may ask afterwards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "constellation.h"

#define ALERT_CERTIFICATE_REQUIRED 116 /* RFC 8446 6.2 */

/* ---- begin ------------------------------------------------------------------------------------------------------- */

void atls_hooked_free(atls_hooked *s)
{
    if (s != NULL) {
        SSL_CTX *context = s->context;
        atls_template_free(&s->own); /* the SSL may hold it still */
        atls_ticket_free(s->ticket);
        atls_arena_shelf_give(s->hook == NULL ? NULL : s->hook->arenas, &s->arena);
        atls_wipe(s, sizeof *s);
        free(s);
        SSL_CTX_free(context); /* the hook goes with the last one */
    }
}

/* Anything that could make a session without a fresh certificate, or exchange a certificate later. */
static bool close_doors(SSL *ssl, const atls_hooked *s, atls_error *err)
{
    SSL_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_clear_options(ssl, SSL_OP_ALLOW_NO_DHE_KEX);
    SSL_set_psk_use_session_callback(ssl, NULL);
    SSL_set_psk_find_session_callback(ssl, NULL);
    SSL_set_psk_client_callback(ssl, NULL);
    SSL_set_psk_server_callback(ssl, NULL);
    SSL_set_post_handshake_auth(ssl, 0);
    bool ok = SSL_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 && SSL_set_max_proto_version(ssl, TLS1_3_VERSION) == 1
              && SSL_set_num_tickets(ssl, 0) == 1 && SSL_set_max_early_data(ssl, 0) == 1
              && SSL_set_recv_max_early_data(ssl, 0) == 1;
    if (s->hook->is_server) { /* sessions of other connections belong to another context, so OpenSSL passes them over */
        ok = ok && SSL_set_session_id_context(ssl, s->nonce, sizeof s->nonce) == 1;
    } else {
        ok = ok && SSL_set_session(ssl, NULL) == 1;
    }
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, "ssl", "OpenSSL refuses the settings of an attested handshake");
}

/* A program that switched verification off is told so; the handshake fails as well. */
static bool keep_verifying(SSL *ssl, const atls_hook *hook, atls_error *err)
{
    int mode = SSL_VERIFY_PEER | (hook->is_server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
    if (hook->is_server && hook->n_accepts == 0) {
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL); /* no certificate is asked for */
        return true;
    }
    bool ok = (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0;
    SSL_set_verify(ssl, mode, NULL);
    return ok
           || atls_fail(err, ATLS_E_CONFIGURATION, "ssl.verify_mode",
                        "verification of the peer was switched off after the context was hooked");
}

/* Neither is a secret. */
static bool draw(atls_hooked *s)
{
    uint8_t drawn[sizeof s->nonce + sizeof s->serial];
    if (RAND_bytes(drawn, sizeof drawn) != 1) {
        ERR_clear_error();
        return atls_fail(&s->failure, ATLS_E_INTERNAL, "nonce", "the system's generator of random numbers failed");
    }
    memcpy(s->nonce, drawn, sizeof s->nonce);
    memcpy(s->serial, drawn + sizeof s->nonce, sizeof s->serial);
    return true;
}

static bool prepare(SSL *ssl, atls_hooked *s)
{
    atls_error *err = &s->failure;
    if ((SSL_is_server(ssl) == 1) != s->hook->is_server) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ssl", "the context was hooked for the other side");
    }
    return draw(s) && atls_arena_shelf_take(s->hook->arenas, s->hook->arena_size, &s->arena, err)
           && close_doors(ssl, s, err) && keep_verifying(ssl, s->hook, err) && atls_hooked_announce(ssl, s, err);
}

/* Nothing can be refused here: what went wrong is remembered, and every later callback refuses. */
static void begin(SSL *ssl)
{
    const atls_hook *hook = atls_hook_of(ssl);
    atls_hooked *s = hook == NULL ? NULL : calloc(1, sizeof *s);
    if (!atls_hooked_set(ssl, s)) {
        atls_hooked_free(s);
        return;
    }
    if (s != NULL) {
        s->hook = hook;
        s->context = SSL_get_SSL_CTX(ssl);
        (void)SSL_CTX_up_ref(s->context); /* cannot fail for one that somebody holds */
        (void)prepare(ssl, s);
    }
}

/* ---- what happens on the way ------------------------------------------------------------------------------------- */

/* OpenSSL shows its callbacks a const SSL, and lets them set what the handshake is about to read. */
static SSL *writable(const SSL *ssl)
{
    union {
        const SSL *in;
        SSL *out;
    } u = {.in = ssl};
    return u.out;
}

static void note_alert(atls_hooked *s, int where, int alert)
{
    int description = alert & 0xff;
    if ((where & SSL_CB_READ) != 0 && description != SSL_AD_CLOSE_NOTIFY && description != SSL_AD_USER_CANCELLED) {
        s->alert = description;
    }
    if ((where & SSL_CB_WRITE) != 0 && description == ALERT_CERTIFICATE_REQUIRED) {
        (void)atls_fail(&s->failure, ATLS_E_MISSING_CERTIFICATE, "certificate", "the client showed no certificate");
        atls_hooked_tell(s);
    }
}

/* The peer has what our certificate had to say. Key and certificate leave the SSL, and the key's life ends here. */
static void finish(SSL *ssl, atls_hooked *s)
{
    s->done = true;
    if (s->certified && s->own.key != NULL) {
        SSL_certs_clear(ssl);
        atls_template_give(s->hook->shelf, &s->own);
    }
}

void atls_hooked_info(const SSL *ssl, int where, int argument)
{
    const atls_hook *hook = atls_hook_of(ssl);
    if ((where & SSL_CB_HANDSHAKE_START) != 0) {
        begin(writable(ssl));
    }
    atls_hooked *s = atls_hooked_of(ssl);
    if (s != NULL && (where & SSL_CB_HANDSHAKE_DONE) != 0) {
        finish(writable(ssl), s);
    }
    if (s != NULL && (where & SSL_CB_ALERT) != 0) {
        note_alert(s, where, argument);
    }
    if (hook != NULL && hook->info != NULL) {
        hook->info(ssl, where, argument);
    }
}

/* Records of TLS 1.3 say what they are only when they are open: the inner content type (RFC 8446 5.2). */
void atls_hooked_message(int write_p, int version, int content_type, const void *buf, size_t len, SSL *ssl, void *arg)
{
    atls_hooked *s = atls_hooked_of(ssl);
    (void)version;
    (void)arg;
    if (s != NULL && s->done && write_p == 0 && content_type == SSL3_RT_INNER_CONTENT_TYPE && len == 1
        && *(const uint8_t *)buf == SSL3_RT_APPLICATION_DATA) {
        s->data_read = true;
    }
}

void atls_hooked_tell(atls_hooked *s)
{
    if (s != NULL && !s->told && s->hook->refused != NULL) {
        bool show = s->has_result && s->result.verdict != ATLS_VERDICT_ACCEPTED;
        s->told = true;
        s->hook->refused(s->hook->refused_ctx, show ? &s->result : NULL, &s->failure);
    }
}

/* ---- what a program may ask -------------------------------------------------------------------------------------- */

static bool refused(const atls_hooked *s, atls_error *err)
{
    char actual[80];
    snprintf(actual, sizeof actual, "%d %s", s->alert, SSL_alert_desc_string_long(s->alert));
    return atls_fail_values(err, ATLS_E_PEER_REFUSED, "tls.alert", "none", actual, "the peer ended the handshake: %s",
                            SSL_alert_desc_string_long(s->alert));
}

/* Reads as a list of reasons why not. */
static bool check_accepted(const SSL *ssl, const atls_hooked *s, atls_error *err)
{
    if (s->failure.code != ATLS_OK) {
        *err = s->failure;
        return false;
    }
    if (s->alert != 0 && !(s->done && s->accepted)) {
        return refused(s, err);
    }
    if (s->hook->n_accepts == 0) {
        return atls_fail(err, ATLS_E_USAGE, "verifier", "this side verifies nobody, so nobody was verified");
    }
    if (!s->done || SSL_in_before(ssl) == 1) {
        return atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.handshake", "the handshake is not complete");
    }
    if ((SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) == 0) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ssl.verify_mode", "verification of the peer was switched off");
    }
    return (s->judged && s->accepted && s->result.verdict == ATLS_VERDICT_ACCEPTED && SSL_session_reused(ssl) == 0
            && atls_handshake_is(ssl, s->random))
           || atls_fail(
               err, ATLS_E_CONFIGURATION, "ssl.verify_callback",
               "the peer's certificate was not verified in this handshake: the callback was replaced, or the SSL is in "
               "another one");
}

bool atls_hook_result(const SSL *ssl, const atls_result **out, atls_error *err)
{
    const atls_hooked *s = ssl == NULL ? NULL : atls_hooked_of(ssl);
    *out = NULL;
    if (s == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "ssl", "no attested handshake has begun on this SSL");
    }
    bool ok = check_accepted(ssl, s, err);
    /* An accepting result must not be seen where the answer is no. */
    if (s->has_result && (ok || s->result.verdict != ATLS_VERDICT_ACCEPTED)) {
        *out = &s->result;
    }
    return ok;
}

bool atls_hook_peer_accepted(const SSL *ssl, atls_error *err)
{
    const atls_hooked *s = ssl == NULL ? NULL : atls_hooked_of(ssl);
    if (s == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "ssl", "no attested handshake has begun on this SSL");
    }
    if (s->alert != 0) {
        return refused(s, err);
    }
    if (s->failure.code != ATLS_OK) {
        *err = s->failure;
        return false;
    }
    if (!s->done || SSL_in_before(ssl) == 1) {
        return atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.handshake", "the handshake is not complete");
    }
    return !s->asked || s->data_read
           || atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.application_data",
                        "the server has judged our certificate when it sends data, and has sent none yet");
}

int atls_hook_wait_fd(const SSL *ssl)
{
    const atls_hooked *s = ssl == NULL ? NULL : atls_hooked_of(ssl);
    return s == NULL || s->ticket == NULL ? -1 : atls_ticket_fd(s->ticket);
}
