/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c: the server's side of TLS: one certificate, 1.2 with forward secrecy or 1.3, no resumption, http/1.1 by ALPN. */
#include <openssl/err.h>
#include <string.h>

#include "internal.h"

static bool refuse(const char *field, const char *file, atls_error *err)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    (void)atls_fail(err, ATLS_E_CONFIGURATION, field, "%s: %s", file == NULL ? "OpenSSL" : file,
                    reason == NULL ? "cannot be used" : reason);
    ERR_clear_error();
    return false;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned int in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)arg;
    union {
        const unsigned char **in;
        unsigned char **out;
    } at = {.in = out};
    /* Who offers only others may go on without: there is one protocol here. */
    return SSL_select_next_proto(at.out, out_len, ours, sizeof ours - 1, in, in_len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

/* A passphrase would be asked for at a terminal that nobody watches. */
/* NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's signature */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return 0;
}

static bool configure(SSL_CTX *ctx, const svc_config *c, atls_error *err)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET
                                 | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    return (SSL_CTX_set_min_proto_version(ctx, c->tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION) == 1
            && SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1)
           || refuse("tls", NULL, err);
}

static bool load(SSL_CTX *ctx, const svc_config *c, atls_error *err)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, c->tls_certificate) != 1) {
        return refuse("tls.certificate", c->tls_certificate, err);
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, c->tls_key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
        return refuse("tls.key", c->tls_key, err);
    }
    return true;
}

bool svc_tls_load(svc_generation *g, atls_error *err)
{
    if (g->config.tls_certificate == NULL) {
        return true;
    }
    ERR_clear_error();
    g->tls = SSL_CTX_new(TLS_server_method());
    if (g->tls == NULL) {
        return refuse("tls", NULL, err);
    }
    return configure(g->tls, &g->config, err) && load(g->tls, &g->config, err);
}
