/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c on hand-made claims and policies: which check fails, with which code and field, and what a waiver, a list
 * or silence in the policy leaves behind in the list of checks. */
#include "evidence/dcap/dcap.h"
#include "tests/base/check.h"

#define DAY (INT64_C(86400))
#define NOW (INT64_C(1781524800))

/* ---- the honest case: a TD 1.5, UpToDate, a policy that asks for little ---- */

typedef struct scene {
    atls_claims claims;
    atls_policy policy;
    atls_reference references[4];
    uint8_t values[4][6 * 64];
} scene;

static void make_scene(scene *s, bool is_sgx)
{
    memset(s, 0, sizeof *s);
    atls_dcap_claims *c = &s->claims.dcap;
    c->is_tdx = !is_sgx;
    c->td.is_15 = true;
    c->td.tdattributes[3] = 0x10; /* SEPT_VE_DISABLE */
    memset(c->td.mrtd, 0x4d, sizeof c->td.mrtd);
    memset(c->td.tee_tcb_svn, 5, sizeof c->td.tee_tcb_svn);
    memset(c->sgx.mrenclave, 0xee, sizeof c->sgx.mrenclave);
    c->sgx.attributes[0] = 0x05;
    c->sgx.isvprodid = 7;
    c->sgx.isvsvn = 3;
    memset(c->ppid, 0x99, sizeof c->ppid);
    c->tcb.status = ATLS_TCB_UP_TO_DATE;
    c->tcb.date = NOW - 10 * DAY;
    c->tcb.evaluation_data_number = 17;
    s->policy.type = is_sgx ? ATLS_POLICY_SGX : ATLS_POLICY_TDX;
    s->policy.allowed_status[ATLS_TCB_UP_TO_DATE] = true;
    s->policy.references = s->references;
}

/* A list of n values, each of one repeated byte. */
static void refer(scene *s, const char *name, size_t width, const uint8_t *fills, size_t n)
{
    size_t at = s->policy.n_references++;
    for (size_t i = 0; i < n; i++) {
        memset(s->values[at] + i * width, fills[i], width);
    }
    s->references[at] = (atls_reference){.name = name, .width = width, .values = s->values[at], .n = n};
}

