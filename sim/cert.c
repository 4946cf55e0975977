/* SPDX-License-Identifier: Apache-2.0 */
/* cert.c: the certificates of a room, in the shape of Intel's (DCAP sections 3 and 4.4).
 *
 * Besides the honest ones there is a second PKI with the same names under a root of its own, and a sibling: a PCK
 * certificate of another platform under the same CA. Every member can be set: cert.<id>.<member>. */
#include "sim/internal.h"

#include <stdio.h>
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
    const sim_key *key = sim_cert_key(o, id);
    sim_key_id(atls_bytes_of(key->point, key->point_len), out);
}

void sim_name_put(atls_buf *b, const char *cn, bool intel)
{
    size_t name = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_name_part(b, "2.5.4.3", SIM_DER_UTF8_STRING, cn);
    if (intel) {
        sim_name_part(b, "2.5.4.10", SIM_DER_UTF8_STRING, "Intel Corporation");
        sim_name_part(b, "2.5.4.7", SIM_DER_UTF8_STRING, "Santa Clara");
        sim_name_part(b, "2.5.4.8", SIM_DER_UTF8_STRING, "CA");
        sim_name_part(b, "2.5.4.6", SIM_DER_PRINTABLE_STRING, "US");
    }
    sim_der_close(b, name);
}

/* ---- extensions ---- */

static void put_key_ids(sim_op *o, const plan *p, const char *issuer, atls_buf *b)
{
    uint8_t aki[20];
    uint8_t ski[20];
    sim_cert_key_id(o, issuer, aki);
    sim_cert_key_id(o, p->id, ski);
    if (!sim_is_none(sim_get(o, "cert.%s.aki", p->id))) {
        sim_get_fixed(o, aki, sizeof aki, "cert.%s.aki", p->id);
        sim_ext_aki_put(o, b, aki);
    }
    if (!sim_is_none(sim_get(o, "cert.%s.ski", p->id))) {
        sim_get_fixed(o, ski, sizeof ski, "cert.%s.ski", p->id);
        sim_ext_ski_put(o, b, ski);
    }
}

static void put_extensions(sim_op *o, const plan *p, const char *issuer, atls_buf *b)
{
    static const char pck_crl_url[] = "https://pcs.sim.test/sgx/certification/v4/pckcrl?encoding=der";
    static const char root_crl_url[] = "https://certificates.sim.test/IntelSGXRootCA.der";
    size_t tagged = sim_der_open(b, 0xa3);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    put_key_ids(o, p, issuer, b);
    sim_ext_crl_point_put(o, b, p->is_pck ? pck_crl_url : root_crl_url);
    sim_ext_usage_put(o, b, p->id, p->is_ca ? 0x06 : 0xc0, true,
                      true); /* keyCertSign, cRLSign; digitalSignature, nonRepudiation */
    sim_ext_constraints_put(o, b, p->id, p->is_ca ? "true" : "false", p->path_len, true);
    if (p->is_pck) {
        sim_sgx_extension_put(o, p->id, b);
    }
    sim_ext_unknown_put(o, b, "cert", p->id);
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

/* ---- certificates ---- */

static void make_serial(sim_op *o, const plan *p, sim_cert *out)
{
    char label[48];
    (void)snprintf(label, sizeof label, "serial %s", p->id);
    out->serial_len = sizeof out->serial;
    sim_derive(o, label, out->serial, sizeof out->serial);
    out->serial[0] = (uint8_t)((out->serial[0] & 0x7f) | 0x40);
    sim_serial_set(o, out);
}

static atls_bytes make_tbs(sim_op *o, const plan *p, const char *issuer, const sim_cert *cert)
{
    atls_buf b = sim_buf(o);
    size_t tbs = sim_tbs_open(&b, sim_get_uint(o, 2, "cert.%s.version", p->id));
    sim_der_unsigned(&b, atls_bytes_of(cert->serial, cert->serial_len));
    sim_ecdsa_put(&b, SIM_SHA256);
    sim_name_put(&b, sim_get_text(o, sim_cert_cn(o, issuer), "cert.%s.issuer_cn", p->id), true);
    sim_validity_put(&b, sim_get_time(o, o->s->now - 400 * DAY, "cert.%s.not_before", p->id),
                     sim_get_time(o, o->s->now + (p->is_ca ? 4000 : 2000) * DAY, "cert.%s.not_after", p->id));
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
    (void)snprintf(path, sizeof path, "cert.%s.sig", p->id);
    const atls_bytes der = sim_ecdsa_signed(o, SIM_SHA256, key, tbs, path);
    (void)snprintf(path, sizeof path, "cert.%s", p->id);
    cert->der = sim_raw(o, path, der);
}

void sim_certs_make(sim_op *o)
{
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        make_cert(o, &plans[i]);
    }
}

const sim_cert *sim_cert_find(const sim *s, const char *id)
{
    return sim_cert_among(s->certs, s->n_certs, id);
}
