/* SPDX-License-Identifier: Apache-2.0 */
/* authenticate.c: who signed the report: steps 1 to 7 of the specification's section 7, in its order.
 *
 * Until step 5 nothing of the report is more than somebody's word, and refusals say so. Reserved bytes come after it, so
 * that whoever tampered with one is told about the signature, and not about a field that AMD never wrote. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proof.h"

#define SIGNATURE_ALGO_ECDSA_P384 1u
#define KEY_INFO_KNOWN            0x1fu
#define HALF_LEN                  48u /* of a P-384 signature */
#define WIRE_HALF_LEN             72u /* as AMD stores it, little-endian */

static bool fail(sevsnp_proof *p, atls_code code, const char *field, const char *expected, const char *actual,
                 const char *message)
{
    return atls_fail_values(p->err, code, field, expected, actual, "%s", message);
}

static const char *leaf_name(const sevsnp_proof *p)
{
    return p->leaf_is_vlek ? "vlek" : "vcek";
}

/* ---- step 1: what can be verified at all ---- */

static bool check_format(sevsnp_proof *p)
{
    const atls_snp_report *b = &p->report->body;
    char actual[16];
    if (b->signature_algo != SIGNATURE_ALGO_ECDSA_P384) {
        (void)snprintf(actual, sizeof actual, "%u", (unsigned)b->signature_algo);
        return atls_fail_unsupported(p->err, ATLS_E_EVIDENCE_FORMAT, "report.signature_algo",
                                     "1 (ECDSA P-384 with SHA-384)", actual,
                                     "the report, not verified yet, names another signature algorithm");
    }
    if (b->signing_key == SEVSNP_KEY_NONE) {
        return fail(p, ATLS_E_EVIDENCE_SIGNATURE, "report.key_info.signing_key", "VCEK or VLEK", "none",
                    "the report says that nobody signed it");
    }
    if (b->mask_chip_key && b->signing_key == SEVSNP_KEY_VCEK) {
        return fail(p, ATLS_E_EVIDENCE_SIGNATURE, "report.key_info.mask_chip_key", "0", "1",
                    "the report says that the chip's key was not used: nobody signed it");
    }
    if (b->signing_key != SEVSNP_KEY_VCEK && b->signing_key != SEVSNP_KEY_VLEK) {
        (void)snprintf(actual, sizeof actual, "%u", (unsigned)b->signing_key);
        return atls_fail_unsupported(p->err, ATLS_E_EVIDENCE_FORMAT, "report.key_info.signing_key",
                                     "0 (VCEK) or 1 (VLEK)", actual,
                                     "the report, not verified yet, names another kind of key");
    }
    return true;
}

/* ---- step 2 ---- */

static bool check_product(sevsnp_proof *p)
{
    const atls_snp_report *b = &p->report->body;
    char actual[48];
    if (!b->has_cpuid) {
        return true; /* the issuer says it, once it is verified */
    }
    p->product = sevsnp_product_of_cpuid(b->cpuid_family, b->cpuid_model);
    if (p->product != ATLS_SNP_UNKNOWN) {
        return true;
    }
    (void)snprintf(actual, sizeof actual, "family %02x, model %02x", b->cpuid_family, b->cpuid_model);
    return atls_fail_unsupported(p->err, ATLS_E_EVIDENCE_FORMAT, "report.cpuid", "Milan, Genoa or Turin", actual,
                                 "the report, not verified yet, is of a processor without a known root");
}

/* ---- step 4: the leaf ---- */

static bool check_kind(sevsnp_proof *p)
{
    const bool wants_vlek = p->report->body.signing_key == SEVSNP_KEY_VLEK;
    return p->leaf_is_vlek == wants_vlek
           || fail(p, ATLS_E_CERTIFICATE_MISMATCH, "report.key_info.signing_key", p->leaf_is_vlek ? "VLEK" : "VCEK",
                   wants_vlek ? "VLEK" : "VCEK",
                   "the certificate is of the other kind of key than the one that the report names");
}

static bool check_same_product(sevsnp_proof *p)
{
    if (p->product == ATLS_SNP_UNKNOWN) {
        p->product = p->issuer_product;
    }
    return p->product == p->issuer_product
           || fail(p, ATLS_E_CERTIFICATE_MISMATCH, "report.cpuid", atls_snp_product_name(p->issuer_product),
                   atls_snp_product_name(p->product), "the certificate is of another product than the report");
}

static bool check_leaf(sevsnp_proof *p)
{
    char field[32];
    (void)snprintf(field, sizeof field, "%s.key", leaf_name(p));
    if (!check_kind(p) || !check_same_product(p)) {
        return false;
    }
    if (p->leaf_cert->key.kind != ATLS_KEY_P384) {
        return fail(p, ATLS_E_CERTIFICATE_CHAIN, field, "P-384", "another kind of key", "VCEK and VLEK are P-384 keys");
    }
    return sevsnp_leaf_decode(p->leaf_cert, p->product, &p->leaf, p->err)
           && atls_key_open(p->auth->crypto, &p->leaf_cert->key, ATLS_E_CERTIFICATE_CHAIN, field, &p->leaf_key, p->err);
}