#define REFER(s, name, width, ...)                                                                                     \
    refer(s, name, width, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* ---- changes ---- */

static void nothing(scene *s)
{
    (void)s;
}

#define ATTRIBUTE(name, byte, bits)                                                                                    \
    static void name(scene *s)                                                                                         \
    {                                                                                                                  \
        s->claims.dcap.td.tdattributes[byte] |= (bits);                                                                \
    }
ATTRIBUTE(td_debug, 0, 0x01)
ATTRIBUTE(td_bit_1, 0, 0x02)
ATTRIBUTE(td_bit_7, 0, 0x80)
ATTRIBUTE(td_bit_8, 1, 0x01)
ATTRIBUTE(td_bit_27, 3, 0x08)
ATTRIBUTE(td_migratable, 3, 0x20)
ATTRIBUTE(td_pks, 3, 0x40)
ATTRIBUTE(td_kl, 3, 0x80)
ATTRIBUTE(td_bit_32, 4, 0x01)
ATTRIBUTE(td_bit_39, 4, 0x80)
ATTRIBUTE(td_bit_62, 7, 0x40)
ATTRIBUTE(td_perfmon, 7, 0x80)

static void no_sept(scene *s)
{
    s->claims.dcap.td.tdattributes[3] = 0;
}

static void no_sept_waived(scene *s)
{
    no_sept(s);
    s->policy.insecure_allow_no_sept_ve_disable = true;
}

static void debug_waived(scene *s)
{
    td_debug(s);
    s->policy.insecure_allow_debug = true;
}

static void bit_1_with_debug_waived(scene *s)
{
    td_bit_1(s);
    s->policy.insecure_allow_debug = true;
}

static void masked(scene *s, uint64_t mask)
{
    s->policy.has_insecure_td_attributes_mask = true;
    s->policy.insecure_td_attributes_mask = mask;
}

static void migratable_masked(scene *s)
{
    td_migratable(s);
    masked(s, UINT64_C(0x30000000));
}

static void pks_not_in_mask(scene *s)
{
    td_pks(s);
    masked(s, UINT64_C(0x30000000));
}

static void low_bits_in_mask(scene *s)
{
    td_bit_1(s);
    masked(s, UINT64_MAX);
}

static void debug_in_mask(scene *s)
{
    td_debug(s);
    masked(s, UINT64_MAX);
}

static void service_td(scene *s)
{
    s->claims.dcap.td.mrservicetd[47] = 1;
}

static void service_td_waived(scene *s)
{
    service_td(s);
    s->policy.insecure_allow_service_td = true;
}

static void service_td_listed(scene *s)
{
    memset(s->claims.dcap.td.mrservicetd, 0x5e, 48);
    REFER(s, "mrservicetd", 48, 0x5e);
}

static void service_td_not_listed(scene *s)
{
    service_td(s);
    REFER(s, "mrservicetd", 48, 0x5e);
}

static void service_td_listed_in_10(scene *s)
{
    s->claims.dcap.td.is_15 = false;
    REFER(s, "mrservicetd", 48, 0x00);
}

static void td_10(scene *s)
{
    s->claims.dcap.td.is_15 = false;
}

static void enclave_debug(scene *s)
{
    s->claims.dcap.sgx.attributes[0] |= 0x02;
}

static void enclave_debug_waived(scene *s)
{
    enclave_debug(s);
    s->policy.insecure_allow_debug = true;
}

/* statuses */

static void out_of_date(scene *s)
{
    s->claims.dcap.tcb.status = ATLS_TCB_OUT_OF_DATE;
}

static void out_of_date_allowed(scene *s)
{
    out_of_date(s);
    s->policy.allowed_status[ATLS_TCB_OUT_OF_DATE] = true;
}

static void unknown_allowed(scene *s)
{
    s->claims.dcap.tcb.status = ATLS_TCB_UNKNOWN;
    s->policy.allowed_status[ATLS_TCB_UNKNOWN] = true;
}

static void revoked_allowed(scene *s)
{
    s->claims.dcap.tcb.status = ATLS_TCB_REVOKED;
    s->policy.allowed_status[ATLS_TCB_REVOKED] = true;
}

static void grace(scene *s, int64_t seconds)
{
    out_of_date_allowed(s);
    s->policy.has_grace_period = true;
    s->policy.grace_period_s = seconds;
}

static void grace_exact(scene *s)
{
    grace(s, 10 * DAY);
}

static void grace_one_second_less(scene *s)
{
    grace(s, 10 * DAY - 1);
}

static void grace_not_allowed(scene *s)
{
    grace(s, 1);
    s->policy.allowed_status[ATLS_TCB_OUT_OF_DATE] = false;
}

static void grace_configuration(scene *s)
{
    grace(s, 1);
    s->claims.dcap.tcb.status = ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    s->policy.allowed_status[ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED] = true;
}

static void grace_of_up_to_date(scene *s)
{
    grace(s, 1);
    s->claims.dcap.tcb.status = ATLS_TCB_UP_TO_DATE;
}

static void grace_date_unset(scene *s)
{
    grace(s, 100 * DAY);
    s->claims.dcap.tcb.date = ATLS_TIME_UNSET;
}

static void grace_date_in_future(scene *s)
{
    grace(s, 100 * DAY);
    s->claims.dcap.tcb.date = NOW + 1;
}

static void grace_overflow(scene *s)
{
    grace(s, INT64_MAX);
}

static void grace_negative(scene *s)
{
    grace(s, -1);
}

static void grace_date_now(scene *s)
{
    grace(s, 0);
    s->claims.dcap.tcb.date = NOW;
}

/* numbers, advisories, references */

static void number_reached(scene *s)
{
    s->policy.has_min_tcb_evaluation_data_number = true;
    s->policy.min_tcb_evaluation_data_number = 17;
}

static void number_missed(scene *s)
{
    number_reached(s);
    s->policy.min_tcb_evaluation_data_number = 18;
}

static const char *const two_advisories[] = {"SA-1", "SA-2"};

static void advisories_accepted(scene *s)
{
    s->claims.dcap.tcb.advisories = (atls_text_list){two_advisories, 2};
    s->policy.has_accepted_advisories = true;
    s->policy.accepted_advisories = (atls_text_list){two_advisories, 2};
}

static void advisory_not_accepted(scene *s)
{
    advisories_accepted(s);
    s->policy.accepted_advisories.n = 1;
}

static void advisories_none_accepted(scene *s)
{
    advisories_accepted(s);
    s->policy.accepted_advisories.n = 0;
}

static void advisory_rejected(scene *s)
{
    advisories_accepted(s);
    s->policy.rejected_advisories = (atls_text_list){two_advisories + 1, 1};
}

static void machine_listed(scene *s)
{
    REFER(s, "machines", 16, 0x98, 0x99);
}

static void machine_not_listed(scene *s)
{
    REFER(s, "machines", 16, 0x97, 0x98);
}

static void instance_listed(scene *s)
{
    s->claims.dcap.has_platform_info = true;
    memset(s->claims.dcap.platform_instance_id, 0x61, 16);
    REFER(s, "platform_instance_id", 16, 0x61);
}

/* Under the Processor CA there is no such id: zeros in the claims must not match zeros in a policy. */
static void instance_absent(scene *s)
{
    REFER(s, "platform_instance_id", 16, 0x00);
}

static void mrtd_listed(scene *s)
{
    REFER(s, "mrtd", 48, 0x01, 0x4d);
}

static void mrtd_not_listed(scene *s)
{
    REFER(s, "mrtd", 48, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06);
}

static void rtmr3_not_listed(scene *s)
{
    REFER(s, "rtmr3", 48, 0x01);
}

static void svn2_in_10(scene *s)
{
    s->claims.dcap.td.is_15 = false;
    REFER(s, "tee_tcb_svn2", 16, 0x00);
}

static void of_another_kind(scene *s)
{
    REFER(s, "mrenclave", 32, 0xee);
}

static void of_another_width(scene *s)
{
    REFER(s, "mrtd", 32, 0x4d);
}

static void min_svn_reached(scene *s)
{
    s->policy.has_min_tee_tcb_svn = true;
    memset(s->policy.min_tee_tcb_svn, 5, 16);
}

static void min_svn_missed(scene *s)
{
    min_svn_reached(s);
    s->policy.min_tee_tcb_svn[15] = 6;
    s->policy.min_tee_tcb_svn[0] = 0;
}

static void mrenclave_listed(scene *s)
{
    REFER(s, "mrenclave", 32, 0xee);
}

static void mrsigner_not_listed(scene *s)
{
    REFER(s, "mrsigner", 32, 0xee);
}

static void prodid_differs(scene *s)
{
    s->policy.has_isvprodid = true;
    s->policy.isvprodid = 8;
}

static void isvsvn_reached(scene *s)
{
    s->policy.has_min_isvsvn = true;
    s->policy.min_isvsvn = 3;
}

static void isvsvn_missed(scene *s)
{
    s->policy.has_min_isvsvn = true;
    s->policy.min_isvsvn = 4;
}

/* ---- the table ---- */

typedef struct row {
    const char *name;
    bool is_sgx;
    void (*change)(scene *s);
    atls_code code;
    const char *field;
    const char *id; /* a check that must be in the list with this verdict; of a refusal the failed one */
    atls_check_verdict verdict;
} row;

#define PASSES(id)            ATLS_OK, NULL, id, ATLS_CHECK_PASS
#define SKIPS(id)             ATLS_OK, NULL, id, ATLS_CHECK_SKIPPED
#define NOT_APPLICABLE(id)    ATLS_OK, NULL, id, ATLS_CHECK_NOT_APPLICABLE
#define FAILS(error, at, id)  ATLS_E_##error, at, id, ATLS_CHECK_FAIL
#define BAD_ATTRIBUTES        FAILS(TD_ATTRIBUTES, "quote.body.tdattributes", "dcap.td_attributes")
#define BAD_MEASUREMENT(name) FAILS(MEASUREMENT_MISMATCH, "quote.body." name, "dcap.measurement." name)

static const row rows[] = {
    {"honest TD", false, nothing, PASSES("dcap.td_attributes")},
    {"honest enclave", true, nothing, PASSES("dcap.debug")},
    {"TD DEBUG", false, td_debug, FAILS(TD_ATTRIBUTES, "quote.body.tdattributes.debug", "dcap.debug")},
    {"TD DEBUG waived", false, debug_waived, SKIPS("dcap.debug")},
    {"TD bit 1", false, td_bit_1, BAD_ATTRIBUTES},
    {"TD bit 7", false, td_bit_7, BAD_ATTRIBUTES},
    {"TD bit 1 is not waived with DEBUG", false, bit_1_with_debug_waived, BAD_ATTRIBUTES},
    {"TD bit 8", false, td_bit_8, BAD_ATTRIBUTES},
    {"TD bit 27", false, td_bit_27, BAD_ATTRIBUTES},
    {"TD MIGRATABLE", false, td_migratable, BAD_ATTRIBUTES},
    {"TD bit 32", false, td_bit_32, BAD_ATTRIBUTES},
    {"TD bit 39", false, td_bit_39, BAD_ATTRIBUTES},
    {"TD bit 62", false, td_bit_62, BAD_ATTRIBUTES},
    {"TD PKS", false, td_pks, PASSES("dcap.td_attributes")},
    {"TD KL", false, td_kl, PASSES("dcap.td_attributes")},
    {"TD PERFMON", false, td_perfmon, PASSES("dcap.td_attributes")},
    {"TD MIGRATABLE in the policy's mask", false, migratable_masked, SKIPS("dcap.td_attributes")},
    {"TD PKS not in the policy's mask", false, pks_not_in_mask, BAD_ATTRIBUTES},
    {"TD bit 1 in a full mask", false, low_bits_in_mask, BAD_ATTRIBUTES},
    {"TD DEBUG in a full mask", false, debug_in_mask,
     FAILS(TD_ATTRIBUTES, "quote.body.tdattributes.debug", "dcap.debug")},
    {"TD without SEPT_VE_DISABLE", false, no_sept,
     FAILS(TD_ATTRIBUTES, "quote.body.tdattributes.sept_ve_disable", "dcap.sept_ve_disable")},
    {"TD without SEPT_VE_DISABLE, waived", false, no_sept_waived, SKIPS("dcap.sept_ve_disable")},
    {"service TD", false, service_td, FAILS(TD_ATTRIBUTES, "quote.body.mrservicetd", "dcap.service_td")},
    {"service TD waived", false, service_td_waived, SKIPS("dcap.service_td")},
    {"service TD listed", false, service_td_listed, PASSES("dcap.measurement.mrservicetd")},
    {"service TD not listed", false, service_td_not_listed, BAD_MEASUREMENT("mrservicetd")},
    {"service TD listed, TD report 1.0", false, service_td_listed_in_10, BAD_MEASUREMENT("mrservicetd")},
    {"service TD of a TD report 1.0", false, td_10, NOT_APPLICABLE("dcap.service_td")},
    {"enclave DEBUG", true, enclave_debug, FAILS(TD_ATTRIBUTES, "quote.body.attributes.debug", "dcap.debug")},
    {"enclave DEBUG waived", true, enclave_debug_waived, SKIPS("dcap.debug")},
    {"status not allowed", false, out_of_date, FAILS(TCB_STATUS_NOT_ALLOWED, "tcb.status", "dcap.tcb_status")},
    {"status allowed, no grace period", false, out_of_date_allowed, SKIPS("dcap.grace_period")},
    {"status Unknown, whatever is allowed", false, unknown_allowed,
     FAILS(TCB_STATUS_NOT_ALLOWED, "tcb.status", "dcap.tcb_status")},
    {"status Revoked, whatever is allowed", false, revoked_allowed,
     FAILS(TCB_STATUS_NOT_ALLOWED, "tcb.status", "dcap.tcb_status")},
    {"grace to the second", false, grace_exact, PASSES("dcap.grace_period")},
    {"grace over by a second", false, grace_one_second_less,
     FAILS(GRACE_PERIOD_EXPIRED, "tcb.date", "dcap.grace_period")},
    {"grace covers OutOfDateConfigurationNeeded", false, grace_configuration,
     FAILS(GRACE_PERIOD_EXPIRED, "tcb.date", "dcap.grace_period")},
    {"grace comes before the allowed list", false, grace_not_allowed,
     FAILS(GRACE_PERIOD_EXPIRED, "tcb.date", "dcap.grace_period")},
    {"grace is not for UpToDate", false, grace_of_up_to_date, NOT_APPLICABLE("dcap.grace_period")},
    {"grace with no date", false, grace_date_unset, FAILS(TCB_INFO, "tcb.date", "dcap.grace_period")},
    {"grace with a date to come", false, grace_date_in_future, FAILS(TCB_INFO, "tcb.date", "dcap.grace_period")},
    {"grace beyond time", false, grace_overflow, FAILS(TCB_INFO, "tcb.date", "dcap.grace_period")},
    {"grace below zero", false, grace_negative, FAILS(TCB_INFO, "tcb.date", "dcap.grace_period")},
    {"grace of zero, date now", false, grace_date_now, PASSES("dcap.grace_period")},
    {"evaluation number not asked for", false, nothing, SKIPS("dcap.tcb_evaluation_data_number")},
    {"evaluation number reached", false, number_reached, PASSES("dcap.tcb_evaluation_data_number")},
    {"evaluation number missed", false, number_missed,
     FAILS(TCB_EVALUATION_NUMBER, "tcb.tcb_evaluation_data_number", "dcap.tcb_evaluation_data_number")},
    {"advisories not asked for", false, nothing, SKIPS("dcap.advisories")},
    {"advisories accepted", false, advisories_accepted, PASSES("dcap.advisories")},
    {"an advisory not accepted", false, advisory_not_accepted,
     FAILS(ADVISORY_NOT_ALLOWED, "tcb.advisories", "dcap.advisories")},
    {"an empty list accepts none", false, advisories_none_accepted,
     FAILS(ADVISORY_NOT_ALLOWED, "tcb.advisories", "dcap.advisories")},
    {"an advisory rejected, though accepted", false, advisory_rejected,
     FAILS(ADVISORY_NOT_ALLOWED, "tcb.advisories", "dcap.advisories")},
    {"machines not asked for", false, nothing, SKIPS("dcap.machine")},
    {"machine listed", false, machine_listed, PASSES("dcap.machine")},
    {"machine not listed", true, machine_not_listed,
     FAILS(MACHINE_NOT_ALLOWED, "pck.sgx_extension.ppid", "dcap.machine")},
    {"platform instance listed", false, instance_listed, PASSES("dcap.platform_instance_id")},
    {"platform instance absent", false, instance_absent,
     FAILS(MACHINE_NOT_ALLOWED, "pck.sgx_extension.platform_instance_id", "dcap.platform_instance_id")},
    {"measurements not asked for", false, machine_listed, SKIPS("dcap.measurements")},
    {"mrtd listed", false, mrtd_listed, PASSES("dcap.measurement.mrtd")},
    {"mrtd not listed", false, mrtd_not_listed, BAD_MEASUREMENT("mrtd")},
    {"rtmr3 not listed", false, rtmr3_not_listed, BAD_MEASUREMENT("rtmr3")},
    {"tee_tcb_svn2 of a TD report 1.0", false, svn2_in_10, BAD_MEASUREMENT("tee_tcb_svn2")},
    {"a list that only enclaves have", false, of_another_kind,
     FAILS(MEASUREMENT_MISMATCH, "policy", "dcap.measurements")},
    {"a list of another width", false, of_another_width, BAD_MEASUREMENT("mrtd")},
    {"least TEE_TCB_SVN reached", false, min_svn_reached, PASSES("dcap.min_tee_tcb_svn")},
    {"least TEE_TCB_SVN missed in one component", false, min_svn_missed,
     FAILS(MEASUREMENT_MISMATCH, "quote.body.tee_tcb_svn", "dcap.min_tee_tcb_svn")},
    {"mrenclave listed", true, mrenclave_listed, PASSES("dcap.measurement.mrenclave")},
    {"mrsigner not listed", true, mrsigner_not_listed, BAD_MEASUREMENT("mrsigner")},
    {"isvprodid differs", true, prodid_differs, FAILS(MEASUREMENT_MISMATCH, "quote.body.isvprodid", "dcap.isvprodid")},
    {"isvsvn reached", true, isvsvn_reached, PASSES("dcap.min_isvsvn")},
    {"isvsvn missed", true, isvsvn_missed, FAILS(MEASUREMENT_MISMATCH, "quote.body.isvsvn", "dcap.min_isvsvn")},
};

static const atls_check *find(const atls_trace *t, const char *id, atls_check_verdict verdict)
{
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->items[i].id, id) == 0 && t->items[i].verdict == verdict) {
            return &t->items[i];
        }
    }
    return NULL;
}

