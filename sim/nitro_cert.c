/* SPDX-License-Identifier: Apache-2.0 */
/* nitro_cert.c: certificates in the shape of AWS Nitro's: P-384 with SHA-384, a root for thirty years, regional authorities for
 * weeks, zonal ones for days, the instance's for a day, the document's key for three hours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/nitro_internal.h"

#define HOUR ((atls_time)3600)
#define DAY  (24 * HOUR)

typedef struct plan {
    const char *id;
    const char *cn;     /* NULL: the module's */
    const char *issuer; /* id */
    const char *key;    /* label */
    const char *path_len;
    const char *key_usage; /* first octet of the bits */
    bool is_ca;
    bool usage_critical;
    bool has_list; /* says where its issuer's list is published */
    atls_time before;
    atls_time after;
} plan;

static const plan plans[] = {
    {"root", "aws.nitro-enclaves", "root", "nitro root", "none", "86", true, true, false, 2400 * DAY, 8500 * DAY},
    {"regional", "d3c9df74fdeb2ba5.sim-east-1.aws.nitro-enclaves", "root", "nitro regional", "2", "86", true, true,
     true, 4 * DAY, 16 * DAY},
    {"zonal", "db5d852a812a3d1e.zonal.sim-east-1.aws.nitro-enclaves", "regional", "nitro zonal", "1", "86", true, true,
     true, DAY, 5 * DAY},
    {"instance", SIM_NITRO_INSTANCE ".sim-east-1.aws.nitro-enclaves", "zonal", "nitro instance", "0", "04", true, true,
     false, HOUR, 23 * HOUR},
    {"leaf", NULL, "instance", "nitro leaf", "none", "c0", false, false, false, 3, 3 * HOUR},
    /* a second PKI: the same names and, below the root, the same keys */
    {"root2", "aws.nitro-enclaves", "root2", "nitro root2", "none", "86", true, true, false, 2400 * DAY, 8500 * DAY},
    {"regional2", "d3c9df74fdeb2ba5.sim-east-1.aws.nitro-enclaves", "root2", "nitro regional", "2", "86", true, true,
     true, 4 * DAY, 16 * DAY},
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

const sim_key *sim_nitro_cert_key(sim_op *o, const char *id)
{
    const char *label = sim_get_text(o, plan_of(o, id)->key, "cert.%s.key", id);
    const char *curve = sim_get_text(o, "p384", "cert.%s.curve", id);
    return sim_key_of(o, label, strcmp(curve, "p256") == 0 ? SIM_P256 : strcmp(curve, "rsa") == 0 ? SIM_RSA : SIM_P384);
}

void sim_nitro_key_id(sim_op *o, const char *id, uint8_t out[20])
{
    const sim_key *key = sim_nitro_cert_key(o, id);
    sim_key_id(atls_bytes_of(key->point, key->point_len), out);
}

static void name_put(atls_buf *b, const char *cn)
{
    size_t name = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_name_part(b, "2.5.4.6", SIM_DER_PRINTABLE_STRING, "US");
    sim_name_part(b, "2.5.4.10", SIM_DER_UTF8_STRING, "Amazon");
    sim_name_part(b, "2.5.4.11", SIM_DER_UTF8_STRING, "AWS");
    sim_name_part(b, "2.5.4.3", SIM_DER_UTF8_STRING, cn);
    sim_der_close(b, name);
}

void sim_nitro_subject_put(sim_op *o, const char *id, atls_buf *b)
{
    char own[128];
    const plan *p = plan_of(o, id);
    (void)snprintf(own, sizeof own, "%s.sim-east-1.aws", sim_nitro_module(o));
    name_put(b, sim_get_text(o, p->cn == NULL ? own : p->cn, "cert.%s.cn", id));
}

/* ---- extensions ---- */

static void put_key_ids(sim_op *o, const plan *p, const char *issuer, atls_buf *b)
{
    uint8_t aki[20];
    uint8_t ski[20];
    const bool has_aki = p->is_ca && strcmp(p->issuer, p->id) != 0; /* roots and leaves have none */
    sim_nitro_key_id(o, issuer, aki);
    sim_nitro_key_id(o, p->id, ski);
    const bool set_aki = sim_get(o, "cert.%s.aki", p->id) != NULL;
    if ((has_aki || set_aki) && !sim_is_none(sim_get(o, "cert.%s.aki", p->id))) {
        sim_get_fixed(o, aki, sizeof aki, "cert.%s.aki", p->id);
        sim_ext_aki_put(o, b, aki);
    }
    if (p->is_ca && !sim_is_none(sim_get(o, "cert.%s.ski", p->id))) {
        sim_get_fixed(o, ski, sizeof ski, "cert.%s.ski", p->id);
        sim_ext_ski_put(o, b, ski);
    }
}

static void put_crl_point(sim_op *o, const plan *p, atls_buf *b)
{
    if (!sim_is_none(sim_get_text(o, p->has_list ? "true" : "none", "cert.%s.crl_point", p->id))) {
        sim_ext_crl_point_put(o, b, "http://crl.sim.test/nitro.crl");
    }
}

static void put_extensions(sim_op *o, const plan *p, const char *issuer, atls_buf *b)
{
    const bool ca_critical = strcmp(sim_get_text(o, "true", "cert.%s.ca_critical", p->id), "true") == 0;
    size_t tagged = sim_der_open(b, 0xa3);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_ext_constraints_put(o, b, p->id, p->is_ca ? "true" : "false", p->path_len, ca_critical);
    put_key_ids(o, p, issuer, b);
    sim_ext_usage_put(o, b, p->id, (uint8_t)strtoul(p->key_usage, NULL, 16), true, p->usage_critical);
    put_crl_point(o, p, b);
    sim_ext_unknown_put(o, b, "cert", p->id);
    if (sim_get(o, "cert.%s.eku", p->id) != NULL) { /* serverAuth, not critical */
        sim_ext_put(b, "2.5.29.37", false, atls_bytes_of("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", 12));
    }
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

/* ---- certificates ---- */

static void make_serial(sim_op *o, const plan *p, sim_cert *out)
{
    char label[48];
    (void)snprintf(label, sizeof label, "nitro serial %s", p->id);
    out->serial_len = 16;
    sim_derive(o, label, out->serial, out->serial_len);
    out->serial[0] = (uint8_t)(out->serial[0] | 0x80);
    sim_serial_set(o, out);
}

static void put_issuer(sim_op *o, const plan *p, const char *issuer, atls_buf *b)
{
    const char *cn = sim_get(o, "cert.%s.issuer_cn", p->id);
    if (cn != NULL) {
        name_put(b, cn);
    } else {
        sim_nitro_subject_put(o, issuer, b);
    }
}

static atls_bytes make_tbs(sim_op *o, const plan *p, const char *issuer, const sim_cert *cert)
{
    atls_buf b = sim_buf(o);
    size_t tbs = sim_tbs_open(&b, sim_get_uint(o, 2, "cert.%s.version", p->id));
    sim_der_unsigned(&b, atls_bytes_of(cert->serial, cert->serial_len));
    sim_ecdsa_put(&b, SIM_SHA384);
    put_issuer(o, p, issuer, &b);
    sim_validity_put(&b, sim_get_time(o, o->s->now - p->before, "cert.%s.not_before", p->id),
                     sim_get_time(o, o->s->now + p->after, "cert.%s.not_after", p->id));
    sim_nitro_subject_put(o, p->id, &b);
    sim_spki_put(&b, sim_nitro_cert_key(o, p->id));
    put_extensions(o, p, issuer, &b);
    sim_der_close(&b, tbs);
    return sim_done(&b);
}

static void make_cert(sim_op *o, const plan *p)
{
    sim_nitro *s = sim_nitro_of(o);
    sim_cert *cert = &s->certs[s->n_certs++];
    const char *issuer = sim_get_text(o, p->issuer, "cert.%s.issuer", p->id);
    char path[SIM_PATH_SIZE];
    cert->id = p->id;
    make_serial(o, p, cert);
    atls_bytes tbs = make_tbs(o, p, issuer, cert);
    const sim_key *key = sim_nitro_cert_key(o, sim_get_text(o, issuer, "cert.%s.signed_by", p->id));
    (void)snprintf(path, sizeof path, "cert.%s.sig", p->id);
    const atls_bytes der = sim_ecdsa_signed(o, SIM_SHA384, key, tbs, path);
    (void)snprintf(path, sizeof path, "cert.%s", p->id);
    cert->der = sim_raw(o, path, der);
}

void sim_nitro_certs_make(sim_op *o)
{
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        make_cert(o, &plans[i]);
    }
}

const sim_cert *sim_nitro_cert_find(const sim_nitro *s, const char *id)
{
    return sim_cert_among(s->certs, s->n_certs, id);
}
