/* SPDX-License-Identifier: Apache-2.0 */
/* read.c: the pieces that certificates and CRLs are made of (RFC 5280 4.1.1, 4.1.2, 4.2). */
#include "read.h"

#define MAX_SERIAL_LEN 20u /* RFC 5280 4.1.2.2; the sign byte not counted */
#define MAX_PHONE_LEN  64u /* of a phone's serial; nobody looks longer ones up */
#define PSS_SALT_LEN   48u /* as long as the digest */

bool atls_read_sequence(atls_cur *c, const char *field, atls_bytes *whole)
{
    atls_der_tag tag;
    if (!atls_der_any(c, field, &tag, NULL, whole)) {
        return false;
    }
    return tag == ATLS_DER_SEQUENCE || atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "not a SEQUENCE");
}

/* Signature algorithms, RFC 5758 3.2 (ECDSA) and RFC 4055 5 (RSA): the content of the OID. */
#define OID_ECDSA 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03
#define OID_PKCS1 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01
typedef struct algorithm {
    atls_sig_alg alg;
    uint8_t oid_len;
    uint8_t oid[9];
} algorithm;

static const algorithm algorithms[] = {
    {ATLS_SIG_ECDSA_SHA256, 8, {OID_ECDSA, 0x02}}, {ATLS_SIG_ECDSA_SHA384, 8, {OID_ECDSA, 0x03}},
    {ATLS_SIG_RSA_SHA256, 9, {OID_PKCS1, 0x0b}},   {ATLS_SIG_RSA_SHA384, 9, {OID_PKCS1, 0x0c}},
    {ATLS_SIG_RSA_SHA512, 9, {OID_PKCS1, 0x0d}},   {ATLS_SIG_RSA_PSS_SHA384, 9, {OID_PKCS1, 0x0a}},
};

static const uint8_t der_null[] = {ATLS_DER_NULL, 0};

static const algorithm *find_algorithm(atls_bytes oid)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (atls_bytes_equal(oid, atls_bytes_of(algorithms[i].oid, algorithms[i].oid_len))) {
            return &algorithms[i];
        }
    }
    return NULL;
}

bool atls_read_algorithm_id(atls_cur *c, const char *field, atls_algorithm_id *out)
{
    atls_cur sequence;
    atls_cur again = *c;
    if (!atls_read_sequence(c, field, &out->whole) || !atls_der_nested(&again, field, ATLS_DER_SEQUENCE, &sequence)
        || !atls_der_oid(&sequence, field, &out->oid)) {
        return false;
    }
    out->parameters = sequence.rest;
    if (sequence.rest.len > 0 && !atls_der_any(&sequence, field, NULL, NULL, NULL)) {
        return false;
    }
    return sequence.rest.len == 0
           || atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "more than an algorithm and its parameters");
}

/* Hash functions have NULL for parameters, or none: RFC 4055 2.1 asks readers to take both. */
static bool is_sha384(atls_cur *c)
{
    static const uint8_t sha384[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
    atls_algorithm_id id;
    return atls_read_algorithm_id(c, "", &id) && atls_cur_end(c)
           && atls_bytes_equal(id.oid, atls_bytes_of(sha384, sizeof sha384))
           && (id.parameters.len == 0 || atls_bytes_equal(id.parameters, atls_bytes_of(der_null, sizeof der_null)));
}

static bool is_mgf1_sha384(atls_cur *c)
{
    static const uint8_t mgf1[] = {OID_PKCS1, 0x08};
    atls_algorithm_id id;
    atls_cur hash;
    if (!atls_read_algorithm_id(c, "", &id) || !atls_cur_end(c)
        || !atls_bytes_equal(id.oid, atls_bytes_of(mgf1, sizeof mgf1))) {
        return false;
    }
    atls_cur_init(&hash, id.parameters, "", c->err);
    return is_sha384(&hash);
}

static bool is_number(atls_cur *c, uint64_t wanted)
{
    uint64_t value;
    return atls_der_uint(c, "", ATLS_DER_INTEGER, wanted, &value) && atls_cur_end(c) && value == wanted;
}

/* RSASSA-PSS-params (RFC 4055 3.1): the one set that is in the list. Trailer 1 is the default, so that DER leaves it out;
 * AMD's roots and intermediates spell it out, most of its leaves do not. */
static bool is_pss_sha384(atls_bytes parameters)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cur c;
    atls_cur all;
    atls_cur one;
    atls_cur_init(&c, parameters, "", &ignored);
    return atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &all) && atls_cur_end(&c)
           && atls_der_nested(&all, "", ATLS_DER_CONTEXT_CONS(0), &one) && is_sha384(&one)
           && atls_der_nested(&all, "", ATLS_DER_CONTEXT_CONS(1), &one) && is_mgf1_sha384(&one)
           && atls_der_nested(&all, "", ATLS_DER_CONTEXT_CONS(2), &one) && is_number(&one, PSS_SALT_LEN)
           && (all.rest.len == 0 || (atls_der_nested(&all, "", ATLS_DER_CONTEXT_CONS(3), &one) && is_number(&one, 1)))
           && atls_cur_end(&all);
}

