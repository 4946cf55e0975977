/* SPDX-License-Identifier: Apache-2.0 */
/* structures.c: what a TPM signs, how it signs, and the key it signs with, as the TPM 2.0 Library, part 2, has them. */
#include <stdio.h>

#include "base/cursor.h"
#include "tpm.h"

#define TPM_GENERATED_VALUE 0xff544347u
#define TPM_ST_ATTEST_QUOTE 0x8018u
#define DEFAULT_EXPONENT    65537u
#define MAX_NAME_LEN        68u /* TPM2B_NAME: a hash algorithm and SHA-512, and some room */
#define MAX_POLICY_LEN      64u
#define MAX_DIGEST_LEN      64u
#define MAX_RSA_LEN         1024u
#define MAX_COORDINATE_LEN  66u /* P-521, which is refused by name and not by size */
#define MAX_SELECT_LEN      4u
#define RSA_ALG_RSAES       0x0015u
#define RSA_ALG_OAEP        0x0017u
#define ECC_ALG_ECDAA       0x001au
#define ECC_ALG_SM2         0x001bu
#define ECC_ALG_ECSCHNORR   0x001cu
#define HASH_ALG_SM3        0x0012u
#define HASH_ALG_SHA3_256   0x0027u
#define HASH_ALG_SHA3_384   0x0028u
#define HASH_ALG_SHA3_512   0x0029u

tpm_hash tpm_hash_of(uint64_t alg)
{
    static const tpm_hash known[] = {
        {"sha1", 20, 0, TPM_ALG_SHA1},
        {"sha256", 32, ATLS_SHA256, TPM_ALG_SHA256},
        {"sha384", 48, ATLS_SHA384, TPM_ALG_SHA384},
        {"sha512", 64, ATLS_SHA512, TPM_ALG_SHA512},
        {"sm3", 32, 0, HASH_ALG_SM3},
        {"sha3-256", 32, 0, HASH_ALG_SHA3_256},
        {"sha3-384", 48, 0, HASH_ALG_SHA3_384},
        {"sha3-512", 64, 0, HASH_ALG_SHA3_512},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].alg == alg) {
            return known[i];
        }
    }
    return (tpm_hash){.name = "unknown"};
}

static bool unsupported(const atls_cur *c, const char *field, const char *expected, unsigned actual,
                        const char *message)
{
    char path[64];
    char text[16];
    snprintf(path, sizeof path, "%.40s.%.20s", c->prefix, field);
    snprintf(text, sizeof text, "0x%04x", actual & 0xffffu);
    return atls_fail_unsupported(c->err, ATLS_E_EVIDENCE_FORMAT, path, expected, text, "%s", message);
}

static bool fail_number(const atls_cur *c, const char *field, const char *expected, uint64_t actual,
                        const char *message)
{
    char text[24];
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)actual);
    return atls_cur_fail(c, ATLS_E_ENCODING, field, expected, text, message);
}

/* TPM2B: a length of two bytes, and so many bytes. */
static bool read_sized(atls_cur *c, const char *field, size_t max, atls_bytes *out)
{
    uint16_t len;
    if (!atls_cur_u16be(c, field, &len)) {
        return false;
    }
    if (len > max) {
        return fail_number(c, field, "a shorter value", len, "longer than this field ever is");
    }
    return atls_cur_bytes(c, field, len, out);
}

/* ---- TPMT_PUBLIC ---- */

/* TPMT_SYM_DEF_OBJECT. Signing keys have none; others are read so that what they are can be said. */
static bool read_symmetric(atls_cur *c)
{
    uint16_t alg;
    return atls_cur_u16be(c, "symmetric", &alg) && (alg == TPM_ALG_NULL || atls_cur_skip(c, "symmetric", 4));
}

/* TPMT_RSA_SCHEME, TPMT_ECC_SCHEME, TPMT_KDF_SCHEME */
static bool read_scheme(atls_cur *c, const char *field, uint16_t *scheme, uint16_t *hash)
{
    *hash = TPM_ALG_NULL;
    if (!atls_cur_u16be(c, field, scheme)) {
        return false;
    }
    if (*scheme == TPM_ALG_NULL || *scheme == RSA_ALG_RSAES) {
        return true;
    }
    if (!atls_cur_u16be(c, field, hash)) {
        return false;
    }
    return *scheme != ECC_ALG_ECDAA || atls_cur_skip(c, field, 2);
}

