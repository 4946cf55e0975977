/* SPDX-License-Identifier: Apache-2.0 */
/* signature.c: the core's one door to OpenSSL.
 *
 * A key is made by copying the parameters of a template and setting the point: 10 us instead of the 30 us of fetching
 * and building the group again; a spare one, whose point is set anew, takes 3 (docs/pki.md has the measurements).
 * Setting the point is also what checks that it is on the curve; P-256 and P-384 have cofactor 1, so that is all there
 * is to check. Ranges and encodings of signatures are checked here, by our own rules, before OpenSSL sees them. */
#include "signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/text.h"

#define MAX_FIELD_LEN    48u                           /* P-384 */
#define MAX_SIG_DER_LEN  (2 + 2 * (3 + MAX_FIELD_LEN)) /* every length fits in one byte */
#define N_HASHES         3u
#define N_CURVES         2u
#define N_SPARES         4u
#define MIN_RSA_LEN      256u  /* bytes; a modulus below 2048 bits vouches for nothing */
#define SHORT_RSA_LEN    128u  /* bytes; what chains of phones may have */
#define MAX_RSA_LEN      1024u /* bytes; bounds the time that one check may take */
#define MAX_RSA_EXPONENT 0xffffffffu

typedef struct ec_curve {
    atls_key_kind kind;
    const char *group;
    size_t field_len;             /* bytes of a coordinate, and of r and s */
    uint8_t order[MAX_FIELD_LEN]; /* n, big-endian, field_len bytes (SEC 2, 2.4.2 and 2.5.1) */
} ec_curve;

static const ec_curve curves[N_CURVES] = {
    {ATLS_KEY_P256, "P-256", 32, {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                  0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51}},
    {ATLS_KEY_P384, "P-384", 48, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2,
                                  0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73}},
};

static const struct {
    const char *name;
    size_t len;
} hashes[N_HASHES] = {{"SHA256", 32}, {"SHA384", 48}, {"SHA512", 64}};

/* What changes although the atls_crypto around it does not: each member is atomic. */
typedef struct shared_state {
    atomic_uint_fast64_t verifications;
    /* Closed keys, taken whole by whoever opens the next one of that curve: one owner at a time, whatever the number of
     * threads. A spare is memory that is ready, not a key that is remembered: it is never used before its point is set
     * and its verifier initialised again. */
    _Atomic(atls_key *) spares[N_CURVES][N_SPARES];
    /* A group without a key, made when the first key of its curve is opened: many who have an atls_crypto only hash. Once it
     * is there it stays. */
    _Atomic(EVP_PKEY *) templates[N_CURVES];
} shared_state;

/* Everything but the shared state is immutable after atls_crypto_new. */
struct atls_crypto {
    EVP_MD *md[N_HASHES];
    shared_state *shared;
};

typedef struct crypto_block {
    atls_crypto crypto;
    shared_state shared;
} crypto_block;

struct atls_key {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *verifier;
    const ec_curve *curve; /* NULL: RSA */
    shared_state *shared;
};

static EVP_PKEY *new_template(const char *group)
{
    EVP_PKEY *template = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    if (ctx != NULL && build != NULL
        && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
    }
    if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &template, EVP_PKEY_KEY_PARAMETERS, params) != 1) {
        EVP_PKEY_free(template);
        template = NULL;
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return template;
}

