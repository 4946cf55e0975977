/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: claims against the policy: steps 17 and 18 of the specification's section 6.
 *
 * Every comparison is made and listed; the first that fails is the error. What the policy does not ask for is listed as
 * skipped, once for each kind of question, so that nobody takes silence for a check. */
#include <inttypes.h>
#include <string.h>

#include "judge.h"
#include "proof.h"

/* TDATTRIBUTES (specification section 2.4) */
#define TD_DEBUG            (UINT64_C(1) << 0)
#define TD_UNDER_DEBUG      UINT64_C(0xff) /* bits 0 to 7: under debug or profiling */
#define TD_SEPT_VE_DISABLE  (UINT64_C(1) << 28)
#define TD_PKS              (UINT64_C(1) << 30)
#define TD_KL               (UINT64_C(1) << 31)
#define TD_PERFMON          (UINT64_C(1) << 63)
#define TD_ALLOWED          (TD_SEPT_VE_DISABLE | TD_PKS | TD_KL | TD_PERFMON)
#define SGX_ATTRIBUTE_DEBUG 0x02u

/* ---- step 17: attributes ---- */

static uint64_t attribute_word(const atls_td_report *td)
{
    uint64_t word = 0;
    for (size_t i = sizeof td->tdattributes; i > 0; i--) {
        word = word << 8 | td->tdattributes[i - 1];
    }
    return word;
}

static void judge_td_debug(atls_judge *j, uint64_t attributes)
{
    const char *field = "quote.body.tdattributes.debug";
    if (j->policy->insecure_allow_debug) {
        atls_judge_skip(j, "dcap.debug", field, "insecure_allow_debug accepts a TD whose host can read its memory");
        return;
    }
    atls_judge_compare(j, (attributes & TD_DEBUG) == 0, "dcap.debug", ATLS_E_TD_ATTRIBUTES, field, "0",
                       (attributes & TD_DEBUG) == 0 ? "0" : "1",
                       "the TD can be debugged: its host can read its memory");
}

static void judge_sept_ve_disable(atls_judge *j, uint64_t attributes)
{
    const char *field = "quote.body.tdattributes.sept_ve_disable";
    if (j->policy->insecure_allow_no_sept_ve_disable) {
        atls_judge_skip(
            j, "dcap.sept_ve_disable", field,
            "insecure_allow_no_sept_ve_disable accepts a TD whose host can inject exceptions by unmapping pages");
        return;
    }
    bool set = (attributes & TD_SEPT_VE_DISABLE) != 0;
    atls_judge_compare(j, set, "dcap.sept_ve_disable", ATLS_E_TD_ATTRIBUTES, field, "1", set ? "1" : "0",
                       "without SEPT_VE_DISABLE the host can inject exceptions by unmapping pages");
}

/* DEBUG has a check of its own; bits 1 to 7 are in no set, whatever the policy says. */
static void judge_td_attributes(atls_judge *j, uint64_t attributes)
{
    uint64_t allowed = TD_ALLOWED;
    if (j->policy->has_insecure_td_attributes_mask) {
        allowed = j->policy->insecure_td_attributes_mask & ~TD_UNDER_DEBUG;
        atls_judge_skip(
            j, "dcap.td_attributes", "quote.body.tdattributes",
            "insecure_td_attributes_mask says which attributes may be set, instead of the ones known to be harmless");
    }
    uint64_t wrong = attributes & ~TD_DEBUG & ~allowed;
    const char *expected =
        atls_judge_text(j, atls_text_format(j->arena, j->err, "no bits outside %016" PRIx64, allowed));
    const char *actual = atls_judge_text(j, atls_text_format(j->arena, j->err, "%016" PRIx64, attributes));
    atls_judge_compare(j, wrong == 0, "dcap.td_attributes", ATLS_E_TD_ATTRIBUTES, "quote.body.tdattributes", expected,
                       actual, "the TD has attributes that are not accepted");
}

static void judge_service_td(atls_judge *j)
{
    const char *id = "dcap.service_td";
    const char *field = "quote.body.mrservicetd";
    const atls_td_report *td = &j->claims->dcap.td;
    if (!td->is_15) {
        atls_judge_na(j, id, field, "a TD report 1.0 does not say whether there is a service TD");
        return;
    }
    if (atls_policy_reference(j->policy, "mrservicetd") != NULL) {
        atls_judge_na(j, id, field, "the policy lists reference values, which are compared below");
        return;
    }
    if (j->policy->insecure_allow_service_td) {
        atls_judge_skip(j, id, field,
                        "insecure_allow_service_td accepts any service TD, which may hold this TD's keys");
        return;
    }
    bool none = atls_bytes_is_zero(atls_bytes_of(td->mrservicetd, sizeof td->mrservicetd));
    atls_judge_compare(j, none, id, ATLS_E_TD_ATTRIBUTES, field, "zero",
                       atls_judge_hex(j, td->mrservicetd, sizeof td->mrservicetd), "a service TD is bound to this TD");
}

