/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_key.c: the attestation key. An RSA key is always the same one, made for this file: primes are slow to look for. */
#include "sim/tpm_internal.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define RSA_LEN 256u

static const char rsa_n[] =
    "98fb5257e3566c96e57e45767b549c6e98cfb64bd4fef3c6b77c19590902c5c3a1eaa3ba493328603618883b4f71c96a"
    "b6feb5e68dbcabc0bc1cd9a6ecd4aa4f5a0b3f7d1c8edf4b2486fc0d91481cd1eb118352b72a44414692814a3f58aef5"
    "82ea182f3681068893803537441c24a40ea845d4f1e2efabf33c5d49ba6a3f094b515f44e8798e4ca7a070bdff4c9e75"
    "c32f6536d254aa88df1e33a3935b5c549dafa10850a99124267470f98f16e3a20d5d664c3ee40c094121bc81532d700d"
    "dfd6c210fcd369b2ccd9247c6b77cb71fa3747426d46cc06e1e2c9bab641247cae0032d43e757963db9527ca864f839b"
    "fc81aa8e998f6f84303215960f6404b7";
static const char rsa_d[] =
    "06259dbabcfe6d5692da195dc2b98a4a4206f698381d6bc62c513c38d64d2f8d1b7b1b76676d3ace1833b17afb478dd9"
    "a5336433b8b6400b252e88eb00267b6c1228d43594142ee7620c5a770bc3635a66a0f42f3aaa3971360365013567bc2a"
    "a3f156ba1997e2f4a743463576487b35c1b103e7f93583d3db98d8016d101fd5912fa7441c7350a9a1fa3aae8d30e217"
    "cc3bfbd66506e1b72fb987bcb8dd53815a7fb54b7b0fd5f46092be151c5e48eb7dc4a1b1da50f925ca8073762f9680c6"
    "d0e48c40982361bd6abb45852097d7d3e8c4b373c2a807bf844aa6b1e29f0294b614f762a01884ae97025099c10f1f4b"
    "ad6538e5d6bb9604470ff43dc6944761";

void sim_put_be(atls_buf *b, uint64_t v, size_t n)
{
    for (size_t i = n; i > 0; i--) {
        sim_put_u8(b, (uint8_t)(v >> (8 * (i - 1))));
    }
}

void sim_hash(unsigned alg, atls_bytes in, uint8_t out[64])
{
    const EVP_MD *md = alg == 4 ? EVP_sha1() : alg == 12 ? EVP_sha384() : alg == 13 ? EVP_sha512() : EVP_sha256();
    (void)EVP_Digest(in.ptr, in.len, out, NULL, md, NULL);
}

/* ---- the public area ---- */

static void put_sized(atls_buf *b, atls_bytes in)
{
    sim_put_be(b, in.len, 2);
    atls_buf_put(b, in);
}

static bool hex(const char *text, uint8_t *out, size_t n)
{
    return atls_hex_fixed(atls_bytes_str(text), out, n);
}

static void put_rsa(sim_op *o, atls_buf *b)
{
    uint8_t n[RSA_LEN];
    if (!hex(rsa_n, n, sizeof n)) {
        sim_bad(o, "ak.type", "no such key");
    }
    sim_put_be(b, sim_get_uint(o, 2048, "ak.key_bits"), 2);
    sim_put_be(b, sim_get_uint(o, 0, "ak.exponent"), 4);
    put_sized(b, atls_bytes_of(n, sizeof n));
}

static void put_ecc(sim_op *o, const sim_tpm *t, atls_buf *b)
{
    const size_t half = t->ec->half;
    sim_put_be(b, sim_get_uint(o, half == 48 ? 4 : 3, "ak.curve"), 2);
    sim_put_be(b, 0x0010, 2); /* no KDF */
    put_sized(b, atls_bytes_of(t->ec->point + 1, half));
    put_sized(b, atls_bytes_of(t->ec->point + 1 + half, half));
}

static void make_spki(sim_op *o, sim_tpm *t)
{
    uint8_t n[RSA_LEN];
    sim_key key = {.curve = SIM_RSA, .point_len = 1 + RSA_LEN};
    atls_buf b = sim_buf(o);
    if (t->ec != NULL) {
        sim_spki_put(&b, t->ec);
    } else if (hex(rsa_n, n, sizeof n)) {
        memcpy(key.point + 1, n, sizeof n);
        sim_spki_put(&b, &key);
    }
    t->spki = sim_done(&b);
}

void sim_tpm_key_make(sim_op *o, sim_tpm *t)
{
    const char *type = sim_get_text(o, "rsa", "ak.type");
    atls_bytes policy = atls_bytes_empty();
    t->has_rsa = strcmp(type, "rsa") == 0;
    t->ec = t->has_rsa
                ? NULL
                : sim_key_of(o, sim_get_text(o, "ak", "ak.label"), strcmp(type, "p384") == 0 ? SIM_P384 : SIM_P256);
    t->hash = (unsigned)sim_get_uint(o, 11, "ak.hash");
    atls_buf b = sim_buf(o);
    sim_put_be(&b, sim_get_uint(o, t->has_rsa ? 0x0001 : 0x0023, "ak.type_number"), 2);
    sim_put_be(&b, sim_get_uint(o, 11, "ak.name_alg"), 2);
    sim_put_be(&b, sim_get_uint(o, 0x00050072, "ak.attributes"), 4);
    (void)sim_get_bytes(o, &policy, "ak.policy");
    put_sized(&b, policy);
    sim_put_be(&b, 0x0010, 2);
    sim_put_be(&b, sim_get_uint(o, t->has_rsa ? 0x0014 : 0x0018, "ak.scheme"), 2);
    if (sim_get_uint(o, 1, "ak.scheme") != 0x0010) {
        sim_put_be(&b, sim_get_uint(o, t->hash, "ak.scheme_hash"), 2);
    }
    if (t->has_rsa) {
        put_rsa(o, &b);
    } else {
        put_ecc(o, t, &b);
    }
    t->ak_pub = sim_raw(o, "ak_pub", sim_done(&b));
    make_spki(o, t);
}

