/* SPDX-License-Identifier: Apache-2.0 */
/* handshake.h: which handshake an SSL has made. A program may clear its SSL, or let it go on to another handshake, in which nobody has
 * proved anything: what was found out in one counts for that one alone. */
#ifndef ATLS_EDGE_TLS_HANDSHAKE_H
#define ATLS_EDGE_TLS_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#define ATLS_HANDSHAKE_LEN 64u

/* atls_handshake_note writes down which one it is: both ends' randoms, so that neither can make it look like another. Zeros: none has
 * got so far. */
void atls_handshake_note(const SSL *ssl, uint8_t out[ATLS_HANDSHAKE_LEN]);

/* atls_handshake_is tells whether the SSL's is the one that was noted; none is never the same as none. */
bool atls_handshake_is(const SSL *ssl, const uint8_t noted[ATLS_HANDSHAKE_LEN]);

#endif