/* ---- step 5: the signature ---- */

/* 72 bytes, little-endian, of which the upper 24 are zero, to 48 bytes, big-endian. */
static bool turn_half(sevsnp_proof *p, const char *field, atls_bytes wire, uint8_t out[static HALF_LEN])
{
    const atls_bytes upper = atls_bytes_of(wire.ptr + HALF_LEN, WIRE_HALF_LEN - HALF_LEN);
    if (!atls_bytes_is_zero(upper)) {
        return atls_fail(p->err, ATLS_E_EVIDENCE_SIGNATURE, field, "the number is too long for P-384");
    }
    for (size_t i = 0; i < HALF_LEN; i++) {
        out[i] = wire.ptr[HALF_LEN - 1 - i];
    }
    return true;
}

static bool check_signature(sevsnp_proof *p)
{
    uint8_t rs[2 * HALF_LEN];
    return turn_half(p, "report.signature.r", p->report->r, rs)
           && turn_half(p, "report.signature.s", p->report->s, rs + HALF_LEN)
           && atls_verify_raw(p->auth->crypto, p->leaf_key, ATLS_SHA384, p->report->signed_span,
                              atls_bytes_of(rs, sizeof rs), ATLS_E_EVIDENCE_SIGNATURE, "report.signature", p->err);
}

/* ---- step 6: the leaf is of this firmware and this chip ---- */

static bool check_leaf_tcb(sevsnp_proof *p)
{
    const uint8_t *reported = p->report->body.reported_tcb.raw;
    char field[48];
    char expected[8];
    char actual[8];
    for (size_t i = 0; i < sizeof p->leaf.tcb; i++) {
        if (p->leaf.tcb[i] != reported[i]) {
            (void)snprintf(field, sizeof field, "report.reported_tcb.%s", sevsnp_byte_name(p->product, i));
            (void)snprintf(expected, sizeof expected, "%u", p->leaf.tcb[i]);
            (void)snprintf(actual, sizeof actual, "%u", reported[i]);
            return fail(p, ATLS_E_CERTIFICATE_MISMATCH, field, expected, actual,
                        "the certificate is for another TCB than the report's");
        }
    }
    return true;
}

/* Cloud hosts may hide CHIP_ID; then the certificate alone says which chip it is. */
static bool check_chip_id(sevsnp_proof *p, const char **why)
{
    const atls_snp_report *b = &p->report->body;
    const atls_bytes shown = atls_bytes_of(b->chip_id, sizeof b->chip_id);
    const atls_bytes certified = atls_bytes_of(p->leaf.hwid, sizeof p->leaf.hwid);
    *why = NULL;
    if (p->leaf_is_vlek) {
        *why = "a VLEK is the cloud's, and not of one chip";
        return true;
    }
    if (atls_bytes_is_zero(shown)) {
        *why = "the report does not show its chip id; the VCEK names the chip";
        return true;
    }
    return atls_bytes_equal(shown, certified)
           || atls_fail_bytes(p->err, ATLS_E_CERTIFICATE_MISMATCH, "report.chip_id", certified, shown,
                              "the certificate is of another chip than the report");
}

/* ---- step 7: what must be zero ---- */

static bool fail_reserved(sevsnp_proof *p, const char *field, atls_bytes bytes)
{
    char full[48];
    (void)snprintf(full, sizeof full, "report.%s", field);
    return atls_fail_bytes(p->err, ATLS_E_EVIDENCE_FORMAT, full, atls_bytes_empty(), bytes,
                           "reserved bytes that are not zero: a field that this version does not have");
}

static bool check_reserved_tcb(sevsnp_proof *p, const char *field, const atls_snp_tcb *tcb)
{
    for (size_t i = 0; i < sizeof tcb->raw; i++) {
        if (tcb->raw[i] != 0 && strcmp(sevsnp_byte_name(p->product, i), "reserved") == 0) {
            return fail_reserved(p, field, atls_bytes_of(tcb->raw, sizeof tcb->raw));
        }
    }
    return true;
}

static bool check_reserved(sevsnp_proof *p)
{
    const sevsnp_report *r = p->report;
    if ((r->key_info & ~KEY_INFO_KNOWN) != 0) {
        const uint8_t bits[4] = {(uint8_t)(r->key_info >> 24), (uint8_t)(r->key_info >> 16),
                                 (uint8_t)(r->key_info >> 8), (uint8_t)r->key_info};
        return fail_reserved(p, "key_info", atls_bytes_of(bits, sizeof bits));
    }
    for (size_t i = 0; i < r->n_reserved; i++) {
        if (!atls_bytes_is_zero(r->reserved[i].bytes)) {
            return fail_reserved(p, r->reserved[i].field, r->reserved[i].bytes);
        }
    }
    const atls_snp_report *b = &r->body;
    return check_reserved_tcb(p, "current_tcb", &b->current_tcb)
           && check_reserved_tcb(p, "reported_tcb", &b->reported_tcb)
           && check_reserved_tcb(p, "committed_tcb", &b->committed_tcb)
           && check_reserved_tcb(p, "launch_tcb", &b->launch_tcb);
}

