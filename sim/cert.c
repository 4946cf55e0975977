/* SPDX-License-Identifier: Apache-2.0 */
/* cert.c: the certificates of a room, in the shape of Intel's (DCAP sections 3 and 4.4).
 *
 * Besides the honest ones there is a second PKI with the same names under a root of its own, and a sibling: a PCK
 * certificate of another platform under the same CA. Every member can be set: cert.<id>.<member>. */
#include "sim/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY ((atls_time)86400)

typedef struct plan {
    const char *id;
    const char *cn;
    const char *issuer; /* id; "ca": the CA that the room's platform is under */
    const char *key;    /* label */
    const char *path_len;
    bool is_ca;
    bool is_pck;
} plan;

static const plan plans[] = {
    {"root", "Intel SGX Root CA", "root", "root", "1", true, false},
    {"platform_ca", "Intel SGX PCK Platform CA", "root", "platform_ca", "0", true, false},
    {"processor_ca", "Intel SGX PCK Processor CA", "root", "processor_ca", "0", true, false},
    {"tcb", "Intel SGX TCB Signing", "root", "tcb", "none", false, false},
    {"pck", "Intel SGX PCK Certificate", "ca", "pck", "none", false, true},
    {"sibling", "Intel SGX PCK Certificate", "ca", "sibling", "none", false, true},
    /* the second PKI: the same names and, below the root, the same keys */
    {"root2", "Intel SGX Root CA", "root2", "root2", "1", true, false},
    {"platform_ca2", "Intel SGX PCK Platform CA", "root2", "platform_ca", "0", true, false},
    {"processor_ca2", "Intel SGX PCK Processor CA", "root2", "processor_ca", "0", true, false},
    {"tcb2", "Intel SGX TCB Signing", "root2", "tcb", "none", false, false},
    {"pck2", "Intel SGX PCK Certificate", "ca2", "pck", "none", false, true},
};

static const plan *plan_of(sim_op *o, const char *id)
{
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        if (strcmp(plans[i].id, id) == 0) {
            return &plans[i];
        }
    }
    (void)atls_fail(&o->err, ATLS_E_CONFIGURATION, id, "no certificate of the room has this id");
    return &plans[0];
}

static const char *issuer_of(sim_op *o, const plan *p)
{
    const char *def = p->issuer;
    bool platform = strcmp(o->s->platform.ca, "platform_ca") == 0;
    if (strcmp(def, "ca") == 0) {
        def = o->s->platform.ca;
    } else if (strcmp(def, "ca2") == 0) {
        def = platform ? "platform_ca2" : "processor_ca2";
    }
    return sim_get_text(o, def, "cert.%s.issuer", p->id);
}

const char *sim_cert_cn(sim_op *o, const char *id)
{
    return sim_get_text(o, plan_of(o, id)->cn, "cert.%s.cn", id);
}

const sim_key *sim_cert_key(sim_op *o, const char *id)
{
    const char *label = sim_get_text(o, plan_of(o, id)->key, "cert.%s.key", id);
    const char *curve = sim_get_text(o, "p256", "cert.%s.curve", id);
    return sim_key_of(o, label, strcmp(curve, "p384") == 0 ? SIM_P384 : strcmp(curve, "rsa") == 0 ? SIM_RSA : SIM_P256);
}

void sim_cert_key_id(sim_op *o, const char *id, uint8_t out[20])
{
    uint8_t digest[32];
    const sim_key *key = sim_cert_key(o, id);
    sim_sha256(atls_bytes_of(key->point, key->point_len), digest);
    memcpy(out, digest, 20);
}

/* ---- pieces ---- */

static void name_part(atls_buf *b, const char *oid, unsigned tag, const char *text)
{
    size_t set = sim_der_open(b, SIM_DER_SET);
    size_t pair = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, oid);
    sim_der_put(b, tag, atls_bytes_str(text));
    sim_der_close(b, pair);
    sim_der_close(b, set);
}

void sim_name_put(atls_buf *b, const char *cn, bool intel)
{
    size_t name = sim_der_open(b, SIM_DER_SEQUENCE);
    name_part(b, "2.5.4.3", SIM_DER_UTF8_STRING, cn);
    if (intel) {
        name_part(b, "2.5.4.10", SIM_DER_UTF8_STRING, "Intel Corporation");
        name_part(b, "2.5.4.7", SIM_DER_UTF8_STRING, "Santa Clara");
        name_part(b, "2.5.4.8", SIM_DER_UTF8_STRING, "CA");
        name_part(b, "2.5.4.6", SIM_DER_PRINTABLE_STRING, "US");
    }
    sim_der_close(b, name);
}

