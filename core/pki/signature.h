/* SPDX-License-Identifier: Apache-2.0 */
/* signature.h: the core's one door to OpenSSL: digests and signature checks, with keys made from raw points.
 *
 * An atls_crypto holds what OpenSSL makes us fetch (digests, templates of curves) and a few closed keys whose memory is
 * used again. It is made once (by atls_verifier_new) and shared by any number of threads. Algorithms are an allow-list: which one is used is said by the
 * caller's format, never by the message alone. Every function drains OpenSSL's error queue before it returns. */
#ifndef ATLS_PKI_SIGNATURE_H
#define ATLS_PKI_SIGNATURE_H

#include "atls/arena.h"
#include "atls/bytes.h"
#include "atls/error.h"

typedef struct atls_crypto atls_crypto;

/* atls_crypto_new fetches the algorithms. The caller's (atls_crypto_free). Errors: INTERNAL, MEMORY. */
ATLS_MUST_USE bool atls_crypto_new(atls_crypto **out, atls_error *err);
void atls_crypto_free(atls_crypto *c);

typedef enum atls_hash {
    ATLS_SHA256 = 1, /* 32 bytes */
    ATLS_SHA384,     /* 48 */
    ATLS_SHA512,     /* 64 */
} atls_hash;

size_t atls_hash_len(atls_hash h);

/* atls_digest hashes the concatenation of n parts into out, which has room for atls_hash_len(h). Errors: INTERNAL. */
ATLS_MUST_USE bool atls_digest(const atls_crypto *c, atls_hash h, const atls_bytes *parts, size_t n, uint8_t *out,
                               atls_error *err);

/* What kind of key and curve a SubjectPublicKeyInfo holds. */
typedef enum atls_key_kind {
    ATLS_KEY_UNKNOWN = 0,
    ATLS_KEY_P256,
    ATLS_KEY_P384,
    ATLS_KEY_RSA,
} atls_key_kind;

/* A public key as it stands in a certificate or quote: borrowed. */
typedef struct atls_public_key {
    atls_key_kind kind;
    atls_bytes point; /* EC: uncompressed, 04 || X || Y; RSA: DER RSAPublicKey */
} atls_public_key;

/* An opened key: an OpenSSL object, born and closed within one function of the caller. Opening checks that an EC point
 * is on the curve and not infinity. Closed before its atls_crypto is freed. False with `code` and `field` when the key
 * is unusable. */
typedef struct atls_key atls_key;
ATLS_MUST_USE bool atls_key_open(const atls_crypto *c, const atls_public_key *k, atls_code code, const char *field,
                                 atls_key **out, atls_error *err);
/* atls_key_open_insecure_rsa1024 is the same, and takes RSA keys from 1024 bits on. Only for attestation chains of Android,
 * some of whose authorities have such keys. */
ATLS_MUST_USE bool atls_key_open_insecure_rsa1024(const atls_crypto *c, const atls_public_key *k, atls_code code,
                                                  const char *field, atls_key **out, atls_error *err);
/* raw X || Y of P-256, 64 bytes */
ATLS_MUST_USE bool atls_key_open_p256(const atls_crypto *c, const uint8_t xy[64], atls_code code, const char *field,
                                      atls_key **out, atls_error *err);
void atls_key_close(atls_key *k); /* NULL is fine */

/* atls_p256_point reads a point of P-256, X9.63, uncompressed (65 bytes) or compressed (33), and gives it uncompressed. False
 * with `code` and `field` when it is no such point. point.c */
ATLS_MUST_USE bool atls_p256_point(atls_bytes in, uint8_t out[65], atls_code code, const char *field, atls_error *err);

/* atls_verify_raw checks an ECDSA signature r || s (each half big-endian, as long as the curve's field) over the hash
 * of data. r or s equal to zero or >= n is invalid; either half of the curve is accepted for s. False with `code`,
 * `field`. */
ATLS_MUST_USE bool atls_verify_raw(const atls_crypto *c, atls_key *k, atls_hash h, atls_bytes data, atls_bytes rs,
                                   atls_code code, const char *field, atls_error *err);

/* atls_verify_der is the same with a DER ECDSA-Sig-Value (strict DER), as certificates and CRLs carry it; for an RSA
 * key it checks PKCS #1 v1.5. */
ATLS_MUST_USE bool atls_verify_der(const atls_crypto *c, atls_key *k, atls_hash h, atls_bytes data, atls_bytes sig,
                                   atls_code code, const char *field, atls_error *err);

/* atls_verify_pss checks RSASSA-PSS with an RSA key: hash h, MGF1 with h, a salt exactly as long as the digest. */
ATLS_MUST_USE bool atls_verify_pss(const atls_crypto *c, atls_key *k, atls_hash h, atls_bytes data, atls_bytes sig,
                                   atls_code code, const char *field, atls_error *err);

/* atls_verify_pss_any_salt is the same with a salt of any length, which the signature itself says: TPMs take the longest that
 * the key has room for, or the digest's (TPM 2.0 part 1, B.7). For nothing else: where a format names the length it counts. */
ATLS_MUST_USE bool atls_verify_pss_any_salt(const atls_crypto *c, atls_key *k, atls_hash h, atls_bytes data,
                                            atls_bytes sig, atls_code code, const char *field, atls_error *err);

/* atls_crypto_version gives the release of OpenSSL that runs, "OpenSSL 3.0.17", in the arena; NULL with err set when that is
 * full. For recordings: which signatures are good may depend on it. */
ATLS_MUST_USE const char *atls_crypto_version(atls_arena *arena, atls_error *err);

/* atls_crypto_verifications counts signature checks made through c, for tests and bench only ("verified once"). The
 * count is atomic. */
uint64_t atls_crypto_verifications(const atls_crypto *c);

#endif
