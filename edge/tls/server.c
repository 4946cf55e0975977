/* SPDX-License-Identifier: Apache-2.0 */
/* server.c: what makes a session a server: its options, its certificate, the choice of protocol. */
#include "server.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "configure.h"
#include "dstack.h"
#include "io.h"

bool atls_server_prepare(const atls_server_options *options, atls_session **out, atls_error *err)
{
    *out = NULL;
    if (options == NULL || options->attest == NULL) {
        atls_fail(err, ATLS_E_CONFIGURATION, "attest", "a function that makes evidence is required");
        return false;
    }
    atls_session *s;
    if (!atls_session_make(atls_dstack_server(), true, options->arena_size, options->timeout_ms, &s, err)) {
        return false;
    }
    s->server = *options;
    if (!atls_session_alpn_list(s, options->alpn, true, err)) {
        atls_session_free(s);
        return false;
    }
    *out = s;
    return true;
}

/* Sessions that the SSL_CTX remembers, or tickets that it gave out on other connections, belong to another context:
 * OpenSSL passes them over and makes a full handshake. */
static bool forget_sessions(SSL *ssl, atls_error *err)
{
    unsigned char context[32];
    bool ok = RAND_bytes(context, sizeof context) == 1 && SSL_set_session_id_context(ssl, context, sizeof context) == 1;
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, "ssl", "OpenSSL refuses a session context");
}

bool atls_server_configure(atls_session *s, SSL *ssl, atls_error *err)
{
    if (!atls_configure_tls(ssl, err) || !forget_sessions(ssl, err)) {
        return false;
    }
    SSL_set_accept_state(ssl);
    s->ssl = ssl;
    return true;
}

bool atls_server_session_new(SSL *ssl, const atls_server_options *options, atls_session **out, atls_error *err)
{
    *out = NULL;
    if (options != NULL && options->alpn != NULL) {
        /* OpenSSL knows this choice on an SSL_CTX only, and the caller's is not ours to change. */
        return atls_fail(err, ATLS_E_CONFIGURATION, "alpn",
                         "over an SSL of one's own, ALPN is chosen by its SSL_CTX (SSL_CTX_set_alpn_select_cb)");
    }
    atls_session *s;
    if (!atls_server_prepare(options, &s, err)) {
        return false;
    }
    if (!atls_server_configure(s, ssl, err)) {
        atls_session_free(s);
        return false;
    }
    *out = s;
    return true;
}

/* ---- the SSL_CTX of atls_accept ---------------------------------------------------------------------------------- */

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *arg)
{
    const atls_session *s = arg;
    unsigned char *chosen = NULL;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, s->alpn.ptr, (unsigned)s->alpn.len, in, in_len)
        != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 3.2: no_application_protocol */
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* OpenSSL would ask the terminal for the passphrase of an encrypted key. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)writing;
    (void)arg;
    if (size > 0) {
        buf[0] = '\0';
    }
    return -1;
}

static bool load_identity(const atls_session *s, atls_error *err)
{
    const atls_server_options *o = &s->server;
    if (o->certificate_file == NULL || SSL_CTX_use_certificate_chain_file(s->ctx, o->certificate_file) != 1) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "certificate_file", "no certificate chain can be read: %s",
                         o->certificate_file == NULL ? "no file is given" : atls_io_reason());
    }
    if (o->private_key_file == NULL
        || SSL_CTX_use_PrivateKey_file(s->ctx, o->private_key_file, SSL_FILETYPE_PEM) != 1) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "private_key_file", "no unencrypted private key can be read: %s",
                         o->private_key_file == NULL ? "no file is given" : atls_io_reason());
    }
    if (SSL_CTX_check_private_key(s->ctx) != 1) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "private_key_file", "the key is not the certificate's: %s",
                         atls_io_reason());
    }
    return true;
}

bool atls_server_context(atls_session *s, atls_error *err)
{
    s->ctx = SSL_CTX_new(TLS_server_method());
    if (s->ctx == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "ssl", "OpenSSL could not make an SSL_CTX: %s", atls_io_reason());
    }
    SSL_CTX_set_session_cache_mode(s->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(s->ctx, no_passphrase);
    if (s->alpn.len > 0) {
        SSL_CTX_set_alpn_select_cb(s->ctx, choose_protocol, s);
    }
    return load_identity(s, err);
}

/* ---- behind the handshake ---------------------------------------------------------------------------------------- */

bool atls_server_check_handshake(atls_session *s, atls_error *err)
{
    if (atls_bytes_equal_str(atls_session_alpn(s), "h2")) {
        return atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.alpn", "h2 was selected, which has no place for the exchange");
    }
    return true;
}
