/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_pki.c: who certifies the key, in the shape of Google's: a root, an intermediate, and a certificate with an empty subject, a
 * critical subjectAltName, a purpose of TPMs and the instance extension. Every member can be set: cert.<id>.<member>. */
#include "sim/tpm_internal.h"

#include <stdio.h>
#include <string.h>

#define DAY ((atls_time)86400)

typedef struct plan {
    const char *id;
    const char *cn; /* "": empty subject */
    const char *issuer;
    bool is_ca;
} plan;

static const plan plans[] = {
    {"root", "Sim TPM Root", "root", true},
    {"intermediate", "Sim TPM Intermediate", "root", true},
    {"leaf", "", "intermediate", false},
};

static const sim_key *key_of(sim_op *o, const char *id)
{
    char label[32];
    (void)snprintf(label, sizeof label, "tpm %s", id);
    return sim_key_of(o, sim_get_text(o, label, "cert.%s.key", id), SIM_P256);
}

static const char *cn_of(const char *id)
{
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        if (strcmp(plans[i].id, id) == 0) {
            return plans[i].cn;
        }
    }
    return id; /* a stranger */
}

static void put_name(atls_buf *b, const char *cn)
{
    if (cn[0] != '\0') {
        sim_name_put(b, cn, false);
        return;
    }
    sim_der_close(b, sim_der_open(b, SIM_DER_SEQUENCE));
}

static void key_id(const sim_key *key, uint8_t out[20])
{
    sim_key_id(atls_bytes_of(key->point, key->point_len), out);
}

/* ---- extensions ---- */

static void put_key_ids(sim_op *o, const plan *p, atls_buf *b)
{
    uint8_t id[20];
    key_id(key_of(o, p->issuer), id);
    if (!sim_is_none(sim_get(o, "cert.%s.aki", p->id))) {
        sim_get_fixed(o, id, sizeof id, "cert.%s.aki", p->id);
        sim_ext_aki_put(o, b, id);
    }
    if (p->is_ca) {
        key_id(key_of(o, p->id), id);
        sim_ext_ski_put(o, b, id);
    }
}

/* cert.leaf.eku: an OID, or none; cert.leaf.eku_critical */
static void put_purpose(sim_op *o, atls_buf *b)
{
    const char *oid = sim_get_text(o, "2.23.133.8.3", "cert.leaf.eku");
    const bool critical = sim_get_uint(o, 0, "cert.leaf.eku_critical") != 0;
    if (sim_is_none(oid)) {
        return;
    }
    atls_buf value = sim_buf(o);
    size_t mark = sim_der_open(&value, SIM_DER_SEQUENCE);
    sim_der_oid(&value, oid);
    sim_der_close(&value, mark);
    sim_ext_put(b, "2.5.29.37", critical, sim_done(&value));
}

/* cert.leaf.san: directory (critical, as Google's), dns (critical), none */
static void put_alt_name(sim_op *o, atls_buf *b)
{
    const char *san = sim_get_text(o, "directory", "cert.leaf.san");
    if (sim_is_none(san)) {
        return;
    }
    atls_buf value = sim_buf(o);
    size_t names = sim_der_open(&value, SIM_DER_SEQUENCE);
    if (strcmp(san, "dns") == 0) {
        sim_der_put(&value, 0x82, atls_bytes_str("tpm.example"));
    } else {
        size_t name = sim_der_open(&value, 0xa4);
        sim_name_put(&value, "id:474F4F47", false);
        sim_der_close(&value, name);
    }
    sim_der_close(&value, names);
    sim_ext_put(b, "2.5.29.17", true, sim_done(&value));
}

static void put_text(sim_op *o, atls_buf *b, const char *def, const char *member)
{
    sim_der_put(b, SIM_DER_UTF8_STRING, atls_bytes_str(sim_get_text(o, def, "gce.%s", member)));
}

/* gce=none: no instance extension; gce.zone, gce.project, gce.name, gce.project_number, gce.instance_id, gce.production */
static void put_gce(sim_op *o, atls_buf *b)
{
    if (sim_is_none(sim_get(o, "gce"))) {
        return;
    }
    atls_buf value = sim_buf(o);
    size_t list = sim_der_open(&value, SIM_DER_SEQUENCE);
    put_text(o, &value, "us-central1-a", "zone");
    sim_der_uint(&value, SIM_DER_INTEGER, sim_get_uint(o, 117, "gce.project_number"));
    put_text(o, &value, "example.com:project", "project");
    sim_der_uint(&value, SIM_DER_INTEGER, sim_get_uint(o, 0x8000000000000001u, "gce.instance_id"));
    put_text(o, &value, "machine", "name");
    if (!sim_is_none(sim_get(o, "gce.production"))) {
        size_t tagged = sim_der_open(&value, 0xa0);
        size_t members = sim_der_open(&value, SIM_DER_SEQUENCE);
        size_t version = sim_der_open(&value, 0xa0);
        sim_der_uint(&value, SIM_DER_INTEGER, 0);
        sim_der_close(&value, version);
        size_t production = sim_der_open(&value, 0xa1);
        sim_der_bool(&value, sim_get_uint(o, 1, "gce.production") != 0);
        sim_der_close(&value, production);
        sim_der_close(&value, members);
        sim_der_close(&value, tagged);
    }
    sim_der_close(&value, list);
    sim_ext_put(b, "1.3.6.1.4.1.11129.2.1.21", false, sim_done(&value));
}

