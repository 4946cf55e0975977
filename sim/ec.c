/* SPDX-License-Identifier: Apache-2.0 */
/* ec.c: keys from labels and ECDSA without randomness.
 *
 * The nonce is a hash of the private key and the digest, so that the same room signs the same bytes the same way. This
 * is a test tool: it takes no care of timing, and its keys are known to whoever knows the seed. */
#include "sim/internal.h"

#include <openssl/obj_mac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

void sim_sha256(atls_bytes in, uint8_t out[32])
{
    (void)SHA256(in.ptr, in.len, out);
}

void sim_sha384(atls_bytes in, uint8_t out[48])
{
    (void)SHA384(in.ptr, in.len, out);
}

void sim_derive(sim_op *o, const char *label, uint8_t *out, size_t n)
{
    for (unsigned counter = 0; n > 0; counter++) {
        atls_buf b = sim_buf(o);
        uint8_t block[32];
        atls_buf_format(&b, "sim %u %s ", counter, label);
        atls_buf_put(&b, o->s->seed);
        sim_sha256(sim_done(&b), block);
        size_t take = n < sizeof block ? n : sizeof block;
        memcpy(out, block, take);
        out += take;
        n -= take;
    }
}

static const EC_GROUP *group_of(sim_op *o, sim_curve curve)
{
    EC_GROUP **slot = &o->s->groups[curve == SIM_P256 ? 0 : 1];
    if (*slot == NULL) {
        *slot = EC_GROUP_new_by_curve_name(curve == SIM_P256 ? NID_X9_62_prime256v1 : NID_secp384r1);
    }
    if (*slot == NULL) {
        (void)atls_fail(&o->err, ATLS_E_INTERNAL, "sim.group", NULL);
    }
    return *slot;
}

/* mod_order reads bytes as a number between 1 and the order minus 1. */
static bool mod_order(sim_op *o, const EC_GROUP *group, const uint8_t *bytes, size_t n, BIGNUM *out)
{
    BIGNUM *bound = BN_dup(EC_GROUP_get0_order(group));
    bool ok = bound != NULL && BN_sub_word(bound, 1) == 1 && BN_bin2bn(bytes, (int)n, out) != NULL
              && BN_nnmod(out, out, bound, o->s->bn) == 1 && BN_add_word(out, 1) == 1;
    BN_free(bound);
    return ok;
}

static bool multiply(sim_op *o, const EC_GROUP *group, const BIGNUM *k, uint8_t *xy, size_t half)
{
    EC_POINT *point = EC_POINT_new(group);
    BIGNUM *x = BN_new();
    BIGNUM *y = BN_new();
    const bool ok = point != NULL && x != NULL && y != NULL && EC_POINT_mul(group, point, k, NULL, NULL, o->s->bn) == 1
                    && EC_POINT_get_affine_coordinates(group, point, x, y, o->s->bn) == 1
                    && BN_bn2binpad(x, xy, (int)half) > 0 && BN_bn2binpad(y, xy + half, (int)half) > 0;
    EC_POINT_free(point);
    BN_free(x);
    BN_free(y);
    return ok;
}

/* times_generator gives the affine coordinates, x || y, of k times the generator. */
static bool times_generator(sim_op *o, const EC_GROUP *group, const BIGNUM *k, uint8_t *xy, size_t half)
{
    uint8_t scalar[48];
    uint8_t key[32];
    if (BN_bn2binpad(k, scalar, (int)half) < 0) {
        return false;
    }
    sim_memo_key("ec", atls_bytes_of(scalar, half), atls_bytes_empty(), key); /* half says which curve */
    if (sim_memo_find(o->s->memo, key, xy, 2 * half)) {
        return true;
    }
    const bool ok = multiply(o, group, k, xy, half);
    if (ok) {
        sim_memo_keep(o->s->memo, key, xy, 2 * half);
    }
    return ok;
}