void sim_sig_alg_put(atls_buf *b)
{
    size_t alg = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, "1.2.840.10045.4.3.2"); /* ecdsa-with-SHA256 */
    sim_der_close(b, alg);
}

static void rsa_spki_put(atls_buf *b, const sim_key *key)
{
    size_t spki = sim_der_open(b, SIM_DER_SEQUENCE);
    size_t alg = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, "1.2.840.113549.1.1.1");
    sim_der_put(b, 0x05, atls_bytes_empty());
    sim_der_close(b, alg);
    size_t bits = sim_der_open(b, SIM_DER_BIT_STRING);
    sim_put_u8(b, 0);
    size_t pair = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_unsigned(b, atls_bytes_of(key->point + 1, 256));
    sim_der_uint(b, SIM_DER_INTEGER, 65537);
    sim_der_close(b, pair);
    sim_der_close(b, bits);
    sim_der_close(b, spki);
}

void sim_spki_put(atls_buf *b, const sim_key *key)
{
    if (key->curve == SIM_RSA) {
        rsa_spki_put(b, key);
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

/* sim_aki makes the value of an authority key identifier. */
atls_bytes sim_aki(sim_op *o, const uint8_t id[20])
{
    atls_buf b = sim_buf(o);
    size_t aki = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_put(&b, 0x80, atls_bytes_of(id, 20));
    sim_der_close(&b, aki);
    return sim_done(&b);
}

/* ---- extensions ---- */

static bool is_none(const char *value)
{
    return value != NULL && strcmp(value, "none") == 0;
}

static void put_key_ids(sim_op *o, const plan *p, const char *issuer, atls_buf *b)
{
    uint8_t aki[20];
    uint8_t ski[20];
    sim_cert_key_id(o, issuer, aki);
    sim_cert_key_id(o, p->id, ski);
    if (!is_none(sim_get(o, "cert.%s.aki", p->id))) {
        sim_get_fixed(o, aki, sizeof aki, "cert.%s.aki", p->id);
        sim_ext_put(b, "2.5.29.35", false, sim_aki(o, aki));
    }
    if (!is_none(sim_get(o, "cert.%s.ski", p->id))) {
        sim_get_fixed(o, ski, sizeof ski, "cert.%s.ski", p->id);
        atls_buf value = sim_buf(o);
        sim_der_put(&value, SIM_DER_OCTET_STRING, atls_bytes_of(ski, sizeof ski));
        sim_ext_put(b, "2.5.29.14", false, sim_done(&value));
    }
}

static void put_crl_point(sim_op *o, const plan *p, atls_buf *b)
{
    const char *url = p->is_pck ? "https://pcs.sim.test/sgx/certification/v4/pckcrl?encoding=der"
                                : "https://certificates.sim.test/IntelSGXRootCA.der";
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

/* key_usage is the first octet of the bits, "none" leaves the extension out. */
static void put_key_usage(sim_op *o, const plan *p, atls_buf *b)
{
    if (is_none(sim_get(o, "cert.%s.key_usage", p->id))) {
        return;
    }
    uint8_t bits = p->is_ca ? 0x06 : 0xc0; /* keyCertSign, cRLSign; digitalSignature, nonRepudiation */
    sim_get_fixed(o, &bits, 1, "cert.%s.key_usage", p->id);
    unsigned unused = 0;
    while (unused < 7 && ((unsigned)bits >> unused & 1u) == 0) {
        unused++;
    }
    atls_buf value = sim_buf(o);
    sim_der_bits(&value, unused, atls_bytes_of(&bits, 1));
    sim_ext_put(b, "2.5.29.15", true, sim_done(&value));
}

/* ca is true, false, or none: no basicConstraints at all. */
static void put_constraints(sim_op *o, const plan *p, atls_buf *b)
{
    const char *ca = sim_get_text(o, p->is_ca ? "true" : "false", "cert.%s.ca", p->id);
    const char *path_len = sim_get_text(o, p->path_len, "cert.%s.path_len", p->id);
    if (is_none(ca)) {
        return;
    }
    atls_buf value = sim_buf(o);
    size_t constraints = sim_der_open(&value, SIM_DER_SEQUENCE);
    if (strcmp(ca, "true") == 0) {
        sim_der_bool(&value, true);
        if (!is_none(path_len)) {
            sim_der_uint(&value, SIM_DER_INTEGER, strtoull(path_len, NULL, 10));
        }
    }
    sim_der_close(&value, constraints);
    sim_ext_put(b, "2.5.29.19", true, sim_done(&value));
}

static void put_extensions(sim_op *o, const plan *p, const char *issuer, atls_buf *b)
{
    size_t tagged = sim_der_open(b, 0xa3);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    put_key_ids(o, p, issuer, b);
    put_crl_point(o, p, b);
    put_key_usage(o, p, b);
    put_constraints(o, p, b);
    if (p->is_pck) {
        sim_sgx_extension_put(o, p->id, b);
    }
    if (sim_get(o, "cert.%s.critical_ext", p->id) != NULL) {
        sim_ext_put(b, "2.5.29.999", true, atls_bytes_of("\x05\x00", 2));
    }
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

/* ---- certificates ---- */

static void put_validity(sim_op *o, const plan *p, atls_buf *b)
{
    size_t validity = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_time(b, sim_get_time(o, o->s->now - 400 * DAY, "cert.%s.not_before", p->id));
    sim_der_time(b, sim_get_time(o, o->s->now + (p->is_ca ? 4000 : 2000) * DAY, "cert.%s.not_after", p->id));
    sim_der_close(b, validity);
}

static void make_serial(sim_op *o, const plan *p, sim_cert *out)
{
    char label[48];
    atls_bytes set = atls_bytes_empty();
    (void)snprintf(label, sizeof label, "serial %s", p->id);
    out->serial_len = sizeof out->serial;
    sim_derive(o, label, out->serial, sizeof out->serial);
    out->serial[0] = (uint8_t)((out->serial[0] & 0x7f) | 0x40);
    if (sim_get_bytes(o, &set, "cert.%s.serial", p->id)) {
        out->serial_len = set.len < sizeof out->serial ? set.len : sizeof out->serial;
        memcpy(out->serial, set.ptr, out->serial_len);
    }
}

static atls_bytes make_tbs(sim_op *o, const plan *p, const char *issuer, const sim_cert *cert)
{
    atls_buf b = sim_buf(o);
    size_t tbs = sim_der_open(&b, SIM_DER_SEQUENCE);
    size_t version = sim_der_open(&b, 0xa0);
    sim_der_uint(&b, SIM_DER_INTEGER, sim_get_uint(o, 2, "cert.%s.version", p->id));
    sim_der_close(&b, version);
    sim_der_unsigned(&b, atls_bytes_of(cert->serial, cert->serial_len));
    sim_sig_alg_put(&b);
    sim_name_put(&b, sim_get_text(o, sim_cert_cn(o, issuer), "cert.%s.issuer_cn", p->id), true);
    put_validity(o, p, &b);
    sim_name_put(&b, sim_cert_cn(o, p->id), true);
    sim_spki_put(&b, sim_cert_key(o, p->id));
    put_extensions(o, p, issuer, &b);
    sim_der_close(&b, tbs);
    return sim_done(&b);
}

static void make_cert(sim_op *o, const plan *p)
{
    sim_cert *cert = &o->s->certs[o->s->n_certs++];
    const char *issuer = issuer_of(o, p);
    char path[SIM_PATH_SIZE];
    cert->id = p->id;
    make_serial(o, p, cert);
    atls_bytes tbs = make_tbs(o, p, issuer, cert);
    const sim_key *key = sim_cert_key(o, sim_get_text(o, issuer, "cert.%s.signed_by", p->id));
    atls_buf signature = sim_buf(o);
    (void)snprintf(path, sizeof path, "cert.%s.sig", p->id);
    sim_sign_der(o, key, tbs, path, &signature);
    atls_buf b = sim_buf(o);
    size_t whole = sim_der_open(&b, SIM_DER_SEQUENCE);
    atls_buf_put(&b, tbs);
    sim_sig_alg_put(&b);
    sim_der_bits(&b, 0, sim_done(&signature));
    sim_der_close(&b, whole);
    (void)snprintf(path, sizeof path, "cert.%s", p->id);
    cert->der = sim_raw(o, path, sim_done(&b));
}

void sim_certs_make(sim_op *o)
{
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        make_cert(o, &plans[i]);
    }
}

const sim_cert *sim_cert_find(const sim *s, const char *id)
{
    for (size_t i = 0; i < s->n_certs; i++) {
        if (strcmp(s->certs[i].id, id) == 0) {
            return &s->certs[i];
        }
    }
    return NULL;
}