static void put_extensions(sim_op *o, const plan *p, atls_buf *b)
{
    size_t tagged = sim_der_open(b, 0xa3);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_ext_constraints_put(o, b, p->id, p->is_ca ? "true" : "false", NULL, true);
    put_key_ids(o, p, b);
    sim_ext_usage_put(o, b, p->id, p->is_ca ? 0x06 : 0x80, true, true);
    if (!p->is_ca) {
        put_purpose(o, b);
        put_alt_name(o, b);
        put_gce(o, b);
    }
    sim_ext_unknown_put(o, b, "cert", p->id);
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

/* ---- certificates ---- */

static atls_bytes make_tbs(sim_op *o, const sim_tpm *t, const plan *p)
{
    atls_buf b = sim_buf(o);
    size_t tbs = sim_tbs_open(&b, 2);
    sim_der_uint(&b, SIM_DER_INTEGER, sim_get_uint(o, p->is_ca ? 2 : 3, "cert.%s.serial", p->id));
    sim_ecdsa_put(&b, SIM_SHA256);
    put_name(&b, sim_get_text(o, cn_of(p->issuer), "cert.%s.issuer_cn", p->id));
    sim_validity_put(&b, sim_get_time(o, o->s->now - 400 * DAY, "cert.%s.not_before", p->id),
                     sim_get_time(o, o->s->now + (p->is_ca ? 4000 : 2000) * DAY, "cert.%s.not_after", p->id));
    put_name(&b, p->cn);
    if (p->is_ca || sim_get(o, "cert.leaf.key") != NULL) {
        sim_spki_put(&b, key_of(o, p->id));
    } else {
        atls_buf_put(&b, t->spki);
    }
    put_extensions(o, p, &b);
    sim_der_close(&b, tbs);
    return sim_done(&b);
}

static atls_bytes make_cert(sim_op *o, const sim_tpm *t, const plan *p)
{
    char path[SIM_PATH_SIZE];
    (void)snprintf(path, sizeof path, "cert.%s.sig", p->id);
    const sim_key *key = key_of(o, sim_get_text(o, p->issuer, "cert.%s.signed_by", p->id));
    const atls_bytes der = sim_ecdsa_signed(o, SIM_SHA256, key, make_tbs(o, t, p), path);
    (void)snprintf(path, sizeof path, "cert.%s", p->id);
    return sim_raw(o, path, der);
}

/* ---- lists ---- */

/* crl.<id>.revoked: a serial number; .this_update, .next_update, .signed_by */
static atls_bytes make_crl(sim_op *o, const char *id)
{
    char path[SIM_PATH_SIZE];
    uint8_t aki[20];
    const uint64_t revoked = sim_get_uint(o, 0, "crl.%s.revoked", id);
    const atls_time now = o->s->now;
    key_id(key_of(o, id), aki);
    atls_buf b = sim_buf(o);
    size_t tbs = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_uint(&b, SIM_DER_INTEGER, 1);
    sim_ecdsa_put(&b, SIM_SHA256);
    put_name(&b, cn_of(id));
    sim_der_time(&b, sim_get_time(o, now - 10 * DAY, "crl.%s.this_update", id));
    sim_der_time(&b, sim_get_time(o, now + 10 * DAY, "crl.%s.next_update", id));
    if (revoked != 0) {
        size_t list = sim_der_open(&b, SIM_DER_SEQUENCE);
        size_t entry = sim_der_open(&b, SIM_DER_SEQUENCE);
        sim_der_uint(&b, SIM_DER_INTEGER, revoked);
        sim_der_time(&b, now - 20 * DAY);
        sim_der_close(&b, entry);
        sim_der_close(&b, list);
    }
    size_t tagged = sim_der_open(&b, 0xa0);
    size_t list = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_ext_aki_put(o, &b, aki);
    sim_ext_number_put(o, &b, 7);
    sim_der_close(&b, list);
    sim_der_close(&b, tagged);
    sim_der_close(&b, tbs);
    (void)snprintf(path, sizeof path, "crl.%s.sig", id);
    const sim_key *key = key_of(o, sim_get_text(o, id, "crl.%s.signed_by", id));
    return sim_ecdsa_signed(o, SIM_SHA256, key, sim_done(&b), path);
}

/* cert=none: the key has no certificate. certs=along: the intermediate comes with the document. crls=none: no lists.
 * pile.intermediate=none: it is not among the endorsements. */
void sim_tpm_pki_make(sim_op *o, sim_tpm *t)
{
    atls_certificate_pile *pile = &t->endorsements.pile;
    t->root = make_cert(o, t, &plans[0]);
    t->intermediate = make_cert(o, t, &plans[1]);
    t->leaf = make_cert(o, t, &plans[2]);
    t->has_cert = !sim_is_none(sim_get(o, "cert"));
    t->certs_along = strcmp(sim_get_text(o, "pile", "certs"), "along") == 0;
    t->pile_crls[0] = make_crl(o, "root");
    t->pile_crls[1] = make_crl(o, "intermediate");
    t->pile_certs[pile->n_certificates++] = t->root;
    if (!t->certs_along && !sim_is_none(sim_get(o, "pile.intermediate"))) {
        t->pile_certs[pile->n_certificates++] = t->intermediate;
    }
    pile->certificates = t->pile_certs;
    pile->crls = t->pile_crls;
    pile->n_crls = sim_is_none(sim_get(o, "crls")) ? 0 : 2;
}
