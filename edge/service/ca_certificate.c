/* SPDX-License-Identifier: Apache-2.0 */
/* ca_certificate.c: certificates in the order of RFC 5280, 4.1. Written by hand, because the key has to come out exactly as it was
 * attested, and nothing may come out that was not put in. */
#include "ca_internal.h"

#define ID(name, ...) static const uint8_t name[] = {__VA_ARGS__}

ID(oid_key_id, 0x55, 0x1d, 0x0e);
ID(oid_key_usage, 0x55, 0x1d, 0x0f);
ID(oid_basic_constraints, 0x55, 0x1d, 0x13);
ID(oid_authority, 0x55, 0x1d, 0x23);

#define OF(array) atls_bytes_of((array), sizeof(array))

void ca_certificate_begin(ca_der *d, const ca_head *head)
{
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_der_open(d, ATLS_DER_CONTEXT_CONS(0));
    ca_der_small(d, 2); /* v3 */
    ca_der_close(d);
    ca_der_unsigned(d, head->serial, head->n_serial);
    ca_algorithm_put(d, head->alg);
    ca_der_raw(d, head->issuer);
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_der_time(d, head->not_before);
    ca_der_time(d, head->not_after);
    ca_der_close(d);
    ca_der_raw(d, head->subject);
    ca_der_raw(d, head->spki);
    ca_der_open(d, ATLS_DER_CONTEXT_CONS(3));
    ca_der_open(d, ATLS_DER_SEQUENCE);
}

void ca_certificate_end(ca_der *d)
{
    ca_der_close(d);
    ca_der_close(d);
    ca_der_close(d);
}

void ca_extension_open(ca_der *d, atls_bytes oid, bool critical)
{
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_der_put(d, ATLS_DER_OID, oid);
    if (critical) {
        ca_der_true(d);
    }
    ca_der_open(d, ATLS_DER_OCTET_STRING);
}

void ca_extension_close(ca_der *d)
{
    ca_der_close(d);
    ca_der_close(d);
}

void ca_extension_basic_constraints(ca_der *d, bool is_ca, int path_len)
{
    ca_extension_open(d, OF(oid_basic_constraints), true);
    ca_der_open(d, ATLS_DER_SEQUENCE); /* FALSE is the default, which DER leaves out */
    if (is_ca) {
        ca_der_true(d);
        ca_der_small(d, (uint8_t)path_len);
    }
    ca_der_close(d);
    ca_extension_close(d);
}

void ca_extension_key_usage(ca_der *d, uint8_t bits, uint8_t unused)
{
    const uint8_t content[2] = {unused, bits};
    ca_extension_open(d, OF(oid_key_usage), true);
    ca_der_put(d, ATLS_DER_BIT_STRING, OF(content));
    ca_extension_close(d);
}

void ca_extension_key_id(ca_der *d, atls_bytes id)
{
    ca_extension_open(d, OF(oid_key_id), false);
    ca_der_put(d, ATLS_DER_OCTET_STRING, id);
    ca_extension_close(d);
}

void ca_extension_authority(ca_der *d, atls_bytes id)
{
    ca_extension_open(d, OF(oid_authority), false);
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_der_put(d, ATLS_DER_CONTEXT(0), id);
    ca_der_close(d);
    ca_extension_close(d);
}

/* SEQUENCE { SEQUENCE { algorithm }, BIT STRING }, and nothing else. */
static bool read_key_bits(atls_bytes spki, atls_bytes *bits, atls_error *err)
{
    atls_cur c;
    atls_cur body;
    atls_cur algorithm;
    atls_bytes oid;
    uint8_t unused;
    atls_cur_init(&c, spki, "spki", err);
    return atls_der_nested(&c, "key", ATLS_DER_SEQUENCE, &body) && atls_cur_end(&c)
           && atls_der_nested(&body, "algorithm", ATLS_DER_SEQUENCE, &algorithm)
           && atls_der_oid(&algorithm, "algorithm", &oid)
           && (algorithm.rest.len == 0 || atls_der_any(&algorithm, "parameters", NULL, NULL, NULL))
           && atls_cur_end(&algorithm) && atls_der_bits(&body, "subjectPublicKey", &unused, bits) && unused == 0
           && atls_cur_end(&body);
}

bool ca_key_id(atls_bytes spki, uint8_t out[20], atls_error *err)
{
    uint8_t digest[32];
    unsigned n = 0;
    atls_bytes bits;
    atls_error why = {.code = ATLS_OK};
    if (!read_key_bits(spki, &bits, &why) || bits.len == 0) {
        return atls_fail(err, ATLS_E_ENROL_ISSUE, "grant.spki", "this is no SubjectPublicKeyInfo in DER");
    }
    if (EVP_Digest(bits.ptr, bits.len, digest, &n, EVP_sha256(), NULL) != 1 || n != sizeof digest) {
        return atls_fail(err, ATLS_E_ENROL_ISSUE, "grant.spki", "the key cannot be hashed");
    }
    for (size_t i = 0; i < 20; i++) {
        out[i] = digest[i];
    }
    return true;
}

void ca_certificate_put(ca_der *d, atls_bytes tbs, ca_algorithm alg, const ca_signature *signature)
{
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_der_raw(d, tbs);
    ca_algorithm_put(d, alg);
    ca_der_bits(d, atls_bytes_of(signature->bytes, signature->len));
    ca_der_close(d);
}