static bool read_rsa(atls_cur *c, tpm_public *out)
{
    uint16_t key_bits;
    if (!atls_cur_u16be(c, "key_bits", &key_bits) || !atls_cur_u32be(c, "exponent", &out->exponent)
        || !read_sized(c, "modulus", MAX_RSA_LEN, &out->modulus)) {
        return false;
    }
    out->exponent = out->exponent == 0 ? DEFAULT_EXPONENT : out->exponent;
    return out->modulus.len == key_bits / 8u
           || fail_number(c, "modulus", "as long as key_bits says", out->modulus.len, "the modulus has another length");
}

static bool read_ecc(atls_cur *c, tpm_public *out)
{
    uint16_t kdf;
    uint16_t kdf_hash;
    if (!atls_cur_u16be(c, "curve", &out->curve) || !read_scheme(c, "kdf", &kdf, &kdf_hash)
        || !read_sized(c, "x", MAX_COORDINATE_LEN, &out->x) || !read_sized(c, "y", MAX_COORDINATE_LEN, &out->y)) {
        return false;
    }
    return out->curve == TPM_ECC_NIST_P256 || out->curve == TPM_ECC_NIST_P384
           || unsupported(c, "curve", "P-256 or P-384", out->curve, "keys on this curve are not supported");
}

static bool read_public(atls_cur *c, tpm_public *out)
{
    atls_bytes policy;
    if (!atls_cur_u16be(c, "type", &out->type)) {
        return false;
    }
    if (out->type != TPM_ALG_RSA && out->type != TPM_ALG_ECC) {
        return unsupported(c, "type", "RSA or ECC", out->type, "keys of this type are not supported");
    }
    return atls_cur_u16be(c, "name_alg", &out->name_alg) && atls_cur_u32be(c, "attributes", &out->attributes)
           && read_sized(c, "auth_policy", MAX_POLICY_LEN, &policy) && read_symmetric(c)
           && read_scheme(c, "scheme", &out->scheme, &out->scheme_hash)
           && (out->type == TPM_ALG_RSA ? read_rsa(c, out) : read_ecc(c, out)) && atls_cur_end(c);
}

bool tpm_public_decode(atls_bytes in, const char *prefix, tpm_public *out, atls_error *err)
{
    atls_cur c;
    const atls_bytes empty = atls_bytes_empty();
    *out = (tpm_public){.raw = in, .modulus = empty, .x = empty, .y = empty};
    atls_cur_init(&c, in, prefix, err);
    return read_public(&c, out) || atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "");
}

/* ---- TPMT_SIGNATURE ---- */

static bool read_signature(atls_cur *c, tpm_signature *out)
{
    if (!atls_cur_u16be(c, "scheme", &out->scheme)) {
        return false;
    }
    switch (out->scheme) {
    case TPM_ALG_RSASSA:
    case TPM_ALG_RSAPSS:
        return atls_cur_u16be(c, "hash", &out->hash) && read_sized(c, "rsa", MAX_RSA_LEN, &out->rsa) && atls_cur_end(c);
    case TPM_ALG_ECDSA:
        return atls_cur_u16be(c, "hash", &out->hash) && read_sized(c, "r", MAX_COORDINATE_LEN, &out->r)
               && read_sized(c, "s", MAX_COORDINATE_LEN, &out->s) && atls_cur_end(c);
    default:
        return unsupported(c, "scheme", "RSASSA or ECDSA", out->scheme, "signatures of this scheme are not supported");
    }
}

bool tpm_signature_decode(atls_bytes in, const char *prefix, tpm_signature *out, atls_error *err)
{
    atls_cur c;
    const atls_bytes empty = atls_bytes_empty();
    *out = (tpm_signature){.rsa = empty, .r = empty, .s = empty};
    atls_cur_init(&c, in, prefix, err);
    return read_signature(&c, out) || atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "");
}