bool atls_read_algorithm(atls_cur *c, const char *field, atls_sig_alg *alg, atls_bytes *whole)
{
    atls_algorithm_id id;
    if (!atls_read_algorithm_id(c, field, &id)) {
        return false;
    }
    *whole = id.whole;
    *alg = ATLS_SIG_UNKNOWN;
    const algorithm *known = find_algorithm(id.oid);
    if (known == NULL) {
        return true; /* parameters of something unknown stay unread */
    }
    if (known->alg == ATLS_SIG_RSA_PSS_SHA384) {
        *alg = is_pss_sha384(id.parameters) ? known->alg : ATLS_SIG_UNKNOWN;
        return true;
    }
    /* RSA asks for NULL and ECDSA for nothing; phones have been seen to write NULL for ECDSA, and it means nothing */
    if (id.parameters.len > 0 && !atls_bytes_equal(id.parameters, atls_bytes_of(der_null, sizeof der_null))) {
        return atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "parameters that this algorithm does not have");
    }
    *alg = known->alg;
    return true;
}

bool atls_read_signed(atls_bytes der, atls_signed *out, atls_error *err)
{
    atls_cur c;
    atls_cur body;
    uint8_t unused;
    atls_cur_init(&c, der, "", err);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &body) || !atls_cur_end(&c)
        || !atls_read_sequence(&body, "tbs", &out->tbs)
        || !atls_read_algorithm(&body, "signature_algorithm", &out->alg, &out->alg_der)
        || !atls_der_bits(&body, "signature", &unused, &out->signature) || !atls_cur_end(&body)) {
        return false;
    }
    return unused == 0 || atls_fail(err, ATLS_E_ENCODING, "signature", "not a whole number of bytes");
}

bool atls_signed_agrees(const atls_signed *s, atls_bytes inner_algorithm, atls_error *err)
{
    return atls_bytes_equal(s->alg_der, inner_algorithm)
           || atls_fail_bytes(err, ATLS_E_ENCODING, "signature_algorithm", inner_algorithm, s->alg_der,
                              "the algorithm outside is not the one that was signed");
}

bool atls_read_serial(atls_cur *c, const char *field, atls_bytes *out)
{
    if (!atls_der_unsigned(c, field, out)) {
        return false;
    }
    return out->len <= MAX_SERIAL_LEN || atls_cur_fail(c, ATLS_E_LIMIT, field, "at most 20 bytes", NULL, NULL);
}

bool atls_read_serial_of_phone(atls_cur *c, const char *field, atls_bytes *out)
{
    if (!atls_der_expect(c, field, ATLS_DER_INTEGER, out)) {
        return false;
    }
    return (out->len > 0 && out->len <= MAX_PHONE_LEN)
           || atls_cur_fail(c, ATLS_E_LIMIT, field, "1 to 64 bytes", NULL, NULL);
}

/* RelativeDistinguishedName: SET SIZE (1..MAX) OF SEQUENCE { type OID, value ANY } */
static bool read_rdn(atls_cur *set)
{
    bool ok;
    do {
        atls_cur pair;
        atls_bytes oid;
        ok = atls_der_nested(set, "", ATLS_DER_SEQUENCE, &pair) && atls_der_oid(&pair, "", &oid)
             && atls_der_any(&pair, "", NULL, NULL, NULL) && atls_cur_end(&pair);
    } while (ok && set->rest.len > 0);
    return ok;
}

