/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: claims against the policy: steps 17 and 18 of the specification's section 6.
 *
 * Every comparison is made and listed; the first that fails is the error. What the policy does not ask for is listed as
 * skipped, once for each kind of question, so that nobody takes silence for a check. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proof.h"

/* TDATTRIBUTES (specification section 2.4) */
#define TD_DEBUG             (UINT64_C(1) << 0)
#define TD_UNDER_DEBUG       UINT64_C(0xff) /* bits 0 to 7: under debug or profiling */
#define TD_SEPT_VE_DISABLE   (UINT64_C(1) << 28)
#define TD_PKS               (UINT64_C(1) << 30)
#define TD_KL                (UINT64_C(1) << 31)
#define TD_PERFMON           (UINT64_C(1) << 63)
#define TD_ALLOWED           (TD_SEPT_VE_DISABLE | TD_PKS | TD_KL | TD_PERFMON)
#define SGX_ATTRIBUTE_DEBUG  0x02u
#define MAX_SHOWN_REFERENCES 4u /* values that an "expected" lists; the rest is counted */

typedef struct judge {
    const atls_claims *claims;
    const atls_policy *policy;
    atls_time now;
    atls_arena *arena;
    atls_trace *trace;
    atls_error *err;
    bool ok;
    size_t n_compared; /* reference lists of the policy that some check looked at */
} judge;

/* ---- writing checks ---- */

static void compare(judge *j, bool ok, const char *id, atls_code code, const char *field, const char *expected,
                    const char *actual, const char *why)
{
    if (!atls_trace_compare(j->trace, ok, id, code, field, expected, actual, why, j->err)) {
        j->ok = false;
    }
}

static void skip(judge *j, const char *id, const char *field, const char *why)
{
    if (!atls_trace_skip(j->trace, id, field, why, j->err)) {
        j->ok = false;
    }
}

static void not_applicable(judge *j, const char *id, const char *field, const char *why)
{
    if (!atls_trace_na(j->trace, id, field, why, j->err)) {
        j->ok = false;
    }
}

/* Text in the arena; without memory the appraisal has failed, and goes on to the end without. */
static const char *kept(judge *j, const char *text)
{
    if (text == NULL) {
        j->ok = false;
        return "";
    }
    return text;
}

static const char *hex(judge *j, const uint8_t *bytes, size_t n)
{
    return kept(j, atls_hex_text(atls_bytes_of(bytes, n), j->arena, j->err));
}

static const char *decimal(judge *j, const char *prefix, unsigned long value)
{
    return kept(j, atls_text_format(j->arena, j->err, "%s%lu", prefix, value));
}

static const char *date(judge *j, const char *prefix, atls_time t)
{
    char text[ATLS_TIME_TEXT_SIZE];
    atls_time_format(t, text);
    return kept(j, atls_text_format(j->arena, j->err, "%s%s", prefix, text));
}

static const char *finished(judge *j, atls_buf *b)
{
    atls_bytes text;
    atls_buf_put(b, atls_bytes_of("", 1));
    return atls_buf_done(b, &text) ? (const char *)text.ptr : kept(j, NULL);
}

/* ---- step 17: attributes ---- */

static uint64_t attribute_word(const atls_td_report *td)
{
    uint64_t word = 0;
    for (size_t i = sizeof td->tdattributes; i > 0; i--) {
        word = word << 8 | td->tdattributes[i - 1];
    }
    return word;
}

static void judge_td_debug(judge *j, uint64_t attributes)
{
    const char *field = "quote.body.tdattributes.debug";
    if (j->policy->insecure_allow_debug) {
        skip(j, "dcap.debug", field, "insecure_allow_debug accepts a TD whose host can read its memory");
        return;
    }
    compare(j, (attributes & TD_DEBUG) == 0, "dcap.debug", ATLS_E_TD_ATTRIBUTES, field, "0",
            (attributes & TD_DEBUG) == 0 ? "0" : "1", "the TD can be debugged: its host can read its memory");
}

static void judge_sept_ve_disable(judge *j, uint64_t attributes)
{
    const char *field = "quote.body.tdattributes.sept_ve_disable";
    if (j->policy->insecure_allow_no_sept_ve_disable) {
        skip(j, "dcap.sept_ve_disable", field,
             "insecure_allow_no_sept_ve_disable accepts a TD whose host can inject exceptions by unmapping pages");
        return;
    }
    bool set = (attributes & TD_SEPT_VE_DISABLE) != 0;
    compare(j, set, "dcap.sept_ve_disable", ATLS_E_TD_ATTRIBUTES, field, "1", set ? "1" : "0",
            "without SEPT_VE_DISABLE the host can inject exceptions by unmapping pages");
}

