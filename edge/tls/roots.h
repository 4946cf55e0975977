/* SPDX-License-Identifier: Apache-2.0 */
/* roots.h: the system's roots, read when they are needed.
 *
 * Most systems keep their roots twice, as a folder of hashed names and as one file. The folder answers for a server with
 * one small read. Reading the file means decoding every root there is, some 150 of them and tens of milliseconds, which
 * a session that does not need them should not pay. So a certificate is verified against the folder first; if that
 * fails, the handshake pauses, the file is read, and everything is verified again. What is trusted is the same. */
#ifndef ATLS_EDGE_TLS_ROOTS_H
#define ATLS_EDGE_TLS_ROOTS_H

#include "session.h"

/* atls_roots_system makes s->store trust the system's roots: OpenSSL's default folder at once, its default file late (and
 * the variables of the environment that OpenSSL honours for either). Errors: MEMORY. */
ATLS_MUST_USE bool atls_roots_system(atls_session *s, atls_error *err);

/* atls_roots_ask_again is for the verify callback: true when the file has not been read yet. The handshake will then pause
 * with SSL_ERROR_WANT_RETRY_VERIFY, whatever the callback accepts meanwhile. */
bool atls_roots_ask_again(atls_session *s);

/* atls_roots_resume reads the file for a handshake that paused; false when it paused for another reason. */
bool atls_roots_resume(atls_session *s);

#endif
