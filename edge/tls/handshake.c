/* SPDX-License-Identifier: Apache-2.0 */
/* handshake.c: see handshake.h. */
#include "handshake.h"

#include <string.h>

#include "atls/bytes.h"

#define RANDOM_LEN (ATLS_HANDSHAKE_LEN / 2)

void atls_handshake_note(const SSL *ssl, uint8_t out[ATLS_HANDSHAKE_LEN])
{
    memset(out, 0, ATLS_HANDSHAKE_LEN);
    if (SSL_get_client_random(ssl, out, RANDOM_LEN) != RANDOM_LEN
        || SSL_get_server_random(ssl, out + RANDOM_LEN, RANDOM_LEN) != RANDOM_LEN) {
        memset(out, 0, ATLS_HANDSHAKE_LEN);
    }
}

bool atls_handshake_is(const SSL *ssl, const uint8_t noted[ATLS_HANDSHAKE_LEN])
{
    uint8_t now[ATLS_HANDSHAKE_LEN];
    atls_handshake_note(ssl, now);
    const atls_bytes a = atls_bytes_of(now, sizeof now);
    return !atls_bytes_is_zero(a) && atls_bytes_equal(a, atls_bytes_of(noted, ATLS_HANDSHAKE_LEN));
}
