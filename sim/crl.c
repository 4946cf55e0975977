/* SPDX-License-Identifier: Apache-2.0 */
/* crl.c: revocation lists: of the root, of the CA that the platform is under ("pck"), of the other PCK CA ("other"). */
#include "sim/internal.h"

#include <stdio.h>
#include <string.h>

#define DAY ((atls_time)86400)

typedef struct plan {
    const char *id;
    const char *issuer; /* certificate id */
    const char *collateral;
    atls_time before;
    atls_time after;
} plan;

/* crl.<id>.revoked: certificates of the room, or serials in hex, "." for the empty list. */
static void put_revoked(sim_op *o, const plan *p, atls_buf *b)
{
    const char *list = sim_get(o, "crl.%s.revoked", p->id);
    if (list == NULL) {
        return;
    }
    const bool critical = sim_get(o, "crl.%s.critical_entry_ext", p->id) != NULL;
    atls_buf reason = sim_buf(o);
    sim_ext_put(&reason, critical ? "2.5.29.999" : "2.5.29.21", critical, atls_bytes_of("\x0a\x01\x01", 3));
    sim_revoked_put(o, b, list, o->s->certs, o->s->n_certs, o->s->now - 20 * DAY, sim_done(&reason));
}

static void put_extensions(sim_op *o, const plan *p, atls_buf *b)
{
    uint8_t aki[20];
    sim_cert_key_id(o, p->issuer, aki);
    size_t tagged = sim_der_open(b, 0xa0);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    const char *number = sim_get_text(o, "1", "crl.%s.number", p->id);
    if (strcmp(number, "none") != 0) {
        sim_ext_number_put(o, b, sim_get_uint(o, 1, "crl.%s.number", p->id));
    }
    if (strcmp(sim_get_text(o, "", "crl.%s.aki", p->id), "none") != 0) {
        sim_get_fixed(o, aki, sizeof aki, "crl.%s.aki", p->id);
        sim_ext_aki_put(o, b, aki);
    }
    sim_ext_unknown_put(o, b, "crl", p->id);
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

static atls_bytes make_tbs(sim_op *o, const plan *p)
{
    atls_buf b = sim_buf(o);
    size_t tbs = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_uint(&b, SIM_DER_INTEGER, sim_get_uint(o, 1, "crl.%s.version", p->id));
    sim_ecdsa_put(&b, SIM_SHA256);
    sim_name_put(&b, sim_get_text(o, sim_cert_cn(o, p->issuer), "crl.%s.issuer_cn", p->id), true);
    sim_der_time(&b, sim_get_time(o, o->s->now - p->before, "crl.%s.this_update", p->id));
    if (strcmp(sim_get_text(o, "", "crl.%s.next_update", p->id), "none") != 0) {
        sim_der_time(&b, sim_get_time(o, o->s->now + p->after, "crl.%s.next_update", p->id));
    }
    put_revoked(o, p, &b);
    put_extensions(o, p, &b);
    sim_der_close(&b, tbs);
    return sim_done(&b);
}

static atls_bytes make_crl(sim_op *o, const plan *p)
{
    char path[SIM_PATH_SIZE];
    atls_bytes tbs = make_tbs(o, p);
    const sim_key *key = sim_cert_key(o, sim_get_text(o, p->issuer, "crl.%s.signed_by", p->id));
    (void)snprintf(path, sizeof path, "crl.%s.sig", p->id);
    return sim_ecdsa_signed(o, SIM_SHA256, key, tbs, path);
}

/* select_crl hands out the list that collateral.<member> names: by default the member's own. */
static atls_bytes select_crl(sim_op *o, const plan *all, const char *member, const char *def)
{
    const char *id = sim_get_text(o, def, "collateral.%s", member);
    for (size_t i = 0; i < SIM_N_CRLS; i++) {
        if (strcmp(all[i].id, id) == 0) {
            return sim_raw(o, member, o->s->crls[i]);
        }
    }
    if (strcmp(id, "none") != 0) {
        sim_bad(o, member, "a list is root, pck, other or none");
    }
    return atls_bytes_empty();
}

void sim_crls_make(sim_op *o)
{
    bool platform = strcmp(o->s->platform.ca, "platform_ca") == 0;
    const plan plans[SIM_N_CRLS] = {
        {"root", "root", "root_ca_crl", 100 * DAY, 265 * DAY},
        {"pck", platform ? "platform_ca" : "processor_ca", "pck_crl", 10 * DAY, 20 * DAY},
        {"other", platform ? "processor_ca" : "platform_ca", "", 10 * DAY, 20 * DAY},
    };
    for (size_t i = 0; i < SIM_N_CRLS; i++) {
        o->s->crls[i] = make_crl(o, &plans[i]);
    }
    o->s->collateral.root_ca_crl = select_crl(o, plans, "root_ca_crl", "root");
    o->s->collateral.pck_crl = select_crl(o, plans, "pck_crl", "pck");
}