static size_t count(const atls_trace *t, atls_check_verdict verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        n += t->items[i].verdict == verdict;
    }
    return n;
}

static bool appraise(const scene *s, atls_trace *t, atls_error *err)
{
    atls_arena *a = check_arena();
    *err = (atls_error){.code = ATLS_OK};
    assert_true(atls_trace_init(t, a, err));
    return dcap_format()->appraise(&s->claims, &s->policy, NOW, a, t, err);
}

static void test_row(void **state)
{
    static scene s;
    const row *r = *state;
    atls_trace t;
    atls_error err;
    make_scene(&s, r->is_sgx);
    r->change(&s);
    bool ok = appraise(&s, &t, &err);
    assert_int_equal(ok, r->code == ATLS_OK);
    check_error(&err, r->code, r->code == ATLS_OK ? "" : r->field);
    assert_int_equal(count(&t, ATLS_CHECK_FAIL) == 0, ok);
    const atls_check *c = find(&t, r->id, r->verdict);
    assert_non_null(c);
    assert_int_equal(c->code, r->code);
    if (r->verdict == ATLS_CHECK_FAIL) {
        assert_string_equal(c->field, r->field);
        assert_true(c->actual[0] != '\0' && c->expected[0] != '\0');
    }
    assert_true(r->verdict == ATLS_CHECK_PASS || c->why[0] != '\0');
}

