/* SPDX-License-Identifier: Apache-2.0 */
/* floor.h: what OpenSSL alone needs: verifications of distinct P-256 signatures under distinct keys that are ready to use, and
 * one SHA-256 over so many bytes. */
#ifndef ATLS_BENCH_FLOOR_H
#define ATLS_BENCH_FLOOR_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define FLOOR_MAX_SIGNATURES 16

typedef struct raw_floor {
    EVP_PKEY_CTX *ctx[FLOOR_MAX_SIGNATURES];
    EVP_PKEY *key[FLOOR_MAX_SIGNATURES];
    uint8_t digest[FLOOR_MAX_SIGNATURES][32];
    uint8_t sig[FLOOR_MAX_SIGNATURES][80];
    size_t sig_len[FLOOR_MAX_SIGNATURES];
    size_t n;
    EVP_MD *sha256;
} raw_floor;

/* Each ends the program when it cannot do its part. */
void floor_init(raw_floor *f, size_t n);
void floor_verify(const raw_floor *f);
void floor_hash(const raw_floor *f, const uint8_t *bytes, size_t n);
void floor_free(raw_floor *f);

#endif
