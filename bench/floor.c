/* SPDX-License-Identifier: Apache-2.0 */
#include "floor.h"

#include <openssl/ec.h>
#include <string.h>

#include "bench.h"

void floor_init(raw_floor *f, size_t n)
{
    f->n = n;
    f->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (f->sha256 == NULL) {
        bench_die("no SHA-256");
    }
    for (size_t i = 0; i < n; i++) {
        memset(f->digest[i], (int)i + 1, sizeof f->digest[i]);
        f->key[i] = EVP_EC_gen("P-256");
        EVP_PKEY_CTX *sign = f->key[i] == NULL ? NULL : EVP_PKEY_CTX_new(f->key[i], NULL);
        f->sig_len[i] = sizeof f->sig[i];
        if (sign == NULL || EVP_PKEY_sign_init(sign) != 1
            || EVP_PKEY_sign(sign, f->sig[i], &f->sig_len[i], f->digest[i], sizeof f->digest[i]) != 1) {
            bench_die("cannot make a signature for the floor");
        }
        EVP_PKEY_CTX_free(sign);
        f->ctx[i] = EVP_PKEY_CTX_new(f->key[i], NULL);
        if (f->ctx[i] == NULL || EVP_PKEY_verify_init(f->ctx[i]) != 1) {
            bench_die("cannot prepare the floor");
        }
    }
}

void floor_verify(const raw_floor *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (EVP_PKEY_verify(f->ctx[i], f->sig[i], f->sig_len[i], f->digest[i], sizeof f->digest[i]) != 1) {
            bench_die("a signature of the floor does not verify");
        }
    }
}

void floor_hash(const raw_floor *f, const uint8_t *bytes, size_t n)
{
    uint8_t out[32];
    if (EVP_Digest(bytes, n, out, NULL, f->sha256, NULL) != 1) {
        bench_die("cannot hash");
    }
}

void floor_free(raw_floor *f)
{
    for (size_t i = 0; i < f->n; i++) {
        EVP_PKEY_CTX_free(f->ctx[i]);
        EVP_PKEY_free(f->key[i]);
    }
    EVP_MD_free(f->sha256);
}
