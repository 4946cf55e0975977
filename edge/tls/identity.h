/* SPDX-License-Identifier: Apache-2.0 */
/* identity.h: the ordinary identity of a server: roots and name, a pinned key, or none because the policy waives it.
 *
 * The check runs inside the handshake, in OpenSSL's verification, so that a client certificate or a Finished never goes
 * to a stranger, and what it came to is looked at again behind the handshake. Roots are a store of the session's own:
 * what the caller's SSL_CTX trusts plays no part. The time of validity is always given (STYLE, section 3). */
#ifndef ATLS_EDGE_TLS_IDENTITY_H
#define ATLS_EDGE_TLS_IDENTITY_H

#include "session.h"

/* atls_identity_configure sets roots, name, time and callback of a client's SSL. Errors: CONFIGURATION, MEMORY,
 * INTERNAL. */
ATLS_MUST_USE bool atls_identity_configure(atls_session *s, SSL *ssl, atls_error *err);

/* atls_identity_set_time sets the time of validity again, when the handshake begins. Servers: nothing. Errors:
 * INTERNAL. */
ATLS_MUST_USE bool atls_identity_set_time(atls_session *s, atls_error *err);

/* atls_identity_check looks at what the handshake left: the certificate, of which the caller knows that it is there,
 * passed. Fills the peer's names and hash. Errors: IDENTITY. */
ATLS_MUST_USE bool atls_identity_check(atls_session *s, atls_error *err);

/* atls_identity_detach breaks the tie between the SSL and a session that is about to go. */
void atls_identity_detach(atls_session *s);

/* atls_identity_note_peer keeps the peer's names and the hash of its certificate. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_identity_note_peer(atls_session *s, const X509 *leaf, atls_error *err);

#endif
