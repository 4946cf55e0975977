/* SPDX-License-Identifier: Apache-2.0 */
/* sim.c: the room: made once, from options; each public function is one operation on it. */
#include "sim/internal.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_SIZE ((size_t)16 * 1024 * 1024)

/* ---- operations ---- */

void sim_op_begin(sim_op *o, sim *s, atls_arena *a)
{
    *o = (sim_op){.s = s, .a = a};
    atls_error_clear(&o->err);
}

bool sim_ok(const sim_op *o)
{
    return o->err.code == ATLS_OK;
}

bool sim_op_end(sim_op *o, atls_error *err)
{
    if (sim_ok(o)) {
        return true;
    }
    if (err->code == ATLS_OK) {
        *err = o->err;
    }
    return false;
}

void sim_bad(sim_op *o, const char *path, const char *why)
{
    (void)atls_fail(&o->err, ATLS_E_CONFIGURATION, path, "%s", why);
}

atls_buf sim_buf(sim_op *o)
{
    atls_buf b;
    atls_buf_init(&b, o->a, &o->err);
    return b;
}

atls_bytes sim_done(atls_buf *b)
{
    atls_bytes out = atls_bytes_empty();
    return atls_buf_done(b, &out) ? out : atls_bytes_empty();
}

void sim_put_u8(atls_buf *b, unsigned v)
{
    uint8_t byte = (uint8_t)v;
    atls_buf_put(b, atls_bytes_of(&byte, 1));
}

void sim_put_le(atls_buf *b, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sim_put_u8(b, (uint8_t)(v >> (8 * i)));
    }
}

/* ---- rooms of every kind ---- */

static bool furnish(sim *s, const sim_making *m, atls_error *err)
{
    sim_op o;
    atls_arena scratch;
    sim_op_begin(&o, s, &s->arena);
    if (sim_settings_read(&o, m->settings)) {
        m->make(&o);
    }
    if (!sim_ok(&o) || !atls_arena_new(&scratch, m->size, &o.err)) {
        return sim_op_end(&o, err);
    }
    o.a = &scratch;
    m->rehearse(&o);
    sim_settings_check(&o);
    atls_arena_free(&scratch);
    return sim_op_end(&o, err);
}

bool sim_room_open(sim *s, const sim_making *m, atls_error *err)
{
    const char *seed = m->seed == NULL ? "atls" : m->seed;
    s->memo = m->memo;
    s->now = m->now == ATLS_TIME_UNSET ? SIM_NOW : m->now;
    if (!atls_arena_new(&s->arena, m->size, err) || !atls_arena_copy(&s->arena, atls_bytes_str(seed), &s->seed, err)) {
        return false;
    }
    s->bn = BN_CTX_new();
    if (s->bn == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "sim", NULL);
    }
    return furnish(s, m, err);
}

void sim_room_close(sim *s)
{
    EC_GROUP_free(s->groups[0]);
    EC_GROUP_free(s->groups[1]);
    BN_CTX_free(s->bn);
    atls_arena_free(&s->arena);
}

/* ---- the room ---- */

static void make(sim_op *o)
{
    sim_platform_make(o);
    sim_certs_make(o);
    if (o->s->tdx) {
        sim_log_make(o);
    }
    sim_collateral_make(o);
}

/* What depends on events to come (a certificate that is not measured yet) may fail now and is tried again when it is
 * wanted. */
static void rehearse(sim_op *o)
{
    static const uint8_t no_data[64] = {0};
    sim_tls tls;
    (void)sim_quote_make(o, no_data);
    sim_op later;
    sim_op_begin(&later, o->s, o->a);
    sim_tls_make(&later, "localhost", &tls);
    (void)sim_policy_make(&later, o->s->tdx ? "dstack_tdx" : "sgx");
    if (o->s->tdx) {
        (void)sim_response_make(&later, no_data);
        (void)sim_log_ccel(&later);
    }
}

bool sim_new(const sim_options *options, sim **out, atls_error *err)
{
    const sim_making making = {ROOM_SIZE,     options->seed, options->now, options->settings,
                               options->memo, make,          rehearse};
    *out = NULL;
    sim *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "sim", NULL);
    }
    s->kind = options->kind == 0 ? SIM_TDX_V4 : options->kind;
    s->tdx = s->kind != SIM_SGX_V3;
    if (!sim_room_open(s, &making, err)) {
        sim_free(s);
        return false;
    }
    *out = s;
    return true;
}