/* DEBUG has a check of its own; bits 1 to 7 are in no set, whatever the policy says. */
static void judge_td_attributes(judge *j, uint64_t attributes)
{
    uint64_t allowed = TD_ALLOWED;
    if (j->policy->has_insecure_td_attributes_mask) {
        allowed = j->policy->insecure_td_attributes_mask & ~TD_UNDER_DEBUG;
        skip(j, "dcap.td_attributes", "quote.body.tdattributes",
             "insecure_td_attributes_mask says which attributes may be set, instead of the ones known to be harmless");
    }
    uint64_t wrong = attributes & ~TD_DEBUG & ~allowed;
    const char *expected = kept(j, atls_text_format(j->arena, j->err, "no bits outside %016" PRIx64, allowed));
    const char *actual = kept(j, atls_text_format(j->arena, j->err, "%016" PRIx64, attributes));
    compare(j, wrong == 0, "dcap.td_attributes", ATLS_E_TD_ATTRIBUTES, "quote.body.tdattributes", expected, actual,
            "the TD has attributes that are not accepted");
}

static void judge_service_td(judge *j)
{
    const char *id = "dcap.service_td";
    const char *field = "quote.body.mrservicetd";
    const atls_td_report *td = &j->claims->dcap.td;
    if (!td->is_15) {
        not_applicable(j, id, field, "a TD report 1.0 does not say whether there is a service TD");
        return;
    }
    if (atls_policy_reference(j->policy, "mrservicetd") != NULL) {
        not_applicable(j, id, field, "the policy lists reference values, which are compared below");
        return;
    }
    if (j->policy->insecure_allow_service_td) {
        skip(j, id, field, "insecure_allow_service_td accepts any service TD, which may hold this TD's keys");
        return;
    }
    bool none = atls_bytes_is_zero(atls_bytes_of(td->mrservicetd, sizeof td->mrservicetd));
    compare(j, none, id, ATLS_E_TD_ATTRIBUTES, field, "zero", hex(j, td->mrservicetd, sizeof td->mrservicetd),
            "a service TD is bound to this TD");
}

static void judge_enclave_debug(judge *j)
{
    const char *field = "quote.body.attributes.debug";
    if (j->policy->insecure_allow_debug) {
        skip(j, "dcap.debug", field, "insecure_allow_debug accepts an enclave whose host can read its memory");
        return;
    }
    bool debug = (j->claims->dcap.sgx.attributes[0] & SGX_ATTRIBUTE_DEBUG) != 0;
    compare(j, !debug, "dcap.debug", ATLS_E_TD_ATTRIBUTES, field, "0", debug ? "1" : "0",
            "the enclave can be debugged: its host can read its memory");
}

static void judge_body(judge *j)
{
    if (!j->claims->dcap.is_tdx) {
        judge_enclave_debug(j);
        return;
    }
    uint64_t attributes = attribute_word(&j->claims->dcap.td);
    judge_td_debug(j, attributes);
    judge_td_attributes(j, attributes);
    judge_sept_ve_disable(j, attributes);
    judge_service_td(j);
}

/* ---- step 18: status ---- */