/* ---- more than one row can say ---- */

/* Every mismatch is listed, the first is the error. */
static void test_all_mismatches(void **state)
{
    static scene s;
    atls_trace t;
    atls_error err;
    (void)state;
    make_scene(&s, false);
    td_debug(&s);
    service_td(&s);
    out_of_date(&s);
    number_missed(&s);
    advisories_none_accepted(&s);
    machine_not_listed(&s);
    mrtd_not_listed(&s);
    rtmr3_not_listed(&s);
    assert_false(appraise(&s, &t, &err));
    check_error(&err, ATLS_E_TD_ATTRIBUTES, "quote.body.tdattributes.debug");
    assert_int_equal(count(&t, ATLS_CHECK_FAIL), 9); /* two advisories */
    assert_non_null(find(&t, "dcap.measurement.rtmr3", ATLS_CHECK_FAIL));
}

static void test_values_shown(void **state)
{
    static scene s;
    atls_trace t;
    atls_error err;
    (void)state;
    make_scene(&s, false);
    machine_not_listed(&s);
    assert_false(appraise(&s, &t, &err));
    assert_string_equal(err.expected, "97979797979797979797979797979797, 98989898989898989898989898989898");
    assert_string_equal(err.actual, "99999999999999999999999999999999");
    make_scene(&s, false);
    mrtd_not_listed(&s);
    assert_false(appraise(&s, &t, &err));
    const char *expected = find(&t, "dcap.measurement.mrtd", ATLS_CHECK_FAIL)->expected;
    assert_int_equal(strlen(expected), 4 * 96 + 3 * 2 + strlen(" and 2 more"));
    make_scene(&s, false);
    out_of_date(&s);
    s.policy.allowed_status[ATLS_TCB_SW_HARDENING_NEEDED] = true;
    assert_false(appraise(&s, &t, &err));
    assert_string_equal(err.expected, "UpToDate, SWHardeningNeeded");
    assert_string_equal(err.actual, "OutOfDate");
}

