/* SPDX-License-Identifier: Apache-2.0 */
/* io.h: the one door to OpenSSL's I/O: every call's outcome becomes a step, every failure an error in words.
 *
 * Each function clears OpenSSL's queue of errors before its call and leaves it empty. `what` names the part of the
 * exchange for the error's field ("response", "session.read"). */
#ifndef ATLS_EDGE_TLS_IO_H
#define ATLS_EDGE_TLS_IO_H

#include "session.h"

/* atls_io_handshake moves the handshake. Errors: TLS_HANDSHAKE; IDENTITY when the verify callback said no. */
ATLS_MUST_USE atls_step atls_io_handshake(atls_session *s, atls_error *err);

/* atls_io_read reads 1 to size bytes. CLOSED: the peer's close_notify. Errors: IO, also for an end without it. */
ATLS_MUST_USE atls_step atls_io_read(atls_session *s, void *buf, size_t size, size_t *n, const char *what,
                                     atls_error *err);

/* atls_io_write writes 1 to size bytes; size is not 0. Errors: IO. */
ATLS_MUST_USE atls_step atls_io_write(atls_session *s, const void *buf, size_t size, size_t *n, const char *what,
                                      atls_error *err);

/* atls_io_surplus tells how many bytes of the record that was read last have not been taken. */
size_t atls_io_surplus(const atls_session *s);

/* atls_io_blocks tells whether a read would wait in the system for the peer. */
bool atls_io_blocks(const atls_session *s);

/* atls_io_is_quiet fails with IO when application bytes have arrived that nobody has read. It never blocks, so over a
 * blocking socket it sees the last record only. */
ATLS_MUST_USE bool atls_io_is_quiet(atls_session *s, const char *what, atls_error *err);

/* atls_io_close sends close_notify. Errors: IO. */
ATLS_MUST_USE atls_step atls_io_close(atls_session *s, atls_error *err);

/* atls_io_abandon ends a session that failed: close_notify if OpenSSL still allows one, without waiting for anything;
 * then, if the session owns its socket, that is closed. */
void atls_io_abandon(atls_session *s);

/* atls_io_reason gives OpenSSL's words for the first error of its queue and empties the queue. Static. */
const char *atls_io_reason(void);

/* atls_io_may_look_ahead tells whether reading now cannot block. atls_io_has_news tells whether, besides, there may be
 * something to find: bytes, or the end of a transport without a descriptor. */
bool atls_io_may_look_ahead(const atls_session *s);
bool atls_io_has_news(const atls_session *s);

#endif