static void judge_enclave_debug(atls_judge *j)
{
    const char *field = "quote.body.attributes.debug";
    if (j->policy->insecure_allow_debug) {
        atls_judge_skip(j, "dcap.debug", field,
                        "insecure_allow_debug accepts an enclave whose host can read its memory");
        return;
    }
    bool debug = (j->claims->dcap.sgx.attributes[0] & SGX_ATTRIBUTE_DEBUG) != 0;
    atls_judge_compare(j, !debug, "dcap.debug", ATLS_E_TD_ATTRIBUTES, field, "0", debug ? "1" : "0",
                       "the enclave can be debugged: its host can read its memory");
}

static void judge_body(atls_judge *j)
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
static void judge_grace_period(atls_judge *j)
{
    const char *id = "dcap.grace_period";
    const char *field = "tcb.date";
    const atls_tcb *tcb = &j->claims->dcap.tcb;
    int64_t grace = j->policy->grace_period_s;
    if (!is_out_of_date(tcb->status)) {
        atls_judge_na(j, id, field, "the platform is not out of date");
        return;
    }
    if (!j->policy->has_grace_period) {
        atls_judge_skip(j, id, field,
                        "the policy names no grace period: where OutOfDate is allowed, it is allowed for ever");
        return;
    }
    bool usable = tcb->date != ATLS_TIME_UNSET && tcb->date <= j->now && grace >= 0 && tcb->date <= INT64_MAX - grace;
    if (!usable) {
        atls_judge_compare(j, false, id, ATLS_E_TCB_INFO, field, atls_judge_date(j, "at or before ", j->now),
                           atls_judge_date(j, "", tcb->date), NULL);
        return;
    }
    atls_judge_compare(j, j->now <= tcb->date + grace, id, ATLS_E_GRACE_PERIOD_EXPIRED, field,
                       atls_judge_date(j, "not after ", tcb->date + grace), atls_judge_date(j, "", j->now), NULL);
}

static bool is_allowed(const atls_policy *p, atls_tcb_status s)
{
    bool acceptable = s > ATLS_TCB_UNKNOWN && s < ATLS_N_TCB_STATUSES && s != ATLS_TCB_REVOKED;
    return acceptable && p->allowed_status[s];
}

static const char *allowed_names(atls_judge *j)
{
    atls_buf b;
    atls_buf_init(&b, j->arena, j->err);
    for (atls_tcb_status s = ATLS_TCB_UNKNOWN; s < ATLS_N_TCB_STATUSES; s++) {
        if (is_allowed(j->policy, s)) {
            atls_buf_str(&b, b.len == 0 ? "" : ", ");
            atls_buf_str(&b, atls_tcb_status_name(s));
        }
    }
    return atls_judge_written(j, &b);
}

static void judge_status(atls_judge *j)
{
    atls_tcb_status status = j->claims->dcap.tcb.status;
    atls_judge_compare(j, is_allowed(j->policy, status), "dcap.tcb_status", ATLS_E_TCB_STATUS_NOT_ALLOWED, "tcb.status",
                       allowed_names(j), atls_tcb_status_name(status), NULL);
}

static void judge_evaluation_number(atls_judge *j)
{
    const char *id = "dcap.tcb_evaluation_data_number";
    const char *field = "tcb.tcb_evaluation_data_number";
    uint32_t actual = j->claims->dcap.tcb.evaluation_data_number;
    uint32_t least = j->policy->min_tcb_evaluation_data_number;
    if (!j->policy->has_min_tcb_evaluation_data_number) {
        atls_judge_skip(j, id, field,
                        "the policy names no least number: endorsements are as new as whoever chose them wanted");
        return;
    }
    atls_judge_compare(j, actual >= least, id, ATLS_E_TCB_EVALUATION_NUMBER, field,
                       atls_judge_decimal(j, "at least ", least), atls_judge_decimal(j, "", actual), NULL);
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

static void judge_advisories(atls_judge *j)
{
    const char *id = "dcap.advisories";
    const char *field = "tcb.advisories";
    const atls_policy *p = j->policy;
    const atls_text_list *apply = &j->claims->dcap.tcb.advisories;
    if (!p->has_accepted_advisories && p->rejected_advisories.n == 0) {
        atls_judge_skip(j, id, field, "the policy names no advisories: the TCB status stands for them");
        return;
    }
    bool all_fine = true;
    for (size_t i = 0; i < apply->n; i++) {
        bool rejected = is_listed(&p->rejected_advisories, apply->items[i]);
        if (rejected || (p->has_accepted_advisories && !is_listed(&p->accepted_advisories, apply->items[i]))) {
            all_fine = false;
            atls_judge_compare(j, false, id, ATLS_E_ADVISORY_NOT_ALLOWED, field,
                               rejected ? "not one of rejected_advisories" : "one of accepted_advisories",
                               apply->items[i], NULL);
        }
    }
    if (all_fine) {
        atls_judge_compare(j, true, id, ATLS_OK, field, "", atls_judge_decimal(j, "advisories that apply: ", apply->n),
                           NULL);
    }
}

/* ---- step 18: reference values ---- */

#define JUDGE_MEASUREMENT(name, member, width)                                                                         \
    atls_judge_reference(j, name, "dcap.measurement." name, ATLS_E_MEASUREMENT_MISMATCH, "quote.body." name,           \
                         r->member, width);
#define JUDGE_ABSENT_WITHOUT_15(name, member, width)                                                                   \
    atls_judge_reference(j, name, "dcap.measurement." name, ATLS_E_MEASUREMENT_MISMATCH, "quote.body." name,           \
                         r->is_15 ? r->member : NULL, width);

static void judge_td_measurements(atls_judge *j)
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
    atls_judge_compare(j, reached, "dcap.min_tee_tcb_svn", ATLS_E_MEASUREMENT_MISMATCH, "quote.body.tee_tcb_svn",
                       atls_judge_hex(j, j->policy->min_tee_tcb_svn, sizeof j->policy->min_tee_tcb_svn),
                       atls_judge_hex(j, r->tee_tcb_svn, sizeof r->tee_tcb_svn),
                       "a component of TEE_TCB_SVN is below the policy's least");
}