static bool make_ec(sim_op *o, sim_key *key)
{
    uint8_t seed[48];
    char label[48];
    (void)snprintf(label, sizeof label, "key %s", key->label);
    sim_derive(o, label, seed, key->half);
    const EC_GROUP *group = group_of(o, key->curve);
    BIGNUM *d = BN_new();
    bool ok = group != NULL && d != NULL && mod_order(o, group, seed, key->half, d)
              && times_generator(o, group, d, key->point + 1, key->half) && BN_bn2binpad(d, key->d, (int)key->half) > 0;
    key->point[0] = 0x04;
    key->point_len = 1 + 2 * key->half;
    BN_free(d);
    return ok;
}

/* A number that looks like an RSA modulus: odd and 2048 bits long. It only has to be refused. */
static bool make_rsa(sim_op *o, sim_key *key)
{
    sim_derive(o, key->label, key->point + 1, 256);
    key->point[0] = 0;
    key->point[1] |= 0x80;
    key->point[256] |= 0x01;
    key->point_len = 257;
    return true;
}

const sim_key *sim_key_of(sim_op *o, const char *label, sim_curve curve)
{
    static const sim_key none = {.half = 32, .point_len = 65};
    enum { MAX_KEYS = 32 };
    for (size_t i = 0; i < o->s->n_keys; i++) {
        if (o->s->keys[i].curve == curve && strcmp(o->s->keys[i].label, label) == 0) {
            return &o->s->keys[i];
        }
    }
    if (o->s->keys == NULL) {
        o->s->keys = atls_arena_array(&o->s->arena, MAX_KEYS, sizeof *o->s->keys, &o->err);
    }
    if (o->s->keys == NULL || o->s->n_keys == MAX_KEYS) {
        (void)atls_fail(&o->err, ATLS_E_LIMIT, "sim.keys", "too many keys in one room");
        return &none;
    }
    sim_key *key = &o->s->keys[o->s->n_keys++];
    (void)snprintf(key->label, sizeof key->label, "%s", label);
    key->curve = curve;
    key->half = curve == SIM_P384 ? 48 : 32;
    if (!(curve == SIM_RSA ? make_rsa(o, key) : make_ec(o, key))) {
        (void)atls_fail(&o->err, ATLS_E_INTERNAL, "sim.key", NULL);
    }
    return key;
}

/* ecdsa makes r || s. s = (z + r d) / k modulo the order. */
static bool ecdsa(sim_op *o, const sim_key *key, atls_bytes digest, uint8_t *rs)
{
    uint8_t material[48 + 48];
    uint8_t nonce[48];
    uint8_t xy[96];
    memcpy(material, key->d, key->half);
    memcpy(material + key->half, digest.ptr, digest.len);
    sim_sha384(atls_bytes_of(material, key->half + digest.len), nonce);
    const EC_GROUP *group = group_of(o, key->curve);
    BIGNUM *k = BN_new();
    BIGNUM *r = BN_new();
    BIGNUM *s = BN_bin2bn(key->d, (int)key->half, NULL);
    BIGNUM *z = BN_bin2bn(digest.ptr, (int)digest.len, NULL);
    bool ok = group != NULL && k != NULL && r != NULL && s != NULL && z != NULL
              && mod_order(o, group, nonce, key->half, k) && times_generator(o, group, k, xy, key->half)
              && BN_bin2bn(xy, (int)key->half, r) != NULL;
    const BIGNUM *n = group == NULL ? NULL : EC_GROUP_get0_order(group);
    ok = ok && BN_nnmod(r, r, n, o->s->bn) == 1 && BN_mod_mul(s, s, r, n, o->s->bn) == 1
         && BN_mod_add(s, s, z, n, o->s->bn) == 1 && BN_mod_inverse(k, k, n, o->s->bn) != NULL
         && BN_mod_mul(s, s, k, n, o->s->bn) == 1 && BN_bn2binpad(r, rs, (int)key->half) > 0
         && BN_bn2binpad(s, rs + key->half, (int)key->half) > 0;
    BN_free(k);
    BN_free(r);
    BN_free(s);
    BN_free(z);
    return ok;
}

