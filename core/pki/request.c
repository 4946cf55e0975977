/* SPDX-License-Identifier: Apache-2.0 */
/* request.c: the proof of possession of a certification request (RFC 2986 section 3, RFC 5758 3.2, RFC 4055 5). */
#include "request.h"

#include "read.h"

/* Also ecdsa-with-SHA512, which no other format's list has. */
typedef struct rule {
    bool is_rsa;
    atls_hash hash;
    uint8_t oid_len;
    uint8_t oid[9];
} rule;

#define OID_ECDSA 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03
#define OID_PKCS1 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01
static const rule rules[] = {
    {false, ATLS_SHA256, 8, {OID_ECDSA, 0x02}}, {false, ATLS_SHA384, 8, {OID_ECDSA, 0x03}},
    {false, ATLS_SHA512, 8, {OID_ECDSA, 0x04}}, {true, ATLS_SHA256, 9, {OID_PKCS1, 0x0b}},
    {true, ATLS_SHA384, 9, {OID_PKCS1, 0x0c}},  {true, ATLS_SHA512, 9, {OID_PKCS1, 0x0d}},
};

static const rule *find_rule(atls_bytes oid)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (atls_bytes_equal(oid, atls_bytes_of(rules[i].oid, rules[i].oid_len))) {
            return &rules[i];
        }
    }
    return NULL;
}

/* Parameters: NULL or none, of either algorithm, as in certificates (read.c). */
static bool read_rule(atls_bytes whole, const rule **out, atls_error *err)
{
    static const char field[] = "signatureAlgorithm";
    static const uint8_t der_null[] = {ATLS_DER_NULL, 0};
    atls_cur c;
    atls_algorithm_id id;
    atls_cur_init(&c, whole, field, err);
    *out = NULL;
    if (!atls_read_algorithm_id(&c, "", &id) || !atls_cur_end(&c)) {
        return false;
    }
    *out = find_rule(id.oid);
    if (*out == NULL) {
        (void)atls_fail_values(err, ATLS_E_UNSUPPORTED, field, "ECDSA or RSA with SHA-2", "something else",
                               "the signature algorithm is not supported");
        return false;
    }
    return id.parameters.len == 0 || atls_bytes_equal(id.parameters, atls_bytes_of(der_null, sizeof der_null))
           || atls_fail(err, ATLS_E_ENCODING, field, "parameters that this algorithm does not have");
}

static bool read_key(atls_bytes spki, atls_public_key *out, atls_error *err)
{
    static const char field[] = "subjectPKInfo";
    atls_cur c;
    atls_cur key;
    atls_algorithm_id algorithm;
    uint8_t unused;
    atls_cur_init(&c, spki, field, err);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &key) || !atls_cur_end(&c)
        || !atls_read_algorithm_id(&key, "", &algorithm) || !atls_der_bits(&key, "", &unused, &out->point)
        || !atls_cur_end(&key)) {
        return false;
    }
    out->kind = atls_read_key_kind(algorithm.whole);
    if (out->kind == ATLS_KEY_UNKNOWN) {
        return atls_fail_values(err, ATLS_E_UNSUPPORTED, field, "P-256, P-384 or RSA", "another kind of key",
                                "the public key's algorithm or curve is not supported");
    }
    return unused == 0 || atls_fail(err, ATLS_E_ENCODING, field, "the key is not a whole number of bytes");
}

static bool verify(const atls_crypto *crypto, const atls_request_parts *parts, atls_code code, atls_error *err)
{
    const rule *r;
    atls_public_key public_key = {ATLS_KEY_UNKNOWN, atls_bytes_empty()};
    atls_key *key;
    if (!read_rule(parts->algorithm, &r, err) || !read_key(parts->spki, &public_key, err)) {
        return false;
    }
    if (r->is_rsa != (public_key.kind == ATLS_KEY_RSA)) {
        return atls_fail(err, code, "signatureAlgorithm", "the signature algorithm does not fit the key");
    }
    if (!atls_key_open(crypto, &public_key, code, "subjectPKInfo", &key, err)) {
        return false;
    }
    const bool ok = atls_verify_der(crypto, key, r->hash, parts->tbs, parts->signature, code, "signature", err);
    atls_key_close(key);
    return ok;
}

bool atls_request_verify(const atls_request_parts *parts, atls_code code, const char *prefix, atls_error *err)
{
    atls_crypto *crypto;
    if (!atls_crypto_new(&crypto, err)) {
        return false;
    }
    const bool ok = verify(crypto, parts, code, err);
    atls_crypto_free(crypto);
    return ok || atls_error_relabel(err, code, prefix);
}