tpm_signature tpm_signature_bare(atls_bytes rsa)
{
    const atls_bytes empty = atls_bytes_empty();
    return (tpm_signature){.scheme = TPM_ALG_RSASSA, .hash = TPM_ALG_SHA256, .rsa = rsa, .r = empty, .s = empty};
}

/* ---- TPMS_ATTEST ---- */

static bool read_selection(atls_cur *c, tpm_attest *out)
{
    tpm_selection *next = &out->selections[out->n_selections];
    uint8_t size;
    atls_bytes bitmap;
    if (!atls_cur_u16be(c, "selection.bank", &next->alg) || !atls_cur_u8(c, "selection.size", &size)) {
        return false;
    }
    if (size > MAX_SELECT_LEN) {
        return fail_number(c, "selection.size", "at most 4", size, "a bitmap of more PCRs than there are");
    }
    if (!atls_cur_bytes(c, "selection.bitmap", size, &bitmap)) {
        return false;
    }
    next->mask = 0;
    for (size_t i = 0; i < bitmap.len; i++) {
        next->mask |= (uint32_t)bitmap.ptr[i] << (8 * i);
    }
    if (next->mask >> TPM_N_PCRS != 0) {
        return fail_number(c, "selection.bitmap", "PCRs 0 to 23", next->mask, "a PCR beyond the last one is selected");
    }
    for (size_t i = 0; i < out->n_selections; i++) {
        if (out->selections[i].alg == next->alg) {
            return fail_number(c, "selection.bank", "each bank once", next->alg, "a bank is selected twice");
        }
    }
    out->n_selections++;
    return true;
}

static bool read_selections(atls_cur *c, tpm_attest *out)
{
    uint32_t n;
    if (!atls_cur_u32be(c, "selection.count", &n)) {
        return false;
    }
    if (n > TPM_MAX_QUOTES) {
        return fail_number(c, "selection.count", "at most 8", n, "more banks than TPMs have");
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!read_selection(c, out)) {
            return false;
        }
    }
    return true;
}

/* A restricted key refuses to sign anything of others that begins with the magic: that is what makes these bytes a TPM's. */
static bool read_kind(atls_cur *c)
{
    uint32_t magic;
    uint16_t type;
    if (!atls_cur_u32be(c, "magic", &magic)) {
        return false;
    }
    if (magic != TPM_GENERATED_VALUE) {
        return fail_number(c, "magic", "0xff544347", magic, "a TPM did not make this message");
    }
    if (!atls_cur_u16be(c, "type", &type)) {
        return false;
    }
    return type == TPM_ST_ATTEST_QUOTE
           || fail_number(c, "type", "0x8018", type, "this message of a TPM is not a quote");
}

static bool read_clock(atls_cur *c, tpm_attest *out)
{
    uint8_t safe;
    if (!atls_cur_u64be(c, "clock", &out->clock_ms) || !atls_cur_u32be(c, "reset_count", &out->reset_count)
        || !atls_cur_u32be(c, "restart_count", &out->restart_count) || !atls_cur_u8(c, "safe", &safe)) {
        return false;
    }
    out->safe = safe == 1;
    return safe <= 1 || fail_number(c, "safe", "0 or 1", safe, "neither yes nor no");
}

bool tpm_attest_decode(atls_bytes in, const char *prefix, tpm_attest *out, atls_error *err)
{
    atls_cur c;
    const atls_bytes empty = atls_bytes_empty();
    *out = (tpm_attest){.qualified_signer = empty, .extra_data = empty, .pcr_digest = empty};
    atls_cur_init(&c, in, prefix, err);
    bool ok = read_kind(&c) && read_sized(&c, "qualified_signer", MAX_NAME_LEN, &out->qualified_signer)
              && read_sized(&c, "extra_data", TPM_MAX_EXTRA_LEN, &out->extra_data) && read_clock(&c, out)
              && atls_cur_u64be(&c, "firmware_version", &out->firmware_version) && read_selections(&c, out)
              && read_sized(&c, "pcr_digest", MAX_DIGEST_LEN, &out->pcr_digest) && atls_cur_end(&c);
    return ok || atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "");
}
