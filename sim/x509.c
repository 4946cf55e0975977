/* SPDX-License-Identifier: Apache-2.0 */
/* x509.c: what the certificates and lists of every kind of room are made of. Which pieces, in which order, and what stands in
 * them by default is each vendor's shape, and stays with the room. */
#include "sim/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sim_is_none(const char *value)
{
    return value != NULL && strcmp(value, "none") == 0;
}

/* ---- names ---- */

void sim_name_part(atls_buf *b, const char *oid, unsigned tag, const char *text)
{
    size_t set = sim_der_open(b, SIM_DER_SET);
    size_t pair = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, oid);
    sim_der_put(b, tag, atls_bytes_str(text));
    sim_der_close(b, pair);
    sim_der_close(b, set);
}

/* ---- keys ---- */

void sim_key_id(atls_bytes key, uint8_t out[20])
{
    uint8_t digest[32];
    sim_sha256(key, digest);
    memcpy(out, digest, 20);
}

void sim_rsa_spki_put(atls_buf *b, atls_bytes modulus)
{
    size_t spki = sim_der_open(b, SIM_DER_SEQUENCE);
    size_t alg = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, "1.2.840.113549.1.1.1");
    sim_der_put(b, 0x05, atls_bytes_empty());
    sim_der_close(b, alg);
    size_t bits = sim_der_open(b, SIM_DER_BIT_STRING);
    sim_put_u8(b, 0);
    size_t pair = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_unsigned(b, modulus);
    sim_der_uint(b, SIM_DER_INTEGER, 65537);
    sim_der_close(b, pair);
    sim_der_close(b, bits);
    sim_der_close(b, spki);
}

void sim_spki_put(atls_buf *b, const sim_key *key)
{
    if (key->curve == SIM_RSA) {
        sim_rsa_spki_put(b, atls_bytes_of(key->point + 1, 256));
        return;
    }
    size_t spki = sim_der_open(b, SIM_DER_SEQUENCE);
    size_t alg = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, "1.2.840.10045.2.1");
    sim_der_oid(b, key->curve == SIM_P384 ? "1.3.132.0.34" : "1.2.840.10045.3.1.7");
    sim_der_close(b, alg);
    sim_der_bits(b, 0, atls_bytes_of(key->point, key->point_len));
    sim_der_close(b, spki);
}

/* ---- extensions ---- */

void sim_ext_put(atls_buf *b, const char *oid, bool critical, atls_bytes value)
{
    size_t ext = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, oid);
    if (critical) {
        sim_der_bool(b, true);
    }
    sim_der_put(b, SIM_DER_OCTET_STRING, value);
    sim_der_close(b, ext);
}

void sim_ext_aki_put(sim_op *o, atls_buf *b, const uint8_t id[20])
{
    atls_buf value = sim_buf(o);
    size_t aki = sim_der_open(&value, SIM_DER_SEQUENCE);
    sim_der_put(&value, 0x80, atls_bytes_of(id, 20));
    sim_der_close(&value, aki);
    sim_ext_put(b, "2.5.29.35", false, sim_done(&value));
}

void sim_ext_ski_put(sim_op *o, atls_buf *b, const uint8_t id[20])
{
    atls_buf value = sim_buf(o);
    sim_der_put(&value, SIM_DER_OCTET_STRING, atls_bytes_of(id, 20));
    sim_ext_put(b, "2.5.29.14", false, sim_done(&value));
}

void sim_ext_crl_point_put(sim_op *o, atls_buf *b, const char *url)
{
    atls_buf value = sim_buf(o);
    size_t list = sim_der_open(&value, SIM_DER_SEQUENCE);
    size_t point = sim_der_open(&value, SIM_DER_SEQUENCE);
    size_t name = sim_der_open(&value, 0xa0);
    size_t full = sim_der_open(&value, 0xa0);
    sim_der_put(&value, 0x86, atls_bytes_str(url));
    sim_der_close(&value, full);
    sim_der_close(&value, name);
    sim_der_close(&value, point);
    sim_der_close(&value, list);
    sim_ext_put(b, "2.5.29.31", false, sim_done(&value));
}

void sim_ext_number_put(sim_op *o, atls_buf *b, uint64_t number)
{
    atls_buf value = sim_buf(o);
    sim_der_uint(&value, SIM_DER_INTEGER, number);
    sim_ext_put(b, "2.5.29.20", false, sim_done(&value));
}

void sim_ext_usage_put(sim_op *o, atls_buf *b, const char *id, uint8_t bits, bool is_trimmed, bool critical)
{
    unsigned unused = 0;
    if (sim_is_none(sim_get(o, "cert.%s.key_usage", id))) {
        return;
    }
    sim_get_fixed(o, &bits, 1, "cert.%s.key_usage", id);
    while (is_trimmed && unused < 7 && ((unsigned)bits >> unused & 1u) == 0) {
        unused++;
    }
    atls_buf value = sim_buf(o);
    sim_der_bits(&value, unused, atls_bytes_of(&bits, 1));
    sim_ext_put(b, "2.5.29.15", critical, sim_done(&value));
}