bool atls_read_name(atls_cur *c, const char *field, atls_bytes *whole)
{
    if (!atls_read_sequence(c, field, whole)) {
        return false;
    }
    atls_error why = {0};
    atls_cur name;
    atls_cur rdns;
    atls_cur_init(&name, *whole, "", &why);
    bool ok = atls_der_nested(&name, "", ATLS_DER_SEQUENCE, &rdns);
    while (ok && rdns.rest.len > 0) {
        atls_cur set;
        ok = atls_der_nested(&rdns, "", ATLS_DER_SET, &set) && read_rdn(&set);
    }
    return ok || atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "not a sequence of attributes");
}

/* Extension ::= SEQUENCE { extnID OID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
static bool read_extension(atls_cur *list, const char *field, bool is_phone, atls_extension *out)
{
    atls_cur c;
    if (!atls_der_nested(list, field, ATLS_DER_SEQUENCE, &c) || !atls_der_oid(&c, field, &out->oid)) {
        return false;
    }
    out->critical = false;
    if (atls_der_peek(&c, ATLS_DER_BOOLEAN)) {
        if (!atls_der_bool(&c, field, &out->critical)) {
            return false;
        }
        if (!out->critical && !is_phone) { /* X.690 11.5 */
            return atls_cur_fail(list, ATLS_E_ENCODING, field, NULL, NULL, "a default value that is spelt out");
        }
    }
    return atls_der_expect(&c, field, ATLS_DER_OCTET_STRING, &out->value) && atls_cur_end(&c);
}

static bool read_extensions(atls_cur *c, const char *field, bool is_phone, atls_extension *out, size_t max, size_t *n)
{
    *n = 0;
    do {
        if (*n == max) {
            return atls_cur_fail(c, ATLS_E_LIMIT, field, NULL, NULL, "too many extensions");
        }
        atls_extension *e = &out[*n];
        if (!read_extension(c, field, is_phone, e)) {
            return false;
        }
        for (size_t i = 0; i < *n; i++) {
            if (atls_bytes_equal(out[i].oid, e->oid)) {
                return atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "an extension that stands there twice");
            }
        }
        (*n)++;
    } while (c->rest.len > 0);
    return true;
}

bool atls_read_extensions(atls_cur *c, const char *field, atls_extension *out, size_t max, size_t *n)
{
    return read_extensions(c, field, false, out, max, n);
}

bool atls_read_extensions_of_phone(atls_cur *c, const char *field, atls_extension *out, size_t max, size_t *n)
{
    return read_extensions(c, field, true, out, max, n);
}

bool atls_oid_is_id_ce(atls_bytes oid, uint8_t arc)
{
    return oid.len == 3 && oid.ptr[0] == 0x55 && oid.ptr[1] == 0x1d && oid.ptr[2] == arc;
}

/* The content of an IMPLICIT INTEGER, as atls_der_unsigned gives it: minimal, not negative, without its sign byte. */
static bool strip_sign(const atls_cur *where, atls_bytes content, atls_bytes *out)
{
    bool zero_first = content.len > 0 && content.ptr[0] == 0;
    bool minimal = content.len > 0 && (content.len == 1 || !zero_first || (content.ptr[1] & 0x80) != 0);
    if (!minimal || (content.ptr[0] & 0x80) != 0) {
        return atls_cur_fail(where, ATLS_E_ENCODING, "serial", NULL, NULL, "not a minimal non-negative INTEGER");
    }
    atls_cur c;
    atls_cur_init(&c, content, where->prefix, where->err);
    if (zero_first && content.len > 1 && !atls_cur_skip(&c, "serial", 1)) {
        return false;
    }
    *out = c.rest;
    return true;
}

bool atls_read_authority_key(atls_bytes value, const char *field, atls_authority_key *out, atls_error *err)
{
    *out = (atls_authority_key){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    atls_cur c;
    atls_cur aki;
    atls_bytes serial;
    atls_cur_init(&c, value, field, err);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &aki) || !atls_cur_end(&c)) {
        return false;
    }
    bool ok = true;
    if (atls_der_peek(&aki, ATLS_DER_CONTEXT(0))) {
        ok = atls_der_expect(&aki, "", ATLS_DER_CONTEXT(0), &out->key_id);
    }
    if (ok && atls_der_peek(&aki, ATLS_DER_CONTEXT_CONS(1))) {
        ok = atls_der_expect(&aki, "", ATLS_DER_CONTEXT_CONS(1), &out->issuer)
             && atls_der_expect(&aki, "", ATLS_DER_CONTEXT(2), &serial) && strip_sign(&c, serial, &out->serial);
    }
    return ok && atls_cur_end(&aki);
}
