/* SPDX-License-Identifier: Apache-2.0 */
/* nitro_crl.c: the lists of the root, the regional and the zonal authority. */
#include <stdio.h>
#include <string.h>

#include "sim/nitro_internal.h"

#define DAY ((atls_time)86400)

static const char *const issuers[SIM_NITRO_N_CRLS] = {"root", "regional", "zonal"};

/* put_revoked lists what crl.<id>.revoked names: certificates of the room, or serials in hex. */
static void put_revoked(sim_op *o, const char *id, atls_buf *b)
{
    const char *list = sim_get(o, "crl.%s.revoked", id);
    char word[64];
    if (list == NULL) {
        return;
    }
    size_t entries = sim_der_open(b, SIM_DER_SEQUENCE);
    while (sim_split(&list, word, sizeof word)) {
        const sim_cert *cert = sim_nitro_cert_find(sim_nitro_of(o), word);
        atls_bytes serial =
            cert != NULL ? atls_bytes_of(cert->serial, cert->serial_len) : sim_value_bytes(o, "crl.revoked", word);
        size_t entry = sim_der_open(b, SIM_DER_SEQUENCE);
        sim_der_unsigned(b, serial);
        sim_der_time(b, o->s->now - DAY);
        sim_der_close(b, entry);
    }
    sim_der_close(b, entries);
}

static void put_extensions(sim_op *o, const char *id, atls_buf *b)
{
    uint8_t aki[20];
    sim_nitro_key_id(o, id, aki);
    size_t tagged = sim_der_open(b, 0xa0);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_get_fixed(o, aki, sizeof aki, "crl.%s.aki", id);
    sim_ext_put(b, "2.5.29.35", false, sim_aki(o, aki));
    atls_buf value = sim_buf(o);
    sim_der_uint(&value, SIM_DER_INTEGER, sim_get_uint(o, 1, "crl.%s.number", id));
    sim_ext_put(b, "2.5.29.20", false, sim_done(&value));
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

static atls_bytes make_tbs(sim_op *o, const char *id)
{
    atls_buf b = sim_buf(o);
    size_t tbs = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_uint(&b, SIM_DER_INTEGER, 1);
    sim_nitro_sig_alg_put(&b);
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
    atls_buf signature = sim_buf(o);
    (void)snprintf(path, sizeof path, "crl.%s.sig", id);
    sim_nitro_sign_der(o, sim_nitro_cert_key(o, sim_get_text(o, id, "crl.%s.signed_by", id)), tbs, path, &signature);
    atls_buf b = sim_buf(o);
    size_t whole = sim_der_open(&b, SIM_DER_SEQUENCE);
    atls_buf_put(&b, tbs);
    sim_nitro_sig_alg_put(&b);
    sim_der_bits(&b, 0, sim_done(&signature));
    sim_der_close(&b, whole);
    (void)snprintf(path, sizeof path, "crl.%s", id);
    return sim_raw(o, path, sim_done(&b));
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
