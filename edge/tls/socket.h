/* SPDX-License-Identifier: Apache-2.0 */
/* socket.h: the sockets that sessions own.
 *
 * OpenSSL's own socket BIO writes with write(), and a peer that has gone away then kills the process with SIGPIPE. A
 * library must not do that, nor change how its process handles signals: hence a BIO of our own that says MSG_NOSIGNAL.
 */
#ifndef ATLS_EDGE_TLS_SOCKET_H
#define ATLS_EDGE_TLS_SOCKET_H

#include "session.h"

/* atls_socket_attach makes s->socket the transport of s->ssl. Errors: MEMORY. */
ATLS_MUST_USE bool atls_socket_attach(atls_session *s, atls_error *err);

/* atls_socket_prepare makes fd non-blocking, not inherited, and without delay where it is TCP. Errors: IO. */
ATLS_MUST_USE bool atls_socket_prepare(int fd, atls_error *err);

/* atls_socket_close closes the socket: what was sent still arrives if it can. Nothing happens when there is none. */
void atls_socket_close(atls_socket *socket);

#endif