/* other_half replaces s by the order minus s when that is the larger one: the form that low-s rules refuse. */
static bool other_half(const BIGNUM *order, uint8_t *s, size_t half)
{
    BIGNUM *v = BN_bin2bn(s, (int)half, NULL);
    BIGNUM *w = BN_new();
    bool ok =
        v != NULL && w != NULL && BN_sub(w, order, v) == 1 && (BN_cmp(w, v) < 0 || BN_bn2binpad(w, s, (int)half) > 0);
    BN_free(v);
    BN_free(w);
    return ok;
}

/* spoil replaces a signature as the setting at path says. */
static void spoil(sim_op *o, const sim_key *key, const char *path, const char *how, uint8_t *rs)
{
    size_t half = key->half;
    const EC_GROUP *group = group_of(o, key->curve);
    if (group == NULL) {
        return;
    }
    const BIGNUM *order = EC_GROUP_get0_order(group);
    if (strcmp(how, "bit") == 0) {
        rs[half - 1] ^= 0x01;
    } else if (strcmp(how, "zero") == 0) {
        memset(rs, 0, 2 * half);
    } else if (strcmp(how, "r1s1") == 0) {
        memset(rs, 0, 2 * half);
        rs[half - 1] = rs[2 * half - 1] = 1;
    } else if (strcmp(how, "rn") == 0) {
        (void)BN_bn2binpad(order, rs, (int)half);
    } else if (strcmp(how, "s0") == 0) {
        memset(rs + half, 0, half);
    } else if (strcmp(how, "highs") == 0) {
        (void)other_half(order, rs + half, half);
    } else {
        sim_get_fixed(o, rs, 2 * half, "%s", path);
    }
}

static void sign_digest(sim_op *o, const sim_key *key, atls_bytes digest, const char *path, uint8_t out[96])
{
    memset(out, 0, 96);
    if (key->curve == SIM_RSA) {
        (void)atls_fail(&o->err, ATLS_E_CONFIGURATION, path, "RSA keys of this room sign nothing");
        return;
    }
    if (!ecdsa(o, key, digest, out)) {
        (void)atls_fail(&o->err, ATLS_E_INTERNAL, "sim.signature", NULL);
        return;
    }
    const char *how = sim_get(o, "%s", path);
    if (how != NULL) {
        spoil(o, key, path, how, out);
    }
}

void sim_sign(sim_op *o, const sim_key *key, atls_bytes data, const char *path, uint8_t out[96])
{
    uint8_t digest[32];
    sim_sha256(data, digest);
    sign_digest(o, key, atls_bytes_of(digest, sizeof digest), path, out);
}

void sim_sign384(sim_op *o, const sim_key *key, atls_bytes data, const char *path, uint8_t out[96])
{
    uint8_t digest[48];
    sim_sha384(data, digest);
    sign_digest(o, key, atls_bytes_of(digest, sizeof digest), path, out);
}

/* The leftmost bits that the order has room for (FIPS 186-5 6.4.1). */
void sim_sign_hash(sim_op *o, const sim_key *key, unsigned hash, atls_bytes data, const char *path, uint8_t out[96])
{
    uint8_t digest[64];
    if (hash == 512) {
        (void)SHA512(data.ptr, data.len, digest);
    } else if (hash == 384) {
        sim_sha384(data, digest);
    } else {
        sim_sha256(data, digest);
    }
    const size_t len = hash / 8;
    sign_digest(o, key, atls_bytes_of(digest, len < key->half ? len : key->half), path, out);
}

void sim_sig_der(atls_buf *b, const uint8_t *rs, size_t half)
{
    size_t sig = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_unsigned(b, atls_bytes_of(rs, half));
    sim_der_unsigned(b, atls_bytes_of(rs + half, half));
    sim_der_close(b, sig);
}
