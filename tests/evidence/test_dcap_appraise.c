/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: attributes of TDs and enclaves, TCB status and grace period: which check fails, with which code and
 * field, and what a waiver leaves behind. */
#include "dcap_scene.h"

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

static void status_out_of_range(scene *s)
{
    s->claims.dcap.tcb.status = ATLS_N_TCB_STATUSES;
    s->policy.has_grace_period = true; /* what stands behind the table */
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
    {"a status that does not exist", false, status_out_of_range,
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
};

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

static void test_allowed_statuses_shown(void **state)
{
    static scene s;
    atls_trace t;
    atls_error err;
    (void)state;
    make_scene(&s, false);
    out_of_date(&s);
    s.policy.allowed_status[ATLS_TCB_SW_HARDENING_NEEDED] = true;
    assert_false(appraise(&s, &t, &err));
    assert_string_equal(err.expected, "UpToDate, SWHardeningNeeded");
    assert_string_equal(err.actual, "OutOfDate");
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "allowed statuses are shown", test_allowed_statuses_shown, NULL);
    tap_add(&l, "waivers name their members", test_waivers_name_members, NULL);
    return tap_run("dcap appraise", &l);
}
