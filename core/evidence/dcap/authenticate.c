/* SPDX-License-Identifier: Apache-2.0 */
/* authenticate.c: who vouches for a quote: steps 1 to 16 of the specification's section 6, in its order.
 *
 * The table `steps` is that order, and the order of the checks in a result. A step that fails ends it. Nine signatures
 * are checked for a production quote (TCB signer, PCK CA, PCK leaf, two lists, two documents, QE report, quote), each
 * once, and nothing is parsed twice. Claims are made here and nowhere else, after the last step. */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "proof.h"

#define SGX_ATTRIBUTE_DEBUG 0x02u /* byte 0 of ATTRIBUTES */

static bool is_tdx(const dcap_proof *p)
{
    return p->quote->tee_type == DCAP_TEE_TDX;
}

/* ---- step 1 ---- */

/* The shape was checked when the quote was decoded; whether SGX may come in versions 4 and 5 is the policy's choice. */
static bool check_quote_format(dcap_proof *p)
{
    if (is_tdx(p) || p->quote->version == 3 || p->auth->policy->allow_sgx_quote_v4_v5) {
        return true;
    }
    char actual[8];
    snprintf(actual, sizeof actual, "%u", (unsigned)p->quote->version);
    return atls_fail_values(
        p->err, ATLS_E_QUOTE_FORMAT, "quote.header.version", "3 for SGX", actual,
        "SGX quotes come in version 3; a policy of type sgx may allow others (allow_sgx_quote_v4_v5)");
}

/* ---- steps 5 and 6: documents ---- */

static bool verify_document(dcap_proof *p, atls_bytes text, atls_bytes hex, atls_key *key, atls_code code,
                            const char *field)
{
    uint8_t rs[64];
    if (text.len > ATLS_MAX_SIGNED_JSON_LEN) {
        return atls_fail(p->err, ATLS_E_COLLATERAL_FORMAT, field, "a signed document has at most %u bytes",
                         ATLS_MAX_SIGNED_JSON_LEN);
    }
    if (!atls_hex_fixed(hex, rs, sizeof rs)) {
        return atls_fail(p->err, ATLS_E_COLLATERAL_FORMAT, field, "128 hex digits are expected, r and s");
    }
    return atls_verify_raw(p->auth->crypto, key, ATLS_SHA256, text, atls_bytes_of(rs, sizeof rs), code, field, p->err);
}

static bool check_dates(dcap_proof *p, atls_time issued, const char *issued_field, atls_time until,
                        const char *until_field)
{
    atls_time now = p->auth->now;
    char limit[ATLS_TIME_TEXT_SIZE];
    char actual[ATLS_TIME_TEXT_SIZE];
    if (now >= issued && now <= until) {
        return true;
    }
    bool early = now < issued;
    atls_time_format(early ? issued : until, limit);
    atls_time_format(now, actual);
    return atls_fail_values(p->err, early ? ATLS_E_NOT_YET_VALID : ATLS_E_EXPIRED, early ? issued_field : until_field,
                            limit, actual, NULL);
}

static bool check_tcb_info_signature(dcap_proof *p)
{
    return verify_document(p, p->given->tcb_info, p->given->tcb_info_signature, p->tcb_key, ATLS_E_TCB_INFO_SIGNATURE,
                           "tcb_info_signature");
}

static bool check_tcb_info_dates(dcap_proof *p)
{
    return dcap_tcb_info_decode(p->given->tcb_info, p->arena, &p->info, p->err)
           && check_dates(p, p->info.issue_date, "tcb_info.issueDate", p->info.next_update, "tcb_info.nextUpdate");
}

static bool check_qe_identity_signature(dcap_proof *p)
{
    return verify_document(p, p->given->qe_identity, p->given->qe_identity_signature,
                           p->qe_key == NULL ? p->tcb_key : p->qe_key, ATLS_E_QE_IDENTITY_SIGNATURE,
                           "qe_identity_signature");
}

static bool check_qe_identity_dates(dcap_proof *p)
{
    return dcap_qe_identity_decode(p->given->qe_identity, p->arena, &p->identity, p->err)
           && check_dates(p, p->identity.issue_date, "qe_identity.issueDate", p->identity.next_update,
                          "qe_identity.nextUpdate");
}

/* ---- steps 9 to 11: who they are about ---- */

static bool same_bytes(dcap_proof *p, atls_code code, const char *field, const void *expected, const void *actual,
                       size_t n)
{
    atls_bytes want = atls_bytes_of(expected, n);
    atls_bytes have = atls_bytes_of(actual, n);
    return atls_bytes_equal(want, have) || atls_fail_bytes(p->err, code, field, want, have, NULL);
}

