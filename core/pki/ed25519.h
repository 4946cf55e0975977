/* SPDX-License-Identifier: Apache-2.0 */
/* ed25519.h: signatures of an operator's own key, and that key in the two files that tools make of it.
 *
 * Pure Ed25519 (RFC 8032, section 5.1), no context, no pre-hash: what is signed says itself what it is. Beside signature.h,
 * because no evidence is signed like that. Every function drains OpenSSL's error queue before it returns. */
#ifndef ATLS_PKI_ED25519_H
#define ATLS_PKI_ED25519_H

#include "atls/arena.h"
#include "atls/bytes.h"
#include "atls/error.h"

#define ATLS_ED25519_KEY_LEN       32u
#define ATLS_ED25519_SIGNATURE_LEN 64u

/* atls_ed25519_verify checks a signature over data. False with `code` and `field`. */
ATLS_MUST_USE bool atls_ed25519_verify(const uint8_t key[static 32], atls_bytes data,
                                       const uint8_t signature[static 64], atls_code code, const char *field,
                                       atls_error *err);

/* atls_ed25519_sign signs data with the key that the 32 bytes of seed are. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_ed25519_sign(const uint8_t seed[static 32], atls_bytes data, uint8_t out[static 64],
                                     atls_error *err);

/* atls_ed25519_public computes the public key of a seed. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_ed25519_public(const uint8_t seed[static 32], uint8_t out[static 32], atls_error *err);

/* atls_ed25519_read_public reads a public key: 32 bytes as they are, a SubjectPublicKeyInfo in DER (44 bytes), or one in PEM
 * ("PUBLIC KEY", white space around it). Errors: USAGE with field. Source: RFC 8410, section 4. */
ATLS_MUST_USE bool atls_ed25519_read_public(atls_bytes file, const char *field, uint8_t out[static 32],
                                            atls_error *err);

/* atls_ed25519_read_seed reads a private key in PEM ("PRIVATE KEY"), as openssl genpkey writes it: PKCS #8, version 0, no
 * attributes. The caller wipes out; nothing else keeps a copy. Errors: USAGE with field. Source: RFC 8410, section 7. */
ATLS_MUST_USE bool atls_ed25519_read_seed(atls_bytes pem, const char *field, uint8_t out[static 32], atls_error *err);

/* atls_ed25519_write_seed and atls_ed25519_write_public write the same forms as PEM, in the arena. Errors: MEMORY. */
ATLS_MUST_USE bool atls_ed25519_write_seed(const uint8_t seed[static 32], atls_arena *a, atls_bytes *out,
                                           atls_error *err);
ATLS_MUST_USE bool atls_ed25519_write_public(const uint8_t key[static 32], atls_arena *a, atls_bytes *out,
                                             atls_error *err);

#endif
