/* SPDX-License-Identifier: Apache-2.0 */
/* request.h: whether something is signed by the very key that stands in it: the proof of possession of a certification
 * request (RFC 2986 section 3). Taking requests apart is core/enrol's. */
#ifndef ATLS_PKI_REQUEST_H
#define ATLS_PKI_REQUEST_H

#include "atls/bytes.h"
#include "atls/error.h"

typedef struct atls_request_parts {
    atls_bytes tbs;       /* as received */
    atls_bytes spki;      /* whole SubjectPublicKeyInfo */
    atls_bytes algorithm; /* whole AlgorithmIdentifier */
    atls_bytes signature; /* content of the BIT STRING */
} atls_request_parts;

/* atls_request_verify checks the signature: ECDSA on P-256 or P-384, or RSA (PKCS #1 v1.5, 2048 to 8192 bits), each with
 * SHA-256, SHA-384 or SHA-512, whatever the size of the key. Errors: `code` with "<prefix>.signature", or
 * "<prefix>.signatureAlgorithm" or "<prefix>.subjectPKInfo" where these are malformed or do not go together; UNSUPPORTED with
 * one of the latter two; INTERNAL, MEMORY. Pure. */
ATLS_MUST_USE bool atls_request_verify(const atls_request_parts *parts, atls_code code, const char *prefix,
                                       atls_error *err);

#endif
