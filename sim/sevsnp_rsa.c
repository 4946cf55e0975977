/* SPDX-License-Identifier: Apache-2.0 */
/* sevsnp_rsa.c: RSA signatures without randomness (RFC 8017 8.1 and 8.2): the salt is a hash of the digest. A test tool: it
 * takes no care of timing. */
#include <stdio.h>
#include <string.h>

#include "sim/sevsnp_internal.h"

#define HASH_LEN 48u
#define EM_LEN   SIM_SNP_RSA_LEN

typedef struct numbers {
    BIGNUM *p;
    BIGNUM *q;
    BIGNUM *n;
    BIGNUM *dp;
    BIGNUM *dq;
    BIGNUM *qinv;
    BIGNUM *e;
    BIGNUM *t;
} numbers;

static void free_numbers(numbers *k)
{
    BIGNUM *const all[] = {k->p, k->q, k->n, k->dp, k->dq, k->qinv, k->e, k->t};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        BN_free(all[i]);
    }
}

/* The exponent for one prime: e^-1 modulo prime - 1. */
static bool exponent_of(sim_op *o, const BIGNUM *prime, numbers *k, BIGNUM *out)
{
    return BN_copy(k->t, prime) != NULL && BN_sub_word(k->t, 1) == 1
           && BN_mod_inverse(out, k->e, k->t, o->s->bn) != NULL;
}

static bool make_modulus(sim_op *o, size_t key, numbers *k)
{
    *k = (numbers){.n = BN_new()};
    return k->n != NULL && BN_hex2bn(&k->p, sim_snp_rsa_keys[key].p) > 0
           && BN_hex2bn(&k->q, sim_snp_rsa_keys[key].q) > 0 && BN_mul(k->n, k->p, k->q, o->s->bn) == 1;
}

static bool make_numbers(sim_op *o, size_t key, numbers *k)
{
    const bool ok = make_modulus(o, key, k);
    k->dp = BN_new();
    k->dq = BN_new();
    k->qinv = BN_new();
    k->e = BN_new();
    k->t = BN_new();
    return ok && k->dp != NULL && k->dq != NULL && k->qinv != NULL && k->e != NULL && k->t != NULL
           && BN_set_word(k->e, 65537) == 1 && exponent_of(o, k->p, k, k->dp) && exponent_of(o, k->q, k, k->dq)
           && BN_mod_inverse(k->qinv, k->q, k->p, o->s->bn) != NULL;
}

/* m^d mod n by the Chinese remainders (RFC 8017 5.1.2). */
static bool power(sim_op *o, const numbers *k, const uint8_t em[EM_LEN], uint8_t out[EM_LEN])
{
    BIGNUM *m = BN_bin2bn(em, (int)EM_LEN, NULL);
    BIGNUM *a = BN_new();
    BIGNUM *b = BN_new();
    bool ok = m != NULL && a != NULL && b != NULL && BN_nnmod(a, m, k->p, o->s->bn) == 1
              && BN_mod_exp(a, a, k->dp, k->p, o->s->bn) == 1 && BN_nnmod(b, m, k->q, o->s->bn) == 1
              && BN_mod_exp(b, b, k->dq, k->q, o->s->bn) == 1 && BN_mod_sub(a, a, b, k->p, o->s->bn) == 1
              && BN_mod_mul(a, a, k->qinv, k->p, o->s->bn) == 1 && BN_mul(a, a, k->q, o->s->bn) == 1
              && BN_add(a, a, b) == 1 && BN_bn2binpad(a, out, (int)EM_LEN) > 0;
    BN_free(m);
    BN_free(a);
    BN_free(b);
    return ok;
}

void sim_snp_modulus(sim_op *o, size_t key, uint8_t out[SIM_SNP_RSA_LEN])
{
    numbers k;
    if (!make_modulus(o, key, &k) || BN_bn2binpad(k.n, out, (int)SIM_SNP_RSA_LEN) <= 0) {
        (void)atls_fail(&o->err, ATLS_E_INTERNAL, "sim.rsa", NULL);
    }
    free_numbers(&k);
}

/* MGF1 with SHA-384, xored into out (RFC 8017 B.2.1). */
static void mask(const uint8_t seed[HASH_LEN], uint8_t *out, size_t n)
{
    uint8_t block[HASH_LEN + 4];
    uint8_t digest[HASH_LEN];
    memcpy(block, seed, HASH_LEN);
    for (size_t at = 0; at < n; at++) {
        if (at % HASH_LEN == 0) {
            const size_t counter = at / HASH_LEN;
            const uint8_t be[4] = {0, 0, (uint8_t)(counter >> 8), (uint8_t)counter};
            memcpy(block + HASH_LEN, be, sizeof be);
            sim_sha384(atls_bytes_of(block, sizeof block), digest);
        }
        out[at] ^= digest[at % HASH_LEN];
    }
}

/* EMSA-PSS-ENCODE (RFC 8017 9.1.1) */
static void encode_pss(const uint8_t digest[HASH_LEN], size_t salt_len, uint8_t em[EM_LEN])
{
    const size_t db_len = EM_LEN - HASH_LEN - 1;
    uint8_t salt[HASH_LEN];
    uint8_t message[8 + 2 * HASH_LEN] = {0};
    sim_sha384(atls_bytes_of(digest, HASH_LEN), salt);
    memcpy(message + 8, digest, HASH_LEN);
    memcpy(message + 8 + HASH_LEN, salt, salt_len);
    sim_sha384(atls_bytes_of(message, 8 + HASH_LEN + salt_len), em + db_len);
    memset(em, 0, db_len);
    em[db_len - salt_len - 1] = 0x01;
    memcpy(em + db_len - salt_len, salt, salt_len);
    mask(em + db_len, em, db_len);
    em[0] &= 0x7f;
    em[EM_LEN - 1] = 0xbc;
}

/* EMSA-PKCS1-v1_5 (RFC 8017 9.2) */
static void encode_pkcs1(const uint8_t digest[HASH_LEN], uint8_t em[EM_LEN])
{
    static const uint8_t info[] = {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                   0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30};
    memset(em, 0xff, EM_LEN);
    em[0] = 0;
    em[1] = 1;
    em[EM_LEN - HASH_LEN - sizeof info - 1] = 0;
    memcpy(em + EM_LEN - HASH_LEN - sizeof info, info, sizeof info);
    memcpy(em + EM_LEN - HASH_LEN, digest, HASH_LEN);
}

void sim_snp_rsa_sign(sim_op *o, size_t key, atls_bytes data, size_t salt_len, uint8_t out[SIM_SNP_RSA_LEN])
{
    uint8_t digest[HASH_LEN];
    uint8_t em[EM_LEN];
    uint8_t memo[32];
    const uint8_t index = (uint8_t)key;
    numbers k;
    sim_sha384(data, digest);
    if (salt_len > 0) {
        encode_pss(digest, salt_len, em);
    } else {
        encode_pkcs1(digest, em);
    }
    sim_memo_key("snp", atls_bytes_of(&index, 1), atls_bytes_of(em, sizeof em), memo);
    if (sim_memo_find(o->s->memo, memo, out, SIM_SNP_RSA_LEN)) {
        return;
    }
    if (make_numbers(o, key, &k) && power(o, &k, em, out)) {
        sim_memo_keep(o->s->memo, memo, out, SIM_SNP_RSA_LEN);
    } else {
        (void)atls_fail(&o->err, ATLS_E_INTERNAL, "sim.signature", NULL);
    }
    free_numbers(&k);
}
