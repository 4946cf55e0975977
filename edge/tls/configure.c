/* SPDX-License-Identifier: Apache-2.0 */
/* configure.c: what every attested session asks of an SSL, client or server, before the handshake. */
#include "configure.h"

#include <openssl/err.h>

/* Anything that could make a session without a fresh handshake, hide an end of data, or change keys later. */
static void close_doors(SSL *ssl)
{
    SSL_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_clear_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_ALLOW_NO_DHE_KEX);
    SSL_set_psk_use_session_callback(ssl, NULL);
    SSL_set_psk_find_session_callback(ssl, NULL);
    SSL_set_psk_client_callback(ssl, NULL);
    SSL_set_psk_server_callback(ssl, NULL);
    SSL_set_post_handshake_auth(ssl, 0);
    SSL_set_quiet_shutdown(ssl, 0);
    SSL_set_read_ahead(ssl, 0); /* so that nothing is read beyond the record that is asked for */
    /* or one call would read as many tickets and key updates as a peer cares to send, and no deadline be looked at */
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

bool atls_configure_tls(SSL *ssl, atls_error *err)
{
    if (ssl == NULL || SSL_in_before(ssl) != 1) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ssl", "an SSL is needed whose handshake has not begun");
    }
    close_doors(ssl);
    bool ok = SSL_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 && SSL_set_max_proto_version(ssl, TLS1_3_VERSION) == 1
              && SSL_set_num_tickets(ssl, 0) == 1 && SSL_set_max_early_data(ssl, 0) == 1
              && SSL_set_recv_max_early_data(ssl, 0) == 1 && SSL_set_session(ssl, NULL) == 1;
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, "ssl", "OpenSSL refuses the settings of an attested session");
}
