/* SPDX-License-Identifier: Apache-2.0 */
/* spki.h: the key that a certificate certifies, as bytes exactly as they stand in it. */
#ifndef ATLS_EDGE_TLS_SPKI_H
#define ATLS_EDGE_TLS_SPKI_H

#include <openssl/x509.h>

#include "atls/error.h"

/* atls_spki_sha256 hashes the DER SubjectPublicKeyInfo of a certificate. Errors: ENCODING, INTERNAL with `field`. */
ATLS_MUST_USE bool atls_spki_sha256(const X509 *cert, const char *field, uint8_t out[32], atls_error *err);

#endif
