/* SPDX-License-Identifier: Apache-2.0 */
/* hooked.h: the profile "constellation" in a session: the proof is inside the handshake (constellation.h), so that nothing
 * is left to exchange behind it. The session's SSL_CTX is its own and hooked. */
#ifndef ATLS_EDGE_TLS_HOOKED_H
#define ATLS_EDGE_TLS_HOOKED_H

#include "session.h"

/* Static; for both ends. */
const atls_profile *atls_hooked_profile(void);

/* atls_hooked_is tells whether this is the session's profile. */
bool atls_hooked_is(const atls_session *s);

/* atls_hooked_context hooks the session's SSL_CTX, before its SSL is made. Errors: those of atls_hook_client and _server. */
ATLS_MUST_USE bool atls_hooked_context(atls_session *s, atls_error *err);

/* atls_hooked_configure takes an SSL of that context. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_hooked_configure(atls_session *s, SSL *ssl, atls_error *err);

/* atls_hooked_check says what the handshake proved, and keeps the result. The error says why, if it failed. */
ATLS_MUST_USE bool atls_hooked_check(atls_session *s, atls_error *err);

/* atls_hooked_explain replaces err by what the hook knows, if it knows better: why a handshake or a first read failed. */
void atls_hooked_explain(atls_session *s, atls_error *err);

#endif