static bool fetch_all(atls_crypto *c)
{
    for (size_t i = 0; i < N_HASHES; i++) {
        c->md[i] = EVP_MD_fetch(NULL, hashes[i].name, NULL);
        if (c->md[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* The caller's neighbour may be making the same one: the first to be done keeps his. NULL when memory is short. */
static EVP_PKEY *template_of(const atls_crypto *c, size_t index)
{
    EVP_PKEY *found = atomic_load_explicit(&c->shared->templates[index], memory_order_acquire);
    if (found != NULL) {
        return found;
    }
    EVP_PKEY *made = new_template(curves[index].group);
    if (made != NULL
        && !atomic_compare_exchange_strong_explicit(&c->shared->templates[index], &found, made, memory_order_acq_rel,
                                                    memory_order_acquire)) {
        EVP_PKEY_free(made);
        return found;
    }
    return made;
}

bool atls_crypto_new(atls_crypto **out, atls_error *err)
{
    *out = NULL;
    crypto_block *block = calloc(1, sizeof *block);
    if (block == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "crypto", NULL);
    }
    atomic_init(&block->shared.verifications, 0);
    for (size_t i = 0; i < N_CURVES * N_SPARES; i++) {
        atomic_init(&block->shared.spares[i / N_SPARES][i % N_SPARES], NULL);
    }
    for (size_t i = 0; i < N_CURVES; i++) {
        atomic_init(&block->shared.templates[i], NULL);
    }
    block->crypto.shared = &block->shared;
    bool ok = fetch_all(&block->crypto);
    ERR_clear_error();
    if (!ok) {
        atls_crypto_free(&block->crypto);
        return atls_fail(err, ATLS_E_INTERNAL, "crypto", "OpenSSL does not have an algorithm that is needed");
    }
    *out = &block->crypto;
    return true;
}

static void free_key(atls_key *k)
{
    EVP_PKEY_CTX_free(k->verifier);
    EVP_PKEY_free(k->pkey);
    free(k);
}

void atls_crypto_free(atls_crypto *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < N_CURVES * N_SPARES; i++) {
        atls_key *spare = atomic_load_explicit(&c->shared->spares[i / N_SPARES][i % N_SPARES], memory_order_acquire);
        if (spare != NULL) {
            free_key(spare);
        }
    }
    for (size_t i = 0; i < N_HASHES; i++) {
        EVP_MD_free(c->md[i]);
    }
    for (size_t i = 0; i < N_CURVES; i++) {
        EVP_PKEY_free(atomic_load_explicit(&c->shared->templates[i], memory_order_acquire));
    }
    free(c); /* the first member of its block */
}

const char *atls_crypto_version(atls_arena *arena, atls_error *err)
{
    return atls_text_format(arena, err, "OpenSSL %u.%u.%u", OPENSSL_version_major(), OPENSSL_version_minor(),
                            OPENSSL_version_patch());
}

uint64_t atls_crypto_verifications(const atls_crypto *c)
{
    return atomic_load_explicit(&c->shared->verifications, memory_order_relaxed);
}

size_t atls_hash_len(atls_hash h)
{
    size_t index = (size_t)h - ATLS_SHA256;
    return index < N_HASHES ? hashes[index].len : 0;
}

bool atls_digest(const atls_crypto *c, atls_hash h, const atls_bytes *parts, size_t n, uint8_t *out, atls_error *err)
{
    size_t index = (size_t)h - ATLS_SHA256;
    EVP_MD_CTX *ctx = index < N_HASHES ? EVP_MD_CTX_new() : NULL;
    bool ok = ctx != NULL && EVP_DigestInit_ex2(ctx, c->md[index], NULL) == 1;
    for (size_t i = 0; ok && i < n; i++) {
        ok = EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) == 1;
    }
    unsigned len = 0;
    ok = ok && EVP_DigestFinal_ex(ctx, out, &len) == 1 && len == hashes[index].len;
    EVP_MD_CTX_free(ctx);
    if (!ok) {
        ERR_clear_error();
        return atls_fail(err, ATLS_E_INTERNAL, "digest", "OpenSSL could not hash");
    }
    return true;
}

/* Keys. */

static const ec_curve *find_curve(atls_key_kind kind)
{
    for (size_t i = 0; i < N_CURVES; i++) {
        if (curves[i].kind == kind) {
            return &curves[i];
        }
    }
    return NULL;
}

static EVP_PKEY *new_rsa_key(atls_bytes n, uint64_t e)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = BN_bin2bn(n.ptr, (int)n.len, NULL);
    if (ctx != NULL && build != NULL && modulus != NULL
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1
        && OSSL_PARAM_BLD_push_uint64(build, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
    }
    if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* RFC 8017 A.1.1: SEQUENCE { modulus INTEGER, publicExponent INTEGER } */
static bool read_rsa(atls_bytes der, size_t min_len, atls_bytes *n, uint64_t *e)
{
    atls_error why = {0};
    atls_cur c;
    atls_cur key;
    atls_cur_init(&c, der, "", &why);
    return atls_der_nested(&c, "key", ATLS_DER_SEQUENCE, &key) && atls_cur_end(&c)
           && atls_der_unsigned(&key, "modulus", n)
           && atls_der_uint(&key, "exponent", ATLS_DER_INTEGER, MAX_RSA_EXPONENT, e) && atls_cur_end(&key)
           && n->len >= min_len && n->len <= MAX_RSA_LEN && (n->ptr[n->len - 1] & 1) == 1 && *e >= 3 && (*e & 1) == 1;
}

/* The code for a key or a signature that OpenSSL did not find right: wrong if it said what is wrong with it. Somebody may go on
 * without what is forged (a list of revoked certificates), and nobody without what could not be looked at; some of its
 * functions end without a word when there is no memory, so it must have given a reason of the algorithm's own, and none of
 * memory. Empties the queue of its errors. */
static atls_code judge_failure(int lib, atls_code wrong)
{
    atls_code code = ATLS_E_INTERNAL;
    for (unsigned long e = ERR_get_error(); e != 0; e = ERR_get_error()) {
        if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE) {
            code = ATLS_E_MEMORY;
        } else if (ERR_GET_LIB(e) == lib && !ERR_COMMON_ERROR(e) && code != ATLS_E_MEMORY) {
            code = wrong;
        }
    }
    return code;
}

/* A key of the curve without its point: a spare, or a new one. NULL when memory is short. */
static atls_key *take_ec_key(const atls_crypto *c, const ec_curve *curve)
{
    size_t index = (size_t)(curve - curves);
    for (size_t i = 0; i < N_SPARES; i++) {
        atls_key *spare = atomic_exchange_explicit(&c->shared->spares[index][i], NULL, memory_order_acq_rel);
        if (spare != NULL) {
            return spare;
        }
    }
    atls_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        return NULL;
    }
    EVP_PKEY *template = template_of(c, index);
    *key = (atls_key){.pkey = EVP_PKEY_new(), .curve = curve, .shared = c->shared};
    if (template == NULL || key->pkey == NULL || EVP_PKEY_copy_parameters(key->pkey, template) != 1) {
        free_key(key);
        return NULL;
    }
    return key;
}

