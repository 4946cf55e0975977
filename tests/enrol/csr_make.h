/* SPDX-License-Identifier: Apache-2.0 */
/* csr_make.h: certification requests by hand, right or wrong in any part, and a signer. The bytes are written here and signed
 * with OpenSSL, so that they can say what neither we nor OpenSSL would write. Everything is in the arena. */
#ifndef ATLS_TESTS_ENROL_CSR_MAKE_H
#define ATLS_TESTS_ENROL_CSR_MAKE_H

#include "base/check.h"
#include "pki/make.h"

#include "atls/enrol.h"

/* 2.25.266612578647278744056060545794611611433, the proofOID of Warden Supreme's tests */
#define CSR_PROOF_OID     "69839193dbc0c58fb2b1a185bcb4bafa8ae08e29"
#define CSR_PROOF_OID_DER "0614" CSR_PROOF_OID

static inline atls_bytes csr_join(atls_arena *a, size_t n, const atls_bytes *parts)
{
    atls_error err = {0};
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        len += parts[i].len;
    }
    uint8_t *out = atls_arena_raw(a, len, &err);
    assert_non_null(out);
    len = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(out + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    return atls_bytes_of(out, len);
}

static inline atls_bytes csr_hex(atls_arena *a, const char *hex)
{
    size_t len;
    atls_error err = {0};
    atls_bytes out;
    uint8_t *bytes = check_hex(hex, &len);
    assert_true(atls_arena_copy(a, atls_bytes_of(bytes, len), &out, &err));
    free(bytes);
    return out;
}

/* An element around the concatenation of parts. */
static inline atls_bytes csr_der_of(atls_arena *a, uint8_t tag, size_t n, const atls_bytes *parts)
{
    const atls_bytes content = csr_join(a, n, parts);
    uint8_t head[5] = {tag};
    size_t len = 2;
    if (content.len < 0x80) {
        head[1] = (uint8_t)content.len;
    } else {
        const unsigned octets = content.len <= 0xff ? 1 : content.len <= 0xffff ? 2 : 3;
        head[1] = (uint8_t)(0x80 | octets);
        for (unsigned i = 0; i < octets; i++) {
            head[len++] = (uint8_t)(content.len >> 8 * (octets - 1 - i));
        }
    }
    const atls_bytes both[] = {atls_bytes_of(head, len), content};
    return csr_join(a, 2, both);
}

static inline atls_bytes csr_der(atls_arena *a, uint8_t tag, atls_bytes content)
{
    return csr_der_of(a, tag, 1, &content);
}

static inline atls_bytes csr_fill(atls_arena *a, char c, size_t n)
{
    atls_error err = {0};
    uint8_t *out = atls_arena_raw(a, n, &err);
    assert_non_null(out);
    memset(out, c, n);
    return atls_bytes_of(out, n);
}

/* SET { SEQUENCE { 2.5.4.arc, string } } */
static inline atls_bytes csr_rdn(atls_arena *a, uint8_t arc, uint8_t string_tag, atls_bytes value)
{
    const uint8_t oid[] = {0x06, 0x03, 0x55, 0x04, arc};
    const atls_bytes pair[] = {atls_bytes_of(oid, sizeof oid), csr_der(a, string_tag, value)};
    return csr_der(a, 0x31, csr_der_of(a, 0x30, 2, pair));
}

/* SEQUENCE { proofOID, SET { UTF8String } } */
static inline atls_bytes csr_proof(atls_arena *a, atls_bytes statement)
{
    const atls_bytes pair[] = {csr_hex(a, CSR_PROOF_OID_DER), csr_der(a, 0x31, csr_der(a, 0x0c, statement))};
    return csr_der_of(a, 0x30, 2, pair);
}

/* What a request is made of, in order; whole elements. */
typedef enum csr_part {
    CSR_VERSION,
    CSR_SUBJECT,
    CSR_KEY,
    CSR_ATTRIBUTES,
    CSR_INFO_TAIL, /* nothing, if all is well */
    CSR_ALGORITHM,
    CSR_SIGNATURE,
    CSR_TAIL,       /* nothing */
    CSR_OUTER_TAIL, /* nothing, behind the whole */
    CSR_N_PARTS
} csr_part;

typedef struct csr_parts {
    atls_bytes part[CSR_N_PARTS];
} csr_parts;

/* A request that is read: its subject is CN=a and the nonce cac4307080875c418beb668e825649dc, its statement {}. Key and
 * signature have the form of some, and no more. */
static inline csr_parts csr_parts_default(atls_arena *a)
{
    const atls_bytes rdns[] = {csr_rdn(a, 3, 0x0c, atls_bytes_str("a")),
                               csr_rdn(a, 5, 0x13, atls_bytes_str("CAC4307080875C418BEB668E825649DC"))};
    csr_parts p = {{{NULL, 0}}};
    p.part[CSR_VERSION] = csr_hex(a, "020100");
    p.part[CSR_SUBJECT] = csr_der_of(a, 0x30, 2, rdns);
    p.part[CSR_KEY] = csr_hex(a, "300b 3005 0603550405 03020004");
    p.part[CSR_ATTRIBUTES] = csr_der(a, 0xa0, csr_proof(a, atls_bytes_str("{}")));
    p.part[CSR_INFO_TAIL] = atls_bytes_empty();
    p.part[CSR_ALGORITHM] = csr_hex(a, "300a 06082a8648ce3d040302");
    p.part[CSR_SIGNATURE] = csr_hex(a, "03020001");
    p.part[CSR_TAIL] = atls_bytes_empty();
    p.part[CSR_OUTER_TAIL] = atls_bytes_empty();
    return p;
}

static inline atls_bytes csr_info(atls_arena *a, const csr_parts *p)
{
    return csr_der_of(a, 0x30, CSR_INFO_TAIL + 1, p->part);
}

static inline atls_bytes csr_whole(atls_arena *a, const csr_parts *p)
{
    const atls_bytes parts[] = {csr_info(a, p), p->part[CSR_ALGORITHM], p->part[CSR_SIGNATURE], p->part[CSR_TAIL]};
    const atls_bytes both[] = {csr_der_of(a, 0x30, 4, parts), p->part[CSR_OUTER_TAIL]};
    return csr_join(a, 2, both);
}

/* ---- signing ---- */

static inline atls_bytes csr_sign(atls_arena *a, EVP_PKEY *key, const EVP_MD *md, atls_bytes tbs)
{
    uint8_t signature[1024];
    size_t len = sizeof signature;
    atls_error err = {0};
    atls_bytes out;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_true(EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1);
    assert_true(EVP_DigestSign(ctx, signature, &len, tbs.ptr, tbs.len) == 1);
    EVP_MD_CTX_free(ctx);
    assert_true(atls_arena_copy(a, atls_bytes_of(signature, len), &out, &err));
    return out;
}

/* The context of csr_signer, an atls_enrol_sign_fn. */
typedef struct csr_signing {
    EVP_PKEY *key;
    const EVP_MD *md;
    const char *algorithm; /* hex, whole */
} csr_signing;

static inline bool csr_signer(void *ctx, atls_bytes tbs, atls_arena *a, atls_bytes *algorithm, atls_bytes *signature,
                              atls_error *err)
{
    const csr_signing *s = ctx;
    (void)err;
    *algorithm = csr_hex(a, s->algorithm);
    *signature = csr_sign(a, s->key, s->md, tbs);
    return true;
}

#endif