static bool check_pck_extension(dcap_proof *p)
{
    if (!dcap_pck_extension(p->evidence, p->pck, &p->platform, p->err)) {
        return false;
    }
    return !p->auth->policy->strict_cpusvn
           || same_bytes(p, ATLS_E_PCK_CHAIN, "pck.sgx_extension.cpusvn", p->platform->comp, p->platform->cpusvn,
                         sizeof p->platform->cpusvn);
}

static bool check_tee_consistency(dcap_proof *p)
{
    bool tdx = is_tdx(p);
    if (p->info.is_tdx != tdx) {
        return atls_fail_values(p->err, ATLS_E_TCB_INFO_MISMATCH, "tcb_info.id", tdx ? "TDX" : "SGX",
                                p->info.is_tdx ? "TDX" : "SGX", "the TCB info is for another kind of TEE");
    }
    if (!same_bytes(p, ATLS_E_TCB_INFO_MISMATCH, "tcb_info.fmspc", p->platform->fmspc, p->info.fmspc,
                    sizeof p->info.fmspc)
        || !same_bytes(p, ATLS_E_TCB_INFO_MISMATCH, "tcb_info.pceId", p->platform->pceid, p->info.pceid,
                       sizeof p->info.pceid)) {
        return false;
    }
    if (p->identity.is_td_qe != tdx) {
        return atls_fail_values(p->err, ATLS_E_QE_IDENTITY_MISMATCH, "qe_identity.id", tdx ? "TD_QE" : "QE",
                                p->identity.is_td_qe ? "TD_QE" : "QE", "the QE identity is for another kind of TEE");
    }
    return true;
}

static bool check_tdx_module(dcap_proof *p)
{
    return dcap_module_check(&p->info, &p->quote->td, &p->module, p->err);
}

/* ---- steps 12 to 15: from the PCK key to the quote ---- */

static bool check_qe_report_signature(dcap_proof *p)
{
    return atls_verify_raw(p->auth->crypto, p->pck_key, ATLS_SHA256, p->quote->qe_report, p->quote->qe_signature,
                           ATLS_E_QE_REPORT_SIGNATURE, "quote.auth.qe_report_signature", p->err);
}

/* All 64 bytes: what follows the hash must be zero. */
static bool check_qe_report_data(dcap_proof *p)
{
    uint8_t expected[64] = {0};
    const atls_bytes parts[] = {p->quote->att_key, p->quote->qe_auth};
    if (!atls_digest(p->auth->crypto, ATLS_SHA256, parts, 2, expected, p->err)) {
        return false;
    }
    return same_bytes(p, ATLS_E_QE_REPORT_DATA, "quote.auth.qe_report.reportdata", expected, p->quote->qe.reportdata,
                      sizeof expected);
}

/* The expected side is not masked: an identity that asks for bits outside its own mask matches nothing. */
static bool matches_masked(dcap_proof *p, const char *field, const uint8_t *report, const uint8_t *mask,
                           const uint8_t *expected, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((report[i] & mask[i]) != expected[i]) {
            return atls_fail_bytes(p->err, ATLS_E_QE_IDENTITY_MISMATCH, field, atls_bytes_of(expected, n),
                                   atls_bytes_of(report, n), NULL);
        }
    }
    return true;
}

static bool matches_prodid(dcap_proof *p)
{
    if (p->quote->qe.isvprodid == p->identity.isvprodid) {
        return true;
    }
    char expected[8];
    char actual[8];
    snprintf(expected, sizeof expected, "%u", (unsigned)p->identity.isvprodid);
    snprintf(actual, sizeof actual, "%u", (unsigned)p->quote->qe.isvprodid);
    return atls_fail_values(p->err, ATLS_E_QE_IDENTITY_MISMATCH, "quote.auth.qe_report.isvprodid", expected, actual,
                            NULL);
}

/* A quoting enclave under a debugger signs whatever the host likes; no mask makes that acceptable. */
static bool is_not_debug(dcap_proof *p)
{
    if ((p->quote->qe.attributes[0] & SGX_ATTRIBUTE_DEBUG) == 0) {
        return true;
    }
    return atls_fail_values(p->err, ATLS_E_QE_IDENTITY_MISMATCH, "quote.auth.qe_report.attributes.debug", "0", "1",
                            "the quoting enclave runs in debug mode");
}

static bool check_qe_identity(dcap_proof *p)
{
    const atls_sgx_report *qe = &p->quote->qe;
    const dcap_qe_identity *id = &p->identity;
    const dcap_tcb_level *level;
    return matches_masked(p, "quote.auth.qe_report.miscselect", qe->miscselect, id->miscselect_mask, id->miscselect,
                          sizeof qe->miscselect)
           && matches_masked(p, "quote.auth.qe_report.attributes", qe->attributes, id->attributes_mask, id->attributes,
                             sizeof qe->attributes)
           && same_bytes(p, ATLS_E_QE_IDENTITY_MISMATCH, "quote.auth.qe_report.mrsigner", id->mrsigner, qe->mrsigner,
                         sizeof qe->mrsigner)
           && matches_prodid(p) && is_not_debug(p) && dcap_qe_level(id, qe->isvsvn, &level, p->err);
}