/* set_ec_point and set_rsa_key make *code MEMORY or INTERNAL where OpenSSL did not say that the key is none. */
static bool set_ec_point(atls_key *key, atls_bytes point, const char **why, atls_code *code)
{
    /* uncompressed only: the one-byte encoding of infinity, and compressed points, end here */
    if (point.len != 1 + 2 * key->curve->field_len || point.ptr[0] != 0x04) {
        *why = "the public key is not an uncompressed point of its curve";
        return false;
    }
    *why = "the public key is not a point on its curve";
    ERR_clear_error();
    if (EVP_PKEY_set1_encoded_public_key(key->pkey, point.ptr, point.len) == 1) {
        return true;
    }
    *code = judge_failure(ERR_LIB_EC, *code);
    return false;
}

static bool set_rsa_key(atls_key *key, atls_bytes der, size_t min_len, const char **why, atls_code *code)
{
    atls_bytes n;
    uint64_t e;
    *why = min_len == MIN_RSA_LEN ? "the RSA public key is malformed, or not of 2048 to 8192 bits"
                                  : "the RSA public key is malformed, or not of 1024 to 8192 bits";
    if (!read_rsa(der, min_len, &n, &e)) {
        return false;
    }
    ERR_clear_error();
    key->pkey = new_rsa_key(n, e);
    if (key->pkey == NULL) {
        *code = judge_failure(ERR_LIB_RSA, *code);
    }
    return key->pkey != NULL;
}

/* Initialising takes the key as it now is: what a spare verified before is gone. */
static bool prepare_verifier(atls_key *key)
{
    if (key->verifier == NULL) {
        key->verifier = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    }
    return key->verifier != NULL && EVP_PKEY_verify_init(key->verifier) == 1;
}

static bool open_key(const atls_crypto *c, const atls_public_key *k, size_t min_rsa_len, atls_code code,
                     const char *field, atls_key **out, atls_error *err)
{
    *out = NULL;
    const ec_curve *curve = find_curve(k->kind);
    if (curve == NULL && k->kind != ATLS_KEY_RSA) {
        return atls_fail_unsupported(err, code, field, "P-256, P-384 or RSA", "another kind of key",
                                     "the public key's algorithm or curve is not supported");
    }
    atls_key *key = curve != NULL ? take_ec_key(c, curve) : calloc(1, sizeof *key);
    if (key == NULL) {
        ERR_clear_error();
        return atls_fail(err, ATLS_E_MEMORY, field, NULL);
    }
    const char *why;
    atls_code refused = code;
    if (!(curve != NULL ? set_ec_point(key, k->point, &why, &refused)
                        : set_rsa_key(key, k->point, min_rsa_len, &why, &refused))) {
        free_key(key);
        return atls_fail(err, refused, field, "%s", refused == code ? why : "OpenSSL could not take a key");
    }
    if (!prepare_verifier(key)) {
        ERR_clear_error();
        free_key(key);
        return atls_fail(err, ATLS_E_INTERNAL, field, "OpenSSL could not prepare a signature check");
    }
    ERR_clear_error();
    *out = key;
    return true;
}