static bool is_out_of_date(atls_tcb_status s)
{
    return s == ATLS_TCB_OUT_OF_DATE || s == ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

/* An out-of-date platform is tolerated until a while after the date of the level it is stuck at (section 9). */
static void judge_grace_period(judge *j)
{
    const char *id = "dcap.grace_period";
    const char *field = "tcb.date";
    const atls_tcb *tcb = &j->claims->dcap.tcb;
    int64_t grace = j->policy->grace_period_s;
    if (!is_out_of_date(tcb->status)) {
        not_applicable(j, id, field, "the platform is not out of date");
        return;
    }
    if (!j->policy->has_grace_period) {
        skip(j, id, field, "the policy names no grace period: where OutOfDate is allowed, it is allowed for ever");
        return;
    }
    bool usable = tcb->date != ATLS_TIME_UNSET && tcb->date <= j->now && grace >= 0 && tcb->date <= INT64_MAX - grace;
    if (!usable) {
        compare(j, false, id, ATLS_E_TCB_INFO, field, date(j, "at or before ", j->now), date(j, "", tcb->date), NULL);
        return;
    }
    compare(j, j->now <= tcb->date + grace, id, ATLS_E_GRACE_PERIOD_EXPIRED, field,
            date(j, "not after ", tcb->date + grace), date(j, "", j->now), NULL);
}

static bool is_allowed(const atls_policy *p, atls_tcb_status s)
{
    bool acceptable = s > ATLS_TCB_UNKNOWN && s < ATLS_N_TCB_STATUSES && s != ATLS_TCB_REVOKED;
    return acceptable && p->allowed_status[s];
}

static const char *allowed_names(judge *j)
{
    atls_buf b;
    atls_buf_init(&b, j->arena, j->err);
    for (atls_tcb_status s = ATLS_TCB_UNKNOWN; s < ATLS_N_TCB_STATUSES; s++) {
        if (is_allowed(j->policy, s)) {
            atls_buf_str(&b, b.len == 0 ? "" : ", ");
            atls_buf_str(&b, atls_tcb_status_name(s));
        }
    }
    return finished(j, &b);
}

static void judge_status(judge *j)
{
    atls_tcb_status status = j->claims->dcap.tcb.status;
    compare(j, is_allowed(j->policy, status), "dcap.tcb_status", ATLS_E_TCB_STATUS_NOT_ALLOWED, "tcb.status",
            allowed_names(j), atls_tcb_status_name(status), NULL);
}

static void judge_evaluation_number(judge *j)
{
    const char *id = "dcap.tcb_evaluation_data_number";
    const char *field = "tcb.tcb_evaluation_data_number";
    uint32_t actual = j->claims->dcap.tcb.evaluation_data_number;
    uint32_t least = j->policy->min_tcb_evaluation_data_number;
    if (!j->policy->has_min_tcb_evaluation_data_number) {
        skip(j, id, field, "the policy names no least number: endorsements are as new as whoever chose them wanted");
        return;
    }
    compare(j, actual >= least, id, ATLS_E_TCB_EVALUATION_NUMBER, field, decimal(j, "at least ", least),
            decimal(j, "", actual), NULL);
}

static bool is_listed(const atls_text_list *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static void judge_advisories(judge *j)
{
    const char *id = "dcap.advisories";
    const char *field = "tcb.advisories";
    const atls_policy *p = j->policy;
    const atls_text_list *apply = &j->claims->dcap.tcb.advisories;
    if (!p->has_accepted_advisories && p->rejected_advisories.n == 0) {
        skip(j, id, field, "the policy names no advisories: the TCB status stands for them");
        return;
    }
    bool all_fine = true;
    for (size_t i = 0; i < apply->n; i++) {
        bool rejected = is_listed(&p->rejected_advisories, apply->items[i]);
        if (rejected || (p->has_accepted_advisories && !is_listed(&p->accepted_advisories, apply->items[i]))) {
            all_fine = false;
            compare(j, false, id, ATLS_E_ADVISORY_NOT_ALLOWED, field,
                    rejected ? "not one of rejected_advisories" : "one of accepted_advisories", apply->items[i], NULL);
        }
    }
    if (all_fine) {
        compare(j, true, id, ATLS_OK, field, "", decimal(j, "advisories that apply: ", (unsigned long)apply->n), NULL);
    }
}

/* ---- step 18: reference values ---- */

static const char *reference_text(judge *j, const atls_reference *r)
{
    atls_buf b;
    atls_buf_init(&b, j->arena, j->err);
    for (size_t i = 0; i < r->n && i < MAX_SHOWN_REFERENCES; i++) {
        atls_buf_str(&b, i == 0 ? "" : ", ");
        atls_buf_str(&b, hex(j, r->values + i * r->width, r->width));
    }
    if (r->n > MAX_SHOWN_REFERENCES) {
        atls_buf_format(&b, " and %zu more", r->n - MAX_SHOWN_REFERENCES);
    }
    return finished(j, &b);
}

/* value is NULL where this evidence has no such claim: a policy that lists it is not met. */
static void judge_reference(judge *j, const char *name, const char *id, atls_code code, const char *field,
                            const uint8_t *value, size_t width)
{
    const atls_reference *r = atls_policy_reference(j->policy, name);
    if (r == NULL) {
        return;
    }
    j->n_compared++;
    if (value == NULL || r->width != width) {
        compare(j, false, id, code, field, reference_text(j, r), "absent", "the evidence has no such claim");
        return;
    }
    compare(j, atls_reference_matches(r, value), id, code, field, reference_text(j, r), hex(j, value, width), NULL);
}

#define JUDGE_MEASUREMENT(name, member, width)                                                                         \
    judge_reference(j, name, "dcap.measurement." name, ATLS_E_MEASUREMENT_MISMATCH, "quote.body." name, r->member,     \
                    width);
#define JUDGE_ABSENT_WITHOUT_15(name, member, width)                                                                   \
    judge_reference(j, name, "dcap.measurement." name, ATLS_E_MEASUREMENT_MISMATCH, "quote.body." name,                \
                    r->is_15 ? r->member : NULL, width);

static void judge_td_measurements(judge *j)
{
    const atls_td_report *r = &j->claims->dcap.td;
    ATLS_TD_FIELDS(JUDGE_MEASUREMENT)
    ATLS_TD15_FIELDS(JUDGE_ABSENT_WITHOUT_15)
    if (!j->policy->has_min_tee_tcb_svn) {
        return;
    }
    bool reached = true;
    for (size_t i = 0; i < sizeof r->tee_tcb_svn; i++) {
        reached = reached && r->tee_tcb_svn[i] >= j->policy->min_tee_tcb_svn[i];
    }
    compare(j, reached, "dcap.min_tee_tcb_svn", ATLS_E_MEASUREMENT_MISMATCH, "quote.body.tee_tcb_svn",
            hex(j, j->policy->min_tee_tcb_svn, sizeof j->policy->min_tee_tcb_svn),
            hex(j, r->tee_tcb_svn, sizeof r->tee_tcb_svn), "a component of TEE_TCB_SVN is below the policy's least");
}

static void judge_enclave_measurements(judge *j)
{
    const atls_sgx_report *r = &j->claims->dcap.sgx;
    const atls_policy *p = j->policy;
    ATLS_SGX_FIELDS(JUDGE_MEASUREMENT)
    if (p->has_isvprodid) {
        compare(j, r->isvprodid == p->isvprodid, "dcap.isvprodid", ATLS_E_MEASUREMENT_MISMATCH, "quote.body.isvprodid",
                decimal(j, "", p->isvprodid), decimal(j, "", r->isvprodid), NULL);
    }
    if (p->has_min_isvsvn) {
        compare(j, r->isvsvn >= p->min_isvsvn, "dcap.min_isvsvn", ATLS_E_MEASUREMENT_MISMATCH, "quote.body.isvsvn",
                decimal(j, "at least ", p->min_isvsvn), decimal(j, "", r->isvsvn), NULL);
    }
}

static void judge_platform_references(judge *j)
{
    const atls_dcap_claims *c = &j->claims->dcap;
    judge_reference(j, "machines", "dcap.machine", ATLS_E_MACHINE_NOT_ALLOWED, "pck.sgx_extension.ppid", c->ppid,
                    sizeof c->ppid);
    judge_reference(j, "platform_instance_id", "dcap.platform_instance_id", ATLS_E_MACHINE_NOT_ALLOWED,
                    "pck.sgx_extension.platform_instance_id", c->has_platform_info ? c->platform_instance_id : NULL,
                    sizeof c->platform_instance_id);
    judge_reference(j, "fmspc", "dcap.fmspc", ATLS_E_MACHINE_NOT_ALLOWED, "pck.sgx_extension.fmspc", c->fmspc,
                    sizeof c->fmspc);
    judge_reference(j, "pceid", "dcap.pceid", ATLS_E_MACHINE_NOT_ALLOWED, "pck.sgx_extension.pceid", c->pceid,
                    sizeof c->pceid);
    judge_reference(j, "qe_vendor_id", "dcap.qe_vendor_id", ATLS_E_MEASUREMENT_MISMATCH, "quote.header.qe_vendor_id",
                    c->qe_vendor_id, sizeof c->qe_vendor_id);
    if (atls_policy_reference(j->policy, "machines") == NULL
        && atls_policy_reference(j->policy, "platform_instance_id") == NULL) {
        skip(j, "dcap.machine", "pck.sgx_extension.ppid",
             "the policy names no machines: any genuine platform of this kind will do, wherever it stands");
    }
}

/* A list that no check looked at would be a wish that silently did not come true. */
static void judge_references(judge *j)
{
    const atls_policy *p = j->policy;
    judge_platform_references(j);
    size_t n_platform = j->n_compared;
    if (j->claims->dcap.is_tdx) {
        judge_td_measurements(j);
    } else {
        judge_enclave_measurements(j);
    }
    if (j->n_compared < p->n_references) {
        compare(j, false, "dcap.measurements", ATLS_E_MEASUREMENT_MISMATCH, "policy",
                "claims that this kind of evidence has", "others",
                "the policy lists reference values that this kind of evidence does not have");
        return;
    }
    if (j->n_compared == n_platform && p->type != ATLS_POLICY_DSTACK_TDX) {
        skip(j, "dcap.measurements", "quote.body",
             "the policy names no reference values: any code on this hardware is accepted");
    }
}

bool dcap_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                   atls_trace *trace, atls_error *err)
{
    judge j = {
        .claims = claims,
        .policy = policy,
        .now = now,
        .arena = arena,
        .trace = trace,
        .err = err,
        .ok = true,
    };
    judge_body(&j);
    judge_grace_period(&j);
    judge_status(&j);
    judge_evaluation_number(&j);
    judge_advisories(&j);
    judge_references(&j);
    return j.ok;
}
