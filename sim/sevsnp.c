/* SPDX-License-Identifier: Apache-2.0 */
/* sevsnp.c: an SEV-SNP room: made once, from options; each public function is one operation on it. */
#include <stdlib.h>
#include <string.h>

#include "sim/sevsnp_internal.h"

#define ROOM_SIZE ((size_t)4 * 1024 * 1024)

sim_snp *sim_snp_of(sim_op *o)
{
    return (sim_snp *)(void *)o->s; /* base comes first */
}

static atls_bytes make_policy(sim_op *o)
{
    uint8_t digest[32];
    uint8_t measurement[48];
    atls_buf b = sim_buf(o);
    sim_sha256(sim_snp_certificate(sim_snp_of(o), "ark"), digest);
    sim_snp_measurement(o, measurement);
    atls_buf_str(&b, "{\"type\":\"sev_snp\",\"trusted_roots\":[");
    sim_doc_hex(&b, atls_bytes_of(digest, sizeof digest));
    atls_buf_str(&b, "],\"measurement\":");
    sim_doc_hex(&b, atls_bytes_of(measurement, sizeof measurement));
    atls_buf_str(&b, "}");
    return sim_raw(o, "policy", sim_doc(o, "policy", sim_done(&b)));
}

/* pile lists the certificates; "none": none of them. pile.crl=none leaves the list out. */
static void make_pile(sim_op *o, atls_certificate_pile *out)
{
    enum { MAX_CERTS = 8 };
    const char *list = sim_get_text(o, sim_snp_of(o)->is_vlek ? "vlek,asvk,ark" : "vcek,ask,ark", "pile");
    atls_bytes *certs = atls_arena_array(o->a, MAX_CERTS + 1, sizeof *certs, &o->err);
    char word[16];
    *out = (atls_certificate_pile){.certificates = certs};
    if (certs == NULL) {
        return;
    }
    while (out->n_certificates < MAX_CERTS && sim_split(&list, word, sizeof word)) {
        const sim_cert *cert = sim_snp_cert_find(sim_snp_of(o), word);
        if (cert != NULL) {
            certs[out->n_certificates++] = cert->der;
        } else if (strcmp(word, "none") != 0) {
            sim_bad(o, "pile", "a pile lists certificates of the room by id");
        }
    }
    certs[MAX_CERTS] = sim_snp_crl_make(o);
    out->crls = certs + MAX_CERTS;
    out->n_crls = strcmp(sim_get_text(o, "", "pile.crl"), "none") == 0 ? 0 : 1;
}

/* ---- the room ---- */

static void rehearse(sim_op *o)
{
    static const uint8_t no_data[64] = {0};
    atls_certificate_pile pile;
    make_pile(o, &pile);
    (void)sim_snp_report_make(o, no_data);
    (void)sim_snp_table_make(o);
    (void)make_policy(o);
}

bool sim_snp_new(const sim_snp_options *options, sim_snp **out, atls_error *err)
{
    const sim_making making = {ROOM_SIZE,     options->seed,      options->now, options->settings,
                               options->memo, sim_snp_certs_make, rehearse};
    *out = NULL;
    sim_snp *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "sim", NULL);
    }
    s->product = options->product == ATLS_SNP_UNKNOWN ? ATLS_SNP_GENOA : options->product;
    s->is_vlek = options->is_vlek;
    s->version = options->version == 0 ? 3 : options->version;
    if (!sim_room_open(&s->base, &making, err)) {
        sim_snp_free(s);
        return false;
    }
    *out = s;
    return true;
}

void sim_snp_free(sim_snp *s)
{
    if (s == NULL) {
        return;
    }
    sim_room_close(&s->base);
    free(s);
}

atls_bytes sim_snp_certificate(const sim_snp *s, const char *id)
{
    const sim_cert *cert = sim_snp_cert_find(s, id);
    return cert == NULL ? atls_bytes_empty() : cert->der;
}

/* ---- products ---- */

bool sim_snp_report(sim_snp *s, const uint8_t report_data[64], atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = sim_snp_report_make(&o, report_data);
    return sim_op_end(&o, err);
}

bool sim_snp_extended(sim_snp *s, const uint8_t report_data[64], atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    atls_buf b = sim_buf(&o);
    atls_buf_put(&b, sim_snp_report_make(&o, report_data));
    atls_buf_put(&b, sim_snp_table_make(&o));
    *out = sim_done(&b);
    return sim_op_end(&o, err);
}

bool sim_snp_pile(sim_snp *s, atls_arena *a, atls_certificate_pile *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    make_pile(&o, out);
    return sim_op_end(&o, err);
}

bool sim_snp_policy(sim_snp *s, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = make_policy(&o);
    return sim_op_end(&o, err);
}

bool sim_snp_attest(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    return sim_snp_extended(ctx, report_data, a, &out->quote, err);
}

bool sim_snp_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                     atls_error *err)
{
    (void)request;
    *out = (atls_endorsements){.platform = ATLS_PLATFORM_SEV_SNP};
    return sim_snp_pile(ctx, a, &out->pile, err);
}
