/* SPDX-License-Identifier: Apache-2.0 */
/* nitro.c: a Nitro room: made once, from options; each public function is one operation on it. */
#include <stdlib.h>
#include <string.h>

#include "sim/nitro_internal.h"

#define ROOM_SIZE ((size_t)4 * 1024 * 1024)

sim_nitro *sim_nitro_of(sim_op *o)
{
    return (sim_nitro *)(void *)o->s; /* base comes first */
}

const char *sim_nitro_module(sim_op *o)
{
    return sim_get_text(o, sim_nitro_of(o)->is_nitrotpm ? SIM_NITRO_TPM : SIM_NITRO_ENCLAVE, "module_id");
}

static atls_bytes make_policy(sim_op *o)
{
    uint8_t digest[32];
    uint8_t pcr[48];
    atls_buf b = sim_buf(o);
    const bool tpm = sim_nitro_of(o)->is_nitrotpm;
    sim_sha256(sim_nitro_certificate(sim_nitro_of(o), "root"), digest);
    atls_buf_format(&b, "{\"type\":\"nitro\",\"document\":\"%s\",\"trusted_roots\":[", tpm ? "nitrotpm" : "enclave");
    sim_doc_hex(&b, atls_bytes_of(digest, sizeof digest));
    atls_buf_str(&b, "],\"pcrs\":{");
    for (unsigned i = 0; i < (tpm ? 1u : 3u); i++) {
        sim_nitro_pcr(o, tpm ? 4 : i, pcr);
        atls_buf_format(&b, "%s\"%u\":", i == 0 ? "" : ",", tpm ? 4 : i);
        sim_doc_hex(&b, atls_bytes_of(pcr, sizeof pcr));
    }
    atls_buf_str(&b, "}}");
    return sim_raw(o, "policy", sim_doc(o, "policy", sim_done(&b)));
}

/* ---- the room ---- */

static void rehearse(sim_op *o)
{
    atls_certificate_pile pile;
    sim_nitro_pile_make(o, &pile);
    (void)sim_nitro_document_make(o, &(sim_nitro_request){0});
    (void)make_policy(o);
}

bool sim_nitro_new(const sim_nitro_options *options, sim_nitro **out, atls_error *err)
{
    const sim_making making = {ROOM_SIZE,     options->seed,        options->now, options->settings,
                               options->memo, sim_nitro_certs_make, rehearse};
    *out = NULL;
    sim_nitro *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "sim", NULL);
    }
    s->is_nitrotpm = options->is_nitrotpm;
    if (!sim_room_open(&s->base, &making, err)) {
        sim_nitro_free(s);
        return false;
    }
    *out = s;
    return true;
}

void sim_nitro_free(sim_nitro *s)
{
    if (s == NULL) {
        return;
    }
    sim_room_close(&s->base);
    free(s);
}

atls_bytes sim_nitro_certificate(const sim_nitro *s, const char *id)
{
    const sim_cert *cert = sim_nitro_cert_find(s, id);
    return cert == NULL ? atls_bytes_empty() : cert->der;
}

atls_time sim_nitro_now(const sim_nitro *s)
{
    return s->base.now;
}

/* ---- products ---- */

bool sim_nitro_document(sim_nitro *s, const sim_nitro_request *request, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = sim_nitro_document_make(&o, request);
    return sim_op_end(&o, err);
}

bool sim_nitro_pile(sim_nitro *s, atls_arena *a, atls_certificate_pile *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    sim_nitro_pile_make(&o, out);
    return sim_op_end(&o, err);
}

bool sim_nitro_policy(sim_nitro *s, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = make_policy(&o);
    return sim_op_end(&o, err);
}

bool sim_nitro_attest(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    const atls_bytes data = atls_bytes_of(report_data, 64);
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    return sim_nitro_document(ctx, &(sim_nitro_request){.user_data = &data}, a, &out->quote, err);
}

bool sim_nitro_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                       atls_error *err)
{
    (void)request;
    *out = (atls_endorsements){0};
    return sim_nitro_pile(ctx, a, &out->pile, err);
}