/* ---- signatures ---- */

/* RFC 8017 9.2: EMSA-PKCS1-v1_5 */
static size_t put_digest_info(unsigned alg, const uint8_t *digest, uint8_t out[static 96])
{
    static const uint8_t head[] = {0x30, 0,    0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                   0x65, 0x03, 0x04, 0x02, 0,    0x05, 0x00, 0x04, 0};
    const size_t len = alg == 12 ? 48 : alg == 13 ? 64 : 32;
    memcpy(out, head, sizeof head);
    out[1] = (uint8_t)(len + 17);
    out[14] = alg == 12 ? 2 : alg == 13 ? 3 : 1;
    out[18] = (uint8_t)len;
    memcpy(out + sizeof head, digest, len);
    return sizeof head + len;
}

static bool power(sim_op *o, const uint8_t padded[static RSA_LEN], uint8_t out[static RSA_LEN])
{
    uint8_t bytes[RSA_LEN];
    BIGNUM *n = hex(rsa_n, bytes, RSA_LEN) ? BN_bin2bn(bytes, RSA_LEN, NULL) : NULL;
    BIGNUM *d = hex(rsa_d, bytes, RSA_LEN) ? BN_bin2bn(bytes, RSA_LEN, NULL) : NULL;
    BIGNUM *m = BN_bin2bn(padded, RSA_LEN, NULL);
    const bool ok = n != NULL && d != NULL && m != NULL && BN_mod_exp(m, m, d, n, o->s->bn) == 1
                    && BN_bn2binpad(m, out, RSA_LEN) > 0;
    BN_free(n);
    BN_free(d);
    BN_free(m);
    return ok;
}

static bool rsa_sign(sim_op *o, unsigned alg, const uint8_t *digest, uint8_t out[static RSA_LEN])
{
    uint8_t bytes[RSA_LEN];
    uint8_t info[96];
    uint8_t memo[32];
    const size_t len = put_digest_info(alg, digest, info);
    memset(bytes, 0xff, sizeof bytes);
    bytes[0] = 0x00;
    bytes[1] = 0x01;
    bytes[RSA_LEN - len - 1] = 0x00;
    memcpy(bytes + RSA_LEN - len, info, len);
    sim_memo_key("tpm", atls_bytes_of(bytes, sizeof bytes), atls_bytes_empty(), memo);
    if (sim_memo_find(o->s->memo, memo, out, RSA_LEN)) {
        return true;
    }
    const bool ok = power(o, bytes, out);
    if (ok) {
        sim_memo_keep(o->s->memo, memo, out, RSA_LEN);
    }
    return ok;
}

static void put_rsa_signature(sim_op *o, const sim_tpm *t, const char *bank, atls_bytes message, atls_buf *b)
{
    uint8_t digest[64];
    uint8_t s[RSA_LEN] = {0};
    const char *how = sim_get_text(o, "", "quote.%s.sig", bank);
    sim_hash(t->hash, message, digest);
    if (!t->rehearsing && !rsa_sign(o, t->hash, digest, s)) {
        (void)atls_fail(&o->err, ATLS_E_INTERNAL, "sim.signature", NULL);
    }
    if (strcmp(how, "bit") == 0) {
        s[RSA_LEN - 1] ^= 1;
    } else if (how[0] != '\0') {
        sim_get_fixed(o, s, sizeof s, "quote.%s.sig", bank);
    }
    put_sized(b, atls_bytes_of(s, sizeof s));
}

/* TPMs leave leading zeros out. */
static atls_bytes trimmed(atls_bytes in)
{
    while (in.len > 1 && in.ptr[0] == 0) {
        in = atls_bytes_of(in.ptr + 1, in.len - 1);
    }
    return in;
}

atls_bytes sim_tpm_sign(sim_op *o, const sim_tpm *t, const char *bank, atls_bytes message)
{
    atls_buf b = sim_buf(o);
    sim_put_be(&b, sim_get_uint(o, t->has_rsa ? 0x0014 : 0x0018, "quote.%s.sig_scheme", bank), 2);
    sim_put_be(&b, sim_get_uint(o, t->hash, "quote.%s.sig_hash", bank), 2);
    if (t->has_rsa) {
        put_rsa_signature(o, t, bank, message, &b);
    } else {
        uint8_t rs[96];
        char path[SIM_PATH_SIZE];
        (void)snprintf(path, sizeof path, "quote.%s.sig", bank);
        sim_sign(o, t->ec, message, path, rs);
        put_sized(&b, trimmed(atls_bytes_of(rs, t->ec->half)));
        put_sized(&b, trimmed(atls_bytes_of(rs + t->ec->half, t->ec->half)));
    }
    char name[32];
    (void)snprintf(name, sizeof name, "%s.signature", bank);
    return sim_raw(o, name, sim_done(&b));
}
