/* SPDX-License-Identifier: Apache-2.0 */
/* server.h: a server's session whose SSL is still to come (blocking.c). */
#ifndef ATLS_EDGE_TLS_SERVER_H
#define ATLS_EDGE_TLS_SERVER_H

#include "session.h"

/* atls_server_prepare checks options and makes a session without an SSL. Errors: CONFIGURATION, MEMORY. */
ATLS_MUST_USE bool atls_server_prepare(const atls_server_options *options, atls_session **out, atls_error *err);

/* atls_server_context makes the SSL_CTX of atls_accept: certificate, key, choice of protocol. It becomes the session's.
 * Errors: CONFIGURATION with field "certificate_file" or "private_key_file", MEMORY. */
ATLS_MUST_USE bool atls_server_context(atls_session *s, atls_error *err);

/* atls_server_note_source keeps whose connection a socket is, unless the caller has said it. */
void atls_server_note_source(atls_session *s, int fd);

/* atls_server_take_request uses up one of the requests for evidence that this client's address has. Errors: LIMIT, INTERNAL. */
ATLS_MUST_USE bool atls_server_take_request(atls_session *s, atls_error *err);

/* atls_server_knows_client tells whether OpenSSL has verified a certificate of the client. */
bool atls_server_knows_client(const atls_session *s);

/* atls_server_judges_keys tells whether the policy for clients is of type enrolled_key: they show a certificate in the
 * handshake, and no evidence behind it. */
bool atls_server_judges_keys(const atls_server_options *o);

/* atls_load_identity reads a certificate chain and its unencrypted key from PEM files. Errors: CONFIGURATION. */
ATLS_MUST_USE bool atls_load_identity(SSL_CTX *ctx, const char *certificate_file, const char *private_key_file,
                                      atls_error *err);

#endif
