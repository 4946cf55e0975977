/* SPDX-License-Identifier: Apache-2.0 */
/* key.c: an attestation key in the ways that others want it, and signatures by it. */
#include <string.h>

#include "base/der.h"
#include "base/text.h"
#include "tpm.h"

#define MAX_FIELD_LEN 48u /* P-384 */

/* ---- DER (RFC 3279 2.3.1, RFC 5480 2) ---- */

static void put_head(atls_buf *b, uint8_t tag, size_t len)
{
    uint8_t head[4] = {tag, (uint8_t)len};
    size_t n = 2;
    if (len > 0xff) {
        head[1] = 0x82;
        head[2] = (uint8_t)(len >> 8);
        head[3] = (uint8_t)len;
        n = 4;
    } else if (len > 0x7f) {
        head[1] = 0x81;
        head[2] = (uint8_t)len;
        n = 3;
    }
    atls_buf_put(b, atls_bytes_of(head, n));
}

static void put_element(atls_buf *b, uint8_t tag, atls_bytes content)
{
    put_head(b, tag, content.len);
    atls_buf_put(b, content);
}

static void put_unsigned(atls_buf *b, atls_bytes magnitude)
{
    static const uint8_t zero = 0;
    while (magnitude.len > 1 && magnitude.ptr[0] == 0) {
        magnitude = atls_bytes_of(magnitude.ptr + 1, magnitude.len - 1);
    }
    const bool sign = magnitude.len == 0 || (magnitude.ptr[0] & 0x80) != 0;
    put_head(b, ATLS_DER_INTEGER, magnitude.len + (sign ? 1 : 0));
    atls_buf_put(b, atls_bytes_of(&zero, sign ? 1 : 0));
    atls_buf_put(b, magnitude);
}

/* RSAPublicKey */
static bool write_rsa(const tpm_public *in, atls_arena *a, atls_bytes *out, atls_error *err)
{
    const uint8_t exponent[4] = {(uint8_t)(in->exponent >> 24), (uint8_t)(in->exponent >> 16),
                                 (uint8_t)(in->exponent >> 8), (uint8_t)in->exponent};
    atls_buf numbers;
    atls_buf b;
    atls_bytes content;
    atls_buf_init(&numbers, a, err);
    put_unsigned(&numbers, in->modulus);
    put_unsigned(&numbers, atls_bytes_of(exponent, sizeof exponent));
    if (!atls_buf_done(&numbers, &content)) {
        return false;
    }
    atls_buf_init(&b, a, err);
    put_element(&b, ATLS_DER_SEQUENCE, content);
    return atls_buf_done(&b, out);
}

static bool write_spki(atls_bytes algorithm, atls_bytes key, atls_arena *a, atls_bytes *out, atls_error *err)
{
    static const uint8_t no_unused_bits = 0;
    atls_buf inner;
    atls_buf b;
    atls_bytes content;
    atls_buf_init(&inner, a, err);
    atls_buf_put(&inner, algorithm);
    put_head(&inner, ATLS_DER_BIT_STRING, 1 + key.len);
    atls_buf_put(&inner, atls_bytes_of(&no_unused_bits, 1));
    atls_buf_put(&inner, key);
    if (!atls_buf_done(&inner, &content)) {
        return false;
    }
    atls_buf_init(&b, a, err);
    put_element(&b, ATLS_DER_SEQUENCE, content);
    return atls_buf_done(&b, out);
}

/* TPMs leave out leading zeros where they like. */
static bool put_padded(atls_buf *b, atls_bytes number, size_t len)
{
    static const uint8_t zeros[MAX_FIELD_LEN] = {0};
    if (number.len > len) {
        return false;
    }
    atls_buf_put(b, atls_bytes_of(zeros, len - number.len));
    atls_buf_put(b, number);
    return true;
}

static bool make_ecc(const tpm_public *in, atls_arena *a, tpm_key *out, atls_error *err)
{
    static const uint8_t p256[] = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                   0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    static const uint8_t p384[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                   0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
    static const uint8_t uncompressed = 0x04;
    const bool is_256 = in->curve == TPM_ECC_NIST_P256;
    const size_t len = is_256 ? 32 : 48;
    atls_buf b;
    atls_buf_init(&b, a, err);
    atls_buf_put(&b, atls_bytes_of(&uncompressed, 1));
    if (!put_padded(&b, in->x, len) || !put_padded(&b, in->y, len)) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "ak_pub.x", "a coordinate is longer than the curve's field");
    }
    out->key.kind = is_256 ? ATLS_KEY_P256 : ATLS_KEY_P384;
    out->kind = is_256 ? "p256" : "p384";
    return atls_buf_done(&b, &out->key.point)
           && write_spki(is_256 ? atls_bytes_of(p256, sizeof p256) : atls_bytes_of(p384, sizeof p384), out->key.point,
                         a, &out->spki, err);
}

