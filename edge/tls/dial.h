/* SPDX-License-Identifier: Apache-2.0 */
/* dial.h: TCP connections against a deadline. */
#ifndef ATLS_EDGE_TLS_DIAL_H
#define ATLS_EDGE_TLS_DIAL_H

#include "atls/error.h"

/* atls_dial connects to the first address of host that answers, in the resolver's order, each within its share of the
 * time that is left. *fd is the caller's, non-blocking. The resolver itself cannot be interrupted: a name, unlike an
 * address, may take longer than the deadline. Errors: IO with field "connect", TIMEOUT. */
ATLS_MUST_USE bool atls_dial(const char *host, const char *port, uint64_t deadline_ms, int *fd, atls_error *err);

/* atls_wait waits until fd is ready for events (poll's) or until_ms (of atls_clock_ms) has passed; a signal ends the
 * wait early. False with IO when the descriptor cannot be waited for. UINT64_MAX: for ever. */
ATLS_MUST_USE bool atls_wait(int fd, short events, uint64_t until_ms, atls_error *err);

/* atls_wait_either waits until one of two descriptors is readable (other < 0: the first alone), or until_ms. Errors: IO. */
ATLS_MUST_USE bool atls_wait_either(int fd, int other, uint64_t until_ms, atls_error *err);

#endif
