/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: evaluation numbers, advisories, machines and measurements: lists that are met, missed, or not there. */
#include "dcap_scene.h"

static void nothing(scene *s)
{
    (void)s;
}

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

static void one_advisory(scene *s)
{
    s->claims.dcap.tcb.advisories = (atls_text_list){two_advisories, 1};
}

static void advisory_accepted(scene *s)
{
    one_advisory(s);
    s->policy.has_accepted_advisories = true;
    s->policy.accepted_advisories = (atls_text_list){two_advisories, 1};
}

static void another_advisory_rejected(scene *s)
{
    one_advisory(s);
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

static const row rows[] = {
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
    {"the one advisory is accepted", false, advisory_accepted, PASSES("dcap.advisories")},
    {"another advisory is rejected", false, another_advisory_rejected, PASSES("dcap.advisories")},
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

/* ---- more than one row can say ---- */

/* Every mismatch is listed, the first is the error. */
static void test_all_mismatches(void **state)
{
    static scene s;
    atls_trace t;
    atls_error err;
    (void)state;
    make_scene(&s, false);
    s.claims.dcap.td.tdattributes[0] = 1;
    s.claims.dcap.td.mrservicetd[0] = 1;
    s.claims.dcap.tcb.status = ATLS_TCB_OUT_OF_DATE;
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
    tap_add(&l, "dstack compares measurements itself", test_dstack_says_nothing_about_measurements, NULL);
    tap_add(&l, "little memory", test_little_memory, NULL);
    return tap_run("dcap references", &l);
}