void sim_free(sim *s)
{
    if (s == NULL) {
        return;
    }
    sim_room_close(s);
    free(s);
}

atls_bytes sim_root(const sim *s)
{
    return sim_certificate(s, "root");
}

atls_bytes sim_certificate(const sim *s, const char *id)
{
    const sim_cert *cert = sim_cert_find(s, id);
    return cert == NULL ? atls_bytes_empty() : cert->der;
}

atls_time sim_now(const sim *s)
{
    return s->now;
}

/* ---- products ---- */

/* needs_td refuses what only a TD has. */
static bool needs_td(const sim *s, atls_error *err)
{
    return s->tdx || atls_fail(err, ATLS_E_USAGE, "sim.kind", "an enclave has no event log");
}

/* give copies a product that may live in the room into the caller's arena. */
static bool give(sim_op *o, atls_bytes in, atls_bytes *out)
{
    return atls_arena_copy(o->a, in, out, &o->err);
}

bool sim_quote(sim *s, const uint8_t report_data[64], atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, s, a);
    *out = sim_quote_make(&o, report_data);
    return sim_op_end(&o, err);
}

bool sim_collateral(sim *s, atls_arena *a, atls_endorsements *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, s, a);
    const atls_dcap_collateral *in = &s->collateral;
    atls_dcap_collateral *c = &out->dcap;
    *out = (atls_endorsements){.platform = s->tdx ? ATLS_PLATFORM_TDX : ATLS_PLATFORM_SGX};
    bool ok = give(&o, in->pck_crl_issuer_chain, &c->pck_crl_issuer_chain) && give(&o, in->root_ca_crl, &c->root_ca_crl)
              && give(&o, in->pck_crl, &c->pck_crl) && give(&o, in->tcb_info_issuer_chain, &c->tcb_info_issuer_chain)
              && give(&o, in->tcb_info, &c->tcb_info) && give(&o, in->tcb_info_signature, &c->tcb_info_signature)
              && give(&o, in->qe_identity_issuer_chain, &c->qe_identity_issuer_chain)
              && give(&o, in->qe_identity, &c->qe_identity)
              && give(&o, in->qe_identity_signature, &c->qe_identity_signature)
              && give(&o, in->pck_certificate_chain, &c->pck_certificate_chain);
    return sim_op_end(&o, err) && ok;
}

bool sim_event_log(sim *s, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, s, a);
    if (!needs_td(s, err)) {
        return false;
    }
    *out = sim_log_json(&o);
    return sim_op_end(&o, err);
}

bool sim_ccel(sim *s, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, s, a);
    if (!needs_td(s, err)) {
        return false;
    }
    *out = sim_log_ccel(&o);
    return sim_op_end(&o, err);
}

bool sim_emit(sim *s, const char *name, atls_bytes payload, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, s, &s->arena);
    if (!needs_td(s, err)) {
        return false;
    }
    sim_log_add(&o, 3, SIM_RUNTIME_EVENT, name, payload);
    return sim_op_end(&o, err);
}

bool sim_measure_certificate(sim *s, atls_bytes leaf_der, atls_error *err)
{
    uint8_t digest[32];
    char hex[65];
    sim_sha256(leaf_der, digest);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), hex);
    return sim_emit(s, "New TLS Certificate", atls_bytes_str(hex), err);
}

bool sim_response(sim *s, const uint8_t report_data[64], atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, s, a);
    if (!needs_td(s, err)) {
        return false;
    }
    *out = sim_response_make(&o, report_data);
    return sim_op_end(&o, err);
}

bool sim_policy(sim *s, const char *kind, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, s, a);
    *out = sim_policy_make(&o, kind);
    return sim_op_end(&o, err);
}

bool sim_tls_identity(sim *s, const char *server_name, atls_arena *a, sim_tls *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, s, a);
    sim_tls_make(&o, server_name, out);
    return sim_op_end(&o, err);
}

bool sim_attest(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, ctx, a);
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    out->quote = sim_quote_make(&o, report_data);
    if (o.s->tdx) {
        out->event_log = sim_log_json(&o);
        out->vm_config = sim_vm_config(&o);
    }
    return sim_op_end(&o, err);
}

/* The room has endorsements for its own platform only, and gives them whatever is asked for, as a bundle would. */
bool sim_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                 atls_error *err)
{
    (void)request;
    return sim_collateral(ctx, a, out, err);
}