bool tpm_key_make(const tpm_public *in, atls_arena *a, tpm_key *out, atls_error *err)
{
    static const uint8_t rsa[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                  0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    const atls_bytes empty = atls_bytes_empty();
    *out = (tpm_key){.key = {.point = empty}, .spki = empty, .kind = ""};
    if (in->type == TPM_ALG_ECC) {
        return make_ecc(in, a, out, err);
    }
    out->key.kind = ATLS_KEY_RSA;
    out->kind = "rsa";
    return write_rsa(in, a, &out->key.point, err)
           && write_spki(atls_bytes_of(rsa, sizeof rsa), out->key.point, a, &out->spki, err);
}

/* ---- names ---- */

bool tpm_key_name(const atls_crypto *c, const tpm_public *in, atls_arena *a, atls_bytes *out, atls_error *err)
{
    const tpm_hash h = tpm_hash_of(in->name_alg);
    if (h.hash == 0) {
        return atls_fail_unsupported(err, ATLS_E_EVIDENCE_FORMAT, "ak_pub.name_alg", "SHA-256, SHA-384 or SHA-512",
                                     h.name, "a name made with this hash is not supported");
    }
    uint8_t *name = atls_arena_raw(a, 2 + h.len, err);
    if (name == NULL) {
        return false;
    }
    name[0] = (uint8_t)(in->name_alg >> 8);
    name[1] = (uint8_t)in->name_alg;
    *out = atls_bytes_of(name, 2 + h.len);
    return atls_digest(c, h.hash, &in->raw, 1, name + 2, err);
}

/* ---- signatures ---- */

/* r || s, each as long as the curve's field. */
static bool join_halves(const tpm_signature *s, size_t len, uint8_t out[static 2 * MAX_FIELD_LEN])
{
    if (s->r.len > len || s->s.len > len) {
        return false;
    }
    memset(out, 0, 2 * len);
    memcpy(out + len - s->r.len, s->r.ptr, s->r.len);
    memcpy(out + 2 * len - s->s.len, s->s.ptr, s->s.len);
    return true;
}

static bool verify_ecdsa(const atls_crypto *c, atls_key *key, atls_key_kind kind, atls_hash h, const tpm_signature *s,
                         atls_bytes message, const char *field, atls_error *err)
{
    uint8_t rs[2 * MAX_FIELD_LEN];
    const size_t len = kind == ATLS_KEY_P256 ? 32 : 48;
    if (!join_halves(s, len, rs)) {
        return atls_fail(err, ATLS_E_EVIDENCE_SIGNATURE, field,
                         "a half of the signature is longer than its curve allows");
    }
    return atls_verify_raw(c, key, h, message, atls_bytes_of(rs, 2 * len), ATLS_E_EVIDENCE_SIGNATURE, field, err);
}

/* The scheme fits the key's type, and both algorithms are ours. */
static bool check_scheme(const tpm_key *key, const tpm_signature *s, const char *field, atls_error *err)
{
    const tpm_hash h = tpm_hash_of(s->hash);
    if ((s->scheme != TPM_ALG_ECDSA) != (key->key.kind == ATLS_KEY_RSA)) {
        return atls_fail_values(err, ATLS_E_EVIDENCE_SIGNATURE, field, key->kind,
                                s->scheme == TPM_ALG_ECDSA ? "ECDSA" : "RSASSA or RSAPSS",
                                "the signature is of another type than the key");
    }
    if (h.hash == 0) {
        return atls_fail_unsupported(err, ATLS_E_EVIDENCE_SIGNATURE, field, "SHA-256, SHA-384 or SHA-512", h.name,
                                     "signatures over this hash are not accepted");
    }
    return true;
}

static bool verify_rsa(const atls_crypto *c, atls_key *key, atls_hash h, const tpm_signature *s, atls_bytes message,
                       const char *field, atls_error *err)
{
    return s->scheme == TPM_ALG_RSAPSS
               ? atls_verify_pss_any_salt(c, key, h, message, s->rsa, ATLS_E_EVIDENCE_SIGNATURE, field, err)
               : atls_verify_der(c, key, h, message, s->rsa, ATLS_E_EVIDENCE_SIGNATURE, field, err);
}

bool tpm_quote_verify(const atls_crypto *c, const tpm_key *key, const tpm_signature *signature, atls_bytes message,
                      const char *field, atls_error *err)
{
    atls_key *opened;
    if (!check_scheme(key, signature, field, err)
        || !atls_key_open(c, &key->key, ATLS_E_EVIDENCE_FORMAT, "ak_pub", &opened, err)) {
        return false;
    }
    const atls_hash h = tpm_hash_of(signature->hash).hash;
    bool ok = key->key.kind == ATLS_KEY_RSA ? verify_rsa(c, opened, h, signature, message, field, err)
                                            : verify_ecdsa(c, opened, key->key.kind, h, signature, message, field, err);
    atls_key_close(opened);
    return ok;
}