bool atls_key_open(const atls_crypto *c, const atls_public_key *k, atls_code code, const char *field, atls_key **out,
                   atls_error *err)
{
    return open_key(c, k, MIN_RSA_LEN, code, field, out, err);
}

bool atls_key_open_insecure_rsa1024(const atls_crypto *c, const atls_public_key *k, atls_code code, const char *field,
                                    atls_key **out, atls_error *err)
{
    return open_key(c, k, SHORT_RSA_LEN, code, field, out, err);
}

bool atls_key_open_p256(const atls_crypto *c, const uint8_t xy[64], atls_code code, const char *field, atls_key **out,
                        atls_error *err)
{
    uint8_t point[65] = {0x04};
    memcpy(point + 1, xy, 64);
    atls_public_key k = {ATLS_KEY_P256, {point, sizeof point}};
    return atls_key_open(c, &k, code, field, out, err);
}

void atls_key_close(atls_key *k)
{
    if (k == NULL) {
        return;
    }
    for (size_t i = 0; k->curve != NULL && i < N_SPARES; i++) {
        atls_key *none = NULL;
        if (atomic_compare_exchange_strong_explicit(&k->shared->spares[k->curve - curves][i], &none, k,
                                                    memory_order_acq_rel, memory_order_relaxed)) {
            return;
        }
    }
    free_key(k);
}

/* Signatures. */

/* For curves OpenSSL's answer says whether the signature is wrong (0) or something else was (less), and it gives no reason; for
 * RSA it is 0 in both cases. */
static atls_code judge_answer(const atls_key *k, int answer, atls_code wrong)
{
    const atls_code said = judge_failure(ERR_LIB_RSA, wrong);
    if (k->curve == NULL || said == ATLS_E_MEMORY) {
        return said;
    }
    return answer == 0 ? wrong : ATLS_E_INTERNAL;
}

/* One call of OpenSSL's verification over the digest of data. */
static bool verify(const atls_crypto *c, atls_key *k, atls_hash h, atls_bytes data, atls_bytes sig, atls_code code,
                   const char *field, atls_error *err)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (!atls_digest(c, h, &data, 1, digest, err)) {
        return false;
    }
    (void)atomic_fetch_add_explicit(&c->shared->verifications, 1, memory_order_relaxed);
    ERR_clear_error();
    const int answer = EVP_PKEY_verify(k->verifier, sig.ptr, sig.len, digest, atls_hash_len(h));
    if (answer == 1) {
        ERR_clear_error();
        return true;
    }
    const atls_code refused = judge_answer(k, answer, code);
    return atls_fail(err, refused, field, "%s",
                     refused == code ? "the signature does not verify" : "OpenSSL could not check a signature");
}

/* A half of a signature, as long as the field, into out: 0 < half < n, or it is no half at all. */
static bool read_half(const ec_curve *curve, atls_bytes magnitude, uint8_t out[static MAX_FIELD_LEN])
{
    if (magnitude.len > curve->field_len) {
        return false;
    }
    memset(out, 0, curve->field_len);
    memcpy(out + curve->field_len - magnitude.len, magnitude.ptr, magnitude.len);
    return !atls_bytes_is_zero(magnitude) && memcmp(out, curve->order, curve->field_len) < 0;
}

static size_t write_integer(const uint8_t *half, size_t len, uint8_t *out)
{
    size_t skip = 0;
    while (skip + 1 < len && half[skip] == 0) {
        skip++;
    }
    size_t sign = (half[skip] & 0x80) != 0 ? 1 : 0;
    out[0] = ATLS_DER_INTEGER;
    out[1] = (uint8_t)(sign + len - skip);
    out[2] = 0;
    memcpy(out + 2 + sign, half + skip, len - skip);
    return 2 + sign + len - skip;
}

bool atls_verify_raw(const atls_crypto *c, atls_key *k, atls_hash h, atls_bytes data, atls_bytes rs, atls_code code,
                     const char *field, atls_error *err)
{
    const ec_curve *curve = k->curve;
    if (curve == NULL || rs.len != 2 * curve->field_len) {
        return atls_fail(err, code, field, "the signature has not the length that its key asks for");
    }
    atls_cur halves;
    atls_bytes r_in;
    atls_bytes s_in;
    uint8_t r[MAX_FIELD_LEN];
    uint8_t s[MAX_FIELD_LEN];
    atls_cur_init(&halves, rs, field, err);
    if (!atls_cur_bytes(&halves, "r", curve->field_len, &r_in)
        || !atls_cur_bytes(&halves, "s", curve->field_len, &s_in)) {
        return false;
    }
    if (!read_half(curve, r_in, r) || !read_half(curve, s_in, s)) {
        return atls_fail(err, code, field, "a half of the signature is zero or not below the order of the curve");
    }
    uint8_t der[MAX_SIG_DER_LEN];
    size_t len = 2;
    len += write_integer(r, curve->field_len, der + len);
    len += write_integer(s, curve->field_len, der + len);
    der[0] = ATLS_DER_SEQUENCE;
    der[1] = (uint8_t)(len - 2);
    return verify(c, k, h, data, atls_bytes_of(der, len), code, field, err);
}

