/* SPDX-License-Identifier: Apache-2.0 */
/* older.h: TLS sessions that no certificate of this handshake made: a ticket of an ordinary session, a key agreed beforehand. */
#ifndef ATLS_TESTS_EDGE_OLDER_H
#define ATLS_TESTS_EDGE_OLDER_H

#include <openssl/err.h>

#include "rig.h"

/* ordinary_session makes one between the rig's two SSL_CTXs, with a ticket that allows so much early data. The rig has no SSLs
 * afterwards. The caller's. */
static inline SSL_SESSION *ordinary_session(rig *r, uint32_t early)
{
    char buf[16];
    assert_int_equal(SSL_CTX_set_max_early_data(r->server_ctx, early), 1);
    rig_ssl(r);
    SSL_set_connect_state(r->client_ssl);
    SSL_set_accept_state(r->server_ssl);
    for (unsigned i = 0; i < 10; i++) {
        (void)SSL_do_handshake(r->client_ssl);
        (void)SSL_do_handshake(r->server_ssl);
        (void)SSL_read(r->client_ssl, buf, sizeof buf); /* takes the tickets */
    }
    SSL_SESSION *session = SSL_get1_session(r->client_ssl);
    assert_int_equal(SSL_SESSION_is_resumable(session), 1);
    assert_int_equal(SSL_SESSION_get_max_early_data(session), early);
    (void)SSL_shutdown(r->client_ssl);
    SSL_free(r->client_ssl);
    SSL_free(r->server_ssl);
    r->client_ssl = NULL;
    r->server_ssl = NULL;
    ERR_clear_error();
    return session;
}

/* ---- a key that both ends have ---- */

static inline SSL_SESSION *psk_session(SSL *ssl)
{
    static const unsigned char key[32] = {7};
    const unsigned char aes_256[] = {0x13, 0x02};
    SSL_SESSION *s = SSL_SESSION_new();
    assert_int_equal(SSL_SESSION_set1_master_key(s, key, sizeof key), 1);
    assert_int_equal(SSL_SESSION_set_cipher(s, SSL_CIPHER_find(ssl, aes_256)), 1);
    assert_int_equal(SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION), 1);
    return s;
}

/* Callbacks of OpenSSL: the client's, and the server's. */
static inline int use_psk(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *len, SSL_SESSION **out)
{
    static const unsigned char name[] = "psk";
    (void)md;
    *id = name;
    *len = 3;
    *out = psk_session(ssl);
    return 1;
}

static inline int find_psk(SSL *ssl, const unsigned char *id, size_t len, SSL_SESSION **out)
{
    (void)id;
    (void)len;
    *out = psk_session(ssl);
    return 1;
}

#endif