/* A waiver names the member of the policy that it comes from. */
static void test_waivers_name_members(void **state)
{
    static scene s;
    atls_trace t;
    atls_error err;
    (void)state;
    make_scene(&s, false);
    debug_waived(&s);
    service_td_waived(&s);
    no_sept(&s);
    s.policy.insecure_allow_no_sept_ve_disable = true;
    masked(&s, 0);
    s.claims.dcap.td.tdattributes[3] = 0;
    assert_true(appraise(&s, &t, &err));
    static const char *const ids[][2] = {
        {"dcap.debug", "insecure_allow_debug"},
        {"dcap.td_attributes", "insecure_td_attributes_mask"},
        {"dcap.sept_ve_disable", "insecure_allow_no_sept_ve_disable"},
        {"dcap.service_td", "insecure_allow_service_td"},
    };
    for (size_t i = 0; i < COUNT(ids); i++) {
        const atls_check *c = find(&t, ids[i][0], ATLS_CHECK_SKIPPED);
        assert_non_null(c);
        assert_non_null(strstr(c->why, ids[i][1]));
    }
}

/* The measurements of dstack are compared in another room. */
static void test_dstack_says_nothing_about_measurements(void **state)
{
    static scene s;
    atls_trace t;
    atls_error err;
    (void)state;
    make_scene(&s, false);
    s.policy.type = ATLS_POLICY_DSTACK_TDX;
    assert_true(appraise(&s, &t, &err));
    assert_null(find(&t, "dcap.measurements", ATLS_CHECK_SKIPPED));
}

/* Whatever memory there is, the answer is the same or an error. */
static void test_little_memory(void **state)
{
    static scene s;
    static uint8_t block[64 * 1024];
    (void)state;
    make_scene(&s, false);
    mrtd_listed(&s);
    for (size_t size = 0; size < 24 * 1024; size += 16) {
        atls_arena a;
        atls_trace t;
        atls_error err = {.code = ATLS_OK};
        atls_arena_init(&a, block, size);
        if (atls_trace_init(&t, &a, &err)) {
            bool ok = dcap_format()->appraise(&s.claims, &s.policy, NOW, &a, &t, &err);
            assert_int_equal(ok, err.code == ATLS_OK);
        }
        assert_true(err.code == ATLS_OK || err.code == ATLS_E_MEMORY);
    }
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "every mismatch is listed", test_all_mismatches, NULL);
    tap_add(&l, "what was expected and found", test_values_shown, NULL);
    tap_add(&l, "waivers name their members", test_waivers_name_members, NULL);
    tap_add(&l, "dstack compares measurements itself", test_dstack_says_nothing_about_measurements, NULL);
    tap_add(&l, "little memory", test_little_memory, NULL);
    return tap_run("dcap appraise", &l);
}
