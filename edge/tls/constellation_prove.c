/* SPDX-License-Identifier: Apache-2.0 */
/* constellation_prove.c: our side: find the peer's nonce, have evidence made over it and our key, show the certificate. */
#include <string.h>

#include <openssl/err.h>

#include "constellation.h"

/* ---- our nonce to the peer --------------------------------------------------------------------------------------- */

static bool announce_to_server(SSL *ssl, const atls_hooked *s)
{
    char text[CONSTELLATION_NONCE_TEXT_LEN + 1];
    constellation_nonce_write(s->nonce, text);
    return SSL_set_tlsext_host_name(ssl, text) == 1;
}

static bool announce_to_client(SSL *ssl, const atls_hooked *s)
{
    uint8_t der[CONSTELLATION_NAME_LEN];
    const unsigned char *at = der;
    constellation_name_write(s->nonce, der);
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    X509_NAME *name = d2i_X509_NAME(NULL, &at, sizeof der);
    if (names == NULL || name == NULL || sk_X509_NAME_push(names, name) <= 0) {
        X509_NAME_free(name);
        sk_X509_NAME_free(names);
        return false;
    }
    SSL_set_client_CA_list(ssl, names); /* takes it */
    return true;
}

bool atls_hooked_announce(SSL *ssl, const atls_hooked *s, atls_error *err)
{
    bool ok = true;
    if (!s->hook->is_server) {
        ok = announce_to_server(ssl, s);
    } else if (s->hook->n_accepts > 0) {
        ok = announce_to_client(ssl, s);
    }
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, "nonce", "OpenSSL could not take the nonce");
}

/* ---- the peer's nonce to us -------------------------------------------------------------------------------------- */

/* Runs for every ClientHello, with and without a name. Behind a HelloRetryRequest the second must say what the first did. */
static bool take_server_name(const SSL *ssl, atls_hooked *s)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    uint8_t nonce[CONSTELLATION_NONCE_LEN];
    if (!constellation_nonce_read(atls_bytes_str(name), "tls.server_name", nonce, &s->failure)) {
        return false;
    }
    if (s->has_peer_nonce
        && !atls_bytes_equal(atls_bytes_of(nonce, sizeof nonce), atls_bytes_of(s->peer_nonce, sizeof s->peer_nonce))) {
        return atls_fail(&s->failure, ATLS_E_PROTOCOL, "tls.server_name",
                         "the second ClientHello names another nonce than the first");
    }
    memcpy(s->peer_nonce, nonce, sizeof nonce);
    s->has_peer_nonce = true;
    return true;
}