/* ---- the steps ---- */

static bool step(sevsnp_proof *p, atls_trace *t, bool ok, const char *id, const char *field)
{
    return atls_trace_step(t, ok, id, field, p->err);
}

static bool step_product(sevsnp_proof *p, atls_trace *t)
{
    if (!p->report->body.has_cpuid) {
        return atls_trace_na(t, "sevsnp.product", "report.cpuid",
                             "a report of version 2 does not say it; the issuer of its certificate does", p->err);
    }
    return step(p, t, check_product(p), "sevsnp.product", "report.cpuid");
}

static bool step_revocation(sevsnp_proof *p, atls_trace *t)
{
    const char *why;
    const bool ok = sevsnp_check_revocation(p, &why);
    return ok && why != NULL ? atls_trace_skip(t, "sevsnp.revocation", "crl", why, p->err)
                             : step(p, t, ok, "sevsnp.revocation", "crl");
}

static bool step_chip_id(sevsnp_proof *p, atls_trace *t)
{
    const char *why;
    const bool ok = check_chip_id(p, &why);
    return ok && why != NULL ? atls_trace_na(t, "sevsnp.chip_id", "report.chip_id", why, p->err)
                             : step(p, t, ok, "sevsnp.chip_id", "report.chip_id");
}

static bool run_steps(sevsnp_proof *p, atls_trace *t)
{
    return step(p, t, check_format(p), "sevsnp.report_format", "report") && step_product(p, t)
           && step(p, t, sevsnp_check_chain(p), "sevsnp.chain", "certificates") && step_revocation(p, t)
           && step(p, t, check_leaf(p), "sevsnp.leaf", leaf_name(p))
           && step(p, t, check_signature(p), "sevsnp.report_signature", "report.signature")
           && step(p, t, check_leaf_tcb(p), "sevsnp.leaf_tcb", "report.reported_tcb") && step_chip_id(p, t)
           && step(p, t, check_reserved(p), "sevsnp.reserved", "report");
}

/* ---- claims ---- */

static atls_time earlier(atls_time a, atls_time b)
{
    return a < b ? a : b;
}

static void make_claims(const sevsnp_proof *p, atls_claims *out)
{
    atls_sev_snp_claims *c = &out->sev_snp;
    *out = (atls_claims){.platform = ATLS_PLATFORM_SEV_SNP, .report_data_field = "report.report_data"};
    out->report_data_len = sizeof out->report_data;
    memcpy(out->report_data, p->report->body.report_data, sizeof out->report_data);
    memcpy(out->root_sha256, p->anchor->sha256, sizeof out->root_sha256);
    out->root_is_production = p->anchor->production;
    c->present = true;
    c->report = p->report->body;
    c->product = p->product;
    sevsnp_tcb_read(p->product, &c->report.current_tcb);
    sevsnp_tcb_read(p->product, &c->report.reported_tcb);
    sevsnp_tcb_read(p->product, &c->report.committed_tcb);
    sevsnp_tcb_read(p->product, &c->report.launch_tcb);
    c->is_vlek = p->leaf_is_vlek;
    c->has_machine_id = !p->leaf_is_vlek;
    memcpy(c->machine_id, p->leaf.hwid, sizeof c->machine_id);
    c->csp_id = p->leaf.csp_id;
    c->product_name = p->leaf.product_name;
    c->revocation_checked = p->revocation_checked;
    c->earliest_expiration = earlier(p->leaf_cert->not_after, earlier(p->issuer->not_after, p->ark->not_after));
    if (p->revocation_checked) {
        c->earliest_expiration = earlier(c->earliest_expiration, p->list_expiration);
    }
    c->n_table_entries = p->evidence->table.n;
}

bool sevsnp_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                         atls_trace *trace, atls_error *err)
{
    if (auth->now == ATLS_TIME_UNSET) {
        return atls_fail(err, ATLS_E_USAGE, "now", "the time of the appraisal is not set");
    }
    sevsnp_proof *p = atls_arena_alloc(arena, sizeof *p, err);
    if (p == NULL) {
        return false;
    }
    p->evidence = evidence;
    p->report = &p->evidence->report;
    p->auth = auth;
    p->arena = arena;
    p->err = err;
    const bool ok = sevsnp_gather(p->evidence, auth->endorsements, arena, &p->given, err) && run_steps(p, trace);
    if (ok) {
        make_claims(p, claims);
    }
    atls_signer_close(&p->ark_key);
    atls_signer_close(&p->issuer_key);
    atls_key_close(p->leaf_key);
    return ok;
}