static void judge_enclave_measurements(atls_judge *j)
{
    const atls_sgx_report *r = &j->claims->dcap.sgx;
    const atls_policy *p = j->policy;
    ATLS_SGX_FIELDS(JUDGE_MEASUREMENT)
    if (p->has_isvprodid) {
        atls_judge_compare(j, r->isvprodid == p->isvprodid, "dcap.isvprodid", ATLS_E_MEASUREMENT_MISMATCH,
                           "quote.body.isvprodid", atls_judge_decimal(j, "", p->isvprodid),
                           atls_judge_decimal(j, "", r->isvprodid), NULL);
    }
    if (p->has_min_isvsvn) {
        atls_judge_compare(j, r->isvsvn >= p->min_isvsvn, "dcap.min_isvsvn", ATLS_E_MEASUREMENT_MISMATCH,
                           "quote.body.isvsvn", atls_judge_decimal(j, "at least ", p->min_isvsvn),
                           atls_judge_decimal(j, "", r->isvsvn), NULL);
    }
}

static void judge_platform_references(atls_judge *j)
{
    const atls_dcap_claims *c = &j->claims->dcap;
    atls_judge_reference(j, "machines", "dcap.machine", ATLS_E_MACHINE_NOT_ALLOWED, "pck.sgx_extension.ppid", c->ppid,
                         sizeof c->ppid);
    atls_judge_reference(j, "platform_instance_id", "dcap.platform_instance_id", ATLS_E_MACHINE_NOT_ALLOWED,
                         "pck.sgx_extension.platform_instance_id",
                         c->has_platform_info ? c->platform_instance_id : NULL, sizeof c->platform_instance_id);
    atls_judge_reference(j, "fmspc", "dcap.fmspc", ATLS_E_MACHINE_NOT_ALLOWED, "pck.sgx_extension.fmspc", c->fmspc,
                         sizeof c->fmspc);
    atls_judge_reference(j, "pceid", "dcap.pceid", ATLS_E_MACHINE_NOT_ALLOWED, "pck.sgx_extension.pceid", c->pceid,
                         sizeof c->pceid);
    atls_judge_reference(j, "qe_vendor_id", "dcap.qe_vendor_id", ATLS_E_MEASUREMENT_MISMATCH,
                         "quote.header.qe_vendor_id", c->qe_vendor_id, sizeof c->qe_vendor_id);
    if (atls_policy_reference(j->policy, "machines") == NULL
        && atls_policy_reference(j->policy, "platform_instance_id") == NULL) {
        atls_judge_skip(j, "dcap.machine", "pck.sgx_extension.ppid",
                        "the policy names no machines: any genuine platform of this kind will do, wherever it stands");
    }
}

/* A list that no check looked at would be a wish that silently did not come true. */
static void judge_references(atls_judge *j)
{
    const atls_policy *p = j->policy;
    judge_platform_references(j);
    size_t n_platform = j->n_references;
    if (j->claims->dcap.is_tdx) {
        judge_td_measurements(j);
    } else {
        judge_enclave_measurements(j);
    }
    if (j->n_references < p->n_references) {
        atls_judge_compare(j, false, "dcap.measurements", ATLS_E_MEASUREMENT_MISMATCH, "policy",
                           "claims that this kind of evidence has", "others",
                           "the policy lists reference values that this kind of evidence does not have");
        return;
    }
    if (j->n_references == n_platform && p->type != ATLS_POLICY_DSTACK_TDX) {
        atls_judge_skip(j, "dcap.measurements", "quote.body",
                        "the policy names no reference values: any code on this hardware is accepted");
    }
}

bool dcap_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                   atls_trace *trace, atls_error *err)
{
    atls_judge j = {
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
