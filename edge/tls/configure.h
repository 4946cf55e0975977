/* SPDX-License-Identifier: Apache-2.0 */
/* configure.h: settings that clients and servers share. Everything is set on the SSL; its SSL_CTX is never changed. */
#ifndef ATLS_EDGE_TLS_CONFIGURE_H
#define ATLS_EDGE_TLS_CONFIGURE_H

#include "session.h"

/* atls_configure_tls: TLS 1.3 only; no tickets, resumption, early data, external PSK or authentication after the
 * handshake; partial writes. Errors: CONFIGURATION when the handshake has begun, INTERNAL. Source: dstack R11. */
ATLS_MUST_USE bool atls_configure_tls(SSL *ssl, atls_error *err);

#endif