/* RFC 3279 2.2.3: SEQUENCE { r INTEGER, s INTEGER } */
static bool ecdsa_der_is_strict(const ec_curve *curve, atls_bytes sig)
{
    atls_error why = {0};
    atls_cur c;
    atls_cur pair;
    atls_bytes r;
    atls_bytes s;
    uint8_t half[MAX_FIELD_LEN];
    atls_cur_init(&c, sig, "", &why);
    return atls_der_nested(&c, "signature", ATLS_DER_SEQUENCE, &pair) && atls_cur_end(&c)
           && atls_der_unsigned(&pair, "r", &r) && atls_der_unsigned(&pair, "s", &s) && atls_cur_end(&pair)
           && read_half(curve, r, half) && read_half(curve, s, half);
}

/* What the verifier was told for an earlier check of the same key must not stay: padding, digest and the rest are set anew
 * for each one. */
#define SALT_LIKE_DIGEST RSA_PSS_SALTLEN_DIGEST
#define NO_SALT          0 /* PKCS #1 v1.5 */

static bool prepare_rsa(const atls_crypto *c, atls_key *k, atls_hash h, int salt)
{
    size_t index = (size_t)h - ATLS_SHA256;
    const int padding = salt == NO_SALT ? RSA_PKCS1_PADDING : RSA_PKCS1_PSS_PADDING;
    bool ok = index < N_HASHES && EVP_PKEY_CTX_set_rsa_padding(k->verifier, padding) == 1
              && EVP_PKEY_CTX_set_signature_md(k->verifier, c->md[index]) == 1;
    if (ok && salt != NO_SALT) {
        ok = EVP_PKEY_CTX_set_rsa_mgf1_md(k->verifier, c->md[index]) == 1
             && EVP_PKEY_CTX_set_rsa_pss_saltlen(k->verifier, salt) == 1;
    }
    return ok;
}

static bool verify_rsa(const atls_crypto *c, atls_key *k, atls_hash h, int salt, atls_bytes data, atls_bytes sig,
                       atls_code code, const char *field, atls_error *err)
{
    if (!prepare_rsa(c, k, h, salt)) {
        ERR_clear_error();
        return atls_fail(err, ATLS_E_INTERNAL, field, "OpenSSL could not prepare a signature check");
    }
    return verify(c, k, h, data, sig, code, field, err);
}

bool atls_verify_der(const atls_crypto *c, atls_key *k, atls_hash h, atls_bytes data, atls_bytes sig, atls_code code,
                     const char *field, atls_error *err)
{
    if (k->curve == NULL) {
        return verify_rsa(c, k, h, NO_SALT, data, sig, code, field, err);
    }
    if (!ecdsa_der_is_strict(k->curve, sig)) {
        return atls_fail(err, code, field, "the signature is not the DER of two integers in range");
    }
    return verify(c, k, h, data, sig, code, field, err);
}

static bool verify_pss(const atls_crypto *c, atls_key *k, atls_hash h, int salt, atls_bytes data, atls_bytes sig,
                       atls_code code, const char *field, atls_error *err)
{
    if (k->curve != NULL) {
        return atls_fail(err, code, field, "RSASSA-PSS asks for an RSA key");
    }
    return verify_rsa(c, k, h, salt, data, sig, code, field, err);
}

bool atls_verify_pss(const atls_crypto *c, atls_key *k, atls_hash h, atls_bytes data, atls_bytes sig, atls_code code,
                     const char *field, atls_error *err)
{
    return verify_pss(c, k, h, SALT_LIKE_DIGEST, data, sig, code, field, err);
}

bool atls_verify_pss_any_salt(const atls_crypto *c, atls_key *k, atls_hash h, atls_bytes data, atls_bytes sig,
                              atls_code code, const char *field, atls_error *err)
{
    return verify_pss(c, k, h, RSA_PSS_SALTLEN_AUTO, data, sig, code, field, err);
}
