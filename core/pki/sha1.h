/* SPDX-License-Identifier: Apache-2.0 */
/* sha1.h: SHA-1, for computing again what the SHA-1 bank of a TPM holds. Nothing is signed or accepted by it: it is not among
 * the hashes of signature.h, so that no format can name it there. */
#ifndef ATLS_PKI_SHA1_H
#define ATLS_PKI_SHA1_H

#include "atls/bytes.h"
#include "atls/error.h"

#define ATLS_SHA1_LEN 20u

/* atls_sha1 hashes the concatenation of n parts. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_sha1(const atls_bytes *parts, size_t n, uint8_t out[ATLS_SHA1_LEN], atls_error *err);

#endif
