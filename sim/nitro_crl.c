/* SPDX-License-Identifier: Apache-2.0 */
/* nitro_crl.c: the lists of the root, the regional and the zonal authority. */
#include <stdio.h>
#include <string.h>

#include "sim/nitro_internal.h"

#define DAY ((atls_time)86400)

static const char *const issuers[SIM_NITRO_N_CRLS] = {"root", "regional", "zonal"};

/* crl.<id>.revoked: certificates of the room, or serials in hex. */
static void put_revoked(sim_op *o, const char *id, atls_buf *b)
{
    const sim_nitro *s = sim_nitro_of(o);
    const char *list = sim_get(o, "crl.%s.revoked", id);
    if (list != NULL) {
        sim_revoked_put(o, b, list, s->certs, s->n_certs, o->s->now - DAY, atls_bytes_empty());
    }
}

static void put_point(sim_op *o, atls_buf *b, const char *url)
{
    atls_buf value = sim_buf(o);
    size_t scope = sim_der_open(&value, SIM_DER_SEQUENCE);
    size_t name = sim_der_open(&value, 0xa0);
    size_t full = sim_der_open(&value, 0xa0);
    sim_der_put(&value, 0x86, atls_bytes_str(url));
    sim_der_close(&value, full);
    sim_der_close(&value, name);
    sim_der_close(&value, scope);
    sim_ext_put(b, "2.5.29.28", true, sim_done(&value));
}

/* crl.<id>.scope: issuingDistributionPoint, critical; honestly absent. */
static void put_scope(sim_op *o, const char *id, atls_buf *b)
{
    const char *scope = sim_get(o, "crl.%s.scope", id);
    if (scope == NULL) {
        return;
    }
    if (strcmp(scope, "users") == 0) {
        sim_ext_put(b, "2.5.29.28", true, atls_bytes_of("\x30\x03\x81\x01\xff", 5));
    } else if (strcmp(scope, "cas") == 0) {
        sim_ext_put(b, "2.5.29.28", true, atls_bytes_of("\x30\x03\x82\x01\xff", 5));
    } else {
        put_point(o, b, scope);
    }
}

static void put_extensions(sim_op *o, const char *id, atls_buf *b)
{
    uint8_t aki[20];
    sim_nitro_key_id(o, id, aki);
    size_t tagged = sim_der_open(b, 0xa0);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_get_fixed(o, aki, sizeof aki, "crl.%s.aki", id);
    sim_ext_aki_put(o, b, aki);
    sim_ext_number_put(o, b, sim_get_uint(o, 1, "crl.%s.number", id));
    put_scope(o, id, b);
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

static atls_bytes make_tbs(sim_op *o, const char *id)
{
    atls_buf b = sim_buf(o);
    size_t tbs = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_uint(&b, SIM_DER_INTEGER, 1);
    sim_ecdsa_put(&b, SIM_SHA384);
    sim_nitro_subject_put(o, id, &b);
    sim_der_time(&b, sim_get_time(o, o->s->now - DAY, "crl.%s.this_update", id));
    sim_der_time(&b, sim_get_time(o, o->s->now + 6 * DAY, "crl.%s.next_update", id));
    put_revoked(o, id, &b);
    put_extensions(o, id, &b);
    sim_der_close(&b, tbs);
    return sim_done(&b);
}

static atls_bytes make_crl(sim_op *o, const char *id)
{
    char path[SIM_PATH_SIZE];
    atls_bytes tbs = make_tbs(o, id);
    const sim_key *key = sim_nitro_cert_key(o, sim_get_text(o, id, "crl.%s.signed_by", id));
    (void)snprintf(path, sizeof path, "crl.%s.sig", id);
    const atls_bytes der = sim_ecdsa_signed(o, SIM_SHA384, key, tbs, path);
    (void)snprintf(path, sizeof path, "crl.%s", id);
    return sim_raw(o, path, der);
}

/* Every list is made, so that settings on one that is not handed out are no mistake. */
void sim_nitro_pile_make(sim_op *o, atls_certificate_pile *out)
{
    const char *wanted = sim_get_text(o, "root,regional,zonal", "crls");
    atls_bytes made[SIM_NITRO_N_CRLS];
    char word[64];
    atls_bytes *items = atls_arena_array(o->a, ATLS_MAX_PILE_CRLS, sizeof *items, &o->err);
    *out = (atls_certificate_pile){0};
    for (size_t i = 0; i < SIM_NITRO_N_CRLS; i++) {
        made[i] = make_crl(o, issuers[i]);
    }
    while (items != NULL && out->n_crls < ATLS_MAX_PILE_CRLS && sim_split(&wanted, word, sizeof word)) {
        for (size_t i = 0; i < SIM_NITRO_N_CRLS; i++) {
            if (strcmp(word, issuers[i]) == 0) {
                items[out->n_crls++] = made[i];
            }
        }
    }
    out->crls = items;
}