static bool check_attestation_key(dcap_proof *p)
{
    return atls_key_open_p256(p->auth->crypto, p->quote->att_key.ptr, ATLS_E_QUOTE_FORMAT, "quote.auth.attestation_key",
                              &p->att_key, p->err);
}

static bool check_quote_signature(dcap_proof *p)
{
    return atls_verify_raw(p->auth->crypto, p->att_key, ATLS_SHA256, p->quote->signed_span, p->quote->signature,
                           ATLS_E_QUOTE_SIGNATURE, "quote.auth.signature", p->err);
}

/* ---- step 16 ---- */

static bool check_tcb_level(dcap_proof *p)
{
    return dcap_tcb_evaluate(&p->info, &p->identity, p->platform, is_tdx(p) ? &p->quote->td : NULL, p->quote->qe.isvsvn,
                             p->arena, &p->tcb, p->err);
}

typedef struct step {
    const char *id;
    const char *field;
    bool (*check)(dcap_proof *p);
    bool tdx_only;
} step;

/* clang-format off */
static const step steps[] = {
    {"dcap.quote_format",          "quote",                           check_quote_format,           false},
    {"dcap.root",                  "root",                            dcap_check_root,              false},
    {"dcap.root_crl",              "root_ca_crl",                     dcap_check_root_crl,          false},
    {"dcap.tcb_info_chain",        "tcb_info_issuer_chain",           dcap_check_tcb_info_chain,    false},
    {"dcap.tcb_info_signature",    "tcb_info_signature",              check_tcb_info_signature,     false},
    {"dcap.tcb_info_dates",        "tcb_info.nextUpdate",             check_tcb_info_dates,         false},
    {"dcap.qe_identity_chain",     "qe_identity_issuer_chain",        dcap_check_qe_identity_chain, false},
    {"dcap.qe_identity_signature", "qe_identity_signature",           check_qe_identity_signature,  false},
    {"dcap.qe_identity_dates",     "qe_identity.nextUpdate",          check_qe_identity_dates,      false},
    {"dcap.pck_chain",             "pck",                             dcap_check_pck_chain,         false},
    {"dcap.pck_crl",               "pck_crl",                         dcap_check_pck_crl,           false},
    {"dcap.pck_extension",         "pck.sgx_extension",               check_pck_extension,          false},
    {"dcap.tee_consistency",       "tcb_info.fmspc",                  check_tee_consistency,        false},
    {"dcap.tdx_module",            "quote.body.mrsignerseam",         check_tdx_module,             true},
    {"dcap.qe_report_signature",   "quote.auth.qe_report_signature",  check_qe_report_signature,    false},
    {"dcap.qe_report_data",        "quote.auth.qe_report.reportdata", check_qe_report_data,         false},
    {"dcap.qe_identity",           "quote.auth.qe_report",            check_qe_identity,            false},
    {"dcap.attestation_key",       "quote.auth.attestation_key",      check_attestation_key,        false},
    {"dcap.quote_signature",       "quote.auth.signature",            check_quote_signature,        false},
    {"dcap.tcb_level",             "tcb_info.tcbLevels",              check_tcb_level,              false},
};
/* clang-format on */

static bool run_steps(dcap_proof *p, atls_trace *trace)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const step *s = &steps[i];
        if (s->tdx_only && !is_tdx(p)) {
            if (!atls_trace_na(trace, s->id, s->field, "an SGX enclave has no TDX module", p->err)) {
                return false;
            }
        } else if (!atls_trace_step(trace, s->check(p), s->id, s->field, p->err)) {
            return false;
        }
    }
    return true;
}

/* ---- claims ---- */

static atls_time earlier(atls_time a, atls_time b)
{
    return a < b ? a : b;
}

static atls_time later(atls_time a, atls_time b)
{
    return a > b ? a : b;
}

static void claim_dates(const dcap_proof *p, atls_dcap_claims *c)
{
    atls_time documents = earlier(p->info.issue_date, p->identity.issue_date);
    atls_time lists = earlier(p->root_crl.this_update, p->pck_crl.this_update);
    c->earliest_issue = earlier(documents, lists);
    documents = later(p->info.issue_date, p->identity.issue_date);
    lists = later(p->root_crl.this_update, p->pck_crl.this_update);
    c->latest_issue = later(documents, lists);
    documents = earlier(p->info.next_update, p->identity.next_update);
    lists = earlier(p->root_crl.next_update, p->pck_crl.next_update);
    c->earliest_expiration = earlier(documents, lists);
    const atls_cert *const used[] = {p->root, p->tcb_signer, p->qe_signer, p->pck_ca, p->pck};
    for (size_t i = 0; i < sizeof used / sizeof used[0]; i++) {
        c->earliest_expiration = earlier(c->earliest_expiration, used[i]->not_after);
    }
}