void sim_ext_constraints_put(sim_op *o, atls_buf *b, const char *id, const char *ca, const char *path_len,
                             bool critical)
{
    const char *is_ca = sim_get_text(o, ca, "cert.%s.ca", id);
    const char *depth = path_len == NULL ? "none" : sim_get_text(o, path_len, "cert.%s.path_len", id);
    if (sim_is_none(is_ca)) {
        return;
    }
    atls_buf value = sim_buf(o);
    size_t constraints = sim_der_open(&value, SIM_DER_SEQUENCE);
    if (strcmp(is_ca, "true") == 0) {
        sim_der_bool(&value, true);
        if (!sim_is_none(depth)) {
            sim_der_uint(&value, SIM_DER_INTEGER, strtoull(depth, NULL, 10));
        }
    }
    sim_der_close(&value, constraints);
    sim_ext_put(b, "2.5.29.19", critical, sim_done(&value));
}

void sim_ext_unknown_put(sim_op *o, atls_buf *b, const char *kind, const char *id)
{
    if (sim_get(o, "%s.%s.critical_ext", kind, id) != NULL) {
        sim_ext_put(b, "2.5.29.999", true, atls_bytes_of("\x05\x00", 2));
    }
}

/* ---- what is signed ---- */

size_t sim_tbs_open(atls_buf *b, uint64_t version)
{
    size_t tbs = sim_der_open(b, SIM_DER_SEQUENCE);
    size_t tagged = sim_der_open(b, 0xa0);
    sim_der_uint(b, SIM_DER_INTEGER, version);
    sim_der_close(b, tagged);
    return tbs;
}

void sim_validity_put(atls_buf *b, atls_time not_before, atls_time not_after)
{
    size_t validity = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_time(b, not_before);
    sim_der_time(b, not_after);
    sim_der_close(b, validity);
}

void sim_revoked_put(sim_op *o, atls_buf *b, const char *list, const sim_cert *certs, size_t n_certs, atls_time since,
                     atls_bytes extensions)
{
    char word[64];
    size_t entries = sim_der_open(b, SIM_DER_SEQUENCE);
    while (sim_split(&list, word, sizeof word)) {
        const sim_cert *cert = sim_cert_among(certs, n_certs, word);
        size_t entry = sim_der_open(b, SIM_DER_SEQUENCE);
        sim_der_unsigned(b, cert != NULL ? atls_bytes_of(cert->serial, cert->serial_len)
                                         : sim_value_bytes(o, "crl.revoked", word));
        sim_der_time(b, since);
        if (extensions.len > 0) {
            sim_der_put(b, SIM_DER_SEQUENCE, extensions);
        }
        sim_der_close(b, entry);
    }
    sim_der_close(b, entries);
}

/* ---- signing ---- */

atls_bytes sim_signed(sim_op *o, atls_bytes tbs, atls_bytes algorithm, atls_bytes signature)
{
    atls_buf b = sim_buf(o);
    size_t whole = sim_der_open(&b, SIM_DER_SEQUENCE);
    atls_buf_put(&b, tbs);
    atls_buf_put(&b, algorithm);
    sim_der_bits(&b, 0, signature);
    sim_der_close(&b, whole);
    return sim_done(&b);
}

void sim_ecdsa_put(atls_buf *b, sim_digest digest)
{
    size_t alg = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, digest == SIM_SHA384 ? "1.2.840.10045.4.3.3" : "1.2.840.10045.4.3.2");
    sim_der_close(b, alg);
}

atls_bytes sim_ecdsa_signed(sim_op *o, sim_digest digest, const sim_key *key, atls_bytes tbs, const char *path)
{
    uint8_t rs[96];
    atls_buf algorithm = sim_buf(o);
    atls_buf signature = sim_buf(o);
    sim_ecdsa_put(&algorithm, digest);
    if (digest == SIM_SHA384) {
        sim_sign384(o, key, tbs, path, rs);
    } else {
        sim_sign(o, key, tbs, path, rs);
    }
    sim_sig_der(&signature, rs, key->half);
    return sim_signed(o, tbs, sim_done(&algorithm), sim_done(&signature));
}

/* ---- certificates of a room ---- */

const sim_cert *sim_cert_among(const sim_cert *certs, size_t n_certs, const char *id)
{
    for (size_t i = 0; i < n_certs; i++) {
        if (strcmp(certs[i].id, id) == 0) {
            return &certs[i];
        }
    }
    return NULL;
}

void sim_serial_set(sim_op *o, sim_cert *cert)
{
    atls_bytes set;
    if (sim_get_bytes(o, &set, "cert.%s.serial", cert->id)) {
        cert->serial_len = set.len < sizeof cert->serial ? set.len : sizeof cert->serial;
        memcpy(cert->serial, set.ptr, cert->serial_len);
    }
}