int atls_hooked_server_name(SSL *ssl, int *alert, void *arg)
{
    atls_hooked *s = atls_hooked_of(ssl);
    (void)arg;
    if (s == NULL || s->failure.code != ATLS_OK) {
        atls_hooked_tell(s);
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (s->hook->issues != NULL && !take_server_name(ssl, s)) {
        atls_hooked_tell(s);
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

static bool read_authorities(const STACK_OF(X509_NAME) * names, uint8_t nonce[32], atls_error *err)
{
    unsigned char *der = NULL;
    int n = sk_X509_NAME_num(names);
    if (n != 1) {
        return atls_fail(err, ATLS_E_PROTOCOL, "certificate_authorities",
                         "the server names %d acceptable CAs; of this profile it names one", n < 0 ? 0 : n);
    }
    int len = i2d_X509_NAME(sk_X509_NAME_value(names, 0), &der); /* as it was received */
    bool ok = len > 0 ? constellation_name_read(atls_bytes_of(der, (size_t)len), nonce, err)
                      : atls_fail(err, ATLS_E_INTERNAL, "certificate_authorities", "OpenSSL cannot write a name");
    OPENSSL_free(der);
    return ok;
}

/* Whether the server accepts what follows shows only when it sends data. */
static bool take_authorities(SSL *ssl, atls_hooked *s)
{
    s->asked = true;
    SSL_set_msg_callback(ssl, atls_hooked_message);
    s->has_peer_nonce = read_authorities(SSL_get0_peer_CA_list(ssl), s->peer_nonce, &s->failure);
    return s->has_peer_nonce;
}

/* ---- evidence ---------------------------------------------------------------------------------------------------- */

typedef enum progress { FAILED = 0, WAITING, READY } progress;

static progress write_document(atls_hooked *s, const atls_evidence *evidence, atls_bytes *document)
{
    return s->hook->issues->write(s->user_data, s->peer_nonce, evidence, &s->arena, document, &s->failure) ? READY
                                                                                                           : FAILED;
}

/* One request, and then the same question until it is answered. */
static progress ask_attester(atls_hooked *s, atls_bytes *document)
{
    const atls_attested *attested;
    if (s->ticket == NULL
        && !atls_ticket_new(s->hook->attester, ATLS_TICKET_REPORT_DATA, s->report_data, &s->ticket, &s->failure)) {
        return FAILED;
    }
    switch (atls_ticket_poll(s->ticket, &attested, &s->failure)) {
    case ATLS_TICKET_WAITING:
        return WAITING;
    case ATLS_TICKET_READY:
        return write_document(s, &attested->evidence, document);
    case ATLS_TICKET_FAILED:
        break;
    }
    return FAILED;
}

static progress make_document(atls_hooked *s, atls_bytes *document)
{
    atls_evidence evidence = {atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    *document = atls_bytes_empty();
    if (s->hook->issues == NULL) {
        return READY;
    }
    if (s->hook->attester != NULL) {
        return ask_attester(s, document);
    }
    if (!s->hook->attest(s->hook->attest_ctx, s->report_data, &s->arena, &evidence, &s->failure)) {
        (void)atls_fail(&s->failure, ATLS_E_INTERNAL, "attest", "no evidence, and no reason why");
        return FAILED;
    }
    return write_document(s, &evidence, document);
}

/* ---- certificate ------------------------------------------------------------------------------------------------- */

static bool make_key(atls_hooked *s)
{
    if (s->own.key != NULL) {
        return true;
    }
    const atls_bytes user_data = atls_bytes_of(s->user_data, sizeof s->user_data);
    const atls_bytes nonce = atls_bytes_of(s->peer_nonce, sizeof s->peer_nonce);
    return atls_template_take(s->hook->shelf, s->hook->crypto, &s->own, s->user_data, &s->failure)
           && constellation_report_data(s->hook->crypto, user_data, nonce, s->report_data, &s->failure);
}

static bool install(SSL *ssl, atls_hooked *s, atls_bytes document)
{
    atls_template_content content = {
        .serial = s->serial, .oid = s->hook->issues == NULL ? NULL : s->hook->issues->oid, .document = document};
    if (!atls_hook_time(s->hook, &content.now, &s->failure) || !atls_template_fill(&s->own, &content, &s->failure)) {
        return false;
    }
    SSL_certs_clear(ssl); /* whatever else the program has loaded, it would not be attested */
    (void)SSL_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN); /* there is none to look for */
    bool ok = SSL_use_cert_and_key(ssl, s->own.certificate, s->own.key, NULL, 1) == 1;
    ERR_clear_error();
    return ok || atls_fail(&s->failure, ATLS_E_INTERNAL, "certificate", "OpenSSL refuses the certificate");
}

/* What made the document is not needed any more. The result of an appraisal needs the arena. */
static void tidy(atls_hooked *s)
{
    s->certified = true;
    atls_ticket_free(s->ticket);
    s->ticket = NULL;
    if (s->hook->is_server && s->hook->n_accepts == 0) {
        atls_arena_shelf_give(s->hook->arenas, &s->arena);
    }
}

static progress certify(SSL *ssl, atls_hooked *s)
{
    atls_bytes document;
    if (!s->hook->is_server && !s->has_peer_nonce && !take_authorities(ssl, s)) {
        return FAILED;
    }
    if (s->hook->is_server && s->hook->issues != NULL && !s->has_peer_nonce) { /* our callback was replaced */
        atls_fail(&s->failure, ATLS_E_CONFIGURATION, "ssl.server_name_callback", "the client's nonce was not read");
        return FAILED;
    }
    if (!make_key(s)) {
        return FAILED;
    }
    progress p = make_document(s, &document);
    if (p != READY) {
        return p;
    }
    if (!install(ssl, s, document)) {
        return FAILED;
    }
    tidy(s);
    return READY;
}

int atls_hooked_certificate(SSL *ssl, void *arg)
{
    atls_hooked *s = atls_hooked_of(ssl);
    (void)arg;
    if (s == NULL || s->failure.code != ATLS_OK) {
        atls_hooked_tell(s);
        return 0; /* internal_error */
    }
    if (s->certified) { /* OpenSSL asks again for the second ClientHello */
        return 1;
    }
    switch (certify(ssl, s)) {
    case READY:
        return 1;
    case WAITING:
        return -1; /* SSL_ERROR_WANT_X509_LOOKUP */
    case FAILED:
        break;
    }
    atls_hooked_tell(s);
    return 0;
}