static void claim_platform(const dcap_proof *p, atls_dcap_claims *c)
{
    const dcap_pck *pck = p->platform;
    memcpy(c->ppid, pck->ppid, sizeof c->ppid);
    memcpy(c->fmspc, pck->fmspc, sizeof c->fmspc);
    memcpy(c->pceid, pck->pceid, sizeof c->pceid);
    memcpy(c->cpusvn, pck->cpusvn, sizeof c->cpusvn);
    memcpy(c->tcb_comp, pck->comp, sizeof c->tcb_comp);
    c->pcesvn = pck->pcesvn;
    c->sgx_type = pck->sgx_type;
    c->has_platform_info = pck->has_platform_info;
    memcpy(c->platform_instance_id, pck->platform_instance_id, sizeof c->platform_instance_id);
    c->dynamic_platform = pck->dynamic_platform;
    c->cached_keys = pck->cached_keys;
    c->smt_enabled = pck->smt_enabled;
    c->pck_serial = p->pck->serial;
    c->pck_ca = p->pck_ca_name;
    if (p->module != NULL && p->module->version > 0) {
        snprintf(c->tdx_module_id, sizeof c->tdx_module_id, "TDX_%02X", (unsigned)p->module->version);
    }
}

static void claim_quote(const dcap_quote *q, atls_dcap_claims *c)
{
    c->quote_version = q->version;
    memcpy(c->qe_vendor_id, q->qe_vendor_id, sizeof c->qe_vendor_id);
    memcpy(c->user_data, q->user_data, sizeof c->user_data);
    c->is_tdx = q->tee_type == DCAP_TEE_TDX;
    c->td = q->td;
    c->sgx = q->sgx;
    c->qe = q->qe;
    c->certification_data_type = q->cert_type;
    c->qe_auth_data_len = q->qe_auth.len;
    c->trailing_len = q->trailing_len;
}

/* The root's key without the byte that says "uncompressed". */
static bool claim_root(const dcap_proof *p, atls_dcap_claims *c)
{
    atls_cur cur;
    atls_bytes xy;
    atls_cur_init(&cur, p->root->key.point, "root.key", p->err);
    if (!atls_cur_skip(&cur, "form", 1) || !atls_cur_bytes(&cur, "xy", 64, &xy)) {
        return false;
    }
    memcpy(c->root_sha256, p->anchor->sha256, sizeof c->root_sha256);
    return atls_digest(p->auth->crypto, ATLS_SHA384, &xy, 1, c->root_key_id, p->err);
}

static bool make_claims(const dcap_proof *p, atls_claims *out)
{
    const uint8_t *report_data = is_tdx(p) ? p->quote->td.reportdata : p->quote->sgx.reportdata;
    memset(out, 0, sizeof *out);
    if (!claim_root(p, &out->dcap)) {
        return false;
    }
    out->platform = is_tdx(p) ? ATLS_PLATFORM_TDX : ATLS_PLATFORM_SGX;
    out->report_data_field = "quote.body.reportdata";
    out->root_is_production = p->anchor->production;
    memcpy(out->root_sha256, p->anchor->sha256, sizeof out->root_sha256);
    out->report_data_len = sizeof out->report_data;
    memcpy(out->report_data, report_data, sizeof out->report_data);
    claim_quote(p->quote, &out->dcap);
    claim_platform(p, &out->dcap);
    claim_dates(p, &out->dcap);
    out->dcap.tcb = p->tcb;
    return true;
}

static void close_keys(dcap_proof *p)
{
    atls_key *const keys[] = {p->root_key, p->tcb_key, p->qe_key, p->pck_ca_key, p->pck_key, p->att_key};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        atls_key_close(keys[i]);
    }
}

bool dcap_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                       atls_trace *trace, atls_error *err)
{
    if (auth->now == ATLS_TIME_UNSET) {
        return atls_fail(err, ATLS_E_USAGE, "now", "the time of the appraisal is not set");
    }
    if (auth->endorsements == NULL || auth->endorsements->platform == ATLS_PLATFORM_NONE) {
        return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements", NULL);
    }
    dcap_proof *p = atls_arena_alloc(arena, sizeof *p, err);
    if (p == NULL) {
        return false;
    }
    p->evidence = evidence;
    p->quote = &p->evidence->quote;
    p->auth = auth;
    p->given = &auth->endorsements->dcap;
    p->arena = arena;
    p->err = err;
    dcap_chain_init(p);
    bool ok = run_steps(p, trace) && make_claims(p, claims);
    close_keys(p);
    return ok;
}
